"""Special functions: error function, ratios of Bessel functions, sinc.

Derivatives that cancel are families of internal functions, each the derivative of the one
before: sinc, i1, erfcx and log_ndtr keep their digits through the second derivative.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache, partial
from math import factorial, prod
from typing import Any

import mpmath as mp

from symop.approximations import chebyshev
from symop.functions import Function, X
from symop.limits import real, tends

_ZERO, _ONE = mp.mpf(0), mp.mpf(1)


def horner(coefficients: Sequence[Fraction | str], variable: str) -> str:
    """The text of a polynomial, the constant coefficient first."""
    # In parentheses: a quotient of numbers is one number, and no division of the product before it.
    text = f"({coefficients[-1]})"
    for coefficient in reversed(coefficients[:-1]):
        text = f"({coefficient} + {variable}*{text})"
    return text


# The error function and the normal distribution

_TAIL = "h = round(16*a)/16\n"
_SCALED = "x/sqrt(2)"
# Where the asymptotic series has as many digits as are ever asked for.
_FAR = 200


def _ierfc(n: int, x: Any) -> Any:
    """exp(x**2) times the n-th repeated integral of erfc."""
    if x > _FAR:
        return mp.hyperu(mp.mpf(n + 1) / 2, 0.5, x * x) / 2**n / mp.sqrt(mp.pi)
    # Where x is positive every step cancels, to 1/x**2 of its terms.
    with mp.extraprec(20 + (2 * n + 2) * max(0, 2 + int(mp.mag(x))) if x else 0):
        before, value = 2 / mp.sqrt(mp.pi), mp.exp(x * x) * mp.erfc(x)
        for k in range(1, n + 1):
            before, value = value, (before - 2 * x * value) / (2 * k)
        return value


@cache
def _erfcx_form(n: int) -> str:
    """A series for positive arguments; the recurrence for negative ones, where nothing cancels."""

    def scaled(v: Any) -> Any:
        x = 2 * (1 + v) / (1 - v)
        return _ierfc(n, x) * (2 + x) ** (n + 1)

    series = chebyshev("positive", scaled, -1, 1, "v")
    first = "e = 1/sqrt(pi) - l*erfcx(l)"
    negative = "e" if n == 1 else "(erfcx(l)/2 - l*e)/2"
    return (
        f"h = maximum(x, 0)\nl = minimum(x, 0)\nv = 1 - 4/(h + 2)\n{series}\n{first}\n"
        f"where(x > 0, positive/(2 + h)**{n + 1}, {negative})"
    )


def scaled_erfc(x: Any) -> Any:
    """The reference of erfcx."""
    return _ierfc(0, x)


def normal_cdf(x: Any) -> Any:
    """The reference of ndtr."""
    # Far out mpmath's erfc fails; the first term of its series is exact there.
    if x < -1e100:
        return -mp.exp(-x * x / 2) / (x * mp.sqrt(2 * mp.pi))
    return mp.erfc(-x / mp.sqrt(2)) / 2


def _log_ndtr(x: Any) -> Any:
    if x < 0:
        return mp.log(_ierfc(0, -x / mp.sqrt(2)) / 2) - x * x / 2
    return mp.log1p(-normal_cdf(-x))


def _erfinv(x: Any) -> Any:
    if abs(x) >= 1:
        return mp.nan if abs(x) > 1 else mp.inf * x
    return mp.erfinv(x)


def _ndtri(x: Any) -> Any:
    if not 0 < x < 1:
        return {0: -mp.inf, 1: mp.inf}.get(x, mp.nan)
    with mp.extraprec(max(0, -2 * int(mp.log(min(x, 1 - x), 2))) + 20):
        return mp.sqrt(2) * mp.erfinv(2 * x - 1)


# Cephes, ndtri.c: the middle in (x - 1/2)**2, and two tails in 1/sqrt(-2*log(x)).
_NDTRI = [
    [text.rstrip(",") for text in row.split()]
    for row in (
        "-1.23916583867381258016 13.9312609387279679503 -56.6762857469070293439 "
        "98.0010754185999661536 -59.9633501014107895267",
        "-1.18331621121330003142 15.9056225126211695515 -82.0372256168333339912 "
        "200.260212380060660359 -225.462687854119370527 86.3602421390890590575 "
        "4.67627912898881538453 1.95448858338141759834 1",
        "-8.57456785154685413611e-4 -3.50424626827848203418e-2 -0.140256079171354495875 "
        "2.18663306850790267539 14.6849561928858024014 44.0805073893200834700 "
        "57.1628192246421288162 31.5251094599893866154 4.05544892305962419923",
        "-9.33259480895457427372e-4 -3.80806407691578277194e-2 -0.142182922854787788574 "
        "2.50464946208309415979 15.0425385692907503408 41.3172038254672030440 "
        "45.3907635128879210584 15.7799883256466749731 1",
        "6.23974539184983293730e-9 2.65806974686737550832e-6 3.01581553508235416007e-4 "
        "1.23716634817820021358e-2 0.201485389549179081538 1.33303460815807542389 "
        "3.93881025292474443415 6.91522889068984211695 3.23774891776946035970",
        "6.79019408009981274425e-9 2.89247864745380683936e-6 3.28014464682127739104e-4 "
        "1.34204006088543189037e-2 0.216236993594496635890 1.37702099489081330271 "
        "3.67983563856160859403 6.02427039364742014255 1",
    )
]

NORMAL = (
    Function("erf", X, ("2/sqrt(pi)*gaussian(x)",), special=(0,),
             reference=tends(mp.erf, -_ONE, _ONE)),
    Function("erfc", X, ("-2/sqrt(pi)*gaussian(x)",), special=(0,),
             reference=tends(mp.erfc, mp.mpf(2), _ZERO)),
    # exp(-x**2): the square is split, for its rounding alone would cost 400 ULP in the tail.
    Function(
        "gaussian", X, ("-2*clamp(x, -100, 100)*result",),
        form=f"a = minimum(abs(x), 30)\n{_TAIL}exp(-h*h)*exp(-(a - h)*(a + h))",
        reference=tends(lambda x: mp.exp(-x * x), _ZERO, _ZERO), internal=True,
    ),
    Function(
        "normal_density", X, ("-clamp(x, -100, 100)*result",),
        form=f"a = minimum(abs(x), 40)\n{_TAIL}exp(-h*h/2)*exp(-(a - h)*(a + h)/2)/sqrt(2*pi)",
        reference=real(lambda x: mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi)), internal=True,
    ),
    Function("erfinv", X, ("sqrt(pi)/(2*gaussian(result))",), reference=real(_erfinv),
             special=(-1, 0, 1), domain=(-0.99, 0.99)),
    Function("erfcx", X, ("-2*erfcx_1(x)",), special=(0,),
             reference=tends(lambda x: _ierfc(0, x), mp.inf, _ZERO)),
    *(
        Function(
            f"erfcx_{n}", X, (slope,),
            form_of=partial(_erfcx_form, n),
            reference=tends(partial(_ierfc, n), mp.inf, _ZERO), special=(0,),
            internal=True,
        )
        for n, slope in ((1, "-4*erfcx_2(x)"), (2, "2*x*result - erfcx_1(x)"))
    ),
    # excess: by how much the square of the rounded argument of erfc falls short, for its tail.
    Function(
        "ndtr", X, ("normal_density(x)",),
        form="t = minimum(maximum(x, -40), 0)\nu = -t/sqrt(2)\n"
        "th = round(16*t)/16\nuh = round(16*u)/16\n"
        "excess = (th*th/2 - uh*uh) + ((t - th)*(t + th)/2 - (u - uh)*(u + uh))\n"
        f"erfc(-{_SCALED})*(1 - excess)/2",
        reference=tends(normal_cdf, _ZERO, _ONE), special=(0,),
    ),
    Function(
        "log_ndtr", X, ("inverse_mills(x)",), special=(-1, 0), domain=(-20, 10),
        form=f"where(x < -1, log(erfcx(-{_SCALED})/2) - x*x/2, log1p(-ndtr(-x)))",
        reference=tends(_log_ndtr, -mp.inf, _ZERO),
    ),
    # normal_density(x)/ndtr(x).
    Function(
        "inverse_mills", X,
        (f"-result*where(x < 0, sqrt(2)*erfcx_1(-{_SCALED})/erfcx(-{_SCALED}), "
         "clamp_max(x, 100) + result)",),
        form=f"where(x < 0, sqrt(2/pi)/erfcx(-{_SCALED}), normal_density(x)/ndtr(x))",
        reference=tends(lambda x: mp.sqrt(2 / mp.pi) / _ierfc(0, -x / mp.sqrt(2)), mp.inf, _ZERO),
        special=(0,), domain=(-20, 10), internal=True,
    ),
    Function(
        "ndtri", X, ("1/normal_density(result)",),
        form="y = where(x > 0.8646647167633873, 1 - x, x)\np = x - 1/2\nr = p*p\n"
        f"middle = sqrt(2*pi)*(p + p*(r*{horner(_NDTRI[0], 'r')}/{horner(_NDTRI[1], 'r')}))\n"
        "t = sqrt(-2*log(y))\nz = 1/t\n"
        f"s = where(t < 8, {horner(_NDTRI[2], 'z')}/{horner(_NDTRI[3], 'z')}, "
        f"{horner(_NDTRI[4], 'z')}/{horner(_NDTRI[5], 'z')})\n"
        "tail = where(y == 0, t, t - log(t)/t - z*s)\n"
        "where(y > 0.1353352832366127, middle, where(p > 0, tail, -tail))",
        reference=real(_ndtri), special=(0, 0.5, 1), domain=(0.01, 0.99),
    ),
)  # fmt: skip


# Bessel functions divided by powers of x, and sinc. With k_n = j_n(x)/x**n the derivative is
# k_n' = -x*k_(n+1), with r_n = I_n(x)/x**n it is r_n' = x*r_(n+1): nothing cancels at zero.


def _series(n: int, *, spherical: bool, terms: int = 22) -> str:
    """The power series of k_n or r_n, in s = x*x."""
    if spherical:
        parts = [
            Fraction((-1) ** k, 2**k * factorial(k) * prod(range(1, 2 * (n + k) + 2, 2)))
            for k in range(terms)
        ]
    else:
        parts = [
            Fraction(1, 2 ** (2 * k + n) * factorial(k) * factorial(n + k)) for k in range(terms)
        ]
    return horner(parts, "(x*x)")


def _family(n: int, rows: str, *, spherical: bool, scale: str = "") -> str:
    """Above a threshold by recurrence from `rows`, below by the series."""
    lines = "\n".join(rows.split("; ")[: n + 1])
    name = lines.splitlines()[-1].split()[0]
    return f"{lines}\nwhere(abs(x) < {n + 1}, {scale}{_series(n, spherical=spherical)}, {name})"


_SPHERICAL = "k0 = sin(x)/x; k1 = (k0 - cos(x))/x/x; k2 = (3*k1 - k0)/x/x; k3 = (5*k2 - k1)/x/x"
_MODIFIED = "r0 = i0(x); r1 = i1(x)/x; r2 = (r0 - 2*r1)/x/x; r3 = (r1 - 4*r2)/x/x"
_MODIFIED_E = _MODIFIED.replace("i0(", "i0e(").replace("i1(", "i1e(")


def _spherical(n: int) -> Callable[..., Any]:
    def value(x: Any) -> Any:
        return mp.sqrt(mp.pi / (2 * x)) * mp.besselj(n + 0.5, x) / x**n

    return tends(
        lambda x: value(abs(x)) if x else _ONE / prod(range(1, 2 * n + 2, 2)), _ZERO, _ZERO
    )


def _modified(n: int, scale: Callable[[Any], Any]) -> Callable[..., Any]:
    def value(x: Any) -> Any:
        return scale(x) * mp.besseli(n, x) / x**n if x else _ONE / 2**n / factorial(n)

    end = mp.nan if scale(_ONE) == 1 else _ZERO
    return tends(value, end, end)


BESSEL = (
    # sin(pi*x) through the distance to the nearest integer, so that roots keep their digits.
    Function(
        "sinc", X, ("-pi*(pi*x)*spherical_k1(pi*x)",),
        form="k = round(x)\nsign_k = 1 - 2*abs(k - 2*round(k/2))\n"
        "where(x == 0, 1, sign_k*sin(pi*(x - k))/(pi*x))",
        reference=tends(mp.sincpi, mp.nan, mp.nan), special=(0,),
    ),
    Function(
        "spherical_bessel_j0", X, ("-x*spherical_k1(x)",),
        form="where(x == 2*x, where(x == 0, 1, 0), sin(x)/x)",
        reference=tends(mp.sinc, _ZERO, _ZERO), special=(0,), domain=(-10, 10),
    ),
    *(
        Function(
            f"spherical_k{n}", X,
            (f"-x*spherical_k{n + 1}(x)" if n < 3 else
             f"where(abs(x) < 3, -x*{_series(4, spherical=True)}, "
             "(spherical_k2(x) - 7*result)/x)",),
            form=_family(n, _SPHERICAL, spherical=True), reference=_spherical(n),
            special=(0, n + 1), domain=(-10, 10), internal=True,
        )
        for n in (1, 2, 3)
    ),
    Function("i0", X, ("i1(x)",), reference=_modified(0, lambda x: 1), special=(0,),
             domain=(-10, 10), aliases=("modified_bessel_i0",)),
    Function("i1", X, ("i0(x) - i1_ratio1(x)",), special=(0,), domain=(-10, 10),
             reference=tends(lambda x: mp.besseli(1, x), mp.nan, mp.nan),
             aliases=("modified_bessel_i1",)),
    Function("i0e", X, ("sign(x)*scaled_i_slope(1, 0, abs(x))",), special=(0,), domain=(-10, 10),
             reference=_modified(0, lambda x: mp.exp(-abs(x)))),
    Function("i1e", X, ("scaled_i_slope(1, 1, abs(x))",), special=(0,),
             domain=(-10, 10),
             reference=tends(lambda x: mp.exp(-abs(x)) * mp.besseli(1, x), _ZERO, _ZERO)),
    *(
        Function(
            f"i1_ratio{n}", X,
            (f"x*i1_ratio{n + 1}(x)" if n < 3 else
             f"where(abs(x) < 3, x*{_series(4, spherical=False)}, (i1_ratio2(x) - 6*result)/x)",),
            form=_family(n, _MODIFIED, spherical=False), reference=_modified(n, lambda x: 1),
            special=(0, n + 1), domain=(-10, 10), internal=True,
        )
        for n in (1, 2, 3)
    ),
    # The same times exp(-abs(x)).
    *(
        Function(
            f"i1e_ratio{n}", X,
            (("x*i1e_ratio2(x)" if n == 1 else
              f"where(abs(x) < 3, x*(exp(-abs(x))*{_series(3, spherical=False)}), "
              "(i1e_ratio1(x) - 4*result)/x)") + " - sign(x)*result",),
            form=_family(n, _MODIFIED_E, spherical=False, scale="exp(-abs(x))*"),
            reference=_modified(n, lambda x: mp.exp(-abs(x))),
            special=(0, n + 1), domain=(-10, 10), internal=True,
        )
        for n in (1, 2)
    ),
)  # fmt: skip

FUNCTIONS = NORMAL + BESSEL
