"""Functions for which formulas that cancel are rewritten, and their derivatives.

Quotients with a removable singularity have a series, a continued fraction or a quadrature
where the quotient would lose digits; their derivatives are functions of the same kind, not
quotients again. All are internal: a user writes the plain formula.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import factorial
from typing import Any

import mpmath as mp

from symop.elementary import X, real, tends
from symop.functions import Function
from symop.special import horner, scaled_erfc

_ZERO, _ONE = mp.mpf(0), mp.mpf(1)


def _wide(function: Callable[[Any], Any], orders: int) -> Callable[[Any], Any]:
    """A reference that cancels by that many orders in x near zero, in more precision."""

    def evaluate(x: Any) -> Any:
        with mp.extraprec(20 + max(0, -orders * int(mp.mag(x))) if x else 0):
            return function(x)

    return evaluate


def _langevin_fraction() -> str:
    """The parts g = 1/(3 + s*h), h = 1/(5 + s/(7 + ...)) of langevin(x) = x*g, s = x*x."""
    text = "25"
    for odd in range(23, 5, -2):
        text = f"({odd} + s/{text})"
    return f"s = x*x\nh = 1/(5 + s/{text})\ng = 1/(3 + s*h)\n"


def _langevin_series(order: int, terms: int = 24) -> str:
    """The power series of a derivative of langevin of odd order, in s = x*x."""
    parts = []
    for n in range((order + 2) // 2, terms):
        p, q = (int(part) for part in mp.bernfrac(2 * n))
        slope = factorial(2 * n - 1) // factorial(2 * n - 1 - order)
        parts.append(Fraction(4**n * p, q * factorial(2 * n)) * slope)
    return horner(parts, "(x*x)")


_G = _langevin_fraction()

EXPONENTIAL = (
    # expm1(x)/x. Above 80 by halves: exp(x)/x is finite beyond where exp(x) is.
    Function(
        "exprel", X, ("exprel_1(x)",),
        form="y = minimum(x, 3000)\nh = exp(y/2)\n"
        "where(x == 0, 1, where(x > 80, h/y*h, expm1(y)/y))",
        reference=tends(lambda x: mp.expm1(x) / x if x else _ONE, _ZERO, mp.inf),
        special=(0,), domain=(-20, 20), internal=True,
    ),
    # Its derivative.
    Function(
        "exprel_1", X, ("exprel(x)*(exprel_mean(x)**2 + langevin_1(x/2)/4)",),
        form="exprel(x)*exprel_mean(x)",
        reference=tends(
            _wide(lambda x: (1 + (x - 1) * mp.exp(x)) / x**2 if x else _ONE / 2, 2), _ZERO, mp.inf
        ),
        special=(0,), domain=(-20, 20), internal=True,
    ),
    # x/expm1(x).
    Function(
        "inverse_exprel", X,
        ("-inverse_exprel_1(x)",),
        form="y = minimum(x, 3000)\nh = exp(-y/2)\n"
        "where(x == 0, 1, where(x > 80, y*h*h, y/expm1(y)))",
        reference=tends(lambda x: x / mp.expm1(x) if x else _ONE, mp.inf, _ZERO),
        special=(0,), domain=(-20, 20), internal=True,
    ),
    # Its derivative but for the sign, by itself: beside large factors either part overflows.
    Function(
        "inverse_exprel_1", X, ("inverse_exprel(x)*(langevin_1(x/2)/4 - exprel_mean(x)**2)",),
        form="y = minimum(maximum(x, -1e30), 1e30)\ninverse_exprel(y)*exprel_mean(y)",
        reference=tends(
            _wide(
                lambda x: (x * mp.exp(x) / mp.expm1(x) - 1) / mp.expm1(x) if x else _ONE / 2, 2
            ),
            _ONE, _ZERO,
        ),
        special=(0,), domain=(-20, 20), internal=True,
    ),
    # The logarithmic derivative of exprel: 1/(1 - exp(-x)) - 1/x, between 0 and 1.
    Function(
        "exprel_mean", X, ("langevin_1(x/2)/4",),
        form="where(abs(x) < 2, 1/2 + langevin(x/2)/2, -1/x - bose(-x))",
        reference=tends(
            _wide(lambda x: -1 / mp.expm1(-x) - 1 / x if x else _ONE / 2, 1), _ZERO, _ONE
        ),
        special=(0,), domain=(-20, 20), internal=True,
    ),
    # x*coth(x).
    Function(
        "xcoth", X, ("xcoth_1(x)",),
        form="where(x == 0, 1, x/tanh(x))",
        reference=tends(lambda x: x * mp.coth(x) if x else _ONE, mp.inf, mp.inf),
        special=(0,), domain=(-20, 20), internal=True,
    ),
    Function(
        "xcoth_1", X, ("2*langevin_1(x) + x*langevin_2(x)",),
        form="langevin(x) + x*langevin_1(x)",
        reference=tends(
            _wide(lambda x: mp.coth(x) - x * mp.csch(x) ** 2 if x else _ZERO, 2), -_ONE, _ONE
        ),
        special=(0,), domain=(-20, 20), internal=True,
    ),
    # k*x/expm1(x), and k*x/expm1(x)*(n - x/(1 - exp(-x))): what x**n/expm1(x) and its derivative
    # are made of.
    Function(
        "inverse_exprel_times", ("x", "k"), ("-k*inverse_exprel_1(x)", "inverse_exprel(x)"),
        form="h = exp(-x/2)\nwhere(x > 80, k*x*h*h, k*inverse_exprel(x))",
        reference=real(lambda x, k: k * x / mp.expm1(x) if x else k), domain=(0.1, 20),
        internal=True,
    ),
    Function(
        "inverse_exprel_slope", ("x", "k", "n"),
        ("m = exprel_mean(x)\n"
         "-k*(inverse_exprel_1(x)*(n - 1 - x*m) + inverse_exprel(x)*(m + x*langevin_1(x/2)/4))",
         "inverse_exprel(x)*(n - 1 - x*exprel_mean(x))", "k*inverse_exprel(x)"),
        form="h = exp(-x/2)\nwhere(x > 80, k*x*h*(n - x)*h, "
        "k*inverse_exprel(x)*(n - 1 - x*exprel_mean(x)))",
        reference=real(
            lambda x, k, n: k * x / mp.expm1(x) * (n + x / mp.expm1(-x)) if x else k * (n - 1)
        ),
        domain=(0.1, 20), internal=True,
    ),
    # x**n/expm1(x).
    Function(
        "planck", ("x", "n"), ("planck_1(x, n)", "result*log(x)"),
        form="y = minimum(x, 1000)\ninverse_exprel_times(y, y**(n - 1))",
        reference=real(
            lambda x, n: _ZERO if mp.isinf(x) and x > 0 else x**n / mp.expm1(x) if x else _ZERO
        ),
        domain=(0.1, 20), internal=True,
    ),
    Function(
        "planck_1", ("x", "n"),
        ("y = minimum(x, 1000)\ni = inverse_exprel(y)\n"
         "(n - 1)*(n - 2)*y**(n - 3)*i - 2*(n - 1)*y**(n - 2)*inverse_exprel_1(y) - "
         "y**(n - 1)*i*(langevin_1(y/2)/4 - exprel_mean(y)**2)",
         "result*log(x) + planck(x, n - 1)"),
        form="y = minimum(x, 1000)\ninverse_exprel_slope(y, y**(n - 2), n)",
        reference=real(
            lambda x, n: _ZERO if mp.isinf(x) and x > 0
            else x ** (n - 1) / mp.expm1(x) * (n + x / mp.expm1(-x)) if x
            else _ONE if n == 2 else _ZERO
        ),
        domain=(0.1, 20), internal=True,
    ),
    Function(
        "langevin", X, ("langevin_1(x)",), form=f"{_G}where(abs(x) < 2, x*g, 1/tanh(x) - 1/x)",
        reference=tends(_wide(lambda x: mp.coth(x) - 1 / x if x else _ZERO, 2), -_ONE, _ONE),
        special=(0,), domain=(-20, 20), internal=True,
    ),
    Function(
        "langevin_1", X, ("langevin_2(x)",),
        form=f"{_G}where(abs(x) < 1.5, 1 - 2*g - s*g*g, 1/x/x - csch(x)**2)",
        reference=tends(
            _wide(lambda x: 1 / x**2 - mp.csch(x) ** 2 if x else _ONE / 3, 4), _ZERO, _ZERO
        ),
        special=(0,), domain=(-20, 20), internal=True,
    ),
    Function(
        "langevin_2", X,
        (f"where(abs(x) < 1.2, {_langevin_series(3)}, "
         "6/x/x/x/x - 4*csch(x)**2*coth(x)**2 - 2*csch(x)**4)",),
        form=f"{_G}where(abs(x) < 1.5, 2*x*g*(g - h - (1 - 2*g - s*g*g)), "
        "2*csch(x)**2*coth(x) - 2/x/x/x)",
        reference=tends(
            _wide(lambda x: 2 * mp.csch(x) ** 2 * mp.coth(x) - 2 / x**3 if x else _ZERO, 6),
            _ZERO, _ZERO,
        ),
        special=(0,), domain=(-20, 20), internal=True,
    ),
    # sigmoid(a - b), with what the rounding of a - b costs put back.
    Function(
        "share", ("a", "b"), ("result*share(b, a)", "-result*share(b, a)"),
        form="s = a - b\nt = s - a\ne = (a - (s - t)) - (b + t)\n"
        "sigmoid(s)*(1 + where(e == e, e, 0)*sigmoid(-s))",
        reference=real(lambda a, b: 1 / (1 + mp.exp(b - a))), domain=(-10, 10), internal=True,
    ),
    # exp(a)/(exp(a) + exp(b) + exp(c)).
    Function(
        "share_of_three", ("a", "b", "c"),
        ("result*(share_of_three(b, a, c) + share_of_three(c, a, b))",
         "-result*share_of_three(b, a, c)", "-result*share_of_three(c, a, b)"),
        form="".join(
            # What the rounding of a difference costs is put back.
            f"s{v} = {v} - a\nt{v} = s{v} - {v}\nr{v} = ({v} - (s{v} - t{v})) - (a + t{v})\n"
            f"e{v} = exp(s{v})*(1 + where(abs(s{v}) < 1000, r{v}, 0))\n"
            for v in ("b", "c")
        ) + "1/(1 + (eb + ec))",
        reference=real(lambda a, b, c: 1 / (1 + mp.exp(b - a) + mp.exp(c - a))),
        domain=(-10, 10), internal=True,
    ),
    # expm1(x)**2 - 1, the potential of Morse.
    Function(
        "morse", X, ("2*exp(x)*expm1(x)",), form="exp(x)*(expm1(x) - 1)",
        reference=tends(lambda x: mp.exp(2 * x) - 2 * mp.exp(x), _ZERO, mp.inf), internal=True,
    ),
    # exp(-exp(x)); in its derivative exp(x) would overflow beside it.
    Function(
        "exp_neg_exp", X, ("-exp_minus_exp(x)",), form="exp(-exp(x))",
        reference=real(lambda x: mp.exp(-mp.exp(min(x, 30)))), domain=(-20, 3), internal=True,
    ),
    # 1 - exp(-exp(x)).
    Function(
        "gompertz", X, ("exp_minus_exp(x)",), form="-expm1(-exp(x))",
        reference=tends(lambda x: -mp.expm1(-mp.exp(min(x, 30))), _ZERO, _ONE),
        domain=(-20, 3), internal=True,
    ),
    Function(
        "log_gompertz", X, ("inverse_exprel(exp(x))",),
        form="y = exp(x)\nwhere(x < 0, x + log(exprel(-y)), log1mexp(y))",
        reference=tends(
            lambda x: (
                mp.log(-mp.expm1(-mp.exp(x))) if x < 0
                else mp.log1p(-mp.exp(-mp.exp(x))) if x < 60 else _ZERO
            ),
            -mp.inf, _ZERO,
        ),
        domain=(-20, 3), internal=True,
    ),
    Function(
        "exp_minus_exp", X, ("-result*expm1(clamp_max(x, 20))",),
        form="y = exp(minimum(x, 20))\ny*exp(-y)",
        reference=tends(
            lambda x: mp.exp(x) * mp.exp(-mp.exp(x)) if x < 60 else _ZERO, _ZERO, _ZERO
        ),
        domain=(-20, 3), internal=True,
    ),
    # exp(-x**2/2), its square split as in gaussian.
    Function(
        "gaussian_half", X, ("-clamp(x, -100, 100)*result",),
        form="a = minimum(abs(x), 40)\nh = round(16*a)/16\nexp(-h*h/2)*exp(-(a - h)*(a + h)/2)",
        reference=real(lambda x: mp.exp(-x * x / 2)), internal=True,
    ),
)  # fmt: skip


# log1p(x)/x is the integral of 1/(1 + x*t) over t in 0..1; its derivatives are up to a factor
# those of t**n/(1 + x*t)**(n + 1), in which nothing cancels.


# Nodes and weights of Gauss' rule on 0..1.
_NODES = (
    ("0.009219682876640374654725455", "0.02358766819325591359730798"),
    ("0.04794137181476257166076707", "0.05346966299765921548012736"),
    ("0.1150486629028476564815531", "0.08003916427167311316732626"),
    ("0.2063410228566912763516488", "0.1015837133615329608745322"),
    ("0.3160842505009099031236542", "0.1167462682691774043804249"),
    ("0.4373832957442655422637793", "0.1245735229067013925002812"),
    ("0.5626167042557344577362207", "0.1245735229067013925002812"),
    ("0.6839157494990900968763458", "0.1167462682691774043804249"),
    ("0.7936589771433087236483512", "0.1015837133615329608745322"),
    ("0.8849513370971523435184469", "0.08003916427167311316732626"),
    ("0.9520586281852374283392329", "0.05346966299765921548012736"),
    ("0.9907803171233596253452745", "0.02358766819325591359730798"),
)  # fmt: skip


def quadrature(n: int, power: int) -> str:
    """The integral of t**n/(1 + x*t)**power over 0..1 by Gauss' rule."""
    with mp.workdps(40):
        parts = [
            f"{mp.nstr(mp.mpf(w) * mp.mpf(t) ** n, 25)}/(1 + {t}*x)**{power}" for t, w in _NODES
        ]
    return "(" + " + ".join(parts) + ")"


