"""How far the values and gradients of an op are from the oracle, in units in the last place."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import mpmath as mp
import torch

from symop.errors import CallError
from symop.evaluation import Array
from symop.oracle import BITS, Oracle, Slope
from symop.program import Program, needed
from symop.reals import Tensors, arrays_of
from symop.samples import broadcast

Function = Callable[..., Any]

# Slopes that differ by less belong to a smooth function; slopes below are those of a constant.
_SMOOTH, _FLAT = mp.mpf(2) ** -60, mp.mpf(2) ** -120
# Slopes that grow as the step shrinks: a jump, or a vertical tangent.
_STEEP = mp.mpf(2) ** 40
_MAX_DIFFERENCES = 72

# The accuracy that symop aims at, in ULP, and in roundings of the inputs.
_BOUND = 4
_HALF_THE_DIGITS = 2.0**26


@dataclass(frozen=True)
class Accuracy:
    """The errors of a value or derivative, in units in the last place.

    quantity: an output, or a derivative of it.
    points: how many numbers were compared.
    share: the largest error as a share of what is allowed: 4 ULP, or 4 times the error that
        rounding the inputs causes where that is more.
    lost: how many are not finite although the true value is.
    """

    dtype: str
    quantity: str
    points: int
    median: float
    high: float
    worst: float
    share: float
    lost: int

    @property
    def is_wrong(self) -> bool:
        """Whether half of the digits are wrong at half of the points: no rounding does that.

        Gradcheck passes a coefficient that is off by 0.01 %, and a wrong sign of what is small.
        """
        return self.dtype == "float64" and self.share > 1 and self.median > _HALF_THE_DIGITS


class _Tally:
    """The errors of one quantity."""

    def __init__(self, dtype: torch.dtype) -> None:
        info = torch.finfo(dtype)
        self.eps, self.max = mp.mpf(info.eps), mp.mpf(info.max)
        self.digits = round(-math.log2(info.eps)) + 1
        self.lowest = round(math.log2(info.smallest_normal))
        self.errors: list[float] = []
        self.share = 0.0
        self.lost = 0

    def unit(self, value: Any) -> Any:
        """The unit in the last place of a value."""
        exponent = mp.frexp(value)[1] - 1 if value else self.lowest
        return mp.ldexp(1, max(exponent, self.lowest) - self.digits + 1)

    def add(self, computed: float, low: Any, high: Any, spread: Any, size: Any) -> None:
        """Add a number that should lie between two.

        spread: the error that inputs rounded to eps would cause, over eps.
        size: what the error is measured by where the number is 0.
        """
        if not (mp.isfinite(low) and mp.isfinite(high)) or max(abs(low), abs(high)) > self.max:
            return
        if not math.isfinite(computed):
            self.lost += 1
            return
        given = mp.mpf(computed)
        aim = min(max(given, low), high)
        unit = self.unit(aim if aim else size)
        error = abs(given - aim)
        allowed = _BOUND * max(unit, self.eps * spread) if mp.isfinite(spread) else mp.inf
        self.errors.append(float(error / unit))
        self.share = max(self.share, float(error / allowed))

    def accuracy(self, dtype: torch.dtype, quantity: str) -> Accuracy:
        """The errors, summed up."""
        ordered = sorted(self.errors) or [0.0]
        last = len(ordered) - 1
        return Accuracy(
            str(dtype).removeprefix("torch."), quantity, len(self.errors) + self.lost,
            ordered[last // 2], ordered[math.ceil(0.99 * last)], ordered[last], self.share,
            self.lost,
        )  # fmt: skip


def accuracies(
    function: Function, program: Program, settings: Sequence[Tensors], notes: list[str]
) -> tuple[Accuracy, ...]:
    """The accuracy of every value and derivative, in float64 and in float32."""
    result = []
    for dtype in (torch.float64, torch.float32):
        tallies: dict[str, _Tally] = {}
        for setting in settings:
            _measure(function, program, setting, dtype, tallies, notes)
        result += [tally.accuracy(dtype, quantity) for quantity, tally in tallies.items()]
    return tuple(result)


def _measure(
    function: Function,
    program: Program,
    setting: Tensors,
    dtype: torch.dtype,
    tallies: dict[str, _Tally],
    notes: list[str],
) -> None:
    """Add the errors of the values and first derivatives at one setting."""
    if program.is_elementwise:
        flat = broadcast(*setting.values())
        setting = {n: t.flatten() for n, t in zip(setting, flat, strict=True)}
    inputs = {n: t if t.dtype is torch.bool else t.to(dtype) for n, t in setting.items()}
    if not sum(t.numel() for t in inputs.values()):
        return
    leaves = {n: t.clone().requires_grad_() for n, t in inputs.items() if t.dtype is not torch.bool}
    results = function(*(inputs | leaves).values())
    values = results if isinstance(results, tuple) else (results,)
    weights = [_weights(value, program.is_elementwise) for value in values]
    with mp.workprec(BITS):
        cotangents = [arrays_of({"": w})[""] for w in weights]
        oracle = Oracle(program, arrays_of(inputs), cotangents)
        if not oracle.here:
            _note(notes, "the oracle has no value at an example; its accuracy was not measured")
            return
        _require_shapes(values, oracle.here)
        count = sum(t.numel() for t in leaves.values())
        differentiated = program.is_elementwise or count <= _MAX_DIFFERENCES
        if not differentiated:
            _note(
                notes,
                f"of {count} elements only the values were measured; derivatives of a formula "
                f"with reductions are measured up to {_MAX_DIFFERENCES}",
            )
        slopes = oracle.slopes() if differentiated else {}
        unknown = [[mp.inf] * v.size for v in oracle.here]
        spreads = oracle.spreads(slopes) if differentiated else unknown
        for k, output in enumerate(program.outputs):
            tally = tallies.setdefault(output.name, _Tally(dtype))
            rows = zip(_numbers(values[k]), oracle.here[k].flat, spreads[k], strict=True)
            for computed, exact, spread in rows:
                tally.add(computed, exact, exact, spread, mp.mpf(1))
        for k, output in enumerate(program.outputs):
            gradients = _gradients(values[k], list(leaves.values()), weights[k])
            for name, gradient in zip(leaves, gradients, strict=True):
                if (k, name) not in slopes or not _depends(program, k, name):
                    continue
                tally = tallies.setdefault(f"d {output.name} / d {name}", _Tally(dtype))
                for computed, slope in zip(_numbers(gradient), slopes[k, name], strict=True):
                    _add_slope(tally, computed, slope)


def _add_slope(tally: _Tally, computed: float, slope: Slope) -> None:
    left, right, size = slope.left, slope.right, max(slope.scale, mp.mpf(1))
    if not (mp.isfinite(left) and mp.isfinite(right)):
        # One side of an edge of the domain: the convention is not the oracle's to know.
        return
    if max(abs(left), abs(right)) > _STEEP * size:
        return
    if abs(left - right) <= _SMOOTH * max(abs(left), abs(right), size):
        left = right = (left + right) / 2
        if abs(left) < _FLAT * size:
            left = right = mp.mpf(0)
    # At a joint every number between the slopes of its sides is a convention.
    tally.add(computed, min(left, right), max(left, right), slope.spread, size)


def _weights(value: torch.Tensor, plain: bool) -> torch.Tensor:
    """The incoming gradient of an output: ones, or for reductions numbers that are not alike."""
    if plain:
        return torch.ones_like(value)
    numbers = [((7 * k) % 11 - 4.75) / 4 for k in range(value.numel())]
    return torch.tensor(numbers, dtype=value.dtype, device=value.device).reshape(value.shape)


def _gradients(
    value: torch.Tensor, leaves: list[torch.Tensor], weight: torch.Tensor
) -> list[torch.Tensor]:
    if not value.requires_grad or not leaves:
        return [torch.zeros_like(leaf) for leaf in leaves]
    found = torch.autograd.grad(value, leaves, weight, retain_graph=True, allow_unused=True)
    return [torch.zeros_like(v) if g is None else g for g, v in zip(found, leaves, strict=True)]


def _numbers(tensor: torch.Tensor) -> list[float]:
    numbers: list[float] = tensor.detach().cpu().double().flatten().tolist()
    return numbers


@cache
def _depends(program: Program, output: int, name: str) -> bool:
    """Whether an output reads an argument."""
    mark = needed(program.nodes, [program.outputs[output].node])
    return any(
        alive and node.op == "argument" and node.value == name
        for alive, node in zip(mark, program.nodes, strict=True)
    )


def _require_shapes(values: Sequence[torch.Tensor], exact: Sequence[Array]) -> None:
    for value, right in zip(values, exact, strict=True):
        if tuple(value.shape) != right.shape:
            raise CallError(f"an output has the shape {tuple(value.shape)}; the formula gives "
                            f"{right.shape}")  # fmt: skip


def _note(notes: list[str], text: str) -> None:
    if text not in notes:
        notes.append(text)
