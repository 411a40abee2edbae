"""A function less the first terms of its Taylor series at 0, over a power, and its derivatives.

For a function f with the series of the a_j*x**j, `f_rest(n, k, d, x)` is the derivative of order d
of (f(x) - sum(a_j*x**j, j < n))/x**k. Near 0 it is a Chebyshev series of what is left of the
Taylor series; further out the parts of f and of the polynomial are each differentiated exactly, so
that no power of x cancels. All are internal: a user writes the plain formula.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, partial
from math import comb
from typing import Any

import mpmath as mp

from symop.approximations import polynomial as fitted
from symop.expansions import EXPANSIONS, Expansion, Near
from symop.functions import Function
from symop.limits import real
from symop.special import horner

_LITERALS = ("n", "k", "d")
# Stands for infinity: what a rest tends to is told there.
_HUGE = mp.mpf(2) ** 300


def falling(a: int, count: int) -> int:
    """The product a*(a - 1)*... of that many factors."""
    product = 1
    for i in range(count):
        product *= a - i
    return product


@dataclass(frozen=True)
class Rest:
    """One member of a family: the derivative of order d of a rest from order n, over x**k."""

    of: Expansion
    n: int
    k: int
    d: int

    @property
    def powers(self) -> dict[int, Fraction]:
        """The coefficients of the polynomial that is taken off, by their powers."""
        parts = {
            j - self.k - self.d: self.of.coefficient(j) * falling(j - self.k, self.d)
            for j in range(self.n)
        }
        return {power: c for power, c in parts.items() if c}

    @property
    def slopes(self) -> list[tuple[int, int]]:
        """The factors of the derivatives of f over x**k, each with the power of x beside it."""
        return [
            (comb(self.d, i) * falling(-self.k, self.d - i), -self.k - self.d + i)
            for i in range(self.d + 1)
        ]

    @property
    def first(self) -> int:
        """The power of x with which it begins."""
        j = self.n
        while not self.of.coefficient(j) * falling(j - self.k, self.d):
            j += 1
        return j - self.k - self.d

    def exact(self, x: Any) -> Any:
        """Its value for a number of mpmath that is not 0."""
        small = max(0, -int(mp.mag(x)))
        with mp.extraprec(60 + (self.n + self.k + 2 * self.d + 4) * (small + 1)):
            slopes = [mp.diff(self.of.function, x, i) if i else self.of.function(x)
                      for i in range(self.d + 1)]  # fmt: skip
            total = mp.fsum(
                weight * slope * x**power
                for slope, (weight, power) in zip(slopes, self.slopes, strict=True)
            )
            return total - mp.fsum(_mpf(c) * x**power for power, c in self.powers.items())

    def value(self, x: Any) -> Any:
        """Its value, and its limits at 0 and at the infinities."""
        if mp.isinf(x):
            return _limit(self.exact(_HUGE if x > 0 else -_HUGE))
        if x:
            return self.exact(x)
        j = self.first + self.k + self.d
        start = _mpf(self.of.coefficient(j) * falling(j - self.k, self.d))
        return start if not self.first else mp.mpf(0) if self.first > 0 else mp.nan


def _limit(far: Any) -> Any:
    if isinstance(far, mp.mpc):
        return mp.nan
    return mp.inf * far if abs(far) > 1e9 else far if abs(far) > 1e-9 else mp.mpf(0)


def _mpf(value: Fraction) -> Any:
    return mp.mpf(value.numerator) / value.denominator


@cache
def form(of: Expansion, n: int, k: int, d: int) -> str:
    """The statements of a member of a family."""
    rest = Rest(of, n, k, d)
    near = of.near(n, k, d)

    lines = [
        *near.lines,
        _series(rest, near),
        *of.far,
        "i = 1/y",
        f"f = {_times(of, rest)}",
        f"p = {polynomial(rest.powers)}",
        f"where({near.inside}, rest{_power(rest.first)}, f - p)",
    ]
    return "\n".join(lines)


def _power(exponent: int) -> str:
    return f"*x**{exponent}" if exponent > 0 else ""


def _series(rest: Rest, near: Near) -> str:
    """Statements that end in `rest`, the rest over its first power of x."""
    if near.terms:
        orders = [rest.first + rest.k + rest.d + near.step * m for m in range(near.terms)]
        parts = [rest.of.coefficient(j) * falling(j - rest.k, rest.d) for j in orders]
        return f"rest = {horner(parts, 'v')}"

    def scaled(v: Any) -> Any:
        # The limit at 0, by a place beside it.
        x = near.place(v) or mp.mpf("1e-15")
        return rest.exact(x) / x**rest.first * near.factor(x)

    lines = fitted("near", scaled, near.low, near.high, "v")
    return f"{lines}\nrest = near/{near.divisor}"


def _times(of: Expansion, rest: Rest) -> str:
    text = ""
    for order, (weight, _) in enumerate(rest.slopes):
        if weight:
            own = f"{weight}*{of.slope(order)}" if weight != 1 else of.slope(order)
            text = f"({text})*i + {own}" if text else own
        elif text:
            text = f"({text})*i"
    return of.scaled.replace("@", f"({text})/y**{rest.k}" if rest.k else text)


def polynomial(powers: dict[int, Fraction]) -> str:
    """The sum of powers of y, and of i = 1/y, by Horner's rule."""
    up = _horner({p: c for p, c in powers.items() if p >= 0}, "y")
    down = _horner({-p: c for p, c in powers.items() if p < 0}, "i")
    return " + ".join(part for part in (up, down) if part) or "0"


def _horner(powers: dict[int, Fraction], variable: str) -> str:
    text = ""
    for power in range(max(powers, default=-1), -1, -1):
        c = powers.get(power)
        text = f"{variable}*({text})" if text else ""
        if c:
            text = f"({c}) + {text}" if text else f"({c})"
    return text


def plain(of: Expansion, n: int, k: int, d: int) -> str:
    """The same in functions that a formula can call."""
    rest = Rest(of, n, k, d)
    parts = [
        f"{weight}*({of.plain(order)})*x**({power})"
        for order, (weight, power) in enumerate(rest.slopes)
        if weight
    ]
    taken = [f"({c})*x**({power})" for power, c in rest.powers.items()]
    return " + ".join(parts) + "".join(f" - {part}" for part in taken)


def _reference(of: Expansion) -> Callable[..., Any]:
    def value(n: Any, k: Any, d: Any, x: Any) -> Any:
        return Rest(of, int(n), int(k), int(d)).value(x)

    return real(value)


FUNCTIONS = tuple(
    Function(
        f"{of.name}_rest", (*_LITERALS, "x"), ("0", "0", "0", f"{of.name}_rest(n, k, d + 1, x)"),
        literals=_LITERALS, form_of=partial(form, of), reference=_reference(of), special=(),
        domain=of.domain, internal=True,
    )
    for of in EXPANSIONS
)  # fmt: skip
