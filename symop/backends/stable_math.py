"""Functions that C computes as they stand, for which other backends use their forms.

A form is a formula in simpler functions; C has fused operations, numbers of two parts and the
bits of exponents besides, with which the same digits take fewer operations.
"""

from __future__ import annotations

# By file, `templates/math_<file>.c`: the files that it calls, and the functions that it defines.
STABLE: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "pairs": (("log",), ()),
    "exprel": (
        ("exp", "expm1"),
        ("exprel", "inverse_exprel", "exprel_mean", "inverse_exprel_1"),
    ),
    "square": (("exp", "pairs"), ()),
    "gaussian": (("square",), ("gaussian", "gaussian_half", "normal_density")),
    "log1p_square": (("log", "pairs"), ("log1p_square",)),
    "logit": (("log", "pairs"), ("logit",)),
    "log_ratio": (("log", "pairs"), ()),
    "mills": (("square",), ()),
    "ndtr": (("mills",), ("ndtr", "gelu", "gelu_slope")),
    "log_ndtr": (("mills",), ("log_ndtr", "inverse_mills")),
    "log_erfc": (("scaled_erfc", "square"), ("log_erfc", "inverse_erfcx")),
    "lorentz": ((), ("lorentz", "lorentz2")),
    "log_cosh": (("exp", "log", "pairs"), ("log_cosh",)),
    "log1mexp": (("exp", "exprel", "log", "pairs"), ("log1mexp",)),
    "tanhshrink": (("tanh",), ("tanhshrink",)),
    "shrink": (("sin", "tan"), ()),
    "log1prel": (("log", "pairs"), ("log1prel", "log1prel_1")),
    "softplus": (("log", "pairs", "sigmoid"), ("softplus1", "logsigmoid")),
}
