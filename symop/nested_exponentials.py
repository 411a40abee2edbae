"""Exponentials of differences, of squares and of exponentials, for which formulas are rewritten.

Written out, either the value or a derivative would cancel or overflow. All are internal: a user
writes the plain formula.
"""

from __future__ import annotations

import mpmath as mp

from symop.functions import Function, X
from symop.limits import real, tends

_ZERO, _ONE = mp.mpf(0), mp.mpf(1)

FUNCTIONS = (
    # sigmoid(a - b), with what the rounding of a - b costs put back.
    Function(
        "share", ("a", "b"), ("share_1(a, b)", "-share_1(a, b)"),
        form="s = a - b\nt = s - a\ne = (a - (s - t)) - (b + t)\n"
        "sigmoid(s)*(1 + where(e == e, e, 0)*sigmoid(-s))",
        reference=real(lambda a, b: 1 / (1 + mp.exp(b - a))), domain=(-10, 10), internal=True,
    ),
    # Its derivative by a.
    Function(
        "share_1", ("a", "b"), ("-result*tanh((a - b)/2)", "result*tanh((a - b)/2)"),
        form="share(a, b)*share(b, a)",
        reference=real(lambda a, b: mp.sech((a - b) / 2) ** 2 / 4), domain=(-10, 10),
        internal=True,
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
    # tanh(exp(x)); in its derivative exp(x) would overflow beside what vanishes.
    Function(
        "tanh_exp", X, ("tanh_exp_1(x)",), form="tanh(exp(x))",
        reference=tends(lambda x: mp.tanh(mp.exp(min(x, 30))), _ZERO, _ONE), domain=(-20, 3),
        internal=True,
    ),
    Function(
        "tanh_exp_1", X, ("w = exp(clamp_max(x, 8))\nresult*(1 - 2*w*tanh(w))",),
        form="w = exp(minimum(x, 8))\nw*sech2(w)",
        reference=tends(
            lambda x: mp.exp(x) * mp.sech(mp.exp(x)) ** 2 if x < 30 else _ZERO, _ZERO, _ZERO
        ),
        domain=(-20, 3), internal=True,
    ),
    # atan(sinh(x)), of Gudermann; in its derivative cosh(x) would overflow.
    Function(
        "gudermannian", X, ("sech(x)",), form="2*atan(tanh(x/2))",
        reference=tends(lambda x: 2 * mp.atan(mp.tanh(x / 2)), -mp.pi / 2, mp.pi / 2),
        domain=(-20, 20), internal=True,
    ),
    # exp(-x**2/2), its square split as in gaussian.
    Function(
        "gaussian_half", X, ("-clamp(x, -100, 100)*result",),
        form="a = minimum(abs(x), 40)\nh = round(16*a)/16\nexp(-h*h/2)*exp(-(a - h)*(a + h)/2)",
        reference=real(lambda x: mp.exp(-x * x / 2)), internal=True,
    ),
)  # fmt: skip
