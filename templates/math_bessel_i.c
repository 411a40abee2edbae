/*
 * |x| < 8: polynomials in x**2 for I0(x) and I1(x)/x, all of whose terms are positive. Beyond, in 16/|x| - 1,
 * for sqrt(|x|)*exp(8 - |x|)*I(|x|), for exp(|x| - 8) is finite wherever I is. float is computed in
 * double precision.
 */
/* fit symop_fit_i0 */
/* Largest weighted error 1.1e-17; by benchmarks.vector_coefficients. */
SYMOP_INLINE double symop_fit_i0(double x) {
    double z = x * x;
    double p = 0x1.15b8efea07f0bp-120;
    p = FMA(p, z, 0x1.4454df333de27p-101);
    p = FMA(p, z, 0x1.41a984ce61bdbp-82);
    p = FMA(p, z, 0x1.5601a3ea834d8p-64);
    p = FMA(p, z, 0x1.522a440eef578p-47);
    p = FMA(p, z, 0x1.02e85c08a4677p-31);
    p = FMA(p, z, 0x1.c71c71c71c7adp-18);
    p = FMA(p, z, 0x1.0000000000000p-6);
    double q = 0x1.3c76c45ae4f12p-111;
    q = FMA(q, z, 0x1.e608d4569e0c4p-92);
    q = FMA(q, z, 0x1.69c8fe560690cp-73);
    q = FMA(q, z, 0x1.0b31313139ff7p-55);
    q = FMA(q, z, 0x1.522a43f5109ffp-39);
    q = FMA(q, z, 0x1.23456789ab3c4p-24);
    q = FMA(q, z, 0x1.c71c71c71c717p-12);
    p = FMA(q, x, p);
    p = FMA(p, x, 0x1.0000000000000p-2);
    p = FMA(p, x, 0x1.0000000000000p+0);
    return p;
}
/* end */

/* fit symop_fit_i0_far */
/* Largest weighted error 1.6e-16; by benchmarks.vector_coefficients. */
SYMOP_INLINE double symop_fit_i0_far(double x) {
    double z = x * x;
    double p = -0x1.c104c4b990e9bp-22;
    p = FMA(p, z, 0x1.76546ed2c91f2p-19);
    p = FMA(p, z, -0x1.1dcb634452a39p-17);
    p = FMA(p, z, 0x1.fedc05115ff61p-17);
    p = FMA(p, z, -0x1.a913dab41a46cp-17);
    p = FMA(p, z, -0x1.6445c5a516661p-16);
    p = FMA(p, z, 0x1.0e62f64743181p-14);
    p = FMA(p, z, 0x1.154b9334c5635p-12);
    p = FMA(p, z, 0x1.21e27981ccf3cp-8);
    p = FMA(p, z, 0x1.9fccb929a3159p-2);
    double q = -0x1.30e14838e2abap-22;
    q = FMA(q, z, 0x1.18bfdb2f519e6p-19);
    q = FMA(q, z, -0x1.087f14dc95e62p-17);
    q = FMA(q, z, 0x1.5caf3c724cac9p-16);
    q = FMA(q, z, -0x1.48fcb7f96b4c1p-15);
    q = FMA(q, z, 0x1.7657131ea2095p-16);
    q = FMA(q, z, 0x1.ebd689c7ce2f6p-14);
    q = FMA(q, z, 0x1.d0bc7ba35b45fp-11);
    q = FMA(q, z, 0x1.101cebd4f50c0p-5);
    p = FMA(q, x, p);
    p = FMA(p, x, 0x1.4090b4ac47462p+3);
    p = FMA(p, x, 0x1.2bb7c304edda2p+10);
    return p;
}
/* end */

/* fit symop_fit_i1 */
/* Largest weighted error 3.5e-17; by benchmarks.vector_coefficients. */
SYMOP_INLINE double symop_fit_i1(double x) {
    double z = x * x;
    double p = 0x1.0159e0a81edcep-125;
    p = FMA(p, z, 0x1.592743fc3d736p-106);
    p = FMA(p, z, 0x1.8bdfff765fd7cp-87);
    p = FMA(p, z, 0x1.f176b4dd12d8dp-69);
    p = FMA(p, z, 0x1.2c9758e909ba1p-51);
    p = FMA(p, z, 0x1.27e4fb7791623p-35);
    p = FMA(p, z, 0x1.6c16c16c16c4bp-21);
    p = FMA(p, z, 0x1.5555555555555p-9);
    double q = 0x1.403f4bb1f3acdp-116;
    q = FMA(q, z, 0x1.15d5bf8ce8723p-96);
    q = FMA(q, z, 0x1.e261d56401990p-78);
    q = FMA(q, z, 0x1.ab81e8fc66f66p-60);
    q = FMA(q, z, 0x1.522a43f591efbp-43);
    q = FMA(q, z, 0x1.845c8a0ce4b00p-28);
    q = FMA(q, z, 0x1.c71c71c71c71ap-15);
    p = FMA(q, x, p);
    p = FMA(p, x, 0x1.0000000000000p-4);
    p = FMA(p, x, 0x1.0000000000000p-1);
    return p;
}
/* end */

