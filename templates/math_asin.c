/* By the smaller of |x| and the root. */
SYMOP_INLINE float symop_asinf(float x) {
    double a = __builtin_fabs((double)x);
    int is_far = a > 0.5;
    double y = symop_arcsinef(a, is_far);
    return __builtin_copysignf((float)(is_far ? 0x1.921fb54442d18p+0 - 2.0 * y : y), x);
}

SYMOP_INLINE double symop_asin(double x) {
    double a = __builtin_fabs(x);
    int is_far = a > 0.5;
    double s;
    double rest = symop_arcsine(a, is_far, &s);
    double first = 0x1.921fb54442d18p+0 - 2.0 * s;
    double lost = (0x1.921fb54442d18p+0 - first) - 2.0 * s;
    double far = first + (lost + (0x1.1a62633145c07p-54 - 2.0 * rest));
    return __builtin_copysign(is_far ? far : s + rest, x);
}
