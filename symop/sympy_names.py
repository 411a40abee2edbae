"""sympy's names of the functions of the table."""

from __future__ import annotations

# sympy's functions under the names of the function table; the others have the same name.
RENAMED = {
    "Abs": "abs", "ceiling": "ceil", "loggamma": "lgamma", "Mod": "remainder",
    "sinc": "spherical_bessel_j0", "Max": "maximum", "Min": "minimum",
}  # fmt: skip
SAME = (
    "exp", "log", "sin", "cos", "tan", "sec", "csc", "cot", "asin", "acos", "atan", "atan2",
    "sinh", "cosh", "tanh", "sech", "csch", "coth", "asinh", "acosh", "atanh", "sign", "floor",
    "erf", "erfc", "erfinv", "digamma", "polygamma", "gamma", "frac", "legendre", "chebyshevt",
    "chebyshevu", "hermite", "laguerre", "zeta", "besselj", "bessely", "besseli", "besselk", "jn",
    "yn", "airyai", "airybi", "airyaiprime", "airybiprime", "Si", "Ci", "Ei", "expint",
    "fresnels", "fresnelc", "LambertW",
)  # fmt: skip
# What the functions of fixed order become when they are read.
OF_ORDER = {
    **{f"bessel_{kind}": f"bessel{kind}" for kind in "jyik"},
    "spherical_j": "jn", "spherical_y": "yn", "exponential_integral": "expint",
    "lambertw": "LambertW",
}  # fmt: skip
