"""Logarithms of sums and differences of exponentials, and the real branch of Lambert's function."""

from __future__ import annotations

from functools import cache
from typing import Any

import mpmath as mp

from symop.approximations import chebyshev
from symop.functions import Function, X
from symop.limits import real, tends

# Lambert's function. 1/e in two parts, so that x + 1/e keeps its digits at the branch point.

_PARTS = ("0.367879441171442334024277442949824035167694091796875", "-1.24287536727883624e-17")
_NEAR = 2


@cache
def _lambert_form() -> str:
    def near(p: Any) -> Any:
        x = (p * p / 2 - 1) / mp.e
        return mp.lambertw(x).real / x if abs(x) > mp.mpf(10) ** -30 else mp.mpf(1)

    high = mp.sqrt(2 * (mp.e * _NEAR + 1))
    return "\n".join(
        [
            f"l = minimum(x, {_NEAR})",
            f"p = sqrt(2*exp(1)*((l + {_PARTS[0]}) + ({_PARTS[1]})))",
            chebyshev("w", near, 0, high, "p"),
            f"g = log(maximum(x, {_NEAR}))",
            "w0 = where(g < 2, 0.85 + (g - 0.7)*0.55, g - log(maximum(g, 1))*(1 - 1/g))",
            # Newton's steps for w + log(w) = log(x).
            *(f"w{k + 1} = w{k}*(1 + (g - log(w{k})))/(1 + w{k})" for k in range(4)),
            f"where(x < {_NEAR}, l*w, where(x == 2*x, x, w4))",
        ]
    )


def _lambert(x: Any) -> Any:
    if x < -mp.exp(-1):
        return mp.nan
    value = mp.lambertw(x)
    return value.real if isinstance(value, mp.mpc) else value


FUNCTIONS = (
    Function("log1pexp", X, definition="softplus1(x)", domain=(-20, 20)),
    Function("logsubexp", ("a", "b"), definition="a + log1mexp(a - b)", domain=(0.1, 10)),
    Function(
        "lambertw", X,
        ("where(x > 1, result/(x*(1 + result)), exp(-result)/(1 + result))",),
        form_of=_lambert_form, reference=real(tends(_lambert, mp.nan, mp.inf)),
        special=(0,), domain=(-0.3, 30), aliases=("LambertW",),
    ),
)  # fmt: skip
