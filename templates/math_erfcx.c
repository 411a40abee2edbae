/* exp(x**2)*erfc(x): by the quotient of math_scaled_erfc.c, and 2*exp(x**2) - that for x < 0. */
SYMOP_INLINE double symop_erfcx(double x) {
    double a = __builtin_fabs(x);
    double b = a > 0x1p100 ? 0x1p100 : a;
    double low;
    double scaled = symop_scaled_erfc(b, &low);
    double positive = a > 0x1p100 ? 0x1.20dd750429b6dp-1 / a : scaled + low;
    double c = a > 26.64 ? 26.64 : a;
    double square = c * c;
    double square_low = symop_product_low(c, c, square);
    double t = FMA(square, 0x1.71547652b82fep+0, SYMOP_ROUNDER);
    double n = t - SYMOP_ROUNDER;
    double first = FMA(n, -0x1.62e42fefap-1, square);
    double second = n * 0x1.cf79abc9e3b3ap-40;
    double r = first - second;
    double r_low = ((first - r) - second) + square_low;
    double slope = symop_fit_exp(r);
    double u = FMA(r, slope, r_low * FMA(r, slope, 1.0));
    /* 2**n in two factors, for it may overflow where the product does not. */
    double half = symop_double((symop_bits64(t) << 52) + 0x3fe0000000000000u);
    double e = 2.0 * ((2.0 + 2.0 * u) * half);
    return x < 0.0 ? e - positive : positive;
}

SYMOP_INLINE float symop_erfcxf(float x) { return (float)symop_erfcx((double)x); }
