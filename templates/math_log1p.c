/*
 * log1p(x) = k*ln(2) + log(1 + f), 1 + x = 2**k * (1 + f): f = 2**-k * x + (2**-k - 1), and what
 * the rounding of this sum lost is carried along. Far out the 1 is left out, and x scaled.
 */
SYMOP_INLINE float symop_log1pf(float x) {
    int is_large = x > 0x1p64f;
    float scaled = is_large ? x * 0x1p-64f : x;
    uint32_t bits = symop_bits32((is_large ? 0.0f : 1.0f) + scaled) - 0x3f3504f3u;
    int32_t exponent = (int32_t)bits >> 23;
    float k = (float)exponent + (is_large ? 64.0f : 0.0f);
    float scale = symop_float(0x3f800000u - ((uint32_t)exponent << 23));
    float term = scale * scaled;
    float less = (is_large ? 0.0f : scale) - 1.0f;
    float f = term + less;
    float back = f - term;
    float low = (term - (f - back)) + (less - back);
    float y = symop_log_reducedf(k, f, low);
    y = x < __builtin_inff() ? y : x;
    y = __builtin_fabsf(x) < 0x1p-25f ? x : y;
    return x > -1.0f ? y : (x == -1.0f ? -__builtin_inff() : __builtin_nanf(""));
}

SYMOP_INLINE double symop_log1p(double x) {
    int is_large = x > 0x1p64;
    double scaled = is_large ? x * 0x1p-64 : x;
    uint64_t bits = symop_bits64((is_large ? 0.0 : 1.0) + scaled) - 0x3fe6a09e667f3bcdu + 0x3ff0000000000000u;
    uint64_t exponent = bits >> 52;
    double k = symop_double(exponent | 0x4330000000000000u) - (is_large ? 0x1p52 + 959.0 : 0x1p52 + 1023.0);
    double scale = symop_double((2046u - exponent) << 52);
    double term = scale * scaled;
    double less = (is_large ? 0.0 : scale) - 1.0;
    double f = term + less;
    double back = f - term;
    double low = (term - (f - back)) + (less - back);
    double y = symop_log_reduced(k, f, low);
    y = x < __builtin_inf() ? y : x;
    y = __builtin_fabs(x) < 0x1p-54 ? x : y;
    return x > -1.0 ? y : (x == -1.0 ? -__builtin_inf() : __builtin_nan(""));
}
