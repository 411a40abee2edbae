/*
 * x = n*pi/2 + r, |r| <= pi/4, and polynomials for sin(r) and cos(r). Right for |x| up to
 * SYMOP_TRIGONOMETRIC_BOUND; beyond, pi/2 in three parts is too short, and the C library must do it.
 * float is computed in double precision; its sine and cosine by n*pi alone.
 */
#define SYMOP_TRIGONOMETRIC_BOUND 1e6
#define SYMOP_TRIGONOMETRIC_BOUNDF 1e8f

/* fit symop_fit_sin_short */
/* Largest weighted error 5.2e-12; by benchmarks.vector_coefficients. */
SYMOP_INLINE double symop_fit_sin_short(double x) {
    double p = 0x1.6cd1edbb3f302p-19;
    p = FMA(p, x, -0x1.a00f7f148cc7ep-13);
    p = FMA(p, x, 0x1.1111086a49202p-7);
    p = FMA(p, x, -0x1.5555554c71b08p-3);
    return p;
}
/* end */

/* fit symop_fit_cos_short */
/* Largest weighted error 6.2e-14; by benchmarks.vector_coefficients. */
SYMOP_INLINE double symop_fit_cos_short(double x) {
    double p = -0x1.23d8191d2df15p-22;
    p = FMA(p, x, 0x1.a00f120789c6ep-16);
    p = FMA(p, x, -0x1.6c16b401474c8p-10);
    p = FMA(p, x, 0x1.55555546f5c07p-5);
    p = FMA(p, x, -0x1.ffffffffebff3p-2);
    return p;
}
/* end */

/* fit symop_fit_sin_half */
/* Largest weighted error 2.4e-11; by benchmarks.vector_coefficients. */
SYMOP_INLINE double symop_fit_sin_half(double x) {
    double p = -0x1.9a687dfa41c52p-26;
    p = FMA(p, x, 0x1.71707fc0572fcp-19);
    p = FMA(p, x, -0x1.a017d99df3319p-13);
    p = FMA(p, x, 0x1.11110c49ff267p-7);
    p = FMA(p, x, -0x1.5555554769924p-3);
    return p;
}
/* end */

/* sin(x) for x = n*pi + r, |r| <= pi/2: a longer polynomial, but one for all. */
SYMOP_INLINE double symop_sin_halff(double d, double n, uint64_t sign) {
#if SYMOP_FUSED
    double r = FMA(n, -0x1.1a62633145c07p-53, FMA(n, -0x1.921fb54442d18p+1, d));
#else
    double r = ((d - n * 0x1.921fb5p+1) - n * 0x1.110b46p-25) - n * 0x1.1a62633145c07p-53;
#endif
    double z = r * r;
    /* A product keeps the sign of zero. */
    double y = r * FMA(z, symop_fit_sin_half(z), 1.0);
    return symop_double(symop_bits64(y) ^ (sign << 63));
}

/* r; *quadrant holds n in its low bits. */
SYMOP_INLINE double symop_quarterf(float x, uint64_t *quadrant) {
    double d = (double)x;
    double t = FMA(d, 0x1.45f306dc9c883p-1, SYMOP_ROUNDER);
    double n = t - SYMOP_ROUNDER;
    *quadrant = symop_bits64(t);
#if SYMOP_FUSED
    return FMA(n, -0x1.1a62633145c07p-54, FMA(n, -0x1.921fb54442d18p+0, d));
#else
    return ((d - n * 0x1.921fb5p+0) - n * 0x1.110b46p-26) - n * 0x1.1a62633145c07p-54;
#endif
}

SYMOP_INLINE double symop_sin_quarterf(double r) {
    double z = r * r;
    return FMA(r * z, symop_fit_sin_short(z), r);
}

SYMOP_INLINE double symop_cos_quarterf(double r) {
    double z = r * r;
    return FMA(z, symop_fit_cos_short(z), 1.0);
}

/* fit symop_fit_sin */
/* Largest weighted error 3.7e-18; by benchmarks.vector_coefficients. */
SYMOP_INLINE double symop_fit_sin(double x) {
    double p = 0x1.5d8b58aba3fe8p-33;
    p = FMA(p, x, -0x1.ae5e4b8bff2dap-26);
    p = FMA(p, x, 0x1.71de3555322dep-19);
    p = FMA(p, x, -0x1.a01a019be9253p-13);
    p = FMA(p, x, 0x1.111111110f730p-7);
    p = FMA(p, x, -0x1.5555555555548p-3);
    return p;
}
/* end */

/* fit symop_fit_cos */
/* Largest weighted error 4.8e-20; by benchmarks.vector_coefficients. */
SYMOP_INLINE double symop_fit_cos(double x) {
    double p = -0x1.8fb130224616ep-37;
    p = FMA(p, x, 0x1.1ee9f151573cdp-29);
    p = FMA(p, x, -0x1.27e4f812b53fcp-22);
    p = FMA(p, x, 0x1.a01a019cbf61dp-16);
    p = FMA(p, x, -0x1.6c16c16c1521fp-10);
    p = FMA(p, x, 0x1.555555555554cp-5);
    return p;
}
/* end */

SYMOP_INLINE double symop_quarter(double x, double *low, uint64_t *quadrant) {
    double t = FMA(x, 0x1.45f306dc9c883p-1, SYMOP_ROUNDER);
    double n = t - SYMOP_ROUNDER;
    *quadrant = symop_bits64(t);
#if SYMOP_FUSED
    double y = FMA(n, -0x1.921fb54442d18p+0, x);
    double second = n * 0x1.1a62633145c07p-54;
    double high = y - second;
    double rest = symop_sum_low(y, -second, high) - FMA(n, 0x1.1a62633145c07p-54, -second);
    rest = FMA(n, 0x1.f1976b7ed8fbcp-110, rest);
#else
    double y = x - n * 0x1.921fb544p+0;
    double second = n * 0x1.0b4611a6p-34;
    double middle = y - second;
    double third = n * 0x1.3198a2ep-69;
    double high = middle - third;
    double rest = symop_sum_low(y, -second, middle) + symop_sum_low(middle, -third, high);
    rest -= n * 0x1.b839a252049c1p-104;
#endif
    double r = high + rest;
    *low = (high - r) + rest;
    return r;
}

SYMOP_INLINE double symop_sin_quarter(double r, double low) {
    double z = r * r;
    return r + FMA(r * z, symop_fit_sin(z), FMA(-0.5 * z, low, low));
}

SYMOP_INLINE double symop_cos_quarter(double r, double low) {
    double z = r * r;
    double half = 0.5 * z;
    double first = 1.0 - half;
    return first + (((1.0 - first) - half) + FMA(z * z, symop_fit_cos(z), -(r * low)));
}
