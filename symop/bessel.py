"""Bessel functions of fixed integer order, differentiable to any order.

Below a threshold J and I are a power times a Chebyshev series in the square of the argument;
above it J and Y are Hankel's modulus and phase functions, and higher orders come by the
recurrence that is stable there. torch's own float64 versions of J and Y are off by 1e5 ULP.
The derivatives are those of the orders beside (DLMF 10.6, 10.29).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import mpmath as mp

from symop.approximations import chebyshev, text
from symop.functions import Function, X
from symop.limits import real, tends
from symop.second_kind import besselk, bessely

ORDER = ("n", "x")
_MAX_ORDER = 30
_ZERO = mp.mpf(0)


def _cut(n: int) -> int:
    """Where the series ends and recurrences upward are stable."""
    return max(8, n)


@lru_cache
def _modulus(order: int, name: str) -> str:
    """Hankel's P and Q of order 0 or 1, as functions of z = (8/a)**2."""

    def parts(z: Any) -> tuple[Any, Any]:
        if z == 0:
            z = mp.mpf(10) ** -60
        x = 8 / mp.sqrt(z)
        if z < mp.mpf(10) ** -8:
            # Their asymptotic series, where the functions are not worth their time.
            m = 4 * order * order
            p = 1 - (m - 1) * (m - 9) / (128 * x**2)
            q = (m - 1) / (8 * x) - (m - 1) * (m - 9) * (m - 25) / (3072 * x**3)
            return p, q * x
        c, s = mp.cos(x - (2 * order + 1) * mp.pi / 4), mp.sin(x - (2 * order + 1) * mp.pi / 4)
        j, y, scale = mp.besselj(order, x), bessely(order, x), mp.sqrt(mp.pi * x / 2)
        return scale * (j * c + y * s), scale * (y * c - j * s) * x

    p = chebyshev(f"p{name}", lambda z: parts(z)[0], 0, 1, "z")
    q = chebyshev(f"q{name}", lambda z: parts(z)[1], 0, 1, "z")
    return f"{p}\n{q}"


@lru_cache
def power_series(n: int, cut: int, name: str, kind: Callable[..., Any]) -> str:
    """The function over (a/cut)**n, in s = (a/cut)**2: its value at 0, and s times a series."""

    def over(a: Any) -> Any:
        return kind(n, a) / (a / cut) ** n

    with mp.workdps(120):
        first = over(mp.mpf(10) ** -50)

    def rest(s: Any) -> Any:
        with mp.workdps(80):
            return (over(cut * mp.sqrt(s)) - first) / s

    return f"{chebyshev(f'{name}_rest', rest, 0, 1, 's')}\n{name} = {text(first)} + s*{name}_rest"


def _waves(name: str, first: str, second: str) -> str:
    """J or Y of order 0 and 1 beyond 8, from their P and Q."""
    # With c = cos(a) and d = sin(a), the cosine and sine of a - pi/4 are (c + d, d - c)/sqrt(2).
    return f"""\
h = maximum(a, 8)
z = 64/(h*h)
{_modulus(0, "0")}
{_modulus(1, "1")}
c = cos(h)
d = sin(h)
r = 1/sqrt(pi*h)
{name}0 = {first}
{name}1 = {second}"""


_J = ("r*(p0*(c + d) - q0/h*(d - c))", "r*(p1*(d - c) + q1/h*(c + d))")
_Y = ("r*(p0*(d - c) + q0/h*(c + d))", "r*(q1/h*(d - c) - p1*(c + d))")


def _climb(name: str, n: int, factor: str, sign: str) -> str:
    """Orders up to n by the recurrence f[k+1] = 2*k/x*f[k] -+ f[k-1]."""
    lines = [
        f"{name}{k + 1} = {factor.format(k=k)}*{name}{k} {sign} {name}{k - 1}" for k in range(1, n)
    ]
    return "\n".join(lines)


