/*
 * lgamma(b + d) - lgamma(b) and digamma(b + d) - digamma(b) for b and a = b + d above 0, by the differences of
 * the terms of Stirling's series (DLMF 5.11.1, 5.11.2) at z = b + m and y = a + m, m steps of the recurrence up.
 * Every difference of a polynomial is d times its divided difference, whose terms have one sign or fall fast.
 * float is computed in double precision.
 */
/* b*(b + 1)*...*(b + 4), and its divided difference. */
SYMOP_INLINE double symop_rising_short(double a, double b, double *value) {
    double p = 1.0;
    double q = p;
    p = FMA(p, b, 10.0);
    q = FMA(q, a, p);
    p = FMA(p, b, 35.0);
    q = FMA(q, a, p);
    p = FMA(p, b, 50.0);
    q = FMA(q, a, p);
    p = FMA(p, b, 24.0);
    q = FMA(q, a, p);
    p = p * b;
    *value = p;
    return q;
}

/* The tail of the series of lgamma in b = 1/x, and its divided difference. */
SYMOP_INLINE double symop_lgamma_tail_short(double a, double b, double *value) {
    double p = -1.0 / 1680.0;
    double q = p;
    p = p * b;
    q = FMA(q, a, p);
    p = FMA(p, b, 1.0 / 1260.0);
    q = FMA(q, a, p);
    p = p * b;
    q = FMA(q, a, p);
    p = FMA(p, b, -1.0 / 360.0);
    q = FMA(q, a, p);
    p = p * b;
    q = FMA(q, a, p);
    p = FMA(p, b, 1.0 / 12.0);
    q = FMA(q, a, p);
    p = p * b;
    *value = p;
    return q;
}

/* The same of digamma, less the logarithm, with the other sign. */
SYMOP_INLINE double symop_digamma_tail_short(double a, double b, double *value) {
    double p = -1.0 / 240.0;
    double q = p;
    p = p * b;
    q = FMA(q, a, p);
    p = FMA(p, b, 1.0 / 252.0);
    q = FMA(q, a, p);
    p = p * b;
    q = FMA(q, a, p);
    p = FMA(p, b, -1.0 / 120.0);
    q = FMA(q, a, p);
    p = p * b;
    q = FMA(q, a, p);
    p = FMA(p, b, 1.0 / 12.0);
    q = FMA(q, a, p);
    p = FMA(p, b, 1.0 / 2.0);
    q = FMA(q, a, p);
    p = p * b;
    *value = p;
    return q;
}

/* b*(b + 1)*...*(b + 7), and its divided difference. */
SYMOP_INLINE double symop_rising(double a, double b, double *value) {
    double p = 1.0;
    double q = p;
    p = FMA(p, b, 28.0);
    q = FMA(q, a, p);
    p = FMA(p, b, 322.0);
    q = FMA(q, a, p);
    p = FMA(p, b, 1960.0);
    q = FMA(q, a, p);
    p = FMA(p, b, 6769.0);
    q = FMA(q, a, p);
    p = FMA(p, b, 13132.0);
    q = FMA(q, a, p);
    p = FMA(p, b, 13068.0);
    q = FMA(q, a, p);
    p = FMA(p, b, 5040.0);
    q = FMA(q, a, p);
    p = p * b;
    *value = p;
    return q;
}

/* The tail of the series of lgamma in b = 1/x, and its divided difference. */
SYMOP_INLINE double symop_lgamma_tail(double a, double b, double *value) {
    double p = -3617.0 / 122400.0;
    double q = p;
    p = p * b;
    q = FMA(q, a, p);
    p = FMA(p, b, 1.0 / 156.0);
    q = FMA(q, a, p);
    p = p * b;
    q = FMA(q, a, p);
    p = FMA(p, b, -691.0 / 360360.0);
    q = FMA(q, a, p);
    p = p * b;
    q = FMA(q, a, p);
    p = FMA(p, b, 1.0 / 1188.0);
    q = FMA(q, a, p);
    p = p * b;
    q = FMA(q, a, p);
    p = FMA(p, b, -1.0 / 1680.0);
    q = FMA(q, a, p);
    p = p * b;
    q = FMA(q, a, p);
    p = FMA(p, b, 1.0 / 1260.0);
    q = FMA(q, a, p);
    p = p * b;
    q = FMA(q, a, p);
    p = FMA(p, b, -1.0 / 360.0);
    q = FMA(q, a, p);
    p = p * b;
    q = FMA(q, a, p);
    p = FMA(p, b, 1.0 / 12.0);
    q = FMA(q, a, p);
    p = p * b;
    *value = p;
    return q;
}

