/*
 * log(x) = k*ln(2) + log(1 + f), x = 2**k * (1 + f), sqrt(1/2) <= 1 + f < sqrt(2).
 * float: log(1 + f) = f - f**2/2 + f**3*p(f). double: s = f/(2 + f), and
 * log(1 + f) = f - f**2/2 + s*(f**2/2 + s**2*p(s**2)), as in fdlibm (Sun Microsystems, 1993).
 */
/* fit symop_fit_logf */
/* Largest weighted error 8.6e-10; by benchmarks.vector_coefficients. */
SYMOP_INLINE float symop_fit_logf(float x) {
    float z = x * x;
    float p = 0x1.146ff00000000p-4f;
    p = FMAF(p, z, 0x1.e6c0540000000p-4f);
    p = FMAF(p, z, 0x1.233ba20000000p-3f);
    p = FMAF(p, z, 0x1.99a4760000000p-3f);
    float q = -0x1.de00020000000p-4f;
    q = FMAF(q, z, -0x1.fc290a0000000p-4f);
    q = FMAF(q, z, -0x1.555c440000000p-3f);
    p = FMAF(q, x, p);
    p = FMAF(p, x, -0x1.0000060000000p-2f);
    p = FMAF(p, x, 0x1.5555480000000p-2f);
    return p;
}
/* end */

/* k*ln(2) + log(1 + f + low), where low is below half a unit in the last place of f, in two parts. */
SYMOP_INLINE float symop_log_partsf(float k, float f, float low, float *rest) {
    float square = f * f;
    float y = FMAF(-0.5f, square, FMAF(k, 0x1.7f7d1cp-20f, square * f * symop_fit_logf(f)));
    float whole = k * 0x1.62e4p-1f;
    float sum = whole + f;
    float lost = f - (sum - whole);
    *rest = lost + (y + FMAF(-f, low, low));
    return sum;
}

SYMOP_INLINE float symop_log_reducedf(float k, float f, float low) {
    float rest;
    float y = symop_log_partsf(k, f, low, &rest);
    return y + rest;
}

SYMOP_INLINE float symop_logf(float x) {
    int is_tiny = x < 0x1p-126f;
    float scaled = is_tiny ? x * 0x1p25f : x;
    uint32_t bits = symop_bits32(scaled) - 0x3f3504f3u;
    float k = (float)((int32_t)bits >> 23) - (is_tiny ? 25.0f : 0.0f);
    float f = symop_float((bits & 0x007fffffu) + 0x3f3504f3u) - 1.0f;
    float y = symop_log_reducedf(k, f, 0.0f);
    y = x < __builtin_inff() ? y : x;
    return x > 0.0f ? y : (x == 0.0f ? -__builtin_inff() : __builtin_nanf(""));
}

/* fit symop_fit_log */
/* Largest weighted error 1.2e-18; by benchmarks.vector_coefficients. */
SYMOP_INLINE double symop_fit_log(double x) {
    double p = 0x1.2f050e6ada499p-3;
    p = FMA(p, x, 0x1.39a1cc6c217ffp-3);
    p = FMA(p, x, 0x1.74663dcf5d372p-3);
    p = FMA(p, x, 0x1.c71c52111a949p-3);
    p = FMA(p, x, 0x1.24924941e3eacp-2);
    p = FMA(p, x, 0x1.999999997ff03p-2);
    p = FMA(p, x, 0x1.5555555555592p-1);
    return p;
}
/* end */

SYMOP_INLINE double symop_log_reduced(double k, double f, double low) {
    double half = 0.5 * f * f;
    double s = f / (2.0 + f);
    double z = s * s;
    double y = FMA(s, FMA(z, symop_fit_log(z), half), k * 0x1.cf79abc9e3b3ap-40) - half;
    double whole = k * 0x1.62e42fefap-1;
    double sum = whole + f;
    double lost = f - (sum - whole);
    return sum + (lost + (y + FMA(-f, low, low)));
}

SYMOP_INLINE double symop_log(double x) {
    int is_tiny = x < 0x1p-1022;
    double scaled = is_tiny ? x * 0x1p54 : x;
    /* Biased by 1023, so that the exponent is positive; 2**52 + it is a number with these bits. */
    uint64_t bits = symop_bits64(scaled) - 0x3fe6a09e667f3bcdu + 0x3ff0000000000000u;
    double k = symop_double((bits >> 52) | 0x4330000000000000u) - (is_tiny ? 0x1p52 + 1077.0 : 0x1p52 + 1023.0);
    double f = symop_double((bits & 0x000fffffffffffffu) + 0x3fe6a09e667f3bcdu) - 1.0;
    double y = symop_log_reduced(k, f, 0.0);
    y = x < __builtin_inf() ? y : x;
    return x > 0.0 ? y : (x == 0.0 ? -__builtin_inf() : __builtin_nan(""));
}
