/*
 * |x| < 1: erf(x) = x + x*p(x**2). Beyond: 1 - exp(q(|x| - 1)), q fitted to log(erfc) with the
 * weight erfc, for what is subtracted from 1 need only be as accurate as the 1.
 */
/* fit symop_fit_erff */
/* Largest weighted error 1.9e-09; by benchmarks.vector_coefficients. */
static inline float symop_fit_erff(float x) {
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
static inline float symop_fit_log_erfcf(float x) {
    float z = x * x;
    float p = -0x1.1b64640000000p-12f;
    p = FMAF(p, z, -0x1.cf7e940000000p-9f);
    p = FMAF(p, z, 0x1.df757e0000000p-8f);
    p = FMAF(p, z, -0x1.afbc140000000p-1f);
    float q = 0x1.a5dc8c0000000p-10f;
    q = FMAF(q, z, 0x1.404fd00000000p-9f);
    q = FMAF(q, z, -0x1.4d73a00000000p-5f);
    p = FMAF(q, x, p);
    p = FMAF(p, x, -0x1.51c97a0000000p+1f);
    p = FMAF(p, x, -0x1.d97fc00000000p+0f);
    return p;
}
/* end */

static inline float symop_erff(float x) {
    float a = __builtin_fabsf(x);
    float near = FMAF(x, symop_fit_erff(x * x), x);
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
/* Largest weighted error 1.2e-17; by benchmarks.vector_coefficients. */
static inline double symop_fit_erf(double x) {
    double z = x * x;
    double p = 0x1.44e9c403a502ap-33;
    p = FMA(p, z, 0x1.140ca6b19096fp-26);
    p = FMA(p, z, 0x1.ba6d22d492ed8p-20);
    p = FMA(p, z, 0x1.f9a3bc54ce591p-14);
    p = FMA(p, z, 0x1.565bcd2cb9fddp-8);
    p = FMA(p, z, 0x1.ce2f21a0458fep-4);
    double q = -0x1.cb048228a76bfp-30;
    q = FMA(q, z, -0x1.63b7f4fca3eb1p-23);
    q = FMA(q, z, -0x1.f4dd36c5bd223p-17);
    q = FMA(q, z, -0x1.c02db9481ff83p-11);
    q = FMA(q, z, -0x1.b82ce31356452p-6);
    p = FMA(q, x, p);
    p = FMA(p, x, -0x1.812746b037a25p-2);
    p = FMA(p, x, 0x1.06eba8214db69p-3);
    return p;
}
/* end */

/* fit symop_fit_log_erfc */
/* Largest weighted error 6.9e-18; by benchmarks.vector_coefficients. */
static inline double symop_fit_log_erfc(double x) {
    double z = x * x;
    double p = 0x1.0a6622547c0aap-33;
    p = FMA(p, z, 0x1.2855eed71884bp-27);
    p = FMA(p, z, 0x1.fc067df9f79fbp-25);
    p = FMA(p, z, -0x1.1db555a0fb91ep-19);
    p = FMA(p, z, -0x1.c846f26bcfdd8p-16);
    p = FMA(p, z, 0x1.f1b0a26388038p-13);
    p = FMA(p, z, 0x1.48c9d39261640p-7);
    p = FMA(p, z, -0x1.afabc11a2a718p-1);
    double q = -0x1.5c2975bcca3abp-38;
    q = FMA(q, z, -0x1.6f889df25d026p-30);
    q = FMA(q, z, -0x1.225fe45722977p-25);
    q = FMA(q, z, 0x1.b306fa3af88c4p-23);
    q = FMA(q, z, 0x1.4466a32f7a5ddp-17);
    q = FMA(q, z, 0x1.b92722d219863p-16);
    q = FMA(q, z, -0x1.033f5ba0c2433p-9);
    q = FMA(q, z, -0x1.5477f09a407aep-5);
    p = FMA(q, x, p);
    p = FMA(p, x, -0x1.51c9b0006c22ap+1);
    p = FMA(p, x, -0x1.d97fbf27aa2a1p+0);
    return p;
}
/* end */

static inline double symop_erf(double x) {
    double a = __builtin_fabs(x);
    double near = FMA(x, symop_fit_erf(x * x), x);
    double b = a > 5.95 ? 5.95 : a;
    double q = symop_fit_log_erfc(b - 1.0);
    double t = FMA(q, 0x1.71547652b82fep+0, SYMOP_ROUNDER);
    double n = t - SYMOP_ROUNDER;
    double r = FMA(n, -0x1.62e42fefap-1, q);
    r = FMA(n, -0x1.cf79abc9e3b3ap-40, r);
    double p = FMA(symop_fit_exp(r), r, 1.0);
    double e = p * symop_double((symop_bits64(t) << 52) + 0x3ff0000000000000u);
    double far = __builtin_copysign(1.0 - e, x);
    return a >= 1.0 ? far : near;
}
