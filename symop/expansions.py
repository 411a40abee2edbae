"""Functions with their Taylor series at 0, and where and how what is left of it is a short series.

Beyond these places a sum of the function and of the terms that were taken off loses at most two
bits.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import factorial
from typing import Any

import mpmath as mp

from symop.expansion_ranges import (
    Near,
    arcsine,
    by_square,
    exponential,
    falling_off,
    growing,
    logarithm,
    poles,
    reach,
)

# Coefficients of a polynomial, the constant one first.
Polynomial = tuple[int, ...]


@dataclass(frozen=True)
class Expansion:
    """A function f with a Taylor series.

    function: f for numbers of mpmath.
    coefficient: that of x**j, by j.
    near: where its rests are series, by n, k, d.
    slope: the derivative of an order as a formula in y, up to `scaled`.
    plain: the same in x and in functions that a formula can call.
    far: statements that slopes read; they begin with y, what stands for a finite x.
    scaled: what becomes of a sum "@" of slopes; factors that overflow alone stand outside.
    domain: what tests sample.
    """

    name: str
    function: Callable[[Any], Any]
    coefficient: Callable[[int], Fraction]
    near: Callable[[int, int, int], Near]
    slope: Callable[[int], str]
    plain: Callable[[int], str]
    far: tuple[str, ...] = ("y = x",)
    scaled: str = "@"
    domain: tuple[float, float] = (-3.0, 3.0)


# Derivatives


def _polynomial(parts: Polynomial, variable: str) -> str:
    text = ""
    for part in reversed(parts):
        text = f"{variable}*({text})" if text else ""
        if part:
            text = f"({part}) + {text}" if text else f"({part})"
    return f"({text})"


def _derivative(p: Polynomial) -> Polynomial:
    return tuple(k * c for k, c in enumerate(p) if k) or (0,)


def _product(p: Polynomial, q: Polynomial) -> Polynomial:
    total = [0] * (len(p) + len(q) - 1)
    for i, a in enumerate(p):
        for j, b in enumerate(q):
            total[i + j] += a * b
    return tuple(total)


def _sum(p: Polynomial, q: Polynomial) -> Polynomial:
    size = max(len(p), len(q))
    return tuple((p[i] if i < len(p) else 0) + (q[i] if i < len(q) else 0) for i in range(size))


@cache
def _by_tangent(order: int, sign: int) -> Polynomial:
    """The derivative of tan, for sign -1 of tanh, over the first one, a polynomial in it."""
    if order == 1:
        return (1,)
    before = _by_tangent(order - 1, sign)
    return _sum(_product(_derivative(before), (1, 0, sign)), _product(before, (0, 2 * sign)))


@cache
def _by_square(order: int, power: Fraction, sign: int) -> Polynomial:
    """P in the derivative P(x)*q**(power - order + 1) of a function whose first is q**power.

    Here q = 1 + sign*x**2.
    """
    if order == 1:
        return (1,)
    before = _by_square(order - 1, power, sign)
    raised = power - order + 2
    factor = 2 * sign * raised
    return _sum(_product(_derivative(before), (1, 0, sign)), _product(before, (0, int(factor))))


@cache
def _by_gaussian(order: int) -> Polynomial:
    if order == 1:
        return (1,)
    before = _by_gaussian(order - 1)
    return _sum(_derivative(before), _product(before, (0, -2)))


def _algebraic(name: str, inverse: str, root: bool, sign: int) -> Callable[[int], str]:
    """Derivatives of a function whose first is a power of 1 + sign*y**2."""
    power = Fraction(-1, 2) if root else Fraction(-1)

    def slope(order: int) -> str:
        if not order:
            return f"{name}(y)"
        count = 2 * order - 1 if root else order
        return f"{inverse}**{count}*{_polynomial(_by_square(order, power, sign), 'y')}"

    return slope


def _in_x(slope: Callable[[int], str], **names: str) -> Callable[[int], str]:
    """Slopes over x, with what stands for their names in public functions."""

    def plain(order: int) -> str:
        text = slope(order)
        for name, value in names.items():
            text = re.sub(rf"\b{name}\b", value, text)
        return re.sub(r"\by\b", "x", text)

    return plain


def _tangents(name: str, first: str, sign: int) -> Callable[[int], str]:
    def slope(order: int) -> str:
        return f"{first}*{_polynomial(_by_tangent(order, sign), 't')}" if order else name

    return slope


def _logarithms(order: int) -> str:
    if not order:
        return "log1p(y)"
    return f"{(-1) ** (order - 1) * factorial(order - 1)}/(1 + y)**{order}"


def _errors(order: int) -> str:
    return f"e*{_polynomial(_by_gaussian(order), 'y')}" if order else "sqrt(pi)/2*erf(y)"


def _tangent(j: int) -> Fraction:
    if j % 2 == 0:
        return Fraction(0)
    p, q = (int(part) for part in mp.bernfrac(j + 1))
    return Fraction(2 ** (j + 1) * (2 ** (j + 1) - 1) * abs(p), q * factorial(j + 1))


def _arcsine(j: int) -> Fraction:
    if j % 2 == 0:
        return Fraction(0)
    return Fraction(factorial(j - 1), 4 ** (j // 2) * factorial(j // 2) ** 2 * j)


def _alternating(coefficient: Callable[[int], Fraction]) -> Callable[[int], Fraction]:
    return lambda j: (-1) ** (j // 2) * coefficient(j)


def _odd(divide: Callable[[int], int]) -> Callable[[int], Fraction]:
    return lambda j: Fraction(1, divide(j)) if j % 2 else Fraction(0)


def _even(divide: Callable[[int], int]) -> Callable[[int], Fraction]:
    return lambda j: Fraction(0) if j % 2 else Fraction(1, divide(j))


_HYPERBOLIC = (
    "b = minimum(abs(x), 3000)", "y = where(x < 0, -b, b)", "h = exp(b/2)", "e = exp(-2*b)",
    "c = (1 + e)/2", "s1 = where(x < 0, e - 1, 1 - e)/2",
)  # fmt: skip
_CYCLE = ("sin(y)", "cos(y)", "-sin(y)", "-cos(y)")

_ENTIRE = reach(-0.75, 0.75, 2.75, 7)
_POLE = "2.467401100272339654708622749969"

EXPANSIONS = (
    Expansion(
        "exp", mp.exp, lambda j: Fraction(1, factorial(j)), exponential, lambda order: "1",
        lambda order: "exp(x)", ("y = minimum(x, 3000)", "h = exp(y/2)"), "h*(h*(@))", (-20, 20),
    ),
    Expansion(
        "sinh", mp.sinh, _odd(factorial), growing,
        lambda order: "c" if order % 2 else "s1", lambda o: "cosh(x)" if o % 2 else "sinh(x)",
        _HYPERBOLIC, "h*(h*(@))", (-20, 20),
    ),
    Expansion(
        "cosh", mp.cosh, _even(factorial), growing,
        lambda order: "s1" if order % 2 else "c", lambda o: "sinh(x)" if o % 2 else "cosh(x)",
        _HYPERBOLIC, "h*(h*(@))", (-20, 20),
    ),
    Expansion(
        "sin", mp.sin, _alternating(_odd(factorial)), by_square(_ENTIRE, "12", lambda n, k, d: 1),
        lambda order: _CYCLE[order % 4], _in_x(lambda order: _CYCLE[order % 4]),
        domain=(-10, 10),
    ),
    Expansion(
        "cos", mp.cos, _alternating(_even(factorial)), by_square(_ENTIRE, "12", lambda n, k, d: 1),
        lambda order: _CYCLE[(order + 1) % 4], _in_x(lambda order: _CYCLE[(order + 1) % 4]),
        domain=(-10, 10),
    ),
    Expansion(
        "tan", mp.tan, _tangent, by_square(reach(1.3125, 0, 0, 2), f"-{_POLE}", poles),
        _tangents("t", "(1 + t*t)", 1), _in_x(_tangents("t", "(1 + t*t)", 1), t="tan(x)"),
        ("y = x", "t = tan(y)"), domain=(-1.5, 1.5),
    ),
    Expansion(
        "tanh", mp.tanh, _alternating(_tangent),
        by_square(reach(0.75, 0.25, 1.25, 4), _POLE, poles),
        _tangents("t", "sech2(y)", -1),
        _in_x(_tangents("t", "(1 - t*t)", -1), t="tanh(x)"), ("y = x", "t = tanh(y)"),
        domain=(-10, 10),
    ),
    Expansion(
        "log1p", mp.log1p, lambda j: Fraction((-1) ** (j - 1), j) if j else Fraction(0),
        logarithm, _logarithms, _in_x(_logarithms), domain=(-0.9, 20),
    ),
    Expansion(
        "atan", mp.atan, _alternating(_odd(int)),
        by_square(reach(2, 0, 1.25, 4), "2", falling_off, 4), _algebraic("atan", "w", False, 1),
        _in_x(_algebraic("atan", "w", False, 1), w="(1/(1 + x*x))"),
        ("y = x", "w = 1/(1 + y*y)"), domain=(-10, 10),
    ),
    Expansion(
        "atanh", mp.atanh, _odd(int),
        by_square(reach(0.9375, 0, 0, 1), "-1", lambda n, k, d: d, -2),
        _algebraic("atanh", "w", False, -1),
        _in_x(_algebraic("atanh", "w", False, -1), w="(1/((1 - x)*(1 + x)))"),
        ("y = x", "w = 1/((1 - y)*(1 + y))"), domain=(-0.99, 0.99),
    ),
    Expansion(
        "asin", mp.asin, _arcsine, arcsine, _algebraic("asin", "w", True, -1),
        _in_x(_algebraic("asin", "w", True, -1), w="(1/sqrt((1 - x)*(1 + x)))"),
        ("y = x", "w = 1/sqrt((1 - y)*(1 + y))"), domain=(-0.99, 0.99),
    ),
    Expansion(
        "asinh", mp.asinh, _alternating(_arcsine),
        by_square(reach(3, 0, 1.5, 5.5), "2", falling_off, 5), _algebraic("asinh", "w", True, 1),
        _in_x(_algebraic("asinh", "w", True, 1), w="(1/hypot(x, 1))"),
        ("y = x", "w = 1/hypot(y, 1)"), domain=(-10, 10),
    ),
    # sqrt(pi)/2*erf(x), for rational coefficients.
    Expansion(
        "erf", lambda x: mp.sqrt(mp.pi) / 2 * mp.erf(x),
        _alternating(_odd(lambda j: factorial(j // 2) * j)),
        by_square(reach(0.5, 0.3, 0.75, 4), "2", falling_off), _errors,
        _in_x(_errors, e="exp(-x**2)"), ("y = x", "e = gaussian(y)"), domain=(-6, 6),
    ),
)  # fmt: skip