/* The same of digamma, less the logarithm, with the other sign. */
SYMOP_INLINE double symop_digamma_tail(double a, double b, double *value) {
    double p = 43867.0 / 14364.0;
    double q = p;
    p = p * b;
    q = FMA(q, a, p);
    p = FMA(p, b, -3617.0 / 8160.0);
    q = FMA(q, a, p);
    p = p * b;
    q = FMA(q, a, p);
    p = FMA(p, b, 1.0 / 12.0);
    q = FMA(q, a, p);
    p = p * b;
    q = FMA(q, a, p);
    p = FMA(p, b, -691.0 / 32760.0);
    q = FMA(q, a, p);
    p = p * b;
    q = FMA(q, a, p);
    p = FMA(p, b, 1.0 / 132.0);
    q = FMA(q, a, p);
    p = p * b;
    q = FMA(q, a, p);
    p = FMA(p, b, -1.0 / 240.0);
    q = FMA(q, a, p);
    p = p * b;
    q = FMA(q, a, p);
    p = FMA(p, b, 1.0 / 252.0);
    q = FMA(q, a, p);
    p = p * b;
    q = FMA(q, a, p);
    p = FMA(p, b, -1.0 / 120.0);
    q = FMA(q, a, p);
    p = p * b;
    q = FMA(q, a, p);
    p = FMA(p, b, 1.0 / 12.0);
    q = FMA(q, a, p);
    p = FMA(p, b, 1.0 / 2.0);
    q = FMA(q, a, p);
    p = p * b;
    *value = p;
    return q;
}

/* log(a/b) to some 36 bits, d = a - b, of positive double numbers. */
SYMOP_INLINE double symop_log_quotient_short(double a, double b, double d) {
    double quotient = a / b;
    uint64_t bits = symop_bits64(quotient) - 0x3fe6a09e667f3bcdu + 0x3ff0000000000000u;
    double k = symop_double((bits >> 52) | 0x4330000000000000u) - (0x1p52 + 1023.0);
    double f = symop_double((bits & 0x000fffffffffffffu) + 0x3fe6a09e667f3bcdu) - 1.0;
    int is_near = k == 0.0;
    double s = (is_near ? d : f) / (is_near ? a + b : 2.0 + f);
    return FMA(s, symop_fit_log2_short(s * s), k) * 0x1.62e42fefa39efp-1;
}

SYMOP_INLINE double symop_positive_lgamma_gap_short(double b, double d) {
    double a = b + d;
    int is_low = (a < b ? a : b) < 5.0;
    double z = is_low ? b + 5.0 : b;
    double y = is_low ? a + 5.0 : a;
    double p = is_low ? b : 1.0;
    double q = is_low ? a : 1.0;
    double below, above;
    double steps = symop_rising_short(q, p, &below) * (is_low ? d : 0.0);
    symop_rising_short(p, q, &above);
    double both = 1.0 / (y * z);
    double tail;
    double slope = symop_lgamma_tail_short(both * z, both * y, &tail);
    double log = symop_log2_short(z) * 0x1.62e42fefa39efp-1;
    double more = FMA(y - 0.5, symop_log_quotient_short(y, z, d), d * (log - 1.0));
    return (more - d * both * slope) - symop_log_quotient_short(above, below, steps);
}

SYMOP_INLINE double symop_positive_digamma_gap_short(double b, double d) {
    double a = b + d;
    int is_low = (a < b ? a : b) < 5.0;
    double z = is_low ? b + 5.0 : b;
    double y = is_low ? a + 5.0 : a;
    double p = is_low ? b : 1.0;
    double q = is_low ? a : 1.0;
    /* The sum of 1/((p + k)*(q + k)). */
    double over = 1.0;
    double under = p * q;
    for (int k = 1; k < 5; k++) {
        double product = (p + k) * (q + k);
        over = FMA(over, product, under);
        under *= product;
    }
    double both = 1.0 / (y * z);
    double tail;
    double slope = symop_digamma_tail_short(both * z, both * y, &tail);
    double sum = FMA(both, slope, is_low ? over / under : 0.0);
    return FMA(d, sum, symop_log_quotient_short(y, z, d));
}

