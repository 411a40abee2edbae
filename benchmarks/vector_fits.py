"""The polynomials that the vector mathematics of the C backend is made of."""

from __future__ import annotations

from collections.abc import Sequence

from mpmath import mp, mpf

from benchmarks.error_fits import ERROR_FITS
from benchmarks.minimax import Fit, Real

HALF_LN2 = 0.34658


def tail(function: Real, terms: int) -> Real:
    """What remains of a Taylor series about 0 after its first terms, over x**terms."""
    with mp.workprec(400):
        known = mp.taylor(function, 0, terms + 40)

    def remainder(x: mpf) -> mpf:
        if abs(x) < mpf("0.01"):
            return mp.polyval(known[terms:][::-1], x)
        with mp.workprec(400):
            return (function(x) - mp.polyval(known[:terms][::-1], x)) / x**terms

    return remainder


def relative(function: Real, power: int, least: str = "1e-6") -> Real:
    """The weight that makes the error of a term x**power * p relative to a function."""
    return lambda x: abs(x) ** power / abs(function(x)) + mpf(least)


def of_square(function: Real, terms: int) -> Real:
    """A remainder of an odd function over x**(2*terms - 1), as a function of the square of x.

    terms: how many terms of its series about 0 are left out, counting the odd ones only.
    """
    remainder = tail(function, 2 * terms)
    return lambda z: remainder(mp.sqrt(z)) / mp.sqrt(z) if z else remainder_at_0(function, terms)


def remainder_at_0(function: Real, terms: int) -> mpf:
    """The coefficient of x**(2*terms + 1) of a function about 0."""
    with mp.workprec(400):
        return mp.taylor(function, 0, 2 * terms + 1)[-1]


def root(function: Real, power: int, scale: Real = mp.sqrt) -> Real:
    """The weight that makes the error of a term x**power * p(x*x) relative to function(x)."""
    return lambda z: scale(z) ** power / abs(function(scale(z))) if z else mpf("1e-6")


def over_root(function: Real, less: int) -> Real:
    """f(x)/x - less for an odd function, as a function of the square of x."""

    def quotient(z: mpf) -> mpf:
        with mp.workprec(600):
            x = mp.sqrt(z) or mpf("1e-40")
            return function(x) / x - less

    return quotient


QUARTER = "0.61686"  # the square of pi/4, and a little
HALF = "2.46741"  # the square of pi/2, and a little


def cosine(z: mpf) -> mpf:
    """The cosine as a function of the square of its argument."""
    return mp.cos(mp.sqrt(z))


def over(function: Real, terms: Sequence[str]) -> Real:
    """What remains of a function of z after the first terms of its series, over z**len(terms)."""

    def remainder(z: mpf) -> mpf:
        with mp.workprec(600):
            z = z or mpf("1e-40")
            return (function(z) - mp.polyval([mpf(t) for t in terms[::-1]], z)) / z ** len(terms)

    return remainder


def log2_over_s(z: mpf) -> mpf:
    """log2((1 + s)/(1 - s))/s as a function of z = s*s."""
    s = mp.sqrt(z) or mpf("1e-60")
    with mp.workprec(600):
        return 2 * mp.atanh(s) / s / mp.log(2)


def atanh_over_s(z: mpf) -> mpf:
    """atanh(s)/s as a function of z = s*s."""
    return log2_over_s(z) * mp.log(2) / 2


def bessel_i1_over_x(z: mpf) -> mpf:
    """I1(x)/x as a function of z = x*x."""
    x = mp.sqrt(z)
    return mp.besseli(1, x) / x if x else mpf("0.5")


def asymptotic(order: int, w: mpf, sign: int) -> mpf:
    """The asymptotic series of sqrt(x)*exp(-x)*I, or of sqrt(x)*exp(x)*K (DLMF 10.40), w = 1/x."""
    total = term = mpf(1)
    for k in range(1, 16):
        term *= sign * (4 * order**2 - (2 * k - 1) ** 2) * w / (8 * k)
        total += term
    return total


