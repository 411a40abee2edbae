"""The routines of an op as hosts take them: loops as plain tuples of integers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from symop.frames import Frame
from symop.loops import Loop, Routine
from symop.program import Argument, Program, without_dead_nodes

# A routine as plain tuples of integers, which a host in any language takes:
# (number of shapes, frames, tensors, outputs, temporaries, loops, whether temporaries are double)
Data = tuple[Any, ...]


@dataclass(frozen=True)
class Prepared:
    """A routine ready to run: its data, and where its tensors come from.

    inputs: positions among the values that the caller has.
    """

    data: Data
    inputs: tuple[int, ...]


class Routines:
    """The routines of one op on one backend; which kernels run their loops, backends know.

    Args:
        name: the name of the op.
        shapes: the arguments whose shapes decide the frames, in the order of a call.
        lowered: the loops of a program in what the backend spells, None where it lacks something.
        is_precise: whether everything is evaluated in float64.
    """

    def __init__(
        self, name: str, shapes: Sequence[str],
        lowered: Callable[[Program, Sequence[str]], Routine | None], *, is_precise: bool = False,
    ) -> None:  # fmt: skip
        self.name = name
        self.shapes = tuple(shapes)
        self.is_precise = is_precise
        self._lowered = lowered
        self._loops: list[tuple[Routine, Loop]] = []
        self._lock = threading.RLock()

    def routine(
        self, program: Program, values: Sequence[str], *, takes_all: bool = False,
        numbers: Sequence[str] = (),
    ) -> Prepared | None:  # fmt: skip
        """The routine of a program, None where the backend lacks an operation of it.

        Args:
            program: what is computed.
            values: the names of what the caller has.
            takes_all: whether the routine takes all arguments of the program, also those that
                are not read.
            numbers: outputs that are kept in the type that is computed in.
        """
        made = self._lowered(program if takes_all else with_read_arguments(program), numbers)
        if made is None:
            return None
        with self._lock:
            first = len(self._loops)
            self._loops += [(made, loop) for loop in made.loops]
        inputs = tuple(values.index(a.name) for a in made.arguments)
        return Prepared(_data(made, self.shapes, first, self.is_precise, takes_all), inputs)


def with_read_arguments(program: Program) -> Program:
    """The program without what is dead, and without arguments that only lend their shapes."""
    alive = without_dead_nodes(program)
    read = {n.value for n in alive.nodes if n.op in ("argument", "mask")}
    return replace(alive, arguments=tuple(a for a in alive.arguments if a.name in read))


def _data(
    made: Routine, shapes: Sequence[str], first: int, is_precise: bool, takes_all: bool
) -> Data:
    frames: dict[Frame, int] = {}
    texts: list[tuple[Any, ...]] = []

    def index(frame: Frame) -> int:
        if frame not in frames:
            atoms = tuple(
                shapes.index(atom) if isinstance(atom, str) else (index(atom[0]), atom[1])
                for atom in frame
            )
            frames[frame] = len(texts)
            texts.append(atoms)
        return frames[frame]

    for frame in made.frames:
        index(frame)
    names = [a.name for a in made.arguments] + [o.name for o in made.outputs]
    names += [name for name, _ in made.temporaries]
    slot = {name: k for k, name in enumerate(names)}
    copied = {} if takes_all else _copies(made)
    loops = tuple(
        (
            first + k,
            index(loop.frame),
            tuple(slot[a.name] for a in loop.inputs),
            tuple(slot[r.slot] for r in loop.results),
            tuple((index(source), index(target)) for source, target in loop.counts),
        )
        for k, loop in enumerate(made.loops)
    )
    return (
        len(shapes),
        tuple(texts),
        tuple(_tensor(a, index(a.frame)) for a in made.arguments),
        tuple((index(o.frame), int(o.dropped), copied.get(o.name, 0)) for o in made.outputs),
        tuple(index(frame) for _, frame in made.temporaries),
        loops,
        int(is_precise),
    )


def _copies(made: Routine) -> dict[str, int]:
    """Outputs that are a tensor where they are as large as it is: its place plus one, by name.

    As operations do, the gradient of a sum is then the very cotangent. Results of a forward pass
    are never arguments.
    """
    place = {a.name: k + 1 for k, a in enumerate(made.arguments) if not a.is_mask}
    dropped = {o.name for o in made.outputs if o.dropped}
    found = {}
    for loop in made.loops:
        for result in loop.results:
            node = loop.nodes[result.node]
            is_whole = result.combine == "sum" and result.over is None
            if is_whole and node.op == "argument" and result.slot not in dropped:
                argument = place.get(str(node.value), 0)
                if argument and not made.arguments[argument - 1].dropped:
                    found[result.slot] = argument
    return found


def _tensor(argument: Argument, frame: int) -> tuple[int, int, int]:
    return frame, int(argument.dropped), int(argument.is_mask)
