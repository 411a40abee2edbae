"""What quotients that are 1 at zero lack of 1, and their logarithms: 1 - log1p(x)/x, log(sin(x)/x).

Their derivatives are functions that do not cancel. All are internal: a user writes the plain
formula.
"""

from __future__ import annotations

from fractions import Fraction
from math import factorial

import mpmath as mp

from symop.exponential_quotients import langevin_fraction
from symop.functions import Function, X
from symop.limits import real, tends, wide
from symop.special import horner

_ZERO, _ONE = mp.mpf(0), mp.mpf(1)


def _langevinrel_series(terms: int = 24) -> str:
    """The second derivative of langevin(x)/x, in s = x*x."""
    parts = []
    for n in range(2, terms):
        p, q = (int(part) for part in mp.bernfrac(2 * n))
        parts.append(Fraction(4**n * p, q * factorial(2 * n)) * (2 * n - 2) * (2 * n - 3))
    return horner(parts, "(x*x)")


FUNCTIONS = (
    # 1 - log1p(x)/x.
    Function(
        "log1prel_gap", X, ("log1prel_1(x)",),
        form="where(abs(x) < 1, x*log1pshrink2(x), 1 - log1prel(x))",
        reference=real(wide(lambda x: 1 - mp.log1p(x) / x if x else _ZERO, 1)),
        special=(0,), domain=(-0.9, 20), internal=True,
    ),
    # expm1(x)/x - 1.
    Function(
        "exprel_gap", X, ("exprel_1(x)",),
        form="where(abs(x) < 1, x*exprel2(x), exprel(x) - 1)",
        reference=tends(wide(lambda x: mp.expm1(x) / x - 1 if x else _ZERO, 1), -_ONE, mp.inf),
        special=(0,), domain=(-20, 20), internal=True,
    ),
    # log(sinh(x)/x).
    Function(
        "log_sinhrel", X, ("langevin(x)",),
        form="a = abs(x)\nwhere(a < 1e-9, x*x/6, "
        "where(a < 1.5, log1p(sinhshrink(x)/x), log_sinh(a) - log(a)))",
        reference=tends(
            wide(
                lambda x: (
                    _ZERO if x == 0 else mp.log(mp.sinh(x) / x) if abs(x) < 2
                    else abs(x) + mp.log1p(-mp.exp(-2 * abs(x))) - mp.log(2 * abs(x))
                ),
                2,
            ),
            mp.inf, mp.inf,
        ),
        special=(0,), domain=(-20, 20), internal=True,
    ),
    # log(expm1(x)/x).
    Function(
        "log_exprel", X, ("exprel_mean(x)",),
        form="a = abs(x)\nwhere(a < 1, log1p(exprel_gap(x)), maximum(x, 0) + log(exprel(-a)))",
        reference=tends(
            wide(
                lambda x: max(x, _ZERO) + mp.log(mp.expm1(-abs(x)) / -abs(x)) if x else _ZERO, 1
            ),
            -mp.inf, mp.inf,
        ),
        special=(0,), domain=(-20, 20), internal=True,
    ),
    # log(sin(x)/x).
    Function(
        "log_sinc", X, ("-cotgap(x)",),
        form="a = abs(x)\nwhere(a < 1e-9, -x*x/6, "
        "where(a < 1.5, log1p(-sinshrink(x)/x), log(spherical_bessel_j0(x))))",
        reference=tends(
            real(wide(lambda x: mp.log(mp.sin(x) / x) if x else _ZERO, 2)), mp.nan, mp.nan
        ),
        special=(0,), domain=(-3, 3), internal=True,
    ),
    # atan(x) - x/(1 + x**2).
    Function(
        "atan_gap", X, ("2*lorentz(x)**2",),
        form="where(abs(x) < 1.3, x*lorentz2(x) - atanshrink(x), atan(x) - lorentz(x))",
        reference=tends(
            wide(lambda x: mp.atan(x) - x / (1 + x * x), 3), -mp.pi / 2, mp.pi / 2
        ),
        special=(0,), domain=(-20, 20), internal=True,
    ),
    # (coth(x) - 1/x)/x.
    Function(
        "langevinrel", X, ("langevinrel_1(x)",),
        form=f"{langevin_fraction()}where(abs(x) < 2, g, langevin(x)/x)",
        reference=tends(
            wide(lambda x: (mp.coth(x) - 1 / x) / x if x else _ONE / 3, 4), _ZERO, _ZERO
        ),
        special=(0,), domain=(-20, 20), internal=True,
    ),
    Function(
        "langevinrel_1", X,
        (f"where(abs(x) < 1.2, {_langevinrel_series()}, (langevin_2(x) - 2*result)/x)",),
        form=f"{langevin_fraction()}"
        "where(abs(x) < 2, x*g*(h - g), (langevin_1(x) - langevin(x)/x)/x)",
        reference=tends(
            wide(
                lambda x: (2 / x**2 - mp.csch(x) ** 2 - mp.coth(x) / x) / x if x else _ZERO, 6
            ),
            _ZERO, _ZERO,
        ),
        special=(0,), domain=(-20, 20), internal=True,
    ),
)  # fmt: skip
