/*
 * expm1(x) = 2**n * expm1(r) + (2**n - 1), x = n*ln(2) + r, |r| <= ln(2)/2, where the rounding of r
 * and that of the sum are carried along. Half of 2**n is used, for 2**n itself may overflow.
 */
/* fit symop_fit_expm1f */
/* Largest weighted error 4.3e-10; by benchmarks.vector_coefficients. */
SYMOP_INLINE float symop_fit_expm1f(float x) {
    float p = 0x1.9e66cc0000000p-13f;
    p = FMAF(p, x, 0x1.6d3a560000000p-10f);
    p = FMAF(p, x, 0x1.1112dc0000000p-7f);
    p = FMAF(p, x, 0x1.5554f80000000p-5f);
    p = FMAF(p, x, 0x1.5555540000000p-3f);
    p = FMAF(p, x, 0x1.0000000000000p-1f);
    return p;
}
/* end */

SYMOP_INLINE float symop_expm1f(float x) {
    float a = x < -30.0f ? -30.0f : x;
    a = a > 89.0f ? 89.0f : a;
    float t = FMAF(a, 0x1.715476p+0f, SYMOP_ROUNDERF);
    float n = t - SYMOP_ROUNDERF;
    float first = FMAF(n, -0x1.62e4p-1f, a);
    float second = n * 0x1.7f7d1cp-20f;
    float r = first - second;
    float low = (first - r) - second;
    low = FMAF(r * r, symop_fit_expm1f(r), FMAF(low, r, low));
    float scale = symop_float((symop_bits32(t) << 23) + 0x3f000000u);
    float term = scale * r;
    float less = scale - 0.5f;
    float sum = term + less;
    float lost = (term - (sum - less)) + ((scale - less) - 0.5f);
    float y = 2.0f * (sum + FMAF(scale, low, lost));
    /* Keeps the sign of zero, and every bit of a subnormal number. */
    return __builtin_fabsf(x) < 0x1p-25f ? x : y;
}

/* fit symop_fit_expm1 */
/* Largest weighted error 2.8e-19; by benchmarks.vector_coefficients. */
SYMOP_INLINE double symop_fit_expm1(double x) {
    double z = x * x;
    double p = 0x1.1f3870da46286p-29;
    p = FMA(p, z, 0x1.27e4f8edb7d25p-22);
    p = FMA(p, z, 0x1.a01a019e45213p-16);
    p = FMA(p, z, 0x1.6c16c16c16825p-10);
    p = FMA(p, z, 0x1.5555555555559p-5);
    double q = 0x1.af5d004a63a9cp-26;
    q = FMA(q, z, 0x1.71ddf93b188b9p-19);
    q = FMA(q, z, 0x1.a01a01af9becap-13);
    q = FMA(q, z, 0x1.111111110f70ap-7);
    p = FMA(q, x, p);
    p = FMA(p, x, 0x1.5555555555559p-3);
    p = FMA(p, x, 0x1.0000000000000p-1);
    return p;
}
/* end */

SYMOP_INLINE double symop_expm1(double x) {
    double a = x < -60.0 ? -60.0 : x;
    a = a > 710.0 ? 710.0 : a;
    double t = FMA(a, 0x1.71547652b82fep+0, SYMOP_ROUNDER);
    double n = t - SYMOP_ROUNDER;
    double first = FMA(n, -0x1.62e42fefap-1, a);
    double second = n * 0x1.cf79abc9e3b3ap-40;
    double r = first - second;
    double low = (first - r) - second;
    low = FMA(r * r, symop_fit_expm1(r), FMA(low, r, low));
    double scale = symop_double((symop_bits64(t) << 52) + 0x3fe0000000000000u);
    double term = scale * r;
    double less = scale - 0.5;
    double sum = term + less;
    double lost = (term - (sum - less)) + ((scale - less) - 0.5);
    double y = 2.0 * (sum + FMA(scale, low, lost));
    return __builtin_fabs(x) < 0x1p-54 ? x : y;
}
