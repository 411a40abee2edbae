/*
 * |x| < 1, or 0.95 in double: erf(x) = x + x*p(x**2). Beyond: 1 - exp(q(|x| - 1)), q fitted to log(erfc) with the
 * weight erfc, for what is subtracted from 1 need only be as accurate as the 1.
 */
/* fit symop_fit_erff */
/* Largest weighted error 1.9e-09; by benchmarks.vector_coefficients. */
SYMOP_INLINE float symop_fit_erff(float x) {
    float p = 0x1.47743c0000000p-14f;
    p = FMAF(p, x, -0x1.a351fa0000000p-11f);
    p = FMAF(p, x, 0x1.53f2320000000p-8f);
    p = FMAF(p, x, -0x1.b7f71a0000000p-6f);
    p = FMAF(p, x, 0x1.ce2ce60000000p-4f);
    p = FMAF(p, x, -0x1.81273e0000000p-2f);
    p = FMAF(p, x, 0x1.06eba80000000p-3f);
    return p;
}
/* end */

/* fit symop_fit_log_erfcf */
/* Largest weighted error 8e-09; by benchmarks.vector_coefficients. */
SYMOP_INLINE float symop_fit_log_erfcf(float x) {
    float z = x * x;
    float p = -0x1.1b5f8c0000000p-12f;
    p = FMAF(p, z, -0x1.cf7b320000000p-9f);
    p = FMAF(p, z, 0x1.df75ba0000000p-8f);
    p = FMAF(p, z, -0x1.afbc140000000p-1f);
    float q = 0x1.a5d7ae0000000p-10f;
    q = FMAF(q, z, 0x1.404ddc0000000p-9f);
    q = FMAF(q, z, -0x1.4d73a20000000p-5f);
    p = FMAF(q, x, p);
    p = FMAF(p, x, -0x1.51c97a0000000p+1f);
    p = FMAF(p, x, -0x1.d97fc00000000p+0f);
    return p;
}
/* end */

SYMOP_INLINE float symop_erff(float x) {
    float a = __builtin_fabsf(x);
    /* The square of what is tiny would be subnormal, which takes long. */
    float c = a < 0x1p-14f ? 0.0f : x;
    float near = FMAF(x, symop_fit_erff(c * c), x);
    float b = a > 4.0f ? 4.0f : a;
    float q = symop_fit_log_erfcf(b - 1.0f);
    float t = FMAF(q, 0x1.715476p+0f, SYMOP_ROUNDERF);
    float n = t - SYMOP_ROUNDERF;
    float r = FMAF(n, -0x1.62e4p-1f, q);
    r = FMAF(n, -0x1.7f7d1cp-20f, r);
    float p = FMAF(symop_fit_expf(r), r, 1.0f);
    float e = p * symop_float((symop_bits32(t) << 23) + 0x3f800000u);
    float far = __builtin_copysignf(1.0f - e, x);
    return a >= 1.0f ? far : near;
}

/* fit symop_fit_erf */
/* Largest weighted error 1.4e-17; by benchmarks.vector_coefficients. */
SYMOP_INLINE double symop_fit_erf(double x) {
    double z = x * x;
    double p = 0x1.cf0d64fea5141p-27;
    p = FMA(p, z, 0x1.b956b18c90764p-20);
    p = FMA(p, z, 0x1.f9a27fb5034ddp-14);
    p = FMA(p, z, 0x1.565bcceb2885ap-8);
    p = FMA(p, z, 0x1.ce2f21a03f5bfp-4);
    double q = -0x1.917e055a1cdacp-31;
    q = FMA(q, z, -0x1.5af54a44a9ed0p-23);
    q = FMA(q, z, -0x1.f4c676c179d56p-17);
    q = FMA(q, z, -0x1.c02dadf7d1949p-11);
    q = FMA(q, z, -0x1.b82ce31195ae9p-6);
    p = FMA(q, x, p);
    p = FMA(p, x, -0x1.812746b03799bp-2);
    p = FMA(p, x, 0x1.06eba8214db68p-3);
    return p;
}
/* end */

/* fit symop_fit_log_erfc */
/* Largest weighted error 1.1e-17; by benchmarks.vector_coefficients. */
SYMOP_INLINE double symop_fit_log_erfc(double x) {
    double z = x * x;
    double p = 0x1.3b019e5efec4ep-33;
    p = FMA(p, z, 0x1.5298b7048542ap-27);
    p = FMA(p, z, 0x1.3364af6547417p-24);
    p = FMA(p, z, -0x1.19435cc3bf4bap-19);
    p = FMA(p, z, -0x1.c7db16fa4b30bp-16);
    p = FMA(p, z, 0x1.f1b3513babb1fp-13);
    p = FMA(p, z, 0x1.48c9d3ffcabcep-7);
    p = FMA(p, z, -0x1.afabc11a28cb0p-1);
    double q = -0x1.a4329aef5683bp-38;
    q = FMA(q, z, -0x1.aa5e966f88be2p-30);
    q = FMA(q, z, -0x1.4a8d325542c73p-25);
    q = FMA(q, z, 0x1.80036335d5eb3p-23);
    q = FMA(q, z, 0x1.43444dea6001ap-17);
    q = FMA(q, z, 0x1.b8eda002d9096p-16);
    q = FMA(q, z, -0x1.033f6667df798p-9);
    q = FMA(q, z, -0x1.5477f09cb7ebfp-5);
    p = FMA(q, x, p);
    p = FMA(p, x, -0x1.51c9b0006c23dp+1);
    p = FMA(p, x, -0x1.d97fbf27aa2a1p+0);
    return p;
}
/* end */

SYMOP_INLINE double symop_erf(double x) {
    double a = __builtin_fabs(x);
    double c = a < 0x1p-30 ? 0.0 : x;
    double near = FMA(x, symop_fit_erf(c * c), x);
    double b = a > 5.95 ? 5.95 : a;
    double q = symop_fit_log_erfc(b - 1.0);
    double t = FMA(q, 0x1.71547652b82fep+0, SYMOP_ROUNDER);
    double n = t - SYMOP_ROUNDER;
    double r = FMA(n, -0x1.62e42fefap-1, q);
    r = FMA(n, -0x1.cf79abc9e3b3ap-40, r);
    double p = FMA(symop_fit_exp(r), r, 1.0);
    double e = p * symop_double((symop_bits64(t) << 52) + 0x3ff0000000000000u);
    double far = __builtin_copysign(1.0 - e, x);
    return a >= 0.95 ? far : near;
}
