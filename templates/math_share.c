/*
 * exp(a)/(exp(a) + exp(b)) = sigmoid(a - b), with what the rounding of a - b lost put back, and its
 * derivative by a, which is its product with what b has. By e = exp(-|a - b|) and y = 1/(1 + e).
 */
SYMOP_INLINE float symop_exponent_gapf(float a, float b, float *low) {
    float s = a - b;
    float t = s - a;
    float lost = (a - (s - t)) - (b + t);
    *low = lost == lost ? lost : 0.0f;
    return s;
}

SYMOP_INLINE float symop_sharef(float a, float b) {
    float low, p, first, second;
    float s = symop_exponent_gapf(a, b, &low);
    float e = symop_decayf(s, &p, &first, &second);
    float y = 1.0f / (1.0f + e);
    int is_less = s < 0.0f;
    float other = is_less ? y : e * y;
    float scaled = (is_less ? p * first : 1.0f) * y;
    return VANISHINGF(FMAF(scaled, low * other, scaled), is_less ? second : 1.0f);
}

SYMOP_INLINE float symop_share_1f(float a, float b) {
    float low, p, first, second;
    float s = symop_exponent_gapf(a, b, &low);
    float e = symop_decayf(s, &p, &first, &second);
    float y = 1.0f / (1.0f + e);
    float rest = symop_residualf(1.0f - y, y, e) * y;
    float scaled = p * first * FMAF(y + y, rest, y * y);
    float slope = (1.0f - e) * y;
    return VANISHINGF(FMAF(scaled, (s < 0.0f ? low : -low) * slope, scaled), second);
}

SYMOP_INLINE double symop_exponent_gap(double a, double b, double *low) {
    double s = a - b;
    double t = s - a;
    double lost = (a - (s - t)) - (b + t);
    *low = lost == lost ? lost : 0.0;
    return s;
}

SYMOP_INLINE double symop_share(double a, double b) {
    double low, p, first, second;
    double s = symop_exponent_gap(a, b, &low);
    double e = symop_decay(s, &p, &first, &second);
    double y = 1.0 / (1.0 + e);
    int is_less = s < 0.0;
    double other = is_less ? y : e * y;
    double scaled = (is_less ? p * first : 1.0) * y;
    return VANISHING(FMA(scaled, low * other, scaled), is_less ? second : 1.0);
}

SYMOP_INLINE double symop_share_1(double a, double b) {
    double low, p, first, second;
    double s = symop_exponent_gap(a, b, &low);
    double e = symop_decay(s, &p, &first, &second);
    double y = 1.0 / (1.0 + e);
    double rest = symop_residual(1.0 - y, y, e) * y;
    double scaled = p * first * FMA(y + y, rest, y * y);
    double slope = (1.0 - e) * y;
    return VANISHING(FMA(scaled, (s < 0.0 ? low : -low) * slope, scaled), second);
}
