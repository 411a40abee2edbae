/* f(a) = exp(a**2/2)*ndtr(-a) = q/(sqrt(2*pi)*a*q + p), as in math_scaled_erfc.c; f(0) = 1/2. */
/* fit symop_fit_mills_overf */
/* Largest weighted error 2.5e-09; by benchmarks.vector_coefficients. */
SYMOP_INLINE float symop_fit_mills_overf(float x) {
    float p = 0x1.982a800000000p-7f;
    p = FMAF(p, x, 0x1.262a8c0000000p-3f);
    p = FMAF(p, x, 0x1.8dac540000000p-1f);
    p = FMAF(p, x, 0x1.261af40000000p+1f);
    return p;
}
/* end */

/* fit symop_fit_mills_belowf */
/* Largest weighted error 0; by benchmarks.vector_coefficients. */
SYMOP_INLINE float symop_fit_mills_belowf(float x) {
    float p = 0x1.45a9000000000p-8f;
    p = FMAF(p, x, 0x1.d580920000000p-5f);
    p = FMAF(p, x, 0x1.47310e0000000p-2f);
    p = FMAF(p, x, 0x1.0914220000000p+0f);
    p = FMAF(p, x, 0x1.f223460000000p+0f);
    p = FMAF(p, x, 0x1.c000000000000p+0f);
    return p;
}
/* end */

/* fit symop_fit_mills_over */
/* Largest weighted error 1.7e-17; by benchmarks.vector_coefficients. */
SYMOP_INLINE double symop_fit_mills_over(double x) {
    double z = x * x;
    double p = 0x1.94f2ef42c0077p-19;
    p = FMA(p, z, 0x1.4c6d317348bd5p-10);
    p = FMA(p, z, 0x1.3464026727fb6p-4);
    p = FMA(p, z, 0x1.31868272a6d71p+0);
    double q = 0x1.71394967677eep-14;
    q = FMA(q, z, 0x1.7eacdf431d20fp-7);
    q = FMA(q, z, 0x1.6832037d78260p-2);
    p = FMA(q, x, p);
    p = FMA(p, x, 0x1.6d70a48898cecp+1);
    p = FMA(p, x, 0x1.1b7f5c0c94931p+2);
    return p;
}
/* end */

/* fit symop_fit_mills_below */
/* Largest weighted error 0; by benchmarks.vector_coefficients. */
SYMOP_INLINE double symop_fit_mills_below(double x) {
    double z = x * x;
    double p = 0x1.431a3f20bc520p-20;
    p = FMA(p, z, 0x1.0a8007db3faa4p-11);
    p = FMA(p, z, 0x1.fc9450e63d4a9p-6);
    p = FMA(p, z, 0x1.1100eb8042699p-1);
    p = FMA(p, z, 0x1.47b107fc25c49p+1);
    double q = 0x1.2699134a0c0ddp-15;
    q = FMA(q, z, 0x1.35ef0cec7bf0ap-8);
    q = FMA(q, z, 0x1.320bc005fb6ebp-3);
    q = FMA(q, z, 0x1.64a5728067d9dp+0);
    p = FMA(q, x, p);
    p = FMA(p, x, 0x1.818383613d38bp+1);
    p = FMA(p, x, 0x1.c000000000000p+0);
    return p;
}
/* end */

/* q/f(a), for 0 <= a <= 8192.0f. */
SYMOP_INLINE float symop_over_millsf(float a, float q) {
    return FMAF(a, FMAF(0x1.40d932p+1f, q, symop_fit_mills_overf(a)), 3.5f);
}

/* exp(-a**2/2) as (1 + u)*power*SYMOP_POWERF, for 0 <= a <= 16. */
SYMOP_INLINE float symop_bellf(float a, float *power) {
    float half = 0.5f * a;
    float s = half * a;
    return symop_exp_squaref(s, symop_product_lowf(half, a, s), power);
}

/* q/f(a), for 0 <= a <= 3e8. */
SYMOP_INLINE double symop_over_mills(double a, double q) {
    return FMA(a, FMA(0x1.40d931ff62706p+1, q, symop_fit_mills_over(a)), 3.5);
}

/* exp(-a**2/2) as (1 + u)*power*SYMOP_POWER, for 0 <= a <= 44. */
SYMOP_INLINE double symop_bell(double a, double *power) {
    double half = 0.5 * a;
    double s = half * a;
    return symop_exp_square(s, symop_product_low(half, a, s), power);
}
