/*
 * log(|x| + sqrt(x**2 + 1)), as log1p of |x| + (sqrt(x**2 + 1) - 1), where square and root carry along
 * what they lost; log(2*|x|) far out.
 */
SYMOP_INLINE float symop_asinhf(float x) {
    float a = __builtin_fabsf(x);
    int is_far = a > 0x1p30f;
    float b = is_far ? 1.0f : a;
    float square = b * b;
    float sum = square + 1.0f;
    float low = symop_sum_lowf(square, 1.0f, sum) + symop_product_lowf(b, b, square);
    float root = __builtin_sqrtf(sum);
    float more = b + root;
    low = 0.5f * (symop_residualf(sum, root, root) + low) / root;
    low = symop_sum_lowf(b, root, more) + low;
    float y = symop_log_pairf(is_far ? 65.0f : 0.0f, is_far ? a * 0x1p-64f : more, is_far ? 0.0f : low);
    y = a < __builtin_inff() ? y : a;
    return __builtin_copysignf(y, x);
}

SYMOP_INLINE double symop_asinh(double x) {
    double a = __builtin_fabs(x);
    int is_far = a > 0x1p30;
    double b = is_far ? 1.0 : a;
    double square = b * b;
    double sum = square + 1.0;
    double low = symop_sum_low(square, 1.0, sum) + symop_product_low(b, b, square);
    double root = __builtin_sqrt(sum);
    double back = root * root;
    low = 0.5 * ((sum - back) - symop_product_low(root, root, back) + low) / root;
    double more = root - 1.0;
    double f = b + more;
    double f_low = symop_sum_low(b, more, f) + low;
    f = is_far ? a * 0x1p-64 : f;
    double y = symop_log_sum(is_far ? 65.0 : 0.0, !is_far, f, is_far ? 0.0 : f_low);
    y = a < __builtin_inf() ? y : a;
    return __builtin_copysign(a < 0x1p-28 ? a : y, x);
}
