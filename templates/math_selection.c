/*
 * Maxima and minima, sign and relu as torch has them: maximum and minimum give NaN where an operand
 * is NaN, fmax and fmin the other operand; of equal operands, the first. sign(NaN) is 0, and
 * relu(NaN) NaN. No condition is a combination of two: gcc 12 does not vectorise a selection between
 * conditions, which is what several of them in a row become.
 */
#define SYMOP_SELECTION(real, suffix)                                                              \
    SYMOP_INLINE real symop_maximum##suffix(real a, real b) {                                      \
        real most = b > a ? b : a;                                                                 \
        return b != b ? b : most;                                                                  \
    }                                                                                              \
    SYMOP_INLINE real symop_minimum##suffix(real a, real b) {                                      \
        real least = b < a ? b : a;                                                                \
        return b != b ? b : least;                                                                 \
    }                                                                                              \
    SYMOP_INLINE real symop_fmax##suffix(real a, real b) {                                         \
        return ((a >= b) | (b != b)) ? a : b;                                                      \
    }                                                                                              \
    SYMOP_INLINE real symop_fmin##suffix(real a, real b) {                                         \
        return ((a <= b) | (b != b)) ? a : b;                                                      \
    }                                                                                              \
    SYMOP_INLINE real symop_sign##suffix(real x) {                                                 \
        return x > 0 ? (real)1 : (x < 0 ? (real)-1 : (real)0);                                     \
    }                                                                                              \
    SYMOP_INLINE real symop_relu##suffix(real x) { return x <= 0 ? (real)0 : x; }                  \
    SYMOP_INLINE real symop_rsqrt##suffix(real x) {                                                \
        return 1 / __builtin_sqrt##suffix(x);                                                      \
    }

SYMOP_SELECTION(float, f)
SYMOP_SELECTION(double, )
