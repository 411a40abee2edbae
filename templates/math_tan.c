/* The quotient of sine and cosine, with what either lost in rounding. */
SYMOP_INLINE double symop_tan_longf(float x) {
    uint64_t quadrant;
    double r = symop_quarterf(x, &quadrant);
    double sine = symop_sin_quarterf(r);
    double cosine = symop_cos_quarterf(r);
    return quadrant & 1 ? -cosine / sine : sine / cosine;
}

SYMOP_INLINE float symop_tanf(float x) {
    double y = symop_tan_longf(x);
    return __builtin_fabsf(x) < 0x1p-13f ? x : (float)y;
}

SYMOP_INLINE double symop_tan(double x) {
    double low;
    uint64_t quadrant;
    double r = symop_quarter(x, &low, &quadrant);
    double z = r * r;
    double half = 0.5 * z;
    double one = 1.0 - half;
    double rest = ((1.0 - one) - half) + FMA(z * z, symop_fit_cos(z), -(r * low));
    double cosine = one + rest;
    double cosine_low = (one - cosine) + rest;
    rest = FMA(r * z, symop_fit_sin(z), FMA(-half, low, low));
    double sine = r + rest;
    double sine_low = (r - sine) + rest;
    double a = quadrant & 1 ? -cosine : sine;
    double a_low = quadrant & 1 ? -cosine_low : sine_low;
    double b = quadrant & 1 ? sine : cosine;
    double b_low = quadrant & 1 ? sine_low : cosine_low;
    double inverse = 1.0 / b;
    double y = a * inverse;
    double back = y * b;
    rest = (a - back) - symop_product_low(y, b, back) + (a_low - y * b_low);
    return __builtin_fabs(x) < 0x1p-27 ? x : FMA(rest, inverse, y);
}

SYMOP_INLINE float symop_tan_anyf(float x) {
    return __builtin_fabsf(x) <= SYMOP_TRIGONOMETRIC_BOUNDF ? symop_tanf(x) : __builtin_tanf(x);
}

SYMOP_INLINE double symop_tan_any(double x) {
    return __builtin_fabs(x) <= SYMOP_TRIGONOMETRIC_BOUND ? symop_tan(x) : __builtin_tan(x);
}
