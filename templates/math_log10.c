/* log10(x) = k*log10(2) + log10(1 + f), as log2. */
SYMOP_INLINE float symop_log10f(float x) {
    float y = (float)(symop_log2_short((double)x) * 0x1.34413509f79ffp-2);
    y = x < __builtin_inff() ? y : x;
    return x > 0.0f ? y : (x == 0.0f ? -__builtin_inff() : __builtin_nanf(""));
}

SYMOP_INLINE double symop_log10(double x) {
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
    double whole = high * 0x1.bcb7b152p-2;
    double rest = FMA(low + high, 0x1.b9438ca9aadd5p-36, low * 0x1.bcb7b152p-2);
    rest = FMA(k, 0x1.9fef311f12b36p-42, rest);
    double first = k * 0x1.34413509f6p-2;
    double sum = first + whole;
    double y = sum + (rest + ((first - sum) + whole));
    y = x < __builtin_inf() ? y : x;
    return x > 0.0 ? y : (x == 0.0 ? -__builtin_inf() : __builtin_nan(""));
}
