/* exp(a)/4 as a sum of two numbers, for 0 <= a <= 710.6, and in float to some 30 bits. */
SYMOP_INLINE double symop_quarter_exp(double a, double *low) {
    double t = FMA(a, 0x1.71547652b82fep+0, SYMOP_ROUNDER);
    double n = t - SYMOP_ROUNDER;
    double first = FMA(n, -0x1.62e42fefap-1, a);
    double second = n * 0x1.cf79abc9e3b3ap-40;
    double r = first - second;
    double r_low = (first - r) - second;
    double rest = FMA(r * r, symop_fit_expm1(r), FMA(r, r_low, r_low));
    double u = r + rest;
    double p = 1.0 + u;
    double scale = symop_double((symop_bits64(t) << 52) + 0x3fd0000000000000u);
    *low = (((1.0 - p) + u) + ((r - u) + rest)) * scale;
    return p * scale;
}

SYMOP_INLINE double symop_exp_short(double a) {
    double power = a * 0x1.71547652b82fep+0;
    double t = power + SYMOP_ROUNDER;
    double p = symop_fit_exp2_short(power - (t - SYMOP_ROUNDER));
    return p * symop_double((symop_bits64(t) << 52) + 0x3ff0000000000000u);
}
