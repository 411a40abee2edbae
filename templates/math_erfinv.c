/*
 * w = -log(1 - x**2) below 5: the approximation of M. Giles (Approximating the erfinv function, GPU
 * Computing Gems, 2012), good to single precision; beyond, a polynomial in sqrt(w). Then one step of
 * Halley on erf(y) - |x|, or on 1 - |x| - erfc(y) where that is more accurate. float is computed in
 * double precision.
 */
/* fit symop_fit_erfinv_far */
/* Largest weighted error 2e-07; by benchmarks.vector_coefficients. */
SYMOP_INLINE double symop_fit_erfinv_far(double x) {
    double z = x * x;
    double p = -0x1.3843dc1e9351ap-11;
    p = FMA(p, z, 0x1.6740dcdcfd614p-8);
    p = FMA(p, z, -0x1.3cd293e2370f3p-12);
    p = FMA(p, z, 0x1.0e2fd733b5189p-8);
    p = FMA(p, z, 0x1.a255a547402eap-9);
    double q = 0x1.0bdaf1e82c82cp-9;
    q = FMA(q, z, -0x1.c40cc40d3cd2dp-8);
    q = FMA(q, z, 0x1.ca5ebc8a38c70p-10);
    q = FMA(q, z, -0x1.c58d4d8a22c92p-9);
    q = FMA(q, z, -0x1.4a4e8b1dceb0fp-8);
    p = FMA(q, x, p);
    p = FMA(p, x, 0x1.0288b4eb818ddp+1);
    p = FMA(p, x, 0x1.02aba709b03b9p+2);
    return p;
}
/* end */

/* One step of Halley's method; up to 3/4 erf has the smaller error, beyond erfc. */
SYMOP_INLINE double symop_erfinv_step(double y, double a) {
    double miss = a < 0.75 ? symop_erf(y) - a : (1.0 - a) - symop_erfc(y);
    double u = miss * 0x1.c5bf891b4ef6bp-1 * symop_exp(y * y);
    return y - u / FMA(y, u, 1.0);
}

SYMOP_INLINE double symop_erfinv(double x) {
    double a = __builtin_fabs(x);
    double w = -symop_log((1.0 - a) * (1.0 + a));
    double v = w - 2.5;
    double p = 2.81022636e-08;
    p = FMA(p, v, 3.43273939e-07);
    p = FMA(p, v, -3.5233877e-06);
    p = FMA(p, v, -4.39150654e-06);
    p = FMA(p, v, 0.00021858087);
    p = FMA(p, v, -0.00125372503);
    p = FMA(p, v, -0.00417768164);
    p = FMA(p, v, 0.246640727);
    p = FMA(p, v, 1.50140941);
    double q = symop_fit_erfinv_far(0.5 * (__builtin_sqrt(w) - 4.2));
    double y = a * (w < 5.0 ? p : q);
    y = symop_erfinv_step(y, a);
    y = a < 0x1p-28 ? a * 0x1.c5bf891b4ef6bp-1 : y;
    y = a == 1.0 ? __builtin_inf() : y;
    return __builtin_copysign(a <= 1.0 ? y : __builtin_nan(""), x);
}

SYMOP_INLINE float symop_erfinvf(float x) { return (float)symop_erfinv((double)x); }
