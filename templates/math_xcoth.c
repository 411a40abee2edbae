/*
 * The derivative of x*coth(x): x*p(x**2) for |x| < 1; beyond, by e = exp(-2*|x|), with which it is
 * (1 - e**2 - 4*|x|*e)/(1 - e)**2.
 */
/* fit symop_fit_xcoth_1f */
/* Largest weighted error 3.4e-08; by benchmarks.vector_coefficients. */
SYMOP_INLINE float symop_fit_xcoth_1f(float x) {
    float p = 0x1.50ad340000000p-15f;
    p = FMAF(p, x, -0x1.248b580000000p-13f);
    p = FMAF(p, x, 0x1.67978a0000000p-12f);
    p = FMAF(p, x, -0x1.cd951a0000000p-10f);
    p = FMAF(p, x, 0x1.a0a0ae0000000p-7f);
    p = FMAF(p, x, -0x1.6c18380000000p-4f);
    p = FMAF(p, x, 0x1.5555560000000p-1f);
    return p;
}
/* end */

/* fit symop_fit_xcoth_1 */
/* Largest weighted error 6.2e-17; by benchmarks.vector_coefficients. */
SYMOP_INLINE double symop_fit_xcoth_1(double x) {
    double z = x * x;
    double p = -0x1.3e6084732c608p-28;
    p = FMA(p, z, -0x1.b548423569936p-24);
    p = FMA(p, z, -0x1.e59bf570cbfbbp-23);
    p = FMA(p, z, -0x1.2713eb2f98aecp-24);
    p = FMA(p, z, 0x1.9a48b2ade4267p-19);
    p = FMA(p, z, 0x1.c05304a3fd928p-13);
    p = FMA(p, z, 0x1.a01a019f982a4p-7);
    double q = 0x1.1732c651fa76dp-25;
    q = FMA(q, z, 0x1.9341f58d9ad73p-23);
    q = FMA(q, z, 0x1.8984fdba6aa2bp-23);
    q = FMA(q, z, -0x1.4d98b45ea9ac3p-22);
    q = FMA(q, z, -0x1.b3b5e7c735e01p-16);
    q = FMA(q, z, -0x1.bbd778cc29896p-10);
    p = FMA(q, x, p);
    p = FMA(p, x, -0x1.6c16c16c1680fp-4);
    p = FMA(p, x, 0x1.5555555555555p-1);
    return p;
}
/* end */

SYMOP_INLINE float symop_xcoth_1f(float x) {
    float a = __builtin_fabsf(x);
    float b = -2.0f * a;
    b = b < -40.0f ? -40.0f : b;
    float first, second;
    float e = symop_exp_partsf(b, &first, &second) * first * second;
    float less = 1.0f - e;
    float far = FMAF(2.0f * b, e, FMAF(-e, e, 1.0f)) / (less * less);
    float near = a * symop_fit_xcoth_1f(a * a);
    return __builtin_copysignf(a < 1.0f ? near : far, x);
}

SYMOP_INLINE double symop_xcoth_1(double x) {
    double a = __builtin_fabs(x);
    double b = -2.0 * a;
    b = b < -80.0 ? -80.0 : b;
    double first, second;
    double e = symop_exp_parts(b, &first, &second) * first * second;
    double less = 1.0 - e;
    double far = FMA(2.0 * b, e, FMA(-e, e, 1.0)) / (less * less);
    double near = a * symop_fit_xcoth_1(a * a);
    return __builtin_copysign(a < 1.0 ? near : far, x);
}
