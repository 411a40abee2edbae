"""The mathematics of C: definitions that compilers vectorise, and how calls are written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from symop.backends.stable_math import STABLE
from symop.rendering import template_folder


@dataclass(frozen=True)
class VectorFunction:
    """A function of one or more real numbers that C computes, in float and in double.

    name: as in the table of functions.
    file: the file that defines it, `templates/math_<file>.c`; none, if a builtin is all.
    builtin: the builtin of the compiler that is the function, without the suffix of the type.
    bounds: the largest |x|, for float and for double, up to which the definition is right, if it
        is not right everywhere. A function with bounds has a second spelling that is right
        everywhere, the same number within the bounds, and not vectorised.
    is_guarded: whether it is right only where its `symop_far_` function is 0; it then has a second
        spelling too, as one with bounds has.
    is_vectorised: whether a loop over it becomes vector instructions.
    """

    name: str
    file: str = ""
    builtin: str = ""
    bounds: tuple[float, float] | None = None
    is_guarded: bool = False
    is_vectorised: bool = True

    def __post_init__(self) -> None:
        """A function is defined, or built in."""
        assert bool(self.file) != bool(self.builtin), self.name

    @property
    def has_two_spellings(self) -> bool:
        """Whether there is one for all arguments beside the vectorised one."""
        return self.bounds is not None or self.is_guarded


# What the files of definitions call from other files.
_CALLS: dict[str, tuple[str, ...]] = {
    "exp": (),
    "expm1": (),
    "log": (),
    "log1p": ("log",),
    "tanh": ("exp",),
    "erf": ("exp",),
    "trigonometric": (),
    "sin": ("trigonometric",),
    "cos": ("trigonometric",),
    "exp2": (),
    "log2": ("log",),
    "log10": ("log2",),
    "pow": ("exp2", "log2"),
    "sigmoid": ("exp", "pairs"),
    "scaled_erfc": (),
    "erfc": ("scaled_erfc", "square"),
    "erfcx": ("exp", "pairs", "scaled_erfc"),
    "bessel_i": ("exp",),
    "bessel_k": ("bessel_i", "log"),
    "tan": ("trigonometric",),
    "digamma": ("log", "tan"),
    "erfinv": ("erf", "erfc", "exp", "log"),
    "lgamma": ("log", "sin"),
    "hyperbolic": ("expm1", "pow"),
    "sinh": ("hyperbolic",),
    "cosh": ("hyperbolic",),
    "atan2": (),
    "atan": ("atan2",),
    "arcsine": (),
    "asin": ("arcsine",),
    "acos": ("arcsine",),
    "log_sum": ("log",),
    "asinh": ("log_sum", "pairs"),
    "acosh": ("log2", "log_sum"),
    "atanh": ("log_sum", "pairs"),
    "hypot": (),
    "selection": (),
    "integer_power": (),
    "remainder": (),
    **{file: calls for file, (calls, _) in STABLE.items()},
}

# SYMOP_TRIGONOMETRIC_BOUND in templates/math_trigonometric.c.
_TRIGONOMETRIC = (1e8, 1e6)

FUNCTIONS: dict[str, VectorFunction] = {
    function.name: function
    for function in (
        *(
            VectorFunction(name, name)
            for name in (
                "exp", "expm1", "log", "log1p", "tanh", "erf", "exp2", "log2", "log10", "pow",
                "sigmoid", "erfc", "sinh", "cosh", "atan", "atan2", "asin", "acos", "asinh",
                "acosh", "atanh", "erfcx", "digamma", "lgamma", "erfinv",
            )
        ),
        *(VectorFunction(name, "bessel_i") for name in ("i0", "i0e", "i1", "i1e")),
        *(
            VectorFunction(f"{part}modified_bessel_k{order}", "bessel_k")
            for part in ("", "scaled_")
            for order in (0, 1)
        ),
        VectorFunction("hypot", "hypot", is_guarded=True),
        *(VectorFunction(name, name, bounds=_TRIGONOMETRIC) for name in ("sin", "cos", "tan")),
        *(
            VectorFunction(name, "selection")
            for name in ("maximum", "minimum", "fmax", "fmin", "sign", "relu", "rsqrt")
        ),
        VectorFunction("silu", "sigmoid"),
        *(
            VectorFunction(name, "log_ratio", is_guarded=True)
            for name in ("log_ratio", "log_gap", "log_quotient")
        ),
        *(
            VectorFunction(name, "gamma_gap", is_guarded=True)
            for name in ("lgamma_gap", "digamma_gap")
        ),
        *(
            VectorFunction(name, "shrink", bounds=_TRIGONOMETRIC)
            for name in ("sinshrink", "tanshrink")
        ),
        *(
            VectorFunction(name, "shrink3", bounds=_TRIGONOMETRIC)
            for name in ("sinshrink3", "sinshrink3_1", "tanshrink3", "tanshrink3_1")
        ),
        *(VectorFunction(name, file) for file, (_, names) in STABLE.items() for name in names),
        VectorFunction("remainder", "remainder", is_vectorised=False),
        VectorFunction("fmod", builtin="fmod", is_vectorised=False),
        VectorFunction("abs", builtin="fabs"),
        # To nearest, ties to even, the rounding mode that the machine starts in.
        VectorFunction("round", builtin="rint"),
        *(
            VectorFunction(name, builtin=name)
            for name in ("sqrt", "floor", "ceil", "trunc", "copysign")
        ),
    )
}  # fmt: skip

# The functions of the table that C computes, and x**n for integers n, which is no function of it.
SPELLED = frozenset(FUNCTIONS)
FUNCTIONS["integer_power"] = VectorFunction("integer_power", "integer_power")


# The functions whose values are below the normal numbers over a wide range of arguments.
VANISHING = frozenset(
    {
        "exp", "exp2", "sigmoid", "silu", "erfc", "gaussian", "gaussian_half", "normal_density",
        "ndtr", "gelu", "gelu_slope", "bose_1", "morse", "inverse_exprel", "inverse_exprel_1",
        "inverse_exprel_times", "inverse_exprel_slope", "softplus1", "logsigmoid", "log1mexp",
        "modified_bessel_k0", "modified_bessel_k1", "pow", "share", "share_1",
    }
)  # fmt: skip


@cache
def _text(file: str) -> str:
    return (template_folder() / f"math_{file}.c").read_text(encoding="utf-8")


def definitions(names: Iterable[str]) -> list[str]:
    """The C texts that calls of functions need, what a text calls before it.

    The first is the prelude. The order depends on the set of names only.
    """
    files: dict[str, None] = {}

    def add(file: str) -> None:
        for needed in _CALLS[file]:
            add(needed)
        files[file] = None

    wanted = {FUNCTIONS[name].file for name in names} - {""}
    for file in sorted(wanted):
        add(file)
    return [_text("prelude"), *map(_text, files)]


def spelling(name: str, is_double: bool, *, anywhere: bool = False) -> str:
    """The name that C calls a function by.

    anywhere: the spelling that is right beyond the bounds too, where a function has any.
    """
    function = FUNCTIONS[name]
    suffix = "" if is_double else "f"
    if function.builtin:
        return f"__builtin_{function.builtin}{suffix}"
    part = "_any" if anywhere and function.has_two_spellings else ""
    return f"symop_{name}{part}{suffix}"


def far(name: str, is_double: bool) -> str | None:
    """The name of the C function that says where the vectorised spelling is wrong, if any does."""
    return f"symop_far_{name}{'' if is_double else 'f'}" if FUNCTIONS[name].is_guarded else None


def bound(name: str, is_double: bool) -> float | None:
    """The largest |x| up to which the vectorised spelling is right, if there is one."""
    bounds = FUNCTIONS[name].bounds
    return bounds and bounds[is_double]
