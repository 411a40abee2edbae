/*
 * |x| < 1: tanh(x) = x + x**3*p(x**2). Beyond: 1 - 2/(exp(2*|x|) + 1), where the quotient is below
 * 1/4, so that its error counts little.
 */
/* fit symop_fit_tanhf */
/* Largest weighted error 1e-09; by benchmarks.vector_coefficients. */
SYMOP_INLINE float symop_fit_tanhf(float x) {
    float p = 0x1.e824b40000000p-14f;
    p = FMAF(p, x, -0x1.aed4c80000000p-11f);
    p = FMAF(p, x, 0x1.8f9b580000000p-9f);
    p = FMAF(p, x, -0x1.18de460000000p-7f);
    p = FMAF(p, x, 0x1.64c0a00000000p-6f);
    p = FMAF(p, x, -0x1.b9f6de0000000p-5f);
    p = FMAF(p, x, 0x1.11103c0000000p-3f);
    p = FMAF(p, x, -0x1.5555520000000p-2f);
    return p;
}
/* end */

SYMOP_INLINE float symop_tanhf(float x) {
    float a = __builtin_fabsf(x);
    float z = x * x;
    float near = FMAF(x * z, symop_fit_tanhf(z), x);
    float b = a > 10.0f ? 10.0f : a;
    float t = FMAF(b, 0x1.715476p+1f, SYMOP_ROUNDERF);
    float n = t - SYMOP_ROUNDERF;
    float r = FMAF(n, -0x1.62e4p-1f, b + b);
    r = FMAF(n, -0x1.7f7d1cp-20f, r);
    float p = FMAF(symop_fit_expf(r), r, 1.0f);
    float e = p * symop_float((symop_bits32(t) << 23) + 0x3f800000u);
    float far = 1.0f - 2.0f / (e + 1.0f);
    return __builtin_copysignf(a >= 1.0f ? far : near, x);
}

/* fit symop_fit_tanh */
/* Largest weighted error 1.4e-17; by benchmarks.vector_coefficients. */
SYMOP_INLINE double symop_fit_tanh(double x) {
    double z = x * x;
    double p = -0x1.0d0b906dc12cdp-24;
    p = FMA(p, z, -0x1.cad0c93799a1ep-19);
    p = FMA(p, z, -0x1.2eb0be4bf087ap-15);
    p = FMA(p, z, -0x1.f335dff8b8108p-13);
    p = FMA(p, z, -0x1.7d9bc96d5742dp-10);
    p = FMA(p, z, -0x1.226e2ebcf35a5p-7);
    p = FMA(p, z, -0x1.ba1ba1b80fe8dp-5);
    double q = 0x1.5f2d8bf7cf382p-21;
    q = FMA(q, z, 0x1.9e067382e0f39p-17);
    q = FMA(q, z, 0x1.8d798eb4d97b7p-14);
    q = FMA(q, z, 0x1.35212bfa1443ap-11);
    q = FMA(q, z, 0x1.d6d30faf71c5ep-9);
    q = FMA(q, z, 0x1.664f4836887b0p-6);
    p = FMA(q, x, p);
    p = FMA(p, x, 0x1.111111110d7e0p-3);
    p = FMA(p, x, -0x1.555555555550fp-2);
    return p;
}
/* end */

SYMOP_INLINE double symop_tanh(double x) {
    double a = __builtin_fabs(x);
    double z = x * x;
    double near = FMA(x * z, symop_fit_tanh(z), x);
    double b = a > 20.0 ? 20.0 : a;
    double t = FMA(b, 0x1.71547652b82fep+1, SYMOP_ROUNDER);
    double n = t - SYMOP_ROUNDER;
    double r = FMA(n, -0x1.62e42fefap-1, b + b);
    r = FMA(n, -0x1.cf79abc9e3b3ap-40, r);
    double p = FMA(symop_fit_exp(r), r, 1.0);
    double e = p * symop_double((symop_bits64(t) << 52) + 0x3ff0000000000000u);
    double far = 1.0 - 2.0 / (e + 1.0);
    return __builtin_copysign(a >= 1.0 ? far : near, x);
}
