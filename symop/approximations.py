"""Texts of approximations: Chebyshev series, fitted to a reference when they are first asked for.

A series is good to half a unit in the last place of float64 of the largest value that it
takes; what it approximates is scaled so that this is small relative to every value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import mpmath as mp

_DIGITS = 40
_MAX_TERMS = 96
# Terms below this share of the largest are left out.
_LEAST = mp.mpf(2) ** -57
# Powers may add up to this many times the largest term: more would cost digits.
_MOST = 4


def chebyshev(name: str, function: Callable[[Any], Any], low: Any, high: Any, variable: str) -> str:
    """Statements that end in `name`, the function of a variable between two bounds.

    Args:
        name: of the value; temporaries begin with it.
        function: of mpmath numbers, smooth between the bounds.
        low: the lower bound.
        high: the upper bound.
        variable: an expression that stays between the bounds.
    """
    with mp.workdps(_DIGITS):
        terms = _coefficients(function, mp.mpf(low), mp.mpf(high))
        middle, half = (mp.mpf(high) + low) / 2, (mp.mpf(high) - low) / 2
        lines = [f"{name}_t = ({variable} - {text(middle)})/{text(half)}"]
        # Clenshaw's recurrence: the sum of powers would lose digits to its large coefficients.
        last = len(terms) - 1
        for k in range(last, -1, -1):
            factor = f"2*{name}_t" if k else f"{name}_t"
            upper = f"{factor}*{name}_{k + 1}" if k < last else f"0*{name}_t"
            before = f" - {name}_{k + 2}" if k + 1 < last else ""
            lines.append(f"{name}_{k} = {upper}{before} + ({text(terms[k])})")
        lines.append(f"{name} = {name}_0")
    return "\n".join(lines)


def polynomial(
    name: str, function: Callable[[Any], Any], low: Any, high: Any, variable: str
) -> str:
    """The same, in powers of the variable scaled to -1..1 where that costs no digits."""
    with mp.workdps(_DIGITS):
        terms = _coefficients(function, mp.mpf(low), mp.mpf(high))
        powers = _powers(terms)
        if sum(map(abs, powers)) > _MOST * max(map(abs, terms)):
            return chebyshev(name, function, low, high, variable)
        middle, half = (mp.mpf(high) + low) / 2, (mp.mpf(high) - low) / 2
        result = f"({text(powers[-1])})"
        for c in reversed(powers[:-1]):
            result = f"(({text(c)}) + {name}_t*{result})"
        return f"{name}_t = ({variable} - {text(middle)})*{text(1 / half)}\n{name} = {result}"


def _powers(terms: Sequence[Any]) -> list[Any]:
    """The coefficients of powers of a sum of Chebyshev polynomials."""
    before: list[Any] = [mp.mpf(1)]
    here: list[Any] = [mp.mpf(0), mp.mpf(1)]
    total = [mp.mpf(0)] * len(terms)
    for term in terms:
        for k, c in enumerate(before):
            total[k] += term * c
        after = [mp.mpf(0), *(2 * c for c in here)]
        for k, c in enumerate(before):
            after[k] -= c
        before, here = here, after
    return total


def _coefficients(function: Callable[[Any], Any], low: Any, high: Any) -> Sequence[Any]:
    count = 24
    while True:
        angles = [mp.pi * (k + mp.mpf(1) / 2) / count for k in range(count)]
        cosines = [mp.cos(a) for a in angles]
        values = [function((low + high) / 2 + (high - low) / 2 * c) for c in cosines]
        # cos(j*a) for all j and nodes by the three-term recurrence.
        before, here = [mp.mpf(1)] * count, cosines
        rows = [before, here]
        for _ in range(2, count):
            before, here = (
                here,
                [2 * c * h - b for c, h, b in zip(cosines, here, before, strict=True)],
            )
            rows.append(here)
        terms = [2 * mp.fdot(values, row) / count for row in rows]
        terms[0] /= 2
        least = _LEAST * max(abs(v) for v in values)
        kept = max(k for k, term in enumerate(terms) if abs(term) > least) + 1
        if kept <= count - 3 or count >= _MAX_TERMS:
            return terms[: max(kept, 3)]
        count += 24


def text(value: Any) -> str:
    """A number with the digits that float64 can tell, and some more."""
    return str(mp.nstr(value, 22, min_fixed=-4, max_fixed=22))
