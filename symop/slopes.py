"""The derivatives of single operations, which both directions of differentiation share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

from symop.algebra import Derivation
from symop.frames import Frame
from symop.functions import table
from symop.parsing import expand
from symop.program import Node, Program


def slopes(
    build: Derivation, index: int, node: Node, active: list[bool]
) -> Iterator[tuple[int, int]]:
    """The partial derivative of an operation by each active operand."""
    if node.op == "stop":
        return
    if node.op == "ipow":
        exponent = int(node.value or 0)
        lower = build.power(node.operands[0], exponent - 1)
        yield node.operands[0], build.mul(build.constant(exponent), lower)
        return
    function = table()[node.op]
    assert function.derivatives is not None, f"{node.op} was not expanded"
    values = dict(zip(function.parameters, node.operands, strict=True)) | {"result": index}
    for operand, text in zip(node.operands, function.derivatives, strict=True):
        if active[operand]:
            with build.quoting():
                slope = expand(build, text, values)
            yield operand, slope


def repeated(nodes: Sequence[Node], a: int, b: int) -> tuple[int, int | None]:
    """How often the product of a and b holds the factor b, and what else it holds.

    (c*x)*x moves with x by 2*(c*x): two contributions would be rounded apart and added.
    """
    count, rest = 1, a
    while rest != b and nodes[rest].op == "mul" and b in nodes[rest].operands:
        first, second = nodes[rest].operands
        count, rest = count + 1, first if second == b else second
    return (count + 1, None) if rest == b else (count, rest)


def hits(build: Derivation, index: int, node: Node) -> tuple[int, int]:
    """Which elements are the extremum of their group, and how many they are."""
    hit = build.apply("eq", node.operands[0], index)
    assert node.source is not None
    one = build.where(hit, build.constant(1), build.constant(0))
    return hit, build.reduce("sum", one, node.source, node.frame, node.dims)


def prod_others(
    build: Derivation,
    source: Frame,
    dims: tuple[int, ...] | None,
    target: Frame,
    operands: tuple[int, ...],
) -> int:
    """For each element, the product of the others of its group.

    With vectors v1..vk beside e: the sum, over distinct other elements i1..ik, of
    v1[i1]...vk[ik] times the product of the rest. The family is closed under
    differentiation, and right where elements are zero.
    """
    if any(build.value(operand) == 0 for operand in operands[1:]):
        return build.constant(0)
    first, *vectors = operands
    ordered = (first, *sorted(vectors))
    return build.put(Node("prod_others", ordered, source, source=source, target=target, dims=dims))


def active_nodes(program: Program, names: set[str]) -> list[bool]:
    """Which nodes depend differentiably on one of the named arguments."""
    active: list[bool] = []
    for node in program.nodes:
        if node.op == "argument":
            active.append(node.value in names)
        elif node.is_condition or node.op == "stop":
            active.append(False)
        else:
            active.append(any(active[o] for o in node.operands) and not _is_flat(node.op))
    return active


@cache
def _is_flat(op: str) -> bool:
    """Whether a function has zero derivatives by convention, as floor has."""
    function = table().get(op)
    return function is not None and set(function.derivatives or ("",)) == {"0"}
