"""From a lowered program to fused loops: what a kernel computes in one pass over its data.

A loop runs over one frame. It reads its inputs, computes elementwise, and stores or reduces
what later loops or the caller need; nothing else is ever written. A value that lies between
two reductions is computed again in each loop that needs it, which costs less than memory.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from symop.frames import Frame
from symop.program import (
    LEAVES,
    REDUCTIONS,
    Argument,
    Node,
    Output,
    Program,
    needed,
    readers,
    with_operands,
)

Count = tuple[Frame, Frame]


@dataclass(frozen=True)
class Result:
    """What a loop leaves behind.

    slot: the name of the output or temporary that it is written to.
    node: the node of the body that is stored or reduced.
    frame: the frame of the slot; the axes that the loop's frame has beyond it are reduced.
    combine: "sum", "prod", "amax" or "amin", for a value that is stored as it is too.
    over: a count that a sum is divided by, as in a mean.
    """

    slot: str
    node: int
    frame: Frame
    combine: str = "sum"
    over: Count | None = None


@dataclass(frozen=True)
class Loop:
    """One pass over a frame.

    inputs: what is read, arguments of the program and results of earlier loops.
    nodes: the body, in an order of evaluation; elementwise, its leaves are inputs, constants
        and counts.
    counts: the counts that the body and the results use, numbers known at run time.
    """

    frame: Frame
    inputs: tuple[Argument, ...]
    nodes: tuple[Node, ...]
    results: tuple[Result, ...]
    counts: tuple[Count, ...]


@dataclass(frozen=True)
class Routine:
    """A program as loops.

    arguments: the tensors that are passed in.
    outputs: what is returned; each is a slot.
    temporaries: slots between loops, with their frames.
    numbers: outputs that are kept, as temporaries are, in the type that is computed in.
    """

    arguments: tuple[Argument, ...]
    outputs: tuple[Output, ...]
    temporaries: tuple[tuple[str, Frame], ...]
    loops: tuple[Loop, ...]
    numbers: frozenset[str] = frozenset()

    @property
    def frames(self) -> tuple[Frame, ...]:
        """The frames that the routine speaks of, in order of first mention."""
        found = [a.frame for a in self.arguments] + [o.frame for o in self.outputs]
        found += [frame for _, frame in self.temporaries]
        for loop in self.loops:
            found.append(loop.frame)
            found += [frame for count in loop.counts for frame in count]
        return tuple(dict.fromkeys(found))


def schedule(program: Program) -> Routine | None:
    """The loops of a lowered program; None where it has an operation that no loop can do."""
    if any(node.op == "prod_others" for node in program.nodes):
        return None
    return _Schedule(program).run()


class _Schedule:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.nodes = program.nodes
        self.alive = needed(program.nodes, (o.node for o in program.outputs))
        self.reads = readers(program.nodes, program.outputs)
        self.means = self._means()
        self.level = self._levels()
        names = {a.name for a in program.arguments} | {o.name for o in program.outputs}
        self.prefix = "t"
        while any(name.startswith(self.prefix) for name in names):
            self.prefix += "_"
        self.temporaries: dict[int, Argument] = {}

    def _means(self) -> dict[int, int]:
        """Divisions of a sum by a count, which belong to the sum: {division: sum}."""
        found = {}
        for index, node in enumerate(self.nodes):
            if node.op == "div" and self.alive[index]:
                a, b = node.operands
                is_sum = self.nodes[a].op == "sum" and self.reads[a] == 1
                if is_sum and self.nodes[b].op == "count":
                    found[index] = a
        return found

    def _levels(self) -> list[int]:
        """How many reductions lie behind each node, at most."""
        level: list[int] = []
        for index, node in enumerate(self.nodes):
            behind = max((level[o] for o in node.operands), default=0)
            level.append(behind + (node.op in REDUCTIONS) if index not in self.means else behind)
        return level

    def run(self) -> Routine:
        """Group what is to be written by level and frame, one loop a group."""
        groups: dict[tuple[int, Frame], list[Result]] = {}
        inside = set(self.means.values())
        outputs = {o.node: o for o in reversed(self.program.outputs)}
        direct: set[str] = set()
        for index, node in enumerate(self.nodes):
            is_mean = index in self.means
            if not self.alive[index] or index in inside:
                continue
            if node.op not in REDUCTIONS and not is_mean:
                continue
            reduction = self.nodes[self.means[index]] if is_mean else node
            source = reduction.source or ()
            divisor = self.nodes[node.operands[1]] if is_mean else None
            over = (divisor.source or (), divisor.target or ()) if divisor else None
            output = outputs.get(index)
            if output and self.reads[index] == 1 and output.frame == node.frame:
                slot = output.name
                direct.add(slot)
            else:
                slot = f"{self.prefix}{len(self.temporaries) + 1}"
                self.temporaries[index] = Argument(slot, node.frame)
            result = Result(slot, reduction.operands[0], node.frame, reduction.op, over)
            groups.setdefault((self.level[index] - 1, source), []).append(result)
        for output in self.program.outputs:
            if output.name not in direct:
                key = (self.level[output.node], output.frame)
                result = Result(output.name, output.node, output.frame)
                groups.setdefault(key, []).append(result)
        order = sorted(groups, key=lambda key: key[0])
        loops = tuple(self._loop(key[1], groups[key]) for key in order)
        slots = tuple((a.name, a.frame) for a in self.temporaries.values())
        return Routine(self.program.arguments, self.program.outputs, slots, loops)

    def _loop(self, frame: Frame, results: list[Result]) -> Loop:
        alive: set[int] = set()
        stack = [result.node for result in results]
        while stack:
            index = stack.pop()
            if index not in alive:
                alive.add(index)
                if index not in self.temporaries:
                    stack.extend(self.nodes[index].operands)
        place: dict[int, int] = {}
        nodes: list[Node] = []
        inputs: dict[str, Argument] = {}
        counts: list[Count] = []
        for index in sorted(alive):
            node = self.nodes[index]
            if index in self.temporaries:
                temporary = self.temporaries[index]
                inputs[temporary.name] = temporary
                node = Node("argument", frame=temporary.frame, value=temporary.name)
            elif node.op in ("argument", "mask"):
                inputs[str(node.value)] = self.program.argument(str(node.value))
            elif node.op == "count":
                counts.append((node.source or (), node.target or ()))
            place[index] = len(nodes)
            kept = () if node.op in LEAVES else tuple(place[o] for o in node.operands)
            nodes.append(with_operands(node, kept))
        counts += [r.over for r in results if r.over and r.over not in counts]
        placed = tuple(replace(result, node=place[result.node]) for result in results)
        return Loop(frame, tuple(inputs.values()), tuple(nodes), placed, tuple(counts))
