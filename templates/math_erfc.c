/* exp(-x**2)*(exp(x**2)*erfc(x)) for x >= 0, 2 - erfc(-x) for x < 0. */
SYMOP_INLINE float symop_erfcf(float x) {
    float a = __builtin_fabsf(x);
    a = a > 10.2f ? 10.2f : a;
    float s = a * a;
    float power;
    float u = symop_exp_squaref(s, symop_product_lowf(a, a, s), &power);
    float q = symop_fit_erfcx_belowf(a);
    float y = q / symop_over_erfcxf(a, q);
    y = VANISHINGF(FMAF(y, u, y) * power, SYMOP_POWERF);
    return x < 0.0f ? 2.0f - y : y;
}

SYMOP_INLINE double symop_erfc(double x) {
    double a = __builtin_fabs(x);
    a = a > 28.0 ? 28.0 : a;
    double s = a * a;
    double power;
    double u = symop_exp_square(s, symop_product_low(a, a, s), &power);
    double q = symop_fit_erfcx_below(a);
    double y = q / symop_over_erfcx(a, q);
    y = VANISHING(FMA(y, u, y) * power, SYMOP_POWER);
    return x < 0.0 ? 2.0 - y : y;
}
