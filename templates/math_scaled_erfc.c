/*
 * f(a) = exp(a**2)*erfc(a) = q/(sqrt(pi)*a*q + p): the coefficients of p and q are positive, so that nothing
 * cancels, and far out, where the roundings of q add up, it cancels out. p(0) = q(0) makes f(0) = 1.
 */
/* fit symop_fit_erfcx_overf */
/* Largest weighted error 2.6e-09; by benchmarks.vector_coefficients. */
SYMOP_INLINE float symop_fit_erfcx_overf(float x) {
    float p = 0x1.982eca0000000p-6f;
    p = FMAF(p, x, 0x1.a006960000000p-3f);
    p = FMAF(p, x, 0x1.8dae4c0000000p-1f);
    p = FMAF(p, x, 0x1.9feec00000000p+0f);
    return p;
}
/* end */

/* fit symop_fit_erfcx_belowf */
/* Largest weighted error 0; by benchmarks.vector_coefficients. */
SYMOP_INLINE float symop_fit_erfcx_belowf(float x) {
    float p = 0x1.cc926e0000000p-6f;
    p = FMAF(p, x, 0x1.d584020000000p-3f);
    p = FMAF(p, x, 0x1.ceba680000000p-1f);
    p = FMAF(p, x, 0x1.0915080000000p+1f);
    p = FMAF(p, x, 0x1.603d340000000p+1f);
    p = FMAF(p, x, 0x1.c000000000000p+0f);
    return p;
}
/* end */

/* fit symop_fit_erfcx_over */
/* Largest weighted error 1.7e-17; by benchmarks.vector_coefficients. */
SYMOP_INLINE double symop_fit_erfcx_over(double x) {
    double z = x * x;
    double p = 0x1.1e5ab2e8bce98p-15;
    p = FMA(p, z, 0x1.d622cb44245e3p-8);
    p = FMA(p, z, 0x1.b42393593c789p-3);
    p = FMA(p, z, 0x1.b0155d23dcbc8p+0);
    double q = 0x1.713c9c2d0d9f7p-11;
    q = FMA(q, z, 0x1.7eaf42bd41ad6p-5);
    q = FMA(q, z, 0x1.68337bd803860p-1);
    p = FMA(q, x, p);
    p = FMA(p, x, 0x1.6d716e7532a63p+1);
    p = FMA(p, x, 0x1.90ed874883d7bp+1);
    return p;
}
/* end */

/* fit symop_fit_erfcx_below */
/* Largest weighted error 0; by benchmarks.vector_coefficients. */
SYMOP_INLINE double symop_fit_erfcx_below(double x) {
    double z = x * x;
    double p = 0x1.431dc0766957ap-15;
    p = FMA(p, z, 0x1.0a82099054a3cp-7);
    p = FMA(p, z, 0x1.fc96f49f63497p-3);
    p = FMA(p, z, 0x1.1101d2e7c80e0p+1);
    p = FMA(p, z, 0x1.47b193bfac3a4p+2);
    double q = 0x1.a0a399cbde7cbp-11;
    q = FMA(q, z, 0x1.b652c59ad7280p-5);
    q = FMA(q, z, 0x1.b0d245c84d19fp-1);
    q = FMA(q, z, 0x1.f860fdd17f697p+1);
    p = FMA(q, x, p);
    p = FMA(p, x, 0x1.1099ac6e62377p+2);
    p = FMA(p, x, 0x1.c000000000000p+0);
    return p;
}
/* end */

/* q/f(a), for 0 <= a <= 8192.0f. */
SYMOP_INLINE float symop_over_erfcxf(float a, float q) {
    return FMAF(a, FMAF(0x1.c5bf8ap+0f, q, symop_fit_erfcx_overf(a)), 1.75f);
}

/* f(a) for all a >= 0: beyond, 1/(sqrt(pi)*a). */
SYMOP_INLINE float symop_scaled_erfcf(float a) {
    float q = symop_fit_erfcx_belowf(a);
    float sum = symop_over_erfcxf(a, q);
    int is_far = a > 8192.0f;
    return (is_far ? 0x1.20dd76p-1f : q) / (is_far ? a : sum);
}

/* q/f(a), for 0 <= a <= 3e8. */
SYMOP_INLINE double symop_over_erfcx(double a, double q) {
    return FMA(a, FMA(0x1.c5bf891b4ef6bp+0, q, symop_fit_erfcx_over(a)), 1.75);
}

/* f(a) for all a >= 0: beyond, 1/(sqrt(pi)*a). */
SYMOP_INLINE double symop_scaled_erfc(double a) {
    double q = symop_fit_erfcx_below(a);
    double sum = symop_over_erfcx(a, q);
    int is_far = a > 3e8;
    return (is_far ? 0x1.20dd750429b6dp-1 : q) / (is_far ? a : sum);
}
