/*
 * |x| <= 1/2: asin(x) = x + x**3*p(x**2). Beyond, with s = sqrt((1 - |x|)/2):
 * asin(|x|) = pi/2 - 2*asin(s), where s**2 <= 1/4 is exact, and what the root lost is carried along.
 */
/* fit symop_fit_asin_short */
/* Largest weighted error 1.6e-11; by benchmarks.vector_coefficients. */
SYMOP_INLINE double symop_fit_asin_short(double x) {
    double p = 0x1.1bd198b354157p-5;
    p = FMA(p, x, 0x1.ec2be5b9c27eap-8);
    p = FMA(p, x, 0x1.931ee6f0a2d70p-6);
    p = FMA(p, x, 0x1.ed5d397a6f2c0p-6);
    p = FMA(p, x, 0x1.6ddabe454edefp-5);
    p = FMA(p, x, 0x1.3332aa0fcfa45p-4);
    p = FMA(p, x, 0x1.55555605ba6b2p-3);
    return p;
}
/* end */

/* asin(s), with s = |x| or the root. */
SYMOP_INLINE double symop_arcsinef(double a, int is_far) {
    double z = is_far ? 0.5 - 0.5 * a : a * a;
    double s = is_far ? __builtin_sqrt(z) : a;
    return FMA(s * z, symop_fit_asin_short(z), s);
}

/* fit symop_fit_asin */
/* Largest weighted error 9.6e-19; by benchmarks.vector_coefficients. */
SYMOP_INLINE double symop_fit_asin(double x) {
    double z = x * x;
    double p = 0x1.0b46f576d6650p-5;
    p = FMA(p, z, 0x1.639cc492c5adfp-6);
    p = FMA(p, z, 0x1.613c94265ef0ep-7);
    p = FMA(p, z, 0x1.ca1f8d6306f04p-7);
    p = FMA(p, z, 0x1.6e8bdee0218b8p-6);
    p = FMA(p, z, 0x1.6db6db721265ep-5);
    double q = -0x1.57fe10752c381p-6;
    q = FMA(q, z, 0x1.e5f4c59b067bap-9);
    q = FMA(q, z, 0x1.75858934710a7p-7);
    q = FMA(q, z, 0x1.1c49f05e5f27cp-6);
    q = FMA(q, z, 0x1.f1c71a94f40b0p-6);
    p = FMA(q, x, p);
    p = FMA(p, x, 0x1.333333332e131p-4);
    p = FMA(p, x, 0x1.5555555555577p-3);
    return p;
}
/* end */

/* asin(s) - s; *s is s. */
SYMOP_INLINE double symop_arcsine(double a, int is_far, double *s) {
    double z = is_far ? 0.5 - 0.5 * a : a * a;
    double root = __builtin_sqrt(z);
    double square = root * root;
    double low = (z - square) - symop_product_low(root, root, square);
    low = (is_far & (z > 0.0)) ? 0.5 * low / root : 0.0;
    *s = is_far ? root : a;
    return FMA(*s * z, symop_fit_asin(z), low);
}
