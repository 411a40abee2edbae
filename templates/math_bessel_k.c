/*
 * x <= 2: K0(x) = p(x**2) - log(x/2)*I0(x), K1(x) = p(x**2)/x + log(x/2)*I1(x). Beyond, a polynomial in
 * 4/x - 1 for sqrt(x)*exp(x)*K(x). float is computed in double precision.
 */
/* fit symop_fit_k0 */
/* Largest weighted error 8.9e-18; by benchmarks.vector_coefficients. */
SYMOP_INLINE double symop_fit_k0(double x) {
    double z = x * x;
    double p = 0x1.689df20709521p-46;
    p = FMA(p, z, 0x1.e4e093bb61cbep-31);
    p = FMA(p, z, 0x1.56b9b69b43f59p-17);
    p = FMA(p, z, 0x1.d8773039046bap-7);
    double q = 0x1.483243b02ed6ep-54;
    q = FMA(q, z, 0x1.54d7bf5b1dcdep-38);
    q = FMA(q, z, 0x1.f0f15baf9c2c4p-24);
    q = FMA(q, z, 0x1.1dd6286539e32p-11);
    p = FMA(q, x, p);
    p = FMA(p, x, 0x1.b0ee6072093ddp-4);
    p = FMA(p, x, -0x1.2788cfc6fb619p-1);
    return p;
}
/* end */

/* fit symop_fit_k0_far */
/* Largest weighted error 1.3e-17; by benchmarks.vector_coefficients. */
SYMOP_INLINE double symop_fit_k0_far(double x) {
    double z = x * x;
    double p = -0x1.adbccce2b85d7p-35;
    p = FMA(p, z, 0x1.c5a9291db504cp-32);
    p = FMA(p, z, -0x1.384fa3fc12014p-30);
    p = FMA(p, z, 0x1.20a748382bd2ep-29);
    p = FMA(p, z, -0x1.5145b0930763fp-30);
    p = FMA(p, z, 0x1.3f07e3957d004p-28);
    p = FMA(p, z, 0x1.1e9dc0f44287ep-26);
    p = FMA(p, z, 0x1.baa2a97912732p-24);
    p = FMA(p, z, 0x1.8ec44bdcdd19dp-21);
    p = FMA(p, z, 0x1.d5e9b315094adp-18);
    p = FMA(p, z, 0x1.a19652db8be8cp-14);
    p = FMA(p, z, 0x1.8d86f6465fc70p-9);
    double q = -0x1.dc03f15caf9c4p-35;
    q = FMA(q, z, 0x1.30d7d8a4e9251p-33);
    q = FMA(q, z, -0x1.87940fc18072ep-32);
    q = FMA(q, z, -0x1.8c0b50aa0ccfcp-34);
    q = FMA(q, z, -0x1.d400a4a48a43bp-30);
    q = FMA(q, z, -0x1.fd5c318fc4b8dp-28);
    q = FMA(q, z, -0x1.62b6a86b5529ap-25);
    q = FMA(q, z, -0x1.20bf547d2b77bp-22);
    q = FMA(q, z, -0x1.26183f0d7d7a1p-19);
    q = FMA(q, z, -0x1.9efce5269ba00p-16);
    q = FMA(q, z, -0x1.f7130688eb35ap-12);
    p = FMA(q, x, p);
    p = FMA(p, x, -0x1.fd1328181db4dp-6);
    p = FMA(p, x, 0x1.37f5dd35f91a9p+0);
    return p;
}
/* end */

/* fit symop_fit_k1 */
/* Largest weighted error 4.9e-17; by benchmarks.vector_coefficients. */
SYMOP_INLINE double symop_fit_k1(double x) {
    double z = x * x;
    double p = -0x1.5eb984c4789aap-42;
    p = FMA(p, z, -0x1.5b7a06495ad7bp-27);
    p = FMA(p, z, -0x1.3a47ef80a9b05p-14);
    p = FMA(p, z, -0x1.5877303904891p-5);
    double q = -0x1.5db5bfdad1241p-50;
    q = FMA(q, z, -0x1.1fa7217b73857p-34);
    q = FMA(q, z, -0x1.24628265eacfbp-20);
    q = FMA(q, z, -0x1.73ddae5eeb3f5p-9);
    p = FMA(q, x, p);
    p = FMA(p, x, 0x1.3c467e37db0a5p-5);
    p = FMA(p, x, 0x1.0000000000000p+0);
    return p;
}
/* end */

