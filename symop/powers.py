"""Powers less 1, compound growth, differences of powers, and means made of logarithms.

All are internal: formulas that cancel near a base of 1 or an exponent of 0 are rewritten to
them, and the derivatives are functions in which nothing cancels.
"""

from __future__ import annotations

from typing import Any

import mpmath as mp

from symop.cancelling_logarithms import quadrature
from symop.functions import Function
from symop.limits import real, tends

_ZERO, _ONE = mp.mpf(0), mp.mpf(1)


def _growth(u: Any, p: Any) -> Any:
    """(1 + u)**p."""
    if u == -1 and p < 0:
        return mp.inf
    with mp.extraprec(80):
        return mp.exp(p * mp.log1p(u)) if u > -1 else mp.power(1 + u, p)


def _growthm1(u: Any, p: Any) -> Any:
    with mp.extraprec(80):
        return mp.expm1(p * mp.log1p(u)) if u > -1 else _growth(u, p) - 1


def _boxcox(x: Any, a: Any) -> Any:
    return mp.expm1(a * mp.log(x)) / a if a else mp.log(x)


def _boxcox_1(x: Any, a: Any) -> Any:
    log = mp.log(x)
    t = a * log
    if not t:
        return log * log / 2
    with mp.extraprec(40 + 2 * max(0, -int(mp.mag(t)))):
        return log**2 * (t * mp.exp(t) - mp.expm1(t)) / t**2


def _power_gap(b: Any, d: Any, p: Any) -> Any:
    if b <= 0 or b + d <= 0:
        return mp.power(b + d, p) - mp.power(b, p)
    with mp.extraprec(60 + max(0, int(mp.mag(d / b)))):
        return mp.exp(p * mp.log(b)) * mp.expm1(p * mp.log1p(d / b))


def _cbrt_gap(b: Any, d: Any) -> Any:
    def root(x: Any) -> Any:
        return mp.cbrt(x) if x > 0 else -mp.cbrt(-x)

    with mp.extraprec(80 + abs(int(mp.mag(b / d))) if b and d else 80):
        return root(b + d) - root(b)


def _inverse_cos_asinm1(x: Any) -> Any:
    with mp.extraprec(80 + 2 * abs(int(mp.mag(x))) if x else 80):
        return 1 / mp.sqrt((1 - x) * (1 + x)) - 1


def _cathetus_gap(y: Any, x: Any) -> Any:
    with mp.extraprec(80 + 2 * abs(int(mp.mag(x / y))) if x and y else 80):
        return x - mp.sqrt((x - y) * (x + y))


def _log_mean(a: Any, b: Any) -> Any:
    if a == b:
        return a
    with mp.extraprec(80 + 2 * max(0, -int(mp.mag((a - b) / b)))):
        return (a - b) / mp.log(a / b)


def _log_mean_1(q: Any) -> Any:
    if q == 1:
        return _ONE / 2
    with mp.extraprec(80 + 3 * max(0, -int(mp.mag(q - 1)))):
        return (q - 1 - mp.log(q)) / mp.log(q) ** 2


def _inverse_log1p_gap(x: Any) -> Any:
    if not x:
        return _ONE / 2
    with mp.extraprec(80 + 2 * max(0, -int(mp.mag(x)))):
        return 1 / mp.log1p(x) - 1 / x


def _log1pshrink(x: Any) -> Any:
    if not x:
        return _ZERO
    with mp.extraprec(40 + 2 * max(0, -int(mp.mag(x)))):
        return x - mp.log1p(x)


def _log1pshrink2_1(x: Any) -> Any:
    if not x:
        return _ONE / 3
    with mp.extraprec(40 + 3 * max(0, -int(mp.mag(x)))):
        return (x * (2 + x) / (1 + x) - 2 * mp.log1p(x)) / x**3


def _gap_of_log1p(x: Any) -> Any:
    if not x:
        return _ZERO
    with mp.extraprec(40 + 2 * max(0, -int(mp.mag(x)))):
        return mp.log1p(x) - x / (1 + x)


# 1 + u in two parts, and what the smaller one adds to the power.
_GROWTH = (
    "s = 1 + u\nt = s - 1\ne = (1 - (s - t)) + (u - t)\n"
    "where(e == 0 or e != e, pow(s, p), pow(s, p)*exp(p*e/s))"
)