def _log_moment(n: int) -> Callable[[Any], Any]:
    def value(x: Any) -> Any:
        if not x:
            return _ONE / (n + 1)
        total = mp.log1p(x) / x
        for k in range(1, n + 1):
            total = (total - (1 + x) ** -k / k) / x
        return total

    return tends(_wide(value, n), mp.nan, _ZERO)


_ATANH_TAIL = horner([Fraction(1, 2 * k + 3) for k in range(25)], "z*z")

LOGARITHMIC = (
    Function(
        "log1prel", X, ("-log1prel_1(x)",),
        form="t = log1p(x)\nwhere(t == x, where(abs(x) < 1, 1, 0), t/x)",
        reference=real(lambda x: mp.log1p(x) / x if x else _ONE),
        special=(0,), domain=(-0.9, 20), internal=True,
    ),
    # With z = x/(2 + x), log1p(x) is 2*atanh(z).
    Function(
        "log1prel_1", X, ("-2*log1prel_2(x)",),
        form="z = x/(2 + x)\n"
        f"where(abs(z) < 0.5, ((2 + x)/(2 + 2*x) + z*{_ATANH_TAIL})*2/(2 + x)**2, "
        "(log1prel(x) - 1/(1 + x))/x)",
        reference=_log_moment(1), special=(0,), domain=(-0.9, 20), internal=True,
    ),
    Function(
        "log1prel_2", X,
        (f"where(abs(x) < 0.5, -3*{quadrature(3, 4)}, -3*(result - 1/(3*(1 + x)**3))/x)",),
        form=f"where(abs(x) < 0.5, {quadrature(2, 3)}, (log1prel_1(x) - 1/(2*(1 + x)**2))/x)",
        reference=_log_moment(2), special=(0,), domain=(-0.9, 20), internal=True,
    ),
    # log(a/b); a - b is exact where a and b are near each other.
    Function(
        "log_ratio", ("a", "b"), ("1/a", "-1/b"),
        form="q = a/b\nwhere(a > 0 and b > 0, where(q > 0.5 and q < 2, log1p((a - b)/b), "
        "where(q > 1e30 or q < 1e-30, log(a) - log(b), log(q))), log(q))",
        reference=real(lambda a, b: mp.log(a / b)), domain=(0.1, 4), internal=True,
    ),
    # The same where a - b, called d, is known better than a and b.
    Function(
        "log_quotient", ("a", "b", "d"),
        tuple(
            f"i = 1/where(abs(d) < abs(b)/2, b + d, a)\nwhere(abs(d) < abs(b)/2, {parts}"
            for parts in ("0, i)", "-d*i, -1)/b", "i, 0)")
        ),
        form="where(abs(d) < abs(b)/2, log1p(d/b), log_ratio(a, b))",
        reference=real(
            lambda a, b, d: mp.log1p(d / b) if abs(d) < abs(b) / 2 else mp.log(a / b)
        ),
        domain=(0.1, 4), internal=True,
    ),
    # log(b + d) - log(b).
    Function(
        "log_gap", ("b", "d"), ("-d/b/(b + d)", "1/(b + d)"),
        form="where(b >= 0, log1p(d/b), log(b))",
        reference=real(lambda b, d: mp.log1p(d / b) if b > 0 else mp.log(b + d) - mp.log(b)),
        domain=(0.1, 4), internal=True,
    ),
    Function(
        "xlogx", X, ("log(x) + 1",), form="where(x == 0, 0, x*log(x))",
        reference=real(lambda x: x * mp.log(x) if x else _ZERO), special=(0,),
        domain=(0.01, 20), internal=True,
    ),
    # log(1 + x**2): above 1e9 the 1 has vanished, before x*x overflows.
    Function(
        "log1p_square", X, ("where(abs(x) > 1, 2/(x + 1/x), 2*x/(1 + x*x))",),
        form="where(abs(x) > 1e9, 2*log(abs(x)), log1p(x*x))",
        reference=real(lambda x: mp.log1p(x * x)), special=(0,), internal=True,
    ),
    Function(
        "log_cosh", X, ("tanh(x)",),
        form="a = abs(x)\n"
        "where(a < 1, log1p(sinh(x)**2)/2, a + (log1p(exp(-2*a)) - log(2)))",
        reference=tends(
            _wide(lambda x: abs(x) + mp.log1p(mp.expm1(-2 * abs(x)) / 2), 2), mp.inf, mp.inf
        ),
        special=(0,), domain=(-20, 20), internal=True,
    ),
    Function(
        "log_erfc", X, ("-2/sqrt(pi)*inverse_erfcx(x)",),
        form="where(x > 0.5, log(erfcx(x)) - x*x, log1p(-erf(x)))",
        reference=tends(
            lambda x: mp.log(scaled_erfc(x)) - x * x if x > 1 else mp.log1p(mp.erf(min(-x, 99))),
            mp.log(2), -mp.inf,
        ),
        special=(0,), domain=(-3, 10), internal=True,
    ),
    # exp(-x**2)/erfc(x).
    Function(
        "inverse_erfcx", X,
        ("where(x < 0, result*(2/sqrt(pi)*result - 2*clamp_min(x, -100)), "
         "2*result*(erfcx_1(x)/erfcx(x)))",),
        form="where(x < 0, gaussian(x)/erfc(x), 1/erfcx(x))",
        reference=tends(
            lambda x: 1 / scaled_erfc(x) if x > 0 else mp.exp(-x * x) / mp.erfc(max(x, -99)),
            _ZERO, mp.inf,
        ),
        special=(0,), domain=(-3, 10), internal=True,
    ),
)  # fmt: skip


