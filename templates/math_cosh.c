/* With q = exp(|x|)/4: 2*(q + 1/(16*q)). */
SYMOP_INLINE float symop_coshf(float x) {
    double a = __builtin_fabs((double)x);
    a = a > 90.0 ? 90.0 : a;
    double e = symop_exp_short(a);
    return (float)(0.5 * e + 0.5 / e);
}

SYMOP_INLINE double symop_cosh(double x) {
    double a = __builtin_fabs(x);
    a = a > 710.6 ? 710.6 : a;
    double low;
    double q = symop_quarter_exp(a, &low);
    double inverse = 0.0625 / q;
    double other = FMA(-16.0 * inverse * inverse, low, inverse);
    return 2.0 * (q + (low + other));
}
