/* With e = exp(-|x|): 1/(1 + e) or e/(1 + e), corrected by what the sum 1 + e lost. */
SYMOP_INLINE float symop_sigmoidf(float x) {
    float e = symop_expf(-__builtin_fabsf(x));
    float sum = 1.0f + e;
    float lost = e - (sum - 1.0f);
    float y = (x < 0.0f ? e : 1.0f) / sum;
    return FMAF(-y, lost, y);
}

SYMOP_INLINE double symop_sigmoid(double x) {
    double e = symop_exp(-__builtin_fabs(x));
    double sum = 1.0 + e;
    double lost = e - (sum - 1.0);
    double y = (x < 0.0 ? e : 1.0) / sum;
    return FMA(-y, lost, y);
}
