/*
 * |x| < 1: x**2*q(x**2). Beyond: |x| - log(2) + log1p(exp(-2*|x|)).
 */
/* fit symop_fit_log_coshf */
/* Largest weighted error 7.1e-09; by benchmarks.vector_coefficients. */
SYMOP_INLINE float symop_fit_log_coshf(float x) {
    float p = -0x1.b5f2fc0000000p-16f;
    p = FMAF(p, x, 0x1.7540820000000p-13f);
    p = FMAF(p, x, -0x1.6591560000000p-11f);
    p = FMAF(p, x, 0x1.1b89160000000p-9f);
    p = FMAF(p, x, -0x1.b9bf960000000p-8f);
    p = FMAF(p, x, 0x1.6c14320000000p-6f);
    p = FMAF(p, x, -0x1.5555500000000p-4f);
    p = FMAF(p, x, 0x1.0000000000000p-1f);
    return p;
}
/* end */

/* fit symop_fit_log_cosh */
/* Largest weighted error 3.7e-18; by benchmarks.vector_coefficients. */
SYMOP_INLINE double symop_fit_log_cosh(double x) {
    double z = x * x;
    double p = 0x1.a511f26fda8d7p-26;
    p = FMA(p, z, 0x1.094c4326731e4p-21);
    p = FMA(p, z, 0x1.22d2b16938ddap-18);
    p = FMA(p, z, 0x1.12dbac6f138d5p-15);
    p = FMA(p, z, 0x1.0d0b1f693d3e1p-12);
    p = FMA(p, z, 0x1.1ea5d387ad32bp-9);
    p = FMA(p, z, 0x1.6c16c16c15d25p-6);
    double q = -0x1.3d382feb7a390p-29;
    q = FMA(q, z, -0x1.1a6b7e304df8fp-23);
    q = FMA(q, z, -0x1.9ad70d2162744p-20);
    q = FMA(q, z, -0x1.8ff99d12da584p-17);
    q = FMA(q, z, -0x1.7d9f567a11296p-14);
    q = FMA(q, z, -0x1.833d98f9df6a3p-11);
    q = FMA(q, z, -0x1.ba1ba1b992019p-8);
    p = FMA(q, x, p);
    p = FMA(p, x, -0x1.555555555554cp-4);
    p = FMA(p, x, 0x1.0000000000000p-1);
    return p;
}
/* end */

SYMOP_INLINE float symop_log_coshf(float x) {
    float a = __builtin_fabsf(x);
    float z = x * x;
    float b = -2.0f * a;
    float first, second;
    float p = symop_exp_partsf(b < -40.0f ? -40.0f : b, &first, &second);
    float e = p * first * second;
    float sum = 1.0f + e;
    float tail = symop_log_pairf(0.0f, sum, e - (sum - 1.0f));
    float far = (a - 0x1.62e430p-1f) + tail;
    return a < 1.0f ? z * symop_fit_log_coshf(z) : far;
}

SYMOP_INLINE double symop_log_cosh(double x) {
    double a = __builtin_fabs(x);
    double z = x * x;
    double b = -2.0 * a;
    double first, second;
    double p = symop_exp_parts(b < -80.0 ? -80.0 : b, &first, &second);
    double e = p * first * second;
    double sum = 1.0 + e;
    double tail = symop_log_pair(0.0, sum, e - (sum - 1.0));
    double far = (a - 0x1.62e42fefa39efp-1) + tail;
    return a < 1.0 ? z * symop_fit_log_cosh(z) : far;
}
