"""Families closed under differentiation: moments of the normal curve, and of cos and sin.

The moment of order n is the integral of t**(2*n)*exp(-(x*t)**2) over t in 0..1, which is
F_n(x**2) of Boys (Proc. R. Soc. A 200, 1950); that of order 0 is erf(x)/x up to a factor.
Stumpff's functions c_k are the series of cos from its term of order k on, over x**k:
(x - sin(x))/x**3 is c_3.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from math import factorial
from typing import Any

import mpmath as mp

from symop.approximations import chebyshev
from symop.functions import Function, X
from symop.limits import tends
from symop.special import horner

_ZERO, _ONE = mp.mpf(0), mp.mpf(1)
_NX = ("n", "x")


def _moment(n: int, x: Any) -> Any:
    half = n + mp.mpf(1) / 2
    if abs(x) > 20:
        return mp.gammainc(half, 0, x * x) / (2 * abs(x) ** (2 * n + 1))
    return mp.exp(-x * x) * mp.hyp1f1(1, half + 1, x * x) / (2 * n + 1)


@cache
def _moment_form(n: int) -> str:
    cut = Fraction(8 + n, 4)
    square = mp.mpf(cut.numerator) ** 2 / cut.denominator**2

    def scaled(s: Any) -> Any:
        return _moment(n, mp.sqrt(s)) * (1 + s) ** n

    lines = [
        "a = abs(x)",
        f"l = minimum(a, {cut})",
        "s = l*l",
        chebyshev("near", scaled, 0, square, "s"),
        f"h = maximum(a, {cut})",
        "e = gaussian(h)",
        "m0 = sqrt(pi)/2*erf(h)/h",
        *(f"m{k + 1} = ({2 * k + 1}*m{k} - e)/h/h/2" for k in range(n)),
        f"where(a < {cut}, near/(1 + s)**{n}, m{n})" if n else f"where(a < {cut}, near, m0)",
    ]
    return "\n".join(lines)


def _stumpff(k: int, x: Any) -> Any:
    terms = range(k % 2, k, 2)
    with mp.extraprec(20 + max(0, -k * int(mp.mag(x))) if x else 0):
        if not x:
            return _ONE / factorial(k)
        start = mp.sin(x) if k % 2 else mp.cos(x)
        head = sum(((-1) ** (j // 2) * x**j / factorial(j) for j in terms), _ZERO)
        return (-1) ** (k // 2) * (start - head) / x**k


def _sinshrink3_slope(x: Any) -> Any:
    if not x:
        return _ZERO
    with mp.extraprec(40 + max(0, -5 * int(mp.mag(x)))):
        return (x * (1 - mp.cos(x)) - 3 * (x - mp.sin(x))) / x**4


@cache
def _stumpff_form(k: int) -> str:
    if not k:
        return "cos(x)"
    cut = Fraction(2 + k, 2)
    parts = [Fraction((-1) ** j, factorial(2 * j + k)) for j in range(16)]
    lines = [
        f"h = where(abs(x) < {cut}, {cut}, x)",
        "c1 = sin(h)/h" if k % 2 else "c2 = 2*(sin(h/2)/h)**2",
        *(f"c{j + 2} = (1/{factorial(j)} - c{j})/h/h" for j in range(2 - k % 2, k - 1, 2)),
        f"l = minimum(abs(x), {cut})",
        f"where(abs(x) < {cut}, {horner(parts, '(l*l)')}, c{k})",
    ]
    return "\n".join(lines)


FUNCTIONS = (
    Function(
        "boys", _NX,
        ("0", "where(abs(x) < n + 2, -2*x*boys(n + 1, x), (gaussian(x) - (2*n + 1)*result)/x)"),
        literals=("n",), form_of=_moment_form,
        reference=lambda n, x: tends(lambda v: _moment(int(n), v), _ZERO, _ZERO)(x),
        domain=(0.1, 6), internal=True,
    ),
    Function(
        "stumpff", _NX,
        ("0", "where(abs(x) < n or n < 1, x*(n*stumpff(n + 2, x) - stumpff(n + 1, x)), "
         "(stumpff(n - 1, x) - n*result)/x)"),
        literals=("n",), form_of=_stumpff_form,
        reference=lambda n, x: tends(lambda v: _stumpff(int(n), v), _ZERO, _ZERO)(x),
        domain=(0.1, 10), internal=True,
    ),
    # (x - sin(x))/x**3, and its derivative.
    Function(
        "sinshrink3", X, ("sinshrink3_1(x)",), form="stumpff(3, x)",
        reference=tends(lambda x: _stumpff(3, x), _ZERO, _ZERO), special=(0,), domain=(-10, 10),
        internal=True,
    ),
    Function(
        "sinshrink3_1", X,
        ("where(abs(x) < 3, 3*stumpff(5, x) - stumpff(4, x) + "
         "x*x*(15*stumpff(7, x) - 7*stumpff(6, x) + stumpff(5, x)), "
         "((spherical_bessel_j0(x) - 2*stumpff(2, x))/x - 4*result)/x)",),
        form="where(abs(x) < 3, x*(3*stumpff(5, x) - stumpff(4, x)), "
        "(stumpff(2, x) - 3*stumpff(3, x))/x)",
        reference=tends(_sinshrink3_slope, _ZERO, _ZERO),
        special=(0,), domain=(-10, 10), internal=True,
    ),
    # sin(x) - x*cos(x).
    Function(
        "sincos_gap", X, ("x*sin(x)",),
        form="where(abs(x) < 1.5, x*x*x*spherical_k1(x), sin(x) - x*cos(x))",
        reference=tends(lambda x: x**3 * _first(x), mp.nan, mp.nan), special=(0,), internal=True,
    ),
    # x**2/2 - 1 + cos(x).
    Function(
        "cosshrink", X, ("sinshrink(x)",),
        form="where(abs(x) < 2, (x*x)*(x*x)*stumpff(4, x), x*x/2 - 2*sin(x/2)**2)",
        reference=tends(lambda x: x**4 * _stumpff(4, x), mp.inf, mp.inf), special=(0,),
        internal=True,
    ),
)  # fmt: skip


def _first(x: Any) -> Any:
    """The sum (sin(x) - x*cos(x))/x**3."""
    if not x:
        return _ONE / 3
    with mp.extraprec(40 + max(0, -4 * int(mp.mag(x)))):
        return (mp.sin(x) - x * mp.cos(x)) / x**3
