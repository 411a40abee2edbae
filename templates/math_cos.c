/* cos(x) is the sine of x + pi/2: the sine of the rest after a half turn more than a whole one. */
SYMOP_INLINE float symop_cosf(float x) {
    double d = (double)x;
    double t = FMA(d, 0x1.45f306dc9c883p-2, -0.5) + SYMOP_ROUNDER;
    return (float)symop_sin_halff(d, (t - SYMOP_ROUNDER) + 0.5, symop_bits64(t) + 1);
}

/* By the quadrant that x lies in, the sine or the cosine of the rest, and its sign. */
SYMOP_INLINE double symop_cos(double x) {
    double low;
    uint64_t quadrant;
    double r = symop_quarter(x, &low, &quadrant);
    quadrant = quadrant + 1u;
    double y = quadrant & 1 ? symop_cos_quarter(r, low) : symop_sin_quarter(r, low);
    y = symop_double(symop_bits64(y) ^ ((quadrant & 2) << 62));
    return y;
}

SYMOP_INLINE float symop_cos_anyf(float x) {
    return __builtin_fabsf(x) <= SYMOP_TRIGONOMETRIC_BOUNDF ? symop_cosf(x) : __builtin_cosf(x);
}

SYMOP_INLINE double symop_cos_any(double x) {
    return __builtin_fabs(x) <= SYMOP_TRIGONOMETRIC_BOUND ? symop_cos(x) : __builtin_cos(x);
}
