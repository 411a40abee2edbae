"""Integrals that have names: exponential, sine and cosine integrals, and those of Fresnel.

Their derivatives are elementary. Near zero they are a Chebyshev series beside a logarithm; far
out the sine and cosine, or the exponential, are taken out (DLMF 6.2, 6.5, 7.5).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import mpmath as mp

from symop.approximations import chebyshev
from symop.functions import Function, X
from symop.limits import real, tends

_ZERO, _HALF = mp.mpf(0), mp.mpf(1) / 2
_EULER = "0.5772156649015328606065"
_TINY = mp.mpf(10) ** -12


def _away(function: Callable[[Any], Any], first: Any) -> Callable[[Any], Any]:
    """The function with the value `first` at zero."""
    return lambda v: function(v) if v else first


# Exponential integrals


def _entire(x: Any) -> Any:
    """(exp(x) - 1)/x integrated from 0, over x."""
    with mp.extraprec(60):
        return (mp.ei(x) - mp.euler - mp.log(abs(x))) / x


@cache
def _expint_form(n: int) -> str:
    if n == 0:
        return "exp(-x)/x"
    near = chebyshev("ein", lambda v: _entire(-v), 0, 1, "l")
    far = chebyshev(
        "g", _away(lambda u: mp.exp(1 / u) * mp.expint(n, 1 / u) / u, mp.mpf(1)), 0, 1, "u"
    )
    lines = [
        "l = minimum(x, 1)",
        near,
        f"e1 = l*ein - {_EULER} - log(l)" if n == 1 else
        f"e1 = l*ein - {_EULER} - log(where(l == 0, 1, l))",
        *(f"e{k + 1} = (exp(-l) - l*e{k})/{k}" for k in range(1, n)),
        "h = maximum(x, 1)",
        "u = 1/h",
        far,
        f"where(x < 1, e{n}, exp(-h)/h*g)",
    ]  # fmt: skip
    return "\n".join(lines)


@cache
def _ei_form() -> str:
    return "\n".join(
        [
            "l = minimum(maximum(x, 0), 6)",
            chebyshev("near", _entire, 0, 6, "l"),
            "m = minimum(maximum(x, 6), 16)",
            chebyshev("middle", lambda v: v * mp.exp(-v) * mp.ei(v), 6, 16, "m"),
            "u = 1/maximum(x, 16)",
            chebyshev(
                "far", _away(lambda u: mp.exp(-1 / u) * mp.ei(1 / u) / u, mp.mpf(1)), 0,
                mp.mpf(1) / 16, "u",
            ),
            f"low = l*near + ({_EULER} + log(l))",
            "e = exp(maximum(x, 6)/2)",
            "high = e/maximum(x, 6)*where(x < 16, middle, far)*e",
            "where(x < 0, -expint(1, maximum(-x, 0)), where(x < 6, low, high))",
        ]
    )  # fmt: skip


def _expint(n: Any, x: Any) -> Any:
    if x < 0:
        return mp.nan
    if x == 0:
        return mp.inf if n < 2 else mp.mpf(1) / (n - 1)
    return _ZERO if mp.isinf(x) else mp.expint(int(n), x)


def _checked_order(n: int) -> str:
    if not 0 <= n <= 30:
        raise ValueError(f"expint: the order is 0 to 30, {n} was given")
    return f"exponential_integral({n}, x)"


# Sine and cosine integrals

_FROM = 4


def _si_parts(z: Any) -> tuple[Any, Any]:
    """The auxiliary functions f*x and g*x**2, in z = (4/x)**2."""
    x = _FROM / mp.sqrt(z) if z > _TINY else _FROM / mp.sqrt(_TINY)
    rest, ci = mp.pi / 2 - mp.si(x), mp.ci(x)
    c, s = mp.cos(x), mp.sin(x)
    return (ci * s + rest * c) * x, (rest * s - ci * c) * x * x


@cache
def _waves(parts: Callable[[Any], tuple[Any, Any]]) -> str:
    f = chebyshev("f", lambda z: parts(z)[0], 0, 1, "z")
    return f + "\n" + chebyshev("g", lambda z: parts(z)[1], 0, 1, "z")


@cache
def _si_form() -> str:
    return "\n".join(
        [
            "a = abs(x)",
            f"s = minimum(a, {_FROM})*minimum(a, {_FROM})/{_FROM**2}",
            chebyshev(
                "low", _away(lambda s: mp.si(_FROM * mp.sqrt(s)) / _FROM / mp.sqrt(s), mp.mpf(1)),
                0, 1, "s",
            ),
            f"h = maximum(a, {_FROM})",
            f"z = {_FROM**2}/(h*h)",
            _waves(_si_parts),
            "high = where(a == 2*a, pi/2, pi/2 - (f*cos(h) + g/h*sin(h))/h)",
            f"where(a < {_FROM}, x*low, where(x < 0, -high, high))",
        ]
    )  # fmt: skip


@cache
def _ci_form() -> str:
    def low(s: Any) -> Any:
        with mp.extraprec(80):
            x = _FROM * mp.sqrt(s)
            return (mp.ci(x) - mp.euler - mp.log(x)) / s

    return "\n".join(
        [
            f"l = minimum(x, {_FROM})",
            f"s = l*l/{_FROM**2}",
            chebyshev("low", low, 0, 1, "s"),
            f"h = maximum(x, {_FROM})",
            f"z = {_FROM**2}/(h*h)",
            _waves(_si_parts),
            "high = where(h == 2*h, 0, (f*sin(h) - g/h*cos(h))/h)",
            f"where(x < {_FROM}, ({_EULER} + log(l)) + s*low, high)",
        ]
    )


# Fresnel integrals

_FRESNEL_FROM = 2


def _fresnel_parts(z: Any) -> tuple[Any, Any]:
    """The auxiliary functions f*x and g*x**3, in z = (2/x)**2."""
    x = _FRESNEL_FROM / mp.sqrt(max(z, mp.mpf(10) ** -8))
    with mp.extraprec(120):
        s, c = _HALF - mp.fresnels(x), _HALF - mp.fresnelc(x)
        angle = mp.pi * x * x / 2
        f = s * mp.cos(angle) - c * mp.sin(angle)
        g = c * mp.cos(angle) + s * mp.sin(angle)
        return f * x, g * x**3


def _fresnel(kind: Callable[[Any], Any], power: int) -> Callable[[], str]:
    @cache
    def form() -> str:
        def low(s: Any) -> Any:
            x = _FRESNEL_FROM * mp.sqrt(mp.sqrt(s)) if s else mp.mpf(10) ** -8
            return kind(x) / x**power

        wave = "f*d - g/(h*h)*c" if power == 1 else "-(f*c + g/(h*h)*d)"
        return "\n".join(
            [
                "a = abs(x)",
                "l = minimum(a, 2)",
                "s = l*l*l*l/16",
                chebyshev("low", low, 0, 1, "s"),
                "h = maximum(a, 2)",
                "z = 4/(h*h)",
                _waves(_fresnel_parts),
                # The angle pi/2*h**2 from the square less its nearest multiple of 4.
                "q = h*h - 4*round(h*h/4)",
                "c = cos(pi/2*q)",
                "d = sin(pi/2*q)",
                f"high = where(h*h == 2*(h*h), 1/2, 1/2 + ({wave})/h)",
                f"value = where(a < 2, l**{power}*low, high)",
                "where(x < 0, -value, value)",
            ]
        )

    return form


# Beyond 1e8 no digit of the phase is known.
_C = "clamp(x, -100000000, 100000000)"
_ANGLE = f"pi/2*({_C}*{_C} - 4*round({_C}*{_C}/4))"

FUNCTIONS = (
    Function(
        "exponential_integral", ("n", "x"),
        ("0", "where(n > 0, -exponential_integral(n - 1, x), -result*(1 + 1/x))"),
        literals=("n",), form_of=_expint_form, reference=real(_expint), domain=(0.1, 15),
        internal=True,
    ),
    Function("expint", ("n", "x"), literals=("n",), expand=_checked_order, domain=(0.1, 15)),
    Function("E1", X, definition="exponential_integral(1, x)", domain=(0.1, 15),
             aliases=("exp1",)),
    Function(
        "Ei", X, ("exp(x)/x",), form_of=_ei_form, special=(0,), domain=(-15, 30),
        reference=tends(lambda x: mp.ei(x) if x else -mp.inf, _ZERO, mp.inf), aliases=("expi",),
    ),
    Function(
        "Si", X, ("spherical_bessel_j0(x)",), form_of=_si_form, special=(0,), domain=(-30, 30),
        reference=tends(mp.si, -mp.pi / 2, mp.pi / 2),
    ),
    Function(
        "Ci", X, ("cos(x)/x",), form_of=_ci_form, special=(0,), domain=(0.1, 30),
        reference=tends(lambda x: mp.ci(x) if x > 0 else -mp.inf if x == 0 else mp.nan,
                        mp.nan, _ZERO),
    ),
    Function(
        "fresnels", X, (f"sin({_ANGLE})",), form_of=_fresnel(mp.fresnels, 3), special=(0,),
        reference=tends(mp.fresnels, -_HALF, _HALF), domain=(-6, 6),
    ),
    Function(
        "fresnelc", X, (f"cos({_ANGLE})",), form_of=_fresnel(mp.fresnelc, 1), special=(0,),
        reference=tends(mp.fresnelc, -_HALF, _HALF), domain=(-6, 6),
    ),
)  # fmt: skip
