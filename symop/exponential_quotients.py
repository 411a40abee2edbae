"""Quotients of exponentials with a removable singularity: expm1(x)/x, x*coth(x), coth(x) - 1/x.

They have a series or a continued fraction where the quotient would lose digits; their derivatives
are functions of the same kind, not quotients again. All are internal: a user writes the plain
formula.
"""

from __future__ import annotations

from fractions import Fraction
from math import factorial

import mpmath as mp

from symop.functions import Function, X
from symop.limits import real, tends, wide
from symop.special import horner

_ZERO, _ONE = mp.mpf(0), mp.mpf(1)


def langevin_fraction(at: str = "x") -> str:
    """The parts g = 1/(3 + s*h), h = 1/(5 + s/(7 + ...)) of langevin(x) = x*g, s = x*x."""
    text = "25"
    for odd in range(23, 5, -2):
        text = f"({odd} + s/{text})"
    return f"s = {at}*{at}\nh = 1/(5 + s/{text})\ng = 1/(3 + s*h)\n"


def _langevin_series(order: int, terms: int = 24) -> str:
    """The power series of a derivative of langevin of odd order, in s = x*x."""
    parts = []
    for n in range((order + 2) // 2, terms):
        p, q = (int(part) for part in mp.bernfrac(2 * n))
        slope = factorial(2 * n - 1) // factorial(2 * n - 1 - order)
        parts.append(Fraction(4**n * p, q * factorial(2 * n)) * slope)
    return horner(parts, "(x*x)")


_G = langevin_fraction()

FUNCTIONS = (
    # expm1(x)/x. Above 80 by halves: exp(x)/x is finite beyond where exp(x) is.
    Function(
        "exprel", X, ("exprel_1(x)",),
        form="y = minimum(x, 3000)\nh = exp(y/2)\n"
        "where(x == 0, 1, where(x > 80, h/y*h, expm1(y)/y))",
        reference=tends(lambda x: mp.expm1(x) / x if x else _ONE, _ZERO, mp.inf),
        special=(0,), domain=(-20, 20), internal=True,
    ),
    # Its derivative.
    Function(
        "exprel_1", X, ("exprel(x)*(exprel_mean(x)**2 + langevin_1(x/2)/4)",),
        form="exprel(x)*exprel_mean(x)",
        reference=tends(
            wide(lambda x: (1 + (x - 1) * mp.exp(x)) / x**2 if x else _ONE / 2, 2), _ZERO, mp.inf
        ),
        special=(0,), domain=(-20, 20), internal=True,
    ),
    # x/expm1(x).
    Function(
        "inverse_exprel", X,
        ("-inverse_exprel_1(x)",),
        form="y = minimum(x, 3000)\nh = exp(-y/2)\n"
        "where(x == 0, 1, where(x > 80, y*h*h, y/expm1(y)))",
        reference=tends(lambda x: x / mp.expm1(x) if x else _ONE, mp.inf, _ZERO),
        special=(0,), domain=(-20, 20), internal=True,
    ),
    # Its derivative but for the sign, by itself: beside large factors either part overflows.
    Function(
        "inverse_exprel_1", X, ("inverse_exprel(x)*(langevin_1(x/2)/4 - exprel_mean(x)**2)",),
        form="y = minimum(maximum(x, -1e30), 1e30)\ninverse_exprel(y)*exprel_mean(y)",
        reference=tends(
            wide(
                lambda x: (x * mp.exp(x) / mp.expm1(x) - 1) / mp.expm1(x) if x else _ONE / 2, 2
            ),
            _ONE, _ZERO,
        ),
        special=(0,), domain=(-20, 20), internal=True,
    ),
    # The logarithmic derivative of exprel: 1/(1 - exp(-x)) - 1/x, between 0 and 1.
    Function(
        "exprel_mean", X, ("langevin_1(x/2)/4",),
        form="where(abs(x) < 2, 1/2 + langevin(x/2)/2, -1/x - bose(-x))",
        reference=tends(
            wide(lambda x: -1 / mp.expm1(-x) - 1 / x if x else _ONE / 2, 1), _ZERO, _ONE
        ),
        special=(0,), domain=(-20, 20), internal=True,
    ),
    # x*coth(x).
    Function(
        "xcoth", X, ("xcoth_1(x)",),
        form="where(x == 0, 1, x/tanh(x))",
        reference=tends(lambda x: x * mp.coth(x) if x else _ONE, mp.inf, mp.inf),
        special=(0,), domain=(-20, 20), internal=True,
    ),
    Function(
        "xcoth_1", X, ("2*langevin_1(x) + x*langevin_2(x)",),
        form="langevin(x) + x*langevin_1(x)",
        reference=tends(
            wide(lambda x: mp.coth(x) - x * mp.csch(x) ** 2 if x else _ZERO, 2), -_ONE, _ONE
        ),
        special=(0,), domain=(-20, 20), internal=True,
    ),
    # k*x/expm1(x), and k*x/expm1(x)*(n - x/(1 - exp(-x))): what x**n/expm1(x) and its derivative
    # are made of.
    Function(
        "inverse_exprel_times", ("x", "k"), ("-k*inverse_exprel_1(x)", "inverse_exprel(x)"),
        form="h = exp(-x/2)\nwhere(x > 80, k*x*h*h, k*inverse_exprel(x))",
        reference=real(lambda x, k: k * x / mp.expm1(x) if x else k), domain=(0.1, 20),
        internal=True,
    ),
    Function(
        "inverse_exprel_slope", ("x", "k", "n"),
        ("m = exprel_mean(x)\n"
         "-k*(inverse_exprel_1(x)*(n - 1 - x*m) + inverse_exprel(x)*(m + x*langevin_1(x/2)/4))",
         "inverse_exprel(x)*(n - 1 - x*exprel_mean(x))", "k*inverse_exprel(x)"),
        form=f"t = x/2\n{langevin_fraction('t')}e = exp(-t)\nwhere(x > 80, k*x*e*(n - x)*e, "
        "k*inverse_exprel(x)*where(abs(x) < 2, n - 1 - t - t*t*g, n + x/expm1(-x)))",
        reference=real(
            lambda x, k, n: k * x / mp.expm1(x) * (n + x / mp.expm1(-x)) if x else k * (n - 1)
        ),
        domain=(0.1, 20), internal=True,
    ),
    # x**n/expm1(x).
    Function(
        "planck", ("x", "n"), ("planck_1(x, n)", "result*log(x)"),
        form="y = minimum(x, 1000)\ninverse_exprel_times(y, y**(n - 1))",
        reference=real(
            lambda x, n: _ZERO if mp.isinf(x) and x > 0 else x**n / mp.expm1(x) if x else _ZERO
        ),
        domain=(0.1, 20), internal=True,
    ),
    Function(
        "planck_1", ("x", "n"),
        ("y = minimum(x, 1000)\ni = inverse_exprel(y)\n"
         "(n - 1)*(n - 2)*y**(n - 3)*i - 2*(n - 1)*y**(n - 2)*inverse_exprel_1(y) - "
         "y**(n - 1)*i*(langevin_1(y/2)/4 - exprel_mean(y)**2)",
         "result*log(x) + planck(x, n - 1)"),
        form="y = minimum(x, 1000)\ninverse_exprel_slope(y, y**(n - 2), n)",
        reference=real(
            lambda x, n: _ZERO if mp.isinf(x) and x > 0
            else x ** (n - 1) / mp.expm1(x) * (n + x / mp.expm1(-x)) if x
            else _ONE if n == 2 else _ZERO
        ),
        domain=(0.1, 20), internal=True,
    ),
    Function(
        "langevin", X, ("langevin_1(x)",), form=f"{_G}where(abs(x) < 2, x*g, 1/tanh(x) - 1/x)",
        reference=tends(wide(lambda x: mp.coth(x) - 1 / x if x else _ZERO, 2), -_ONE, _ONE),
        special=(0,), domain=(-20, 20), internal=True,
    ),
    Function(
        "langevin_1", X, ("langevin_2(x)",),
        form=f"{_G}where(abs(x) < 1.5, 1 - 2*g - s*g*g, 1/x/x - csch(x)**2)",
        reference=tends(
            wide(lambda x: 1 / x**2 - mp.csch(x) ** 2 if x else _ONE / 3, 4), _ZERO, _ZERO
        ),
        special=(0,), domain=(-20, 20), internal=True,
    ),
    Function(
        "langevin_2", X,
        (f"where(abs(x) < 1.2, {_langevin_series(3)}, "
         "6/x/x/x/x - 4*csch(x)**2*coth(x)**2 - 2*csch(x)**4)",),
        form=f"{_G}where(abs(x) < 1.5, 2*x*g*(g - h - (1 - 2*g - s*g*g)), "
        "2*csch(x)**2*coth(x) - 2/x/x/x)",
        reference=tends(
            wide(lambda x: 2 * mp.csch(x) ** 2 * mp.coth(x) - 2 / x**3 if x else _ZERO, 6),
            _ZERO, _ZERO,
        ),
        special=(0,), domain=(-20, 20), internal=True,
    ),
)  # fmt: skip