def far_bessel_i(order: int) -> Real:
    """sqrt(x)*exp(8 - x)*I(x) as a function of 1/x."""

    def scaled(w: mpf) -> mpf:
        if w < mpf("1e-4"):
            return asymptotic(order, w, -1) * mp.exp(8) / mp.sqrt(2 * mp.pi)
        return mp.sqrt(1 / w) * mp.exp(8 - 1 / w) * mp.besseli(order, 1 / w)

    return scaled


def far_bessel_k(order: int) -> Real:
    """sqrt(x)*exp(x)*K(x) as a function of 1/x."""

    def scaled(w: mpf) -> mpf:
        if w < mpf("1e-4"):
            return asymptotic(order, w, 1) * mp.sqrt(mp.pi / 2)
        return mp.sqrt(1 / w) * mp.exp(1 / w) * mp.besselk(order, 1 / w)

    return scaled


def turned(function: Real, scale: int) -> Real:
    """A function of w as one of t = scale*w - 1, whose powers cancel less."""
    return lambda t: function((1 + t) / scale)


def rest_bessel_k0(z: mpf) -> mpf:
    """K0(x) + log(x/2)*I0(x) as a function of z = x*x."""
    x = mp.sqrt(z) or mpf("1e-40")
    return mp.besselk(0, x) + mp.log(x / 2) * mp.besseli(0, x)


def rest_bessel_k1(z: mpf) -> mpf:
    """x*(K1(x) - log(x/2)*I1(x)) as a function of z = x*x."""
    x = mp.sqrt(z) or mpf("1e-40")
    return x * (mp.besselk(1, x) - mp.log(x / 2) * mp.besseli(1, x))


def langevin_over_x(z: mpf) -> mpf:
    """(coth(x) - 1/x)/x as a function of z = x*x."""
    with mp.workprec(600):
        x = mp.sqrt(z) or mpf("1e-40")
        return (mp.coth(x) - 1 / x) / x


def of_square_root(function: Real, power: int) -> Real:
    """f(x)/x**power as a function of the square of x."""

    def quotient(z: mpf) -> mpf:
        with mp.workprec(600):
            x = mp.sqrt(z) or mpf("1e-30")
            return function(x) / x**power

    return quotient


def inverse(function: Real) -> Real:
    """The weight that makes an error relative."""
    return lambda x: 1 / function(x)


LOG_COSH = of_square_root(lambda x: mp.log(mp.cosh(x)), 2)
TANHSHRINK = of_square_root(lambda x: x - mp.tanh(x), 3)
SINSHRINK = of_square_root(lambda x: x - mp.sin(x), 3)
TANSHRINK = of_square_root(lambda x: x - mp.tan(x), 3)
SINSHRINK_1 = of_square_root(lambda x: (x * (1 - mp.cos(x)) - 3 * (x - mp.sin(x))) / x**4, 1)
TANSHRINK_1 = of_square_root(lambda x: (x * mp.tan(x) ** 2 - 3 * (mp.tan(x) - x)) / x**4, 1)
XCOTH_1 = of_square_root(lambda x: mp.coth(x) - x * mp.csch(x) ** 2, 1)
ATANH_TAIL = of_square_root(lambda x: mp.atanh(x) - x, 3)


def digamma_quotient(t: mpf) -> mpf:
    """digamma(x)/(x - x0), x0 the positive zero, as a function of t = 2*x - 3."""
    x = (3 + t) / 2
    return mp.digamma(x) / (x - mp.findroot(mp.digamma, mpf("1.4616")))


def lgamma_quotient(t: mpf) -> mpf:
    """The logarithm of gamma(x) over x - 2, as a function of t = 2*(x - 2)."""
    return mp.loggamma(2 + t / 2) / (t / 2) if t else 1 - mp.euler


