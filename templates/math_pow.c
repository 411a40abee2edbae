/*
 * |x|**y = 2**(y*log2|x|), where log2 is a sum of two numbers, good to some 68 bits: with
 * s = f/(2 + f), log2(1 + f) = 2/ln(2) * (s + s**3/3 + ...), of which s and s**2/3 are sums of two
 * numbers each. float: in double precision. The special cases are those of C99, annex F.
 */
/* fit symop_fit_exp2_short */
/* Largest weighted error 4e-11; by benchmarks.vector_coefficients. */
SYMOP_INLINE double symop_fit_exp2_short(double x) {
    double p = 0x1.fe165f7f65c30p-17;
    p = FMA(p, x, 0x1.446a203bbc144p-13);
    p = FMA(p, x, 0x1.5d8a717bc24c8p-10);
    p = FMA(p, x, 0x1.3b29dc41613acp-7);
    p = FMA(p, x, 0x1.c6b08aae63bdbp-5);
    p = FMA(p, x, 0x1.ebfbe0a4ba3e3p-3);
    p = FMA(p, x, 0x1.62e42ff1162aap-1);
    p = FMA(p, x, 0x1.ffffffffabc69p-1);
    return p;
}
/* end */

/* The special cases of y = |x|**y, and its sign; `two` is where every number is an integer. */
#define SYMOP_POW_SPECIAL(real, abs, sign, inf, nan, two)                                          \
    real b = abs(y);                                                                               \
    real c = b * (real)0.5;                                                                        \
    int is_integer = (b >= (two)) | ((b + (two)) - (two) == b);                                    \
    int is_even = (c >= (two)) | ((c + (two)) - (two) == c);                                       \
    real at_end = ((a == 0) == (y > 0)) ? 0 : inf;                                                 \
    r = ((a == 0) | (a == inf)) ? at_end : r;                                                      \
    r = a == 1 ? 1 : r;                                                                            \
    r = ((x < 0) & (a < inf) & !is_integer) ? nan : r;                                             \
    r = sign(r, (is_integer & !is_even) ? x : (real)1);                                            \
    r = ((x == x) & (y == y)) ? r : x + y;                                                         \
    return ((y == 0) | (x == 1)) ? 1 : r;

SYMOP_INLINE float symop_powf(float x, float y) {
    float a = __builtin_fabsf(x);
    double power = (double)y * symop_log2_short((double)a);
    power = power < -300.0 ? -300.0 : power;
    power = power > 300.0 ? 300.0 : power;
    double t = power + SYMOP_ROUNDER;
    double part = power - (t - SYMOP_ROUNDER);
    double p = symop_fit_exp2_short(part);
    float r = (float)(p * symop_double((symop_bits64(t) << 52) + 0x3ff0000000000000u));
    SYMOP_POW_SPECIAL(float, __builtin_fabsf, __builtin_copysignf, __builtin_inff(), __builtin_nanf(""), 0x1p23f)
}

/* fit symop_fit_log2_pow */
/* Largest weighted error 7.6e-23; by benchmarks.vector_coefficients. */
SYMOP_INLINE double symop_fit_log2_pow(double x) {
    double p = 0x1.eacaa2d49a820p-5;
    p = FMA(p, x, 0x1.de3ce2eba1740p-5);
    p = FMA(p, x, 0x1.112072689252dp-4);
    p = FMA(p, x, 0x1.3b1364b5f4dbep-4);
    p = FMA(p, x, 0x1.745d182994b74p-4);
    p = FMA(p, x, 0x1.c71c71c5962a8p-4);
    p = FMA(p, x, 0x1.2492492492f53p-3);
    p = FMA(p, x, 0x1.9999999999996p-3);
    return p;
}
/* end */

SYMOP_INLINE double symop_pow(double x, double y) {
    double a = __builtin_fabs(x);
    int is_tiny = a < 0x1p-1022;
    double scaled = is_tiny ? a * 0x1p54 : a;
    uint64_t bits = symop_bits64(scaled) - 0x3fe6a09e667f3bcdu + 0x3ff0000000000000u;
    double k = symop_double((bits >> 52) | 0x4330000000000000u) - (is_tiny ? 0x1p52 + 1077.0 : 0x1p52 + 1023.0);
    double f = symop_double((bits & 0x000fffffffffffffu) + 0x3fe6a09e667f3bcdu) - 1.0;
    double d = 2.0 + f;
    double inverse = 1.0 / d;
    double s = f * inverse;
    double left = s * d;
    double s_low = (((f - left) - symop_product_low(s, d, left)) - s * (f - (d - 2.0))) * inverse;
    double z = s * s;
    double z_low = symop_product_low(s, s, z) + 2.0 * s * s_low;
    double third = z * 0x1.5555555555555p-2;
    double third_low = symop_product_low(z, 0x1.5555555555555p-2, third) + FMA(z, 0x1.5555555555555p-56, z_low * 0x1.5555555555555p-2);
    double tail = z * z * symop_fit_log2_pow(z);
    double more = third + tail;
    double more_low = ((third - more) + tail) + third_low;
    double term = s * more;
    double term_low = symop_product_low(s, more, term) + FMA(s_low, more, s * more_low);
    double sum = s + term;
    double sum_low = ((s - sum) + term) + (term_low + s_low);
    double part = sum * 0x1.71547652b82fep+1;
    double part_low = symop_product_low(sum, 0x1.71547652b82fep+1, part) + FMA(sum, 0x1.777d0ffda0d24p-55, sum_low * 0x1.71547652b82fep+1);
    double log = k + part;
    double log_low = ((k - log) + part) + part_low;
    double power = y * log;
    double power_low = FMA(y, log_low, symop_product_low(y, log, power));
    int is_far = __builtin_fabs(power) > 1100.0;
    power_low = is_far ? 0.0 : power_low;
    power = is_far ? __builtin_copysign(1100.0, power) : power;
    double t = power + SYMOP_ROUNDER;
    double q = power - (t - SYMOP_ROUNDER);
    double u = q + power_low;
    double u_low = (q - u) + power_low;
    double p = 1.0 + FMA(u, symop_fit_exp2(u), u_low * 0x1.62e42fefa39efp-1);
    uint64_t whole = symop_bits64(t);
    uint64_t half = whole >> 1;
    double r = p * symop_double((half << 52) + 0x3ff0000000000000u)
        * symop_double(((whole - half) << 52) + 0x3ff0000000000000u);
    SYMOP_POW_SPECIAL(double, __builtin_fabs, __builtin_copysign, __builtin_inf(), __builtin_nan(""), 0x1p52)
}
