/*
 * log(a/b) from the quotient and what it lost; where it may overflow or vanish, from the quotient of the
 * significands and the difference of the exponents.
 */
SYMOP_INLINE float symop_far_quotient_logf(float a, float b) {
    float p = __builtin_fabsf(a);
    float q = __builtin_fabsf(b);
    int is_tiny = p < 0x1p-126f;
    int is_small = q < 0x1p-126f;
    uint32_t over = symop_bits32(is_tiny ? p * 0x1p25f : p);
    uint32_t under = symop_bits32(is_small ? q * 0x1p25f : q);
    float u = symop_float((over & 0x007fffffu) | 0x3f800000u);
    float v = symop_float((under & 0x007fffffu) | 0x3f800000u);
    float k = (float)((int32_t)(over >> 23) - (int32_t)(under >> 23));
    k += (is_small ? 25.0f : 0.0f) - (is_tiny ? 25.0f : 0.0f);
    float inverse = 1.0f / v;
    float r = u * inverse;
    float y = symop_log_pairf(k, r, symop_residualf(u, r, v) * inverse);
    y = p == 0.0f ? -__builtin_inff() : y;
    y = q == __builtin_inff() ? -__builtin_inff() : y;
    y = p == __builtin_inff() ? __builtin_inff() + (q < __builtin_inff() ? 0.0f : y) : y;
    y = q == 0.0f ? __builtin_inff() + (p > 0.0f ? 0.0f : y) : y;
    float sign = __builtin_copysignf(1.0f, a) * __builtin_copysignf(1.0f, b);
    float other = y == -__builtin_inff() ? y : __builtin_nanf("");
    y = sign < 0.0f ? other : y;
    y = a == a ? y : a;
    return b == b ? y : b;
}

SYMOP_INLINE double symop_far_quotient_log(double a, double b) {
    double p = __builtin_fabs(a);
    double q = __builtin_fabs(b);
    int is_tiny = p < 0x1p-1022;
    int is_small = q < 0x1p-1022;
    uint64_t over = symop_bits64(is_tiny ? p * 0x1p54 : p);
    uint64_t under = symop_bits64(is_small ? q * 0x1p54 : q);
    double u = symop_double((over & 0x000fffffffffffffu) | 0x3ff0000000000000u);
    double v = symop_double((under & 0x000fffffffffffffu) | 0x3ff0000000000000u);
    double k = symop_double((over >> 52) | 0x4330000000000000u) - symop_double((under >> 52) | 0x4330000000000000u);
    k += (is_small ? 54.0 : 0.0) - (is_tiny ? 54.0 : 0.0);
    double inverse = 1.0 / v;
    double r = u * inverse;
    double y = symop_log_pair(k, r, symop_residual(u, r, v) * inverse);
    y = p == 0.0 ? -__builtin_inf() : y;
    y = q == __builtin_inf() ? -__builtin_inf() : y;
    y = p == __builtin_inf() ? __builtin_inf() + (q < __builtin_inf() ? 0.0 : y) : y;
    y = q == 0.0 ? __builtin_inf() + (p > 0.0 ? 0.0 : y) : y;
    double sign = __builtin_copysign(1.0, a) * __builtin_copysign(1.0, b);
    double other = y == -__builtin_inf() ? y : __builtin_nan("");
    y = sign < 0.0 ? other : y;
    y = a == a ? y : a;
    return b == b ? y : b;
}

SYMOP_INLINE int symop_far_log_ratiof(float a, float b) {
    return !((a > 0x1p-60f) & (a < 0x1p60f) & (b > 0x1p-60f) & (b < 0x1p60f));
}

SYMOP_INLINE float symop_log_ratiof(float a, float b) {
    float inverse = 1.0f / b;
    float r = a * inverse;
    return symop_log_pairf(0.0f, r, symop_residualf(a, r, b) * inverse);
}

SYMOP_INLINE float symop_log_ratio_anyf(float a, float b) {
    float far = symop_far_quotient_logf(a, b);
    return symop_far_log_ratiof(a, b) ? far : symop_log_ratiof(a, b);
}

SYMOP_INLINE int symop_far_log_ratio(double a, double b) {
    return !((a > 0x1p-400) & (a < 0x1p400) & (b > 0x1p-400) & (b < 0x1p400));
}

SYMOP_INLINE double symop_log_ratio(double a, double b) {
    double inverse = 1.0 / b;
    double r = a * inverse;
    return symop_log_pair(0.0, r, symop_residual(a, r, b) * inverse);
}

SYMOP_INLINE double symop_log_ratio_any(double a, double b) {
    double far = symop_far_quotient_log(a, b);
    return symop_far_log_ratio(a, b) ? far : symop_log_ratio(a, b);
}
