/* exp2(x) = 2**n * 2**r, x = n + r, |r| <= 1/2; 2**n in two factors, as in exp. */
/* fit symop_fit_exp2f */
/* Largest weighted error 1.9e-10; by benchmarks.vector_coefficients. */
SYMOP_INLINE float symop_fit_exp2f(float x) {
    float p = 0x1.e0a37a0000000p-17f;
    p = FMAF(p, x, 0x1.440d120000000p-13f);
    p = FMAF(p, x, 0x1.5da58e0000000p-10f);
    p = FMAF(p, x, 0x1.3b2a5c0000000p-7f);
    p = FMAF(p, x, 0x1.c6b06e0000000p-5f);
    p = FMAF(p, x, 0x1.ebfbe00000000p-3f);
    p = FMAF(p, x, 0x1.62e4300000000p-1f);
    return p;
}
/* end */

SYMOP_INLINE float symop_exp2f(float x) {
    float a = x < -152.0f ? -152.0f : x;
    a = a > 129.0f ? 129.0f : a;
    float t = a + SYMOP_ROUNDERF;
    float r = a - (t - SYMOP_ROUNDERF);
    uint32_t bits = symop_bits32(t);
    uint32_t half = bits >> 1;
    float p = FMAF(symop_fit_exp2f(r), r, 1.0f);
    float first = symop_float((half << 23) + 0x3f800000u);
    float second = symop_float(((bits - half) << 23) + 0x3f800000u);
    return p * first * second;
}

/* fit symop_fit_exp2 */
/* Largest weighted error 1.1e-18; by benchmarks.vector_coefficients. */
SYMOP_INLINE double symop_fit_exp2(double x) {
    double z = x * x;
    double p = 0x1.ec7a811e746e8p-32;
    p = FMA(p, z, 0x1.b5232cc024715p-24);
    p = FMA(p, z, 0x1.ffcbfd4b6db4bp-17);
    p = FMA(p, z, 0x1.5d87fe7873f45p-10);
    p = FMA(p, z, 0x1.c6b08d704a1d5p-5);
    double q = 0x1.e0bb65ed9b6b1p-36;
    q = FMA(q, z, 0x1.e4bba8479c6cap-28);
    q = FMA(q, z, 0x1.62c02725832bcp-20);
    q = FMA(q, z, 0x1.430912f756dc3p-13);
    q = FMA(q, z, 0x1.3b2ab6fba519fp-7);
    p = FMA(q, x, p);
    p = FMA(p, x, 0x1.ebfbdff82c58ep-3);
    p = FMA(p, x, 0x1.62e42fefa39efp-1);
    return p;
}
/* end */

SYMOP_INLINE double symop_exp2(double x) {
    double a = x < -1080.0 ? -1080.0 : x;
    a = a > 1025.0 ? 1025.0 : a;
    double t = a + SYMOP_ROUNDER;
    double r = a - (t - SYMOP_ROUNDER);
    uint64_t bits = symop_bits64(t);
    uint64_t half = bits >> 1;
    double p = FMA(symop_fit_exp2(r), r, 1.0);
    double first = symop_double((half << 52) + 0x3ff0000000000000u);
    double second = symop_double(((bits - half) << 52) + 0x3ff0000000000000u);
    return p * first * second;
}
