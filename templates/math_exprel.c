/*
 * expm1(x)/x, its reciprocal, their derivatives, and the potential of Morse, expm1(x)**2 - 1. x = n*ln(2) + r as in exp. Far out exp(x)
 * is scaled down, for the quotients are finite beyond where exp(x) is.
 */
/* fit symop_fit_langevinf */
/* Largest weighted error 3e-08; by benchmarks.vector_coefficients. */
SYMOP_INLINE float symop_fit_langevinf(float x) {
    float p = -0x1.b619740000000p-18f;
    p = FMAF(p, x, 0x1.15e6e40000000p-15f);
    p = FMAF(p, x, -0x1.d1f9480000000p-13f);
    p = FMAF(p, x, 0x1.15e74a0000000p-9f);
    p = FMAF(p, x, -0x1.6c18cc0000000p-6f);
    p = FMAF(p, x, 0x1.5555560000000p-2f);
    return p;
}
/* end */

/* fit symop_fit_langevin */
/* Largest weighted error 5.6e-17; by benchmarks.vector_coefficients. */
SYMOP_INLINE double symop_fit_langevin(double x) {
    double z = x * x;
    double p = 0x1.256705ebbeeeep-38;
    p = FMA(p, z, 0x1.242135918a64ep-29);
    p = FMA(p, z, 0x1.d6a7833bbb442p-23);
    p = FMA(p, z, 0x1.66a8e72205027p-16);
    p = FMA(p, z, 0x1.1566abbfcbb69p-9);
    double q = -0x1.61c3b1e0d941bp-33;
    q = FMA(q, z, -0x1.7b472bc297cebp-26);
    q = FMA(q, z, -0x1.227efb9501d89p-19);
    q = FMA(q, z, -0x1.bbd778faf7a65p-13);
    p = FMA(q, x, p);
    p = FMA(p, x, -0x1.6c16c16c167e8p-6);
    p = FMA(p, x, 0x1.5555555555555p-2);
    return p;
}
/* end */

/* expm1(x), and exp(x), for x < 130; of 2**64 times less where far, without the 1. */
SYMOP_INLINE float symop_exp_less_onef(float x, int is_far, float *e) {
    float a = x < -30.0f ? -30.0f : x;
    float t = FMAF(a, 0x1.715476p+0f, SYMOP_ROUNDERF);
    float n = t - SYMOP_ROUNDERF;
    float r = FMAF(n, -0x1.62e4p-1f, a);
    r = FMAF(n, -0x1.7f7d1cp-20f, r);
    float u = FMAF(r * r, symop_fit_expm1f(r), r);
    float scale = symop_float((symop_bits32(t) << 23) + (is_far ? 0x1f800000u : 0x3f800000u));
    *e = FMAF(scale, u, scale);
    return FMAF(scale, u, scale - (is_far ? 0.0f : 1.0f));
}

SYMOP_INLINE float symop_exprelf(float x) {
    int is_far = x > 60.0f;
    float a = x > 130.0f ? 130.0f : x;
    float e;
    float y = symop_exp_less_onef(a, is_far, &e) / a * (is_far ? 0x1p64f : 1.0f);
    return x == 0.0f ? 1.0f : y;
}

SYMOP_INLINE float symop_inverse_exprelf(float x) {
    int is_far = x > 60.0f;
    float a = x > 130.0f ? 130.0f : x;
    float e;
    float inverse = 1.0f / symop_exp_less_onef(a, is_far, &e);
    float y = VANISHINGF(a * inverse, is_far ? 0x1p-64f : 1.0f);
    return __builtin_fabsf(x) < 0x1p-25f ? 1.0f : y;
}

/* 1/2 + x*q(x**2) for |x| < 2; beyond, the quotients 1/(1 - exp(-x)) and 1/x in one. */
SYMOP_INLINE float symop_exprel_meanf(float x) {
    float a = x > 0x1p60f ? 0x1p60f : x;
    float near = FMAF(0.25f * a, symop_fit_langevinf(0.25f * a * a), 0.5f);
    float e;
    float less = symop_exp_less_onef(-a > 30.0f ? 30.0f : -a, 0, &e);
    int is_low = a < -30.0f;
    float far = (is_low ? -1.0f : -(less + a)) / (is_low ? a : a * less);
    return __builtin_fabsf(a) < 2.0f ? near : far;
}

