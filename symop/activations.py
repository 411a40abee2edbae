"""Activations of neural networks, with torch's gradients at their kinks.

Where torch has NaN at an infinity (0*inf in silu, mish, gelu) the records have the limit: the
factor that grows is clamped where the other has long vanished.
"""

from __future__ import annotations

from typing import Any

import mpmath as mp

from symop.functions import Function, X
from symop.limits import real, tends
from symop.special import normal_cdf

_ZERO, _ONE = mp.mpf(0), mp.mpf(1)


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + mp.exp(-x))


def _gate(x: Any) -> Any:
    """tanh(softplus(x))."""
    n = mp.exp(-abs(x))
    return (1 + 2 * n) / (1 + 2 * n + 2 * n * n) if x > 0 else n * (n + 2) / (n * (n + 2) + 2)


def _cogate(x: Any) -> Any:
    """1 - tanh(softplus(x))."""
    n = mp.exp(-abs(x))
    return 2 * n * n / (1 + 2 * n + 2 * n * n) if x > 0 else 2 / (n * (n + 2) + 2)


def _mish_slope(x: Any) -> Any:
    return _gate(x) + x * _cogate(x) * (1 + _gate(x)) * _sigmoid(x)


def _gelu_tanh(x: Any) -> Any:
    return x * _sigmoid(mp.sqrt(8 / mp.pi) * (x + mp.mpf("0.044715") * x**3))


def _softshrink(x: Any, lambd: Any) -> Any:
    return _ZERO if -lambd <= x <= lambd else x - lambd if x > 0 else x + lambd


def _tanhshrink(x: Any) -> Any:
    with mp.extraprec(max(0, -3 * int(mp.mag(x))) if x else 0):
        return x - mp.tanh(x)


SIGMOIDS = (
    Function(
        "sigmoid", X, ("sigmoid(x)*sigmoid(-x)",),
        form="e = exp(-abs(x))\nwhere(x >= 0, 1, e)/(1 + e)",
        reference=tends(_sigmoid, _ZERO, _ONE), domain=(-20, 20), aliases=("expit",),
    ),
    Function(
        "logsigmoid", X, ("sigmoid(-x)",),
        form="minimum(x, 0) - log1p(exp(-abs(x)))",
        reference=tends(lambda x: -mp.log1p(mp.exp(-x)), -mp.inf, _ZERO),
        domain=(-20, 20), aliases=("log_sigmoid",),
    ),
    Function("softplus", ("x", "beta"), definition="softplus1(beta*x)/beta", defaults=("1",),
             domain=(-20, 20)),
    Function(
        "softplus1", X, ("sigmoid(x)",),
        form="maximum(x, 0) + log1p(exp(-abs(x)))",
        reference=tends(lambda x: mp.log1p(mp.exp(x)), _ZERO, mp.inf),
        domain=(-20, 20), internal=True,
    ),
    # The derivative by parts, 1/(1 + abs(x)) - abs(x)/(1 + abs(x))**2, would cancel.
    Function(
        "softsign", X, ("1/(1 + abs(x))**2",),
        form="t = minimum(maximum(x, -1e17), 1e17)\nt/(1 + abs(t))",
        reference=tends(lambda x: x / (1 + abs(x)), -_ONE, _ONE), special=(0,),
    ),
    # x - tanh(x) below 1 by the continued fraction of tanh, x/(1 + c).
    Function(
        "tanhshrink", X, ("tanh(x)**2",),
        form="s = x*x\nc = s/(3 + s/(5 + s/(7 + s/(9 + s/(11 + s/(13 + s/(15 + s/17)))))))\n"
        "where(abs(x) < 1, x*c/(1 + c), x - tanh(x))",
        reference=tends(_tanhshrink, -mp.inf, mp.inf), special=(-1, 0, 1),
    ),
)  # fmt: skip

_U = "sqrt(8/pi)*(y + 0.044715*y**3)"

