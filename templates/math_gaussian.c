/* exp(-x**2) and the like: what the square lost is a factor of its own. */
SYMOP_INLINE float symop_gaussianf(float x) {
    float a = __builtin_fabsf(x);
    a = a > 10.9f ? 10.9f : a;
    float square = a * a;
    float low = symop_product_lowf(a, a, square);
    float first, second;
    float p = symop_exp_partsf(-square, &first, &second);
    return FMAF(-p, low, p) * first * second;
}

SYMOP_INLINE float symop_gaussian_halff(float x) {
    float a = __builtin_fabsf(x);
    a = a > 15.4f ? 15.4f : a;
    float square = a * a;
    float low = symop_product_lowf(a, a, square);
    float first, second;
    float p = symop_exp_partsf(-0.5f * square, &first, &second);
    return FMAF(-0.5f * p, low, p) * first * second;
}

SYMOP_INLINE float symop_normal_densityf(float x) {
    return symop_gaussian_halff(x) * 0x1.988454p-2f;
}

SYMOP_INLINE double symop_gaussian(double x) {
    double a = __builtin_fabs(x);
    a = a > 27.5 ? 27.5 : a;
    double square = a * a;
    double low = symop_product_low(a, a, square);
    double first, second;
    double p = symop_exp_parts(-square, &first, &second);
    return FMA(-p, low, p) * first * second;
}

SYMOP_INLINE double symop_gaussian_half(double x) {
    double a = __builtin_fabs(x);
    a = a > 38.9 ? 38.9 : a;
    double square = a * a;
    double low = symop_product_low(a, a, square);
    double first, second;
    double p = symop_exp_parts(-0.5 * square, &first, &second);
    return FMA(-0.5 * p, low, p) * first * second;
}

SYMOP_INLINE double symop_normal_density(double x) {
    return symop_gaussian_half(x) * 0x1.9884533d43651p-2;
}