def _alternating(terms: int = 14) -> str:
    """The power series of (x - sin(x))/x**3, in s = x*x."""
    return horner([Fraction((-1) ** k, factorial(2 * k + 3)) for k in range(terms)], "(x*x)")


def _tangent_fraction() -> str:
    text = "19"
    for odd in range(17, 1, -2):
        text = f"({odd} - s/{text})"
    return f"s = x*x\nc = s/{text}\n"


DIFFERENCES = (
    # a**2 - b**2; the derivatives of (a - b)*(a + b) would cancel.
    Function(
        "squares_gap", ("a", "b"), ("2*a", "-2*b"), form="(a - b)*(a + b)",
        reference=real(lambda a, b: a * a - b * b), internal=True,
    ),
    # sqrt(1 + x**2) - 1.
    Function(
        "hypotm1", X, ("hypot_slope(x, 1)",),
        form="where(abs(x) > 1e20, abs(x), x/(hypot(x, 1) + 1)*x)",
        reference=tends(_wide(lambda x: mp.hypot(1, x) - 1, 2), mp.inf, mp.inf),
        special=(0,), domain=(-20, 20), internal=True,
    ),
    # 1/sqrt(1 + x**2) - 1.
    Function(
        "inverse_hypotm1", X, ("-hypot_slope(x, 1)/hypot(x, 1)/hypot(x, 1)",),
        form="where(abs(x) > 1e20, -1, -hypotm1(x)/hypot(x, 1))",
        reference=tends(_wide(lambda x: 1 / mp.hypot(1, x) - 1, 2), -_ONE, -_ONE),
        special=(0,), domain=(-20, 20), internal=True,
    ),
    Function(
        "sinshrink", X, ("2*sin(x/2)**2",),
        form=f"where(abs(x) < 1.8, x*x*x*{_alternating()}, x - sin(x))",
        reference=tends(_wide(lambda x: x - mp.sin(x), 3), mp.nan, mp.nan),
        special=(0,), internal=True,
    ),
    # By the continued fraction of tan, x/(1 - c).
    Function(
        "tanshrink", X, ("-tan(x)**2",),
        form=f"{_tangent_fraction()}where(abs(x) < 1, -x*c/(1 - c), x - tan(x))",
        reference=tends(_wide(lambda x: x - mp.tan(x), 3), mp.nan, mp.nan),
        special=(0,), domain=(-1.5, 1.5), internal=True,
    ),
)  # fmt: skip


