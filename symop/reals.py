"""Tensors as arrays of mpmath numbers, and the real values of a program at them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import mpmath as mp
import numpy as np
import torch

from symop.evaluation import Array, evaluate
from symop.program import Program

Arrays = dict[str, Array]
Tensors = dict[str, torch.Tensor]

# What references raise where there is no value.
NO_VALUE = (ArithmeticError, ValueError, TypeError, NotImplementedError)


def array_of(flat: Sequence[Any], shape: tuple[int, ...]) -> Array:
    """An array of mpmath numbers."""
    result: Array = np.empty(len(flat), dtype=object)
    result[:] = flat
    return result.reshape(shape)


def number_of(value: Any) -> Any:
    """A number exactly as it is, a truth value as it stands."""
    return value if isinstance(value, bool) else mp.mpf(value)


def arrays_of(tensors: Mapping[str, torch.Tensor]) -> Arrays:
    """The very numbers that the tensors hold."""
    return {
        n: array_of([number_of(v) for v in t.detach().cpu().flatten().tolist()], tuple(t.shape))
        for n, t in tensors.items()
    }


def values_of(program: Program, arrays: Arrays) -> list[Array]:
    """The outputs, NaN where they are not real; empty where a reduction has no value."""
    try:
        return [np.asarray(_reals(v), dtype=object) for v in evaluate(program, arrays)]
    except NO_VALUE:
        shapes = {array.shape for array in arrays.values()}
        if not program.is_elementwise or len(shapes) != 1:
            return []
        (shape,) = shapes
        if not shape:
            return [array_of([mp.nan], ()) for _ in program.outputs]
        points = zip(*(a.flat for a in arrays.values()), strict=True)
        single = [
            values_of(program, {n: array_of([v], ()) for n, v in zip(arrays, point, strict=True)})
            for point in points
        ]
        return [array_of([p[k].item() for p in single], shape) for k in range(len(program.outputs))]


def _reals(values: Array) -> Array:
    flat = [mp.nan if isinstance(v, mp.mpc) else v for v in values.flat]
    return array_of(flat, values.shape)
