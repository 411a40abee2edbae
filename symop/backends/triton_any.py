"""The body of a loop as statements of Triton that serve float32 and float64 alike."""

from __future__ import annotations

import ast
import struct
from collections.abc import Sequence

from symop.backends import triton_math
from symop.backends.c_text import Text
from symop.backends.triton_body import TritonBody
from symop.loops import Loop
from symop.program import Node
from symop.python_text import syntax_tree


class AnyTypeBody(TritonBody):
    """Prints what a loop computes; a number that stands alone gets the type of an input.

    Args:
        loop: the loop; one of its inputs at least is no condition.
    """

    def __init__(self, loop: Loop) -> None:
        self.like = next(a.name for a in loop.inputs if not a.is_mask)
        super().__init__(loop, loop.results, is_double=True)

    def quotient(self, a: Text, b: Text) -> Text:
        """One value by another, rounded once."""
        inverse = triton_math.exact_inverse(b.text)
        if inverse:
            return Text(f"{a.at(11)} * {repr(inverse).replace('e+', 'e')}", 11)
        self.functions.add("quotient")
        return Text(f"_quotient({self._typed(a.text)}, {self._typed(b.text)})")

    def _whole(self, index: int) -> Text:
        return Text(self._typed(self.texts[index].text))

    def _choice(self, node: Node) -> Text:
        # A long choice is a statement of its own, which any layout can break.
        text = super()._choice(node)
        return self._declared(text) if len(text.text) > 50 else text

    def _call(self, function: str, values: Sequence[Text]) -> Text:
        texts = [self._typed(value.text) for value in values]
        if function == "sqrt":
            self.functions.add("root")
            return Text(f"_root({texts[0]})")
        self.functions.add(function)
        return Text(triton_math.call(function, texts, True))

    def _fused(self, node: Node) -> Text | None:
        text = super()._fused(node)
        if text is None:
            return None
        call = syntax_tree(text.text, "eval").body
        assert isinstance(call, ast.Call)
        parts = [ast.get_source_segment(text.text, part) or "" for part in call.args]
        # Triton 3.6 takes a bare number in tl.fma for float32.
        parts = [part if _is_short(part) else self._typed(part) for part in parts]
        return Text(f"tl.fma({', '.join(parts)})")

    def _typed(self, text: str) -> str:
        """A number as a value of the type that is computed in."""
        is_number = _number(text) is not None or text.lstrip("-").startswith("float(")
        return f"tl.full((), {text}, {self.names[self.like]}.dtype)" if is_number else text


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _is_short(text: str) -> bool:
    """Whether an operand is no number, or one that float32 holds."""
    value = _number(text)
    try:
        return value is None or struct.unpack("f", struct.pack("f", value))[0] == value
    except OverflowError:
        return False
