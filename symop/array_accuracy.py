"""How far the values and gradients of an op with reductions are from the oracle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import mpmath as mp
import torch

from symop.array_oracle import BITS, ArrayOracle
from symop.derivatives import gradients, numbers_of
from symop.errors import CallError
from symop.evaluation import Array, reach
from symop.oracle import Exact
from symop.program import Program
from symop.reals import Tensors, arrays_of
from symop.tallies import Tally

_MAX_DIFFERENCES, _MAX_SECOND = 72, 24


def measure_arrays(
    function: Callable[..., Any],
    program: Program,
    setting: Tensors,
    dtype: torch.dtype,
    tallies: dict[str, Tally],
    notes: list[str],
) -> None:
    """Add the errors of the values and derivatives at one setting.

    Args:
        function: the op.
        program: its formula.
        setting: a value for every argument, of any shapes that fit.
        dtype: what the values are rounded to.
        tallies: by quantity; new ones are added.
        notes: what could not be measured is added.
    """
    inputs = {n: t if t.dtype is torch.bool else t.to(dtype) for n, t in setting.items()}
    if not sum(t.numel() for t in inputs.values()):
        return
    leaves = {n: t.clone().requires_grad_() for n, t in inputs.items() if t.dtype is not torch.bool}
    results = function(*(inputs | leaves).values())
    values = results if isinstance(results, tuple) else (results,)
    weights = [_weights(value) for value in values]
    count = sum(t.numel() for t in leaves.values())
    by = list(leaves.values())
    with mp.workprec(BITS + 3 * reach(program, arrays_of(inputs))):
        cotangents = [arrays_of({"": w})[""] for w in weights]
        differentiated = count <= _MAX_DIFFERENCES
        oracle = ArrayOracle(program, arrays_of(inputs), cotangents, differentiated=differentiated)
        if not oracle.here:
            _note(notes, "the oracle has no value at an example; its accuracy was not measured")
            return
        _require_shapes(values, oracle.here)
        if not differentiated:
            _note(
                notes,
                f"of {count} elements only the values were measured; derivatives of a formula "
                f"with reductions are measured up to {_MAX_DIFFERENCES}",
            )
        for k, exact in enumerate(oracle.values()):
            _add(tallies, dtype, program.outputs[k].name, numbers_of(values[k]), exact)
        slopes = oracle.gradients() if differentiated else {}
        changes = oracle.second() if differentiated and count <= _MAX_SECOND else {}
        along = oracle.directions()
        for k, output in enumerate(program.outputs):
            if not differentiated:
                continue
            found = gradients(values[k], by, weights[k], second=True)
            for name, gradient in zip(leaves, found, strict=True):
                quantity = f"d {output.name} / d {name}"
                _add(tallies, dtype, quantity, numbers_of(gradient), slopes[k, name])
            directions = [_tensor(along[n], leaf) for n, leaf in leaves.items()]
            total = sum((f * d).sum() for f, d in zip(found, directions, strict=True))
            assert isinstance(total, torch.Tensor)
            for name, change in zip(leaves, gradients(total, by), strict=True):
                if (k, name) in changes:
                    quantity = f"d2 {output.name} / d {name} d all"
                    _add(tallies, dtype, quantity, numbers_of(change), changes[k, name])


def _add(
    tallies: dict[str, Tally],
    dtype: torch.dtype,
    quantity: str,
    numbers: Sequence[float],
    exact: Sequence[Exact],
) -> None:
    tally = tallies.setdefault(quantity, Tally(dtype, quantity))
    for place, (number, right) in enumerate(zip(numbers, exact, strict=True)):
        tally.add("ordinary", number, right, f"element {place}")


def _tensor(array: Array, like: torch.Tensor) -> torch.Tensor:
    numbers = [float(v) for v in array.flat]
    return torch.tensor(numbers, dtype=like.dtype).reshape(like.shape)


def _weights(value: torch.Tensor) -> torch.Tensor:
    """Incoming gradients that are not alike."""
    numbers = [((7 * k) % 11 - 4.75) / 4 for k in range(value.numel())]
    return torch.tensor(numbers, dtype=value.dtype, device=value.device).reshape(value.shape)


def _require_shapes(values: Sequence[torch.Tensor], exact: Sequence[Array]) -> None:
    for value, right in zip(values, exact, strict=True):
        if tuple(value.shape) != right.shape:
            raise CallError(f"an output has the shape {tuple(value.shape)}; the formula gives "
                            f"{right.shape}")  # fmt: skip


def _note(notes: list[str], text: str) -> None:
    if text not in notes:
        notes.append(text)
