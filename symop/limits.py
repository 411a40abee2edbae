"""References of functions for mpmath numbers, made total: real values, limits, enough digits."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import mpmath as mp

# Reducing a number of n bits by a period takes arithmetic of n bits: exp(exp(1e300)) would not end.
BEYOND = 1 << 15


def real(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function on the reals: NaN for a NaN, and where the value is not real."""

    @wraps(function)
    def evaluate(*values: Any) -> Any:
        if any(mp.isnan(value) for value in values):
            return mp.nan
        try:
            value = function(*values)
        except (ValueError, ZeroDivisionError):
            return mp.nan
        return mp.nan if isinstance(value, mp.mpc) else value

    return evaluate


def whole(function: Callable[[Any], Any]) -> Callable[..., Any]:
    """A rounding, which leaves infinities as they are."""
    return real(lambda x: x if mp.isinf(x) else function(x))


def tends(function: Callable[[Any], Any], at_minus_inf: Any, at_inf: Any) -> Callable[..., Any]:
    """The function with its limits at the infinities, for which mpmath may have none.

    Beyond 2**32768, far above any power of a float64 that matters, it is at its limit.
    """

    def evaluate(x: Any) -> Any:
        if mp.isinf(x) or mp.mag(x) > BEYOND:
            return at_inf if x > 0 else at_minus_inf
        return function(x)

    return real(evaluate)


def wide(function: Callable[[Any], Any], orders: int) -> Callable[[Any], Any]:
    """A reference that cancels by that many orders in x near zero, in more precision."""

    def evaluate(x: Any) -> Any:
        with mp.extraprec(20 + max(0, -orders * int(mp.mag(x))) if x else 0):
            return function(x)

    return real(evaluate)
