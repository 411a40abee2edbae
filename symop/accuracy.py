"""How far the values and derivatives of an op are from the oracle, dtype by dtype."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import torch

from symop.array_accuracy import measure_arrays
from symop.derivatives import elementwise_derivatives
from symop.oracle import Exact, Quantity, exact_at
from symop.program import Program, needed
from symop.reals import Tensors
from symop.samples import Samples, broadcast
from symop.tallies import BOUND, Accuracy, Tally

Function = Callable[..., Any]
Point = tuple[Any, ...]

DTYPES = (torch.float64, torch.float32, torch.bfloat16, torch.float16)
# Where the oracle and the op disagree, the oracle works in so many times the bits.
_FACTORS = (2, 4, 8)


def accuracies(
    function: Function,
    program: Program,
    given: Sequence[Tensors],
    samples: Samples,
    known: Function | None,
    notes: list[str],
    told: Callable[[str], Any],
) -> tuple[Accuracy, ...]:
    """The accuracy of every value and derivative, in each dtype.

    Args:
        function: the op.
        program: its formula.
        given: where to look; without any the samples say.
        samples: points of the formula.
        known: torch's own function for the whole formula, if there is one.
        notes: what could not be measured is added.
        told: hears of each dtype, and "" when it is done.
    """
    result: list[Accuracy] = []
    for dtype in DTYPES:
        told(str(dtype).removeprefix("torch."))
        tallies: dict[str, Tally] = {}
        if program.is_elementwise:
            measured = _Measured(function, program, samples, known, dtype, tallies)
            measured.run(given)
        else:
            for setting in given or list(samples.points()):
                measure_arrays(function, program, setting, dtype, tallies, notes)
        # Second derivatives that are zero everywhere, as those of sums are, say nothing.
        telling = [t for t in tallies.values() if not (t.quantity.startswith("d2") and t.is_zero)]
        result += [tally.accuracy() for tally in telling]
        told("")
    return tuple(result)


class _Measured:
    """An elementwise op in one dtype, held against the oracle point by point."""

    def __init__(
        self,
        function: Function,
        program: Program,
        samples: Samples,
        known: Function | None,
        dtype: torch.dtype,
        tallies: dict[str, Tally],
    ) -> None:
        self.function, self.program, self.samples = function, program, samples
        self.known, self.dtype, self.tallies = known, dtype, tallies
        self.names = [a.name for a in program.arguments]
        self.refined: dict[Point, dict[Quantity, Exact]] = {}

    def run(self, given: Sequence[Tensors]) -> None:
        """Add the errors at the points given, or at those that the samples have."""
        if given:
            flat = [[t.flatten() for t in broadcast(*g.values())] for g in given]
            columns = [torch.cat(parts) for parts in zip(*flat, strict=True)]
            points = list(zip(*(c.tolist() for c in columns), strict=True))
        else:
            points = [tuple(p) for p in self.samples.ordinary()]
        self._add("ordinary", points, 2)
        if not given:
            self._add("edge", self.samples.edges(self.dtype), self.samples.edge_order(self.dtype))

    def _add(self, kind: str, points: Sequence[Point], order: int) -> None:
        if not points:
            return
        inputs = [self._column(k, points) for k in range(len(self.names))]
        points = list(zip(*(v.tolist() for v in inputs), strict=True))
        exact = [exact_at(self.program, point, order) for point in points]
        found = elementwise_derivatives(self.function, inputs, order)
        self._compare(kind, found, points, exact)
        if kind == "ordinary" and self.known is not None:
            try:
                found = elementwise_derivatives(self.known, inputs, order)
            except (RuntimeError, TypeError, NotImplementedError):
                # Not every function of torch has every dtype, or takes what ours takes.
                return
            self._compare("torch", found, points, exact)

    def _column(self, place: int, points: Sequence[Point]) -> torch.Tensor:
        is_mask = self.program.arguments[place].is_mask
        column = torch.tensor([p[place] for p in points], dtype=torch.float64)
        return column.bool() if is_mask else column.to(self.dtype)

    def _compare(
        self,
        kind: str,
        found: dict[Quantity, list[float]],
        points: Sequence[Point],
        exact: Sequence[dict[Quantity, Exact]],
    ) -> None:
        for (k, by), numbers in found.items():
            if not all(_depends(self.program, k, self.names[i]) for i in by):
                continue
            name = self._name(k, by)
            tally = self.tallies.setdefault(name, Tally(self.dtype, name))
            for number, point, quantities in zip(numbers, points, exact, strict=True):
                right = quantities.get((k, by))
                if right is None or not tally.is_held(right):
                    continue
                if right.is_limit and not math.isfinite(number):
                    # The formula has no value there either.
                    continue
                if kind != "torch" and tally.error(number, right)[0] > BOUND:
                    right = self._refined(point, (k, by), right)
                tally.add(kind, number, right, self._place(point))

    def _refined(self, point: Point, quantity: Quantity, before: Exact) -> Exact:
        """The number in higher precision, when two precisions agree; NaN when none do."""
        order = len(quantity[1])
        for factor in _FACTORS:
            key = (*point, order, factor)
            if key not in self.refined:
                self.refined[key] = exact_at(self.program, point, order, factor)
            after = self.refined[key].get(quantity, before)
            if after.agrees(before):
                # The spread of the first is that of the order asked for.
                return replace(after, spread=before.spread, size=before.size)
            before = replace(after, spread=before.spread, size=before.size)
        return replace(before, low=math.nan, high=math.nan)

    def _name(self, k: int, by: tuple[int, ...]) -> str:
        output = self.program.outputs[k].name
        match by:
            case ():
                return output
            case (i,):
                return f"d {output} / d {self.names[i]}"
            case (i, j) if i == j:
                return f"d2 {output} / d {self.names[i]}2"
        return f"d2 {output} / d {self.names[by[0]]} d {self.names[by[1]]}"

    def _place(self, point: Point) -> str:
        return ", ".join(
            f"{n} = {v:.6g}" if isinstance(v, float) else f"{n} = {v}"
            for n, v in zip(self.names, point, strict=True)
        )


@cache
def _depends(program: Program, output: int, name: str) -> bool:
    """Whether an output reads an argument."""
    mark = needed(program.nodes, [program.outputs[output].node])
    return any(
        alive and node.op == "argument" and node.value == name
        for alive, node in zip(mark, program.nodes, strict=True)
    )
