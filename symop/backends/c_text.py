"""How C spells names, numbers and functions."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from symop.backends.vector_math import bound, far, spelling

# How tightly an expression binds, from the outermost operator on.
ATOM, UNARY, CONDITIONAL = 15, 12, 2

# Words of C, and names that the templates use themselves.
_TAKEN = frozenset(
    {
        "auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else",
        "enum", "extern", "float", "for", "goto", "if", "inline", "int", "long", "register",
        "restrict", "return", "short", "signed", "sizeof", "static", "struct", "switch", "typedef",
        "union", "unsigned", "void", "volatile", "while", "asm", "typeof", "real", "element",
        "span", "sum", "add_up", "number", "in", "out", "total", "count", "n", "i", "block",
        "advance", "is_large", "is_whole", "item", "uniform", "reduced", "type", "combine", "over",
        "kernel", "lanes", "first", "last", "next", "run",
        "end", "y0", "y1", "yn", "j0", "j1", "jn", "gamma", "signgam", "main", "widened",
        "narrowed", "unix", "linux",
    }
)  # fmt: skip
_NUMBERED = re.compile(r"(?:out|sum)\d+")


@dataclass(frozen=True)
class Text:
    """An expression, and how tightly its outermost operator binds."""

    text: str
    binding: int = ATOM

    def at(self, binding: int) -> str:
        """The text as an operand, in parentheses where the operator around it binds tighter."""
        return self.text if self.binding >= binding else f"({self.text})"


def spelled_in_c(name: str) -> str:
    """The name of an argument as C spells it."""
    is_taken = name in _TAKEN or name.endswith("_") or name.isupper() or _NUMBERED.fullmatch(name)
    return f"{name}_" if is_taken else name


class Spelling(Protocol):
    """How numbers and functions are written."""

    @property
    def fused(self) -> str:
        """A product and a sum with one rounding."""

    @property
    def product(self) -> str:
        """A product that is as fast where it is subnormal; empty where each is."""

    def number(self, value: Fraction) -> Text:
        """A constant."""

    def function(self, name: str, *, anywhere: bool = False) -> str:
        """The name of a function; `anywhere`, of its spelling that is right for all arguments."""

    def bound(self, name: str) -> Text | None:
        """The largest |x| that the vectorised spelling of a function is right for, if any."""

    def far(self, name: str) -> str | None:
        """The function that says where the vectorised spelling of a function is wrong, if any."""


@dataclass(frozen=True)
class FixedType:
    """The spelling for one type: 2.5f, symop_expf(x)."""

    is_double: bool

    @property
    def fused(self) -> str:
        """FMA or FMAF."""
        return "FMA" if self.is_double else "FMAF"

    @property
    def product(self) -> str:
        """VANISHING or VANISHINGF."""
        return "VANISHING" if self.is_double else "VANISHINGF"

    def number(self, value: Fraction) -> Text:
        """A literal with the suffix of the type."""
        return _number(value, self.is_double)

    def function(self, name: str, *, anywhere: bool = False) -> str:
        """The function of the type."""
        return spelling(name, self.is_double, anywhere=anywhere)

    def bound(self, name: str) -> Text | None:
        """A literal."""
        most = bound(name, self.is_double)
        return None if most is None else self.number(Fraction(most))

    def far(self, name: str) -> str | None:
        """The function of the type."""
        return far(name, self.is_double)


def _number(value: Fraction, is_double: bool) -> Text:
    try:
        near = float(value)
        if not is_double:
            near = struct.unpack("f", struct.pack("f", near))[0]
    except OverflowError:
        near = float("inf") if value > 0 else float("-inf")
    if near in (float("inf"), float("-inf")):
        return Text("INFINITY" if near > 0 else "-INFINITY", ATOM if near > 0 else UNARY)
    text = repr(near) if is_double else shortest(near)
    return Text(text + ("" if is_double else "f"), UNARY if near < 0 else ATOM)


def shortest(value: float) -> str:
    """The shortest decimal that is this number in float32."""
    for digits in range(1, 10):
        text = repr(float(f"{value:.{digits}g}"))
        if struct.unpack("f", struct.pack("f", float(text)))[0] == value:
            return text
    return repr(value)


# Between what tensors hold and what is computed with; bfloat16 is 16 bits to C.
CONVERSIONS = {
    "": (
        "static inline real widened(element value) { return (real)value; }",
        "static inline element narrowed(real value) { return (element)value; }",
    ),
    "bfloat16": (
        "static inline real widened(element value)",
        "{",
        "    union { uint32_t bits; float value; } one = { (uint32_t)value << 16 };",
        "    return (real)one.value;",
        "}",
        "/* To the nearest, ties to even. */",
        "static inline element narrowed(real value)",
        "{",
        "    union { float value; uint32_t bits; } one = { (float)value };",
        "    const uint32_t rounded = one.bits + 0x7fff + (one.bits >> 16 & 1);",
        "    return (element)((value != value ? 0x7fc00000 : rounded) >> 16);",
        "}",
    ),
}
