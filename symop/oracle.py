"""A formula and its derivatives in high precision, by differences of the formula alone.

The formula is evaluated by the references of the function table: neither symop's derivatives
nor its stable forms enter.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import mpmath as mp
import numpy as np

from symop.evaluation import Array
from symop.program import Program
from symop.reals import Arrays, array_of, values_of

# Differences of this step lose 80 of the bits; what is left is far below an ULP.
BITS = 320
_STEP = mp.mpf(2) ** -80
_SHIFT = mp.mpf(2) ** -30
# Above so many arguments, conditions are estimated by moving all of them at once.
MAX_SINGLE, SIGNS = 6, 3


@dataclass(frozen=True)
class Slope:
    """A derivative by differences from the left and from the right.

    spread: how much rounding the inputs, the incoming gradient among them, moves it.
    scale: the size of what it is the derivative of.
    """

    left: Any
    right: Any
    spread: Any
    scale: Any


class Oracle:
    """A formula and its derivatives in high precision.

    An elementwise formula is differentiated everywhere at once, its arguments being of one
    shape; another element by element, its outputs weighed by cotangents.
    """

    def __init__(self, program: Program, arrays: Arrays, cotangents: Sequence[Array]) -> None:
        self.program = program
        self.arrays = arrays
        self.cotangents = cotangents
        self.elementwise = program.is_elementwise
        self.here = values_of(program, arrays)
        self.real = [a.name for a in program.arguments if not a.is_mask]
        self.one_by_one = self.elementwise and len(self.real) <= MAX_SINGLE
        elements = sum(arrays[name].size for name in self.real)
        self.inputs = len(self.real) if self.elementwise else elements

    def slopes(self) -> dict[tuple[int, str], list[Slope]]:
        """The derivatives, by output and argument."""
        sides = {name: self._sides(self.arrays, self.here, name) for name in self.real}
        moved = self._moved()
        result = {}
        for name, by_output in sides.items():
            for k, (left, right, weight) in enumerate(by_output):
                central = (left + right) / 2
                spreads = [abs(m[name][k] - central) / _SHIFT for m in moved]
                base = abs(central) if self.elementwise else weight
                if self.one_by_one:
                    spread = sum(spreads, start=base)
                else:
                    # The sum of the sizes, estimated from sums of random sign.
                    square = sum((s**2 for s in spreads), start=0 * central)
                    roots = [mp.sqrt(v * self.inputs / len(moved)) for v in square]
                    spread = base + array_of(roots, base.shape)
                scale = abs(self.here[k]).ravel() if self.elementwise else weight
                result[k, name] = [
                    Slope(*parts) for parts in zip(left, right, spread, scale, strict=True)
                ]
        return result

    def spreads(self, slopes: Mapping[tuple[int, str], Sequence[Slope]]) -> list[list[Any]]:
        """How much rounding the inputs moves each output."""
        if self.elementwise:
            result = []
            for k in range(len(self.here)):
                columns = [
                    [max(abs(s.left), abs(s.right)) * abs(x)
                     for s, x in zip(slopes[k, n], self.arrays[n].flat, strict=True)]
                    for n in self.real
                ]  # fmt: skip
                result.append([sum(parts) for parts in zip(*columns, strict=True)])
            return result
        totals = [np.zeros(value.size, dtype=object) for value in self.here]
        for name in self.real:
            for change, size in self._changes(self.arrays, self.here, name):
                for k, (behind, ahead) in enumerate(change):
                    totals[k] = totals[k] + abs((ahead - behind) / 2).ravel() * size
        return [list(total) for total in totals]

    def _moved(self) -> list[dict[str, list[Array]]]:
        """The derivatives after relative changes of the inputs."""
        changes: list[Arrays] = []
        if self.one_by_one:
            for name in self.real:
                x = self.arrays[name]
                changes.append({name: np.asarray(x + abs(x) * _SHIFT, dtype=object)})
        else:
            generator = random.Random(1)
            for _ in range(SIGNS):
                changes.append({})
                for name in self.real:
                    x = self.arrays[name]
                    signs = array_of([generator.choice((-1, 1)) for _ in range(x.size)], x.shape)
                    changes[-1][name] = np.asarray(x + abs(x) * signs * _SHIFT, dtype=object)
        result = []
        for change in changes:
            arrays = self.arrays | change
            here = values_of(self.program, arrays)
            sides = {name: self._sides(arrays, here, name) for name in self.real}
            result.append({n: [(a + b) / 2 for a, b, _ in s] for n, s in sides.items()})
        return result

    def _sides(
        self, arrays: Arrays, here: list[Array], name: str
    ) -> list[tuple[Array, Array, Array]]:
        """For each output the slopes from both sides, flat, and the sizes of their terms."""
        if self.elementwise:
            ((change, _),) = self._changes(arrays, here, name)
            return [(left, right, abs(right)) for left, right in change]
        columns: list[list[tuple[Any, Any, Any]]] = [[] for _ in here]
        for change, _ in self._changes(arrays, here, name):
            for k, (left, right) in enumerate(change):
                c = self.cotangents[k].ravel()
                columns[k].append((sum(c * left), sum(c * right), sum(abs(c * right))))
        sides = []
        for column in columns:
            a, b, c = (array_of([row[side] for row in column], (len(column),)) for side in range(3))
            sides.append((a, b, c))
        return sides

    def _changes(
        self, arrays: Arrays, here: list[Array], name: str
    ) -> Iterator[tuple[list[tuple[Array, Array]], Any]]:
        """Slopes of the outputs from the left and right, and the size of what was moved."""
        x = arrays[name]
        step = array_of([_STEP * max(mp.mpf(1), abs(v)) for v in x.ravel().tolist()], x.shape)
        if self.elementwise:
            yield self._slopes_along(arrays, here, name, step, step.ravel()), None
            return
        for index in np.ndindex(*x.shape):
            single = np.zeros(x.shape, dtype=object)
            single[index] = step[index]
            yield self._slopes_along(arrays, here, name, single, step[index]), abs(x[index])

    def _slopes_along(
        self, arrays: Arrays, here: list[Array], name: str, step: Array, size: Any
    ) -> list[tuple[Array, Array]]:
        x = arrays[name]
        ahead = values_of(self.program, arrays | {name: np.asarray(x + step, dtype=object)})
        behind = values_of(self.program, arrays | {name: np.asarray(x - step, dtype=object)})
        if not ahead or not behind:
            unknown = [np.full(f.size, mp.nan, dtype=object) for f in here]
            return list(zip(unknown, unknown, strict=True))
        return [
            ((f.ravel() - b.ravel()) / size, (a.ravel() - f.ravel()) / size)
            for f, a, b in zip(here, ahead, behind, strict=True)
        ]
