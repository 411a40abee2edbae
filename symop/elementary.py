"""Functions of the first hour of calculus: powers, logarithms, angles, rounding, extrema.

Edges follow torch; where torch's gradient is NaN the record has a limit, or 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath as mp

from symop.functions import Function, X
from symop.limits import BEYOND, real, tends, whole


def _sign(x: Any) -> Any:
    return mp.mpf(0) if mp.isnan(x) or x == 0 else mp.mpf(1 if x > 0 else -1)


def _power(a: Any, b: Any) -> Any:
    if b == 0 or a == 1:
        return mp.mpf(1)
    if mp.isnan(a) or mp.isnan(b):
        return mp.nan
    if mp.isinf(b) or (b and mp.mag(b) > BEYOND):
        grows = (abs(a) > 1) == (b > 0)
        return mp.mpf(1) if abs(a) == 1 else mp.inf if grows else mp.mpf(0)
    odd = b == mp.floor(b) and mp.floor(b / 2) * 2 != b
    if a == 0 or mp.isinf(a):
        size = mp.inf if mp.isinf(a) == (b > 0) else mp.mpf(0)
        return -size if a < 0 and odd else size
    if a < 0:
        return mp.nan if b != mp.floor(b) else mp.power(-a, b) * (-1 if odd else 1)
    return mp.power(a, b)


def _remainder(quotient: Callable[[Any], Any]) -> Callable[..., Any]:
    def evaluate(a: Any, b: Any) -> Any:
        if mp.isinf(b) and not mp.isinf(a):
            # The quotient is 0, or -1 where floor takes it below.
            return a if a == 0 or quotient(_sign(a) * _sign(b) / 2) == 0 else b
        return a - b * quotient(a / b)

    return real(evaluate)


def _truncated(x: Any) -> Any:
    return mp.floor(x) if x >= 0 else mp.ceil(x)


def _hypot_slope(x: Any, y: Any) -> Any:
    if mp.isinf(x) or x == 0:
        return _sign(x)
    return x / mp.hypot(x, y)


def _fold(choose: Callable[[Any, Any], bool], *, ignores_nan: bool) -> Callable[..., Any]:
    def evaluate(a: Any, b: Any) -> Any:
        if mp.isnan(a) or mp.isnan(b):
            return (b if mp.isnan(a) else a) if ignores_nan else mp.nan
        return a if choose(a, b) else b

    return evaluate


def _logaddexp(base: Any) -> Callable[..., Any]:
    def evaluate(a: Any, b: Any) -> Any:
        if a == b or mp.isinf(a) or mp.isinf(b):
            return a + mp.log(2, base) if a == b else max(a, b)
        return max(a, b) + mp.log1p(mp.power(base, -abs(a - b))) / mp.log(base)

    return real(evaluate)


EXPONENTIALS = (
    Function("exp", X, ("result",), reference=tends(mp.exp, mp.mpf(0), mp.inf),
             domain=(-20, 20)),
    Function(
        "exp2", X, ("result*log(2)",), form="pow(2, x)",
        reference=tends(lambda x: mp.power(2, x), mp.mpf(0), mp.inf), domain=(-20, 20),
    ),
    Function("expm1", X, ("exp(x)",), reference=tends(mp.expm1, mp.mpf(-1), mp.inf), special=(0,)),
    Function("log", X, ("1/x",), reference=real(mp.log), special=(0,), domain=(0.01, 20),
             aliases=("ln",)),
    Function("log2", X, ("1/(x*log(2))",), form="log(x)/log(2)",
             reference=real(lambda x: mp.log(x) / mp.log(2)), special=(0,), domain=(0.01, 20)),
    Function("log10", X, ("1/(x*log(10))",), form="log(x)/log(10)",
             reference=real(lambda x: mp.log(x) / mp.log(10)), special=(0,), domain=(0.01, 20)),
    Function("log1p", X, ("1/(1 + x)",), reference=real(mp.log1p), special=(-1, 0),
             domain=(-0.9, 20)),
    Function("sqrt", X, ("1/(2*result)",), reference=real(mp.sqrt), special=(0,),
             domain=(0.01, 20)),
    # The root of a sum of squares: at zero its gradient is 0, as torch masks that of a norm.
    Function("root", X, ("where(result == 0, 0, 1/(2*result))",), form="sqrt(x)",
             reference=real(mp.sqrt), special=(0,), domain=(0.01, 20), internal=True),
    Function(
        "rsqrt", X, ("-result/(2*x)",), form="1/sqrt(x)",
        reference=real(lambda x: mp.inf if x == 0 else 1 / mp.sqrt(x)),
        special=(0,), domain=(0.01, 20),
    ),
    # One step of Newton's method: 1/3 is rounded, and pow(x, 1/3) off by up to 50 ULP.
    # x == 2*x holds at zero and at the infinities.
    Function(
        "cbrt", X, ("1/(3*result**2)",),
        form="y = copysign(pow(abs(x), 1/3), x)\nwhere(x == 2*x, x, y + (x/(y*y) - y)/3)",
        reference=real(lambda x: _sign(x) * mp.cbrt(abs(x))), special=(0,),
    ),
    Function("square", X, definition="x**2"),
    Function("reciprocal", X, definition="1/x", special=(0,)),
    Function("ldexp", ("x", "other"), definition="x*exp2(other)"),
    Function(
        "pow", ("a", "b"),
        ("where(b == 0, 0, b*pow(a, b - 1))", "where(a == 0 and b >= 0, 0, result*log(a))"),
        reference=_power, special=(0,), domain=(0.1, 4), aliases=("float_power",),
    ),
)  # fmt: skip

LOGARITHMS = (
    Function(
        "xlogy", ("x", "y"),
        ("where(x == 0 and y <= 0, 0, log(y))", "where(x == 0 and y == 0, 0, x/y)"),
        form="where(x == 0 and y == y, 0, x*log(y))",
        reference=real(lambda x, y: mp.mpf(0) if x == 0 else x * mp.log(y)),
        special=(0,), domain=(0.1, 5),
    ),
    Function(
        "xlog1py", ("x", "y"),
        ("where(x == 0 and y <= -1, 0, log1p(y))", "where(x == 0 and y == -1, 0, x/(1 + y))"),
        form="where(x == 0 and y == y, 0, x*log1p(y))",
        reference=real(lambda x, y: mp.mpf(0) if x == 0 else x * mp.log1p(y)),
        special=(0,), domain=(-0.9, 5),
    ),
    Function(
        "entr", X, ("-log(x) - 1",),
        form="where(x == 0, 0, where(x < 0, log(maximum(x, 0)), -x*log(x)))",
        reference=real(lambda x: -x * mp.log(x) if x > 0 else -mp.inf if x < 0 else mp.mpf(0)),
        special=(0,), domain=(0.01, 5),
    ),
    # log(1 - exp(-x)) for x > 0.
    Function(
        "log1mexp", X, ("bose(x)",),
        form="where(x < log(2), log(-expm1(-x)), log1p(-exp(-x)))",
        reference=real(lambda x: mp.log1p(-mp.exp(-x)) if x > 1 else mp.log(-mp.expm1(-x))),
        special=(0,), domain=(0.01, 20),
    ),
    # 1/expm1(x); expm1(x)**2 in its derivative would overflow beside exp(x).
    Function(
        "bose", X, ("bose_1(x)",), form="1/expm1(x)",
        reference=tends(lambda x: mp.inf if x == 0 else 1 / mp.expm1(x), mp.mpf(-1), mp.mpf(0)),
        special=(0,), domain=(0.01, 20), internal=True,
    ),
    Function(
        "bose_1", X, ("csch(x/2)**2*coth(x/2)/4",), form="-csch(x/2)**2/4",
        reference=tends(
            lambda x: -mp.inf if x == 0 else -mp.csch(x / 2) ** 2 / 4, mp.mpf(0), mp.mpf(0)
        ),
        special=(0,), domain=(0.01, 20), internal=True,
    ),
    Function(
        "logit", X, ("1/(x*(1 - x))",),
        form="where(x > 0.3 and x < 0.7, log1p((2*x - 1)/(1 - x)), log(x) - log1p(-x))",
        reference=real(lambda x: mp.log(x) - mp.log1p(-x)), special=(0, 0.5, 1),
        domain=(0.01, 0.99),
    ),
    Function(
        "logaddexp", ("a", "b"), ("sigmoid(gap(a, b))", "sigmoid(gap(b, a))"),
        form="where(a == b, a + log(2), maximum(a, b) + log1p(exp(-abs(a - b))))",
        reference=_logaddexp(mp.e), domain=(-10, 10),
    ),
    Function(
        "logaddexp2", ("a", "b"),
        ("sigmoid(log(2)*gap(a, b))", "sigmoid(log(2)*gap(b, a))"),
        form="where(a == b, a + 1, maximum(a, b) + log1p(pow(2, -abs(a - b)))/log(2))",
        reference=_logaddexp(mp.mpf(2)), domain=(-10, 10),
    ),
    # a - b, and 0 for equal infinities.
    Function(
        "gap", ("a", "b"), ("1", "-1"), form="where(a == b, 0, a - b)",
        reference=real(lambda a, b: mp.mpf(0) if a == b else a - b), internal=True,
    ),
)  # fmt: skip

TRIGONOMETRY = (
    Function("sin", X, ("cos(x)",), reference=tends(mp.sin, mp.nan, mp.nan), domain=(-10, 10)),
    Function("cos", X, ("-sin(x)",), reference=tends(mp.cos, mp.nan, mp.nan), domain=(-10, 10)),
    Function("tan", X, ("1 + result**2",), reference=tends(mp.tan, mp.nan, mp.nan),
             domain=(-1.5, 1.5)),
    Function("sec", X, ("result*tan(x)",), form="1/cos(x)",
             reference=tends(mp.sec, mp.nan, mp.nan), domain=(-1.5, 1.5)),
    Function(
        "csc", X, ("-result*cot(x)",), form="1/sin(x)",
        reference=tends(lambda x: mp.inf if x == 0 else mp.csc(x), mp.nan, mp.nan),
        special=(0,), domain=(0.1, 3),
    ),
    Function(
        "cot", X, ("-(1 + result**2)",), form="1/tan(x)",
        reference=tends(lambda x: mp.inf if x == 0 else mp.cot(x), mp.nan, mp.nan),
        special=(0,), domain=(0.1, 3),
    ),
    Function("asin", X, ("1/cos_asin(x)",), reference=real(mp.asin),
             special=(-1, 1), domain=(-0.99, 0.99), aliases=("arcsin",)),
    Function("acos", X, ("-1/cos_asin(x)",), reference=real(mp.acos),
             special=(-1, 1), domain=(-0.99, 0.99), aliases=("arccos",)),
    Function("atan", X, ("1/(1 + x**2)",), reference=real(mp.atan), aliases=("arctan",)),
    # Through hypot: x**2 + y**2 would overflow at 1e200 and vanish at 1e-200.
    Function(
        "atan2", ("y", "x"),
        (
            "where(hypot(y, x) == 0, 0, hypot_slope(x, y)/hypot(y, x))",
            "where(hypot(y, x) == 0, 0, -hypot_slope(y, x)/hypot(y, x))",
        ),
        reference=real(lambda y, x: mp.atan2(y, x)), special=(0,), aliases=("arctan2",),
    ),
    Function(
        "hypot", ("x", "y"), ("hypot_slope(x, y)", "hypot_slope(y, x)"),
        reference=lambda x, y: mp.inf if mp.isinf(x) or mp.isinf(y) else real(mp.hypot)(x, y),
        special=(0,),
    ),
    # x/hypot(x, y): 0 at the origin, a sign at infinity; a family whose derivatives do not cancel.
    Function(
        "hypot_slope", ("x", "y"),
        (
            "where(hypot(x, y) == 0, 0, hypot_slope(y, x)**2/hypot(x, y))",
            "where(hypot(x, y) == 0, 0, -result*hypot_slope(y, x)/hypot(x, y))",
        ),
        form="where(abs(x) == hypot(x, y), sign(x), x/hypot(x, y))",
        reference=real(_hypot_slope), special=(0,), internal=True,
    ),
    Function("deg2rad", X, definition="x*(pi/180)"),
    Function("rad2deg", X, definition="x*(180/pi)"),
)  # fmt: skip

HYPERBOLICS = (
    Function("sinh", X, ("cosh(x)",), reference=tends(mp.sinh, -mp.inf, mp.inf)),
    Function("cosh", X, ("sinh(x)",), reference=tends(mp.cosh, mp.inf, mp.inf)),
    Function("tanh", X, ("sech2(x)",), domain=(-20, 20),
             reference=tends(mp.tanh, mp.mpf(-1), mp.mpf(1))),
    Function(
        "coshm1", X, ("sinh(x)",), form="2*sinh(x/2)**2",
        reference=tends(lambda x: 2 * mp.sinh(x / 2) ** 2, mp.inf, mp.inf), internal=True,
    ),
    Function(
        "sech", X, ("-result*tanh(x)",),
        form="e = exp(-abs(x))\n2*e/(1 + e*e)",
        reference=tends(mp.sech, mp.mpf(0), mp.mpf(0)), domain=(-20, 20),
    ),
    # sech(x)**2, the derivative of tanh; 1 - tanh(x)**2 would have no digits left at 20.
    Function(
        "sech2", X, ("-2*result*tanh(x)",),
        form="e = exp(-2*abs(x))\n4*e/(1 + e)**2",
        reference=tends(lambda x: mp.sech(x) ** 2, mp.mpf(0), mp.mpf(0)),
        domain=(-20, 20), internal=True,
    ),
    Function(
        "csch", X, ("-result*coth(x)",), form="1/sinh(x)",
        reference=tends(lambda x: mp.inf if x == 0 else mp.csch(x), mp.mpf(0), mp.mpf(0)),
        special=(0,), domain=(0.1, 10),
    ),
    Function(
        "coth", X, ("-csch(x)**2",), form="1/tanh(x)",
        reference=real(lambda x: mp.inf if x == 0 else 1 / mp.tanh(x)),
        special=(0,), domain=(0.1, 10),
    ),
    Function("asinh", X, ("1/hypot(1, x)",), reference=real(mp.asinh),
             aliases=("arcsinh",)),
    Function("acosh", X, ("1/(sqrt(x - 1)*sqrt(x + 1))",), reference=real(mp.acosh),
             special=(1,), domain=(1.01, 20), aliases=("arccosh",)),
    Function("atanh", X, ("1/((1 - x)*(1 + x))",), reference=real(mp.atanh),
             special=(-1, 1), domain=(-0.99, 0.99), aliases=("arctanh",)),
)  # fmt: skip

ROUNDING = (
    Function("abs", X, ("sign(x)",), reference=abs, special=(0,), aliases=("Abs", "absolute")),
    Function("sign", X, ("0",), reference=_sign, special=(0,), aliases=("sgn",)),
    Function("floor", X, ("0",), reference=whole(mp.floor), special=(-1, 0, 1)),
    Function("ceil", X, ("0",), reference=whole(mp.ceil), special=(-1, 0, 1),
             aliases=("ceiling",)),
    Function("round", X, ("0",), reference=whole(mp.nint), special=(-0.5, 0.5, 1.5)),
    Function("trunc", X, ("0",), reference=whole(_truncated), special=(-1, 0, 1),
             aliases=("fix",)),
    Function("frac", X, definition="x - trunc(x)", special=(-1, 0, 1)),
    # The quotient from the result: a/b itself may round up to the next integer.
    Function("fmod", ("a", "b"), ("1", "-round((a - result)/b)"),
             reference=_remainder(_truncated), special=(0,)),
    Function("remainder", ("a", "b"), ("1", "where(result == b, 1, -round((a - result)/b))"),
             reference=_remainder(mp.floor), special=(0,), aliases=("Mod",)),
    Function(
        "copysign", ("a", "b"), ("sign(a)*copysign(1, b)", "0"),
        reference=lambda a, b: -abs(a) if b < 0 else abs(a), special=(0,),
    ),
    Function(
        "heaviside", ("x", "values"), special=(0,),
        definition="where(x == 0, values, where(x > 0, 1, 0))",
    ),
    Function("Heaviside", ("x", "H0"), definition="heaviside(x, H0)", defaults=("1/2",),
             special=(0,)),
)  # fmt: skip

# Ties share the gradient in maximum and minimum; the first takes it in fmax and fmin. A NaN is
# told by b != b.
EXTREMA = (
    Function(
        "maximum", ("a", "b"),
        ("where(a < b, 0, where(a == b, 1/2, 1))", "where(b < a, 0, where(a == b, 1/2, 1))"),
        reference=_fold(lambda a, b: a >= b, ignores_nan=False), aliases=("Max",),
    ),
    Function(
        "minimum", ("a", "b"),
        ("where(a > b, 0, where(a == b, 1/2, 1))", "where(b > a, 0, where(a == b, 1/2, 1))"),
        reference=_fold(lambda a, b: a <= b, ignores_nan=False), aliases=("Min",),
    ),
    Function(
        "fmax", ("a", "b"),
        ("where(a >= b or b != b, 1, 0)", "where(a >= b or b != b, 0, 1)"),
        reference=_fold(lambda a, b: a >= b, ignores_nan=True),
    ),
    Function(
        "fmin", ("a", "b"),
        ("where(a <= b or b != b, 1, 0)", "where(a <= b or b != b, 0, 1)"),
        reference=_fold(lambda a, b: a <= b, ignores_nan=True),
    ),
    Function(
        "clamp", ("x", "lo", "hi"),
        (
            "where(x >= lo and x <= hi, 1, 0)",
            "where(x < lo and lo < hi, 1, 0)",
            "where(x > hi or hi < lo, 1, 0)",
        ),
        form="minimum(maximum(x, lo), hi)",
        reference=real(lambda x, lo, hi: min(max(x, lo), hi)), aliases=("clip",),
    ),
    Function(
        "clamp_min", ("x", "lo"), ("where(x >= lo, 1, 0)", "where(x < lo, 1, 0)"),
        form="maximum(x, lo)", reference=real(max),
    ),
    Function(
        "clamp_max", ("x", "hi"), ("where(x <= hi, 1, 0)", "where(x > hi, 1, 0)"),
        form="minimum(x, hi)", reference=real(min),
    ),
)  # fmt: skip

COMBINATIONS = (
    Function("addcmul", ("x", "a", "b", "value"), definition="x + value*a*b", defaults=("1",)),
    Function("addcdiv", ("x", "a", "b", "value"), definition="x + value*(a/b)", defaults=("1",)),
    # From the nearer end, so that weight 1 gives the end exactly.
    Function(
        "lerp", ("start", "end", "weight"),
        definition="where(abs(weight) < 1/2, start + weight*(end - start), "
        "end - (end - start)*(1 - weight))",
    ),
)  # fmt: skip

FUNCTIONS = (
    EXPONENTIALS + LOGARITHMS + TRIGONOMETRY + HYPERBOLICS + ROUNDING + EXTREMA + COMBINATIONS
)
