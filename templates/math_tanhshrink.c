/* |x| < 1: x - tanh(x) = x**3*q(x**2). */
/* fit symop_fit_tanhshrinkf */
/* Largest weighted error 5.1e-08; by benchmarks.vector_coefficients. */
SYMOP_INLINE float symop_fit_tanhshrinkf(float x) {
    float p = -0x1.b396d60000000p-13f;
    p = FMAF(p, x, 0x1.2f1a360000000p-10f);
    p = FMAF(p, x, -0x1.cf80680000000p-9f);
    p = FMAF(p, x, 0x1.24a3200000000p-7f);
    p = FMAF(p, x, -0x1.670d000000000p-6f);
    p = FMAF(p, x, 0x1.ba31080000000p-5f);
    p = FMAF(p, x, -0x1.11117c0000000p-3f);
    p = FMAF(p, x, 0x1.5555560000000p-2f);
    return p;
}
/* end */

/* fit symop_fit_tanhshrink */
/* Largest weighted error 8.5e-17; by benchmarks.vector_coefficients. */
SYMOP_INLINE double symop_fit_tanhshrink(double x) {
    double z = x * x;
    double p = 0x1.b698507af2aaep-23;
    p = FMA(p, z, 0x1.3410d8620bce2p-18);
    p = FMA(p, z, 0x1.3dfb3d317ea4ep-15);
    p = FMA(p, z, 0x1.f4d078090347cp-13);
    p = FMA(p, z, 0x1.7da1ec2128a83p-10);
    p = FMA(p, z, 0x1.226e34a3b42dep-7);
    p = FMA(p, z, 0x1.ba1ba1ba03f2cp-5);
    double q = -0x1.286c0fedeba29p-26;
    q = FMA(q, z, -0x1.3ce1ff645a5e4p-20);
    q = FMA(q, z, -0x1.d87b0ed5aaa84p-17);
    q = FMA(q, z, -0x1.93433b8c5b11bp-14);
    q = FMA(q, z, -0x1.354ad7a4a0c5bp-11);
    q = FMA(q, z, -0x1.d6d3b4058351ep-9);
    q = FMA(q, z, -0x1.664f487d072a4p-6);
    p = FMA(q, x, p);
    p = FMA(p, x, -0x1.1111111110fdap-3);
    p = FMA(p, x, 0x1.5555555555555p-2);
    return p;
}
/* end */

SYMOP_INLINE float symop_tanhshrinkf(float x) {
    float z = x * x;
    return __builtin_fabsf(x) < 1.0f ? x * z * symop_fit_tanhshrinkf(z) : x - symop_tanhf(x);
}

SYMOP_INLINE double symop_tanhshrink(double x) {
    double z = x * x;
    return __builtin_fabs(x) < 1.0 ? x * z * symop_fit_tanhshrink(z) : x - symop_tanh(x);
}