/* (1 + (x - 1)*exp(x))/x**2; near 0 by the product of expm1(x)/x and its logarithmic derivative. */
SYMOP_INLINE float symop_exprel_1f(float x) {
    int is_far = x > 60.0f;
    float a = x > 130.0f ? 130.0f : x;
    float e;
    float less = symop_exp_less_onef(a, is_far, &e);
    float inverse = 1.0f / a;
    float near = less * FMAF(0.25f * a, symop_fit_langevinf(0.25f * a * a), 0.5f);
    float far = FMAF(-less, inverse, a < -30.0f ? 0.0f : e);
    float y = (__builtin_fabsf(a) < 2.0f ? near : far) * inverse * (is_far ? 0x1p64f : 1.0f);
    return __builtin_fabsf(a) < 0x1p-20f ? FMAF(a, 0x1.5555555555555p-2f, 0.5f) : y;
}

/* The product of the reciprocal and the logarithmic derivative, from exp(x)*(x/expm1(x)), where nothing cancels. */
SYMOP_INLINE float symop_inverse_exprel_1f(float x) {
    int is_far = x > 60.0f;
    float a = x > 130.0f ? 130.0f : x;
    a = a < -0x1p60f ? -0x1p60f : a;
    float e;
    float inverse = 1.0f / symop_exp_less_onef(a, is_far, &e);
    float near = a * inverse * FMAF(0.25f * a, symop_fit_langevinf(0.25f * a * a), 0.5f);
    near = __builtin_fabsf(a) < 0x1p-25f ? 0.5f : near;
    /* x*exp(x)/expm1(x) is x + x/expm1(x) too, which keeps more digits right of 0. */
    float left = FMAF(e * inverse, a < -30.0f ? 0.0f : a, -1.0f);
    float right = FMAF(a, is_far ? 0.0f : inverse, a - 1.0f);
    float far = VANISHINGF((a < 0.0f ? left : right) * inverse, is_far ? 0x1p-64f : 1.0f);
    return __builtin_fabsf(a) < 2.0f ? near : far;
}

/* The same for x < 1100, of 2**600 times less where far. */
SYMOP_INLINE double symop_exp_less_one(double x, int is_far, double *e) {
    double a = x < -60.0 ? -60.0 : x;
    double t = FMA(a, 0x1.71547652b82fep+0, SYMOP_ROUNDER);
    double n = t - SYMOP_ROUNDER;
    double r = FMA(n, -0x1.62e42fefap-1, a);
    r = FMA(n, -0x1.cf79abc9e3b3ap-40, r);
    double u = FMA(r * r, symop_fit_expm1(r), r);
    double scale = symop_double((symop_bits64(t) << 52) + (is_far ? 0x1a70000000000000u : 0x3ff0000000000000u));
    *e = FMA(scale, u, scale);
    return FMA(scale, u, scale - (is_far ? 0.0 : 1.0));
}

SYMOP_INLINE double symop_exprel(double x) {
    int is_far = x > 600.0;
    double a = x > 1100.0 ? 1100.0 : x;
    double e;
    double y = symop_exp_less_one(a, is_far, &e) / a * (is_far ? 0x1p600 : 1.0);
    return x == 0.0 ? 1.0 : y;
}

SYMOP_INLINE double symop_inverse_exprel(double x) {
    int is_far = x > 600.0;
    double a = x > 1100.0 ? 1100.0 : x;
    double e;
    double inverse = 1.0 / symop_exp_less_one(a, is_far, &e);
    double y = VANISHING(a * inverse, is_far ? 0x1p-600 : 1.0);
    return __builtin_fabs(x) < 0x1p-54 ? 1.0 : y;
}

/* 1/2 + x*q(x**2) for |x| < 2; beyond, the quotients 1/(1 - exp(-x)) and 1/x in one. */
SYMOP_INLINE double symop_exprel_mean(double x) {
    double a = x > 0x1p400 ? 0x1p400 : x;
    double near = FMA(0.25 * a, symop_fit_langevin(0.25 * a * a), 0.5);
    double e;
    double less = symop_exp_less_one(-a > 60.0 ? 60.0 : -a, 0, &e);
    int is_low = a < -60.0;
    double far = (is_low ? -1.0 : -(less + a)) / (is_low ? a : a * less);
    return __builtin_fabs(a) < 2.0 ? near : far;
}

