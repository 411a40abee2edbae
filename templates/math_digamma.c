/*
 * 0 < x < 4: a polynomial on [1, 2] times x - x0, x0 the positive zero, and steps of the recurrence.
 * Beyond: log(y) - 1/(2*y) - sum of Bernoulli numbers over powers of y**2 (DLMF 5.11.2), where y = x + 8
 * for x < 10, less the quotients 1/(x + k), k < 8. x < 0: digamma(1 - x) - pi/tan(pi*x). float is
 * computed in double precision.
 */
/* fit symop_fit_digamma */
/* Largest weighted error 4.6e-17; by benchmarks.vector_coefficients. */
SYMOP_INLINE double symop_fit_digamma(double x) {
    double z = x * x;
    double p = 0x1.9cd4ad04f7e8ep-34;
    p = FMA(p, z, -0x1.32acbd29b6f7dp-32);
    p = FMA(p, z, 0x1.2686beb81a048p-29);
    p = FMA(p, z, 0x1.3f284410b93f5p-27);
    p = FMA(p, z, 0x1.9e73c4ba30bd1p-24);
    p = FMA(p, z, 0x1.ccce6f063242ap-21);
    p = FMA(p, z, 0x1.03c27c7d6c2fcp-17);
    p = FMA(p, z, 0x1.256464b1373fep-14);
    p = FMA(p, z, 0x1.4de9aa4c295dbp-11);
    p = FMA(p, z, 0x1.8512e58fc9a8cp-8);
    p = FMA(p, z, 0x1.eca189b8e7529p-5);
    double q = -0x1.382d4de616231p-34;
    q = FMA(q, z, -0x1.7bc3166a4385cp-32);
    q = FMA(q, z, -0x1.e9912d8a67854p-29);
    q = FMA(q, z, -0x1.11283d25aeb6fp-25);
    q = FMA(q, z, -0x1.334cd943e4587p-22);
    q = FMA(q, z, -0x1.5a087434e6cd0p-19);
    q = FMA(q, z, -0x1.86355459ef852p-16);
    q = FMA(q, z, -0x1.b9f8b16ae0f0ep-13);
    q = FMA(q, z, -0x1.fb4420295009cp-10);
    q = FMA(q, z, -0x1.2feeeb98a8088p-6);
    p = FMA(q, x, p);
    p = FMA(p, x, -0x1.b1cb63005ee96p-3);
    p = FMA(p, x, 0x1.e6f0cbb873616p-1);
    return p;
}
/* end */

SYMOP_INLINE double symop_positive_digamma(double x) {
    double t = x < 1.0 ? x + 1.0 : (x < 2.0 ? x : (x < 3.0 ? x - 1.0 : x - 2.0));
    t = t < 2.0 ? t : 2.0;
    double step = x < 1.0 ? -1.0 / x : (x < 2.0 ? 0.0 : 1.0 / t);
    step += x < 3.0 ? 0.0 : 1.0 / (t + 1.0);
    double near = ((t - 0x1.762d86356be3fp+0) - 0x1.b86a722197829p-54)
        * symop_fit_digamma(2.0 * t - 3.0) + step;
    int is_shifted = x < 10.0;
    double c = is_shifted ? x : 10.0;
    double sum = 0.0;
    for (int k = 0; k < 8; k += 2)
        sum += (2.0 * c + (2 * k + 1)) / ((c + k) * (c + (k + 1)));
    double y = is_shifted ? x + 8.0 : x;
    double w = 1.0 / y;
    double z = w * w;
    double p = -3617.0 / 8160.0;
    p = FMA(p, z, 1.0 / 12.0);
    p = FMA(p, z, -691.0 / 32760.0);
    p = FMA(p, z, 1.0 / 132.0);
    p = FMA(p, z, -1.0 / 240.0);
    p = FMA(p, z, 1.0 / 252.0);
    p = FMA(p, z, -1.0 / 120.0);
    p = FMA(p, z, 1.0 / 12.0);
    double far = symop_log(y) - (FMA(p, z, 0.5 * w) + (is_shifted ? sum : 0.0));
    return x < 4.0 ? near : far;
}

SYMOP_INLINE double symop_digamma(double x) {
    double a = x < 0.0 ? 1.0 - x : x;
    double y = symop_positive_digamma(a);
    /* From 2**52 on every number is an integer. */
    double b = x > -0x1p52 ? x : -0x1p52;
    double r = b - ((b + SYMOP_ROUNDER) - SYMOP_ROUNDER);
    double reflected = y - 0x1.921fb54442d18p+1 / symop_tan(0x1.921fb54442d18p+1 * r);
    y = x < 0.0 ? reflected : y;
    double whole = x < 0.0 ? __builtin_nan("") : y;
    y = r == 0.0 ? whole : y;
    return x == 0.0 ? -__builtin_copysign(__builtin_inf(), x) : y;
}

SYMOP_INLINE float symop_digammaf(float x) { return (float)symop_digamma((double)x); }
