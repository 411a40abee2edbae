/* log(x/(1 - x)), where difference and quotient carry along what they lost. */
SYMOP_INLINE float symop_logitf(float x) {
    float d = 1.0f - x;
    float d_low = (1.0f - d) - x;
    float inverse = 1.0f / d;
    float r = x * inverse;
    float low = (symop_residualf(x, r, d) - r * d_low) * inverse;
    int is_tiny = x < 0x1p-64f;
    float s = is_tiny ? x * 0x1p64f : r;
    float y = symop_log_pairf(is_tiny ? -64.0f : 0.0f, s, is_tiny ? 0.0f : low);
    y = x < 1.0f ? y : (x == 1.0f ? __builtin_inff() : __builtin_nanf(""));
    return x > 0.0f ? y : (x == 0.0f ? -__builtin_inff() : __builtin_nanf(""));
}

SYMOP_INLINE double symop_logit(double x) {
    double d = 1.0 - x;
    double d_low = (1.0 - d) - x;
    double inverse = 1.0 / d;
    double r = x * inverse;
    double low = (symop_residual(x, r, d) - r * d_low) * inverse;
    int is_tiny = x < 0x1p-500;
    double s = is_tiny ? x * 0x1p500 : r;
    double y = symop_log_pair(is_tiny ? -500.0 : 0.0, s, is_tiny ? 0.0 : low);
    y = x < 1.0 ? y : (x == 1.0 ? __builtin_inf() : __builtin_nan(""));
    return x > 0.0 ? y : (x == 0.0 ? -__builtin_inf() : __builtin_nan(""));
}
