"""Functions with their Taylor series at 0, and where and how what is left of it is a short series.

Beyond these places a sum of the function and of the terms that were taken off loses at most two
bits.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import factorial
from typing import Any

import mpmath as mp

# Coefficients of a polynomial, the constant one first.
Polynomial = tuple[int, ...]


@dataclass(frozen=True)
class Near:
    """Where a rest is a series, and in what.

    lines: statements that end in the variable v.
    place: the argument for a value of v.
    low, high: the bounds of v.
    inside: the condition on x.
    divisor: a text; the series is that of the rest times it, which varies less than the rest.
    factor: the same for numbers.
    terms: how many of the Taylor series are taken as they are, where all have one sign.
    step: the distance of the powers of x in it.
    """

    lines: tuple[str, ...]
    place: Callable[[Any], Any]
    low: Any
    high: Any
    inside: str
    divisor: str
    factor: Callable[[Any], Any]
    terms: int = 0
    step: int = 2


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


# Near 0


def _wide(start: float, by_order: float, by_slope: float, most: float) -> Callable[..., Fraction]:
    """How far out a series reaches."""

    def cut(n: int, k: int, d: int) -> Fraction:
        reach = start + by_order * n + by_slope * d * k / n
        return Fraction(round(16 * min(reach, most)), 16)

    return cut


def _square(
    cut: Callable[..., Fraction], pole: str, power: Callable[[int, int, int], int], shift: int = 0
) -> Callable[[int, int, int], Near]:
    """In x*x, or for a shift b in x*x/(b + x*x); the series is that of the rest times a power."""
    sign = -1 if pole.startswith("-") else 1
    root = pole.lstrip("-")

    def near(n: int, k: int, d: int) -> Near:
        edge = cut(n, k, d)
        square = edge * edge
        count = power(n, k, d)
        base = f"({root} - s)" if sign < 0 else f"({root} + s)"
        high = square / (shift + square) if shift else square
        number = mp.mpf(root)
        mapped = f"v = s/({shift} + s)" if shift else "v = s"
        return Near(
            (f"a = minimum(abs(x), {edge})", "s = a*a", mapped),
            lambda v: mp.sqrt(shift * v / (1 - v)) if shift else mp.sqrt(v),
            min(0, _mpf(high)), max(0, _mpf(high)), f"abs(x) < {edge}",
            f"{base}**{count}" if count else "1",
            lambda x: (number + sign * x * x) ** count,
        )  # fmt: skip

    return near


def _mpf(value: Fraction) -> Any:
    return mp.mpf(value.numerator) / value.denominator


def _falling_off(n: int, k: int, d: int) -> int:
    """How many times a rest falls off like 1/x**2, where its polynomial is what stays of it."""
    return 1 + (d + 1) // 2 if k >= n else 1


def _poles(n: int, k: int, d: int) -> int:
    return d + 1


def _growing(n: int, k: int, d: int) -> Near:
    """The Taylor series, whose terms are all positive."""
    edge = _wide(-0.5, 1, 3, 9)(n, k, d)
    return Near(
        (f"a = minimum(abs(x), {edge})", "v = a*a"), mp.sqrt, 0, edge * edge,
        f"abs(x) < {edge}", "1", lambda x: 1, terms=9 + math.ceil(1.1 * edge),
    )  # fmt: skip


def _exponential(n: int, k: int, d: int) -> Near:
    edge = _wide(-0.5, 1, 2.5, 7)(n, k, d)
    return Near(
        (f"v = minimum(maximum(x, -{edge}), {edge})",), lambda v: v,
        -_mpf(edge), _mpf(edge),
        f"abs(x) < {edge}", "(8 - v)**2", lambda x: (8 - x) ** 2,
    )  # fmt: skip


def _logarithm(n: int, k: int, d: int) -> Near:
    edge = _wide(-0.5, 0.7, 2.2, 7)(n, k, d)
    low, shift = mp.mpf("-0.75"), mp.mpf(5) / 2
    high = _mpf(edge)
    divisor = f"((2 + w)*(1 + w)**{d})" if d else "(2 + w)"
    return Near(
        (f"w = minimum(maximum(x, -0.75), {edge})", "v = w/(2.5 + w)"),
        lambda v: shift * v / (1 - v), low / (shift + low), high / (shift + high),
        f"x > -0.75 and x < {edge}", divisor, lambda x: (2 + x) * (1 + x) ** d,
    )  # fmt: skip


def _arcsine_near(n: int, k: int, d: int) -> Near:
    # Analytic in the root down to -1.
    count = max(0, 2 * d - 1)
    return Near(
        ("v = sqrt(maximum((1 - x)*(1 + x), 0))",), lambda v: mp.sqrt((1 - v) * (1 + v)),
        0, 1, "abs(x) <= 1", f"v**{count}" if count else "1",
        lambda x: mp.sqrt((1 - x) * (1 + x)) ** count,
    )  # fmt: skip


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

_ENTIRE = _wide(-0.75, 0.75, 2.75, 7)
_POLE = "2.467401100272339654708622749969"

EXPANSIONS = (
    Expansion(
        "exp", mp.exp, lambda j: Fraction(1, factorial(j)), _exponential, lambda order: "1",
        lambda order: "exp(x)", ("y = minimum(x, 3000)", "h = exp(y/2)"), "h*(h*(@))", (-20, 20),
    ),
    Expansion(
        "sinh", mp.sinh, _odd(factorial), _growing,
        lambda order: "c" if order % 2 else "s1", lambda o: "cosh(x)" if o % 2 else "sinh(x)",
        _HYPERBOLIC, "h*(h*(@))", (-20, 20),
    ),
    Expansion(
        "cosh", mp.cosh, _even(factorial), _growing,
        lambda order: "s1" if order % 2 else "c", lambda o: "sinh(x)" if o % 2 else "cosh(x)",
        _HYPERBOLIC, "h*(h*(@))", (-20, 20),
    ),
    Expansion(
        "sin", mp.sin, _alternating(_odd(factorial)), _square(_ENTIRE, "12", lambda n, k, d: 1),
        lambda order: _CYCLE[order % 4], _in_x(lambda order: _CYCLE[order % 4]),
        domain=(-10, 10),
    ),
    Expansion(
        "cos", mp.cos, _alternating(_even(factorial)), _square(_ENTIRE, "12", lambda n, k, d: 1),
        lambda order: _CYCLE[(order + 1) % 4], _in_x(lambda order: _CYCLE[(order + 1) % 4]),
        domain=(-10, 10),
    ),
    Expansion(
        "tan", mp.tan, _tangent, _square(_wide(1.3125, 0, 0, 2), f"-{_POLE}", _poles),
        _tangents("t", "(1 + t*t)", 1), _in_x(_tangents("t", "(1 + t*t)", 1), t="tan(x)"),
        ("y = x", "t = tan(y)"), domain=(-1.5, 1.5),
    ),
    Expansion(
        "tanh", mp.tanh, _alternating(_tangent),
        _square(_wide(0.75, 0.25, 1.25, 4), _POLE, _poles),
        _tangents("t", "sech2(y)", -1),
        _in_x(_tangents("t", "(1 - t*t)", -1), t="tanh(x)"), ("y = x", "t = tanh(y)"),
        domain=(-10, 10),
    ),
    Expansion(
        "log1p", mp.log1p, lambda j: Fraction((-1) ** (j - 1), j) if j else Fraction(0),
        _logarithm, _logarithms, _in_x(_logarithms), domain=(-0.9, 20),
    ),
    Expansion(
        "atan", mp.atan, _alternating(_odd(int)),
        _square(_wide(2, 0, 1.25, 4), "2", _falling_off, 4), _algebraic("atan", "w", False, 1),
        _in_x(_algebraic("atan", "w", False, 1), w="(1/(1 + x*x))"),
        ("y = x", "w = 1/(1 + y*y)"), domain=(-10, 10),
    ),
    Expansion(
        "atanh", mp.atanh, _odd(int),
        _square(_wide(0.9375, 0, 0, 1), "-1", lambda n, k, d: d, -2),
        _algebraic("atanh", "w", False, -1),
        _in_x(_algebraic("atanh", "w", False, -1), w="(1/((1 - x)*(1 + x)))"),
        ("y = x", "w = 1/((1 - y)*(1 + y))"), domain=(-0.99, 0.99),
    ),
    Expansion(
        "asin", mp.asin, _arcsine, _arcsine_near, _algebraic("asin", "w", True, -1),
        _in_x(_algebraic("asin", "w", True, -1), w="(1/sqrt((1 - x)*(1 + x)))"),
        ("y = x", "w = 1/sqrt((1 - y)*(1 + y))"), domain=(-0.99, 0.99),
    ),
    Expansion(
        "asinh", mp.asinh, _alternating(_arcsine),
        _square(_wide(3, 0, 1.5, 5.5), "2", _falling_off, 5), _algebraic("asinh", "w", True, 1),
        _in_x(_algebraic("asinh", "w", True, 1), w="(1/hypot(x, 1))"),
        ("y = x", "w = 1/hypot(y, 1)"), domain=(-10, 10),
    ),
    # sqrt(pi)/2*erf(x), for rational coefficients.
    Expansion(
        "erf", lambda x: mp.sqrt(mp.pi) / 2 * mp.erf(x),
        _alternating(_odd(lambda j: factorial(j // 2) * j)),
        _square(_wide(0.5, 0.3, 0.75, 4), "2", _falling_off), _errors,
        _in_x(_errors, e="exp(-x**2)"), ("y = x", "e = gaussian(y)"), domain=(-6, 6),
    ),
)  # fmt: skip
