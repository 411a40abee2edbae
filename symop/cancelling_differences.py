"""Differences of powers, roots and angles that cancel: a**2 - b**2, sqrt(1 + x**2) - 1, x - sin(x).

All are internal: a user writes the plain formula.
"""

from __future__ import annotations

from fractions import Fraction
from math import factorial
from typing import Any

import mpmath as mp

from symop.functions import Function, X
from symop.limits import real, tends, wide
from symop.special import horner

_ONE = mp.mpf(1)


def _alternating(terms: int = 14) -> str:
    """The power series of (x - sin(x))/x**3, in s = x*x."""
    return horner([Fraction((-1) ** k, factorial(2 * k + 3)) for k in range(terms)], "(x*x)")


def _tangent_fraction() -> str:
    text = "19"
    for odd in range(17, 1, -2):
        text = f"({odd} - s/{text})"
    return f"s = x*x\nc = s/{text}\n"


def _hypot_gap(b: Any, d: Any, y: Any) -> Any:
    with mp.extraprec(_bits(b, d, y)):
        return mp.hypot(b + d, y) - mp.hypot(b, y)


def _hypot_slope_gap(b: Any, d: Any, y: Any) -> Any:
    with mp.extraprec(_bits(b, d, y)):
        return (b + d) / mp.hypot(b + d, y) - b / mp.hypot(b, y)


def _bits(*values: Any) -> int:
    sizes = [int(mp.mag(v)) for v in values if v and mp.isfinite(v)]
    return 60 + 4 * (max(sizes, default=0) - min(sizes, default=0))


FUNCTIONS = (
    # a**2 - b**2; the derivatives of (a - b)*(a + b) would cancel.
    Function(
        "squares_gap", ("a", "b"), ("2*a", "-2*b"), form="(a - b)*(a + b)",
        reference=real(lambda a, b: a * a - b * b), internal=True,
    ),
    # sqrt((b + d)**2 + y**2) - sqrt(b**2 + y**2), and its derivative by b.
    Function(
        "hypot_gap", ("b", "d", "y"),
        ("hypot_slope_gap(b, d, y)", "a = b + d\na/hypot(a, y)",
         "h = hypot(b + d, y)\nk = hypot(b, y)\n-y/h*(result/k)"),
        form="a = b + d\nq = hypot(a, y) + hypot(b, y)\nd*((a + b)/where(q == 0, 1, q))",
        reference=real(_hypot_gap), internal=True,
    ),
    Function(
        "hypot_slope_gap", ("b", "d", "y"),
        ("h = hypot(b + d, y)\nk = hypot(b, y)\nu = y/h\nv = y/k\n"
         "-hypot_gap(b, d, y)/h/k*(u*u + u*v + v*v)",
         "h = hypot(b + d, y)\nu = y/h\nu*u/h",
         "h = hypot(b + d, y)\nk = hypot(b, y)\nu = y/h\n"
         "-u*(result/h - b/k*(hypot_gap(b, d, y)*(h + k)/h/k/k))"),
        form="a = b + d\nh = hypot(a, y)\nk = hypot(b, y)\n"
        "where(a > 0 and b > 0 or a < 0 and b < 0, "
        "d/h*(y/k)*(y/k)*((a + b)/(a + b/k*h)), a/h - b/k)",
        reference=real(_hypot_slope_gap), internal=True,
    ),
    # sqrt(1 + x**2) - 1.
    Function(
        "hypotm1", X, ("hypot_slope(x, 1)",),
        form="where(abs(x) > 1e20, abs(x), x/(hypot(x, 1) + 1)*x)",
        reference=tends(wide(lambda x: mp.hypot(1, x) - 1, 2), mp.inf, mp.inf),
        special=(0,), domain=(-20, 20), internal=True,
    ),
    # 1/sqrt(1 + x**2) - 1.
    Function(
        "inverse_hypotm1", X, ("-hypot_slope(x, 1)/hypot(x, 1)/hypot(x, 1)",),
        form="where(abs(x) > 1e20, -1, -hypotm1(x)/hypot(x, 1))",
        reference=tends(wide(lambda x: 1 / mp.hypot(1, x) - 1, 2), -_ONE, -_ONE),
        special=(0,), domain=(-20, 20), internal=True,
    ),
    Function(
        "sinshrink", X, ("2*sin(x/2)**2",),
        form=f"where(abs(x) < 1.8, x*x*x*{_alternating()}, x - sin(x))",
        reference=tends(wide(lambda x: x - mp.sin(x), 3), mp.nan, mp.nan),
        special=(0,), internal=True,
    ),
    # By the continued fraction of tan, x/(1 - c).
    Function(
        "tanshrink", X, ("-tan(x)**2",),
        form=f"{_tangent_fraction()}where(abs(x) < 1, -x*c/(1 - c), x - tan(x))",
        reference=tends(wide(lambda x: x - mp.tan(x), 3), mp.nan, mp.nan),
        special=(0,), domain=(-1.5, 1.5), internal=True,
    ),
)  # fmt: skip
