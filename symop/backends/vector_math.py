"""Stand-in until the vector mathematics is merged: libm."""

from __future__ import annotations

from collections.abc import Iterable

_SAME = {
    "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "sin", "cos", "tan", "asin",
    "acos", "atan", "atan2", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "erf", "erfc",
    "floor", "ceil", "trunc", "hypot", "copysign", "fmod", "pow", "fmax", "fmin",
}
_OTHER = {"abs": "fabs", "round": "rint", "lgamma": "lgamma"}
_INLINE = {
    "sigmoid": "R symop_sigmoid(R x) { return 1 / (1 + expS(-x)); }",
    "relu": "R symop_relu(R x) { return x < 0 ? 0 : x; }",
    "sign": "R symop_sign(R x) { return (R)(x > 0) - (R)(x < 0); }",
    "rsqrt": "R symop_rsqrt(R x) { return 1 / sqrtS(x); }",
    "maximum": "R symop_maximum(R a, R b) { return (a > b) | (a != a) ? a : b; }",
    "minimum": "R symop_minimum(R a, R b) { return (a < b) | (a != a) ? a : b; }",
}
SPELLED = frozenset(_SAME | set(_OTHER) | set(_INLINE))


def spelling(name: str, is_double: bool) -> str:
    if name in _INLINE:
        return f"symop_{name}" + ("" if is_double else "f")
    return _OTHER.get(name, name) + ("" if is_double else "f")


def definitions(names: Iterable[str]) -> list[str]:
    out = []
    for n in names:
        if n in _INLINE:
            for r, s in (("double", ""), ("float", "f")):
                text = _INLINE[n].replace(f"symop_{n}", f"symop_{n}{s}").replace("S(", s + "(")
                out.append("static inline " + text.replace("R ", r + " ").replace("(R)", f"({r})"))
    return out
