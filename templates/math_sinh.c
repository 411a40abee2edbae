/* |x| < 1: x + x**3*p(x**2). Beyond, with q = exp(|x|)/4: 2*(q - 1/(16*q)). */
/* fit symop_fit_sinh_short */
/* Largest weighted error 5.2e-11; by benchmarks.vector_coefficients. */
SYMOP_INLINE double symop_fit_sinh_short(double x) {
    double p = 0x1.7a15b95f58fefp-19;
    p = FMA(p, x, 0x1.9ffe9256c4f34p-13);
    p = FMA(p, x, 0x1.111134fb91d8bp-7);
    p = FMA(p, x, 0x1.5555551b3c00bp-3);
    return p;
}
/* end */

SYMOP_INLINE float symop_sinhf(float x) {
    double d = (double)x;
    double a = __builtin_fabs(d);
    double z = d * d;
    double near = FMA(a * z, symop_fit_sinh_short(z), a);
    double b = a > 90.0 ? 90.0 : a;
    double e = symop_exp_short(b);
    double far = 0.5 * e - 0.5 / e;
    return __builtin_copysignf((float)(a < 1.0 ? near : far), x);
}

/* fit symop_fit_sinh */
/* Largest weighted error 1.1e-19; by benchmarks.vector_coefficients. */
SYMOP_INLINE double symop_fit_sinh(double x) {
    double p = 0x1.d2c7812296fc4p-48;
    p = FMA(p, x, 0x1.a66448e938be6p-41);
    p = FMA(p, x, 0x1.61314e94cb93cp-33);
    p = FMA(p, x, 0x1.ae644121255dfp-26);
    p = FMA(p, x, 0x1.71de3a68d0fa8p-19);
    p = FMA(p, x, 0x1.a01a01a007356p-13);
    p = FMA(p, x, 0x1.111111111119bp-7);
    p = FMA(p, x, 0x1.5555555555555p-3);
    return p;
}
/* end */

SYMOP_INLINE double symop_sinh(double x) {
    double a = __builtin_fabs(x);
    double z = x * x;
    double near = FMA(a * z, symop_fit_sinh(z), a);
    double b = a > 710.6 ? 710.6 : a;
    double low;
    double q = symop_quarter_exp(b, &low);
    double inverse = 0.0625 / q;
    double other = FMA(-16.0 * inverse * inverse, low, inverse);
    double far = 2.0 * (q + (low - other));
    return __builtin_copysign(a < 1.0 ? near : far, x);
}
