/*
 * offset*ln(2) + log(1 + x + low), or without the 1, for 0 < 1 + x + low < 2**1000 and |low| within a
 * unit in the last place of x: 1 + x = 2**k * (1 + f), f = 2**-k * x + (2**-k - 1).
 */
SYMOP_INLINE double symop_log_sum(double offset, int has_one, double x, double x_low) {
    uint64_t bits = symop_bits64((has_one ? 1.0 : 0.0) + x) - 0x3fe6a09e667f3bcdu + 0x3ff0000000000000u;
    uint64_t exponent = bits >> 52;
    double k = symop_double(exponent | 0x4330000000000000u) - (0x1p52 + 1023.0);
    double scale = symop_double((2046u - exponent) << 52);
    double term = scale * x;
    double less = (has_one ? scale : 0.0) - 1.0;
    double f = term + less;
    return symop_log_reduced(k + offset, f, FMA(scale, x_low, symop_sum_low(term, less, f)));
}
