"""Orthogonal polynomials of any fixed order: closed forms up to order 5, recurrences above."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from symop.functions import Function

# Orthogonal polynomials: p[n] = ((a*x + b)*p[n-1] - c*p[n-2])/d from p[0] = 1 and p[1]

_MAX_ORDER = 100
_CLOSED = 5
Start = tuple[int, int]
Step = Callable[[int], tuple[int, int, int, int]]


def _coefficients(start: Start, step: Step, n: int) -> list[Fraction]:
    before, current = [Fraction(0)], [Fraction(1)]
    for k in range(1, n + 1):
        if k == 1:
            before, current = current, [Fraction(c) for c in start]
            continue
        a, b, c, d = step(k)
        following = [Fraction(0)] * (k + 1)
        for power, value in enumerate(current):
            following[power] += Fraction(b, d) * value
            following[power + 1] += Fraction(a, d) * value
        for power, value in enumerate(before):
            following[power] -= Fraction(c, d) * value
        before, current = current, following
    return current


def _closed(start: Start, step: Step, n: int, x: str) -> str:
    """The polynomial in powers of x, such as (5*x**3 - 3*x)/2."""
    coefficients = _coefficients(start, step, n)
    common = max(c.denominator for c in coefficients)
    text = ""
    for power in range(n, -1, -1):
        value = int(coefficients[power] * common)
        if value:
            size = "" if abs(value) == 1 and power else str(abs(value))
            name = {0: "", 1: x}.get(power, f"{x}**{power}")
            term = f"{size}*{name}" if size and name else size or name
            sign = "-" if value < 0 else "+"
            text += f" {sign} {term}" if text else term if value > 0 else f"-{term}"
    return text if common == 1 else f"({text})/{common}"


def _polynomial(name: str, start: Start, step: Step, shifted: bool) -> Callable[[int], str]:
    def expand(n: int) -> str:
        if not 0 <= n <= _MAX_ORDER:
            raise ValueError(f"{name}: the order is 0 to {_MAX_ORDER}, {n} was given")
        x = "t" if shifted and n else "x"
        lines = ["t = 2*x - 1"] if shifted and n else []
        if n == 0:
            return "x**0"
        if n <= _CLOSED:
            return "\n".join([*lines, _closed(start, step, n, x)])
        lines += [f"p{k} = {_closed(start, step, k, x)}" for k in (_CLOSED - 1, _CLOSED)]
        for k in range(_CLOSED + 1, n + 1):
            a, b, c, d = step(k)
            factor = f"{a}*{x}" if not b else f"({b} + {a}*{x})" if a > 0 else f"({b} - {-a}*{x})"
            line = f"{factor}*p{k - 1} - {c}*p{k - 2}"
            lines.append(f"p{k} = {line}" if d == 1 else f"p{k} = ({line})/{d}")
        return "\n".join([*lines, f"p{n}"])

    return expand


def _chebyshev(n: int) -> tuple[int, int, int, int]:
    return 2, 0, 1, 1


# sympy's name, torch's name, p[1] by powers of x, and a, b, c, d of the recurrence
_FAMILIES: tuple[tuple[str, str, Start, Step], ...] = (
    ("legendre", "legendre_polynomial_p", (0, 1), lambda n: (2 * n - 1, 0, n - 1, n)),
    ("chebyshevt", "chebyshev_polynomial_t", (0, 1), _chebyshev),
    ("chebyshevu", "chebyshev_polynomial_u", (0, 2), _chebyshev),
    ("", "chebyshev_polynomial_v", (-1, 2), _chebyshev),
    ("", "chebyshev_polynomial_w", (1, 2), _chebyshev),
    ("hermite", "hermite_polynomial_h", (0, 2), lambda n: (2, 0, 2 * (n - 1), 1)),
    ("hermite_he", "hermite_polynomial_he", (0, 1), lambda n: (1, 0, n - 1, 1)),
    ("laguerre", "laguerre_polynomial_l", (1, -1), lambda n: (-1, 2 * n - 1, n - 1, n)),
)

FUNCTIONS = tuple(
    Function(
        name, ("n", "x") if order_first else ("x", "n"), literals=("n",),
        expand=_polynomial(name, start, step, shifted), domain=(0, 1) if shifted else (-1, 1),
    )
    for sympy_name, torch_name, start, step in _FAMILIES
    for name, order_first, shifted in (
        (sympy_name, True, False),
        (torch_name, False, False),
        (f"shifted_{torch_name}" if "chebyshev" in torch_name else "", False, True),
    )
    if name
)  # fmt: skip
