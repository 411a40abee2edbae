/*
 * The remainder of a division that rounds down, so of the sign of the divisor. fmod is the C
 * library's: it is exact for quotients of any size, and not vectorised.
 */
SYMOP_INLINE float symop_remainderf(float x, float y) {
    float r = __builtin_fmodf(x, y);
    return ((r != 0.0f) & ((y < 0.0f) != (r < 0.0f))) ? r + y : r;
}

SYMOP_INLINE double symop_remainder(double x, double y) {
    double r = __builtin_fmod(x, y);
    return ((r != 0.0) & ((y < 0.0) != (r < 0.0))) ? r + y : r;
}
