/*
 * log1p(x)/x, and less its derivative: with z = x/(2 + x), |z| < 1/2, from the series of 2*atanh(z).
 */
/* fit symop_fit_atanh_tailf */
/* Largest weighted error 3.2e-08; by benchmarks.vector_coefficients. */
SYMOP_INLINE float symop_fit_atanh_tailf(float x) {
    float p = 0x1.f5e6f00000000p-3f;
    p = FMAF(p, x, -0x1.931e0e0000000p-6f);
    p = FMAF(p, x, 0x1.d978b40000000p-4f);
    p = FMAF(p, x, 0x1.bb452a0000000p-4f);
    p = FMAF(p, x, 0x1.24e4020000000p-3f);
    p = FMAF(p, x, 0x1.9997fa0000000p-3f);
    p = FMAF(p, x, 0x1.5555560000000p-2f);
    return p;
}
/* end */

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

SYMOP_INLINE float symop_log1prelf(float x) {
    float a = x > 0x1.fffffep+127f ? 0x1.fffffep+127f : x;
    int is_far = a > 0x1p64f;
    float sum = 1.0f + a;
    float low = symop_sum_lowf(1.0f, a, sum);
    low = is_far ? 0.0f : low;
    sum = is_far ? a * 0x1p-64f : sum;
    float y = symop_log_pairf(is_far ? 64.0f : 0.0f, sum, low);
    y = a == -1.0f ? -__builtin_inff() : y;
    y = a < -1.0f ? __builtin_nanf("") : y;
    return x == 0.0f ? 1.0f : y / x;
}

SYMOP_INLINE float symop_log1prel_1f(float x) {
    float inverse = 1.0f / (2.0f + x);
    float z = x * inverse;
    float slope = 1.0f / (1.0f + x);
    float part = FMAF(0.5f, slope, 0.5f);
    float near = FMAF(z, symop_fit_atanh_tailf(z * z), part) * (inverse * inverse) * 2.0f;
    float far = (symop_log1prelf(x) - slope) / x;
    return __builtin_fabsf(z) < 0.5f ? near : far;
}

SYMOP_INLINE double symop_log1prel(double x) {
    double a = x > 0x1.fffffffffffffp+1023 ? 0x1.fffffffffffffp+1023 : x;
    int is_far = a > 0x1p64;
    double sum = 1.0 + a;
    double low = symop_sum_low(1.0, a, sum);
    low = is_far ? 0.0 : low;
    sum = is_far ? a * 0x1p-64 : sum;
    double y = symop_log_pair(is_far ? 64.0 : 0.0, sum, low);
    y = a == -1.0 ? -__builtin_inf() : y;
    y = a < -1.0 ? __builtin_nan("") : y;
    return x == 0.0 ? 1.0 : y / x;
}

SYMOP_INLINE double symop_log1prel_1(double x) {
    double inverse = 1.0 / (2.0 + x);
    double z = x * inverse;
    double slope = 1.0 / (1.0 + x);
    double part = FMA(0.5, slope, 0.5);
    double near = FMA(z, symop_fit_atanh_tail(z * z), part) * (inverse * inverse) * 2.0;
    double far = (symop_log1prel(x) - slope) / x;
    return __builtin_fabs(z) < 0.5 ? near : far;
}
