"""Logarithms that cancel as they are written: log1p(x)/x, log(a/b), log(erfc(x)).

log1p(x)/x has a quadrature where the quotient would lose digits; its derivatives are functions of
the same kind, not quotients again. All are internal: a user writes the plain formula.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import mpmath as mp

from symop.functions import Function, X
from symop.limits import real, tends, wide
from symop.special import horner, scaled_erfc

_ZERO, _ONE = mp.mpf(0), mp.mpf(1)

# log1p(x)/x is the integral of 1/(1 + x*t) over t in 0..1; its derivatives are up to a factor
# those of t**n/(1 + x*t)**(n + 1), in which nothing cancels.

# Nodes and weights of Gauss' rule on 0..1.
_NODES = (
    ("0.009219682876640374654725455", "0.02358766819325591359730798"),
    ("0.04794137181476257166076707", "0.05346966299765921548012736"),
    ("0.1150486629028476564815531", "0.08003916427167311316732626"),
    ("0.2063410228566912763516488", "0.1015837133615329608745322"),
    ("0.3160842505009099031236542", "0.1167462682691774043804249"),
    ("0.4373832957442655422637793", "0.1245735229067013925002812"),
    ("0.5626167042557344577362207", "0.1245735229067013925002812"),
    ("0.6839157494990900968763458", "0.1167462682691774043804249"),
    ("0.7936589771433087236483512", "0.1015837133615329608745322"),
    ("0.8849513370971523435184469", "0.08003916427167311316732626"),
    ("0.9520586281852374283392329", "0.05346966299765921548012736"),
    ("0.9907803171233596253452745", "0.02358766819325591359730798"),
)  # fmt: skip


def quadrature(n: int, power: int) -> str:
    """The integral of t**n/(1 + x*t)**power over 0..1 by Gauss' rule."""
    with mp.workdps(40):
        parts = [
            f"{mp.nstr(mp.mpf(w) * mp.mpf(t) ** n, 25)}/(1 + {t}*x)**{power}" for t, w in _NODES
        ]
    return "(" + " + ".join(parts) + ")"


def _log_moment(n: int) -> Callable[[Any], Any]:
    def value(x: Any) -> Any:
        if not x:
            return _ONE / (n + 1)
        total = mp.log1p(x) / x
        for k in range(1, n + 1):
            total = (total - (1 + x) ** -k / k) / x
        return total

    return tends(wide(value, n), mp.nan, _ZERO)


_ATANH_TAIL = horner([Fraction(1, 2 * k + 3) for k in range(25)], "z*z")

FUNCTIONS = (
    Function(
        "log1prel", X, ("-log1prel_1(x)",),
        form="t = log1p(x)\nwhere(t == x, where(abs(x) < 1, 1, 0), t/x)",
        reference=real(lambda x: mp.log1p(x) / x if x else _ONE),
        special=(0,), domain=(-0.9, 20), internal=True,
    ),
    # With z = x/(2 + x), log1p(x) is 2*atanh(z).
    Function(
        "log1prel_1", X, ("-2*log1prel_2(x)",),
        form="z = x/(2 + x)\n"
        f"where(abs(z) < 0.5, ((2 + x)/(2 + 2*x) + z*{_ATANH_TAIL})*2/(2 + x)**2, "
        "(log1prel(x) - 1/(1 + x))/x)",
        reference=_log_moment(1), special=(0,), domain=(-0.9, 20), internal=True,
    ),
    Function(
        "log1prel_2", X,
        (f"where(abs(x) < 0.5, -3*{quadrature(3, 4)}, -3*(result - 1/(3*(1 + x)**3))/x)",),
        form=f"where(abs(x) < 0.5, {quadrature(2, 3)}, (log1prel_1(x) - 1/(2*(1 + x)**2))/x)",
        reference=_log_moment(2), special=(0,), domain=(-0.9, 20), internal=True,
    ),
    # log(a/b); a - b is exact where a and b are near each other.
    Function(
        "log_ratio", ("a", "b"), ("1/a", "-1/b"),
        form="q = a/b\nwhere(a > 0 and b > 0, where(q > 0.5 and q < 2, log1p((a - b)/b), "
        "where(q > 1e30 or q < 1e-30, log(a) - log(b), log(q))), log(q))",
        reference=real(lambda a, b: mp.log(a / b)), domain=(0.1, 4), internal=True,
    ),
    # The same where a - b, called d, is known better than a and b.
    Function(
        "log_quotient", ("a", "b", "d"),
        tuple(
            f"i = 1/where(abs(d) < abs(b)/2, b + d, a)\nwhere(abs(d) < abs(b)/2, {parts}"
            for parts in ("0, i)", "-d*i, -1)/b", "i, 0)")
        ),
        form="where(abs(d) < abs(b)/2, log1p(d/b), log_ratio(a, b))",
        reference=real(
            lambda a, b, d: mp.log1p(d / b) if abs(d) < abs(b) / 2 else mp.log(a / b)
        ),
        domain=(0.1, 4), internal=True,
    ),
    # log(b + d) - log(b).
    Function(
        "log_gap", ("b", "d"), ("-d/b/(b + d)", "1/(b + d)"),
        form="where(b >= 0, log1p(d/b), log(b))",
        reference=real(lambda b, d: mp.log1p(d / b) if b > 0 else mp.log(b + d) - mp.log(b)),
        domain=(0.1, 4), internal=True,
    ),
    Function(
        "xlogx", X, ("log(x) + 1",), form="where(x == 0, 0, x*log(x))",
        reference=real(lambda x: x * mp.log(x) if x else _ZERO), special=(0,),
        domain=(0.01, 20), internal=True,
    ),
    # log(1 + x**2): above 1e9 the 1 has vanished, before x*x overflows.
    Function(
        "log1p_square", X, ("where(abs(x) > 1, 2/(x + 1/x), 2*x/(1 + x*x))",),
        form="where(abs(x) > 1e9, 2*log(abs(x)), log1p(x*x))",
        reference=real(lambda x: mp.log1p(x * x)), special=(0,), internal=True,
    ),
    Function(
        "log_cosh", X, ("tanh(x)",),
        form="a = abs(x)\n"
        "where(a < 1, log1p(sinh(x)**2)/2, a + (log1p(exp(-2*a)) - log(2)))",
        reference=tends(
            wide(lambda x: abs(x) + mp.log1p(mp.expm1(-2 * abs(x)) / 2), 2), mp.inf, mp.inf
        ),
        special=(0,), domain=(-20, 20), internal=True,
    ),
    Function(
        "log_erfc", X, ("-2/sqrt(pi)*inverse_erfcx(x)",),
        form="where(x > 0.5, log(erfcx(x)) - x*x, log1p(-erf(x)))",
        reference=tends(
            lambda x: mp.log(scaled_erfc(x)) - x * x if x > 1 else mp.log1p(mp.erf(min(-x, 99))),
            mp.log(2), -mp.inf,
        ),
        special=(0,), domain=(-3, 10), internal=True,
    ),
    # exp(-x**2)/erfc(x).
    Function(
        "inverse_erfcx", X,
        ("where(x < 0, result*(2/sqrt(pi)*result - 2*clamp_min(x, -100)), "
         "2*result*(erfcx_1(x)/erfcx(x)))",),
        form="where(x < 0, gaussian(x)/erfc(x), 1/erfcx(x))",
        reference=tends(
            lambda x: 1 / scaled_erfc(x) if x > 0 else mp.exp(-x * x) / mp.erfc(max(x, -99)),
            _ZERO, mp.inf,
        ),
        special=(0,), domain=(-3, 10), internal=True,
    ),
)  # fmt: skip