POWERS = (
    # (1 + u)**p.
    Function(
        "growth", ("u", "p"), ("p*growth(u, p - 1)", "result*log1p(u)"), form=_GROWTH,
        reference=real(_growth), special=(0,), domain=(-0.9, 4), internal=True,
    ),
    Function(
        "growthm1", ("u", "p"), ("p*growth(u, p - 1)", "growth(u, p)*log1p(u)"),
        form="t = p*log1p(u)\nwhere(abs(t) < 1, expm1(t), growth(u, p) - 1)",
        reference=real(_growthm1), special=(0,), domain=(-0.9, 4), internal=True,
    ),
    # ((1 + u)**p - 1)/u.
    Function(
        "growthrel", ("u", "p"),
        ("result*(p*exprel_mean(p*log1p(u))/(1 + u) - log1prel_1(u)/log1prel(u))",
         "growth(u, p)*log1prel(u)"),
        form="t = p*log1p(u)\n"
        "where(abs(t) < 1, p*log1prel(u)*exprel(t), growthm1(u, p)/u)",
        reference=real(lambda u, p: _growthm1(u, p) / u if u else p),
        special=(0,), domain=(-0.9, 4), internal=True,
    ),
    # (1 + x/k)**k, which tends to exp(x).
    Function(
        "growth_limit", ("x", "k"), ("growth(x/k, k - 1)", "result*log1p_gap(x/k)"),
        form="growth(x/k, k)", reference=real(lambda x, k: _growth(x / k, k)),
        domain=(0.5, 4), internal=True,
    ),
    Function(
        "growth_limitm1", ("x", "k"),
        ("growth(x/k, k - 1)", "growth_limit(x, k)*log1p_gap(x/k)"),
        form="growthm1(x/k, k)", reference=real(lambda x, k: _growthm1(x / k, k)),
        domain=(0.5, 4), internal=True,
    ),
    # (x**a - 1)/a.
    Function(
        "boxcox", ("x", "a"), ("pow(x, a - 1)", "boxcox_1(x, a)"),
        form="l = log(x)\nt = a*l\n"
        "where(t == 0, l, where(abs(t) < 1, expm1(t)/a, (pow(x, a) - 1)/a))",
        reference=real(_boxcox), domain=(0.1, 4), internal=True,
    ),
    Function(
        "boxcox_1", ("x", "a"),
        ("pow(x, a - 1)*log(x)",
         "t = a*log(x)\n"
         "log(x)**3*exprel(t)*(exprel_mean(t)**2 + langevin_1(t/2)/4)"),
        form="l = log(x)\nt = a*l\nm = minimum(maximum(t, -2), 2)\n"
        "where(abs(t) < 2, l*l*(exprel(m)*exprel_mean(m)), (pow(x, a)*(t - 1) + 1)/a/a)",
        reference=real(_boxcox_1), domain=(0.1, 4), internal=True,
    ),
    # (b + d)**p - b**p.
    Function(
        "power_gap", ("b", "d", "p"),
        ("p*power_gap(b, d, p - 1)", "p*pow(b + d, p - 1)",
         "log(b)*result + pow(b + d, p)*log1p(d/b)"),
        form="a = b + d\nt = p*log_quotient(a, b, d)\n"
        "where(b > 0 and a > 0 and abs(t) < 1, pow(b, p)*expm1(t), pow(a, p) - pow(b, p))",
        reference=real(_power_gap), domain=(0.5, 4), internal=True,
    ),
)  # fmt: skip

ROOTS = (
    # cbrt(b + d) - cbrt(b).
    Function(
        "cbrt_gap", ("b", "d"),
        ("p = cbrt(b + d)\nq = cbrt(b)\n-result*((p + q)/(3*(p*q)**2))", "1/(3*cbrt(b + d)**2)"),
        form="p = cbrt(b + d)\nq = cbrt(b)\nd/(p*p + (p*q + q*q))",
        reference=real(_cbrt_gap), domain=(0.5, 4), internal=True,
    ),
    # sqrt(x**2 - y**2), and x less that.
    Function(
        "cathetus", ("y", "x"), ("-y/result", "x/result"),
        form="a = abs(x)\nb = abs(y)\nsqrt(a - b)*sqrt(a + b)",
        reference=real(lambda y, x: mp.sqrt((x - y) * (x + y))), domain=(0.1, 4), internal=True,
    ),
    # sqrt(1 - x**2), and its reciprocal less 1.
    Function(
        "cos_asin", ("x",), ("-x/result",), form="sqrt((1 - x)*(1 + x))",
        reference=real(lambda x: mp.sqrt((1 - x) * (1 + x))), special=(-1, 0, 1),
        domain=(-0.99, 0.99), internal=True,
    ),
    Function(
        "inverse_cos_asinm1", ("x",), ("x/cos_asin(x)**3",),
        form="r = cos_asin(x)\nx*x/(r*(1 + r))", reference=real(_inverse_cos_asinm1),
        special=(-1, 0, 1), domain=(-0.99, 0.99), internal=True,
    ),
    Function(
        "cathetus_gap", ("y", "x"), ("y/cathetus(y, x)", "-result/cathetus(y, x)"),
        form="r = cathetus(y, x)\nwhere(x > 0, y/(x + r)*y, x - r)",
        reference=real(_cathetus_gap), domain=(0.1, 4), internal=True,
    ),
)  # fmt: skip