SYMOP_INLINE double symop_positive_lgamma_gap(double b, double d) {
    double a = b + d;
    int is_low = (a < b ? a : b) < 8.0;
    double z = is_low ? b + 8.0 : b;
    double y = is_low ? a + 8.0 : a;
    double p = is_low ? b : 1.0;
    double q = is_low ? a : 1.0;
    double below, above;
    double steps = symop_rising(q, p, &below) * (is_low ? d : 0.0);
    symop_rising(p, q, &above);
    double both = 1.0 / (y * z);
    double tail;
    double slope = symop_lgamma_tail(both * z, both * y, &tail);
    double log = symop_log(z);
    double more = FMA(y - 0.5, symop_log_quotient(y, z, d), d * (log - 1.0));
    return (more - d * both * slope) - symop_log_quotient(above, below, steps);
}

SYMOP_INLINE double symop_positive_digamma_gap(double b, double d) {
    double a = b + d;
    int is_low = (a < b ? a : b) < 8.0;
    double z = is_low ? b + 8.0 : b;
    double y = is_low ? a + 8.0 : a;
    double p = is_low ? b : 1.0;
    double q = is_low ? a : 1.0;
    /* The sum of 1/((p + k)*(q + k)). */
    double over = 1.0;
    double under = p * q;
    for (int k = 1; k < 8; k++) {
        double product = (p + k) * (q + k);
        over = FMA(over, product, under);
        under *= product;
    }
    double both = 1.0 / (y * z);
    double tail;
    double slope = symop_digamma_tail(both * z, both * y, &tail);
    double sum = FMA(both, slope, is_low ? over / under : 0.0);
    return FMA(d, sum, symop_log_quotient(y, z, d));
}

SYMOP_INLINE int symop_far_positive_gap(double b, double d) {
    double a = b + d;
    double least = a < b ? a : b;
    double most = a < b ? b : a;
    return !((least > 0x1p-150) & (most < (least < 8.0 ? 0x1p66 : 0x1p400)));
}

SYMOP_INLINE int symop_far_lgamma_gap(double b, double d) {
    return symop_far_positive_gap(b, d);
}

/* Below 3 the products of the steps lose more than the plain difference, unless d is small. */
SYMOP_INLINE double symop_lgamma_gap(double b, double d) {
    double a = b + d;
    double least = a < b ? a : b;
    double plain = symop_lgamma(a) - symop_lgamma(b);
    double size = least < 3.0 ? __builtin_fabs(d) : 0.0;
    return size > 0x1p-2 ? plain : symop_positive_lgamma_gap(b, d);
}

SYMOP_INLINE double symop_lgamma_gap_any(double b, double d) {
    double far = symop_lgamma(b + d) - symop_lgamma(b);
    return symop_far_lgamma_gap(b, d) ? far : symop_lgamma_gap(b, d);
}

SYMOP_INLINE int symop_far_lgamma_gapf(float b, float d) {
    return symop_far_positive_gap((double)b, (double)d);
}

SYMOP_INLINE float symop_lgamma_gapf(float b, float d) {
    return (float)symop_positive_lgamma_gap_short((double)b, (double)d);
}

SYMOP_INLINE float symop_lgamma_gap_anyf(float b, float d) {
    double sum = (double)b + (double)d;
    float far = (float)(symop_lgamma(sum) - symop_lgamma((double)b));
    return symop_far_lgamma_gapf(b, d) ? far : symop_lgamma_gapf(b, d);
}

SYMOP_INLINE int symop_far_digamma_gap(double b, double d) {
    return symop_far_positive_gap(b, d);
}

SYMOP_INLINE double symop_digamma_gap(double b, double d) { return symop_positive_digamma_gap(b, d); }

SYMOP_INLINE double symop_digamma_gap_any(double b, double d) {
    double far = symop_digamma(b + d) - symop_digamma(b);
    return symop_far_digamma_gap(b, d) ? far : symop_digamma_gap(b, d);
}

SYMOP_INLINE int symop_far_digamma_gapf(float b, float d) {
    return symop_far_positive_gap((double)b, (double)d);
}

SYMOP_INLINE float symop_digamma_gapf(float b, float d) {
    return (float)symop_positive_digamma_gap_short((double)b, (double)d);
}

SYMOP_INLINE float symop_digamma_gap_anyf(float b, float d) {
    double sum = (double)b + (double)d;
    float far = (float)(symop_digamma(sum) - symop_digamma((double)b));
    return symop_far_digamma_gapf(b, d) ? far : symop_digamma_gapf(b, d);
}
