"""Differences of lgamma and digamma at near places, by Stirling's series term by term.

All are internal: a user writes the plain formula.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import mpmath as mp

from symop.functions import Function
from symop.limits import real


# Stirling's series at z = b + 7, and what seven steps of the recurrence make of it.
def _gap(text: str, where: str, plain: str) -> str:
    return (
        "c = b + d\n"
        f"far = where({where}, 1, 0)\n"
        "k = where(far == 1, b, 4)\ne = where(far == 1, d, 0)\n"
        f"z = k + 7\ny = z + e\n{text}\nwhere(far == 1, value, {plain})"
    )


def _stirling(divide: Callable[[int], int]) -> list[Fraction]:
    """The coefficients of Stirling's series."""
    parts = []
    for k in range(1, 10):
        p, q = (int(part) for part in mp.bernfrac(2 * k))
        parts.append(Fraction(p, q * divide(2 * k)))
    return parts


def _slope(coefficients: list[Fraction]) -> str:
    """Statements for t, a polynomial at p, and s, its divided difference at p and q.

    Both by Horner's scheme: t(p) - t(q) = s*(p - q) loses no digits where p is near q.
    """
    *rest, last = coefficients
    lines, before, slope = [], f"({last})", ""
    for k in range(len(rest) - 1, -1, -1):
        lines.append(f"s{k} = " + (f"{slope}*q + {before}" if slope else before))
        lines.append(f"t{k} = {before}*p + ({rest[k]})")
        slope, before = f"s{k}", f"t{k}"
    return "\n".join(lines)


def _gap_reference(function: Callable[[Any], Any]) -> Callable[..., Any]:
    def value(b: Any, d: Any) -> Any:
        with mp.extraprec(60 + 3 * max(abs(int(mp.mag(v))) for v in (b, d) if v)):
            return function(b + d) - function(b)

    return real(value)


# From the smaller place on, the product of the quotients of the steps, less 1.
_STEPS = "m = where(e < 0, k + e, k)\ng = abs(e)\nr0 = g/m\n" + "\n".join(
    f"r{i} = r{i - 1} + g/(m + {i})*(1 + r{i - 1})" for i in range(1, 7)
)
_SHARES = " + ".join(f"e/(k + {i})/(k + e + {i})" for i in range(7))
_POSITIVE = "b > {0} and c > {0} and b < 1000*c and c < 1000*b"

FUNCTIONS = (
    # lgamma(b + d) - lgamma(b); below 3 the plain difference cancels only where d is small.
    Function(
        "lgamma_gap", ("b", "d"), ("digamma_gap(b, d)", "digamma(b + d)"),
        form=_gap(
            f"u = 1/y\nv = 1/z\np = u*u\nq = v*v\n{_slope(_stirling(lambda n: n * (n - 1)))}\n"
            f"{_STEPS}\nrest = -e*u*v*(t0 + v*(u + v)*s0)\n"
            "steps = where(e < 0, -1, 1)*log1p(r6)\n"
            "value = ((y - 1/2)*log1p(e/z) + e*(log(z) - 1)) + (rest - steps)",
            f"({_POSITIVE.format(3)}) or abs(d) < b/8",
            "where(b > 0 and c > 0 and b < 1/2, (lgamma(1 + c) - lgamma(1 + b)) - log1p(d/b), "
            "lgamma(c) - lgamma(b))",
        ),
        reference=_gap_reference(mp.loggamma), domain=(0.1, 20), internal=True,
    ),
    Function(
        "digamma_gap", ("b", "d"),
        ("polygamma(1, b + d) - polygamma(1, b)", "polygamma(1, b + d)"),
        form=_gap(
            f"p = 1/(y*y)\nq = 1/(z*z)\n{_slope(_stirling(lambda n: n))}\n"
            f"rest = e*(y + z)*p*q*(t0 + q*s0)\n"
            f"value = log1p(e/z) + (e/(2*z*y) + rest + ({_SHARES}))",
            _POSITIVE.format(0), "digamma(c) - digamma(b)",
        ),
        reference=_gap_reference(mp.digamma), domain=(0.1, 20), internal=True,
    ),
)  # fmt: skip
