"""f(w*x)/x, x*f(w/x) and c**2*f((x/c)**2), with derivatives by both arguments.

By the chain rule the derivative by one of the two would be a difference of nearly equal
numbers; here each is a function in which nothing cancels. All are internal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath as mp

from symop.functions import Function, X
from symop.limits import real, tends

_ZERO, _ONE = mp.mpf(0), mp.mpf(1)
_XW, _CX = ("x", "w"), ("c", "x")


def _over(
    name: str, relative: str, relative_slope: str, slope: str, far: str,
    value: Callable[[Any], Any], first: Callable[[], Any] = lambda: _ONE,
) -> Function:  # fmt: skip
    """f(t)/x with t = w*x.

    relative, relative_slope: f(t)/t and its derivative; slope: f'(t).
    far: where f(t)/x is taken as it stands.
    first: f'(0).
    """
    return Function(
        f"{name}_over",
        _XW,
        (f"t = w*x\nw*w*{relative_slope}", f"t = w*x\n{slope}"),
        form=f"t = w*x\nwhere({far}, {name}(t)/x, w*{relative})",
        reference=real(lambda x, w: value(w * x) / x if x else first() * w),
        domain=(0.1, 3),
        internal=True,
    )


OVER = (
    _over("tanh", "tanhrel(t)", "tanhrel_1(t)", "sech2(t)", "abs(t) > 1", mp.tanh),
    _over("sin", "spherical_bessel_j0(t)", "(-t*spherical_k1(t))", "cos(t)", "abs(t) > 1",
          mp.sin),
    _over("atan", "atanrel(t)", "atanrel_1(t)", "hypot_slope(1, t)**2", "abs(t) > 1", mp.atan),
    _over("asinh", "asinhrel(t)", "asinhrel_1(t)", "1/hypot(t, 1)", "abs(t) > 1", mp.asinh),
    _over("sinh", "sinhrel(t)", "(sinhrel(t)*langevin(t))", "cosh(t)", "abs(t) > 1", mp.sinh),
    _over("expm1", "exprel(t)", "(exprel(t)*exprel_mean(t))", "exp(t)", "t < -1", mp.expm1),
    _over("log1p", "log1prel(t)", "(-log1prel_1(t))", "1/(1 + t)", "abs(t) > 1", mp.log1p),
    _over("erf", "(2/sqrt(pi)*boys(0, t))", "where(abs(t) < 2, -4/sqrt(pi)*t*boys(1, t), "
          "2/sqrt(pi)*(gaussian(t) - boys(0, t))/t)",
          "2/sqrt(pi)*gaussian(t)", "abs(t) > 1", mp.erf, lambda: 2 / mp.sqrt(mp.pi)),
)  # fmt: skip


def _exact(function: Callable[[Any], Any], orders: int) -> Callable[[Any], Any]:
    def evaluate(x: Any) -> Any:
        with mp.extraprec(40 + max(0, -orders * int(mp.mag(x))) if x else 0):
            return function(x) if x else _ZERO

    return evaluate


def _exp_slope(a: Any, b: Any) -> Any:
    high, low = max(a, b), min(a, b)
    return mp.exp(high) * mp.expm1(low - high) / (low - high) if a != b else mp.exp(a)


# f(v) - v*f'(v).
GAPS = (
    Function(
        "expm1_gap", X, ("-clamp_min(x, -1000)*exp(x)",),
        form="y = maximum(x, -1000)\nwhere(abs(x) < 1, -x*x*exp(x)*exprel2(-x), "
        "-(1 + exp(y)*(y - 1)))",
        reference=tends(_exact(lambda x: mp.expm1(x) - x * mp.exp(x), 2), -_ONE, -mp.inf),
        special=(0,), domain=(-20, 20), internal=True,
    ),
    # The entropy of a coin that shows heads with probability sigmoid(x).
    Function(
        "softplus1_gap", X, ("-x*sech2(x/2)/4",),
        form="a = abs(x)\nm = minimum(a, 3000)\nsoftplus1(-a) + m*sigmoid(-m)",
        reference=tends(lambda x: mp.log1p(mp.exp(-abs(x))) + abs(x) / (1 + mp.exp(abs(x))),
                        _ZERO, _ZERO),
        special=(0,), domain=(-20, 20), internal=True,
    ),
    # log1p(q**2) - q**2/(1 + q**2).
    Function(
        "log1p_square_gap", X, ("2*lorentz2(x)*lorentz(x)",),
        form="q = minimum(abs(x), 1.2)\n"
        "where(abs(x) < 1.2, (q*q)*(q*q)*log1prel_1(q*q), log1p_square(x) - lorentz2(x))",
        reference=tends(_exact(lambda x: mp.log1p(x * x) - x * x / (1 + x * x), 4),
                        mp.inf, mp.inf),
        special=(0,), domain=(-20, 20), internal=True,
    ),
)  # fmt: skip

SCALED = (
    # x*log1p(w/x), which tends to w.
    Function(
        "log1p_times", _XW, ("log1p_gap(w/x)", "1/(1 + w/x)"),
        form="v = w/x\nwhere(x == 0, 0, where(1 + v == 1, w, "
        "where(v == 2*v, x*(log(abs(w)) - log(abs(x))), x*log1p(v))))",
        reference=real(lambda x, w: x * mp.log1p(w / x) if x else _ZERO), domain=(0.1, 3),
        internal=True,
    ),
    Function(
        "expm1_times", _XW, ("expm1_gap(w/x)", "exp(w/x)"),
        form="v = w/x\nwhere(1 + v == 1, w, x*expm1(v))",
        reference=real(lambda x, w: x * mp.expm1(w / x)), domain=(0.1, 3), internal=True,
    ),
    Function(
        "softplus1_times", _XW, ("softplus1_gap(w/x)", "sigmoid(w/x)"),
        form="v = w/x\nwhere(v > 0, w, 0) + x*log1p(exp(-abs(v)))",
        reference=real(lambda x, w: x * mp.log1p(mp.exp(w / x))), domain=(0.1, 3), internal=True,
    ),
    # x*(sqrt(1 + w/x) - 1), which tends to w/2.
    Function(
        "sqrt1pm1_times", _XW,
        ("h = sqrt(1 + w/x)\nd = w/x/(1 + h)\nd*(d/(2*h))", "1/(2*sqrt(1 + w/x))"),
        form="w/(1 + sqrt(1 + w/x))",
        reference=real(lambda x, w: w / (1 + mp.sqrt(1 + w / x))), domain=(0.1, 3), internal=True,
    ),
    # c**2*log1p((x/c)**2), which tends to x**2.
    Function(
        "log1p_square_times", _CX, ("2*c*log1p_square_gap(x/c)", "2*c*lorentz(x/c)"),
        form="q = x/c\nwhere(c == 0, 0, where(1 + q*q == 1, x*x, c*(c*log1p_square(q))))",
        reference=real(lambda c, x: c * c * mp.log1p((x / c) ** 2) if c else _ZERO),
        domain=(0.1, 3), internal=True,
    ),
    # c**2*(sqrt(1 + (x/c)**2) - 1), which tends to x**2/2.
    Function(
        "hypotm1_times", _CX,
        ("d = x/(hypot(x, c) + abs(c))*x\nwhere(d == 0, 0, sign(c)*d*(d/hypot(x, c)))",
         "abs(c)*hypot_slope(x, c)"),
        form="h = hypot(x, c) + abs(c)\nwhere(h == 0, 0, abs(c)*(x/h*x))",
        reference=real(
            lambda c, x: abs(c) * x * x / (mp.hypot(x, c) + abs(c)) if x else _ZERO
        ),
        domain=(0.1, 3), internal=True,
    ),
)  # fmt: skip

QUOTIENTS = (
    # (exp(a) - exp(b))/(a - b).
    Function(
        "exp_slope", ("a", "b"),
        ("d = a - b\nexp(b)*exprel(d)*exprel_mean(d)",
         "d = b - a\nexp(a)*exprel(d)*exprel_mean(d)"),
        form="h = maximum(a, b)\ne = exp(h/2)\nwhere(e == 2*e, e, e*exprel(minimum(a, b) - h)*e)",
        reference=real(_exp_slope), domain=(-3, 3), internal=True,
    ),
    # log1p(x**2)/x**2.
    Function(
        "log1p_square_rel", X,
        ("where(abs(x) < 1.2, -2*x*log1prel_1(x*x), -2*log1p_square_gap(x)/x/x/x)",),
        form="where(abs(x) < 1, log1prel(x*x), log1p_square(x)/x/x)",
        reference=tends(lambda x: mp.log1p(x * x) / x**2 if x else _ONE, _ZERO, _ZERO),
        special=(0,), domain=(-20, 20), internal=True,
    ),
    # (sqrt(1 + x**2) - 1)/x.
    Function(
        "hypotm1rel", X, ("h = hypot(x, 1)\n1/h/(1 + h)",),
        form="where(abs(x) > 1e20, sign(x), x/(1 + hypot(x, 1)))",
        reference=tends(lambda x: x / (1 + mp.hypot(x, 1)), -_ONE, _ONE), internal=True,
    ),
)  # fmt: skip

FUNCTIONS = QUOTIENTS + OVER + GAPS + SCALED