/* fit symop_fit_k1_far */
/* Largest weighted error 1.7e-17; by benchmarks.vector_coefficients. */
SYMOP_INLINE double symop_fit_k1_far(double x) {
    double z = x * x;
    double p = 0x1.ca874137facb4p-34;
    p = FMA(p, z, -0x1.a379f6731f0d4p-31);
    p = FMA(p, z, 0x1.1d9b264012c0cp-29);
    p = FMA(p, z, -0x1.eda5ce3ab9df0p-29);
    p = FMA(p, z, 0x1.6235025a84b67p-29);
    p = FMA(p, z, -0x1.a0b00a18f52c8p-28);
    p = FMA(p, z, -0x1.478ab60af5338p-26);
    p = FMA(p, z, -0x1.0685fe8818684p-23);
    p = FMA(p, z, -0x1.e6c3bd89822f5p-21);
    p = FMA(p, z, -0x1.2cb038a18e46ep-17);
    p = FMA(p, z, -0x1.24bdeda8ebd34p-13);
    p = FMA(p, z, -0x1.6cd23ac7d5eb5p-8);
    double q = 0x1.c8ab48c03f1cep-35;
    q = FMA(q, z, -0x1.ede8eae660d12p-34);
    q = FMA(q, z, 0x1.4c29060cb5ca2p-32);
    q = FMA(q, z, 0x1.f02c47e2cf4e2p-33);
    q = FMA(q, z, 0x1.f8c7f864602c3p-30);
    q = FMA(q, z, 0x1.274250f11315dp-27);
    q = FMA(q, z, 0x1.9fbade916bec7p-25);
    q = FMA(q, z, 0x1.5ad05b7faee7ap-22);
    q = FMA(q, z, 0x1.6e6b715e638c0p-19);
    q = FMA(q, z, 0x1.1383aa1e7f774p-15);
    q = FMA(q, z, 0x1.81bb397937681p-11);
    p = FMA(q, x, p);
    p = FMA(p, x, 0x1.a7520dfb3f9a2p-4);
    p = FMA(p, x, 0x1.5cf785b4a0203p+0);
    return p;
}
/* end */

#define SYMOP_BESSEL_K(n, far_fit, near_value)                                                     \
    SYMOP_INLINE double symop_near_k##n(double x) {                                                \
        double b = x < 2.0 ? x : 2.0;                                                              \
        double z = b * b;                                                                          \
        int is_tiny = b < 0x1p-1000;                                                               \
        double log = symop_log(is_tiny ? b : 0.5 * b) - (is_tiny ? 0x1.62e42fefa39efp-1 : 0.0);    \
        return near_value;                                                                         \
    }                                                                                              \
    SYMOP_INLINE double symop_far_k##n(double x) {                                                 \
        double w = 1.0 / (x < 2.0 ? 2.0 : x);                                                      \
        return far_fit(4.0 * w - 1.0) * __builtin_sqrt(w);                                         \
    }                                                                                              \
    SYMOP_INLINE double symop_modified_bessel_k##n(double x) {                                     \
        double y = x <= 2.0 ? symop_near_k##n(x) : symop_far_k##n(x) * symop_exp(-x);              \
        y = x > 0.0 ? y : __builtin_nan("");                                                       \
        return x == 0.0 ? __builtin_inf() : y;                                                     \
    }                                                                                              \
    SYMOP_INLINE double symop_scaled_modified_bessel_k##n(double x) {                              \
        double y = x <= 2.0 ? symop_near_k##n(x) * symop_exp(x) : symop_far_k##n(x);               \
        y = x > 0.0 ? y : __builtin_nan("");                                                       \
        return x == 0.0 ? __builtin_inf() : y;                                                     \
    }                                                                                              \
    SYMOP_INLINE float symop_modified_bessel_k##n##f(float x) {                                    \
        return (float)symop_modified_bessel_k##n((double)x);                                       \
    }                                                                                              \
    SYMOP_INLINE float symop_scaled_modified_bessel_k##n##f(float x) {                             \
        return (float)symop_scaled_modified_bessel_k##n((double)x);                                \
    }

SYMOP_BESSEL_K(0, symop_fit_k0_far, symop_fit_k0(z) - log * symop_fit_i0(z))
SYMOP_BESSEL_K(1, symop_fit_k1_far, symop_fit_k1(z) / b + log * b * symop_fit_i1(z))
