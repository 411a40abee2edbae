/* The root of the sum of squares, where squares and root carry along what they lost. */
SYMOP_INLINE float symop_hypotf(float x, float y) {
    double a = (double)x;
    double b = (double)y;
    float r = (float)__builtin_sqrt(a * a + b * b);
    int is_infinite = (__builtin_fabsf(x) == __builtin_inff()) | (__builtin_fabsf(y) == __builtin_inff());
    return is_infinite ? __builtin_inff() : r;
}

SYMOP_INLINE double symop_hypot(double x, double y) {
    double a = __builtin_fabs(x);
    double b = __builtin_fabs(y);
    double most = a > b ? a : b;
    double least = a > b ? b : a;
    double scale = most > 0x1p500 ? 0x1p-600 : (most < 0x1p-400 ? 0x1p600 : 1.0);
    double back = most > 0x1p500 ? 0x1p600 : (most < 0x1p-400 ? 0x1p-600 : 1.0);
    double p = most * scale;
    double q = least * scale;
    double first = p * p;
    double second = q * q;
    double sum = first + second;
    double low = ((first - sum) + second) + (symop_product_low(p, p, first) + symop_product_low(q, q, second));
    double root = __builtin_sqrt(sum);
    double square = root * root;
    double rest = (sum - square) - symop_product_low(root, root, square) + low;
    double r = (root + (root > 0.0 ? 0.5 * rest / root : 0.0)) * back;
    r = ((a == __builtin_inf()) | (b == __builtin_inf())) ? __builtin_inf() : r;
    return (((x == x) & (y == y)) | (r == __builtin_inf())) ? r : x + y;
}
