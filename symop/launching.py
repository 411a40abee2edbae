"""Runs routines from Python, with ctypes: the host where no C++ one is at hand."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Size, Tensor

from symop.kernels import function_at
from symop.layouts import Layouts, LoopLayout, Refused
from symop.routines import Data

_CODES = {torch.float32: 0, torch.float64: 1, torch.float16: 2, torch.bfloat16: 3}
_MIXED, _NO_MEMORY, _NOTHING = 2, 1, 3


class Launcher:
    """One routine.

    Args:
        data: the routine as tuples.
        kernels: gives the address of a kernel, or None.
    """

    def __init__(self, data: Data, kernels: Callable[..., int | None]) -> None:
        self.kernels = kernels
        self._layouts = Layouts(data, lambda layout: layout)
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
        layout = self._layouts(tensors, shapes, numbers)
        values = layout.slots(tensors)
        for loop in layout.loops:
            wanted = sum(1 << k for k in layout.wanted(loop))
            if wanted:
                self._run(loop, values, wanted, _CODES[layout.dtype])
        return values[len(tensors) : len(tensors) + layout.outputs]

    def function(self, address: int) -> Any:
        """The kernel at an address."""
        if address not in self._functions:
            self._functions[address] = function_at(address)
        return self._functions[address]

    def _run(self, loop: LoopLayout, values: list[Tensor], wanted: int, dtype: int) -> None:
        chosen = [k for k in range(len(loop.results)) if wanted >> k & 1]
        reduced = loop.reduced
        address = self.kernels(loop.code, dtype, loop.uniform, reduced & wanted, wanted)
        if address is None:
            raise Refused
        first = len(loop.inputs)
        operands = [*loop.inputs, *(loop.results[k] for k in chosen)]
        rows = [*loop.strides[:first], *(loop.strides[first + k] for k in chosen)]
        pointers = [values[k].data_ptr() for k in operands]
        flat = [s for row in rows for s in row]
        status = self.function(address)(
            len(loop.shape),
            (ctypes.c_int64 * max(len(loop.shape), 1))(*loop.shape),
            (ctypes.c_void_p * len(pointers))(*pointers),
            (ctypes.c_int64 * max(len(flat), 1))(*flat),
            (ctypes.c_double * max(len(loop.counts), 1))(*loop.counts),
        )
        if status == _MIXED:
            stores = sum(1 << k for k in chosen if not reduced >> k & 1)
            for part in ([stores] if stores else []) + [1 << k for k in chosen if reduced >> k & 1]:
                self._run(loop, values, part, dtype)
        elif status == _NO_MEMORY:
            raise RuntimeError("not enough memory for the partial sums of a reduction")
        elif status == _NOTHING:
            raise Refused
