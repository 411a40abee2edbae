"""The polynomials that the vector mathematics of the C backend is made of."""

from __future__ import annotations

from mpmath import mp, mpf

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


def log_erfc(x: mpf) -> mpf:
    """The logarithm of erfc, the exponent of 1 - erf."""
    return mp.log(mp.erfc(x))


FITS = {
    fit.function: fit
    for fit in (
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
        Fit("symop_fit_erff", lambda z: (mp.erf(mp.sqrt(z)) / mp.sqrt(z) if z else 2 / mp.sqrt(mp.pi)) - 1,
            (0, 1), 6, root(mp.erf, 1), kind="float"),
        Fit("symop_fit_erf", lambda z: (mp.erf(mp.sqrt(z)) / mp.sqrt(z) if z else 2 / mp.sqrt(mp.pi)) - 1,
            (0, 1), 11, root(mp.erf, 1)),
        Fit("symop_fit_log_erfcf", lambda t: log_erfc(1 + t), (0, 3), 8,
            lambda t: mp.erfc(1 + t), kind="float"),
        Fit("symop_fit_log_erfc", lambda t: log_erfc(1 + t), (0, "4.95"), 17,
            lambda t: mp.erfc(1 + t)),
    )
}  # fmt: skip
