/* exp(x**2)*erfc(x), and 2*exp(x**2) - exp(x**2)*erfc(-x) for x < 0. */
SYMOP_INLINE float symop_erfcxf(float x) {
    float a = __builtin_fabsf(x);
    float y = symop_scaled_erfcf(a);
    float b = a > 9.5f ? 9.5f : a;
    float s = b * b;
    float first, second;
    float p = symop_exp_partsf(s, &first, &second);
    float e = 2.0f * FMAF(p, symop_product_lowf(b, b, s), p) * first * second;
    return x < 0.0f ? e - y : y;
}

SYMOP_INLINE double symop_erfcx(double x) {
    double a = __builtin_fabs(x);
    double y = symop_scaled_erfc(a);
    double b = a > 26.7 ? 26.7 : a;
    double s = b * b;
    double first, second;
    double p = symop_exp_parts(s, &first, &second);
    double e = 2.0 * FMA(p, symop_product_low(b, b, s), p) * first * second;
    return x < 0.0 ? e - y : y;
}
