/*
 * The quotient of the smaller and the larger is turned by pi/4 where it exceeds tan(pi/8), which
 * leaves |t| <= tan(pi/8) for an odd polynomial: atan(u/v) = pi/4 + atan((u - v)/(u + v)).
 * Infinities and zeros are replaced by ones of the same quotient.
 */
/* fit symop_fit_atan_short */
/* Largest weighted error 2.3e-11; by benchmarks.vector_coefficients. */
SYMOP_INLINE double symop_fit_atan_short(double x) {
    double p = 0x1.849fc784ed087p-5;
    p = FMA(p, x, -0x1.5b2f9c5e2800ap-4);
    p = FMA(p, x, 0x1.c463e429307fdp-4);
    p = FMA(p, x, -0x1.247ed947b54f4p-3);
    p = FMA(p, x, 0x1.99991895d63f3p-3);
    p = FMA(p, x, -0x1.555554c5f0525p-2);
    return p;
}
/* end */

SYMOP_INLINE double symop_atan_ratiof(double u, double v) {
    int is_low = u < 0x1.a827999fcef32p-2 * v;
    int is_high = u > 0x1.3504f333f9de6p+1 * v;
    double a = is_low ? u : (is_high ? -v : u - v);
    double b = is_low ? v : (is_high ? u : u + v);
    double turned = is_low ? 0.0 : (is_high ? 0x1.921fb54442d18p+0 : 0x1.921fb54442d18p-1);
    double t = a / b;
    double z = t * t;
    return turned + FMA(t * z, symop_fit_atan_short(z), t);
}

/* fit symop_fit_atan */
/* Largest weighted error 6e-20; by benchmarks.vector_coefficients. */
SYMOP_INLINE double symop_fit_atan(double x) {
    double z = x * x;
    double p = -0x1.0fee892354139p-5;
    p = FMA(p, z, -0x1.ab3e1341209cbp-5);
    p = FMA(p, z, -0x1.110beeb54337dp-4);
    p = FMA(p, z, -0x1.745d1451fd68bp-4);
    p = FMA(p, z, -0x1.249249246f66bp-3);
    double q = 0x1.e8bd89edd3cf3p-7;
    q = FMA(q, z, 0x1.6feeaa226e01dp-5);
    q = FMA(q, z, 0x1.e1680544fb7e7p-5);
    q = FMA(q, z, 0x1.3b13651f7a7f9p-4);
    q = FMA(q, z, 0x1.c71c71b462450p-4);
    p = FMA(q, x, p);
    p = FMA(p, x, 0x1.9999999999585p-3);
    p = FMA(p, x, -0x1.5555555555554p-2);
    return p;
}
/* end */

/* atan(u/v) as a sum of two numbers, for positive u and v below 2**1000. */
SYMOP_INLINE double symop_atan_ratio(double u, double v, double *low) {
    int is_low = u < 0x1.a827999fcef32p-2 * v;
    int is_high = u > 0x1.3504f333f9de6p+1 * v;
    double less = u - v;
    double more = u + v;
    double a = is_low ? u : (is_high ? -v : less);
    double b = is_low ? v : (is_high ? u : more);
    double turned = is_low ? 0.0 : (is_high ? 0x1.921fb54442d18p+0 : 0x1.921fb54442d18p-1);
    double turned_low = turned * 0x1.678afae35cdd1p-55;
    /* Asked of the number: gcc 12 does not vectorise a combination of the two conditions. */
    double a_low = turned == 0x1.921fb54442d18p-1 ? symop_sum_low(u, -v, less) : 0.0;
    double b_low = turned == 0x1.921fb54442d18p-1 ? symop_sum_low(u, v, more) : 0.0;
    double inverse = 1.0 / b;
    double t = a * inverse;
    double back = t * b;
    double rest = (a - back) - symop_product_low(t, b, back) + (a_low - t * b_low);
    double z = t * t;
    double tail = FMA(t * z, symop_fit_atan(z), FMA(rest, inverse, turned_low));
    double sum = turned + t;
    tail += t - (sum - turned);
    double y = sum + tail;
    *low = (sum - y) + tail;
    return y;
}

SYMOP_INLINE float symop_atan2f(float y, float x) {
    double u = __builtin_fabs((double)y);
    double v = __builtin_fabs((double)x);
    double most = u > v ? u : v;
    double p = most == __builtin_inf() ? (u == __builtin_inf() ? 1.0 : 0.0 * u) : u;
    double q = most == __builtin_inf() ? (v == __builtin_inf() ? 1.0 : 0.0 * v) : v;
    q = p + q == 0.0 ? 1.0 : q;
    double angle = symop_atan_ratiof(p, q);
    angle = symop_bits32(x) >> 31 ? 0x1.921fb54442d18p+1 - angle : angle;
    return __builtin_copysignf((float)angle, y);
}

SYMOP_INLINE double symop_atan2(double y, double x) {
    double u = __builtin_fabs(y);
    double v = __builtin_fabs(x);
    double most = u > v ? u : v;
    /* The exponents of both are moved to where products lose nothing. */
    double scale = most > 0x1p500 ? 0x1p-500 : (most < 1.0 ? 0x1p500 : 1.0);
    double p = most == __builtin_inf() ? (u == __builtin_inf() ? 1.0 : 0.0 * u) : u * scale;
    double q = most == __builtin_inf() ? (v == __builtin_inf() ? 1.0 : 0.0 * v) : v * scale;
    q = p + q == 0.0 ? 1.0 : q;
    double low;
    double angle = symop_atan_ratio(p, q, &low);
    double other = 0x1.921fb54442d18p+1 - angle;
    double lost = (0x1.921fb54442d18p+1 - other) - angle;
    other += lost + (0x1.1a62633145c07p-53 - low);
    return __builtin_copysign(symop_bits64(x) >> 63 ? other : angle, y);
}
