/*
 * sqrt(x**2 - y**2) for |x| >= |y|, as the root of (|x| - |y|)*(|x| + |y|), with both numbers scaled by the
 * power of 2 in x, so that the product neither overflows nor vanishes.
 */
SYMOP_INLINE float symop_cathetusf(float y, float x) {
    uint32_t power = symop_bits32(x) & 0x7f800000u;
    power = power < 0x00800000u ? 0x00800000u : power;
    power = power > 0x7e800000u ? 0x7e800000u : power;
    float scale = symop_float(0x7f000000u - power);
    float a = __builtin_fabsf(x) * scale;
    float b = __builtin_fabsf(y) * scale;
    return __builtin_sqrtf((a - b) * (a + b)) * symop_float(power);
}

SYMOP_INLINE double symop_cathetus(double y, double x) {
    uint64_t power = symop_bits64(x) & 0x7ff0000000000000u;
    power = power < 0x0010000000000000u ? 0x0010000000000000u : power;
    power = power > 0x7fd0000000000000u ? 0x7fd0000000000000u : power;
    double scale = symop_double(0x7fe0000000000000u - power);
    double a = __builtin_fabs(x) * scale;
    double b = __builtin_fabs(y) * scale;
    return __builtin_sqrt((a - b) * (a + b)) * symop_double(power);
}
