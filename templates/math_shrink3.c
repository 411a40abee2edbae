/*
 * (x - sin(x))/x**3 and (tan(x) - x)/x**3, and their derivatives, for small x as polynomials in x**2. Beyond,
 * float takes the sine and the cosine in double precision, so that no digit is lost in the differences.
 */
/* fit symop_fit_sinshrink_1f */
/* Largest weighted error 5.2e-08; by benchmarks.vector_coefficients. */
SYMOP_INLINE float symop_fit_sinshrink_1f(float x) {
    float p = 0x1.c160100000000p-22f;
    p = FMAF(p, x, -0x1.1829c80000000p-16f);
    p = FMAF(p, x, 0x1.a01e2c0000000p-11f);
    p = FMAF(p, x, -0x1.1111120000000p-6f);
    return p;
}
/* end */

/* fit symop_fit_sinshrink_1 */
/* Largest weighted error 2.9e-17; by benchmarks.vector_coefficients. */
SYMOP_INLINE double symop_fit_sinshrink_1(double x) {
    double z = x * x;
    double p = 0x1.befd024fd0277p-76;
    p = FMA(p, z, 0x1.bf863f91895ffp-66);
    p = FMA(p, z, 0x1.15654d125d734p-59);
    p = FMA(p, z, -0x1.622d00f46729ap-45);
    p = FMA(p, z, -0x1.b96d7745c9dd0p-30);
    p = FMA(p, z, -0x1.1566abc00dfa9p-16);
    double q = -0x1.51f914e9de4e8p-70;
    q = FMA(q, z, -0x1.53d77842698d0p-62);
    q = FMA(q, z, 0x1.14f82625fb4cdp-53);
    q = FMA(q, z, 0x1.42dea459255e9p-37);
    q = FMA(q, z, 0x1.ae64567b7fdadp-23);
    p = FMA(q, x, p);
    p = FMA(p, x, 0x1.a01a01a019fd0p-11);
    p = FMA(p, x, -0x1.1111111111111p-6);
    return p;
}
/* end */

/* fit symop_fit_tanshrink_1f */
/* Largest weighted error 5.4e-08; by benchmarks.vector_coefficients. */
SYMOP_INLINE float symop_fit_tanshrink_1f(float x) {
    float p = -0x1.caf61a0000000p-3f;
    p = FMAF(p, x, 0x1.c926b00000000p-4f);
    p = FMAF(p, x, 0x1.00a6680000000p-4f);
    p = FMAF(p, x, 0x1.0d7b200000000p-3f);
    p = FMAF(p, x, 0x1.ba18ac0000000p-3f);
    p = FMAF(p, x, 0x1.1111120000000p-2f);
    return p;
}
/* end */

/* fit symop_fit_tanshrink_1 */
/* Largest weighted error 9.1e-17; by benchmarks.vector_coefficients. */
SYMOP_INLINE double symop_fit_tanshrink_1(double x) {
    double z = x * x;
    double p = -0x1.dedd813de3814p-13;
    p = FMA(p, z, -0x1.f04de779ef0b9p-10);
    p = FMA(p, z, -0x1.bf17d86509188p-9);
    p = FMA(p, z, -0x1.ede4a53eb0b12p-10);
    p = FMA(p, z, -0x1.4ce668492644ep-15);
    p = FMA(p, z, 0x1.c24129976f4a9p-10);
    p = FMA(p, z, 0x1.0ea8594359aa5p-7);
    p = FMA(p, z, 0x1.2644610986f73p-5);
    p = FMA(p, z, 0x1.0cbb766201bffp-3);
    double q = 0x1.fb153f7561147p-16;
    q = FMA(q, z, 0x1.b5c780f04fdf8p-11);
    q = FMA(q, z, 0x1.87966d5e476eep-9);
    q = FMA(q, z, 0x1.87676811e35fdp-9);
    q = FMA(q, z, 0x1.2cf6c5c47b6a1p-10);
    q = FMA(q, z, 0x1.d9783e68e0d92p-11);
    q = FMA(q, z, 0x1.f617845ba86bdp-9);
    q = FMA(q, z, 0x1.1e3ac0360c30ap-6);
    q = FMA(q, z, 0x1.226e356514bfap-4);
    p = FMA(q, x, p);
    p = FMA(p, x, 0x1.ba1ba1ba1bba7p-3);
    p = FMA(p, x, 0x1.1111111111111p-2);
    return p;
}
/* end */

SYMOP_INLINE float symop_sinshrink3f(float x) {
    float z = x * x;
    return __builtin_fabsf(x) < 1.5f ? symop_fit_sinshrinkf(z) : (x - symop_sinf(x)) / (x * z);
}

SYMOP_INLINE float symop_tanshrink3f(float x) {
    float z = x * x;
    return __builtin_fabsf(x) < 1.0f ? -symop_fit_tanshrinkf(z) : (symop_tanf(x) - x) / (x * z);
}

SYMOP_INLINE double symop_sinshrink3(double x) {
    double z = x * x;
    return __builtin_fabs(x) < 1.5 ? symop_fit_sinshrink(z) : (x - symop_sin(x)) / (x * z);
}

