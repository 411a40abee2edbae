/*
 * x**2/(1 + x**2), x/(1 + x**2) and its derivative, by one reciprocal; far out the 1 is left out, before the
 * square overflows.
 */
SYMOP_INLINE float symop_inverse_lorentzf(float x, int is_far) {
    return 1.0f / (is_far ? x : x * x + 1.0f);
}

SYMOP_INLINE float symop_lorentz2f(float x) {
    int is_far = x * x > 0x1p60f;
    float y = x * x * symop_inverse_lorentzf(x, is_far);
    return is_far ? 1.0f : y;
}

SYMOP_INLINE float symop_lorentzf(float x) {
    int is_far = x * x > 0x1p60f;
    return (is_far ? 1.0f : x) * symop_inverse_lorentzf(x, is_far);
}

SYMOP_INLINE float symop_lorentz_1f(float x) {
    int is_far = x * x > 0x1p60f;
    float inverse = symop_inverse_lorentzf(x, is_far);
    return (is_far ? -1.0f : (1.0f - x) * (1.0f + x)) * inverse * inverse;
}

SYMOP_INLINE double symop_inverse_lorentz(double x, int is_far) {
    return 1.0 / (is_far ? x : x * x + 1.0);
}

SYMOP_INLINE double symop_lorentz2(double x) {
    int is_far = x * x > 0x1p60;
    double y = x * x * symop_inverse_lorentz(x, is_far);
    return is_far ? 1.0 : y;
}

SYMOP_INLINE double symop_lorentz(double x) {
    int is_far = x * x > 0x1p60;
    return (is_far ? 1.0 : x) * symop_inverse_lorentz(x, is_far);
}

SYMOP_INLINE double symop_lorentz_1(double x) {
    int is_far = x * x > 0x1p60;
    double inverse = symop_inverse_lorentz(x, is_far);
    return (is_far ? -1.0 : (1.0 - x) * (1.0 + x)) * inverse * inverse;
}
