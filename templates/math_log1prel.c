/*
 * log1p(x)/x, and less its derivative, in double with z = x/(2 + x), |z| < 1/2, from the series of 2*atanh(z).
 * Both, and those of -x, have the reciprocal of |x| in common.
 */
/* fit symop_fit_atanh_tail */
/* Largest weighted error 5.9e-17; by benchmarks.vector_coefficients. */
SYMOP_INLINE double symop_fit_atanh_tail(double x) {
    double z = x * x;
    double p = -0x1.f7d6a11ad18fap-2;
    p = FMA(p, z, -0x1.a0e04e985562fp-1);
    p = FMA(p, z, -0x1.4736f22d8ca1fp-4);
    p = FMA(p, z, 0x1.90505fd132164p-5);
    p = FMA(p, z, 0x1.10f42f85c0181p-4);
    p = FMA(p, z, 0x1.745d0c1bc25a0p-4);
    p = FMA(p, z, 0x1.249249244fa6dp-3);
    double q = 0x1.11f7e563b1050p+0;
    q = FMA(q, z, 0x1.c58111604dabbp-2);
    q = FMA(q, z, 0x1.2ca58e3783eb0p-4);
    q = FMA(q, z, 0x1.e50bcf849a5eap-5);
    q = FMA(q, z, 0x1.3b151676fcc12p-4);
    q = FMA(q, z, 0x1.c71c71fc8a6f3p-4);
    p = FMA(q, x, p);
    p = FMA(p, x, 0x1.9999999999db0p-3);
    p = FMA(p, x, 0x1.5555555555555p-2);
    return p;
}
/* end */

/*
 * The two parts of log(1 + x) = k*ln(2) + log(1 + f), and f and k; the exponent of a large x is cut where what
 * the sum lost no longer counts.
 */
SYMOP_INLINE float symop_log_one_more_partsf(float x, float *rest, float *f, float *k) {
    float sum = 1.0f + x;
    uint32_t bits = symop_bits32(sum) - 0x3f3504f3u;
    int32_t exponent = (int32_t)bits >> 23;
    *f = symop_float((bits & 0x007fffffu) + 0x3f3504f3u) - 1.0f;
    *k = (float)exponent;
    int32_t cut = exponent < 126 ? exponent : 126;
    float scale = symop_float(0x3f800000u - ((uint32_t)cut << 23));
    return symop_log_partsf(*k, *f, scale * (x - (sum - 1.0f)), rest);
}

SYMOP_INLINE float symop_log1prelf(float x) {
    float a = x > 0x1.fffffep+127f ? 0x1.fffffep+127f : x;
    float rest, f, k;
    float y = symop_log_one_more_partsf(a, &rest, &f, &k);
    y = (y + rest) * __builtin_copysignf(1.0f / __builtin_fabsf(x), x);
    y = x > -1.0f ? y : (x == -1.0f ? __builtin_inff() : __builtin_nanf(""));
    return __builtin_fabsf(x) < 0x1p-25f ? 1.0f : y;
}

/* (log1p(x) - x/(1 + x))/x**2; for k = 0 the logarithm is x - x**2/2 + x**3*p(x). */
SYMOP_INLINE float symop_log1prel_1f(float x) {
    float a = x > 0x1.fffffep+127f ? 0x1.fffffep+127f : x;
    float rest, f, k;
    float y = symop_log_one_more_partsf(a, &rest, &f, &k);
    float sum = 1.0f + a;
    float slope = 1.0f / sum;
    float near = FMAF(a, symop_fit_logf(f), slope - 0.5f);
    float share = a * slope;
    float lost = FMAF(-share, a - (sum - 1.0f), symop_residualf(a, share, sum));
    float inverse = 1.0f / __builtin_fabsf(x);
    float far = ((y - share) + FMAF(-lost, slope, rest)) * inverse * inverse;
    y = k == 0.0f ? near : far;
    return x > -1.0f ? y : __builtin_nanf("");
}

/* log(1 + x) for x >= -1. */
SYMOP_INLINE double symop_log_one_more(double x) {
    double a = x > 0x1.fffffffffffffp+1023 ? 0x1.fffffffffffffp+1023 : x;
    int is_far = a > 0x1p64;
    double sum = 1.0 + a;
    double low = a - (sum - 1.0);
    double y = symop_log_pair(is_far ? 64.0 : 0.0, is_far ? a * 0x1p-64 : sum, is_far ? 0.0 : low);
    return x > -1.0 ? y : (x == -1.0 ? -__builtin_inf() : __builtin_nan(""));
}

SYMOP_INLINE double symop_log1prel(double x) {
    double y = symop_log_one_more(x) * __builtin_copysign(1.0 / __builtin_fabs(x), x);
    return __builtin_fabs(x) < 0x1p-54 ? 1.0 : y;
}

SYMOP_INLINE double symop_log1prel_1(double x) {
    double a = x > 0x1.fffffffffffffp+1023 ? 0x1.fffffffffffffp+1023 : x;
    double inverse = 1.0 / (2.0 + a);
    double slope = 1.0 / (1.0 + a);
    double z = a * inverse;
    double part = FMA(0.5, slope, 0.5);
    double near = FMA(z, symop_fit_atanh_tail(z * z), part) * (inverse * inverse) * 2.0;
    double over = __builtin_copysign(1.0 / __builtin_fabs(x), x);
    double far = (symop_log_one_more(x) * over - slope) * over;
    double y = __builtin_fabs(z) < 0.5 ? near : far;
    return x > -1.0 ? y : __builtin_nan("");
}
