"""The body of a loop as statements of Triton, for whole blocks of elements."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from symop.backends import triton_math
from symop.backends.c_body import Body
from symop.backends.c_text import ATOM, UNARY, Text, shortest
from symop.frames import Frame
from symop.loops import Loop, Result
from symop.names import spelled, unused
from symop.program import Node

# What the text of a kernel calls by name.
TAKEN = frozenset({"tl", "triton", "libdevice", "float", "range"})

# Smaller numbers that stand alone Triton takes for float64.
_NORMAL = 2.0**-126


@dataclass(frozen=True)
class _Numbers:
    """The spelling of numbers; functions are spelled by `TritonBody`."""

    is_double: bool
    fused: str = "tl.fma"
    product: str = ""

    def number(self, value: Fraction) -> Text:
        try:
            near = float(value)
            if not self.is_double:
                near = struct.unpack("f", struct.pack("f", near))[0]
        except OverflowError:
            near = float("inf") if value > 0 else float("-inf")
        if near in (float("inf"), float("-inf")):
            return Text('float("inf")' if near > 0 else 'float("-inf")')
        text = repr(near).replace("e+", "e") if self.is_double else shortest(near)
        if not self.is_double and 0 < abs(near) < _NORMAL:
            return Text(triton_math.literal(text, False))
        return Text(text, UNARY if near < 0 else ATOM)

    def function(self, name: str, *, anywhere: bool = False) -> str:
        raise NotImplementedError(name)

    def bound(self, name: str) -> Text | None:
        return None

    def far(self, name: str) -> str | None:
        return None


class TritonBody(Body):
    """Prints what a loop computes for a block of elements, one statement a line.

    Args:
        loop: the loop.
        results: those of its results that are wanted.
        is_double: whether it computes in float64.
        is_half: whether its results are rounded to 16 bits.
    """

    negation = "~"

    def __init__(
        self, loop: Loop, results: Sequence[Result], is_double: bool, *, is_half: bool = False
    ) -> None:
        self.is_double = is_double
        self.is_half = is_half
        super().__init__(loop, results, _Numbers(is_double))

    def input_names(self) -> dict[str, str]:
        """How the inputs are spelled."""
        used = set(TAKEN)
        names = {}
        for argument in self.loop.inputs:
            names[argument.name] = unused(spelled(argument.name), used)
            used.add(names[argument.name])
        return names

    def loads(self) -> list[str]:
        """None: the kernel reads, and passes what it read."""
        return []

    def declaration(self, name: str, text: str, is_condition: bool) -> str:
        """The statement that names a value."""
        return f"{name} = {text}"

    def count(self, source: Frame, target: Frame) -> Text:
        """How many elements of one frame fall on one of the other."""
        return Text(self.count_name(self.loop.counts.index((source, target))))

    def count_name(self, place: int) -> str:
        """The name of a count."""
        return unused(f"count{place}", {*self.names.values(), *TAKEN})

    def counts(self) -> list[int]:
        """The places of the counts that the body reads."""
        alive = [n for k, n in enumerate(self.nodes) if self.alive[k] and n.op == "count"]
        return sorted(self.loop.counts.index((n.source or (), n.target or ())) for n in alive)

    def quotient(self, a: Text, b: Text) -> Text:
        """One value by another, rounded once where the digits are wanted."""
        inverse = triton_math.exact_inverse(b.text)
        if inverse:
            return Text(f"{a.at(11)} * {inverse!r}", 11)
        if self.is_double or self.is_half:
            return super().quotient(a, b)
        return Text(triton_math.call("div", [a.text, b.text], self.is_double))

    def fused_operand(self, text: str) -> str:
        """An operand of `tl.fma`, whose bare numbers are float32 in Triton 3.6."""
        return triton_math.typed(text, True) if self.is_double else text

    def _large_power(self, base: Text, exponent: int) -> Text:
        return self._call("pow", [base, self.spelling.number(Fraction(exponent))])

    def returned(self) -> list[str]:
        """What the results are, as expressions."""
        return [
            self._whole(result.node).text
            if self.nodes[result.node].op == "constant"
            else self.texts[result.node].text
            for result in self.results
        ]

    def _choice(self, node: Node) -> Text:
        places = node.operands[1:]
        are_numbers = all(self.nodes[place].op == "constant" for place in places)
        a, b = (self._whole(p) if are_numbers else self.texts[p] for p in places)
        return Text(f"tl.where({self.texts[node.operands[0]].text}, {a.text}, {b.text})")

    def _whole(self, index: int) -> Text:
        """A number as a value of the type that is computed in; bare ones are float32."""
        return Text(triton_math.literal(self.texts[index].text, self.is_double))

    def _call(self, function: str, values: Sequence[Text]) -> Text:
        self.functions.add(function)
        texts = [value.text for value in values]
        return Text(triton_math.call(function, texts, self.is_double))
