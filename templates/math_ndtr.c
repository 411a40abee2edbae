/* erfc(-x/sqrt(2))/2, where the quotient carries along what it lost. */
SYMOP_INLINE float symop_ndtrf(float x) {
    return (float)(0.5 * symop_erfc_short((double)x * -0x1.6a09e667f3bcdp-1));
}

/* The derivative of erfc is -2/sqrt(pi)*exp(-a**2), which is about 2*a*erfc(a) where it matters. */
SYMOP_INLINE double symop_ndtr(double x) {
    double t = x < -40.0 ? -40.0 : x;
    double u = t * -0x1.6a09e667f3bcdp-1;
    double low = FMA(t, 0x1.bdd3413b26456p-55, -symop_product_low(t, 0x1.6a09e667f3bcdp-1, -u));
    double y = 0.5 * symop_erfc(u);
    return t < 0.0 ? FMA(-2.0 * u * low, y, y) : y;
}
