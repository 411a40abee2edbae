"""Choices between two quotients as one quotient, since a kernel computes both sides."""

from __future__ import annotations

from dataclasses import replace

from symop.program import Builder, Program, readers, with_operands, without_dead_nodes


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