GATED = (
    # exp(x) by halves: for x < -708 it loses digits that x*exp(x) still has.
    Function(
        "silu", X, ("sigmoid(x)*(1 + clamp(x, -1000, 1000)*sigmoid(-x))",),
        form="h = exp(-abs(x)/2)\nwhere(x >= 0, x, maximum(x, -2000)*h*h)/(1 + h*h)",
        reference=tends(lambda x: x * _sigmoid(x), _ZERO, mp.inf), domain=(-20, 20),
        aliases=("swish",),
    ),
    Function(
        "mish", X, ("mish_slope(x)",),
        form="h = exp(-abs(x)/2)\ne = h*h\n"
        "where(x > 0, x*((1 + 2*e)/(1 + 2*e + 2*e*e)), "
        "maximum(x, -2000)*h*h*((e + 2)/(e*(e + 2) + 2)))",
        reference=tends(lambda x: x * _gate(x), _ZERO, mp.inf), domain=(-20, 20),
    ),
    # Over one divisor: a sum of quotients, one of them a product of three, rounds more often.
    Function(
        "mish_slope", X,
        ("g = mish_gate(x)\n"
         "mish_cogate(x)*(1 + g)*sigmoid(x)*"
         "(2 + clamp(x, -1000, 1000)*(sigmoid(-x) - 2*sigmoid(x)*g))",),
        form="h = exp(-abs(x)/2)\ne = h*h\na = 4*(1 + minimum(maximum(x, -1000), 1000))\n"
        "b = a + 2\nd = where(x > 0, 1 + 2*e*(1 + e), 2 + e*(2 + e))\n"
        "where(x > 0, 1 + e*(4 + e*(b + e*a)), h*(h*(a + e*(b + e*(4 + e)))))/(d*d)",
        reference=tends(_mish_slope, _ZERO, _ONE), domain=(-20, 20), internal=True,
    ),
    # tanh(softplus(x)) and one minus it, neither of which cancels.
    Function(
        "mish_gate", X, ("mish_cogate(x)*(1 + result)*sigmoid(x)",),
        form="e = exp(-abs(x))\n"
        "where(x > 0, (1 + 2*e)/(1 + 2*e + 2*e*e), e*(e + 2)/(e*(e + 2) + 2))",
        reference=tends(_gate, _ZERO, _ONE), domain=(-20, 20), internal=True,
    ),
    Function(
        "mish_cogate", X, ("-result*(1 + mish_gate(x))*sigmoid(x)",),
        form="e = exp(-abs(x))\n"
        "where(x > 0, 2*e*e/(1 + 2*e + 2*e*e), 2/(e*(e + 2) + 2))",
        reference=tends(_cogate, _ONE, _ZERO), domain=(-20, 20), internal=True,
    ),
    Function(
        "gelu", X, ("gelu_slope(x)",),
        form="maximum(x, -100)*ndtr(x)",
        reference=tends(lambda x: x * normal_cdf(x), _ZERO, mp.inf),
        domain=(-8, 8),
    ),
    Function(
        "gelu_slope", X, ("y = clamp(x, -100, 100)\n(2 - y*y)*normal_density(x)",),
        form="ndtr(x) + clamp(x, -100, 100)*normal_density(x)",
        reference=tends(
            lambda x: normal_cdf(x) + x * mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi), _ZERO, _ONE
        ),
        domain=(-8, 8), internal=True,
    ),
    Function(
        "gelu_tanh", X,
        (f"y = clamp(x, -100, 100)\nu = {_U}\n"
         "sigmoid(u)*(1 + y*sigmoid(-u)*(sqrt(8/pi)*(1 + 0.134145*y**2)))",),
        form=f"y = minimum(maximum(x, -100), 100)\nmaximum(x, -100)*sigmoid({_U})",
        reference=tends(_gelu_tanh, _ZERO, mp.inf), domain=(-8, 8),
    ),
)  # fmt: skip

# Every condition says on which side torch has the kink, and which side a NaN takes.
PIECEWISE = (
    Function("relu", X, ("where(x <= 0, 0, 1)",), form="where(x <= 0, 0, x)",
             reference=real(lambda x: max(x, _ZERO)), special=(0,)),
    Function("relu6", X, definition="hardtanh(x, 0, 6)", special=(0, 6), domain=(-3, 9)),
    Function("leaky_relu", ("x", "negative_slope"), definition="where(x > 0, x, negative_slope*x)",
             defaults=("1/100",), special=(0,)),
    Function("prelu", ("x", "weight"), definition="where(x > 0, x, weight*x)", special=(0,)),
    Function("threshold", ("x", "threshold", "value"), special=(1,),
             definition="where(x <= threshold, value, x)"),
    Function(
        "hardtanh", ("x", "min_val", "max_val"),
        ("where(x > min_val and x < max_val, 1, 0)",
         "where(x <= min_val and min_val < max_val, 1, 0)",
         "where(x >= max_val or max_val <= min_val, 1, 0)"),
        form="minimum(maximum(x, min_val), max_val)", defaults=("-1", "1"),
        reference=real(lambda x, lo, hi: min(max(x, lo), hi)), special=(-1, 1),
    ),
    Function(
        "hardsigmoid", X, ("where(x > -3 and x < 3, 1/6, 0)",),
        form="minimum(maximum(x + 3, 0), 6)/6",
        reference=real(lambda x: min(max(x + 3, _ZERO), mp.mpf(6)) / 6), special=(-3, 3),
        domain=(-5, 5),
    ),
    Function("hardswish", X, special=(-3, 3), domain=(-5, 5),
             definition="where(x <= -3, 0, where(x < 3, x*(x + 3)/6, x))"),
    Function(
        "hardshrink", ("x", "lambd"), ("where(x > lambd or x < -lambd, 1, 0)", "0"),
        form="where(x >= -lambd and x <= lambd, 0, x)", defaults=("1/2",),
        reference=real(lambda x, lambd: _ZERO if -lambd <= x <= lambd else x),
        special=(-0.5, 0.5),
    ),
    Function(
        "softshrink", ("x", "lambd"),
        ("where(x > lambd or x < -lambd, 1, 0)",
         "where(x > lambd, -1, where(x < -lambd, 1, 0))"),
        form="where(x >= -lambd and x <= lambd, 0, where(x > 0, x - lambd, x + lambd))",
        defaults=("1/2",), reference=real(_softshrink), special=(-0.5, 0.5),
    ),
)  # fmt: skip

_SCALE = "1.0507009873554804934193349852946"
_ALPHA = "1.6732632423543772848170429916717"

EXPONENTIAL = (
    Function("elu", ("x", "alpha"), definition="where(x <= 0, alpha*expm1(x), x)",
             defaults=("1",), special=(0,)),
    Function("celu", ("x", "alpha"), definition="where(x <= 0, alpha*expm1(x/alpha), x)",
             defaults=("1",), special=(0,)),
    Function(
        "selu", X, special=(0,),
        definition=f"where(x <= 0, {_SCALE}*{_ALPHA}*expm1(x), {_SCALE}*x)",
    ),
)  # fmt: skip

FUNCTIONS = SIGMOIDS + GATED + PIECEWISE + EXPONENTIAL
