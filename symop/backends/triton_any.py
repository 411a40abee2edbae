"""The body of a loop as statements of Triton that serve float32 and float64 alike."""

from __future__ import annotations

import copy
import struct
from collections.abc import Sequence

from symop.backends import triton_math
from symop.backends.c_text import UNARY, Text
from symop.backends.triton_body import TAKEN, TritonBody
from symop.loops import Loop
from symop.names import unused
from symop.program import Node

# Operands shorter than this are not named to make a statement shorter.
_WORTH_A_NAME = 8

# Functions that bring their operands to one type.
_PROMOTING = frozenset({"fmax", "fmin", "maximum", "minimum"})

# The numbers that Triton takes for float32 where they stand alone; others it takes for float64.
_SMALLEST, _LARGEST = 2.0**-126, (2 - 2.0**-23) * 2.0**127


class AnyTypeBody(TritonBody):
    """Prints what a loop computes; a number that stands alone gets the type of an input.

    Args:
        loop: the loop; one of its inputs at least is no condition.
    """

    # What is left of a line of a function beside indentation and `v123 = `.
    width = 76

    def __init__(self, loop: Loop) -> None:
        self.like = next(a.name for a in loop.inputs if not a.is_mask)
        super().__init__(loop, loop.results, is_double=True)

    def count_name(self, place: int) -> str:
        """The name of a count."""
        name = f"count{place}" if place else "count"
        return unused(name, {*self.names.values(), *TAKEN})

    def _visit(self, index: int, node: Node) -> None:
        # A statement that fits into a line reads well, and is what any formatter leaves alone.
        while self._is_long(node):
            texts = {o: self.texts[o].text for o in self._parts(node)}
            texts = {o: text for o, text in texts.items() if self._may_be_named(o)}
            if not texts:
                break
            self.named_value(max(texts, key=lambda o: len(texts[o])))
        super()._visit(index, node)

    def _may_be_named(self, index: int) -> bool:
        text = self.texts[index].text
        is_short = text.isidentifier() or len(text) < _WORTH_A_NAME
        return not is_short and self.nodes[index].op != "constant"

    def _parts(self, node: Node) -> list[int]:
        """The operands of a node; those of a product in the place of one that is fused."""
        place = self._fused_place(node)
        parts: list[int] = []
        for k, operand in enumerate(node.operands):
            parts += self.nodes[operand].operands if k == place else [operand]
        return parts

    def _is_long(self, node: Node) -> bool:
        trial = copy.copy(self)
        trial.lines, trial.texts = [*self.lines], dict(self.texts)
        trial.functions = set(self.functions)
        return len(trial._expression(node).text) > self.width

    def _expression(self, node: Node) -> Text:
        if node.op in ("eq", "ne") and len(set(node.operands)) == 1:
            self.functions.add("is_number")
            text = f"_is_number({self.texts[node.operands[0]].text})"
            return Text(text if node.op == "eq" else f"~{text}", UNARY)
        return super()._expression(node)

    def quotient(self, a: Text, b: Text) -> Text:
        """One value by another, rounded once."""
        inverse = triton_math.exact_inverse(b.text)
        if inverse:
            return Text(f"{a.at(11)} * {repr(inverse).replace('e+', 'e')}", 11)
        self.functions.add("quotient")
        texts = (t.text if _is_ordinary(t.text) else self._typed(t.text) for t in (a, b))
        return Text(f"_quotient({', '.join(texts)})")

    def _whole(self, index: int) -> Text:
        return Text(self._typed(self.texts[index].text))

    def _choice(self, node: Node) -> Text:
        condition, a, b = node.operands
        # A number takes the type of the other value; two numbers need one that has a type.
        is_number = all(self.nodes[place].op == "constant" for place in (a, b))
        first = self._whole(a) if is_number else self.texts[a]
        return Text(f"tl.where({self.texts[condition].text}, {first.text}, {self.texts[b].text})")

    def _call(self, function: str, values: Sequence[Text]) -> Text:
        texts = [self._typed(value.text) for value in values]
        if function == "sqrt":
            self.functions.add("root")
            return Text(f"_root({texts[0]})")
        if function in _PROMOTING:
            texts = [value.text if _is_short(value.text) else self._typed(value.text)
                     for value in values]  # fmt: skip
        self.functions.add(function)
        return Text(triton_math.call(function, texts, None))

    def fused_operand(self, text: str) -> str:
        """An operand of `tl.fma`, whose bare numbers are float32 in Triton 3.6."""
        return text if _is_short(text) else self._typed(text)

    def _typed(self, text: str) -> str:
        """A number as a value of the type that is computed in."""
        is_number = _number(text) is not None or text.lstrip("-").startswith("float(")
        return f"tl.full((), {text}, {self.names[self.like]}.dtype)" if is_number else text


def _number(text: str) -> float | None:
    try:
        return float(text.replace("-(", "-").rstrip(")"))
    except ValueError:
        return None


def _is_ordinary(text: str) -> bool:
    """Whether an operand is no number, or one that Triton may take for float32."""
    value = _number(text)
    return value is None or value == 0 or _SMALLEST <= abs(value) <= _LARGEST


def _is_short(text: str) -> bool:
    """Whether an operand is no number, or one that float32 holds."""
    value = _number(text)
    try:
        return value is None or struct.unpack("f", struct.pack("f", value))[0] == value
    except OverflowError:
        return False
