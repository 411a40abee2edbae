"""What lowering leaves that costs a kernel of Triton more than it should.

A kernel computes both sides of a choice, and in float32 terms that are too small for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

from symop.loops import Loop
from symop.program import Builder, Node, Program, readers, with_operands, without_dead_nodes

# Half the least subnormal number of float32, and what rounds to infinity.
_LEAST, _MOST = Fraction(1, 2**150), Fraction(2**128 - 2**103)


def with_fewer_divisions(program: Program) -> Program:
    """The program with `where(c, a/b, p/q)` as `where(c, a, p)/where(c, b, q)`.

    A choice takes one instruction, a division that is rounded once ten and a subroutine. The bits
    are the same. Products with such quotients are taken apart likewise.
    """
    nodes, build = program.nodes, Builder()
    reads = readers(nodes, program.outputs)
    place: list[int] = []

    def is_quotient(index: int) -> bool:
        node = nodes[index]
        is_one = node.op == "div" and reads[index] == 1
        # By a number that is known, a division may be a product.
        return is_one and nodes[node.operands[1]].op != "constant"

    def choice(condition: int, a: int, b: int) -> int:
        if place[a] == place[b]:
            return place[a]
        return build.apply("where", condition, place[a], place[b])

    def merged(condition: int, a: int, b: int) -> int | None:
        p, q = nodes[a].operands, nodes[b].operands
        if is_quotient(a) and is_quotient(b):
            return build.apply("div", choice(condition, p[0], q[0]), choice(condition, p[1], q[1]))
        if nodes[a].op == nodes[b].op == "mul" and reads[a] == reads[b] == 1:
            for i, j in ((1, 1), (0, 0), (0, 1), (1, 0)):
                if is_quotient(p[i]) and is_quotient(q[j]):
                    quotient = merged(condition, p[i], q[j])
                    assert quotient is not None
                    return build.apply("mul", choice(condition, p[1 - i], q[1 - j]), quotient)
        return None

    for node in nodes:
        found = merged(place[node.operands[0]], *node.operands[1:]) if node.op == "where" else None
        if found is None:
            found = build.put(with_operands(node, tuple(place[o] for o in node.operands)))
        place.append(found)
    outputs = tuple(replace(output, node=place[output.node]) for output in program.outputs)
    return without_dead_nodes(Program(program.arguments, tuple(build.nodes), outputs))


def for_float32(loop: Loop) -> Loop:
    """The loop without terms of sums whose factor float32 takes for zero.

    A series that serves float64 goes further than float32 has numbers for.
    """
    build = Builder()
    place: list[int] = []
    is_tiny: list[bool] = []
    for node in loop.nodes:
        first, *others = [(place[o], is_tiny[o]) for o in node.operands] or [(0, False)]
        match node.op:
            case "add" | "sub" if first[1] or others[0][1]:
                kept = others[0][0] if first[1] else first[0]
                if first[1] and not others[0][1] and node.op == "sub":
                    kept = build.apply("neg", kept)
                place.append(kept)
                is_tiny.append(first[1] and others[0][1])
            case _:
                place.append(build.put(with_operands(node, tuple(place[o] for o in node.operands))))
                is_tiny.append(_is_tiny(node, is_tiny, loop.nodes.__getitem__))
    results = tuple(replace(result, node=place[result.node]) for result in loop.results)
    return replace(loop, nodes=tuple(build.nodes), results=results)


def _is_tiny(node: Node, is_tiny: list[bool], at: Callable[[int], Node]) -> bool:
    """Whether float32 takes a constant, or a factor of a product, for zero."""
    match node.op:
        case "constant":
            value = abs(Fraction(node.value or 0))
            return 0 < value <= _LEAST
        case "mul":
            return any(is_tiny[o] for o in node.operands)
        case "div":
            divisor = at(node.operands[1])
            is_huge = divisor.op == "constant" and abs(Fraction(divisor.value or 0)) >= _MOST
            return is_tiny[node.operands[0]] or is_huge
        case "neg":
            return is_tiny[node.operands[0]]
        case _:
            return False