/* (1 + (x - 1)*exp(x))/x**2; near 0 by the product of expm1(x)/x and its logarithmic derivative. */
SYMOP_INLINE double symop_exprel_1(double x) {
    int is_far = x > 600.0;
    double a = x > 1100.0 ? 1100.0 : x;
    double e;
    double less = symop_exp_less_one(a, is_far, &e);
    double inverse = 1.0 / a;
    double near = less * FMA(0.25 * a, symop_fit_langevin(0.25 * a * a), 0.5);
    double far = FMA(-less, inverse, a < -60.0 ? 0.0 : e);
    double y = (__builtin_fabs(a) < 2.0 ? near : far) * inverse * (is_far ? 0x1p600 : 1.0);
    return __builtin_fabs(a) < 0x1p-30 ? FMA(a, 0x1.5555555555555p-2, 0.5) : y;
}

/* The product of the reciprocal and the logarithmic derivative, from exp(x)*(x/expm1(x)), where nothing cancels. */
SYMOP_INLINE double symop_inverse_exprel_1(double x) {
    int is_far = x > 600.0;
    double a = x > 1100.0 ? 1100.0 : x;
    a = a < -0x1p400 ? -0x1p400 : a;
    double e;
    double inverse = 1.0 / symop_exp_less_one(a, is_far, &e);
    double near = a * inverse * FMA(0.25 * a, symop_fit_langevin(0.25 * a * a), 0.5);
    near = __builtin_fabs(a) < 0x1p-54 ? 0.5 : near;
    double left = FMA(e * inverse, a < -60.0 ? 0.0 : a, -1.0);
    double right = FMA(a, is_far ? 0.0 : inverse, a - 1.0);
    double far = VANISHING((a < 0.0 ? left : right) * inverse, is_far ? 0x1p-600 : 1.0);
    return __builtin_fabs(a) < 2.0 ? near : far;
}

/* -exp(x)/expm1(x)**2, which is even; the last power of two comes last, for what vanishes is slow. */
SYMOP_INLINE float symop_bose_1f(float x) {
    float a = -__builtin_fabsf(x);
    int is_far = a < -104.0f;
    a = is_far ? -104.0f : a;
    float t = FMAF(a, 0x1.715476p+0f, SYMOP_ROUNDERF);
    float n = t - SYMOP_ROUNDERF;
    float r = FMAF(n, -0x1.62e4p-1f, a);
    r = FMAF(n, -0x1.7f7d1cp-20f, r);
    float u = FMAF(r * r, symop_fit_expm1f(r), r);
    int is_low = a < -30.0f;
    float scale = symop_float((symop_bits32(t) << 23) + (is_low ? 0x5f800000u : 0x3f800000u));
    float less = FMAF(scale, u, scale - 1.0f);
    less = is_low ? -1.0f : less;
    float y = -FMAF(scale, u, scale) / (less * less);
    return VANISHINGF(y, symop_float(is_far ? 0u : (is_low ? 0x1f800000u : 0x3f800000u)));
}

SYMOP_INLINE double symop_bose_1(double x) {
    double a = -__builtin_fabs(x);
    int is_far = a < -745.5;
    a = is_far ? -745.5 : a;
    double t = FMA(a, 0x1.71547652b82fep+0, SYMOP_ROUNDER);
    double n = t - SYMOP_ROUNDER;
    double r = FMA(n, -0x1.62e42fefap-1, a);
    r = FMA(n, -0x1.cf79abc9e3b3ap-40, r);
    double u = FMA(r * r, symop_fit_expm1(r), r);
    int is_low = a < -60.0;
    double scale = symop_double((symop_bits64(t) << 52) + (is_low ? 0x6570000000000000u : 0x3ff0000000000000u));
    double less = FMA(scale, u, scale - 1.0);
    less = is_low ? -1.0 : less;
    double y = -FMA(scale, u, scale) / (less * less);
    return VANISHING(y, symop_double(is_far ? 0u : (is_low ? 0x1a70000000000000u : 0x3ff0000000000000u)));
}

/* expm1(x)**2 - 1 = exp(x)*(expm1(x) - 1). */
SYMOP_INLINE float symop_morsef(float x) {
    float first, second;
    float a = x < -120.0f ? -120.0f : x;
    float p = symop_exp_partsf(a > 44.5f ? 44.5f : a, &first, &second);
    float e = p * first;
    return VANISHINGF(e, FMAF(e, second, -2.0f) * second);
}

