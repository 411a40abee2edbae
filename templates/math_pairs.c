/* What float operations lost, and logarithms of sums of two numbers. */
SYMOP_INLINE float symop_product_lowf(float a, float b, float product) {
#if SYMOP_FUSED
    return FMAF(a, b, -product);
#else
    return (float)((double)a * (double)b - (double)product);
#endif
}

SYMOP_INLINE float symop_sum_lowf(float a, float b, float sum) {
    float back = sum - a;
    return (a - (sum - back)) + (b - back);
}

/* x - q*d, where q*d is near x. */
SYMOP_INLINE float symop_residualf(float x, float q, float d) {
#if SYMOP_FUSED
    return FMAF(-q, d, x);
#else
    return (float)((double)x - (double)q * (double)d);
#endif
}

SYMOP_INLINE double symop_residual(double x, double q, double d) {
    double back = q * d;
    return (x - back) - symop_product_low(q, d, back);
}

/* offset*ln(2) + log(s + low), for 2**-126 <= s < 2**126 and a low far below s. */
SYMOP_INLINE float symop_log_pairf(float offset, float s, float low) {
    uint32_t bits = symop_bits32(s) - 0x3f3504f3u;
    int32_t exponent = (int32_t)bits >> 23;
    float f = symop_float((bits & 0x007fffffu) + 0x3f3504f3u) - 1.0f;
    float scale = symop_float(0x3f800000u - ((uint32_t)exponent << 23));
    return symop_log_reducedf((float)exponent + offset, f, VANISHINGF(scale, low));
}

/* The same, for 2**-1022 <= s < 2**1022. */
SYMOP_INLINE double symop_log_pair(double offset, double s, double low) {
    uint64_t bits = symop_bits64(s) - 0x3fe6a09e667f3bcdu + 0x3ff0000000000000u;
    uint64_t exponent = bits >> 52;
    double k = symop_double(exponent | 0x4330000000000000u) - (0x1p52 + 1023.0);
    double f = symop_double((bits & 0x000fffffffffffffu) + 0x3fe6a09e667f3bcdu) - 1.0;
    double scale = symop_double((2046u - exponent) << 52);
    return symop_log_reduced(k + offset, f, VANISHING(scale, low));
}
