/*
 * log(ndtr(x)), and its derivative exp(-x**2/2)/(sqrt(2*pi)*ndtr(x)). With f of math_mills.c:
 * log(f) - x**2/2 for x < 0, log1p(-exp(-x**2/2)*f) for x >= 0, by one logarithm.
 */
SYMOP_INLINE float symop_log_ndtrf(float x) {
    float a = __builtin_fabsf(x);
    a = x > 15.4f ? 15.4f : a;
    float power;
    float u = symop_bellf(a, &power);
    float q = symop_fit_mills_belowf(a);
    float sum = symop_over_millsf(a, q);
    int is_far = a > 8192.0f;
    float scaled = (is_far ? 0x1.988454p-2f : q) / (is_far ? a : sum);
    float y = VANISHINGF(FMAF(scaled, u, scaled) * power, SYMOP_POWERF);
    float whole = 1.0f - y;
    float low = (1.0f - whole) - y;
    int is_negative = x < 0.0f;
    float square = is_negative ? 0.5f * a * a : 0.0f;
    return symop_log_pairf(0.0f, is_negative ? scaled : whole, is_negative ? 0.0f : low) - square;
}

SYMOP_INLINE float symop_inverse_millsf(float x) {
    float a = __builtin_fabsf(x);
    a = x > 15.4f ? 15.4f : a;
    float power;
    float u = symop_bellf(a, &power);
    float q = symop_fit_mills_belowf(a);
    float sum = symop_over_millsf(a, q);
    int is_negative = x < 0.0f;
    float over = 0x1.988454p-2f * (is_negative ? sum : FMAF(sum, u, sum));
    float below = is_negative ? q : sum - FMAF(q, u, q) * power * SYMOP_POWERF;
    float y = over / below * (is_negative ? 1.0f / SYMOP_POWERF : power) * SYMOP_POWERF;
    return x < -8192.0f ? -x : y;
}

SYMOP_INLINE double symop_log_ndtr(double x) {
    double a = __builtin_fabs(x);
    a = x > 39.0 ? 39.0 : a;
    double power;
    double u = symop_bell(a, &power);
    double q = symop_fit_mills_below(a);
    double sum = symop_over_mills(a, q);
    int is_far = a > 3e8;
    double scaled = (is_far ? 0x1.9884533d43651p-2 : q) / (is_far ? a : sum);
    double y = VANISHING(FMA(scaled, u, scaled) * power, SYMOP_POWER);
    double whole = 1.0 - y;
    double low = (1.0 - whole) - y;
    int is_negative = x < 0.0;
    double square = is_negative ? 0.5 * a * a : 0.0;
    return symop_log_pair(0.0, is_negative ? scaled : whole, is_negative ? 0.0 : low) - square;
}

SYMOP_INLINE double symop_inverse_mills(double x) {
    double a = __builtin_fabs(x);
    a = x > 39.0 ? 39.0 : a;
    double power;
    double u = symop_bell(a, &power);
    double q = symop_fit_mills_below(a);
    double sum = symop_over_mills(a, q);
    int is_negative = x < 0.0;
    double over = 0x1.9884533d43651p-2 * (is_negative ? sum : FMA(sum, u, sum));
    double below = is_negative ? q : sum - FMA(q, u, q) * power * SYMOP_POWER;
    double y = over / below * (is_negative ? 1.0 / SYMOP_POWER : power) * SYMOP_POWER;
    return x < -3e8 ? -x : y;
}
