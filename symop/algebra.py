"""A builder for derived expressions: it leaves out terms and factors that do nothing.

Only what symop derives is built with it. What the user wrote keeps its 0*x and x/x.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import reduce

from symop.program import Argument, Builder, Node, Output, Program


class Derivation(Builder):
    """Builds derivatives on top of the nodes of a program."""

    def __init__(self, nodes: Sequence[Node] = ()) -> None:
        super().__init__(nodes)
        self._loose: set[int] = set()
        self._quotes = False

    @contextmanager
    def quoting(self) -> Iterator[None]:
        """While the text of a record is built: it is stable as it stands, and kept so."""
        self._quotes = True
        try:
            yield
        finally:
            self._quotes = False

    def put(self, node: Node) -> int:
        """The index of a node, added when there is none that equals it."""
        size = len(self.nodes)
        index = super().put(node)
        if index == size and not self._quotes:
            self._loose.add(index)
        return index

    def finished(
        self, program: Program, arguments: tuple[Argument, ...], outputs: tuple[Output, ...]
    ) -> Program:
        """The derived program, which keeps the names that the user gave."""
        loose = frozenset(self._loose)
        return Program(arguments, tuple(self.nodes), outputs, program.names, loose)

    def add(self, a: int, b: int) -> int:
        """A + b."""
        p, q = self.value(a), self.value(b)
        if p is not None and q is not None:
            return self.constant(p + q)
        if p == 0 or q == 0:
            return b if p == 0 else a
        if a == b:
            return self.mul(self.constant(2), a)
        if self.nodes[b].op == "neg":
            return self.apply("sub", a, self.nodes[b].operands[0])
        if self.nodes[a].op == "neg":
            return self.apply("sub", b, self.nodes[a].operands[0])
        return self.apply("add", a, b)

    def sub(self, a: int, b: int) -> int:
        """A - b."""
        return self.constant(0) if a == b else self.add(a, self.neg(b))

    def neg(self, a: int) -> int:
        """-a."""
        value = self.value(a)
        if value is not None:
            return self.constant(-value)
        node = self.nodes[a]
        if node.op == "neg":
            return node.operands[0]
        if node.op == "sub":
            return self.apply("sub", node.operands[1], node.operands[0])
        return self.apply("neg", a)

    def mul(self, a: int, b: int) -> int:
        """A * b; a sign is kept outside, a constant on the left."""
        p, q = self.value(a), self.value(b)
        if p is not None and q is not None:
            return self.constant(p * q)
        if q is not None:
            a, b, p, q = b, a, q, p
        if p is not None and p in (0, 1, -1):
            return {0: lambda: a, 1: lambda: b, -1: lambda: self.neg(b)}[int(p)]()
        for factor, other in ((a, b), (b, a)):
            node = self.nodes[factor]
            if node.op == "neg":
                return self.neg(self.mul(node.operands[0], other))
            if node.op == "div" and self.value(node.operands[0]) is not None:
                return self.div(self.mul(node.operands[0], other), node.operands[1])
        if p is not None and self.nodes[b].op == "mul":
            inner = self.value(self.nodes[b].operands[0])
            if inner is not None:
                return self.mul(self.constant(p * inner), self.nodes[b].operands[1])
        return self.apply("mul", a, b)

    def div(self, a: int, b: int) -> int:
        """A / b."""
        p, q = self.value(a), self.value(b)
        if p == 0:
            return a
        if q is not None and q != 0:
            return self.constant(p / q) if p is not None else self.mul(self.constant(1 / q), a)
        for index, place in ((a, 0), (b, 1)):
            node = self.nodes[index]
            if node.op == "neg":
                inner = node.operands[0]
                return self.neg(self.div(inner, b) if place == 0 else self.div(a, inner))
        return self.apply("div", a, b)

    def power(self, a: int, exponent: int) -> int:
        """A to an integer power."""
        if exponent == 0:
            return self.constant(1)
        value = self.value(a)
        if value is not None and (value != 0 or exponent > 0):
            return self.constant(value**exponent)
        return a if exponent == 1 else self.apply("ipow", a, value=exponent)

    def where(self, condition: int, a: int, b: int) -> int:
        """The value of a where the condition holds, of b elsewhere."""
        if a == b:
            return a
        return self.apply("where", condition, a, b)

    def total(self, terms: Iterable[int]) -> int:
        """The sum of the terms, in order."""
        return reduce(self.add, terms, self.constant(0))

    def arithmetic(self, op: str, a: int, b: int) -> int:
        """An arithmetic operation by name."""
        return {"add": self.add, "sub": self.sub, "mul": self.mul, "div": self.div}[op](a, b)
