/* log(1 + x**2), where square and sum carry along what they lost; 2*log|x| far out. */
SYMOP_INLINE float symop_log1p_squaref(float x) {
    float a = __builtin_fabsf(x);
    int is_far = a > 0x1p30f;
    float b = is_far ? 0.0f : a;
    float square = b * b;
    float sum = 1.0f + square;
    float low = symop_sum_lowf(1.0f, square, sum) + symop_product_lowf(b, b, square);
    float y = symop_log_pairf(is_far ? 64.0f : 0.0f, is_far ? a * 0x1p-64f : sum, low);
    y = is_far ? y + y : y;
    return a < __builtin_inff() ? y : a;
}

SYMOP_INLINE double symop_log1p_square(double x) {
    double a = __builtin_fabs(x);
    int is_far = a > 0x1p30;
    double b = is_far ? 0.0 : a;
    double square = b * b;
    double sum = 1.0 + square;
    double low = symop_sum_low(1.0, square, sum) + symop_product_low(b, b, square);
    double y = symop_log_pair(is_far ? 64.0 : 0.0, is_far ? a * 0x1p-64 : sum, low);
    y = is_far ? y + y : y;
    return a < __builtin_inf() ? y : a;
}
