/*
 * With e = exp(-|x|): 1/(1 + e) or e/(1 + e), by the reciprocal of the sum, which sigmoid(-x) and silu(x)
 * have in common with it, and what sum and reciprocal lost.
 */
/* exp(-|x|), or 0 where it does not count beside 1 and is slow, and its factors. */
SYMOP_INLINE float symop_decayf(float x, float *p, float *first, float *second) {
    float a = -__builtin_fabsf(x);
    *p = symop_exp_partsf(a < -120.0f ? -120.0f : a, first, second);
    return *p * *first * (a < -87.0f ? 0.0f : *second);
}

SYMOP_INLINE float symop_sigmoidf(float x) {
    float p, first, second;
    float e = symop_decayf(x, &p, &first, &second);
    float y = 1.0f / (1.0f + e);
    float low = symop_residualf(1.0f - y, y, e) * y;
    float part = x < 0.0f ? p * first : 1.0f;
    float last = x < -104.0f ? 0.0f : second;
    return VANISHINGF(FMAF(part, low, part * y), x < 0.0f ? last : 1.0f);
}

/* x*sigmoid(x); the powers of two come last, for exp(x) loses digits before x*exp(x) does. */
SYMOP_INLINE float symop_siluf(float x) {
    float p, first, second;
    float y = 1.0f / (1.0f + symop_decayf(x, &p, &first, &second));
    float b = x < -120.0f ? -120.0f : x;
    return VANISHINGF((x < 0.0f ? b * p * first : x) * y, x < 0.0f ? second : 1.0f);
}

/* exp(-|x|), or 0 where it does not count beside 1 and is slow, and its factors. */
SYMOP_INLINE double symop_decay(double x, double *p, double *first, double *second) {
    double a = -__builtin_fabs(x);
    *p = symop_exp_parts(a < -760.0 ? -760.0 : a, first, second);
    return *p * *first * (a < -708.0 ? 0.0 : *second);
}

SYMOP_INLINE double symop_sigmoid(double x) {
    double p, first, second;
    double e = symop_decay(x, &p, &first, &second);
    double y = 1.0 / (1.0 + e);
    double low = symop_residual(1.0 - y, y, e) * y;
    double part = x < 0.0 ? p * first : 1.0;
    double last = x < -745.5 ? 0.0 : second;
    return VANISHING(FMA(part, low, part * y), x < 0.0 ? last : 1.0);
}

/* x*sigmoid(x); the powers of two come last, for exp(x) loses digits before x*exp(x) does. */
SYMOP_INLINE double symop_silu(double x) {
    double p, first, second;
    double y = 1.0 / (1.0 + symop_decay(x, &p, &first, &second));
    double b = x < -760.0 ? -760.0 : x;
    return VANISHING((x < 0.0 ? b * p * first : x) * y, x < 0.0 ? second : 1.0);
}