@lru_cache
def _j_form(n: int) -> str:
    cut = _cut(n)
    lines = [
        "a = abs(x)",
        f"s = minimum(a, {cut})*minimum(a, {cut})/{cut * cut}",
        power_series(n, cut, "low", mp.besselj),
        _waves("j", *_J),
        _climb("j", n, f"{{k}}*(2/maximum(a, {cut}))", "-"),
    ]
    sign = "where(x < 0, -1, 1)*" if n % 2 else ""
    power = f"(minimum(a, {cut})/{cut})**{n}*" if n else ""
    value = f"where(a < {cut}, {power}low, j{n})"
    return "\n".join([*lines, f"{sign}where(a == 2*a and a > 0, 0, {value})"])


def _regular(order: int) -> Callable[[int, Any], Any]:
    """What Y of order 0 or 1 is beside its logarithm and pole, over x where the order is 1."""

    def value(_: int, x: Any) -> Any:
        with mp.extraprec(120):
            log = 2 / mp.pi * mp.log(x) * mp.besselj(order, x)
            rest = bessely(order, x) - log
            return rest if order == 0 else rest + 2 / (mp.pi * x)

    return value


@lru_cache
def _y_form(n: int) -> str:
    lines = [
        "a = x",
        "l = minimum(a, 8)",
        "s = l*l/64",
    ]
    for k in range(min(n, 1) + 1):
        lines += [
            power_series(k, 8, f"low{k}", mp.besselj),
            power_series(k, 8, f"rest{k}", _regular(k)),
        ]
    lines.append(_waves("w", *_Y))
    lines.append("y0 = where(a < 8, 2/pi*log(l)*low0 + rest0, w0)")
    if n:
        lines.append(
            "y1 = where(a < 8, l/8*(2/pi*log(where(l == 0, 1, l))*low1 + rest1) - 2/pi/l, w1)"
        )
    lines.append(_climb("y", n, "{k}*(2/a)", "-"))
    return "\n".join(
        [
            *lines,
            f"limited = where(a == 2*a and a > 0, 0, y{n})",
            f"where(a >= 0 and a < 1 and not (y{n} == y{n}), -1/(0*a), limited)",
        ]
    )


