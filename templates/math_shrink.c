/* x - sin(x) and x - tan(x), for small x as x**3*q(x**2). */
/* fit symop_fit_sinshrinkf */
/* Largest weighted error 3.2e-08; by benchmarks.vector_coefficients. */
SYMOP_INLINE float symop_fit_sinshrinkf(float x) {
    float p = 0x1.98a6380000000p-25f;
    p = FMAF(p, x, -0x1.7fe16e0000000p-19f);
    p = FMAF(p, x, 0x1.a06a3e0000000p-13f);
    p = FMAF(p, x, -0x1.1111a40000000p-7f);
    p = FMAF(p, x, 0x1.5555560000000p-3f);
    return p;
}
/* end */

/* fit symop_fit_sinshrink */
/* Largest weighted error 5.6e-17; by benchmarks.vector_coefficients. */
SYMOP_INLINE double symop_fit_sinshrink(double x) {
    double z = x * x;
    double p = -0x1.eab3068da49aep-52;
    p = FMA(p, z, 0x1.a666bea07f29dp-41);
    p = FMA(p, z, 0x1.ae6435a50345fp-26);
    p = FMA(p, z, 0x1.a01a019fef035p-13);
    double q = 0x1.3ec7164c7199ep-50;
    q = FMA(q, z, -0x1.6114e4aec1d8cp-33);
    q = FMA(q, z, -0x1.71de3a2f884ffp-19);
    p = FMA(q, x, p);
    p = FMA(p, x, -0x1.1111111110fe7p-7);
    p = FMA(p, x, 0x1.5555555555555p-3);
    return p;
}
/* end */

/* fit symop_fit_tanshrinkf */
/* Largest weighted error 3.1e-08; by benchmarks.vector_coefficients. */
SYMOP_INLINE float symop_fit_tanshrinkf(float x) {
    float z = x * x;
    float p = -0x1.32bf400000000p-9f;
    p = FMAF(p, z, -0x1.16b4d60000000p-7f);
    p = FMAF(p, z, -0x1.5da3e20000000p-7f);
    p = FMAF(p, z, -0x1.ba6dcc0000000p-5f);
    float q = 0x1.4fd8fa0000000p-8f;
    q = FMAF(q, z, 0x1.2ca2be0000000p-10f);
    q = FMAF(q, z, -0x1.601aa20000000p-6f);
    p = FMAF(q, x, p);
    p = FMAF(p, x, -0x1.1110420000000p-3f);
    p = FMAF(p, x, -0x1.5555560000000p-2f);
    return p;
}
/* end */

/* fit symop_fit_tanshrink */
/* Largest weighted error 6.7e-17; by benchmarks.vector_coefficients. */
SYMOP_INLINE double symop_fit_tanshrink(double x) {
    double z = x * x;
    double p = -0x1.2a98e61ad7379p-19;
    p = FMA(p, z, -0x1.78939cb69295fp-15);
    p = FMA(p, z, -0x1.d0e5cd4c42ba2p-14);
    p = FMA(p, z, -0x1.24f44aa54669ap-14);
    p = FMA(p, z, -0x1.89ecedc5216c6p-15);
    p = FMA(p, z, -0x1.f49ca82eec2ddp-13);
    p = FMA(p, z, -0x1.7d9feaeef3376p-10);
    p = FMA(p, z, -0x1.226e33e56278ep-7);
    p = FMA(p, z, -0x1.ba1ba1b9f8ec8p-5);
    double q = 0x1.df88af0c0b441p-17;
    q = FMA(q, z, 0x1.642c67c9752cep-14);
    q = FMA(q, z, 0x1.94c6d998b1ed1p-14);
    q = FMA(q, z, 0x1.9557050611196p-17);
    q = FMA(q, z, -0x1.93ae19b7d071bp-14);
    q = FMA(q, z, -0x1.3574dc71cf7e9p-11);
    q = FMA(q, z, -0x1.d6d4120a2f8e3p-9);
    q = FMA(q, z, -0x1.664f488cb7cd1p-6);
    p = FMA(q, x, p);
    p = FMA(p, x, -0x1.111111111128bp-3);
    p = FMA(p, x, -0x1.5555555555555p-2);
    return p;
}
/* end */

SYMOP_INLINE float symop_sinshrinkf(float x) {
    float z = x * x;
    return __builtin_fabsf(x) < 1.5f ? x * z * symop_fit_sinshrinkf(z) : x - symop_sinf(x);
}

SYMOP_INLINE float symop_sinshrink_anyf(float x) {
    return __builtin_fabsf(x) < 1.5f ? symop_sinshrinkf(x) : x - symop_sin_anyf(x);
}

SYMOP_INLINE float symop_tanshrinkf(float x) {
    float z = x * x;
    return __builtin_fabsf(x) < 1.0f ? x * z * symop_fit_tanshrinkf(z) : x - symop_tanf(x);
}

SYMOP_INLINE float symop_tanshrink_anyf(float x) {
    return __builtin_fabsf(x) < 1.0f ? symop_tanshrinkf(x) : x - symop_tan_anyf(x);
}

SYMOP_INLINE double symop_sinshrink(double x) {
    double z = x * x;
    return __builtin_fabs(x) < 1.5 ? x * z * symop_fit_sinshrink(z) : x - symop_sin(x);
}

SYMOP_INLINE double symop_sinshrink_any(double x) {
    return __builtin_fabs(x) < 1.5 ? symop_sinshrink(x) : x - symop_sin_any(x);
}

SYMOP_INLINE double symop_tanshrink(double x) {
    double z = x * x;
    return __builtin_fabs(x) < 1.0 ? x * z * symop_fit_tanshrink(z) : x - symop_tan(x);
}

SYMOP_INLINE double symop_tanshrink_any(double x) {
    return __builtin_fabs(x) < 1.0 ? symop_tanshrink(x) : x - symop_tan_any(x);
}