/* expm1(x)**2 - 1 = exp(x)*(expm1(x) - 1). */
SYMOP_INLINE double symop_morse(double x) {
    double first, second;
    double a = x < -760.0 ? -760.0 : x;
    double p = symop_exp_parts(a > 355.0 ? 355.0 : a, &first, &second);
    double e = p * first;
    return VANISHING(e, FMA(e, second, -2.0) * second);
}

/* expm1(x) and exp(x), for x < 176; of 2**128 times less where far, without the 1. */
SYMOP_INLINE float symop_exp_far_less_onef(float x, int is_far, float *e) {
    float a = x < -30.0f ? -30.0f : x;
    float t = FMAF(a, 0x1.715476p+0f, SYMOP_ROUNDERF);
    float n = t - SYMOP_ROUNDERF;
    float r = FMAF(n, -0x1.62e4p-1f, a);
    r = FMAF(n, -0x1.7f7d1cp-20f, r);
    float u = FMAF(r * r, symop_fit_expm1f(r), r);
    float scale = symop_float((symop_bits32(t) << 23) + (is_far ? 0xff800000u : 0x3f800000u));
    *e = FMAF(scale, u, scale);
    return FMAF(scale, u, scale - (is_far ? 0.0f : 1.0f));
}

/* k*x/expm1(x), where k may be so large that x/expm1(x) vanishes before the product does. */
SYMOP_INLINE float symop_inverse_exprel_timesf(float x, float k) {
    int is_far = x > 60.0f;
    float a = x > 176.0f ? 176.0f : x;
    float e;
    float y = a / symop_exp_far_less_onef(a, is_far, &e);
    y = x == 0.0f ? 1.0f : y;
    return VANISHINGF(k * y, symop_float(is_far ? 0x00200000u : 0x3f800000u));
}

/* k*x/expm1(x)*(n - x/(1 - exp(-x))); k*x**n/expm1(x) has the derivative with k*x**(n - 2). */
SYMOP_INLINE float symop_inverse_exprel_slopef(float x, float k, float n) {
    int is_far = x > 60.0f;
    float a = x > 176.0f ? 176.0f : x;
    float e;
    float y = a / symop_exp_far_less_onef(a, is_far, &e);
    y = x == 0.0f ? 1.0f : y;
    e = a < -30.0f ? 0.0f : (a == 0.0f ? 1.0f : e);
    return VANISHINGF(k * y * FMAF(-e, y, n), symop_float(is_far ? 0x00200000u : 0x3f800000u));
}

/* expm1(x) and exp(x), for x < 1400; of 2**1000 times less where far, without the 1. */
SYMOP_INLINE double symop_exp_far_less_one(double x, int is_far, double *e) {
    double a = x < -60.0 ? -60.0 : x;
    double t = FMA(a, 0x1.71547652b82fep+0, SYMOP_ROUNDER);
    double n = t - SYMOP_ROUNDER;
    double r = FMA(n, -0x1.62e42fefap-1, a);
    r = FMA(n, -0x1.cf79abc9e3b3ap-40, r);
    double u = FMA(r * r, symop_fit_expm1(r), r);
    double scale = symop_double((symop_bits64(t) << 52) + (is_far ? 0x0170000000000000u : 0x3ff0000000000000u));
    *e = FMA(scale, u, scale);
    return FMA(scale, u, scale - (is_far ? 0.0 : 1.0));
}

/* k*x/expm1(x), where k may be so large that x/expm1(x) vanishes before the product does. */
SYMOP_INLINE double symop_inverse_exprel_times(double x, double k) {
    int is_far = x > 600.0;
    double a = x > 1400.0 ? 1400.0 : x;
    double e;
    double y = a / symop_exp_far_less_one(a, is_far, &e);
    y = x == 0.0 ? 1.0 : y;
    return VANISHING(k * y, symop_double(is_far ? 0x0170000000000000u : 0x3ff0000000000000u));
}

/* k*x/expm1(x)*(n - x/(1 - exp(-x))); k*x**n/expm1(x) has the derivative with k*x**(n - 2). */
SYMOP_INLINE double symop_inverse_exprel_slope(double x, double k, double n) {
    int is_far = x > 600.0;
    double a = x > 1400.0 ? 1400.0 : x;
    double e;
    double y = a / symop_exp_far_less_one(a, is_far, &e);
    y = x == 0.0 ? 1.0 : y;
    e = a < -60.0 ? 0.0 : (a == 0.0 ? 1.0 : e);
    return VANISHING(k * y * FMA(-e, y, n), symop_double(is_far ? 0x0170000000000000u : 0x3ff0000000000000u));
}