@lru_cache
def _i_form(n: int) -> str:
    if n < 2:
        return f"i{n}(x)"
    cut = max(8, n * n // 3)

    def scaled(order: int, a: Any) -> Any:
        return mp.exp(-a) * mp.besseli(order, a)

    def far(u: Any) -> Any:
        a = cut / u if u > mp.mpf(10) ** -8 else mp.mpf(10) ** 8 * cut
        if a > 10**5:
            m = 4 * n * n
            return (
                1 - mp.mpf(m - 1) / (8 * a) + mp.mpf((m - 1) * (m - 9)) / (128 * a * a)
            ) / mp.sqrt(2 * mp.pi)
        return scaled(n, a) * mp.sqrt(a)

    # The power series has positive terms only: nested, it keeps all digits.
    terms, size, k = "1", mp.mpf(1), 0
    factors = []
    while size > mp.mpf(2) ** -56:
        k += 1
        size *= mp.mpf(cut * cut) / (4 * k * (n + k))
        factors.append(k * (n + k))
    for factor in reversed(factors):
        terms = f"(1 + s/{factor}*{terms})"
    lines = [
        "a = abs(x)",
        f"v = minimum(a, {cut})/2",
        "s = v*v",
        f"low = v**{n}/{math.factorial(n)}*{terms}",
        f"u = {cut}/maximum(a, {cut})",
        chebyshev("high", far, 0, 1, "u"),
        "e = exp(a/2)",
        f"value = where(a < {cut}, low, high/sqrt(maximum(a, {cut}))*e*e)",
    ]
    return "\n".join([*lines, "where(x < 0, -value, value)" if n % 2 else "value"])


@lru_cache
def _k_form(n: int) -> str:
    first = ["k0 = modified_bessel_k0(x)", "k1 = modified_bessel_k1(x)"]
    lines = [*first, _climb("k", n, "{k}*(2/x)", "+"), f"k{n}"]
    return "\n".join(line for line in lines if line)


def at_order(
    function: Callable[[int, Any], Any], at_minus_inf: Any, at_inf: Any
) -> Callable[..., Any]:
    """A reference of order and argument, with limits at the infinities."""

    def value(n: Any, x: Any) -> Any:
        return tends(lambda v: function(int(n), v), at_minus_inf, at_inf)(x)

    return real(value)


def _scaled_k(n: int, x: Any) -> Any:
    return mp.exp(x) * besselk(n, x)


def _i_reference(n: int, x: Any) -> Any:
    return mp.besseli(n, x)


def ordered(name: str, internal: str, odd: int) -> Function:
    """The function that formulas call: it checks the order, and turns a negative one."""

    def expand(n: int) -> str:
        if abs(n) > _MAX_ORDER:
            raise ValueError(f"{name}: the order is {-_MAX_ORDER} to {_MAX_ORDER}, {n} was given")
        if n < 0 and not odd:
            return f"{internal}({-n}, x)"
        if n < 0 and odd < 0:
            raise ValueError(f"{name}: the order is 0 to {_MAX_ORDER}, {n} was given")
        return f"-{internal}({-n}, x)" if n < 0 and n % 2 else f"{internal}({abs(n)}, x)"

    return Function(name, ORDER, literals=("n",), expand=expand, domain=(0.1, 12))


def _between(name: str, sign: str) -> str:
    """The derivative of a cylinder function, from the orders beside."""
    first = {"-": "-", "+": ""}[sign]
    return f"where(n > 0, ({name}(n - 1, x) {sign} {name}(n + 1, x))/2, {first}{name}(n + 1, x))"


CYLINDER = (
    Function(
        "bessel_j", ORDER, ("0", _between("bessel_j", "-")), literals=("n",), form_of=_j_form,
        reference=at_order(mp.besselj, _ZERO, _ZERO), domain=(-30, 30), internal=True,
    ),
    Function(
        "bessel_y", ORDER, ("0", _between("bessel_y", "-")), literals=("n",), form_of=_y_form,
        reference=at_order(bessely, mp.nan, _ZERO), domain=(0.1, 30), internal=True,
    ),
    Function(
        "bessel_i", ORDER, ("0", _between("bessel_i", "+")), literals=("n",), form_of=_i_form,
        reference=at_order(_i_reference, mp.nan, mp.nan), domain=(-15, 15), internal=True,
    ),
    Function(
        "bessel_k", ORDER,
        ("0", "where(n > 0, -(bessel_k(n - 1, x) + bessel_k(n + 1, x))/2, -bessel_k(1, x))"),
        literals=("n",), form_of=_k_form, reference=at_order(besselk, mp.nan, _ZERO),
        domain=(0.1, 15), internal=True,
    ),
    Function("modified_bessel_k0", X, ("-modified_bessel_k1(x)",), domain=(0.1, 15),
             reference=tends(lambda x: besselk(0, x), mp.nan, _ZERO)),
    Function("modified_bessel_k1", X, ("-(bessel_k(0, x) + bessel_k(2, x))/2",), domain=(0.1, 15),
             reference=tends(lambda x: besselk(1, x), mp.nan, _ZERO)),
    *(
        Function(
            f"scaled_modified_bessel_k{n}", X, (f"scaled_k_slope(1, {n}, x)",), domain=(0.1, 15),
            reference=tends(partial(_scaled_k, n), mp.nan, _ZERO),
        )
        for n in (0, 1)
    ),
)  # fmt: skip

CALLED = (
    ordered("besselj", "bessel_j", 1), ordered("bessely", "bessel_y", 1),
    ordered("besseli", "bessel_i", 0), ordered("besselk", "bessel_k", 0),
    *(
        Function(f"bessel_{kind}{n}", X, definition=f"bessel_{kind}({n}, x)", domain=(0.1, 12))
        for kind in "jy" for n in (0, 1)
    ),
)  # fmt: skip

FUNCTIONS = CYLINDER + CALLED
