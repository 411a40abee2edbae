/*
 * log2(x) = k + log2(1 + f). float: in double precision. double: as log, and the multiplication by
 * log2(e) in two parts, where the leading part of log(1 + f) is cut so that its product is exact.
 */
/* fit symop_fit_log2_short */
/* Largest weighted error 1.2e-11; by benchmarks.vector_coefficients. */
SYMOP_INLINE double symop_fit_log2_short(double x) {
    double p = 0x1.5cecd21293825p-2;
    p = FMA(p, x, 0x1.a58d48d5ebaa1p-2);
    p = FMA(p, x, 0x1.277780763ae75p-1);
    p = FMA(p, x, 0x1.ec709d12074f4p-1);
    p = FMA(p, x, 0x1.71547652beea2p+1);
    return p;
}
/* end */

/* log2 of a positive double number that is neither subnormal nor infinite, to some 36 bits. */
SYMOP_INLINE double symop_log2_short(double x) {
    uint64_t bits = symop_bits64(x) - 0x3fe6a09e667f3bcdu + 0x3ff0000000000000u;
    double k = symop_double((bits >> 52) | 0x4330000000000000u) - (0x1p52 + 1023.0);
    double f = symop_double((bits & 0x000fffffffffffffu) + 0x3fe6a09e667f3bcdu) - 1.0;
    double s = f / (2.0 + f);
    return FMA(s, symop_fit_log2_short(s * s), k);
}

SYMOP_INLINE float symop_log2f(float x) {
    float y = (float)symop_log2_short((double)x);
    y = x < __builtin_inff() ? y : x;
    return x > 0.0f ? y : (x == 0.0f ? -__builtin_inff() : __builtin_nanf(""));
}

SYMOP_INLINE double symop_log2(double x) {
    int is_tiny = x < 0x1p-1022;
    double scaled = is_tiny ? x * 0x1p54 : x;
    uint64_t bits = symop_bits64(scaled) - 0x3fe6a09e667f3bcdu + 0x3ff0000000000000u;
    double k = symop_double((bits >> 52) | 0x4330000000000000u) - (is_tiny ? 0x1p52 + 1077.0 : 0x1p52 + 1023.0);
    double f = symop_double((bits & 0x000fffffffffffffu) + 0x3fe6a09e667f3bcdu) - 1.0;
    double half = 0.5 * f * f;
    double s = f / (2.0 + f);
    double z = s * s;
    double high = symop_double(symop_bits64(f - half) & 0xffffffff00000000u);
    double low = ((f - high) - half) + s * FMA(z, symop_fit_log(z), half);
    double whole = high * 0x1.71547652p+0;
    double rest = FMA(low + high, 0x1.705fc2eefa2p-33, low * 0x1.71547652p+0);
    double sum = k + whole;
    double y = sum + (rest + ((k - sum) + whole));
    y = x < __builtin_inf() ? y : x;
    return x > 0.0 ? y : (x == 0.0 ? -__builtin_inf() : __builtin_nan(""));
}
