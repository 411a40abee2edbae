"""The gamma function, its logarithm and the derivatives of that, the zeta function of Hurwitz.

Polygamma is a sum of positive terms over the first few arguments, and an asymptotic series beyond
them (DLMF 5.15); torch's trigamma is off by 4e6 ULP in float64.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import ceil, factorial
from typing import Any

import mpmath as mp

from symop.functions import Function, X
from symop.limits import real, tends
from symop.special import horner

_G = "5.524680040776729583740234375"
_LANCZOS = (
    "23531376880.410759688572007674451636754734846804940",
    "42919803642.649098768957899047001988850926355848959",
    "35711959237.355668049440185451547166705960488635843",
    "17921034426.037209699919755754458931112671403265390",
    "6039542586.3520280050642916443072979210699388420708",
    "1439720407.3117216736632230727949123939715485786772",
    "248874557.86205415651146038641322942321632125127801",
    "31426415.585400194380614231628318205362874684987640",
    "2876370.6289353724412254090516208496135991145378768",
    "186056.26539522349504029498971604569928220784236328",
    "8071.6720023658162106380029022722506138218516325024",
    "210.82427775157934587250973392071336271166969580291",
    "2.5066282746310002701649081771338373386264310793408",
)
_RISING = (0, 39916800, 120543840, 150917976, 105258076, 45995730, 13339535, 2637558, 357423,
           32670, 1925, 66, 1)  # fmt: skip


def _is_pole(x: Any) -> bool:
    return bool(x <= 0 and x == mp.floor(x))


def _gamma(x: Any) -> Any:
    return (mp.inf if x == 0 else mp.nan) if _is_pole(x) else mp.gamma(x)


def _lgamma(x: Any) -> Any:
    if _is_pole(x):
        return mp.inf
    if x > 0:
        return mp.loggamma(x)
    return mp.log(mp.pi / abs(mp.sinpi(x))) - mp.loggamma(1 - x)


def _digamma(x: Any) -> Any:
    return (-mp.inf if x == 0 else mp.nan) if _is_pole(x) else mp.digamma(x)


def _polygamma(n: Any, x: Any) -> Any:
    if n == 0:
        return _digamma(x)
    return mp.inf * (-1) ** (int(n) + 1) if _is_pole(x) else mp.psi(int(n), x)


def _multigamma(p: int) -> str:
    if not 1 <= p <= 100:
        raise ValueError(f"multigammaln: the dimension p is 1 to 100, {p} was given")
    terms = (f" + lgamma(a - {Fraction(j, 2)})" for j in range(p))
    return f"{Fraction(p * (p - 1), 4)}*log(pi)" + "".join(terms)


# Terms of the asymptotic series: enough at arguments of 10 and more.
_TERMS = 9


def _bernoulli(k: int) -> Fraction:
    numerator, denominator = mp.bernfrac(k)
    return Fraction(int(numerator), int(denominator))


def _cotangent_slopes(n: int, divisor: int = 1) -> str:
    """The n-th derivative of cot(pi*x) over pi**n and a divisor, in powers of c = cot(pi*x)."""
    powers = [0, 1]
    for _ in range(n):
        slopes = [k * p for k, p in enumerate(powers)][1:]
        powers = [-a - b for a, b in zip([*slopes, 0, 0], [0, 0, *slopes], strict=True)]
    return horner([Fraction(p, divisor) for p in powers], "c")


def _sum_of_powers(s: Fraction) -> list[str]:
    """Statements that end in `total`, the sum of 1/(a + k)**s over k for positive a."""
    shift = ceil(s) + 8
    head = " + ".join(f"1/(a + {k})**({s})" if k else f"1/a**({s})" for k in range(shift))
    terms, rising = [], s
    for k in range(1, _TERMS + 1):
        terms.append(_bernoulli(2 * k) * rising / factorial(2 * k))
        rising *= (s + 2 * k - 1) * (s + 2 * k)
    return [
        f"w = 1/(a + {shift})",
        f"tail = {1 / (s - 1)} + w/2 + (w*w)*{horner(terms, '(w*w)')}",
        f"total = {head} + w**({s - 1})*tail",
    ]


@lru_cache
def _polygamma_form(n: int) -> str:
    """The sum of n!/(x + k)**(n + 1) over k, of which it is the value but for the sign."""
    if n == 0:
        return "digamma(x)"
    sign = "" if n % 2 else "-"
    return "\n".join(
        [
            "a = where(x > 0, x, 1 - x)",
            *_sum_of_powers(Fraction(n + 1)),
            f"value = {factorial(n)}*total",
            "d = x - round(x)",
            "c = cos(pi*d)/sin(pi*d)",
            # The reflection, DLMF 5.15.6.
            f"where(x > 0, {sign}value, -value - pi**{n + 1}*{_cotangent_slopes(n)})",
        ]
    )


@lru_cache
def _zeta_form(x: Fraction | int) -> str | None:
    """The sum of 1/(q + k)**x over k; torch has it for x above 1."""
    s = Fraction(x)
    if s <= 1:
        return None
    d = "d = q - round(q)"
    if s.denominator > 1:
        # Infinite at 0 and at negative integers, and without a value between them.
        lines = ["a = where(q > 0, q, 1)", *_sum_of_powers(s), d]
        return "\n".join([*lines, "where(q > 0, total, abs(1/sqrt(-abs(d))))"])
    n = int(s) - 1
    sign = "-" if n % 2 else ""
    slopes = f"pi**{n + 1}*{_cotangent_slopes(n, factorial(n))}"
    lines = ["a = where(q > 0, q, 1 - q)", *_sum_of_powers(s), d, "c = cos(pi*d)/sin(pi*d)"]
    # That of polygamma.
    lines.append(f"where(q > 0, total, {sign}(total + {slopes}))")
    return "\n".join(lines)


FUNCTIONS = (
    Function("lgamma", X, ("digamma(x)",), reference=tends(_lgamma, mp.inf, mp.inf),
             special=(-1, 0, 1, 2), domain=(0.1, 10), aliases=("loggamma", "gammaln")),
    Function("digamma", X, ("polygamma(1, x)",), reference=tends(_digamma, mp.nan, mp.inf),
             special=(-1, 0), domain=(0.1, 10), aliases=("psi",)),
    Function("polygamma", ("n", "x"), ("0", "polygamma(n + 1, x)"), literals=("n",),
             form_of=_polygamma_form, reference=real(_polygamma), domain=(0.1, 10)),
    Function("zeta", ("x", "q"), ("0", "-x*zeta(x + 1, q)"), literals=("x",),
             form_of=_zeta_form, domain=(0.1, 10),
             reference=real(lambda x, q: mp.inf if _is_pole(q) else mp.zeta(x, q))),
    # Lanczos' approximation, with what the rounding of y = a + g costs put back.
    Function(
        "gamma", X, ("result*digamma(x)",),
        form=f"a = minimum(abs(x), 171.7)\ny = a + {_G}\n"
        f"error = where(a > {_G}, (y - a) - {_G}, (y - {_G}) - a)\n"
        f"top = {horner(_LANCZOS, 'a')}\n"
        f"half = pow(y, (a - 1/2)/2)/exp(y/2)\n"
        f"value = (top + top*(error*({_G} + 1/2)/y))/{horner([*map(Fraction, _RISING)], 'a')}"
        "*half*half\n"
        "k = round(abs(x))\nsine = (1 - 2*abs(k - 2*round(k/2)))*sin(pi*(abs(x) - k))\n"
        "where(x < 0, -pi/(sine*(a*value)) + 0/sine, value)",
        reference=tends(_gamma, mp.nan, mp.inf), special=(-1, 0), domain=(0.1, 10),
    ),
    Function("multigammaln", ("a", "p"), literals=("p",), expand=_multigamma, domain=(5, 20),
             aliases=("mvlgamma",)),
)  # fmt: skip