/* fit symop_fit_i1_far */
/* Largest weighted error 2.4e-16; by benchmarks.vector_coefficients. */
SYMOP_INLINE double symop_fit_i1_far(double x) {
    double z = x * x;
    double p = 0x1.cea62789667e7p-22;
    p = FMA(p, z, -0x1.83cd057687e0cp-19);
    p = FMA(p, z, 0x1.2aa7557b55bfap-17);
    p = FMA(p, z, -0x1.0f22b289d778bp-16);
    p = FMA(p, z, 0x1.d913441248cdcp-17);
    p = FMA(p, z, 0x1.658c603d0731dp-16);
    p = FMA(p, z, -0x1.2559a5de973e2p-14);
    p = FMA(p, z, -0x1.3894c13ff5457p-12);
    p = FMA(p, z, -0x1.6677e30318d09p-8);
    p = FMA(p, z, -0x1.4e9bd339e93b3p-1);
    double q = 0x1.4909ad6b19666p-22;
    q = FMA(q, z, -0x1.2753de621bdb4p-19);
    q = FMA(q, z, 0x1.11e5ecb6f380bp-17);
    q = FMA(q, z, -0x1.69434b311b8a9p-16);
    q = FMA(q, z, 0x1.5b0209c1a8f75p-15);
    q = FMA(q, z, -0x1.a3c0be71963c4p-16);
    q = FMA(q, z, -0x1.0da5f43e5959cp-13);
    q = FMA(q, z, -0x1.103e0b91bdb30p-10);
    q = FMA(q, z, -0x1.6f3dcf09f83a2p-5);
    p = FMA(q, x, p);
    p = FMA(p, x, -0x1.d102602dc2b92p+4);
    p = FMA(p, x, 0x1.2231f2d630e24p+10);
    return p;
}
/* end */

#define SYMOP_BESSEL_I(n, near_fit, far_fit, near_value, with_sign)                                \
    SYMOP_INLINE double symop_i##n(double x) {                                                     \
        double a = __builtin_fabs(x);                                                              \
        double b = a < 8.0 ? a : 8.0;                                                              \
        double near = near_value * near_fit(b * b);                                                \
        double w = 1.0 / (a < 8.0 ? 8.0 : a);                                                      \
        double far = far_fit(16.0 * w - 1.0) * __builtin_sqrt(w) * symop_exp(a - 8.0);             \
        double y = a < 8.0 ? near : far;                                                           \
        y = a < 800.0 ? y : a * 0x1p1023;                                                          \
        return with_sign;                                                                          \
    }                                                                                              \
    SYMOP_INLINE double symop_i##n##e(double x) {                                                  \
        double a = __builtin_fabs(x);                                                              \
        double b = a < 8.0 ? a : 8.0;                                                              \
        double near = near_value * near_fit(b * b) * symop_exp(-b);                                \
        double w = 1.0 / (a < 8.0 ? 8.0 : a);                                                      \
        double far = far_fit(16.0 * w - 1.0) * __builtin_sqrt(w) * 0x1.5fc21041027adp-12;          \
        double y = a < 8.0 ? near : far;                                                           \
        y = x == x ? y : x;                                                                        \
        return with_sign;                                                                          \
    }                                                                                              \
    SYMOP_INLINE float symop_i##n##f(float x) { return (float)symop_i##n((double)x); }             \
    SYMOP_INLINE float symop_i##n##ef(float x) { return (float)symop_i##n##e((double)x); }

SYMOP_BESSEL_I(0, symop_fit_i0, symop_fit_i0_far, 1.0, y)
SYMOP_BESSEL_I(1, symop_fit_i1, symop_fit_i1_far, b, __builtin_copysign(y, x))
