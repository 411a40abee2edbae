"""The mathematics of Triton: what a kernel calls, and the definitions that its module carries.

libdevice has the functions of C for NVIDIA, and Triton puts AMD's (ocml) behind the same names.
What it lacks is defined in `templates/triton_math.py`, or lowered by its form. The errors that
NVIDIA documents (CUDA C++ Programming Guide, chapter Mathematical Functions), in ULP beyond a
correctly rounded result, for float32 and float64:

    exp 2, 1     log 1, 1     sin 2, 2     asin 2, 2    sinh 3, 2    asinh 3, 3    erf 2, 2
    exp2 2, 1    log2 1, 1    cos 2, 2     acos 2, 2    cosh 2, 1    acosh 4, 3    erfc 4, 5
    expm1 1, 1   log10 2, 1   tan 4, 2     atan 2, 2    tanh 2, 1    atanh 3, 2    erfcx 4, 4
    pow 4, 2     log1p 1, 1   atan2 3, 2   hypot 3, 2   fmod 0, 0    rint 0, 0     erfinv 2, 5
    lgamma 6, 4 (more between -10.001 (-23.0001) and -2.264)

`tl.exp`, `tl.log`, `tl.sin` and `tl.sqrt` are the approximations of the hardware in float32, and
not used: exp(x) is 2**(x*log2(e)) with the product rounded, off by up to |x|/2 ULP. A quotient
`a / b` is off by up to 2 ULP in float32, `tl.div_rn` is not.

By default Triton tells libdevice to take subnormal numbers for zero; `options` says otherwise.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from functools import cache
from math import frexp

from symop.python_text import syntax_tree
from symop.rendering import template_folder

# Functions by the name that libdevice has for them.
_LIBDEVICE = {
    name: name
    for name in (
        "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "copysign", "cos", "cosh",
        "erf", "erfc", "erfcx", "erfinv", "exp", "exp2", "expm1", "fmod", "hypot", "lgamma", "log",
        "log10", "log1p", "log2", "pow", "sin", "sinh", "tan", "tanh", "trunc",
    )
} | {"round": "nearbyint"}  # fmt: skip

# Functions of triton.language; maximum and minimum give NaN where an operand is NaN.
_LANGUAGE = {
    "abs": "tl.abs({})",
    "ceil": "tl.ceil({})",
    "floor": "tl.floor({})",
    "fmax": "tl.maximum({}, {})",
    "fmin": "tl.minimum({}, {})",
    "maximum": "tl.maximum({}, {}, propagate_nan=tl.PropagateNan.ALL)",
    "minimum": "tl.minimum({}, {}, propagate_nan=tl.PropagateNan.ALL)",
}

# Functions defined in templates/triton_math.py, under the name with an underscore before it.
_DEFINED = frozenset(
    {
        "digamma", "gaussian", "gaussian_half", "i0", "i0e", "i1", "i1e", "logit", "logsigmoid",
        "lorentz", "lorentz2", "modified_bessel_k0", "modified_bessel_k1", "ndtr",
        "normal_density", "relu", "remainder", "rsqrt", "scaled_modified_bessel_k0",
        "scaled_modified_bessel_k1", "sigmoid", "sign", "silu", "softplus1",
    }
)  # fmt: skip

# Operations defined there too, for texts that serve float32 and float64.
_EITHER = frozenset({"is_number", "quotient", "root"})

SPELLED: frozenset[str] = frozenset(_LIBDEVICE) | frozenset(_LANGUAGE) | _DEFINED | {"sqrt"}

_LIBRARY = "from triton.language.extra import libdevice"


def call(
    name: str, arguments: Sequence[str], is_double: bool | None, *, is_half: bool = False
) -> str:
    """The expression that is a function of arguments.

    Args:
        name: one of `SPELLED`, or `div`, the quotient of two arguments.
        arguments: expressions; a number gets the type of the others.
        is_double: whether these are float64, otherwise float32; None where every number has the
            type that it needs.
        is_half: whether what comes of it is rounded to 16 bits, so that a quotient need not be
            rounded once: that takes three times the instructions.
    """
    if name in _LANGUAGE:
        return _LANGUAGE[name].format(*(typed(a, is_double) for a in arguments))
    if name == "sqrt":
        return f"tl.{'sqrt' if is_double else 'sqrt_rn'}({arguments[0]})"
    if name == "div":
        return _quotient(*arguments, is_plain=bool(is_double or is_half))
    own = f"libdevice.{_LIBDEVICE[name]}" if name in _LIBDEVICE else f"_{name}"
    return f"{own}({', '.join(typed(a, is_double) for a in arguments)})"


def _quotient(a: str, b: str, *, is_plain: bool) -> str:
    left, right = (text if text.isidentifier() else f"({text})" for text in (a, b))
    return f"({left} / {right})" if is_plain else f"tl.div_rn({a}, {b})"


def exact_inverse(text: str) -> float:
    """One over a number, if that loses nothing in any type; otherwise 0."""
    try:
        value = float(text)
    except ValueError:
        return 0.0
    mantissa, exponent = frexp(value)
    return 1 / value if abs(mantissa) == 0.5 and abs(exponent) < 100 else 0.0


def literal(text: str, is_double: bool) -> str:
    """A number as a value of its type: alone, Triton takes it for float32."""
    return f"tl.full((), {text}, tl.{'float64' if is_double else 'float32'})"


def typed(argument: str, is_double: bool | None) -> str:
    """An expression; a number as a value of its type, where that is known."""
    if is_double is None:
        return argument
    try:
        float(argument.lstrip("-(").rstrip(")"))
    except ValueError:
        return argument
    return argument if argument.isidentifier() else literal(argument, is_double)


def options(kind: str) -> dict[str, bool]:
    """What these functions ask of the compiler, for a GPU of a kind (cuda, hip).

    Products and sums are fused where a kernel says so, as in C; libdevice keeps subnormal numbers.
    """
    fused = {"enable_fp_fusion": False}
    return {**fused, "enable_reflect_ftz": False} if kind == "cuda" else fused


def imports(functions: Iterable[str]) -> tuple[str, ...]:
    """The lines of imports that calls of functions need, beside those of triton and tl."""
    wanted = set(functions)
    is_used = wanted & set(_LIBDEVICE) or any("libdevice." in text for text in definitions(wanted))
    return (_LIBRARY,) if is_used else ()


def definitions(
    functions: Iterable[str], is_double: bool = False, *, is_half: bool = False
) -> tuple[str, ...]:
    """The texts that calls of functions need, what a text calls before it.

    They serve both types: `is_double` is not read. `is_half` is that of `call`.
    """
    texts = _texts()
    needed: set[str] = set()
    pending = [f"_{name}" for name in functions if name in _DEFINED | _EITHER]
    while pending:
        name = pending.pop()
        if name not in needed:
            needed.add(name)
            pending += texts[name][1]
    if is_half:
        rough = texts["_divide_roughly"][0].replace("_divide_roughly", "_divide")
        texts = {**texts, "_divide": (rough, ())}
    return tuple(text for name, (text, _) in texts.items() if name in needed)


@cache
def _texts() -> dict[str, tuple[str, tuple[str, ...]]]:
    """The definitions by name: the text, and the names of the others that it calls."""
    source = (template_folder() / "triton_math.py").read_text(encoding="utf-8")
    found = [node for node in syntax_tree(source).body if isinstance(node, ast.FunctionDef)]
    names = {function.name for function in found}
    lines = source.splitlines()
    return {
        function.name: (
            "\n".join(lines[function.decorator_list[0].lineno - 1 : function.end_lineno]),
            tuple(
                node.id
                for node in ast.walk(function)
                if isinstance(node, ast.Name) and node.id in names
            ),
        )
        for function in found
    }
