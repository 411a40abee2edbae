"""How torch spells operations and numbers, and how strongly an expression binds."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

# Functions with a spelling of their own; what is not here is lowered to what is.
CALLS = {
    **{
        name: f"torch.{name}"
        for name in (
            "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "rsqrt", "sin", "cos",
            "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh", "asinh", "acosh",
            "atanh", "erf", "erfc", "lgamma", "digamma", "abs", "sign", "floor",
            "ceil", "round", "trunc", "maximum", "minimum", "fmax", "fmin", "hypot", "copysign",
            "fmod", "remainder", "sigmoid", "relu", "erfinv",
        )
    },
    **{
        name: f"torch.special.{name}"
        for name in (
            "erfcx", "i0", "i0e", "i1", "i1e", "zeta", "modified_bessel_k0", "modified_bessel_k1",
            "scaled_modified_bessel_k0", "scaled_modified_bessel_k1",
        )
    },
}  # fmt: skip

SPELLED = frozenset(CALLS) | {"pow"}

BINARY = {"add": ("+", 10), "sub": ("-", 10), "mul": ("*", 11), "div": ("/", 11)}
COMPARE = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}
LOGICAL = {"and": ("&", 8), "or": ("|", 6)}
ATOM, POWER, UNARY, COMPARISON = 15, 13, 12, 4

# Longer expressions are split into temporaries, so that every line fits where it stands.
WIDTH = 62


@dataclass(frozen=True)
class Text:
    """An expression, how strongly it binds, and whether it is a plain number."""

    text: str
    binding: int = ATOM
    is_number: bool = False

    def at(self, binding: int) -> str:
        """The text, in parentheses where it binds less strongly."""
        return self.text if self.binding >= binding else f"({self.text})"


def numel(shape: str) -> str:
    """The number of elements; not Size.numel(), which would fix dynamic sizes to those traced."""
    return f"{shape[:-6]}.numel()" if shape.endswith(".shape") else f"math.prod({shape})"


def dim_arguments(dims: tuple[int, ...] | None, *, keepdim: bool) -> str:
    """The arguments dim and keepdim of a reduction; none where it is over everything."""
    if dims is None:
        return ""
    place = str(dims[0]) if len(dims) == 1 else str(dims)
    return f"{place}, keepdim=True" if keepdim else place


def numeral(value: Fraction) -> Text:
    """A number; an integer where float64 has each."""
    if value.denominator == 1 and abs(value) < 2**53:
        text = str(value.numerator)
    elif abs(value) >= 2**1024:
        text = "torch.inf" if value > 0 else "-torch.inf"
    else:
        text = repr(float(value)).replace("e+", "e")
    return Text(text, UNARY if value < 0 else ATOM, is_number=True)


def floated(text: str) -> str:
    """A number as a float, where an integer would give an integer tensor."""
    return f"{text}.0" if text.lstrip("-").isdigit() else text


def power(base: Text, exponent: Text) -> Text:
    """A power, laid out as the formatter does."""
    # The formatter keeps ** tight only between names and numbers.
    simple = all(_is_simple(t.text) for t in (base, exponent))
    operator = "**" if simple else " ** "
    return Text(f"{base.at(POWER + 1)}{operator}{exponent.at(UNARY)}", POWER)


def _is_simple(text: str) -> bool:
    bare = text.lstrip("-")
    return bare.replace(".", "").replace("_", "").replace("e-", "").isalnum()
