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
        (
            "exprel",
            "exprel_1",
            "inverse_exprel",
            "exprel_mean",
            "inverse_exprel_1",
            "bose_1",
            "morse",
            "inverse_exprel_times",
            "inverse_exprel_slope",
        ),
    ),
    "square": (("exp", "pairs"), ()),
    "gaussian": (("square",), ("gaussian", "gaussian_half", "normal_density")),
    "log1p_square": (("log", "pairs"), ("log1p_square",)),
    "logit": (("log", "pairs"), ("logit",)),
    "log_ratio": (("log", "log1p", "pairs"), ()),
    "mills": (("square",), ()),
    "ndtr": (("mills",), ("ndtr", "gelu", "gelu_slope")),
    "log_ndtr": (("mills",), ("log_ndtr", "inverse_mills")),
    "log_erfc": (("scaled_erfc", "square"), ("log_erfc", "inverse_erfcx")),
    "erfcx_1": (("exp", "pairs"), ("erfcx_1",)),
    "lorentz": ((), ("lorentz", "lorentz2", "lorentz_1")),
    "cathetus": ((), ("cathetus",)),
    "gamma_gap": (("digamma", "lgamma", "log", "log2", "log_ratio"), ()),
    "log_cosh": (("exp", "log", "pairs"), ("log_cosh",)),
    "log1mexp": (("exp", "exprel", "log", "pairs"), ("log1mexp",)),
    "tanhshrink": (("tanh",), ("tanhshrink",)),
    "shrink": (("sin", "tan"), ()),
    "shrink3": (("cos", "shrink"), ()),
    "xcoth": (("exp",), ("xcoth_1",)),
    "log1prel": (("log", "pairs"), ("log1prel", "log1prel_1")),
    "share": (("sigmoid",), ("share", "share_1")),
    "softplus": (("log", "pairs", "sigmoid"), ("softplus1", "logsigmoid")),
}
