/* log(1 + exp(x)) and log(sigmoid(x)), by log1p of exp(-|x|). */
SYMOP_INLINE float symop_softplus_tailf(float x) {
    float p, first, second;
    symop_decayf(x, &p, &first, &second);
    float e = VANISHINGF(p * first, __builtin_fabsf(x) > 104.0f ? 0.0f : second);
    float sum = 1.0f + e;
    return symop_log_pairf(0.0f, sum, e - (sum - 1.0f));
}

SYMOP_INLINE float symop_softplus1f(float x) {
    return (x > 0.0f ? x : 0.0f) + symop_softplus_tailf(x);
}

SYMOP_INLINE float symop_logsigmoidf(float x) {
    return (x < 0.0f ? x : 0.0f) - symop_softplus_tailf(x);
}

SYMOP_INLINE double symop_softplus_tail(double x) {
    double p, first, second;
    symop_decay(x, &p, &first, &second);
    double e = VANISHING(p * first, __builtin_fabs(x) > 745.5 ? 0.0 : second);
    double sum = 1.0 + e;
    return symop_log_pair(0.0, sum, e - (sum - 1.0));
}

SYMOP_INLINE double symop_softplus1(double x) {
    return (x > 0.0 ? x : 0.0) + symop_softplus_tail(x);
}

SYMOP_INLINE double symop_logsigmoid(double x) {
    return (x < 0.0 ? x : 0.0) - symop_softplus_tail(x);
}
