/* By the quadrant that x lies in, the sine or the cosine of the rest, and its sign. */
SYMOP_INLINE float symop_cosf(float x) {
    uint64_t quadrant;
    double r = symop_quarterf(x, &quadrant);
    quadrant = quadrant + 1u;
    double y = quadrant & 1 ? symop_cos_quarterf(r) : symop_sin_quarterf(r);
    y = symop_double(symop_bits64(y) ^ ((quadrant & 2) << 62));
    return (float)y;
}

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
