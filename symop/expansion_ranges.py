"""Where what is left of a Taylor series is a short series itself, and in which variable."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import mpmath as mp


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


def reach(start: float, by_order: float, by_slope: float, most: float) -> Callable[..., Fraction]:
    """How far out a series reaches."""

    def cut(n: int, k: int, d: int) -> Fraction:
        far = start + by_order * n + by_slope * d * k / n
        return Fraction(round(16 * min(far, most)), 16)

    return cut


def by_square(
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


def falling_off(n: int, k: int, d: int) -> int:
    """How many times a rest falls off like 1/x**2, where its polynomial is what stays of it."""
    return 1 + (d + 1) // 2 if k >= n else 1


def poles(n: int, k: int, d: int) -> int:
    """By how much a derivative raises the order of a simple pole."""
    return d + 1


def growing(n: int, k: int, d: int) -> Near:
    """The Taylor series, whose terms are all positive."""
    edge = reach(-0.5, 1, 3, 9)(n, k, d)
    return Near(
        (f"a = minimum(abs(x), {edge})", "v = a*a"), mp.sqrt, 0, edge * edge,
        f"abs(x) < {edge}", "1", lambda x: 1, terms=9 + math.ceil(1.1 * edge),
    )  # fmt: skip


def exponential(n: int, k: int, d: int) -> Near:
    """The rests of exp, less what they grow by."""
    edge = reach(-0.5, 1, 2.5, 7)(n, k, d)
    return Near(
        (f"v = minimum(maximum(x, -{edge}), {edge})",), lambda v: v,
        -_mpf(edge), _mpf(edge),
        f"abs(x) < {edge}", "(8 - v)**2", lambda x: (8 - x) ** 2,
    )  # fmt: skip


def logarithm(n: int, k: int, d: int) -> Near:
    """The rests of log1p, in a variable with which both ends of its domain are far away."""
    edge = reach(-0.5, 0.7, 2.2, 7)(n, k, d)
    low, shift = mp.mpf("-0.75"), mp.mpf(5) / 2
    high = _mpf(edge)
    divisor = f"((2 + w)*(1 + w)**{d})" if d else "(2 + w)"
    return Near(
        (f"w = minimum(maximum(x, -0.75), {edge})", "v = w/(2.5 + w)"),
        lambda v: shift * v / (1 - v), low / (shift + low), high / (shift + high),
        f"x > -0.75 and x < {edge}", divisor, lambda x: (2 + x) * (1 + x) ** d,
    )  # fmt: skip


def arcsine(n: int, k: int, d: int) -> Near:
    """The rests of asin, which are analytic in sqrt(1 - x**2) down to -1."""
    count = max(0, 2 * d - 1)
    return Near(
        ("v = sqrt(maximum((1 - x)*(1 + x), 0))",), lambda v: mp.sqrt((1 - v) * (1 + v)),
        0, 1, "abs(x) <= 1", f"v**{count}" if count else "1",
        lambda x: mp.sqrt((1 - x) * (1 + x)) ** count,
    )  # fmt: skip
