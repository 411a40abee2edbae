/* log(x + sqrt(x**2 - 1)), as log1p of t + sqrt(2*t + t**2), t = x - 1; log(2*x) far out. */
SYMOP_INLINE float symop_acoshf(float x) {
    double d = (double)x;
    double y = symop_log2_short(d + __builtin_sqrt((d - 1.0) * (d + 1.0))) * 0x1.62e42fefa39efp-1;
    y = d < 0x1p200 ? y : d;
    return x >= 1.0f ? (float)y : __builtin_nanf("");
}

SYMOP_INLINE double symop_acosh(double x) {
    int is_far = x > 0x1p30;
    double t = is_far ? 1.0 : x - 1.0;
    double twice = 2.0 * t;
    double square = t * t;
    double sum = twice + square;
    double low = symop_sum_low(twice, square, sum) + symop_product_low(t, t, square);
    double root = __builtin_sqrt(sum);
    double back = root * root;
    low = (sum - back) - symop_product_low(root, root, back) + low;
    low = sum > 0.0 ? 0.5 * low / root : 0.0;
    double f = t + root;
    double f_low = symop_sum_low(t, root, f) + low;
    f = is_far ? x * 0x1p-64 : f;
    double y = symop_log_sum(is_far ? 65.0 : 0.0, !is_far, f, is_far ? 0.0 : f_low);
    y = x < __builtin_inf() ? y : x;
    return x >= 1.0 ? y : __builtin_nan("");
}
