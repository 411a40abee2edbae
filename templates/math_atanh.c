/* log1p(2*|x|/(1 - |x|))/2, in float log((1 + |x|)/(1 - |x|))/2, where the quotient carries along what it lost. */
SYMOP_INLINE float symop_atanhf(float x) {
    float a = __builtin_fabsf(x);
    float more = 1.0f + a;
    float less = 1.0f - a;
    float inverse = 1.0f / less;
    float q = more * inverse;
    float low = symop_residualf(more, q, less) + FMAF(-q, (1.0f - less) - a, a - (more - 1.0f));
    float y = 0.5f * symop_log_pairf(0.0f, q, low * inverse);
    y = a < 1.0f ? y : (a == 1.0f ? __builtin_inff() : __builtin_nanf(""));
    return __builtin_copysignf(y, x);
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
