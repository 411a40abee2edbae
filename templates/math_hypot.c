/*
 * The root of the sum of squares. Where these may overflow or vanish, both numbers are scaled first.
 */
SYMOP_INLINE int symop_far_hypotf(float x, float y) {
    float a = __builtin_fabsf(x);
    float b = __builtin_fabsf(y);
    return (a > 0x1p60f) | (b > 0x1p60f) | ((a < 0x1p-40f) & (b < 0x1p-40f) & (a + b > 0.0f));
}

SYMOP_INLINE float symop_hypotf(float x, float y) { return __builtin_sqrtf(FMAF(x, x, y * y)); }

SYMOP_INLINE float symop_hypot_anyf(float x, float y) {
    float a = __builtin_fabsf(x);
    float b = __builtin_fabsf(y);
    float most = a > b ? a : b;
    float scale = most > 0x1p60f ? 0x1p-80f : (most < 0x1p-40f ? 0x1p100f : 1.0f);
    float back = most > 0x1p60f ? 0x1p80f : (most < 0x1p-40f ? 0x1p-100f : 1.0f);
    float r = symop_hypotf(x * scale, y * scale) * back;
    r = a == __builtin_inff() ? a : r;
    return b == __builtin_inff() ? b : r;
}

SYMOP_INLINE int symop_far_hypot(double x, double y) {
    double a = __builtin_fabs(x);
    double b = __builtin_fabs(y);
    return (a > 0x1p500) | (b > 0x1p500) | ((a < 0x1p-400) & (b < 0x1p-400) & (a + b > 0.0));
}

SYMOP_INLINE double symop_hypot(double x, double y) { return __builtin_sqrt(FMA(x, x, y * y)); }

SYMOP_INLINE double symop_hypot_any(double x, double y) {
    double a = __builtin_fabs(x);
    double b = __builtin_fabs(y);
    double most = a > b ? a : b;
    double scale = most > 0x1p500 ? 0x1p-600 : (most < 0x1p-400 ? 0x1p600 : 1.0);
    double back = most > 0x1p500 ? 0x1p600 : (most < 0x1p-400 ? 0x1p-600 : 1.0);
    double r = symop_hypot(x * scale, y * scale) * back;
    r = a == __builtin_inf() ? a : r;
    return b == __builtin_inf() ? b : r;
}
