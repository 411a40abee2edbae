/* The normal distribution, x times it, and the derivative of that: an exponential and a quotient each. */
SYMOP_INLINE float symop_ndtrf(float x) {
    float a = __builtin_fabsf(x);
    a = a > 14.9f ? 14.9f : a;
    float power;
    float u = symop_bellf(a, &power);
    float q = symop_fit_mills_belowf(a);
    float y = q / symop_over_millsf(a, q);
    y = VANISHINGF(FMAF(y, u, y) * power, SYMOP_POWERF);
    return x < 0.0f ? y : 1.0f - y;
}

/* x*ndtr(x) = max(x, 0) - |x|*ndtr(-|x|). */
SYMOP_INLINE float symop_geluf(float x) {
    float a = __builtin_fabsf(x);
    a = a > 14.9f ? 14.9f : a;
    float power;
    float u = symop_bellf(a, &power);
    float q = symop_fit_mills_belowf(a);
    float y = a * q / symop_over_millsf(a, q);
    y = VANISHINGF(FMAF(y, u, y) * power, SYMOP_POWERF);
    return (x < 0.0f ? -0.0f : x) - y;
}

/* ndtr(x) + x*exp(-x**2/2)/sqrt(2*pi), which is 1 less that of -x. */
SYMOP_INLINE float symop_gelu_slopef(float x) {
    float a = __builtin_fabsf(x);
    a = a > 14.9f ? 14.9f : a;
    float power;
    float u = symop_bellf(a, &power);
    float q = symop_fit_mills_belowf(a);
    float y = FMAF(-0x1.988454p-2f, a, q / symop_over_millsf(a, q));
    y = VANISHINGF(FMAF(y, u, y) * power, SYMOP_POWERF);
    return x < 0.0f ? y : 1.0f - y;
}

SYMOP_INLINE double symop_ndtr(double x) {
    double a = __builtin_fabs(x);
    a = a > 39.0 ? 39.0 : a;
    double power;
    double u = symop_bell(a, &power);
    double q = symop_fit_mills_below(a);
    double y = q / symop_over_mills(a, q);
    y = VANISHING(FMA(y, u, y) * power, SYMOP_POWER);
    return x < 0.0 ? y : 1.0 - y;
}

/* x*ndtr(x) = max(x, 0) - |x|*ndtr(-|x|). */
SYMOP_INLINE double symop_gelu(double x) {
    double a = __builtin_fabs(x);
    a = a > 39.0 ? 39.0 : a;
    double power;
    double u = symop_bell(a, &power);
    double q = symop_fit_mills_below(a);
    double y = a * q / symop_over_mills(a, q);
    y = VANISHING(FMA(y, u, y) * power, SYMOP_POWER);
    return (x < 0.0 ? -0.0 : x) - y;
}

/* ndtr(x) + x*exp(-x**2/2)/sqrt(2*pi), which is 1 less that of -x. */
SYMOP_INLINE double symop_gelu_slope(double x) {
    double a = __builtin_fabs(x);
    a = a > 39.0 ? 39.0 : a;
    double power;
    double u = symop_bell(a, &power);
    double q = symop_fit_mills_below(a);
    double y = FMA(-0x1.9884533d43651p-2, a, q / symop_over_mills(a, q));
    y = VANISHING(FMA(y, u, y) * power, SYMOP_POWER);
    return x < 0.0 ? y : 1.0 - y;
}
