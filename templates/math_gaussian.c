/* exp(-x**2) and the like. */
SYMOP_INLINE float symop_gaussianf(float x) {
    float a = __builtin_fabsf(x);
    a = a > 10.9f ? 10.9f : a;
    float s = a * a;
    float power;
    float u = symop_exp_squaref(s, symop_product_lowf(a, a, s), &power);
    return VANISHINGF((1.0f + u) * power, SYMOP_POWERF);
}

SYMOP_INLINE float symop_gaussian_halff(float x) {
    float a = __builtin_fabsf(x);
    a = a > 15.4f ? 15.4f : a;
    float half = 0.5f * a;
    float s = half * a;
    float power;
    float u = symop_exp_squaref(s, symop_product_lowf(half, a, s), &power);
    return VANISHINGF((1.0f + u) * power, SYMOP_POWERF);
}

SYMOP_INLINE float symop_normal_densityf(float x) {
    float a = __builtin_fabsf(x);
    a = a > 15.4f ? 15.4f : a;
    float half = 0.5f * a;
    float s = half * a;
    float power;
    float u = symop_exp_squaref(s, symop_product_lowf(half, a, s), &power);
    return VANISHINGF(FMAF(u, 0x1.988454p-2f, 0x1.988454p-2f) * power, SYMOP_POWERF);
}

SYMOP_INLINE double symop_gaussian(double x) {
    double a = __builtin_fabs(x);
    a = a > 27.5 ? 27.5 : a;
    double s = a * a;
    double power;
    double u = symop_exp_square(s, symop_product_low(a, a, s), &power);
    return VANISHING((1.0 + u) * power, SYMOP_POWER);
}

SYMOP_INLINE double symop_gaussian_half(double x) {
    double a = __builtin_fabs(x);
    a = a > 38.9 ? 38.9 : a;
    double half = 0.5 * a;
    double s = half * a;
    double power;
    double u = symop_exp_square(s, symop_product_low(half, a, s), &power);
    return VANISHING((1.0 + u) * power, SYMOP_POWER);
}

SYMOP_INLINE double symop_normal_density(double x) {
    double a = __builtin_fabs(x);
    a = a > 38.9 ? 38.9 : a;
    double half = 0.5 * a;
    double s = half * a;
    double power;
    double u = symop_exp_square(s, symop_product_low(half, a, s), &power);
    return VANISHING(FMA(u, 0x1.9884533d43651p-2, 0x1.9884533d43651p-2) * power, SYMOP_POWER);
}