# Stirling's series at z = b + 7, and what seven steps of the recurrence make of it.


def _gap(text: str, start: int, plain: str) -> str:
    return (
        "c = b + d\n"
        f"far = where(b > {start} and c > {start} and b < 1000*c and c < 1000*b, 1, 0)\n"
        "k = where(far == 1, b, 4)\ne = where(far == 1, d, 0)\n"
        f"z = k + 7\ny = z + e\n{text}\nwhere(far == 1, value, {plain})"
    )


def _stirling(divide: Callable[[int], int], square: str) -> str:
    parts = []
    for k in range(1, 10):
        p, q = (int(part) for part in mp.bernfrac(2 * k))
        parts.append(Fraction(p, q * divide(2 * k)))
    return horner(parts, square)


def _gap_reference(function: Callable[[Any], Any]) -> Callable[..., Any]:
    def value(b: Any, d: Any) -> Any:
        with mp.extraprec(60 + 3 * max(abs(int(mp.mag(v))) for v in (b, d) if v)):
            return function(b + d) - function(b)

    return real(value)


_STEPS = "*".join(f"((k + {i})/(k + e + {i}))" for i in range(7))
_SHARES = " + ".join(f"e/(k + {i})/(k + e + {i})" for i in range(7))
_TAIL = _stirling(lambda n: n * (n - 1), "(v*v)")
_TAIL_1 = _stirling(lambda n: n, "v")

