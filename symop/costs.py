"""What an op costs: operations, bytes and saved tensors, beside autograd operation by operation."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from symop.backends.torch import lowered
from symop.differentiation import vjp
from symop.frames import Frame, has_reduction, renamed
from symop.frames import arguments as names_in
from symop.loops import schedule
from symop.lowering import operation_count
from symop.planning import Plan
from symop.program import (
    ARITHMETIC,
    LEAVES,
    Argument,
    Builder,
    Node,
    Output,
    Program,
    is_sum_to_argument,
    needed,
    without_dead_nodes,
)
from symop.slopes import active_nodes
from symop.tidying import tidy

# Of a number in float32.
_BYTES = 4


@dataclass(frozen=True)
class Costs:
    """What one way of computing an op costs, for arguments of one shape.

    forward, backward: operations an element; backward computes all gradients.
    forward_bytes, backward_bytes: what is read and written of tensors of that shape, in bytes an
        element in float32; what is reduced, and numbers, count for nothing beside it.
    saved: how many tensors are kept from forward to backward.
    """

    forward: int
    backward: int
    forward_bytes: int
    backward_bytes: int
    saved: int


def fused_costs(plan: Plan) -> Costs:
    """The costs of an op: each loop reads what it needs once, and writes its results."""
    forward = lowered(plan.program)
    backward = lowered(_without_sums_to_shapes(plan.gradient))
    return Costs(
        operation_count(forward), operation_count(backward), _BYTES * _passed(forward),
        _BYTES * _passed(backward), len(plan.saved),
    )  # fmt: skip


def _passed(program: Program) -> int:
    """How many tensors of full shape are read or written by the loops of a program."""
    # What is passed on as it is moves nothing.
    changed = tuple(o for o in program.outputs if program.nodes[o.node].op not in LEAVES)
    program = _of_one_shape(without_dead_nodes(replace(program, outputs=changed)))
    routine = schedule(program)
    if routine is None:
        read = _names_read(program)
        frames = [a.frame for a in program.arguments if a.name in read]
        return sum(map(_is_full, [*frames, *(o.frame for o in program.outputs)]))
    return sum(
        sum(_is_full(a.frame) for a in loop.inputs) + sum(_is_full(r.frame) for r in loop.results)
        for loop in routine.loops
    )


def _of_one_shape(program: Program) -> Program:
    """The program when all of its arguments have the same shape."""
    known = {name for a in program.arguments for name in names_in(a.frame)}
    known |= {name for n in program.nodes for name in names_in(n.frame)}

    def alike(frame: Frame | None) -> Frame:
        return renamed(frame or (), dict.fromkeys(known, ("x",)))

    return replace(
        program,
        arguments=tuple(replace(a, frame=alike(a.frame)) for a in program.arguments),
        nodes=tuple(
            replace(
                n,
                frame=alike(n.frame),
                source=None if n.source is None else alike(n.source),
                target=None if n.target is None else alike(n.target),
            )
            for n in program.nodes
        ),
        outputs=tuple(replace(o, frame=alike(o.frame)) for o in program.outputs),
    )


def _is_full(frame: Frame) -> bool:
    return bool(frame) and not has_reduction(frame)


def separate_costs(written: Program) -> Costs:
    """The costs of a formula as it was written, one operation at a time, as autograd does it."""
    program = lowered(written)
    backward, moved, kept = _operation_by_operation(program)
    mark = needed(program.nodes, (output.node for output in program.outputs))
    read = sum(
        _moved(program, node)
        for node, alive in zip(program.nodes, mark, strict=True)
        if alive and node.op not in LEAVES and node.op != "stop"
    )
    return Costs(operation_count(program), backward, _BYTES * read, _BYTES * moved, kept)


def _moved(program: Program, node: Node) -> int:
    """How many tensors of full shape one operation reads and writes."""
    operands = [program.nodes[o] for o in dict.fromkeys(node.operands)]
    read = sum(_is_full(o.frame) for o in operands if o.op not in ("constant", "pi", "count"))
    return read + _is_full(node.frame)


def _without_sums_to_shapes(gradient: Program) -> Program:
    """The gradient when nothing was broadcast."""
    outputs = tuple(
        replace(o, node=gradient.nodes[o.node].operands[0]) if is_sum_to_argument(gradient, o)
        else o
        for o in gradient.outputs
    )  # fmt: skip
    return without_dead_nodes(replace(gradient, outputs=outputs))


def _operation_by_operation(program: Program) -> tuple[int, int, int]:
    """The operations of a gradient that knows one operation at a time; what it moves and keeps."""
    active = active_nodes(program, {a.name for a in program.arguments if not a.is_mask})
    total, moved, kept = 0, 0, set()
    flows: Counter[int] = Counter()
    for index, node in enumerate(program.nodes):
        if not active[index] or node.op in LEAVES:
            continue
        operands = [program.nodes[o] for o in node.operands]
        which = tuple(active[o] for o in node.operands)
        fixed = tuple(o.op in ("constant", "pi") for o in operands)
        if node.source is not None:
            operations, read = _REDUCTION_GRADIENTS.get(node.op, (2, (0, -1)))
            moved += 2 * operations * _is_full(operands[0].frame)
        else:
            full = tuple(_is_full(o.frame) for o in operands)
            operations, passed, read = _single_gradient(node.op, node.value, which, full)
            moved += passed
        total += operations
        kept |= {index if k < 0 else node.operands[k] for k in read if k < 0 or not fixed[k]}
        flows.update(o for o, moves in zip(node.operands, which, strict=True) if moves)
    # Where several gradients reach one value, they are added.
    for index, count in flows.items():
        total += count - 1
        moved += 3 * (count - 1) * _is_full(program.nodes[index].frame)
    return total, moved, len(kept)


# Operations of the gradient of a reduction, and what it reads: operands, or -1 for the result.
_REDUCTION_GRADIENTS: dict[str, tuple[int, tuple[int, ...]]] = {
    "sum": (0, ()),
    "amax": (4, (0, -1)),
    "amin": (4, (0, -1)),
    "prod": (2, (0, -1)),
}


@cache
def _single_gradient(
    op: str, value: Any, active: tuple[bool, ...], full: tuple[bool, ...]
) -> tuple[int, int, tuple[int, ...]]:
    """The gradients of one operation: their operations, what they move, the operands they read.

    active: the operands that have a gradient.
    full: those that are of full shape.
    """
    build = Builder()
    names = [f"x{k}" for k in range(len(active))]
    frame = tuple(n for n, is_full in zip(names, full, strict=True) if is_full)
    arguments = tuple(
        Argument(n, (n,) if is_full else (), is_mask=op == "where" and k == 0)
        for k, (n, is_full) in enumerate(zip(names, full, strict=True))
    )
    operands = tuple(build.argument(argument) for argument in arguments)
    root = build.put(Node(op, operands, frame, value))
    single = Program(arguments, tuple(build.nodes), (Output("result", root, frame),))
    wanted = [n for n, moved in zip(names, active, strict=True) if moved]
    derived = _without_sums_to_shapes(tidy(vjp(single, wanted)))
    again = {n for n in derived.nodes if n.op == op and n.op not in ARITHMETIC}
    read = _names_read(derived) & set(names)
    if again:
        # The result is kept instead of being computed again.
        read = _names_read_without(derived, op)
    low = lowered(derived)
    moved = sum(_moved(low, n) for n in low.nodes if n.op not in LEAVES)
    if again:
        moved -= sum(_moved(derived, n) for n in again)
    count = operation_count(low) - (1 if again else 0)
    places = tuple(k for k, n in enumerate(names) if n in read)
    return count, moved, (*places, -1) if again else places


def _names_read_without(program: Program, op: str) -> set[str]:
    """The arguments that the nodes of other operations read."""
    return {
        str(program.nodes[o].value)
        for node in program.nodes
        if node.op != op
        for o in node.operands
        if program.nodes[o].op in ("argument", "mask")
    }


def _names_read(program: Program) -> set[str]:
    return {str(node.value) for node in program.nodes if node.op in ("argument", "mask")}
