/* erfc(x) = exp(-x**2) * (exp(x**2)*erfc(x)) for x >= 0, 2 - erfc(-x) for x < 0. */
SYMOP_INLINE double symop_erfc_short(double x) {
    double a = __builtin_fabs(x);
    a = a > 11.0 ? 11.0 : a;
    double power = a * a * -0x1.71547652b82fep+0;
    double t = power + SYMOP_ROUNDER;
    double p = symop_fit_exp2_short(power - (t - SYMOP_ROUNDER));
    double e = p * symop_double((symop_bits64(t) << 52) + 0x3ff0000000000000u);
    double y = e * symop_scaled_erfc_short(a);
    return x < 0.0 ? 2.0 - y : y;
}

SYMOP_INLINE float symop_erfcf(float x) { return (float)symop_erfc_short((double)x); }

SYMOP_INLINE double symop_erfc(double x) {
    double a = __builtin_fabs(x);
    a = a > 28.0 ? 28.0 : a;
    double square = a * a;
    double square_low = symop_product_low(a, a, square);
    double t = FMA(square, -0x1.71547652b82fep+0, SYMOP_ROUNDER);
    double n = t - SYMOP_ROUNDER;
    double first = FMA(n, -0x1.62e42fefap-1, -square);
    double second = n * 0x1.cf79abc9e3b3ap-40;
    double r = first - second;
    double r_low = ((first - r) - second) - square_low;
    double slope = symop_fit_exp(r);
    double u = FMA(r, slope, r_low * FMA(r, slope, 1.0));
    double low;
    double scaled = symop_scaled_erfc(a, &low);
    double y = scaled + FMA(scaled, u, FMA(low, u, low));
    uint64_t bits = symop_bits64(t);
    uint64_t half = bits >> 1;
    y = y * symop_double((half << 52) + 0x3ff0000000000000u)
        * symop_double(((bits - half) << 52) + 0x3ff0000000000000u);
    return x < 0.0 ? 2.0 - y : y;
}
