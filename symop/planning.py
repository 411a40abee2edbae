"""What an op computes, saves and returns: its forward, its gradient, and the orders after it.

In: a program. Out: a Plan, the programs of each method of the generated classes with the
decisions about what is kept between them.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from symop.differentiation import vjp
from symop.frames import has_reduction
from symop.lowering import operation_count
from symop.program import (
    Argument,
    Builder,
    Node,
    Program,
    with_operands,
    without_dead_nodes,
)
from symop.tangents import jvp
from symop.tidying import tidy

_UNBOUNDED = 1 << 40

# Arguments times operations of the gradient, beyond which a second order would fill a book.
_LARGE = 3000


@dataclass(frozen=True)
class Plan:
    """One differentiable function; what the orders after the first need is derived when asked for.

    program: its values.
    wanted: the arguments that have a gradient, in order.
    saved: the arguments and outputs kept for the gradient.
    gradient: the gradients of `wanted`, as a program of the saved values and the cotangents.
    uses: for each saved value, the positions in `wanted` of the gradients that need it.
    """

    program: Program
    wanted: tuple[str, ...]
    saved: tuple[str, ...]
    gradient: Program
    uses: tuple[frozenset[int], ...]

    def __post_init__(self) -> None:
        assert len(self.saved) == len(self.uses)
        assert {a.name for a in self.gradient.arguments} >= set(self.saved)

    @cached_property
    def _is_large(self) -> bool:
        return len(self.wanted) * operation_count(self.gradient) > _LARGE

    @cached_property
    def tangent(self) -> Program:
        """The tangents of the outputs."""
        return tidy(jvp(self.program))

    @cached_property
    def second(self) -> tuple[Program, ...]:
        """The gradient of each output of `gradient`, one program an output.

        An output that was not asked for has no cotangent, and lacks the saved values that its
        part needs. Empty for a large op, whose second order is left to plain operations.
        """
        return () if self._is_large else _second_order(self.gradient)

    @cached_property
    def gradient_tangent(self) -> Program:
        """The tangents of the outputs of `gradient`; for a large op, `gradient` itself."""
        return self.gradient if self._is_large else tidy(jvp(self.gradient))

    @cached_property
    def totals(self) -> tuple[str, ...]:
        """Cotangents to whose gradient several parts of `second` contribute."""
        times = Counter(output.of for part in self.second for output in part.outputs)
        names = [a.name for a in self.gradient.arguments]
        # A cotangent is always there, so that the sum of its parts can begin as zeros.
        return tuple(n for n in names if n not in self.saved and times[n] > 1)

    @cached_property
    def kept(self) -> tuple[str, ...]:
        """The arguments of `gradient` that its own derivatives read."""
        read = {n for p in (*self.second, self.gradient_tangent) for n in _read(p)}
        names = [a.name for a in self.gradient.arguments]
        return tuple(n for n in names if n in read or n in self.totals)


def plan(program: Program) -> Plan:
    """The plan of a program, its derivatives tidied and its saved values chosen."""
    wanted = [a.name for a in program.arguments if not a.is_mask and a.name in _read(program)]
    if not wanted:
        # A constant still is an operator of its arguments; their gradient is zero.
        wanted = [a.name for a in program.arguments if not a.is_mask][:1]
    saved, gradient = _cut(program, tidy(vjp(program, wanted)))
    return Plan(program, tuple(wanted), saved, gradient, _uses(gradient, saved))


def _read(program: Program) -> set[str]:
    """The names of the arguments that a program reads."""
    return {str(node.value) for node in program.nodes if node.op in ("argument", "mask")}


def _second_order(gradient: Program) -> tuple[Program, ...]:
    parts = []
    for output in gradient.outputs:
        single = without_dead_nodes(replace(gradient, outputs=(output,)))
        read = {str(node.value) for node in single.nodes if node.op == "argument"}
        parts.append(tidy(vjp(single, read)))
    return tuple(parts)


def _uses(gradient: Program, saved: Sequence[str]) -> tuple[frozenset[int], ...]:
    """For each saved value, the positions of the outputs that depend on it."""
    bit = {name: 1 << position for position, name in enumerate(saved)}
    depends: list[int] = []
    for node in gradient.nodes:
        own = bit.get(str(node.value), 0) if node.op in ("argument", "mask") else 0
        for operand in node.operands:
            own |= depends[operand]
        depends.append(own)
    return tuple(
        frozenset(k for k, o in enumerate(gradient.outputs) if depends[o.node] & bit[name])
        for name in saved
    )


def _cut(program: Program, full: Program) -> tuple[tuple[str, ...], Program]:
    """Choose what is saved; the gradient as a program of that and of the cotangents.

    The saved values are a minimum vertex cut between the arguments and the gradients, in
    which only arguments and outputs may be cut.
    """
    arguments = {
        str(node.value): index
        for index, node in enumerate(full.nodes)
        if node.op in ("argument", "mask")
    }
    located = _locate(program, full)
    primal = [a.name for a in program.arguments]
    candidates: dict[int, tuple[str, int]] = {}
    # Of derivatives, a gradient may be named like an output of the program itself.
    results = {output.name for output in full.outputs}
    for output in program.outputs:
        index = located.get(output.node)
        node = program.nodes[output.node]
        # An output is expanded or loses axes on its way out; only a plain one is the node.
        plain = not output.dropped and output.frame == node.frame and output.name not in results
        if index is not None and plain and node.op not in ("argument", "constant"):
            small = has_reduction(node.frame) or not node.frame
            candidates[index] = (output.name, 11 if small else 1001)
    for name in primal:
        if name in arguments:
            candidates[arguments[name]] = (name, 1000)
    sources = [arguments[name] for name in primal if name in arguments]
    sinks = [output.node for output in full.outputs]
    weights = {index: weight for index, (_, weight) in candidates.items()}
    chosen = _minimum_cut(full.nodes, sources, sinks, weights)
    order = [*primal, *(o.name for o in program.outputs)]
    saved = sorted((candidates[index][0] for index in chosen), key=order.index)
    return tuple(saved), _opened(program, full, {candidates[i][0]: i for i in chosen}, saved)


def _locate(program: Program, full: Program) -> dict[int, int]:
    """Where the nodes of a program stand in a program that repeats them."""
    known = {node: index for index, node in enumerate(full.nodes)}
    place: dict[int, int] = {}
    for index, node in enumerate(program.nodes):
        if all(operand in place for operand in node.operands):
            found = known.get(with_operands(node, tuple(place[o] for o in node.operands)))
            if found is not None:
                place[index] = found
    return place


def _opened(
    program: Program, full: Program, chosen: dict[str, int], saved: Sequence[str]
) -> Program:
    """The gradient with the chosen nodes turned into arguments."""
    outputs = {output.name: output for output in program.outputs}
    primal = {a.name: a for a in program.arguments}
    arguments = []
    for name in saved:
        if name in primal:
            arguments.append(primal[name])
        else:
            arguments.append(Argument(name, outputs[name].frame))
    cotangents = [a for a in full.arguments if a.name not in primal]
    build = Builder()
    place: list[int] = []
    by_index = {index: name for name, index in chosen.items()}
    for index, node in enumerate(full.nodes):
        cut = by_index.get(index)
        if cut is not None and cut not in primal:
            argument = next(a for a in arguments if a.name == cut)
            place.append(build.argument(argument))
        else:
            operands = tuple(place[o] for o in node.operands)
            place.append(build.put(with_operands(node, operands)))
    results = tuple(replace(o, node=place[o.node]) for o in full.outputs)
    names = tuple(sorted({place[i]: n for i, n in full.names if n not in chosen}.items()))
    # Arguments that are not saved are read by nodes that are dead now; they go with them.
    everything = (*arguments, *cotangents, *(a for n, a in primal.items() if n not in saved))
    opened = without_dead_nodes(Program(everything, tuple(build.nodes), results, names))
    return replace(opened, arguments=(*arguments, *cotangents))


def _minimum_cut(
    nodes: Sequence[Node], sources: Sequence[int], sinks: Sequence[int], weights: dict[int, int]
) -> set[int]:
    """The lightest set of weighted nodes that every path from a source to a sink meets.

    Maximum flow by shortest augmenting paths; each node is split into an entry (2*i) and an
    exit (2*i + 1), joined by an edge of its weight.
    """
    size = 2 * len(nodes)
    source, sink = size, size + 1
    capacity: list[dict[int, int]] = [{} for _ in range(size + 2)]

    def edge(a: int, b: int, weight: int) -> None:
        capacity[a][b] = capacity[a].get(b, 0) + weight
        capacity[b].setdefault(a, 0)

    for index, node in enumerate(nodes):
        edge(2 * index, 2 * index + 1, weights.get(index, _UNBOUNDED))
        for operand in set(node.operands):
            edge(2 * operand + 1, 2 * index, _UNBOUNDED)
    for index in sources:
        edge(source, 2 * index, _UNBOUNDED)
    for index in set(sinks):
        edge(2 * index + 1, sink, _UNBOUNDED)
    while True:
        before = _reach(capacity, source)
        if sink not in before:
            break
        path, at = [], sink
        while at != source:
            path.append((before[at], at))
            at = before[at]
        flow = min(capacity[a][b] for a, b in path)
        for a, b in path:
            capacity[a][b] -= flow
            capacity[b][a] += flow
    return {i for i in weights if 2 * i in before and 2 * i + 1 not in before}


def _reach(capacity: list[dict[int, int]], source: int) -> dict[int, int]:
    before = {source: source}
    queue = deque([source])
    while queue:
        at = queue.popleft()
        for following, left in capacity[at].items():
            if left > 0 and following not in before:
                before[following] = at
                queue.append(following)
    return before
