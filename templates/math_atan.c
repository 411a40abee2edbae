/* atan2 of |x| and 1, where 2**60 stands for all that is larger. */
SYMOP_INLINE float symop_atanf(float x) {
    double a = __builtin_fabs((double)x);
    double b = a > 0x1p60 ? 0x1p60 : a;
    return __builtin_copysignf((float)symop_atan_ratiof(b, 1.0), x);
}

SYMOP_INLINE double symop_atan(double x) {
    double a = __builtin_fabs(x);
    double b = a > 0x1p60 ? 0x1p60 : a;
    double low;
    double y = symop_atan_ratio(b, 1.0, &low);
    return __builtin_copysign(a < 0x1p-27 ? a : y, x);
}
