"""What the sums of a loop add up for one element: its operations, and what they cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from symop.program import ARITHMETIC, Builder, Node, fixed, needed, with_operands

# Makes the node of an index otherwise, given where those before it are; None where it stays.
Change = Callable[[Builder, int, list[int]], "int | None"]


@dataclass(frozen=True)
class Summed:
    """What sums add up.

    nodes: the body of the loop.
    roots: the nodes that are added.
    uniform: the inputs of one element.
    """

    nodes: tuple[Node, ...]
    roots: tuple[int, ...]
    uniform: frozenset[str]

    def reads(self) -> list[int]:
        """How often each node is read by what is computed."""
        reads = [0] * len(self.nodes)
        for is_alive, node in zip(needed(self.nodes, self.roots), self.nodes, strict=True):
            for operand in node.operands if is_alive else ():
                reads[operand] += 1
        for root in self.roots:
            reads[root] += 1
        return reads

    def decided(self) -> list[bool]:
        """Which nodes conditions and functions depend on.

        They keep their roundings, so that kinks lie where they lie in other kernels.
        """
        living = [k for k, is_alive in enumerate(needed(self.nodes, self.roots)) if is_alive]
        others = (self.nodes[k] for k in living if self.nodes[k].op not in ARITHMETIC)
        return needed(self.nodes, (operand for node in others for operand in node.operands))

    def cost(self) -> int:
        """What an element costs, in halves of a multiplication.

        Processors have units for additions beside those for products, and a product in a sum is
        one operation with it.
        """
        reads, same = self.reads(), fixed(self.nodes, self.uniform)
        squares = {n.operands for k, n in enumerate(self.nodes) if reads[k] and n.is_square}

        def is_fused(index: int) -> bool:
            node = self.nodes[index]
            is_product = node.op == "mul" or node.is_square
            return is_product and reads[index] == 1 and index not in same

        total = sum(not is_fused(root) for root in self.roots)
        for index, node in enumerate(self.nodes):
            if not reads[index] or index in same:
                continue
            if node.op in ("add", "sub"):
                total += not any(is_fused(operand) for operand in node.operands)
            elif node.op == "ipow":
                n = abs(int(node.value or 0))
                from_square = n == 3 and node.operands in squares
                total += 2 * (1 if from_square else n.bit_length() + n.bit_count() - 2)
            else:
                total += {"neg": 1, "mul": 2, "div": 8}.get(node.op, 0)
        return total

    def rebuilt(self, change: Change) -> Summed:
        """The body with some nodes made otherwise."""
        build = Builder()
        place: list[int] = []
        for index, node in enumerate(self.nodes):
            made = change(build, index, place)
            if made is None:
                made = build.put(with_operands(node, tuple(place[o] for o in node.operands)))
            place.append(made)
        roots = tuple(place[root] for root in self.roots)
        return replace(self, nodes=tuple(build.nodes), roots=roots)
