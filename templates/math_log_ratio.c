/*
 * log(a/b) from the quotient and what it lost; where it may overflow or vanish, from the quotient of the
 * significands and the difference of the exponents. Where a - b is known, a/b is 1 + (a - b)/b near 1.
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

SYMOP_INLINE float symop_log_gapf(float b, float d) {
    float inverse = 1.0f / b;
    float q = d * inverse;
    float sum = 1.0f + q;
    float low = symop_sum_lowf(1.0f, q, sum) + symop_residualf(d, q, b) * inverse;
    return symop_log_pairf(0.0f, sum, low);
}

SYMOP_INLINE float symop_log_quotientf(float a, float b, float d) {
    int is_near = __builtin_fabsf(d) < 0.5f * b;
    float over = is_near ? d : a;
    float inverse = 1.0f / b;
    float q = over * inverse;
    float rest = symop_residualf(over, q, b) * inverse;
    float one = is_near ? 1.0f : 0.0f;
    float sum = one + q;
    return symop_log_pairf(0.0f, sum, (q - (sum - one)) + rest);
}

/* log(a/b) for any numbers, d = a - b. */
SYMOP_INLINE float symop_far_log_quotient_off(float a, float b, float d) {
    float near = symop_log1pf(d / b);
    float far = symop_far_quotient_logf(a, b);
    return __builtin_fabsf(d) < 0.5f * __builtin_fabsf(b) ? near : far;
}

SYMOP_INLINE int symop_far_log_gapf(float b, float d) {
    return symop_far_log_ratiof(b + d, b);
}

SYMOP_INLINE float symop_log_gap_anyf(float b, float d) {
    float far = symop_far_log_quotient_off(b + d + 0.0f, b + 0.0f, d);
    far = b < 0.0f ? __builtin_nanf("") : far;
    return symop_far_log_gapf(b, d) ? far : symop_log_gapf(b, d);
}

SYMOP_INLINE int symop_far_log_quotientf(float a, float b, float d) {
    return symop_far_log_ratiof(a, b) | (d != d);
}

SYMOP_INLINE float symop_log_quotient_anyf(float a, float b, float d) {
    float far = symop_far_log_quotient_off(a, b, d);
    return symop_far_log_quotientf(a, b, d) ? far : symop_log_quotientf(a, b, d);
}

SYMOP_INLINE double symop_log_gap(double b, double d) {
    double inverse = 1.0 / b;
    double q = d * inverse;
    double sum = 1.0 + q;
    double low = symop_sum_low(1.0, q, sum) + symop_residual(d, q, b) * inverse;
    return symop_log_pair(0.0, sum, low);
}

SYMOP_INLINE double symop_log_quotient(double a, double b, double d) {
    int is_near = __builtin_fabs(d) < 0.5 * b;
    double over = is_near ? d : a;
    double inverse = 1.0 / b;
    double q = over * inverse;
    double rest = symop_residual(over, q, b) * inverse;
    double one = is_near ? 1.0 : 0.0;
    double sum = one + q;
    return symop_log_pair(0.0, sum, (q - (sum - one)) + rest);
}

/* log(a/b) for any numbers, d = a - b. */
SYMOP_INLINE double symop_far_log_quotient_of(double a, double b, double d) {
    double near = symop_log1p(d / b);
    double far = symop_far_quotient_log(a, b);
    return __builtin_fabs(d) < 0.5 * __builtin_fabs(b) ? near : far;
}

SYMOP_INLINE int symop_far_log_gap(double b, double d) {
    return symop_far_log_ratio(b + d, b);
}

SYMOP_INLINE double symop_log_gap_any(double b, double d) {
    double far = symop_far_log_quotient_of(b + d + 0.0, b + 0.0, d);
    far = b < 0.0 ? __builtin_nan("") : far;
    return symop_far_log_gap(b, d) ? far : symop_log_gap(b, d);
}

SYMOP_INLINE int symop_far_log_quotient(double a, double b, double d) {
    return symop_far_log_ratio(a, b) | (d != d);
}

SYMOP_INLINE double symop_log_quotient_any(double a, double b, double d) {
    double far = symop_far_log_quotient_of(a, b, d);
    return symop_far_log_quotient(a, b, d) ? far : symop_log_quotient(a, b, d);
}