GAMMA = (
    # lgamma(b + d) - lgamma(b); below 3 the plain difference cancels little.
    Function(
        "lgamma_gap", ("b", "d"), ("digamma_gap(b, d)", "digamma(b + d)"),
        form=_gap(
            f"u = 1/y\nv = 1/z\nrest = u*{_TAIL.replace('v', 'u')} - v*{_TAIL}\n"
            f"value = ((y - 1/2)*log1p(e/z) + e*(log(z) - 1)) + (rest + log({_STEPS}))",
            3,
            "where(b > 0 and c > 0 and b < 1/2, (lgamma(1 + c) - lgamma(1 + b)) - log1p(d/b), "
            "lgamma(c) - lgamma(b))",
        ),
        reference=_gap_reference(mp.loggamma), domain=(0.1, 20), internal=True,
    ),
    Function(
        "digamma_gap", ("b", "d"),
        ("polygamma(1, b + d) - polygamma(1, b)", "polygamma(1, b + d)"),
        form=_gap(
            "u = 1/(y*y)\nv = 1/(z*z)\n"
            f"rest = v*{_TAIL_1} - u*{_TAIL_1.replace('v', 'u')}\n"
            f"value = log1p(e/z) + (e/(2*z*y) + rest + ({_SHARES}))",
            0, "digamma(c) - digamma(b)",
        ),
        reference=_gap_reference(mp.digamma), domain=(0.1, 20), internal=True,
    ),
)  # fmt: skip

FUNCTIONS = GAMMA + EXPONENTIAL + LOGARITHMIC + DIFFERENCES
