/*
 * log(erfc(x)), and exp(-x**2)/erfc(x). With f of math_scaled_erfc.c: x*p(x) for |x| < 0.5; beyond,
 * log(f) - x**2 for x > 0, log(2 - exp(-x**2)*f) for x < 0, by one logarithm.
 */
/* fit symop_fit_log_erfc_nearf */
/* Largest weighted error 5.3e-08; by benchmarks.vector_coefficients. */
SYMOP_INLINE float symop_fit_log_erfc_nearf(float x) {
    float z = x * x;
    float p = -0x1.071f600000000p-9f;
    p = FMAF(p, z, 0x1.98e1ba0000000p-10f);
    p = FMAF(p, z, 0x1.e687080000000p-15f);
    p = FMAF(p, z, -0x1.a4ecfc0000000p-4f);
    float q = -0x1.147bd80000000p-10f;
    q = FMAF(q, z, 0x1.0ed73e0000000p-11f);
    q = FMAF(q, z, -0x1.d2e9160000000p-10f);
    q = FMAF(q, z, 0x1.3978680000000p-6f);
    p = FMAF(q, x, p);
    p = FMAF(p, x, -0x1.45f3080000000p-1f);
    p = FMAF(p, x, -0x1.20dd760000000p+0f);
    return p;
}
/* end */

/* fit symop_fit_log_erfc_near */
/* Largest weighted error 1.4e-17; by benchmarks.vector_coefficients. */
SYMOP_INLINE double symop_fit_log_erfc_near(double x) {
    double z = x * x;
    double p = -0x1.1bdb48240a872p-21;
    p = FMA(p, z, 0x1.34b70de82f8cep-21);
    p = FMA(p, z, -0x1.a55c4319fe48bp-22);
    p = FMA(p, z, 0x1.d54e4a06725a0p-20);
    p = FMA(p, z, -0x1.d5a79d717fe55p-19);
    p = FMA(p, z, -0x1.0e9b1294faf88p-14);
    p = FMA(p, z, 0x1.3564f84e92b2dp-11);
    p = FMA(p, z, 0x1.b6b684954a0b2p-13);
    p = FMA(p, z, -0x1.a4f4e2a1b4dd9p-4);
    double q = -0x1.bbac0c01fac5fp-23;
    q = FMA(q, z, 0x1.ceea349c2d4d5p-23);
    q = FMA(q, z, 0x1.48e61f0093e24p-31);
    q = FMA(q, z, -0x1.3f17185d3bf3fp-22);
    q = FMA(q, z, -0x1.70f2877baa3a9p-19);
    q = FMA(q, z, 0x1.f39886ebdba3ep-16);
    q = FMA(q, z, -0x1.b202ae8adc0f3p-16);
    q = FMA(q, z, -0x1.bca67403cbb54p-10);
    q = FMA(q, z, 0x1.39668594ef3a9p-6);
    p = FMA(q, x, p);
    p = FMA(p, x, -0x1.45f306dc9c883p-1);
    p = FMA(p, x, -0x1.20dd750429b6dp+0);
    return p;
}
/* end */

SYMOP_INLINE float symop_log_erfcf(float x) {
    float a = __builtin_fabsf(x);
    float near = x * symop_fit_log_erfc_nearf(x);
    a = x < -10.9f ? 10.9f : a;
    float scaled = symop_scaled_erfcf(a);
    float s = a * a;
    float power;
    float u = symop_exp_squaref(s, symop_product_lowf(a, a, s), &power);
    float y = VANISHINGF(FMAF(scaled, u, scaled) * power, SYMOP_POWERF);
    float whole = 2.0f - y;
    float low = (2.0f - whole) - y;
    int is_negative = x < 0.0f;
    float far = symop_log_pairf(0.0f, is_negative ? whole : scaled, is_negative ? low : 0.0f);
    far = far - (is_negative ? 0.0f : s);
    return a < 0.5f ? near : far;
}

SYMOP_INLINE float symop_inverse_erfcxf(float x) {
    float a = __builtin_fabsf(x);
    a = x < -10.9f ? 10.9f : a;
    float s = a * a;
    float power;
    float u = symop_exp_squaref(s, symop_product_lowf(a, a, s), &power);
    float q = symop_fit_erfcx_belowf(a);
    float sum = symop_over_erfcxf(a, q);
    int is_negative = x < 0.0f;
    float over = is_negative ? FMAF(sum, u, sum) : sum;
    float below = is_negative ? FMAF(2.0f, sum, -FMAF(q, u, q) * power * SYMOP_POWERF) : q;
    float y = over / below * (is_negative ? power : 1.0f / SYMOP_POWERF) * SYMOP_POWERF;
    return x > 8192.0f ? x * 0x1.c5bf8ap+0f : y;
}

SYMOP_INLINE double symop_log_erfc(double x) {
    double a = __builtin_fabs(x);
    double near = x * symop_fit_log_erfc_near(x);
    a = x < -28.0 ? 28.0 : a;
    double scaled = symop_scaled_erfc(a);
    double s = a * a;
    double power;
    double u = symop_exp_square(s, symop_product_low(a, a, s), &power);
    double y = VANISHING(FMA(scaled, u, scaled) * power, SYMOP_POWER);
    double whole = 2.0 - y;
    double low = (2.0 - whole) - y;
    int is_negative = x < 0.0;
    double far = symop_log_pair(0.0, is_negative ? whole : scaled, is_negative ? low : 0.0);
    far = far - (is_negative ? 0.0 : s);
    return a < 0.5 ? near : far;
}

SYMOP_INLINE double symop_inverse_erfcx(double x) {
    double a = __builtin_fabs(x);
    a = x < -28.0 ? 28.0 : a;
    double s = a * a;
    double power;
    double u = symop_exp_square(s, symop_product_low(a, a, s), &power);
    double q = symop_fit_erfcx_below(a);
    double sum = symop_over_erfcx(a, q);
    int is_negative = x < 0.0;
    double over = is_negative ? FMA(sum, u, sum) : sum;
    double below = is_negative ? FMA(2.0, sum, -FMA(q, u, q) * power * SYMOP_POWER) : q;
    double y = over / below * (is_negative ? power : 1.0 / SYMOP_POWER) * SYMOP_POWER;
    return x > 3e8 ? x * 0x1.c5bf891b4ef6bp+0 : y;
}
