"""Spherical Bessel functions of fixed order, differentiable to any order.

Near zero a power times a Chebyshev series, beyond it the recurrence upward from sin(x)/x. The
derivatives are those of the orders beside (DLMF 10.51).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import mpmath as mp

from symop.bessel import ORDER, at_order, ordered, power_series
from symop.functions import Function

_ZERO = mp.mpf(0)


def _spherical_cut(n: int) -> int:
    return max(4, n + 1)


def _spherical(kind: Callable[..., Any], n: int, x: Any) -> Any:
    return mp.sqrt(mp.pi / (2 * x)) * kind(n + mp.mpf(1) / 2, x)


@lru_cache
def _spherical_j_form(n: int) -> str:
    if n == 0:
        return "spherical_bessel_j0(x)"
    cut = _spherical_cut(n)
    lines = [
        "a = abs(x)",
        f"s = minimum(a, {cut})*minimum(a, {cut})/{cut * cut}",
        power_series(n, cut, "low", partial(_spherical, mp.besselj)),
        f"h = maximum(a, {cut})",
        "j0 = sin(h)/h",
        "j1 = (j0 - cos(h))/h",
        *(f"j{k + 1} = {2 * k + 1}*(j{k}/h) - j{k - 1}" for k in range(1, n)),
        f"value = where(a < {cut}, (minimum(a, {cut})/{cut})**{n}*low, j{n})",
        "value_or_0 = where(a == 2*a and a > 0, 0, value)",
        "where(x < 0, -value_or_0, value_or_0)" if n % 2 else "value_or_0",
    ]
    return "\n".join(lines)


@lru_cache
def _spherical_y_form(n: int) -> str:
    lines = [
        "y0 = -cos(x)/x",
        "y1 = (y0 - sin(x))/x",
        *(f"y{k + 1} = {2 * k + 1}*(y{k}/x) - y{k - 1}" for k in range(1, n)),
    ]
    sign = "" if n % 2 else "where(x < 0, -1, 1)*"
    pole = f"where(abs(x) < 1 and not (y{n} == y{n}), {sign}(-1/(0*abs(x))), y{n})"
    return "\n".join([*lines[: n + 1], f"where(x == 2*x and x != 0, 0, {pole})"])


def _spherical_j_reference(n: int, x: Any) -> Any:
    if x == 0:
        return mp.mpf(1 if n == 0 else 0)
    return _spherical(mp.besselj, n, abs(x)) * (-1 if x < 0 and n % 2 else 1)


def _spherical_y_reference(n: int, x: Any) -> Any:
    if x == 0:
        return mp.nan
    return _spherical(mp.bessely, n, abs(x)) * (-1 if x < 0 and n % 2 == 0 else 1)


FUNCTIONS = (
    Function(
        "spherical_j", ORDER,
        ("0", "where(n > 0, (n*spherical_j(n - 1, x) - (n + 1)*spherical_j(n + 1, x))"
         "/(2*n + 1), -spherical_j(1, x))"),
        literals=("n",), form_of=_spherical_j_form,
        reference=at_order(_spherical_j_reference, _ZERO, _ZERO), domain=(-15, 15), internal=True,
    ),
    Function(
        "spherical_y", ORDER,
        ("0", "where(n > 0, (n*spherical_y(n - 1, x) - (n + 1)*spherical_y(n + 1, x))"
         "/(2*n + 1), -spherical_y(1, x))"),
        literals=("n",), form_of=_spherical_y_form,
        reference=at_order(_spherical_y_reference, _ZERO, _ZERO), domain=(0.1, 15), internal=True,
    ),
    ordered("jn", "spherical_j", -1), ordered("yn", "spherical_y", -1),
)  # fmt: skip
