"""Airy functions and their derivatives.

For positive arguments the exponential of 2/3*x**(3/2) is taken out of Airy functions, beyond -9
their sines and cosines (DLMF 9.7, 9.8). The second derivative of each is x times the function.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import mpmath as mp

from symop.approximations import chebyshev
from symop.functions import Function, X
from symop.limits import tends

_ZERO = mp.mpf(0)
_FROM = 9
_AI, _BI = mp.airyai, mp.airybi


def _parts(order: int, z: Any) -> tuple[Any, Any]:
    """What stands before cosine and sine at -x, in z = (27/y)**2 with y = x**(3/2)."""
    y = 27 / mp.sqrt(max(z, mp.mpf(10) ** -12))
    x, zeta = mp.cbrt(y * y), 2 * y / 3
    with mp.extraprec(60):
        c, s = mp.cos(zeta - mp.pi / 4), mp.sin(zeta - mp.pi / 4)
        a, b = _AI(-x, derivative=order), _BI(-x, derivative=order)
        root = mp.sqrt(mp.pi) * mp.root(x, 4)
        if order:
            root = mp.sqrt(mp.pi) / mp.root(x, 4)
            return root * (a * s + b * c), root * (b * s - a * c) * y
        return root * (a * c - b * s), root * (a * s + b * c) * y


def _form(kind: Callable[..., Any], order: int) -> Callable[[], str]:
    grows = kind is _BI
    sign = -1 if grows else 1

    def scaled(t: Any) -> Any:
        """At t**2, without the exponential, and without the size at zero and far out."""
        size = mp.sqrt(1 + t) if order == 0 else 1 / mp.sqrt(1 + t)
        return kind(t * t, derivative=order) * mp.exp(sign * 2 * t**3 / 3) * size

    @cache
    def positive() -> str:
        if not grows:
            series = chebyshev("right", lambda v: scaled(2 * (1 + v) / (1 - v)), -1, 1, "v")
            return f"v = 1 - 4/(t + 2)\n{series}"
        # What decays beside what grows is felt near zero: no single series serves.
        cut, end = mp.mpf(5) / 2, 5
        return "\n".join(
            [
                chebyshev("r1", scaled, 0, cut, "minimum(t, 5/2)"),
                chebyshev("r2", scaled, cut, end, "minimum(maximum(t, 5/2), 5)"),
                "u = 5/maximum(t, 5)",
                chebyshev("r3", lambda u: scaled(end / max(u, mp.mpf(10) ** -6)), 0, 1, "u"),
                "right = where(t < 5/2, r1, where(t < 5, r2, r3))",
            ]
        )

    @cache
    def form() -> str:
        if order:
            wave = "(p*d - q/y*c)" if not grows else "(p*c + q/y*d)"
            size = "sqrt(sqrt(h)/pi)"
        else:
            wave = "(p*c + q/y*d)" if not grows else "(q/y*c - p*d)"
            size = "1/sqrt(pi*sqrt(h))"
        return "\n".join(
            [
                "a = maximum(x, 0)",
                "t = sqrt(a)",
                positive(),
                f"e = exp({'' if grows else '-'}a*t/3)",
                f"root = {'1/' if order == 0 else ''}sqrt(1 + t)",
                "positive = right*root*e*e",
                f"m = maximum(minimum(x, 0), -{_FROM})",
                chebyshev("middle", lambda x: kind(x, derivative=order), -_FROM, 0, "m"),
                f"h = maximum(-x, {_FROM})",
                "y = h*sqrt(h)",
                "z = 729/(y*y)",
                chebyshev("p", lambda z: _parts(order, z)[0], 0, 1, "z"),
                chebyshev("q", lambda z: _parts(order, z)[1], 0, 1, "z"),
                "zeta = y*(2/3)",
                "c = (cos(zeta) + sin(zeta))/sqrt(2)",
                "d = (sin(zeta) - cos(zeta))/sqrt(2)",
                f"negative = where(y == 2*y, 0, {size}*{wave})",
                f"where(x > 0, positive, where(x < -{_FROM}, negative, middle))",
            ]
        )

    return form


def _airy(name: str, kind: Callable[..., Any], order: int, slope: str, end: Any) -> Function:
    at_minus_inf = mp.nan if order else _ZERO
    return Function(
        name, X, (slope,), form_of=_form(kind, order), special=(0,), domain=(-15, 8),
        reference=tends(partial(kind, derivative=order), at_minus_inf, end),
        aliases=("airy_ai",) if name == "airyai" else (),
    )  # fmt: skip


FUNCTIONS = (
    _airy("airyai", _AI, 0, "airyaiprime(x)", _ZERO),
    _airy("airyaiprime", _AI, 1, "x*airyai(x)", _ZERO),
    _airy("airybi", _BI, 0, "airybiprime(x)", mp.inf),
    _airy("airybiprime", _BI, 1, "x*airybi(x)", mp.inf),
)  # fmt: skip
