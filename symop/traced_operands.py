"""What a traced function computes with: values of a program, and the axes that torch dropped."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from numbers import Integral, Real
from typing import Any

from torch import fx

from symop.frames import SCALAR, dropped_dims, join
from symop.operations import Operations
from symop.parsing import expand
from symop.program import Builder
from symop.recording import Tracer
from symop.scope import Scope
from symop.syntax import Source

KEEP = "use keepdim=True there"


@dataclass(frozen=True)
class Traced:
    """A traced value; `dropped` when torch has taken the reduced axes out of its shape."""

    node: int
    dropped: bool = False


class Operands(Operations):
    """Reads the operands of calls of a graph."""

    def __init__(self, scope: Scope, source: Source, tracer: Tracer) -> None:
        super().__init__(scope, source)
        self.tracer = tracer
        self.place = tracer.who
        self.values: dict[fx.Node, Traced | list[Traced]] = {}

    def expanded(self, text: str, values: Mapping[str, int], builder: Builder | None = None) -> int:
        """The node of a formula of the function table, its names standing for nodes."""
        return expand(builder or self.builder, text, values)

    def refuse(self, message: str, place: Any = None) -> int:
        """Report a problem at the call that is being read; a stand-in for the value."""
        return super().refuse(f"{self.place}: {message}", None)

    def refused(self, message: str) -> Traced:
        """Report a problem; a stand-in for the value."""
        return Traced(self.refuse(message))

    def number(self, item: Any) -> Traced:
        """An operand as a real value: a traced one, or a number."""
        if isinstance(item, fx.Node):
            value = self._traced(item, is_mask=False)
            if self.builder.nodes[value.node].is_condition:
                hint = "write torch.where(condition, 1.0, 0.0)"
                return self.refused(f"a condition is used as a number; {hint}")
            return value
        if isinstance(item, Integral) and not isinstance(item, bool):
            return Traced(self.bounded(Fraction(int(item)), None))
        if isinstance(item, Fraction):
            return Traced(self.bounded(item, None))
        if isinstance(item, Real) and not isinstance(item, bool):
            number = float(item)
            if not math.isfinite(number):
                return self.refused(f"{number} is no finite number")
            if abs(number) == math.pi:
                pi = self.builder.apply("pi")
                return Traced(pi if number > 0 else self.negated(pi))
            return Traced(self.builder.constant(Fraction(repr(number))))
        return self.refused(f"{ascii(item)[:40]} stands where a tensor or a number is expected")

    def condition(self, item: Any) -> Traced:
        """An operand as a condition: a comparison, or a mask."""
        if not isinstance(item, fx.Node):
            return self._no_condition()
        value = self._traced(item, is_mask=True)
        return value if self.builder.nodes[value.node].is_condition else self._no_condition()

    def _no_condition(self) -> Traced:
        self.refuse("a number stands where a condition is expected; compare it, as in x > 0")
        zero = self.builder.constant(0)
        return Traced(self.builder.apply("eq", zero, zero))

    def _traced(self, item: fx.Node, is_mask: bool) -> Traced:
        if item.op == "placeholder":
            name = str(item.target)
            known = self.scope.lookup(name)
            return Traced(self.scope.argument(name, is_mask) if known is None else known)
        value = self.values[item]
        if isinstance(value, list):
            return self.refused("an op with several outputs is used as one value; unpack it")
        return value

    def together(self, operands: Sequence[Traced]) -> bool:
        """Whether the result of an elementwise operation lacks axes that were reduced.

        A value that lacks axes lines up with another only where that lacks the same ones.
        """
        shaped = [v for v in operands if self.builder.frame(v.node) != SCALAR]
        if not any(v.dropped for v in shaped):
            return False
        frames = {self.builder.frame(v.node) for v in shaped}
        aligned = len(frames) == 1 or dropped_dims(join(frames)) is not None
        if not aligned or not all(v.dropped for v in shaped):
            self.refuse(f"a reduction that drops its axis meets a tensor of another shape; {KEEP}")
        return True

    def combined(self, index: int, *operands: Traced) -> Traced:
        """The result of an elementwise operation on the operands."""
        return Traced(index, self.together(operands))
