"""Derivatives of the scaled Bessel functions exp(-x)*I and exp(x)*K, of orders 0 and 1.

As differences of scaled functions they would lose digits in proportion to x, at every order;
each is a Chebyshev series of its own instead, over the power that it falls with.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import comb
from typing import Any

import mpmath as mp

from symop.approximations import chebyshev
from symop.functions import Function
from symop.limits import tends
from symop.second_kind import besselk

_ZERO = mp.mpf(0)
# Below this K is worked out from its own derivatives, where they do not cancel.
_CUT = mp.mpf(1) / 2


@lru_cache
def _weights(times: int, order: int) -> tuple[tuple[int, Any], ...]:
    """A derivative of I as a sum over orders, with weights; K has the sign (-1)**times besides."""
    weights = {order: mp.mpf(1)}
    for _ in range(times):
        following: dict[int, Any] = {}
        for n, weight in weights.items():
            for other in (abs(n - 1), n + 1):
                following[other] = following.get(other, 0) + weight / 2
        weights = following
    return tuple(weights.items())


def _slope(kind: Callable[[int, Any], Any], sign: int, times: int, order: int, x: Any) -> Any:
    """The derivative of exp(-sign*x) times a function of which the orders are given."""
    with mp.extraprec(60 + 3 * times * max(0, int(mp.log(abs(x) + 1, 2)))):
        values = {n: kind(n, x) for n in range(order + times + 1)}
        total = _ZERO
        for j in range(times + 1):
            inner = sum((w * values[n] for n, w in _weights(j, order)), _ZERO)
            # Of the exponential the sign alternates for I, of the function itself for K.
            total += comb(times, j) * (-1) ** (times - j if sign > 0 else j) * inner
        return mp.exp(-sign * x) * total


def _i_slope(times: int, order: int, x: Any) -> Any:
    return _slope(mp.besseli, 1, times, order, x)


def _k_slope(times: int, order: int, x: Any) -> Any:
    if x <= 0:
        return (mp.inf * (-1) ** times) if x == 0 else mp.nan
    return _slope(besselk, -1, times, order, x)


def _power(base: str, times: int) -> str:
    return f"({base})**{times}*sqrt({base})"


@lru_cache
def _i_form(times: int, order: int) -> str:
    def scaled(v: Any) -> Any:
        x = 2 * (1 + v) / (1 - v)
        return _i_slope(times, order, x) * (2 + x) ** (times + mp.mpf(1) / 2)

    series = chebyshev("f", scaled, -1, 1, "v")
    return f"h = maximum(x, 0)\nv = 1 - 4/(h + 2)\n{series}\nf/({_power('h + 2', times)})"


@lru_cache
def _k_form(times: int, order: int) -> str:
    def far(u: Any) -> Any:
        x = _CUT / max(u, mp.mpf(10) ** -6)
        return _k_slope(times, order, x) * x ** (times + mp.mpf(1) / 2)

    # K changes its sign with every derivative, so that in the sum over j signs alternate.
    terms = [(j, n, w) for j in range(times + 1) for n, w in _weights(j, order)]
    parts = [f"{int((-1) ** j * comb(times, j) * w * 2**j)}/{2**j}*k{n}" for j, n, w in terms]
    lines = ["l = minimum(x, 1/2)"]
    lines += [f"k{n} = bessel_k({n}, l)" for n in range(order + times + 1)]
    lines += [
        f"near = exp(l)*({' + '.join(parts)})",
        "h = maximum(x, 1/2)",
        "u = 1/2/h",
        chebyshev("f", far, 0, 1, "u"),
        f"where(x < 1/2, near, f/({_power('h', times)}))",
    ]
    return "\n".join(lines)


def _family(kind: str, form: Callable[..., str], slope: Callable[..., Any]) -> Function:
    def reference(times: Any, order: Any, x: Any) -> Any:
        limit = tends(lambda v: slope(int(times), int(order), v), mp.nan, _ZERO)
        return limit(x)

    return Function(
        f"scaled_{kind}_slope", ("m", "n", "x"), ("0", "0", f"scaled_{kind}_slope(m + 1, n, x)"),
        literals=("m", "n"), form_of=form, reference=reference, domain=(0.1, 15), internal=True,
    )  # fmt: skip


FUNCTIONS = (_family("i", _i_form, _i_slope), _family("k", _k_form, _k_slope))
