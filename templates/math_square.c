/*
 * exp(-s - low), the exponential of a square and of what the square lost in rounding, as
 * (1 + u)*power*2**-64, or 2**-512 in double, so that a subnormal result is rounded once.
 */
#define SYMOP_POWERF 0x1p-64f
#define SYMOP_POWER 0x1p-512

/* fit symop_fit_squaref */
/* Largest weighted error 3.1e-09; by benchmarks.vector_coefficients. */
SYMOP_INLINE float symop_fit_squaref(float x) {
    float p = 0x1.6a3d220000000p-10f;
    p = FMAF(p, x, 0x1.1238580000000p-7f);
    p = FMAF(p, x, 0x1.5558be0000000p-5f);
    p = FMAF(p, x, 0x1.5554940000000p-3f);
    p = FMAF(p, x, 0x1.fffffc0000000p-2f);
    return p;
}
/* end */

/* For 0 <= s <= 130. */
SYMOP_INLINE float symop_exp_squaref(float s, float low, float *power) {
    float t = FMAF(s, -0x1.715476p+0f, SYMOP_ROUNDERF);
    float n = t - SYMOP_ROUNDERF;
    float r = FMAF(n, -0x1.62e4p-1f, -s) + FMAF(n, -0x1.7f7d1cp-20f, -low);
    *power = symop_float((symop_bits32(t) << 23) + 0x5f800000u);
    return FMAF(r * r, symop_fit_squaref(r), r);
}

/* fit symop_fit_square */
/* Largest weighted error 3.7e-18; by benchmarks.vector_coefficients. */
SYMOP_INLINE double symop_fit_square(double x) {
    double z = x * x;
    double p = 0x1.28ad506d34e39p-22;
    p = FMA(p, z, 0x1.a0199a1d4dea6p-16);
    p = FMA(p, z, 0x1.6c16c18433160p-10);
    p = FMA(p, z, 0x1.55555555507b5p-5);
    double q = 0x1.ad9fa3989c7eep-26;
    q = FMA(q, z, 0x1.71df0c5dd5c9ap-19);
    q = FMA(q, z, 0x1.a01a0138747aap-13);
    q = FMA(q, z, 0x1.11111111244fbp-7);
    p = FMA(q, x, p);
    p = FMA(p, x, 0x1.555555555550dp-3);
    p = FMA(p, x, 0x1.000000000000ap-1);
    return p;
}
/* end */

/* For 0 <= s <= 1000. */
SYMOP_INLINE double symop_exp_square(double s, double low, double *power) {
    double t = FMA(s, -0x1.71547652b82fep+0, SYMOP_ROUNDER);
    double n = t - SYMOP_ROUNDER;
    double r = FMA(n, -0x1.62e42fefap-1, -s) + FMA(n, -0x1.cf79abc9e3b3ap-40, -low);
    *power = symop_double((symop_bits64(t) << 52) + 0x5ff0000000000000u);
    return FMA(r * r, symop_fit_square(r), r);
}
