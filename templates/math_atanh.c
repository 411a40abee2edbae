/* log1p(2*|x|/(1 - |x|))/2, where the quotient carries along what it lost. */
SYMOP_INLINE float symop_atanhf(float x) {
    double d = (double)x;
    double a = __builtin_fabs(d);
    double y = symop_log2_short((1.0 + a) / (1.0 - a)) * 0x1.62e42fefa39efp-2;
    y = a < 0x1p-10 ? FMA(a * a * a, 0x1.5555555555555p-2, a) : y;
    y = a == 1.0 ? __builtin_inf() : y;
    return __builtin_copysignf(a <= 1.0 ? (float)y : __builtin_nanf(""), x);
}

SYMOP_INLINE double symop_atanh(double x) {
    double a = __builtin_fabs(x);
    double twice = 2.0 * a;
    double less = 1.0 - a;
    double less_low = (1.0 - less) - a;
    double inverse = 1.0 / less;
    double q = twice * inverse;
    double back = q * less;
    double low = ((twice - back) - symop_product_low(q, less, back) - q * less_low) * inverse;
    double y = 0.5 * symop_log_sum(0.0, 1, q, low);
    y = a < 0x1p-28 ? a : y;
    y = a == 1.0 ? __builtin_inf() : y;
    return __builtin_copysign(a <= 1.0 ? y : __builtin_nan(""), x);
}
