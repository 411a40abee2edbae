"""Runs routines from Python, with ctypes: the host where no C++ one is at hand."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import torch
from torch import Size, Tensor

from symop.kernels import Data, function_at

_CODES = {torch.float32: 0, torch.float64: 1, torch.float16: 2, torch.bfloat16: 3}
_LAYOUTS = 64
_MIXED, _NO_MEMORY, _NOTHING = 2, 1, 3


class Refused(Exception):
    """A routine cannot run on these tensors; plain operations can."""


class Launcher:
    """One routine.

    Args:
        data: the routine as tuples.
        kernels: gives the address of a kernel, or None.
    """

    def __init__(self, data: Data, kernels: Callable[..., int | None]) -> None:
        self.shapes, self.frames, self.tensors, self.outputs = data[:4]
        self.temporaries, self.loops, self.is_precise = data[4:]
        self.kernels = kernels
        self._layouts: dict[Any, _Layout] = {}
        self._functions: dict[int, Any] = {}

    def __call__(
        self, tensors: Sequence[Tensor], shapes: Sequence[Size], numbers: int | None = None
    ) -> list[Tensor]:
        """The outputs.

        Args:
            tensors: what the routine takes, of one dtype beside masks.
            shapes: the shapes of the arguments of the op.
            numbers: from which output on they are in the type that is computed in.

        Raises:
            Refused: there is no kernel for this.
        """
        dtype = next(t.dtype for t in tensors if t.dtype != torch.bool)
        key = (dtype, *shapes, *(t.stride() for t in tensors))
        layout = self._layouts.get(key)
        if layout is None:
            if len(self._layouts) >= _LAYOUTS:
                self._layouts.clear()
            layout = self._layouts[key] = _Layout(self, tensors, shapes, dtype, numbers)
        return layout.run(tensors)

    def function(self, address: int) -> Any:
        """The kernel at an address."""
        if address not in self._functions:
            self._functions[address] = function_at(address)
        return self._functions[address]


class _Layout:
    """What a routine does for tensors of given shapes and strides."""

    def __init__(
        self, launcher: Launcher, tensors: Sequence[Tensor], shapes: Sequence[Size], dtype: Any,
        numbers: int | None,
    ) -> None:  # fmt: skip
        self.launcher = launcher
        self.dtype = dtype
        self.real = torch.float64 if launcher.is_precise or dtype == torch.float64 else (
            torch.float32
        )  # fmt: skip
        sizes = _evaluated(launcher.frames, shapes)
        twos = _evaluated(launcher.frames, [Size((2,) * len(shape)) for shape in shapes])
        self.results: list[tuple[Size, tuple[int, ...], Any, int]] = []
        strides: list[tuple[int, ...]] = []
        slots: list[Size] = []

        def kept(frame: int, dropped: int) -> list[int]:
            axes = range(len(sizes[frame]))
            return [k for k in axes if not dropped or twos[frame][k] == 2]

        for tensor, (frame, dropped, _) in zip(tensors, launcher.tensors, strict=True):
            axes = kept(frame, dropped)
            slots.append(sizes[frame])
            strides.append(_spread(tensor.shape, tensor.stride(), axes, len(sizes[frame])))
            if tensor.shape != Size(sizes[frame][k] for k in axes):
                raise Refused
        like = next((t for t in tensors if not t.is_contiguous()), None)
        outputs = [
            (f, d, dtype if numbers is None or k < numbers else self.real, same)
            for k, (f, d, same) in enumerate(launcher.outputs)
        ]
        outputs += [(f, 0, self.real, 0) for f in launcher.temporaries]
        for frame, dropped, kind, same in outputs:
            axes = kept(frame, dropped)
            shape = Size(sizes[frame][k] for k in axes)
            stride = _stride(shape, like)
            copied = same if same and tensors[same - 1].shape == shape else 0
            self.results.append((shape, stride, kind, copied))
            slots.append(sizes[frame])
            strides.append(_spread(shape, stride, axes, len(sizes[frame])))
        self.loops = [
            self._loop(code, sizes[frame], inputs, results, counts, slots, strides, sizes)
            for code, frame, inputs, results, counts in launcher.loops
        ]

    def _loop(
        self, code: int, shape: Size, inputs: Sequence[int], results: Sequence[int],
        counts: Sequence[tuple[int, int]], slots: Sequence[Size],
        strides: Sequence[tuple[int, ...]], sizes: Sequence[Size],
    ) -> tuple[Any, ...]:  # fmt: skip
        rank = len(shape)
        spread = [_broadcast(slots[k], strides[k], shape) for k in (*inputs, *results)]
        uniform = sum(1 << k for k in range(len(inputs)) if not any(spread[k]))
        reduced = sum(
            1 << k for k in range(len(results))
            if any(n != 1 and not s
                   for n, s in zip(shape, spread[len(inputs) + k], strict=True))
        )  # fmt: skip
        numbers = [
            float(prod(sizes[source]) // max(prod(sizes[target]), 1)) for source, target in counts
        ]
        return (
            code,
            rank,
            (ctypes.c_int64 * max(rank, 1))(*shape),
            spread,
            (ctypes.c_double * max(len(numbers), 1))(*numbers),
            tuple(inputs),
            tuple(results),
            uniform,
            reduced,
        )

    def run(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        values = list(tensors)
        first = len(tensors)
        there = set()
        for shape, stride, kind, same in self.results:
            if same:
                there.add(len(values))
            new = torch.empty_strided
            values.append(values[same - 1] if same else new(shape, stride, dtype=kind))
        for loop in self.loops:
            wanted = sum(1 << k for k, slot in enumerate(loop[6]) if slot not in there)
            if wanted:
                self._run_loop(loop, values, wanted)
        return values[first : first + len(self.launcher.outputs)]

    def _run_loop(self, loop: tuple[Any, ...], values: list[Tensor], wanted: int) -> None:
        code, rank, sizes, spread, numbers, inputs, results, uniform, reduced = loop
        chosen = [k for k in range(len(results)) if wanted >> k & 1]
        address = self.launcher.kernels(code, _CODES[self.dtype], uniform, reduced & wanted, wanted)
        if address is None:
            raise Refused
        operands = [*inputs, *(results[k] for k in chosen)]
        rows = [*spread[: len(inputs)], *(spread[len(inputs) + k] for k in chosen)]
        pointers = [values[k].data_ptr() for k in operands]
        flat = [s for row in rows for s in row]
        status = self.launcher.function(address)(
            rank,
            sizes,
            (ctypes.c_void_p * len(pointers))(*pointers),
            (ctypes.c_int64 * max(len(flat), 1))(*flat),
            numbers,
        )
        if status == _MIXED:
            stores = sum(1 << k for k in chosen if not reduced >> k & 1)
            for part in ([stores] if stores else []) + [1 << k for k in chosen if reduced >> k & 1]:
                self._run_loop(loop, values, part)
        elif status == _NO_MEMORY:
            raise RuntimeError("not enough memory for the partial sums of a reduction")
        elif status == _NOTHING:
            raise Refused


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
                reduced = {d % len(inner) for d in dims} if len(inner) else set()
                parts.append(Size(1 if k in reduced else n for k, n in enumerate(inner)))
        sizes.append(_together(parts))
    return sizes


def _together(parts: Sequence[Size]) -> Size:
    if not parts:
        return Size()
    if all(part == parts[0] for part in parts):
        return parts[0]
    result: Size = torch.broadcast_shapes(*parts)  # type: ignore[no-untyped-call]
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
