/*
 * Elementary and special functions as branch-free C, which gcc and clang vectorise inside a loop
 * over arrays. No contraction by the compiler: a fused multiply-add is written FMA or FMAF, and an
 * algorithm keeps its accuracy where the machine has none. Needed flags: -fno-math-errno
 * -fno-trapping-math -ffp-contract=off.
 */
#include <stdint.h>

/* A loop with a call that is not inlined is not vectorised, however long the function is. */
#define SYMOP_INLINE static inline __attribute__((always_inline, unused))

#if defined(__FMA__) || defined(__ARM_FEATURE_FMA) || defined(__FP_FAST_FMA)
#define SYMOP_FUSED 1
#define FMA(a, b, c) __builtin_fma((a), (b), (c))
#define FMAF(a, b, c) __builtin_fmaf((a), (b), (c))
#else
#define SYMOP_FUSED 0
#define FMA(a, b, c) ((a) * (b) + (c))
#define FMAF(a, b, c) ((a) * (b) + (c))
#endif

/*
 * A product that may vanish. A multiplication from or to a subnormal number takes some processors,
 * AMD EPYC among them, tens of cycles longer, but not a fused one. Adding -0 changes no product,
 * and compilers leave it out where nothing is fused.
 */
#define VANISHING(a, b) FMA((a), (b), -0.0)
#define VANISHINGF(a, b) FMAF((a), (b), -0.0f)

SYMOP_INLINE uint32_t symop_bits32(float x) {
    uint32_t bits;
    __builtin_memcpy(&bits, &x, sizeof bits);
    return bits;
}

SYMOP_INLINE float symop_float(uint32_t bits) {
    float x;
    __builtin_memcpy(&x, &bits, sizeof x);
    return x;
}

SYMOP_INLINE uint64_t symop_bits64(double x) {
    uint64_t bits;
    __builtin_memcpy(&bits, &x, sizeof bits);
    return bits;
}

SYMOP_INLINE double symop_double(uint64_t bits) {
    double x;
    __builtin_memcpy(&x, &bits, sizeof x);
    return x;
}

/* Added and subtracted, these round to an integer, which then stands in the low bits of the sum. */
#define SYMOP_ROUNDERF 0x1.8p23f
#define SYMOP_ROUNDER 0x1.8p52

/* What a product lost in rounding: a*b - product. */
SYMOP_INLINE double symop_product_low(double a, double b, double product) {
#if SYMOP_FUSED
    return FMA(a, b, -product);
#else
    /* Dekker's splitting, which overflows beyond 2**996. */
    double c = 0x1.0000002p27 * a;
    double d = 0x1.0000002p27 * b;
    double a_high = c - (c - a);
    double b_high = d - (d - b);
    double a_low = a - a_high;
    double b_low = b - b_high;
    return ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low;
#endif
}

/* What a sum lost in rounding: a + b - sum, whichever is larger. */
SYMOP_INLINE double symop_sum_low(double a, double b, double sum) {
    double back = sum - a;
    return (a - (sum - back)) + (b - back);
}
