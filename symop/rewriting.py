"""Named rewrites of what the user wrote, as a table of records.

A rewrite never changes the convention of the function that was written, nor the value where
the plain formula is right; each record says where it holds and what it is for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from symop.program import Builder, Node, Program, with_operands, without_dead_nodes

Nodes = Sequence[Node]


@dataclass(frozen=True)
class Rewrite:
    """One rewrite of a node.

    name: what reports call it.
    applies: whether the node, given the nodes before it, has the pattern.
    op: the function that takes the place of that of the node, on the same operands.
    valid: where the two sides agree.
    why: what is gained.
    """

    name: str
    applies: Callable[[Nodes, Node], bool]
    op: str
    valid: str
    why: str


def _is_square(nodes: Nodes, index: int) -> bool:
    node = nodes[index]
    if node.op == "ipow":
        return int(node.value or 0) > 0 and int(node.value or 0) % 2 == 0
    return node.op == "mul" and node.operands[0] == node.operands[1]


def _is_sum_of_squares(nodes: Nodes, index: int) -> bool:
    node = nodes[index]
    if node.op == "add":
        return all(_is_sum_of_squares(nodes, operand) for operand in node.operands)
    if node.op == "sum":
        return _is_sum_of_squares(nodes, node.operands[0])
    if node.op == "div" and nodes[node.operands[1]].op in ("count", "constant"):
        return _is_sum_of_squares(nodes, node.operands[0])
    return _is_square(nodes, index)


REWRITES = (
    Rewrite(
        name="root of a sum of squares",
        applies=lambda nodes, node: (
            node.op == "sqrt" and _is_sum_of_squares(nodes, node.operands[0])
        ),
        op="root",
        valid="everywhere",
        why="the gradient at zero is 0, as torch has it for a norm, where that of sqrt is NaN",
    ),
)


def rewrite(program: Program) -> Program:
    """The program with every rewrite carried out that applies."""
    build = Builder()
    place: list[int] = []
    for node in program.nodes:
        moved = with_operands(node, tuple(place[o] for o in node.operands))
        for rule in REWRITES:
            if rule.applies(build.nodes, moved):
                moved = replace(moved, op=rule.op)
        place.append(build.put(moved))
    outputs = tuple(replace(o, node=place[o.node]) for o in program.outputs)
    names = tuple(sorted({place[i]: n for i, n in program.names}.items()))
    return without_dead_nodes(Program(program.arguments, tuple(build.nodes), outputs, names))
