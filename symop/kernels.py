"""The kernels of an op: routines as hosts take them, and variants built when first needed."""

from __future__ import annotations

import ctypes
import threading
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from symop.backends.cpu import DTYPES, Variant, kernel_source, routine
from symop.building import loaded
from symop.errors import BuildError
from symop.frames import Frame
from symop.loops import Loop, Routine
from symop.program import Argument, Program, without_dead_nodes
from symop.rendering import template_folder

# A routine as plain tuples of integers, which a host in any language takes:
# (number of shapes, frames, tensors, outputs, temporaries, loops, whether temporaries are double)
Data = tuple[Any, ...]

# Address of a kernel, by (loop, dtype, uniform bits, reduced bits, wanted bits).
Key = tuple[int, int, int, int, int]

_KERNEL = ctypes.CFUNCTYPE(
    ctypes.c_int64, ctypes.c_int64, *[ctypes.c_void_p] * 4
)  # fmt: skip


@dataclass(frozen=True)
class Prepared:
    """A routine ready to run: its data, and where its tensors come from.

    inputs: positions among the values that the caller has.
    """

    data: Data
    inputs: tuple[int, ...]


class Kernels:
    """The kernels of one op, forward and gradient, all dtypes.

    Args:
        name: the name of the op.
        shapes: the arguments whose shapes decide the frames, in the order of a call.
        is_precise: whether everything is evaluated in float64.
    """

    def __init__(self, name: str, shapes: Sequence[str], *, is_precise: bool = False) -> None:
        self.name = name
        self.shapes = tuple(shapes)
        self.is_precise = is_precise
        self._loops: list[tuple[Routine, Loop]] = []
        self._built: dict[Key, int | None] = {}
        self._lock = threading.RLock()

    def routine(
        self, program: Program, values: Sequence[str], *, takes_all: bool = False,
        numbers: Sequence[str] = (),
    ) -> Prepared | None:  # fmt: skip
        """The routine of a program, None where C lacks an operation of it.

        Args:
            program: what is computed.
            values: the names of what the caller has.
            takes_all: whether the routine takes all arguments of the program, also those that
                are not read.
            numbers: outputs that are kept in the type that is computed in.
        """
        made = routine(program if takes_all else with_read_arguments(program), numbers)
        if made is None:
            return None
        with self._lock:
            first = len(self._loops)
            self._loops += [(made, loop) for loop in made.loops]
        inputs = tuple(values.index(a.name) for a in made.arguments)
        return Prepared(_data(made, self.shapes, first, self.is_precise, takes_all), inputs)

    def __call__(self, *key: int) -> int | None:
        """The address of a kernel, None where it cannot be made.

        Args:
            key: the place of the loop, the dtype, and as bits the uniform inputs, the reduced
                results and the wanted results.
        """
        place, dtype, uniform, reduced, wanted = key
        key = (place, dtype, uniform, reduced & wanted, wanted)
        with self._lock:
            if key not in self._built:
                self._built[key] = self._build(*key)
            return self._built[key]

    def _build(self, place: int, dtype: int, uniform: int, reduced: int, wanted: int) -> int | None:
        made, loop = self._loops[place]
        chosen = tuple(k for k in range(len(loop.results)) if wanted >> k & 1)
        variant = Variant(
            DTYPES[dtype],
            tuple(bool(uniform >> k & 1) for k in range(len(loop.inputs))),
            tuple(bool(reduced >> k & 1) for k in chosen),
            chosen,
            self.is_precise,
        )
        try:
            text = kernel_source(self.name, made, loop, variant)
            library = loaded(text)
            ctypes.c_void_p.in_dll(library, "symop_driver").value = _driver()
        except BuildError as error:
            # Known before the warning, which may be made an error.
            self._built[place, dtype, uniform, reduced, wanted] = None
            _warn_once(str(error))
            return None
        return ctypes.cast(library.symop_kernel, ctypes.c_void_p).value


# What runs the loops of all kernels, one text in this order.
_DRIVER = ("driver_space", "driver_blocks", "driver_sums", "driver_columns", "driver")
_warned: set[str] = set()


def _warn_once(error: str) -> None:
    """One warning for one fault, however many ops meet it."""
    if error not in _warned:
        _warned.add(error)
        warnings.warn(
            f"fused CPU kernels cannot be built, plain PyTorch operations run instead: {error}",
            RuntimeWarning,
            stacklevel=5,
        )


@cache
def _driver() -> int | None:
    """The address of what runs the loops of all kernels."""
    texts = [(template_folder() / f"{name}.c").read_text(encoding="utf-8") for name in _DRIVER]
    library = loaded("\n".join(texts))
    return ctypes.cast(library.symop_drive, ctypes.c_void_p).value


def function_at(address: int) -> Any:
    """The kernel at an address, as something to call."""
    return _KERNEL(address)


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
