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
from symop.special import horner


# Stirling's series at z = b + 7, and what seven steps of the recurrence make of it.
def _gap(text: str, start: int, plain: str) -> str:
    return (
        "c = b + d\n"
        f"far = where(b > {start} and c > {start} and b < 1000*c and c < 1000*b, 1, 0)\n"
        "k = where(far == 1, b, 4)\ne = where(far == 1, d, 0)\n"
        f"z = k + 7\ny = z + e\n{text}\nwhere(far == 1, value, {plain})"
    )


def _stirling(divide: Callable[[int], int], square: str) -> str:
    parts = []
    for k in range(1, 10):
        p, q = (int(part) for part in mp.bernfrac(2 * k))
        parts.append(Fraction(p, q * divide(2 * k)))
    return horner(parts, square)


def _gap_reference(function: Callable[[Any], Any]) -> Callable[..., Any]:
    def value(b: Any, d: Any) -> Any:
        with mp.extraprec(60 + 3 * max(abs(int(mp.mag(v))) for v in (b, d) if v)):
            return function(b + d) - function(b)

    return real(value)


_STEPS = "*".join(f"((k + {i})/(k + e + {i}))" for i in range(7))
_SHARES = " + ".join(f"e/(k + {i})/(k + e + {i})" for i in range(7))
_TAIL = _stirling(lambda n: n * (n - 1), "(v*v)")
_TAIL_1 = _stirling(lambda n: n, "v")

FUNCTIONS = (
    # lgamma(b + d) - lgamma(b); below 3 the plain difference cancels little.
    Function(
        "lgamma_gap", ("b", "d"), ("digamma_gap(b, d)", "digamma(b + d)"),
        form=_gap(
            f"u = 1/y\nv = 1/z\nrest = u*{_TAIL.replace('v', 'u')} - v*{_TAIL}\n"
            f"value = ((y - 1/2)*log1p(e/z) + e*(log(z) - 1)) + (rest + log({_STEPS}))",
            3,
            "where(b > 0 and c > 0 and b < 1/2, (lgamma(1 + c) - lgamma(1 + b)) - log1p(d/b), "
            "lgamma(c) - lgamma(b))",
        ),
        reference=_gap_reference(mp.loggamma), domain=(0.1, 20), internal=True,
    ),
    Function(
        "digamma_gap", ("b", "d"),
        ("polygamma(1, b + d) - polygamma(1, b)", "polygamma(1, b + d)"),
        form=_gap(
            "u = 1/(y*y)\nv = 1/(z*z)\n"
            f"rest = v*{_TAIL_1} - u*{_TAIL_1.replace('v', 'u')}\n"
            f"value = log1p(e/z) + (e/(2*z*y) + rest + ({_SHARES}))",
            0, "digamma(c) - digamma(b)",
        ),
        reference=_gap_reference(mp.digamma), domain=(0.1, 20), internal=True,
    ),
)  # fmt: skip
