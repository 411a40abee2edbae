/*
 * 0 < x < 8: the logarithm of a product of steps of the recurrence, and a polynomial on [3/2, 5/2] times
 * t - 2. Beyond: Stirling's series (DLMF 5.11.1). x < 0: log(pi/|x*sin(pi*x)|) - lgamma(-x), whose error
 * is small beside its terms, not beside a zero of lgamma. float is computed in double precision.
 */
/* fit symop_fit_lgamma */
/* Largest weighted error 1.2e-17; by benchmarks.vector_coefficients. */
SYMOP_INLINE double symop_fit_lgamma(double x) {
    double z = x * x;
    double p = -0x1.b25308832c4b2p-40;
    p = FMA(p, z, 0x1.0ad1852498fe3p-37);
    p = FMA(p, z, -0x1.b158547d4a21bp-36);
    p = FMA(p, z, -0x1.c2a8c0a12ace6p-34);
    p = FMA(p, z, -0x1.3effed7d4100ap-29);
    p = FMA(p, z, -0x1.78cd902befd57p-25);
    p = FMA(p, z, -0x1.d3fd9870423dfp-21);
    p = FMA(p, z, -0x1.38ac5bc928518p-16);
    p = FMA(p, z, -0x1.e404fc22120fdp-12);
    p = FMA(p, z, -0x1.13e001a5574fap-6);
    double q = 0x1.3bde35f671f08p-41;
    q = FMA(q, z, -0x1.d15554e13f0aep-42);
    q = FMA(q, z, 0x1.21486ea9a4c90p-35);
    q = FMA(q, z, 0x1.2389240e32844p-31);
    q = FMA(q, z, 0x1.58211f3de1c11p-27);
    q = FMA(q, z, 0x1.a127456c8fcd3p-23);
    q = FMA(q, z, 0x1.0b36b03121b0cp-18);
    q = FMA(q, z, 0x1.7add6eac9ccc3p-14);
    q = FMA(q, z, 0x1.51322ac7d8aabp-9);
    p = FMA(q, x, p);
    p = FMA(p, x, 0x1.4a34cc4a60fa6p-3);
    p = FMA(p, x, 0x1.b0ee6072093cep-2);
    return p;
}
/* end */

SYMOP_INLINE double symop_lgamma(double x) {
    double a = __builtin_fabs(x);
    double product = a < 0.5 ? a * (a + 1.0) : (a < 1.5 ? a : (a < 2.5 ? 1.0 : a - 1.0));
    /* t - 2, which is exact. */
    double d = a < 0.5 ? a : (a < 1.5 ? a - 1.0 : (a < 2.5 ? a - 2.0 : a - 3.0));
    for (int k = 2; k < 7; k++) {
        product *= a >= k + 1.5 ? a - k : 1.0;
        d = a >= k + 1.5 ? a - (k + 2) : d;
    }
    d = a < 8.0 ? d : 0.0;
    double log = symop_log(a < 8.0 ? product : a);
    double near = FMA(d, symop_fit_lgamma(2.0 * d), a < 1.5 ? -log : log);
    double w = 1.0 / (a < 8.0 ? 8.0 : a);
    double z = w * w;
    double p = -3617.0 / 122400.0;
    p = FMA(p, z, 1.0 / 156.0);
    p = FMA(p, z, -691.0 / 360360.0);
    p = FMA(p, z, 1.0 / 1188.0);
    p = FMA(p, z, -1.0 / 1680.0);
    p = FMA(p, z, 1.0 / 1260.0);
    p = FMA(p, z, -1.0 / 360.0);
    p = FMA(p, z, 1.0 / 12.0);
    /* log(2*pi)/2 - 1/2. */
    double far = FMA(a - 0.5, log - 1.0, FMA(p, w, 0x1.acfe390c97d69p-2));
    double y = a < 8.0 ? near : far;
    double b = a < 0x1p52 ? a : 0x1p52;
    double r = b - ((b + 0x1p52) - 0x1p52);
    double s = __builtin_fabs(symop_sin(0x1.921fb54442d18p+1 * r));
    double reflected = symop_log(0x1.921fb54442d18p+1 / (a * s)) - y;
    reflected = a < 0x1p-60 ? y : reflected;
    y = x < 0.0 ? (r == 0.0 ? __builtin_inf() : reflected) : y;
    return a < __builtin_inf() ? y : a;
}

SYMOP_INLINE float symop_lgammaf(float x) { return (float)symop_lgamma((double)x); }