FITS = {
    fit.function: fit
    for fit in (
        *ERROR_FITS,
        Fit("symop_fit_expf", tail(mp.exp, 1), (-HALF_LN2, HALF_LN2), 6,
            relative(mp.exp, 1), ("0x1p0", "0x1p-1"), "float"),
        Fit("symop_fit_exp", tail(mp.exp, 1), (-HALF_LN2, HALF_LN2), 10,
            relative(mp.exp, 1), ("0x1p0", "0x1p-1")),
        Fit("symop_fit_expm1f", tail(mp.expm1, 2), (-HALF_LN2, HALF_LN2), 5,
            relative(mp.expm1, 2), ("0x1p-1",), "float"),
        Fit("symop_fit_expm1", tail(mp.expm1, 2), (-HALF_LN2, HALF_LN2), 10,
            relative(mp.expm1, 2), ("0x1p-1",)),
        Fit("symop_fit_logf", tail(mp.log1p, 3), ("-0.29290", "0.41422"), 8,
            relative(mp.log1p, 3), kind="float"),
        Fit("symop_fit_log", of_square(lambda s: 2 * mp.atanh(s), 1), (0, "0.02945"), 6,
            root(lambda s: 2 * mp.atanh(s), 3)),
        Fit("symop_fit_tanhf", of_square(mp.tanh, 1), (0, 1), 7, root(mp.tanh, 3), kind="float"),
        Fit("symop_fit_tanh", of_square(mp.tanh, 1), (0, 1), 14, root(mp.tanh, 3)),
        Fit("symop_fit_erff", over_root(mp.erf, 1),

            (0, 1), 6, root(mp.erf, 1), kind="float"),
        Fit("symop_fit_erf", over_root(mp.erf, 1),

            (0, "0.9026"), 11, root(mp.erf, 1)),
        Fit("symop_fit_sin_short", of_square(mp.sin, 1), (0, QUARTER), 3, root(mp.sin, 3)),
        Fit("symop_fit_sin_half", of_square(mp.sin, 1), (0, HALF), 4, root(mp.sin, 3)),
        Fit("symop_fit_cos_short", over(cosine, ["1"]), (0, QUARTER), 4,
            lambda z: z + mpf("1e-6")),
        Fit("symop_fit_sin", of_square(mp.sin, 1), (0, QUARTER), 5, root(mp.sin, 3)),
        Fit("symop_fit_cos", over(cosine, ["1", "-0.5"]), (0, QUARTER), 5,
            lambda z: z * z + mpf("1e-6")),
        Fit("symop_fit_exp2f", tail(lambda x: mpf(2) ** x, 1), (-0.5, 0.5), 6,
            relative(lambda x: mpf(2) ** x, 1), kind="float"),
        Fit("symop_fit_exp2", tail(lambda x: mpf(2) ** x, 1), (-0.5, 0.5), 11,
            relative(lambda x: mpf(2) ** x, 1)),
        Fit("symop_fit_exp2_short", lambda x: mpf(2) ** x, (-0.5, 0.5), 7,
            lambda x: mpf(2) ** -x),
        Fit("symop_fit_log2_short", log2_over_s, (0, "0.02945"), 4),
        Fit("symop_fit_log2_pow", over(atanh_over_s, ["1", "1/3"]), (0, "0.02945"), 7,
            lambda z: z * z + mpf("1e-9")),
        Fit("symop_fit_squaref", tail(mp.exp, 2), (-HALF_LN2, HALF_LN2), 4,
            relative(mp.exp, 2), kind="float", exact=4),
        Fit("symop_fit_square", tail(mp.exp, 2), (-HALF_LN2, HALF_LN2), 9,
            relative(mp.exp, 2)),
        Fit("symop_fit_sinh_short", of_square(mp.sinh, 1), (0, 1), 3, root(mp.sinh, 3)),
        Fit("symop_fit_sinh", of_square(mp.sinh, 1), (0, 1), 7, root(mp.sinh, 3)),
        Fit("symop_fit_atan_short", of_square(mp.atan, 1), (0, "0.17158"), 5, root(mp.atan, 3)),
        Fit("symop_fit_atan", of_square(mp.atan, 1), (0, "0.17158"), 11, root(mp.atan, 3)),
        Fit("symop_fit_asin_short", of_square(mp.asin, 1), (0, "0.25"), 6, root(mp.asin, 3)),
        Fit("symop_fit_asin", of_square(mp.asin, 1), (0, "0.25"), 12, root(mp.asin, 3)),
        Fit("symop_fit_i0", lambda z: mp.besseli(0, mp.sqrt(z)), (0, 64), 16,
            lambda z: 1 / mp.besseli(0, mp.sqrt(z)), exact=1),
        Fit("symop_fit_i1", bessel_i1_over_x, (0, 64), 16,
            lambda z: 1 / bessel_i1_over_x(z), exact=1),
        Fit("symop_fit_i0_far", turned(far_bessel_i(0), 16), (-1, 1), 20,
            lambda t: 1 / turned(far_bessel_i(0), 16)(t), exact=1),
        Fit("symop_fit_i1_far", turned(far_bessel_i(1), 16), (-1, 1), 20,
            lambda t: 1 / turned(far_bessel_i(1), 16)(t), exact=1),
        Fit("symop_fit_k0", rest_bessel_k0, (0, 4), 9, exact=1),
        Fit("symop_fit_k1", rest_bessel_k1, (0, 4), 9, exact=1),
        Fit("symop_fit_k0_far", turned(far_bessel_k(0), 4), (-1, 1), 24,
            lambda t: 1 / turned(far_bessel_k(0), 4)(t), exact=1),
        Fit("symop_fit_k1_far", turned(far_bessel_k(1), 4), (-1, 1), 24,
            lambda t: 1 / turned(far_bessel_k(1), 4)(t), exact=1),
        Fit("symop_fit_langevinf", langevin_over_x, (0, 1), 5,
            lambda z: 1 / langevin_over_x(z), kind="float", exact=1),
        Fit("symop_fit_langevin", langevin_over_x, (0, 1), 10, lambda z: 1 / langevin_over_x(z)),
        *(
            Fit(name, target, (0, high), degree, inverse(target), kind=kind, exact=1)
            for name, target, high, degree, kind in (
                ("symop_fit_log_coshf", LOG_COSH, 1, 7, "float"),
                ("symop_fit_log_cosh", LOG_COSH, 1, 15, "double"),
                ("symop_fit_tanhshrinkf", TANHSHRINK, 1, 7, "float"),
                ("symop_fit_tanhshrink", TANHSHRINK, 1, 15, "double"),
                ("symop_fit_sinshrinkf", SINSHRINK, "2.25", 4, "float"),
                ("symop_fit_sinshrink", SINSHRINK, "2.25", 8, "double"),
                ("symop_fit_tanshrinkf", TANSHRINK, 1, 8, "float"),
                ("symop_fit_tanshrink", TANSHRINK, 1, 18, "double"),
                ("symop_fit_sinshrink_1f", SINSHRINK_1, "0.5", 3, "float"),
                ("symop_fit_sinshrink_1", SINSHRINK_1, 8, 12, "double"),
                ("symop_fit_tanshrink_1f", TANSHRINK_1, "0.125", 5, "float"),
                ("symop_fit_tanshrink_1", TANSHRINK_1, 1, 19, "double"),
                ("symop_fit_xcoth_1f", XCOTH_1, 1, 6, "float"),
                ("symop_fit_xcoth_1", XCOTH_1, 1, 14, "double"),
                ("symop_fit_atanh_tail", ATANH_TAIL, "0.25", 14, "double"),
            )
        ),
        Fit("symop_fit_digamma", digamma_quotient, (-1, 1), 22, lambda t: 1 / digamma_quotient(t),
            exact=6),
        Fit("symop_fit_lgamma", lgamma_quotient, (-1, 1), 20, lambda t: 1 / lgamma_quotient(t),
            exact=6),
    )
}  # fmt: skip
