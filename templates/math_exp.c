/*
 * exp(x) = 2**n * exp(r), x = n*ln(2) + r, |r| <= ln(2)/2. ln(2) is subtracted in two parts, the
 * first so short that its multiples by n are exact. 2**n is applied in two factors, so that a
 * subnormal result is rounded once; what vanishes is multiplied by 0.
 */
/* fit symop_fit_expf */
/* Largest weighted error 9.8e-11; by benchmarks.vector_coefficients. */
SYMOP_INLINE float symop_fit_expf(float x) {
    float p = 0x1.9dfb860000000p-13f;
    p = FMAF(p, x, 0x1.6d4cba0000000p-10f);
    p = FMAF(p, x, 0x1.11130e0000000p-7f);
    p = FMAF(p, x, 0x1.5554e80000000p-5f);
    p = FMAF(p, x, 0x1.5555540000000p-3f);
    p = FMAF(p, x, 0x1.0000000000000p-1f);
    p = FMAF(p, x, 0x1.0000000000000p+0f);
    return p;
}
/* end */

/* exp(a) as a product of three numbers, for -120 <= a <= 89. */
SYMOP_INLINE float symop_exp_partsf(float a, float *first, float *second) {
    float t = FMAF(a, 0x1.715476p+0f, SYMOP_ROUNDERF);
    float n = t - SYMOP_ROUNDERF;
    float r = FMAF(n, -0x1.62e4p-1f, a);
    r = FMAF(n, -0x1.7f7d1cp-20f, r);
    uint32_t bits = symop_bits32(t);
    uint32_t half = bits >> 1;
    float p = FMAF(symop_fit_expf(r), r, 1.0f);
    /* The bits hold 0x4b400000 + n, and half of them 0x25a00000 + n/2. */
    *first = symop_float((half << 23) + 0x3f800000u);
    *second = symop_float(((bits - half) << 23) + 0x3f800000u);
    return p;
}

SYMOP_INLINE float symop_expf(float x) {
    float a = x < -120.0f ? -120.0f : x;
    float first, second;
    float p = symop_exp_partsf(a > 89.0f ? 89.0f : a, &first, &second);
    return VANISHINGF(p * first, x < -104.0f ? 0.0f : second);
}

/* fit symop_fit_exp */
/* Largest weighted error 5.4e-18; by benchmarks.vector_coefficients. */
SYMOP_INLINE double symop_fit_exp(double x) {
    double z = x * x;
    double p = 0x1.ad1f751fecafdp-26;
    p = FMA(p, z, 0x1.71df55a62cb3bp-19);
    p = FMA(p, z, 0x1.a01a011bf2c65p-13);
    p = FMA(p, z, 0x1.111111112892ap-7);
    p = FMA(p, z, 0x1.5555555555501p-3);
    double q = 0x1.289f7fb90836cp-22;
    q = FMA(q, z, 0x1.a019ab3847e56p-16);
    q = FMA(q, z, 0x1.6c16c17cbfadap-10);
    q = FMA(q, z, 0x1.5555555553212p-5);
    p = FMA(q, x, p);
    p = FMA(p, x, 0x1.0000000000000p-1);
    p = FMA(p, x, 0x1.0000000000000p+0);
    return p;
}
/* end */

/* The same, for -760 <= a <= 710. */
SYMOP_INLINE double symop_exp_parts(double a, double *first, double *second) {
    double t = FMA(a, 0x1.71547652b82fep+0, SYMOP_ROUNDER);
    double n = t - SYMOP_ROUNDER;
    double r = FMA(n, -0x1.62e42fefap-1, a);
    r = FMA(n, -0x1.cf79abc9e3b3ap-40, r);
    uint64_t bits = symop_bits64(t);
    uint64_t half = bits >> 1;
    double p = FMA(symop_fit_exp(r), r, 1.0);
    *first = symop_double((half << 52) + 0x3ff0000000000000u);
    *second = symop_double(((bits - half) << 52) + 0x3ff0000000000000u);
    return p;
}

SYMOP_INLINE double symop_exp(double x) {
    double a = x < -760.0 ? -760.0 : x;
    double first, second;
    double p = symop_exp_parts(a > 710.0 ? 710.0 : a, &first, &second);
    return VANISHING(p * first, x < -745.5 ? 0.0 : second);
}
