"""Which of the points where a formula agrees stand in its test."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import mpmath as mp

from symop.agreement import Error, listed
from symop.candidates import COLUMNS
from symop.exact import Numbers

# Below this finite differences see the derivatives; below that float32 and bfloat16 hold them.
_TAME, _FLOAT32 = 1000, mp.mpf(2) ** 120


def largest(numbers: Numbers) -> Any:
    """The largest of the numbers; infinite where one is not finite."""
    kinds = (numbers.outputs, numbers.gradients, numbers.second)
    found = [abs(v) for arrays in kinds for a in arrays.values() for v in listed(a)]
    return max(found, default=mp.mpf(0)) if all(map(mp.isfinite, found)) else mp.inf


def is_tame(numbers: Numbers) -> bool:
    """Whether finite differences in float64 see the derivatives."""
    return bool(largest(numbers) < _TAME)


def ordinary_places(agreed: Sequence[int], sizes: Sequence[Any], enough: int) -> list[int]:
    """Of the places that agree those with the least numbers, by the first bound that leaves enough.

    A steep formula is tame at few points or none, and agrees everywhere all the same.
    """
    found = ([k for k in agreed if sizes[k] < bound] for bound in (_TAME, _FLOAT32))
    return next((places for places in found if len(places) >= enough), list(agreed))


def by_cost(errors: Sequence[Sequence[Error]], places: Sequence[int]) -> list[int]:
    """The places by what rounding costs there, the most first."""

    def cost(k: int) -> Any:
        return max((e[k][0] / abs(e[k][1]) for e in errors if e[k][1] != 0), default=mp.mpf(0))

    return sorted(places, key=cost, reverse=True)


def telling(numbers: Numbers, places: Sequence[int], worst: Sequence[int]) -> list[int]:
    """Up to three tails: the two smallest gradients, and where rounding costs most."""

    def size(k: int) -> Any:
        found = [abs(a[k]) for a in numbers.gradients.values() if a.ndim and a[k] != 0]
        return min(found, default=mp.inf)

    ranked = sorted((k for k in places if mp.mpf("1e-30") < size(k) < mp.inf), key=size)
    if len(ranked) <= COLUMNS:
        return ranked
    return [*ranked[:2], next(k for k in worst if k in ranked[2:])]


def tolerance(atol: str, numbers: Numbers) -> str:
    """The absolute tolerance as the test has it: ten times what was needed."""
    if atol == "0":
        return "0.0"
    arrays = [a for part in (numbers.outputs, numbers.tangents, numbers.gradients, numbers.second)
              for a in part.values()]  # fmt: skip
    scale = max((float(abs(v)) for a in arrays for v in a.flat), default=0.0) + 1
    return f"1e{math.ceil(math.log10(10 * float(atol) * scale))}"
