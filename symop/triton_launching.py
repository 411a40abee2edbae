"""Runs routines on a GPU: which kernels with which numbers, remembered for tensors like these."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import prod
from operator import itemgetter
from typing import Any, NoReturn

import numpy as np
import torch
from torch import Size, Tensor

from symop import tuning
from symop.backends import triton_math
from symop.errors import BuildError
from symop.layouts import Layout, Layouts, LoopLayout, Refused
from symop.loops import Result
from symop.routines import Data
from symop.triton_kernels import Launchable, TritonKernels, is_interpreted
from symop.tuning import Step
from symop.warned import warn_once

# What a result of no elements is.
_EMPTY = {"sum": 0.0, "prod": 1.0}

Run = Callable[[Sequence[Tensor]], list[Tensor]]


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

    def planned(
        self, tensors: Sequence[Tensor], shapes: Sequence[Size], numbers: int | None = None
    ) -> Run:
        """What gives the outputs for tensors of this layout, dtype and device."""
        return self._runs(tensors, shapes, numbers)

    def _run(self, layout: Layout) -> Run:
        steps = [step for loop in layout.loops for step in self._steps(layout, loop)]
        first, last = layout.tensors, layout.tensors + layout.outputs
        news = [(r.shape, r.strides, r.dtype, r.same) for r in layout.results]
        device, new = layout.device, torch.empty_strided
        is_current = current(device)

        def run(tensors: Sequence[Tensor]) -> list[Tensor]:
            values = [*tensors]
            for shape, strides, dtype, same in news:
                values.append(
                    values[same - 1] if same else new(shape, strides, dtype=dtype, device=device)
                )
            if is_current():
                for step in steps:
                    step(values)
            else:
                with _entered(device):
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
            is_worth = prod(loop.shape) >= tuning.LEAST
            if is_worth and tuning.is_on() and not is_interpreted():
                return [_tuned(self.kernels.candidates(loop, wanted, dtype), loop, layout)]
            return [launch(self.kernels.launchable(loop, wanted, dtype), loop, layout)]
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


def _tuned(made: Sequence[Launchable], loop: LoopLayout, layout: Layout) -> Step:
    """What launches the fastest of some kernels."""
    import triton

    first, device = made[0], layout.device
    name, sizes = tuning.device_name(device), tuning.size_class(first.tiling.sizes)
    key = tuning.Key(first.kernel.text, name, triton.__version__, sizes)
    # One that is refused while it is timed is no fault of the op.
    trials = {m.tiling.block: launch(replace(m, is_asked=True), loop, layout) for m in made}
    steps = {m.tiling.block: launch(m, loop, layout) for m in made}
    return tuning.tuned(key, trials, steps, lambda: _is_captured(device))


def launch(made: Launchable, loop: LoopLayout, layout: Layout) -> Step:
    """What launches a kernel on the slots of a routine.

    Triton compiles a kernel when it is first called, and anew for tensors that begin elsewhere
    than at a multiple of 16 bytes. What it made is then launched without it, which takes a
    tenth of the time.

    Args:
        made: the kernel.
        loop: its loop.
        layout: of the routine.
    """
    cut, grid = made.tiling, made.tiling.grid
    slots, numbers = _operands(made, loop)
    # A slice gives a sequence, as several places do.
    picked = itemgetter(*slots) if len(slots) > 1 else itemgetter(slice(slots[0], slots[0] + 1))
    constants = [cut.constants[name] for name in made.kernel.constants]
    given = [slot for slot in slots if slot < layout.tensors]
    tail = (*numbers, *constants)
    real, device, partials, arrived = layout.real, layout.device, cut.partials, cut.arrived
    compiled: dict[int, Any] = {}
    kind = "hip" if torch.version.hip else "cuda"
    lanes = torch.cuda.get_device_properties(device).warp_size if kind == "hip" else 32
    options = {"num_warps": cut.warps * 32 // lanes, **triton_math.options(kind)}

    def first(bits: int, arguments: Sequence[Any]) -> None:
        try:
            found = made.function[(grid,)](*arguments, **options)
        except Exception as error:
            refuse(made, error)
        if hasattr(found, "packed_metadata"):
            compiled[bits] = _Compiled(found, device)

    def begins(values: Sequence[Tensor]) -> int:
        """As bits, which tensors begin elsewhere than at a multiple of 16 bytes."""
        bits = 0
        for slot in given:
            bits += bits + (values[slot].data_ptr() & 15 != 0)
        return bits

    def run(values: Sequence[Tensor]) -> None:
        places = 0
        for slot in given:
            places |= values[slot].data_ptr()
        bits = begins(values) if places & 15 else 0
        if partials:
            scratch = torch.empty(partials, dtype=real, device=device)
            shared = scratch, counters(device, arrived)
            arguments = (*picked(values), *numbers, *shared, *constants)
        else:
            arguments = (*picked(values), *tail)
        ready = compiled.get(bits)
        # Where something wants to know of launches, Triton tells it.
        if ready is None or ready.enter.calls or ready.leave.calls:
            first(bits, arguments)
        else:
            ready.run(
                grid, 1, 1, ready.stream(ready.index), ready.function, ready.metadata, None, None,
                None, *arguments,
            )  # fmt: skip

    return run


class _Compiled:
    """What Triton made of a kernel, for one device."""

    __slots__ = ("enter", "function", "index", "leave", "metadata", "run", "stream")

    def __init__(self, made: Any, device: torch.device) -> None:
        from triton import knobs
        from triton.runtime import driver

        self.run = made.run
        self.function = made.function
        self.metadata = made.packed_metadata
        self.index = driver.active.get_current_device()
        self.stream = driver.active.get_current_stream
        self.enter = knobs.runtime.launch_enter_hook
        self.leave = knobs.runtime.launch_exit_hook


def refuse(made: Launchable, error: Exception) -> NoReturn:
    """Say what Triton says of a kernel.

    Raises:
        BuildError: backend triton was asked for.
        Refused: otherwise, after a warning.
    """
    message = (
        f"the kernel {made.kernel.entry} of {made.about} was refused by Triton: {error}\n\n"
        f"{made.kernel.text}"
    )
    if made.is_asked:
        raise BuildError(message) from error
    warn_once(f"plain PyTorch operations run instead: {message}")
    raise Refused from error


def _operands(made: Launchable, loop: LoopLayout) -> tuple[list[int], list[int]]:
    """The slots of the tensors that a kernel is called with, and the numbers after them."""
    cut = made.tiling
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
    return slots, numbers


def _size(sizes: Sequence[int], constants: dict[str, int], dim: int) -> int:
    is_columns = len(sizes) > 1 and dim == len(sizes) - 1
    return sizes[dim] // (constants["COLUMN_UNIT"] if is_columns else 1)


def current(device: torch.device) -> Callable[[], bool]:
    """Tells whether kernels are launched on a device as things stand."""
    if is_interpreted():
        return lambda: False
    from triton.runtime import driver

    index, active = device.index, driver.active.get_current_device
    return lambda: index is None or active() == index


def _entered(device: torch.device) -> Any:
    """A context in which kernels are launched on a device."""
    # Where it computes what is masked, numpy would warn of it.
    return np.errstate(all="ignore") if is_interpreted() else torch.cuda.device(device)


def _is_captured(device: torch.device) -> bool:
    """Whether launches are recorded into a graph."""
    return device.type == "cuda" and torch.cuda.is_current_stream_capturing()


_counters: dict[Any, Tensor] = {}


def counters(device: torch.device, number: int) -> Tensor:
    """Counters that are zero; whoever counts on them leaves them so.

    Kernels of one stream run one after the other and share them. A graph that is captured gets
    its own, because it may run beside the stream that it was captured on.
    """
    key: Any = device
    if _is_captured(device):
        return torch.zeros(number, dtype=torch.int32, device=device)
    if device.type == "cuda":
        key = device, torch.cuda.current_stream(device).cuda_stream
    found = _counters.get(key)
    if found is None or found.numel() < number:
        size = max(1024, 1 << (number - 1).bit_length())
        found = _counters[key] = torch.zeros(size, dtype=torch.int32, device=device)
    return found
