/*
 * log(1 - exp(-x)), the difference as -expm1(-x) for x < log(2), and with what it lost beyond.
 */
SYMOP_INLINE float symop_log1mexpf(float x) {
    float e;
    float less = symop_exp_less_onef(-x, 0, &e);
    float b = x > 30.0f ? -x : 0.0f;
    float first, second;
    float p = symop_exp_partsf(b < -120.0f ? -120.0f : b, &first, &second);
    e = x > 30.0f ? VANISHINGF(p * first, second) : e;
    float sum = 1.0f - e;
    int is_near = x < 0x1.62e430p-1f;
    float low = is_near ? 0.0f : (1.0f - sum) - e;
    sum = is_near ? -less : sum;
    int is_tiny = x < 0x1p-60f;
    float y = symop_log_pairf(is_tiny ? -60.0f : 0.0f, is_tiny ? x * 0x1p60f : sum, low);
    y = x > 0.0f ? y : __builtin_nanf("");
    return x == 0.0f ? -__builtin_inff() : y;
}

SYMOP_INLINE double symop_log1mexp(double x) {
    double e;
    double less = symop_exp_less_one(-x, 0, &e);
    double b = x > 30.0 ? -x : 0.0;
    double first, second;
    double p = symop_exp_parts(b < -760.0 ? -760.0 : b, &first, &second);
    e = x > 30.0 ? VANISHING(p * first, second) : e;
    double sum = 1.0 - e;
    int is_near = x < 0x1.62e42fefa39efp-1;
    double low = is_near ? 0.0 : (1.0 - sum) - e;
    sum = is_near ? -less : sum;
    int is_tiny = x < 0x1p-400;
    double y = symop_log_pair(is_tiny ? -400.0 : 0.0, is_tiny ? x * 0x1p400 : sum, low);
    y = x > 0.0 ? y : __builtin_nan("");
    return x == 0.0 ? -__builtin_inf() : y;
}
