"""Runs routines on a GPU: which kernels with which numbers, remembered for tensors like these."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from math import prod
from typing import Any

import numpy as np
import torch
from torch import Size, Tensor

from symop.backends import triton_math
from symop.errors import BuildError
from symop.layouts import Layout, Layouts, LoopLayout, Refused
from symop.loops import Result
from symop.routines import Data
from symop.triton_kernels import Launchable, TritonKernels, is_interpreted

# What a result of no elements is.
_EMPTY = {"sum": 0.0, "prod": 1.0}

Step = Callable[[Sequence[Tensor]], None]


class TritonLauncher:
    """One routine.

    Args:
        data: the routine as tuples.
        kernels: the kernels of its op.
    """

    def __init__(self, data: Data, kernels: TritonKernels) -> None:
        self.kernels = kernels
        self._runs = Layouts(data, self._run)

    def __call__(
        self, tensors: Sequence[Tensor], shapes: Sequence[Size], numbers: int | None = None
    ) -> list[Tensor]:
        """The outputs.

        Args:
            tensors: what the routine takes, of one dtype and device beside masks.
            shapes: the shapes of the arguments of the op.
            numbers: from which output on they are in the type that is computed in.

        Raises:
            Refused: there is no kernel for this.
            BuildError: Triton refuses a kernel.
        """
        return self._runs(tensors, shapes, numbers)(tensors)

    def _run(self, layout: Layout) -> Callable[[Sequence[Tensor]], list[Tensor]]:
        steps = [step for loop in layout.loops for step in self._steps(layout, loop)]
        first, last = layout.tensors, layout.tensors + layout.outputs

        def run(tensors: Sequence[Tensor]) -> list[Tensor]:
            values = layout.slots(tensors)
            device = tensors[0].device
            with _current(device):
                for step in steps:
                    step(values)
            return values[first:last]

        return run

    def _steps(self, layout: Layout, loop: LoopLayout) -> list[Step]:
        wanted = layout.wanted(loop)
        if not wanted:
            return []
        if prod(loop.shape):
            dtype = str(layout.dtype).removeprefix("torch.")
            return [launch(self.kernels.launchable(loop, wanted, dtype), loop, layout.real)]
        results = self.kernels.results(loop.code)
        return [
            _fill(loop.results[k], results[k])
            for k in wanted
            if prod(layout.results[loop.results[k] - layout.tensors].shape)
        ]


def _fill(slot: int, result: Result) -> Step:
    """The value of a reduction of no elements."""
    if result.combine not in _EMPTY:
        raise Refused  # operations say what is wrong with it
    value = float("nan") if result.over else _EMPTY[result.combine]

    def fill(values: Sequence[Tensor]) -> None:
        values[slot].fill_(value)

    return fill


def launch(made: Launchable, loop: LoopLayout, real: torch.dtype) -> Step:
    """What launches a kernel on the slots of a routine.

    Args:
        made: the kernel.
        loop: its loop.
        real: the type that is computed in.
    """
    cut, grid = made.tiling, (made.tiling.grid,)
    constants = [cut.constants[name] for name in made.kernel.constants]
    slots: list[int] = []
    numbers: list[int] = []
    for kind, *which in made.kernel.parameters:
        match kind:
            case "input":
                slots.append(loop.inputs[int(which[0])])
            case "result":
                slots.append(loop.results[cut.variant.wanted[int(which[0])]])
            case "count":
                numbers.append(loop.counts[int(which[0])])
            case "size":
                numbers.append(_size(cut.sizes, cut.constants, int(which[0])))
            case "stride":
                stride = cut.strides[int(which[0])][int(which[1])]
                numbers.append(stride // cut.constants.get("STRIDE_UNIT", 1))
            case "programs":
                numbers.append(cut.programs[str(which[0])])
    options = {
        "num_warps": cut.warps,
        **triton_math.options("hip" if torch.version.hip else "cuda"),
    }

    def run(values: Sequence[Tensor]) -> None:
        pointers = [values[slot] for slot in slots]
        if cut.partials:
            device = pointers[0].device
            scratch = [
                torch.empty(cut.partials, dtype=real, device=device),
                counters(device, cut.arrived),
            ]
        else:
            scratch = []
        try:
            made.function[grid](*pointers, *numbers, *scratch, *constants, **options)
        except Exception as error:
            raise BuildError(
                f"the kernel {made.kernel.entry} of {made.about} was refused by Triton: {error}\n\n"
                f"{made.kernel.text}"
            ) from error

    return run


def _size(sizes: Sequence[int], constants: dict[str, int], dim: int) -> int:
    is_columns = len(sizes) > 1 and dim == len(sizes) - 1
    return sizes[dim] // (constants["COLUMN_UNIT"] if is_columns else 1)


def _current(device: torch.device) -> Any:
    """A context in which kernels are launched on a device."""
    if is_interpreted():
        return np.errstate(all="ignore")
    if device.type != "cuda" or device.index == torch.cuda.current_device():
        return nullcontext()
    return torch.cuda.device(device)


_counters: dict[Any, Tensor] = {}


def counters(device: torch.device, number: int) -> Tensor:
    """Counters that are zero; whoever counts on them leaves them so.

    Kernels of one stream run one after the other and share them. A graph that is captured gets
    its own, because it may run beside the stream that it was captured on.
    """
    key: Any = device
    if device.type == "cuda":
        if torch.cuda.is_current_stream_capturing():
            return torch.zeros(number, dtype=torch.int32, device=device)
        key = device, torch.cuda.current_stream(device).cuda_stream
    found = _counters.get(key)
    if found is None or found.numel() < number:
        size = max(1024, 1 << (number - 1).bit_length())
        found = _counters[key] = torch.zeros(size, dtype=torch.int32, device=device)
    return found