LOGARITHMS = (
    # log(x)/(x - 1).
    Function(
        "logrel", ("x",),
        ("where(x > 1/2 and x < 2, -log1prel_1(x - 1), (1/x - result)/(x - 1))",),
        form="where(x > 1/2 and x < 2, log1prel(x - 1), "
        "where(x == 2*x and x > 1, 0, log(x)/(x - 1)))",
        reference=tends(lambda x: mp.log(x) / (x - 1) if x != 1 else _ONE, mp.nan, _ZERO),
        special=(0.5, 1, 2), domain=(0.1, 20), internal=True,
    ),
    # (a - b)/log(a/b).
    Function(
        "log_mean", ("a", "b"), ("log_mean_1(b/a)", "log_mean_1(a/b)"),
        form="q = a/b\nwhere(q > 1/2 and q < 2, b/log1prel((a - b)/b), (a - b)/log_ratio(a, b))",
        reference=real(_log_mean), domain=(0.1, 4), internal=True,
    ),
    # (q - 1 - log(q))/log(q)**2.
    Function(
        "log_mean_1", ("q",),
        ("v = (1 - q)/q\nl = log1prel(v)\n"
         "where(q > 1/2 and q < 2, 2*(log1prel_2(v) - log1prel_1(v)**2/l)/(l*l)/(q*q), "
         "((1 - 1/q)/log(q) - 2*result/q)/log(q))",),
        form="l = log(q)\nwhere(abs(l) < 1, exprel2(l), ((q - 1)/l - 1)/l)",
        reference=tends(_log_mean_1, mp.nan, mp.inf), special=(1,), domain=(0.1, 4),
        internal=True,
    ),
    # x - log1p(x), and that over x**2.
    Function(
        "log1pshrink", ("x",), ("x/(1 + x)",),
        form="where(x > -1/2 and x < 3/2, x*x*(1/(1 + x) - log1prel_1(x)), x - log1p(x))",
        reference=tends(_log1pshrink, mp.nan, mp.inf), special=(-1, 0), domain=(-0.9, 20),
        internal=True,
    ),
    Function(
        "log1pshrink2", ("x",),
        ("-log1pshrink2_1(x)",),
        form="where(x > -1/2 and x < 3/2, 1/(1 + x) - log1prel_1(x), (x - log1p(x))/x/x)",
        reference=tends(lambda x: _log1pshrink(x) / x**2 if x else _ONE / 2, mp.nan, _ZERO),
        special=(0,), domain=(-0.9, 20), internal=True,
    ),
    # The integral of t**2/(1 + x*t)**2 over 0..1.
    Function(
        "log1pshrink2_1", ("x",),
        (f"where(x > -1/2 and x < 1, -2*{quadrature(3, 3)}, (1/(1 + x)**2 - 3*result)/x)",),
        form=f"where(x > -1/2 and x < 1, {quadrature(2, 2)}, (2*log1pshrink2(x) - 1/(1 + x))/x)",
        reference=tends(_log1pshrink2_1, mp.nan, _ZERO), special=(0,), domain=(-0.9, 20),
        internal=True,
    ),
    # 1/log1p(x) - 1/x.
    Function(
        "inverse_log1p_gap", ("x",),
        ("-langevin_1(log1p(x)/2)/(4*(1 + x))",),
        form="where(x < 4, 1/2 - langevin(log1p(x)/2)/2, 1/log1p(x) - 1/x)",
        reference=tends(_inverse_log1p_gap, mp.nan, _ZERO), special=(0,), domain=(-0.9, 20),
        internal=True,
    ),
    # log1p(x) - x/(1 + x).
    Function(
        "log1p_gap", ("x",), ("x/(1 + x)/(1 + x)",),
        form="where(x > -1/2 and x < 3/2, x*x*log1prel_1(x), "
        "log1p(x) - where(x < 1, x/(1 + x), 1/(1 + 1/x)))",
        reference=tends(_gap_of_log1p, mp.nan, mp.inf),
        special=(-1, 0), domain=(-0.9, 20), internal=True,
    ),
)  # fmt: skip

FUNCTIONS = POWERS + ROOTS + LOGARITHMS
