"""Shapes and strides of everything that a routine touches, for tensors of given layouts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Generic, TypeVar

import torch
from torch import Size, Tensor

from symop.routines import Data

Made = TypeVar("Made")


class Refused(Exception):
    """A routine cannot run on these tensors; plain operations can."""


@dataclass(frozen=True)
class Result:
    """An output or temporary.

    shape: what it is allocated with.
    strides: likewise, in elements.
    dtype: likewise.
    same: the place plus one of the tensor that it is instead, 0 for none.
    """

    shape: Size
    strides: tuple[int, ...]
    dtype: torch.dtype
    same: int


@dataclass(frozen=True)
class LoopLayout:
    """One loop over given shapes.

    code: the place of the loop.
    shape: what it runs over.
    inputs: the slots that it reads: tensors, then results.
    results: the slots that it writes.
    strides: for each input and result, in elements, over the dims of `shape`.
    counts: the numbers that it divides sums by, and others like them.
    """

    code: int
    shape: Size
    inputs: tuple[int, ...]
    results: tuple[int, ...]
    strides: tuple[tuple[int, ...], ...]
    counts: tuple[int, ...]

    @property
    def uniform(self) -> int:
        """As bits, the inputs of one element."""
        return sum(1 << k for k in range(len(self.inputs)) if not any(self.strides[k]))

    @property
    def reduced(self) -> int:
        """As bits, the results that are smaller than the loop."""
        rows = self.strides[len(self.inputs) :]
        return sum(
            1 << k for k, row in enumerate(rows)
            if any(n != 1 and not s for n, s in zip(self.shape, row, strict=True))
        )  # fmt: skip


@dataclass(frozen=True)
class Layout:
    """What a routine does for tensors of given shapes and strides.

    device: of the tensors.
    real: the type that is computed in.
    tensors: how many are passed in.
    outputs: how many of the results are returned; the others are temporaries.
    """

    dtype: torch.dtype
    device: torch.device
    real: torch.dtype
    tensors: int
    outputs: int
    results: tuple[Result, ...]
    loops: tuple[LoopLayout, ...]

    def slots(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """The tensors and the new results, by slot."""
        values = list(tensors)
        new, device = torch.empty_strided, self.device
        for result in self.results:
            values.append(
                values[result.same - 1]
                if result.same
                else new(result.shape, result.strides, dtype=result.dtype, device=device)
            )
        return values

    def wanted(self, loop: LoopLayout) -> list[int]:
        """The positions of the results of a loop that are no tensors passed in."""
        first = self.tensors
        return [k for k, slot in enumerate(loop.results) if not self.results[slot - first].same]


def layout(
    data: Data, tensors: Sequence[Tensor], shapes: Sequence[Size], numbers: int | None = None
) -> Layout:
    """The layout of a routine.

    Args:
        data: the routine as tuples.
        tensors: what the routine takes, of one dtype beside masks and of one device.
        shapes: the shapes of the arguments of the op.
        numbers: from which output on they are in the type that is computed in.

    Raises:
        Refused: the shapes do not broadcast, a dim does not exist, or a tensor does not have the
            shape that the formula gives it.
    """
    _, frames, operands, outputs, temporaries, loops, is_precise = data
    dtype = next(t.dtype for t in tensors if t.dtype != torch.bool)
    real = torch.float64 if is_precise or dtype == torch.float64 else torch.float32
    sizes = _evaluated(frames, shapes)
    twos = _evaluated(frames, [Size((2,) * len(shape)) for shape in shapes])
    slots: list[Size] = []
    strides: list[tuple[int, ...]] = []

    def kept(frame: int, dropped: int) -> list[int]:
        axes = range(len(sizes[frame]))
        return [k for k in axes if not dropped or twos[frame][k] == 2]

    for tensor, (frame, dropped, _) in zip(tensors, operands, strict=True):
        axes = kept(frame, dropped)
        slots.append(sizes[frame])
        strides.append(_spread(tensor.shape, tensor.stride(), axes, len(sizes[frame])))
        if tensor.shape != Size(sizes[frame][k] for k in axes):
            raise Refused
    like = next((t for t in tensors if not t.is_contiguous()), None)
    made = [
        (f, d, dtype if numbers is None or k < numbers else real, same)
        for k, (f, d, same) in enumerate(outputs)
    ]
    made += [(f, 0, real, 0) for f in temporaries]
    results = []
    for frame, dropped, kind, same in made:
        axes = kept(frame, dropped)
        shape = Size(sizes[frame][k] for k in axes)
        stride = _stride(shape, like)
        is_same = same and tensors[same - 1].shape == shape
        results.append(Result(shape, stride, kind, same if is_same else 0))
        slots.append(sizes[frame])
        strides.append(_spread(shape, stride, axes, len(sizes[frame])))
    placed = tuple(
        LoopLayout(
            code, sizes[frame], tuple(inputs), tuple(written),
            tuple(_broadcast(slots[k], strides[k], sizes[frame]) for k in (*inputs, *written)),
            tuple(prod(sizes[a]) // max(prod(sizes[b]), 1) for a, b in counts),
        )
        for code, frame, inputs, written, counts in loops
    )  # fmt: skip
    device = tensors[0].device
    return Layout(dtype, device, real, len(tensors), len(outputs), tuple(results), placed)


class Layouts(Generic[Made]):
    """What was made of the layouts of a routine that were met before.

    Args:
        data: the routine as tuples.
        make: what is kept of a layout.
    """

    def __init__(self, data: Data, make: Callable[[Layout], Made]) -> None:
        self.data = data
        self.make = make
        self._known: dict[Any, Made] = {}

    def __call__(
        self, tensors: Sequence[Tensor], shapes: Sequence[Size], numbers: int | None = None
    ) -> Made:
        """What is kept of the layout for tensors; see `layout`."""
        dtype = next(t.dtype for t in tensors if t.dtype != torch.bool)
        key = (dtype, tensors[0].device, *shapes, *(t.stride() for t in tensors))
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= _MOST:
                self._known.clear()
            found = self._known[key] = self.make(layout(self.data, tensors, shapes, numbers))
        return found


_MOST = 64


def _evaluated(frames: Sequence[Any], shapes: Sequence[Size]) -> list[Size]:
    """The shapes of frames."""
    sizes: list[Size] = []
    for frame in frames:
        parts = []
        for atom in frame:
            if isinstance(atom, int):
                parts.append(shapes[atom])
            else:
                inner, dims = sizes[atom[0]], atom[1]
                if not all(-max(len(inner), 1) <= d < max(len(inner), 1) for d in dims):
                    raise Refused
                reduced = {d % len(inner) for d in dims} if len(inner) else set()
                parts.append(Size(1 if k in reduced else n for k, n in enumerate(inner)))
        sizes.append(_together(parts))
    return sizes


def _together(parts: Sequence[Size]) -> Size:
    if not parts:
        return Size()
    if all(part == parts[0] for part in parts):
        return parts[0]
    try:
        result: Size = torch.broadcast_shapes(*parts)  # type: ignore[no-untyped-call]
    except RuntimeError as error:
        raise Refused from error
    return result


def _spread(
    shape: Size, stride: Sequence[int], axes: Sequence[int], rank: int
) -> tuple[int, ...]:  # fmt: skip
    """Strides over all axes of a frame, for a tensor that lacks some of them."""
    result = [0] * rank
    for axis, n, s in zip(axes, shape, stride, strict=True):
        result[axis] = s if n != 1 else 0
    return tuple(result)


def _broadcast(own: Size, strides: Sequence[int], shape: Size) -> tuple[int, ...]:
    missing = len(shape) - len(own)
    return (*[0] * missing, *(s if n != 1 else 0 for n, s in zip(own, strides, strict=True)))


def _stride(shape: Size, like: Tensor | None) -> tuple[int, ...]:
    """Dense strides, in the order of memory of a tensor of that shape."""
    order = list(range(len(shape)))
    if like is not None and like.shape == shape:
        by = like.stride()
        order.sort(key=lambda k: -by[k])
    result, step = [0] * len(shape), 1
    for k in reversed(order):
        result[k] = step
        step *= max(shape[k], 1)
    return tuple(result)
