/* x**2/(1 + x**2) and x/(1 + x**2); far out the 1 is left out, before the square overflows. */
SYMOP_INLINE float symop_lorentz2f(float x) {
    float a = __builtin_fabsf(x);
    a = a > 0x1p30f ? 0x1p30f : a;
    return a * a / FMAF(a, a, 1.0f);
}

SYMOP_INLINE float symop_lorentzf(float x) {
    int is_far = __builtin_fabsf(x) > 0x1p30f;
    return (is_far ? 1.0f : x) / (is_far ? x : FMAF(x, x, 1.0f));
}

SYMOP_INLINE double symop_lorentz2(double x) {
    double a = __builtin_fabs(x);
    a = a > 0x1p30 ? 0x1p30 : a;
    return a * a / FMA(a, a, 1.0);
}

SYMOP_INLINE double symop_lorentz(double x) {
    int is_far = __builtin_fabs(x) > 0x1p30;
    return (is_far ? 1.0 : x) / (is_far ? x : FMA(x, x, 1.0));
}
