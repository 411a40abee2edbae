/* pi/2 - asin(x), or from the root: 2*asin(s) for x > 1/2, pi - 2*asin(s) for x < -1/2. */
SYMOP_INLINE float symop_acosf(float x) {
    double a = __builtin_fabs((double)x);
    int is_far = a > 0.5;
    double y = symop_arcsinef(a, is_far);
    y = is_far ? 2.0 * y : y;
    double base = is_far ? (x < 0.0f ? 0x1.921fb54442d18p+1 : 0.0) : 0x1.921fb54442d18p+0;
    return (float)(base + (is_far != (x < 0.0f) ? y : -y));
}

SYMOP_INLINE double symop_acos(double x) {
    double a = __builtin_fabs(x);
    int is_far = a > 0.5;
    double s;
    double rest = symop_arcsine(a, is_far, &s);
    s = is_far ? 2.0 * s : s;
    rest = is_far ? 2.0 * rest : rest;
    int is_added = is_far != (x < 0.0);
    s = is_added ? s : -s;
    rest = is_added ? rest : -rest;
    double base = is_far ? (x < 0.0 ? 0x1.921fb54442d18p+1 : 0.0) : 0x1.921fb54442d18p+0;
    double base_low = is_far ? (x < 0.0 ? 0x1.1a62633145c07p-53 : 0.0) : 0x1.1a62633145c07p-54;
    double sum = base + s;
    double lost = symop_sum_low(base, s, sum);
    return sum + (lost + (base_low + rest));
}
