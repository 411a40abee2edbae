"""Quotients f(x)/x and differences x - f(x) of functions that are x near zero.

The derivative of f(x)/x is (f'(x) - f(x)/x)/x, which cancels. With f(x) = x + s(x) it is
(s'(x) - s(x)/x)/x, which does not: s has a series or a fraction of its own. All are internal.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import factorial
from typing import Any

import mpmath as mp

from symop.functions import Function, X
from symop.limits import real, tends, wide
from symop.special import horner

_ZERO, _ONE = mp.mpf(0), mp.mpf(1)


def _angle_fraction(sign: str, steps: int) -> str:
    """The part c of atan(x) = x/(1 + c), or of atanh(x) = x/(1 - c), as a continued fraction."""
    text = str(2 * steps + 1)
    for k in range(steps, 1, -1):
        text = f"({2 * k - 1} {sign} {k * k}*s/{text})"
    return f"s = x*x\nc = s/{text}\n"


def _cotangent_fraction() -> str:
    """The parts g = 1/(3 - s*h), h = 1/(5 - s/(7 - ...)) of 1/x - cot(x) = x*g, s = x*x."""
    text = "25"
    for odd in range(23, 5, -2):
        text = f"({odd} - s/{text})"
    return f"s = x*x\nh = 1/(5 - s/{text})\ng = 1/(3 - s*h)\n"


def _cotangent_series(order: int, terms: int = 24) -> str:
    parts = []
    for n in range((order + 2) // 2, terms):
        p, q = (int(part) for part in mp.bernfrac(2 * n))
        slope = factorial(2 * n - 1) // factorial(2 * n - 1 - order)
        parts.append(Fraction(4**n * abs(p), q * factorial(2 * n)) * slope)
    return horner(parts, "(x*x)")


def _tangent(k: int) -> Fraction:
    """The coefficient of x**(2*k + 1) in tan(x)."""
    n = k + 1
    p, q = (int(part) for part in mp.bernfrac(2 * n))
    return Fraction(4**n * (4**n - 1) * abs(p), q * factorial(2 * n))


def _tangent_slopes(terms: int = 44) -> str:
    """The second derivative of (tan(x) - x)/x**3."""
    parts = [_tangent(k + 1) * (2 * k) * (2 * k - 1) for k in range(1, terms)]
    return horner(parts, "(x*x)")


def _arcsine(k: int) -> Fraction:
    """The coefficient of x**(2*k + 1) in asin(x)."""
    return Fraction(factorial(2 * k), 4**k * factorial(k) ** 2 * (2 * k + 1))


def _arcsine_series(sign: int, name: str = "y", terms: int = 34) -> str:
    """The series of (asin(y) - y)/y**3, for sign -1 of (y - asinh(y))/y**3, in y*y."""
    return horner([sign ** (k - 1) * _arcsine(k) for k in range(1, terms)], f"({name}*{name})")


def _exponential_series(shift: int, step: int, terms: int, factor: int = 0) -> str:
    """The sum of (1 + factor*k)*x**(step*k)/(step*k + shift)!."""
    parts = [Fraction(1 + factor * k, factorial(step * k + shift)) for k in range(terms)]
    return horner(parts, "x" if step == 1 else "(x*x)")


_G = _cotangent_fraction()

DIFFERENCES = (
    Function(
        "sinhshrink", X, ("2*sinh(x/2)**2",),
        form=f"where(abs(x) < 2, x*x*x*{_exponential_series(3, 2, 12)}, sinh(x) - x)",
        reference=wide(lambda x: mp.sinh(x) - x, 3), special=(0,), internal=True,
    ),
    Function(
        "atanshrink", X, ("hypot_slope(x, 1)**2",),
        form=f"{_angle_fraction('+', 25)}where(abs(x) < 1.2, x*c/(1 + c), x - atan(x))",
        reference=wide(lambda x: x - mp.atan(x), 3), special=(0,), internal=True,
    ),
    Function(
        "atanhshrink", X, ("x**2/((1 - x)*(1 + x))",),
        form=f"{_angle_fraction('-', 27)}where(abs(x) < 0.8, x*c/(1 - c), atanh(x) - x)",
        reference=wide(lambda x: mp.atanh(x) - x, 3), special=(0,), domain=(-0.99, 0.99),
        internal=True,
    ),
    Function(
        "asinshrink", X, ("r = sqrt((1 - x)*(1 + x))\nx**2/(r*(1 + r))",),
        form="r = sqrt((1 - x)*(1 + x))\nw = sqrt(2 + 2*r)\ny = x/w\n"
        f"where(abs(y) < 0.6, 2*y*y*y*{_arcsine_series(1)} + x*x*x*2/((1 + r)*(2 + w)*w), "
        "asin(x) - x)",
        reference=wide(lambda x: mp.asin(x) - x, 3), special=(0,), domain=(-0.99, 0.99),
        internal=True,
    ),
    Function(
        "asinhshrink", X, ("-inverse_hypotm1(x)",),
        form="h = hypot(x, 1)\nw = sqrt(2 + 2*h)\ny = x/w\n"
        f"where(abs(x) < 0.45, x*x*x*{_arcsine_series(-1, 'x', 24)}, "
        f"where(abs(y) < 0.6, 2*y*y*y*{_arcsine_series(-1)} + 2*x*x*x/((1 + h)*(2 + w)*w), "
        "x - asinh(x)))",
        reference=wide(lambda x: x - mp.asinh(x), 3), special=(0,), internal=True,
    ),
    # exp(x) - 1 - x.
    Function(
        "expgap", X, ("expm1(x)",),
        form=f"where(abs(x) < 1, x*x*{_exponential_series(2, 1, 20)}, expm1(x) - x)",
        reference=tends(wide(lambda x: mp.expm1(x) - x, 2), mp.inf, mp.inf),
        special=(0,), internal=True,
    ),
    # The same over x**2.
    Function(
        "exprel2", X,
        (f"where(abs(x) < 2, {_exponential_series(3, 1, 26, 1)}, "
         "where(x < 0, ((x - 2)*exp(x) + (x + 2))/x/x/x, (exprel(x) - 2*result)/x))",),
        form=f"where(abs(x) < 1, {_exponential_series(2, 1, 20)}, "
        "where(x > 80, exp(x/2)/x*(exp(x/2)/x), (exprel(x) - 1)/x))",
        reference=tends(
            wide(lambda x: (mp.expm1(x) - x) / x**2 if x else _ONE / 2, 2), _ZERO, mp.inf
        ),
        special=(0,), domain=(-20, 20), internal=True,
    ),
    # (tan(x) - x)/x**3.
    Function(
        "tanshrink3", X,
        ("tanshrink3_1(x)",),
        form=f"{_G}where(abs(x) < 1.2, g/(1 - s*g), (tan(x) - x)/x/x/x)",
        reference=wide(lambda x: (mp.tan(x) - x) / x**3 if x else _ONE / 3, 3), special=(0,),
        domain=(-1.5, 1.5), internal=True,
    ),
    Function(
        "tanshrink3_1", X,
        (f"where(abs(x) < 0.9, {_tangent_slopes()}, "
         "(2*tan(x)*(1 + tan(x)**2)/x - 6*tanshrink3(x) - 6*x*result)/x/x)",),
        form=f"{_G}r = tanshrink3(x)\n"
        "where(abs(x) < 1.5, x*(2*r + s*r*r - g*(h + 1)/(1 - s*g)), ((tan(x)/x)**2 - 3*r)/x)",
        reference=wide(
            lambda x: (x * mp.tan(x) ** 2 - 3 * (mp.tan(x) - x)) / x**4 if x else _ZERO, 5
        ),
        special=(0,), domain=(-1.5, 1.5), internal=True,
    ),
    # 1/x - cot(x).
    Function(
        "cotgap", X, ("cotgap_1(x)",), form=f"{_G}where(abs(x) < 1.5, x*g, 1/x - 1/tan(x))",
        reference=wide(lambda x: 1 / x - mp.cot(x) if x else _ZERO, 2), special=(0,),
        domain=(-3, 3), internal=True,
    ),
    Function(
        "cotgap_1", X,
        (f"where(abs(x) < 1.2, x*{_cotangent_series(2)}, 2/x**3 - 2*cos(x)/sin(x)**3)",),
        form=f"{_G}where(abs(x) < 1.5, 1 - 2*g + s*g*g, 1/sin(x)**2 - 1/x/x)",
        reference=wide(lambda x: mp.csc(x) ** 2 - 1 / x**2 if x else _ONE / 3, 4), special=(0,),
        domain=(-3, 3), internal=True,
    ),
)  # fmt: skip


def _quotient(
    name: str, slope: str, shrink: str, second: str, at_zero: str, joint: str,
    value: Callable[[Any], Any], reach: float, coefficient: Callable[[int], Fraction],
    domain: tuple[float, float] = (-3.0, 3.0),
) -> tuple[Function, Function]:  # fmt: skip
    """f(x)/x and its derivative.

    slope, second: f' and f''; at_zero: the limit of the second derivative of the quotient.
    shrink: the derivative near zero, up to `joint`, in which nothing cancels.
    reach: up to where the second derivative is its series.
    coefficient: of x**(2*k + 1) in f.
    """
    parts = [coefficient(k + 1) * (2 * k + 2) * (2 * k + 1) for k in range(31)]
    series = horner(parts, "(x*x)")

    def derivative(x: Any) -> Any:
        with mp.extraprec(40 + max(0, -6 * int(mp.mag(x))) if x else 0):
            # A step relative to x, which may be tiny or huge.
            return (mp.diff(lambda t: value(x * t), 1) - value(x)) / x**2 if x else _ZERO

    return (
        Function(
            f"{name}rel",
            X,
            (f"{name}rel_1(x)",),
            form=f"where(x == 0, 1, {name}(x)/x)",
            reference=real(lambda x: value(x) / x if x else _ONE),
            special=(0,),
            domain=domain,
            internal=True,
        ),
        Function(
            f"{name}rel_1",
            X,
            (f"where(abs(x) < {reach}, {series}, ({second} - 2*result)/x)",),
            form=f"where(abs(x) < 1e-10, {at_zero}*x, "
            f"where(abs(x) < {joint}, {shrink}, ({slope} - {name}(x)/x)/x))",
            reference=real(derivative),
            special=(0,),
            domain=domain,
            internal=True,
        ),
    )


QUOTIENTS = (
    *_quotient(
        "tanh", "sech2(x)", "(tanhshrink(x)/x - tanh(x)**2)/x", "-2*sech2(x)*tanh(x)", "-2/3",
        "1.5", mp.tanh, 0.7, lambda k: (-1) ** k * _tangent(k),
    ),
    *_quotient(
        "atan", "1/(1 + x*x)", "(atanshrink(x)/x - x*x/(1 + x*x))/x", "-2*x/(1 + x*x)**2", "-2/3",
        "1.2", mp.atan, 0.45, lambda k: Fraction((-1) ** k, 2 * k + 1),
    ),
    *_quotient(
        "asinh", "1/hypot(x, 1)", "(asinhshrink(x)/x - x*x/((1 + hypot(x, 1))*hypot(x, 1)))/x",
        "-x/hypot(x, 1)**3", "-1/3", "1.3", mp.asinh, 0.45, lambda k: (-1) ** k * _arcsine(k),
    ),
    *_quotient(
        "asin", "1/sqrt((1 - x)*(1 + x))",
        "(x*x/((1 + sqrt((1 - x)*(1 + x)))*sqrt((1 - x)*(1 + x))) - asinshrink(x)/x)/x",
        "x/sqrt((1 - x)*(1 + x))**3", "1/3", "0.9", mp.asin, 0.45, _arcsine, (-0.99, 0.99),
    ),
    *_quotient(
        "atanh", "1/((1 - x)*(1 + x))", "(x*x/((1 - x)*(1 + x)) - atanhshrink(x)/x)/x",
        "2*x/((1 - x)*(1 + x))**2", "2/3", "0.8", mp.atanh, 0.45,
        lambda k: Fraction(1, 2 * k + 1), (-0.99, 0.99),
    ),
    *_quotient(
        "tan", "1 + tan(x)**2", "(tan(x)**2 + tanshrink(x)/x)/x", "2*tan(x)*(1 + tan(x)**2)",
        "2/3", "1", mp.tan, 0.7, _tangent, (-1.5, 1.5),
    ),
    Function(
        "sinhrel", X, ("result*langevin(x)",),
        form="a = abs(x)\nh = exp(a/2)\n"
        "where(x == 0, 1, where(a > 80, h/(2*a)*h, sinh(x)/x))",
        reference=tends(lambda x: mp.sinh(x) / x if x else _ONE, mp.inf, mp.inf),
        special=(0,), domain=(-20, 20), internal=True,
    ),
    # x/sinh(x), x/sin(x) and x/tan(x).
    Function(
        "xcsch", X, ("-result*langevin(x)",),
        form="a = minimum(abs(x), 3000)\nh = exp(-a/2)\n"
        "where(x == 0, 1, where(a < 80, a/sinh(a), 2*a*h*h))",
        reference=tends(lambda x: x / mp.sinh(x) if x else _ONE, _ZERO, _ZERO),
        special=(0,), domain=(-20, 20), internal=True,
    ),
    Function(
        "xcsc", X, ("result*cotgap(x)",), form="where(x == 0, 1, x/sin(x))",
        reference=real(lambda x: x / mp.sin(x) if x else _ONE), special=(0,), internal=True,
    ),
    Function(
        "xcot", X, ("-cotgap(x) - x*cotgap_1(x)",), form="where(x == 0, 1, x/tan(x))",
        reference=real(lambda x: x / mp.tan(x) if x else _ONE), special=(0,), internal=True,
    ),
    # x**2/(1 + x**2).
    Function(
        "lorentz2", X, ("2*lorentz(x)/(1 + x*x)",),
        form="where(abs(x) > 1, 1/(1 + 1/x/x), x*x/(1 + x*x))",
        reference=tends(lambda x: x * x / (1 + x * x), _ONE, _ONE), internal=True,
    ),
    # x/(1 + x**2), which x**2 would make vanish early.
    Function(
        "lorentz", X,
        ("lorentz_1(x)",),
        form="where(abs(x) > 1, 1/(x + 1/x), x/(1 + x*x))",
        reference=tends(lambda x: x / (1 + x * x), _ZERO, _ZERO), internal=True,
    ),
    Function(
        "lorentz_1", X,
        ("2*lorentz(x)*where(abs(x) > 1, (1 - 3/x/x)/(x + 1/x)**2, (x*x - 3)/(1 + x*x)**2)",),
        form="where(abs(x) > 1, (1 - x)/x*((1 + x)/x)/(x + 1/x)**2, (1 - x)*(1 + x)/(1 + x*x)**2)",
        reference=tends(lambda x: (1 - x) * (1 + x) / (1 + x * x) ** 2, _ZERO, _ZERO),
        internal=True,
    ),
)  # fmt: skip

LOGARITHMS = (
    Function(
        "log_tanh", X, ("2*csch(2*x)",),
        form="where(x < 0.3, log(tanh(x)), -2*atanh(exp(-2*x)))",
        reference=real(lambda x: mp.log(mp.tanh(x)) if x < 1 else -2 * mp.atanh(mp.exp(-2 * x))),
        special=(0,), domain=(0.01, 20), internal=True,
    ),
    Function(
        "log_sinh", X, ("coth(x)",),
        form="where(x < 2, log(sinh(x)), x + (log1p(-exp(-2*x)) - log(2)))",
        reference=real(
            lambda x: mp.log(mp.sinh(x)) if x < 2 else x + mp.log1p(-mp.exp(-2 * x)) - mp.log(2)
        ),
        special=(0,), domain=(0.01, 20), internal=True,
    ),
    # log((1 + exp(x))/2).
    Function(
        "softplus_gap", X, ("sigmoid(x)",),
        form="where(x < 0, log1p(expm1(x)/2), x/2 + log_cosh(x/2))",
        reference=tends(
            wide(lambda x: mp.log1p(mp.expm1(x) / 2), 1), -mp.log(2), mp.inf
        ),
        special=(0,), domain=(-20, 20), internal=True,
    ),
)  # fmt: skip

FUNCTIONS = DIFFERENCES + QUOTIENTS + LOGARITHMS
