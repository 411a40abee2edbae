/*
 * x**n for an n that is known when this is compiled, 8 < |n| < 64, by squaring; what n does not need
 * is left out. float: in double. double: each power is a sum of two numbers, because the errors of
 * products double with each squaring.
 */
#define SYMOP_POWER(x, n, two)                                                                     \
    two(x, square, n, 2) two(square, fourth, n, 4) two(fourth, eighth, n, 8)                       \
    two(eighth, sixteenth, n, 16) two(sixteenth, last, n, 32)

#define SYMOP_POWER_STEP(from, to, n, bit)                                                         \
    double to = from * from;                                                                       \
    r = (n) & (bit) ? ((n) & ((bit) - 1) ? r * to : to) : r;

SYMOP_INLINE float symop_integer_powerf(float value, int exponent) {
    int n = exponent < 0 ? -exponent : exponent;
    double x = (double)value;
    double r = x;
    SYMOP_POWER(x, n, SYMOP_POWER_STEP)
    return (float)(exponent < 0 ? 1.0 / r : r);
}

#define SYMOP_POWER_PAIR(from, to, n, bit)                                                         \
    double to = from * from;                                                                       \
    double to##_low = symop_product_low(from, from, to) + 2.0 * from * from##_low;                 \
    double to##_all = r * to;                                                                      \
    double to##_rest = symop_product_low(r, to, to##_all) + FMA(r, to##_low, r_low * to);          \
    r_low = (n) & (bit) ? ((n) & ((bit) - 1) ? to##_rest : to##_low) : r_low;                      \
    r = (n) & (bit) ? ((n) & ((bit) - 1) ? to##_all : to) : r;

/* The inverse comes first: where x**n overflows, x**-n may not vanish. */
SYMOP_INLINE double symop_integer_power(double value, int exponent) {
    int n = exponent < 0 ? -exponent : exponent;
    double x = exponent < 0 ? 1.0 / value : value;
    double x_low = exponent < 0 ? -symop_product_low(value, x, 1.0) * x : 0.0;
    double r = x;
    double r_low = x_low;
    SYMOP_POWER(x, n, SYMOP_POWER_PAIR)
    double sum = r + r_low;
    return __builtin_copysign(sum == sum ? sum : r, r);
}
