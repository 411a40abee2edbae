"""A formula with reductions and its gradients in high precision, element by element."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any

import mpmath as mp
import numpy as np

from symop.evaluation import Array
from symop.oracle import Exact
from symop.program import Program
from symop.reals import Arrays, array_of, values_of

# Differences of this step lose 80 of the bits; what is left is far below an ULP.
BITS = 320
_STEP = mp.mpf(2) ** -80
# The step of the second difference, which leaves 90 bits of a change of gradients.
_SECOND = mp.mpf(2) ** -70
_SHIFT = mp.mpf(2) ** -30
# Slopes that differ by less belong to a smooth function; slopes below are those of a constant.
_SMOOTH, _FLAT = mp.mpf(2) ** -60, mp.mpf(2) ** -120
# Slopes that grow as the step shrinks: a jump, or a vertical tangent.
_STEEP = mp.mpf(2) ** 40
_SIGNS = 3

# The gradients of every output by every argument: slopes of both sides, and the size of terms.
_Sides = dict[str, list[tuple[Array, Array, Array]]]


class ArrayOracle:
    """The outputs, weighed by cotangents, and their derivatives by every element."""

    def __init__(
        self, program: Program, arrays: Arrays, cotangents: Sequence[Array], *, differentiated: bool
    ) -> None:
        self.program = program
        self.arrays = arrays
        self.cotangents = cotangents
        self.here = values_of(program, arrays)
        self.real = [a.name for a in program.arguments if not a.is_mask]
        self.elements = sum(arrays[name].size for name in self.real)
        self.differentiated = differentiated
        known = differentiated and self.here
        self.sides = self._sides(arrays, self.here) if known else {}

    def values(self) -> list[list[Exact]]:
        """The outputs; what rounding the inputs does to them is known with the derivatives."""
        size = mp.mpf(1)
        if not self.differentiated:
            return [[Exact(v, v, mp.inf, size) for v in value.flat] for value in self.here]
        totals = [np.zeros(value.size, dtype=object) for value in self.here]
        for name in self.real:
            for change, moved in self._changes(self.arrays, self.here, name):
                for k, (behind, ahead) in enumerate(change):
                    totals[k] = totals[k] + abs((ahead - behind) / 2).ravel() * moved
        return [
            [Exact(v, v, s, size) for v, s in zip(value.flat, total, strict=True)]
            for value, total in zip(self.here, totals, strict=True)
        ]

    def gradients(self) -> dict[tuple[int, str], list[Exact]]:
        """The gradients, by output and argument."""
        generator = random.Random(1)
        moved = [self._gradients_at(self._signs(generator), _SHIFT) for _ in range(_SIGNS)]
        result = {}
        for name, by_output in self.sides.items():
            for k, (left, right, weight) in enumerate(by_output):
                central = (left + right) / 2
                spreads = [abs(m[name][k] - central) / _SHIFT for m in moved]
                spread = weight + self._estimated(spreads)
                parts = zip(left, right, spread, weight, strict=True)
                result[k, name] = [_slope(*p) for p in parts]
        return result

    def directions(self) -> Arrays:
        """A direction for every argument, in which gradients are varied."""
        generator = random.Random(2)
        return self._signs(generator)

    def second(self) -> dict[tuple[int, str], list[Exact]]:
        """The change of the gradients along the directions, where no joint is met."""
        along = self.directions()
        here = self._change_at({}, along)
        generator = random.Random(3)
        moved = [self._change_at(self._signs(generator), along) for _ in range(_SIGNS - 1)]
        result = {}
        for name, by_output in self.sides.items():
            for k, (left, right, weight) in enumerate(by_output):
                size = np.maximum(weight, mp.mpf(1))
                if any(abs(left - right) > _SMOOTH * size):
                    continue
                change = here[name][k]
                spreads = [abs(m[name][k] - change) / _SHIFT for m in moved]
                spread = abs(change) + self._estimated(spreads)
                flat = [mp.mpf(0) if abs(v) < 2**30 * _FLAT / _SECOND else v for v in change]
                result[k, name] = [
                    Exact(v, v, s + w, mp.mpf(1))
                    for v, s, w in zip(flat, spread, weight, strict=True)
                ]
        return result

    def _estimated(self, spreads: Sequence[Array]) -> Array:
        """The sum of the sizes of many changes, from sums of random sign."""
        square = sum((s**2 for s in spreads), start=0 * spreads[0])
        return array_of([mp.sqrt(v * self.elements / len(spreads)) for v in square], square.shape)

    def _signs(self, generator: random.Random) -> Arrays:
        return {
            name: array_of(
                [abs(x) * generator.choice((-1, 1)) for x in self.arrays[name].ravel().tolist()],
                self.arrays[name].shape,
            )
            for name in self.real
        }

    def _gradients_at(self, along: Arrays, step: Any) -> dict[str, list[Array]]:
        """The gradients a step along a direction."""
        arrays = self._moved(self.arrays, along, step)
        sides = self._sides(arrays, values_of(self.program, arrays))
        return {n: [(a + b) / 2 for a, b, _ in s] for n, s in sides.items()}

    def _change_at(self, offset: Arrays, along: Arrays) -> dict[str, list[Array]]:
        """The change of the gradients along a direction, at the arguments or beside them."""
        origin = self._moved(self.arrays, offset, _SHIFT)
        ahead, behind = (
            self._sides(moved, values_of(self.program, moved))
            for moved in (self._moved(origin, along, s) for s in (_SECOND, -_SECOND))
        )
        return {
            n: [
                (a[0] + a[1] - b[0] - b[1]) / (4 * _SECOND)
                for a, b in zip(ahead[n], behind[n], strict=True)
            ]
            for n in ahead
        }

    def _moved(self, arrays: Arrays, along: Arrays, step: Any) -> Arrays:
        return arrays | {
            n: np.asarray(arrays[n] + direction * step, dtype=object)
            for n, direction in along.items()
        }

    def _sides(self, arrays: Arrays, here: list[Array]) -> _Sides:
        """For each argument and output the slopes from both sides, and the sizes of terms."""
        result: _Sides = {}
        for name in self.real:
            columns: list[list[tuple[Any, Any, Any]]] = [[] for _ in here]
            for change, _ in self._changes(arrays, here, name):
                for k, (left, right) in enumerate(change):
                    c = self.cotangents[k].ravel()
                    columns[k].append((sum(c * left), sum(c * right), sum(abs(c * right))))
            result[name] = []
            for column in columns:
                parts = ([row[side] for row in column] for side in range(3))
                a, b, c = (array_of(p, (len(column),)) for p in parts)
                result[name].append((a, b, c))
        return result

    def _changes(
        self, arrays: Arrays, here: list[Array], name: str
    ) -> Iterator[tuple[list[tuple[Array, Array]], Any]]:
        """Slopes of the outputs by one element from both sides, and the size of the element."""
        x = arrays[name]
        for index in np.ndindex(*x.shape):
            step = _STEP * max(mp.mpf(1), abs(x[index]))
            single = np.zeros(x.shape, dtype=object)
            single[index] = step
            ahead = values_of(self.program, arrays | {name: np.asarray(x + single, dtype=object)})
            behind = values_of(self.program, arrays | {name: np.asarray(x - single, dtype=object)})
            if not ahead or not behind:
                unknown = [np.full(f.size, mp.nan, dtype=object) for f in here]
                yield list(zip(unknown, unknown, strict=True)), abs(x[index])
                continue
            slopes = [
                ((f.ravel() - b.ravel()) / step, (a.ravel() - f.ravel()) / step)
                for f, a, b in zip(here, ahead, behind, strict=True)
            ]
            yield slopes, abs(x[index])


def _slope(left: Any, right: Any, spread: Any, scale: Any) -> Exact:
    """A derivative from the slopes of both sides."""
    size = max(scale, mp.mpf(1))
    finite = mp.isfinite(left) and mp.isfinite(right)
    if not finite or max(abs(left), abs(right)) > _STEEP * size:
        # One side of an edge of the domain: the convention is not the oracle's to know.
        return Exact(mp.nan, mp.nan, spread, size)
    if abs(left - right) <= _SMOOTH * max(abs(left), abs(right), size):
        left = right = (left + right) / 2
        if abs(left) < _FLAT * size:
            left = right = mp.mpf(0)
    # At a joint every number between the slopes of its sides is a convention.
    return Exact(min(left, right), max(left, right), spread, size)
