/* The sine of the rest, and the sign of the half turn that x lies in. */
SYMOP_INLINE float symop_sinf(float x) {
    double d = (double)x;
    double t = FMA(d, 0x1.45f306dc9c883p-2, SYMOP_ROUNDER);
    return (float)symop_sin_halff(d, t - SYMOP_ROUNDER, symop_bits64(t));
}

/* By the quadrant that x lies in, the sine or the cosine of the rest, and its sign. */
SYMOP_INLINE double symop_sin(double x) {
    double low;
    uint64_t quadrant;
    double r = symop_quarter(x, &low, &quadrant);
    double y = quadrant & 1 ? symop_cos_quarter(r, low) : symop_sin_quarter(r, low);
    y = symop_double(symop_bits64(y) ^ ((quadrant & 2) << 62));
    return __builtin_fabs(x) < 0x1p-27 ? x : y;
}

SYMOP_INLINE float symop_sin_anyf(float x) {
    return __builtin_fabsf(x) <= SYMOP_TRIGONOMETRIC_BOUNDF ? symop_sinf(x) : __builtin_sinf(x);
}

SYMOP_INLINE double symop_sin_any(double x) {
    return __builtin_fabs(x) <= SYMOP_TRIGONOMETRIC_BOUND ? symop_sin(x) : __builtin_sin(x);
}
