/*
 * exp(a**2)*erfc(a) = p(t)/(a + 5/2), t = (a - 5/2)/(a + 5/2), for a >= 0 (M. M. Shepherd and
 * J. G. Laframboise, Chebyshev approximation of (1 + 2x)exp(x**2)erfc(x) in 0 <= x < inf, Math. Comp.
 * 36 (1981), with another factor). What t, p and the quotient lost in rounding is carried along.
 */
/* fit symop_fit_erfcx_short */
/* Largest weighted error 2.2e-09; by benchmarks.vector_coefficients. */
SYMOP_INLINE double symop_fit_erfcx_short(double x) {
    double z = x * x;
    double p = -0x1.9aaced7283d4cp-15;
    p = FMA(p, z, 0x1.5366abea7cff4p-11);
    p = FMA(p, z, -0x1.3a7ec9b373173p-8);
    p = FMA(p, z, 0x1.d09f696b03121p-6);
    p = FMA(p, z, 0x1.d0cee9faa2fabp-2);
    double q = 0x1.037d7e108ee65p-14;
    q = FMA(q, z, -0x1.da227d132ad42p-12);
    q = FMA(q, z, 0x1.132ea48732bb0p-7);
    q = FMA(q, z, -0x1.5eb93883dcadap-3);
    p = FMA(q, x, p);
    p = FMA(p, x, -0x1.9bfb5339c879cp-1);
    p = FMA(p, x, 0x1.0dd5077c6e5b3p+0);
    return p;
}
/* end */

/* p(0) and p'(0), each as a sum of two numbers. */
#define SYMOP_ERFCX_MIDDLE 0x1.0dd50785280a5p+0
#define SYMOP_ERFCX_MIDDLE_LOW -0x1.01c43af264b60p-54
#define SYMOP_ERFCX_SLOPE -0x1.9bfb53c4039d7p-1
#define SYMOP_ERFCX_SLOPE_LOW 0x1.d406453d197d0p-55

/* fit symop_fit_erfcx */
/* Largest weighted error 2.6e-18; by benchmarks.vector_coefficients. */
SYMOP_INLINE double symop_fit_erfcx(double x) {
    double z = x * x;
    double p = 0x1.ccdc306dd14edp-33;
    p = FMA(p, z, -0x1.56dc192c8709dp-29);
    p = FMA(p, z, 0x1.05bdd54932487p-26);
    p = FMA(p, z, -0x1.02430be68cb88p-24);
    p = FMA(p, z, 0x1.39c6f10eb0990p-23);
    p = FMA(p, z, -0x1.931860a8b9417p-27);
    p = FMA(p, z, -0x1.38a9edfe28d6ap-19);
    p = FMA(p, z, 0x1.3213206bf93fcp-16);
    p = FMA(p, z, -0x1.d84c4eb5d0885p-14);
    p = FMA(p, z, 0x1.7069f38da83fep-11);
    p = FMA(p, z, -0x1.3bcdce37f9652p-8);
    p = FMA(p, z, 0x1.d0acf691f1313p-6);
    double q = -0x1.dbfe59a79e99ep-32;
    q = FMA(q, z, 0x1.6f349d62ff8f5p-29);
    q = FMA(q, z, -0x1.0e42d839aab26p-30);
    q = FMA(q, z, -0x1.0bca5549484e6p-24);
    q = FMA(q, z, 0x1.dacdb93f5299cp-22);
    q = FMA(q, z, -0x1.070e85d793985p-19);
    q = FMA(q, z, 0x1.c539e15534a78p-18);
    q = FMA(q, z, -0x1.47b202c93d6f0p-16);
    q = FMA(q, z, 0x1.e91f179f13554p-15);
    q = FMA(q, z, -0x1.cc8b128393d29p-12);
    q = FMA(q, z, 0x1.1305f5659c5a8p-7);
    p = FMA(q, x, p);
    p = FMA(p, x, -0x1.5eb8eba1dfe9cp-3);
    p = FMA(p, x, 0x1.d0cedcb8c9053p-2);
    return p;
}
/* end */

/* fit symop_fit_erfcx_slope */
/* Largest weighted error 0.0051; by benchmarks.vector_coefficients. */
SYMOP_INLINE double symop_fit_erfcx_slope(double x) {
    double p = 0x1.427cb3c0e4428p-4;
    p = FMA(p, x, -0x1.e69f735e61371p-2);
    p = FMA(p, x, 0x1.d62fabb5c8365p-1);
    p = FMA(p, x, -0x1.9e3df11fd18acp-1);
    return p;
}
/* end */

/* In double precision, to some 30 bits, for 0 <= a. */
SYMOP_INLINE double symop_scaled_erfc_short(double a) {
    double inverse = 1.0 / (a + 2.5);
    return inverse * symop_fit_erfcx_short((a - 2.5) * inverse);
}

/* For 0 <= a < 2**500. */
SYMOP_INLINE double symop_scaled_erfc(double a, double *low) {
    double d = a + 2.5;
    double d_low = symop_sum_low(a, 2.5, d);
    double numerator = a - 2.5;
    double inverse = 1.0 / d;
    double t = numerator * inverse;
    double back = t * d;
    double rest = (numerator - back) - symop_product_low(t, d, back);
    double t_low = (rest + symop_sum_low(a, -2.5, numerator) - t * d_low) * inverse;
    double tail = symop_fit_erfcx(t);
    double term = t * tail;
    double q = SYMOP_ERFCX_SLOPE + term;
    double q_low = symop_sum_low(SYMOP_ERFCX_SLOPE, term, q) + symop_product_low(t, tail, term) + SYMOP_ERFCX_SLOPE_LOW;
    term = t * q;
    double p = SYMOP_ERFCX_MIDDLE + term;
    double p_low = symop_sum_low(SYMOP_ERFCX_MIDDLE, term, p) + symop_product_low(t, q, term);
    p_low = FMA(t_low, symop_fit_erfcx_slope(t), FMA(t, q_low, p_low)) + SYMOP_ERFCX_MIDDLE_LOW;
    double y = p * inverse;
    back = y * d;
    *low = ((p - back) - symop_product_low(y, d, back) + (p_low - y * d_low)) * inverse;
    return y;
}