SYMOP_INLINE double symop_tanshrink3(double x) {
    double z = x * x;
    return __builtin_fabs(x) < 1.0 ? -symop_fit_tanshrink(z) : (symop_tan(x) - x) / (x * z);
}

SYMOP_INLINE float symop_sinshrink3_1f(float x) {
    double d = (double)x;
    uint64_t quadrant;
    double r = symop_quarterf(x, &quadrant);
    double s = symop_sin_quarterf(r);
    double c = symop_cos_quarterf(r);
    uint64_t sign = (quadrant & 2) << 62;
    double sine = symop_double(symop_bits64(quadrant & 1 ? c : s) ^ sign);
    double cosine = symop_double(symop_bits64(quadrant & 1 ? -s : c) ^ sign);
    float gap = (float)FMA(3.0, sine - d, FMA(-d, cosine, d));
    float z = x * x;
    return __builtin_fabsf(x) < 0.7f ? x * symop_fit_sinshrink_1f(z) : gap / (z * z);
}

SYMOP_INLINE float symop_tanshrink3_1f(float x) {
    double d = (double)x;
    double y = symop_tan_longf(x);
    float gap = (float)FMA(-3.0, y - d, y * y * d);
    float z = x * x;
    return __builtin_fabsf(x) < 0.35f ? x * symop_fit_tanshrink_1f(z) : gap / (z * z);
}

SYMOP_INLINE double symop_sinshrink3_1(double x) {
    double z = x * x;
    double far = FMA(3.0, symop_sin(x) - x, x - x * symop_cos(x)) / (z * z);
    return __builtin_fabs(x) < 2.8 ? x * symop_fit_sinshrink_1(z) : far;
}

SYMOP_INLINE double symop_tanshrink3_1(double x) {
    double y = symop_tan(x);
    double z = x * x;
    double far = FMA(-3.0, y - x, y * y * x) / (z * z);
    return __builtin_fabs(x) < 1.0 ? x * symop_fit_tanshrink_1(z) : far;
}

/* Far out the quotient by x comes first, for a power of x overflows. */
SYMOP_INLINE float symop_sinshrink3_anyf(float x) {
    float far = __builtin_fabsf(x) < __builtin_inff() ? (1.0f - symop_sin_anyf(x) / x) / x / x : 0.0f;
    far = x == x ? far : x;
    return __builtin_fabsf(x) <= SYMOP_TRIGONOMETRIC_BOUNDF ? symop_sinshrink3f(x) : far;
}

SYMOP_INLINE float symop_tanshrink3_anyf(float x) {
    float far = (symop_tan_anyf(x) / x - 1.0f) / x / x;
    return __builtin_fabsf(x) <= SYMOP_TRIGONOMETRIC_BOUNDF ? symop_tanshrink3f(x) : far;
}

SYMOP_INLINE float symop_sinshrink3_1_anyf(float x) {
    float inner = 3.0f * (symop_sin_anyf(x) / x - 1.0f) + (1.0f - symop_cos_anyf(x));
    float far = __builtin_fabsf(x) < __builtin_inff() ? inner / x / x / x : 0.0f;
    far = x == x ? far : x;
    return __builtin_fabsf(x) <= SYMOP_TRIGONOMETRIC_BOUNDF ? symop_sinshrink3_1f(x) : far;
}

SYMOP_INLINE float symop_tanshrink3_1_anyf(float x) {
    float y = symop_tan_anyf(x);
    float far = (y * y - 3.0f * (y / x - 1.0f)) / x / x / x;
    return __builtin_fabsf(x) <= SYMOP_TRIGONOMETRIC_BOUNDF ? symop_tanshrink3_1f(x) : far;
}

/* Far out the quotient by x comes first, for a power of x overflows. */
SYMOP_INLINE double symop_sinshrink3_any(double x) {
    double far = __builtin_fabs(x) < __builtin_inf() ? (1.0 - symop_sin_any(x) / x) / x / x : 0.0;
    far = x == x ? far : x;
    return __builtin_fabs(x) <= SYMOP_TRIGONOMETRIC_BOUND ? symop_sinshrink3(x) : far;
}

SYMOP_INLINE double symop_tanshrink3_any(double x) {
    double far = (symop_tan_any(x) / x - 1.0) / x / x;
    return __builtin_fabs(x) <= SYMOP_TRIGONOMETRIC_BOUND ? symop_tanshrink3(x) : far;
}

SYMOP_INLINE double symop_sinshrink3_1_any(double x) {
    double inner = 3.0 * (symop_sin_any(x) / x - 1.0) + (1.0 - symop_cos_any(x));
    double far = __builtin_fabs(x) < __builtin_inf() ? inner / x / x / x : 0.0;
    far = x == x ? far : x;
    return __builtin_fabs(x) <= SYMOP_TRIGONOMETRIC_BOUND ? symop_sinshrink3_1(x) : far;
}

SYMOP_INLINE double symop_tanshrink3_1_any(double x) {
    double y = symop_tan_any(x);
    double far = (y * y - 3.0 * (y / x - 1.0)) / x / x / x;
    return __builtin_fabs(x) <= SYMOP_TRIGONOMETRIC_BOUND ? symop_tanshrink3_1(x) : far;
}
