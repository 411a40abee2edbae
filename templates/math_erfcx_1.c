/*
 * g(a) = 1/sqrt(pi) - a*f(a), f of math_scaled_erfc.c, is q/(2*sqrt(pi)*a**2*q + p), with positive
 * coefficients again; for x < 0 it is g(|x|) + 2*|x|*exp(x**2). Beyond, g is 1/(2*sqrt(pi)*(a**2 + 3/2)),
 * by numbers so small that the square does not overflow before g is 0.
 */
/* fit symop_fit_erfcx_1_overf */
/* Largest weighted error 4.3e-09; by benchmarks.vector_coefficients. */
SYMOP_INLINE float symop_fit_erfcx_1_overf(float x) {
    float p = 0x1.61a1d40000000p-5f;
    p = FMAF(p, x, 0x1.7d8e480000000p-2f);
    p = FMAF(p, x, 0x1.96a0660000000p+0f);
    p = FMAF(p, x, 0x1.f1cee80000000p+1f);
    p = FMAF(p, x, 0x1.549ca20000000p+2f);
    return p;
}
/* end */

/* fit symop_fit_erfcx_1_belowf */
/* Largest weighted error 0; by benchmarks.vector_coefficients. */
SYMOP_INLINE float symop_fit_erfcx_1_belowf(float x) {
    float p = 0x1.0a042c0000000p-7f;
    p = FMAF(p, x, 0x1.1f0ef80000000p-4f);
    p = FMAF(p, x, 0x1.3a02860000000p-2f);
    p = FMAF(p, x, 0x1.9b91b00000000p-1f);
    p = FMAF(p, x, 0x1.42adb60000000p+0f);
    p = FMAF(p, x, 0x1.f741d20000000p-1f);
    return p;
}
/* end */

/* fit symop_fit_erfcx_1_over */
/* Largest weighted error 2.8e-17; by benchmarks.vector_coefficients. */
SYMOP_INLINE double symop_fit_erfcx_1_over(double x) {
    double z = x * x;
    double p = 0x1.e8b767f52973dp-11;
    p = FMA(p, z, 0x1.1c1685b2cd7a9p-4);
    p = FMA(p, z, 0x1.3d75247e2aec1p+0);
    p = FMA(p, z, 0x1.9e518f5da4394p+2);
    double q = 0x1.6eb001ec045e0p-15;
    q = FMA(q, z, 0x1.4738b70c1d3dep-7);
    q = FMA(q, z, 0x1.5e1bd39d75e90p-2);
    q = FMA(q, z, 0x1.aa0ebfaea974ap+1);
    p = FMA(q, x, p);
    p = FMA(p, x, 0x1.12b4062fae7c9p+3);
    p = FMA(p, x, 0x1.ab2d376632227p+2);
    return p;
}
/* end */

/* fit symop_fit_erfcx_1_below */
/* Largest weighted error 0; by benchmarks.vector_coefficients. */
SYMOP_INLINE double symop_fit_erfcx_1_below(double x) {
    double z = x * x;
    double p = 0x1.13d77a7a67335p-17;
    p = FMA(p, z, 0x1.ee762e400d27fp-10);
    p = FMA(p, z, 0x1.0efa75a763130p-4);
    p = FMA(p, z, 0x1.5f11744d4b733p-1);
    p = FMA(p, z, 0x1.0cd7b6f04ff59p+1);
    double q = 0x1.6fa3671d4d321p-13;
    q = FMA(q, z, 0x1.b12802770883dp-7);
    q = FMA(q, z, 0x1.f76eac4e8d6f4p-3);
    q = FMA(q, z, 0x1.6b87619e15047p+0);
    p = FMA(q, x, p);
    p = FMA(p, x, 0x1.0304679e6842ap+1);
    p = FMA(p, x, 0x1.f741d1dd40ac8p-1);
    return p;
}
/* end */

SYMOP_INLINE float symop_erfcx_1f(float x) {
    float a = __builtin_fabsf(x);
    float q = symop_fit_erfcx_1_belowf(a);
    float sum = FMAF(a, FMAF(0x1.c5bf8ap+1f * a, q, symop_fit_erfcx_1_overf(a)), 0x1.bep+0f);
    float far = a * 0x1p-40f;
    int is_far = a > 8192.0f;
    float y = (is_far ? 0x1.20dd76p-82f : q) / (is_far ? FMAF(far, far, 0x1.8p-80f) : sum);
    float b = a > 9.5f ? 9.5f : a;
    float s = b * b;
    float first, second;
    float p = symop_exp_partsf(s, &first, &second);
    float e = 2.0f * b * FMAF(p, symop_product_lowf(b, b, s), p) * first * second;
    return x < 0.0f ? y + e : y;
}

/* 3/2 is nothing beside the square of 3e8. */
SYMOP_INLINE double symop_erfcx_1(double x) {
    double a = __builtin_fabs(x);
    double q = symop_fit_erfcx_1_below(a);
    double sum = FMA(a, FMA(0x1.c5bf891b4ef6bp+1 * a, q, symop_fit_erfcx_1_over(a)), 0x1.bep+0);
    double far = a * 0x1p-300;
    int is_far = a > 3e8;
    double y = (is_far ? 0x1.20dd750429b6dp-602 : q) / (is_far ? far * far : sum);
    double b = a > 26.7 ? 26.7 : a;
    double s = b * b;
    double first, second;
    double p = symop_exp_parts(s, &first, &second);
    double e = 2.0 * b * FMA(p, symop_product_low(b, b, s), p) * first * second;
    return x < 0.0 ? y + e : y;
}
