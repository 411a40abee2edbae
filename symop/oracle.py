"""An elementwise formula and its derivatives at a point, by differences in high precision.

The formula is evaluated by the references of the function table: neither symop's derivatives
nor its stable forms enter. The precision follows the point: an argument of 1e-300 beside a 1
needs a thousand bits more than one of 0.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from typing import Any

import mpmath as mp

from symop.evaluation import reach
from symop.program import Program
from symop.reals import NO_VALUE, array_of, number_of, values_of
from symop.stencils import Offset, values_around

# An output, and the arguments that it is differentiated by: (0, ()) is the value of the first
# output, (0, (1, 1)) its second derivative by the second argument.
Quantity = tuple[int, tuple[int, ...]]

# Differences of this step, relative to an argument below 1, lose that many of the bits.
_STEP, _BITS = 100, 200
# Slopes of two sides that differ by more are those of a joint.
_SMOOTH = mp.mpf(2) ** -40
# Slopes that grow as the step shrinks: a jump, or a vertical tangent.
_STEEP = mp.mpf(2) ** 40
_MAX_PAIRED = 6


@dataclass(frozen=True)
class Exact:
    """What a value or a derivative is.

    low, high: what it lies between: the slopes of both sides of a joint, else equal.
    spread: how much rounding the inputs, the incoming gradient among them, moves it, over eps.
    size: what an error is measured by where the number is 0.
    is_limit: whether the formula itself has no value there, only a limit from both sides: an
        op may have NaN there, or the limit.
    """

    low: Any
    high: Any
    spread: Any
    size: Any
    is_limit: bool = False

    @property
    def is_known(self) -> bool:
        """Whether there is a finite number to compare with."""
        return bool(mp.isfinite(self.low) and mp.isfinite(self.high))

    def agrees(self, other: Exact) -> bool:
        """Whether two evaluations give the same number, to more digits than float64 has."""
        pairs = ((self.low, other.low), (self.high, other.high))
        near = mp.mpf(2) ** -60
        return all(a == b or abs(a - b) <= near * max(abs(a), abs(b)) for a, b in pairs)


def pairs_of(count: int) -> list[tuple[int, int]]:
    """The second derivatives that are taken of so many arguments: beyond six no mixed ones."""
    mixed = list(combinations(range(count), 2)) if count <= _MAX_PAIRED else []
    return [*((i, i) for i in range(count)), *mixed]


def exact_at(
    program: Program, point: Sequence[Any], order: int, factor: int = 1
) -> dict[Quantity, Exact]:
    """The outputs at a point, and their derivatives up to an order.

    Args:
        program: an elementwise program.
        point: its arguments, numbers and truth values.
        order: 0, 1 or 2.
        factor: how many times the usual precision is worked in.
    """
    real = [i for i, a in enumerate(program.arguments) if not a.is_mask]
    numbers = [point[i] for i in real]
    if not all(mp.isfinite(v) for v in numbers):
        order = 0
    step = _STEP * factor
    here = {
        a.name: array_of([number_of(v)], ()) for a, v in zip(program.arguments, point, strict=True)
    }
    bits = _BITS * factor + (order + 2) * (reach(program, here) + (step if order else 0))
    with mp.workprec(bits):
        return _Stencil(program, point, real, order, step).quantities()


class _Stencil:
    """The values of the outputs at a point and around it."""

    def __init__(
        self, program: Program, point: Sequence[Any], real: Sequence[int], order: int, step: int
    ) -> None:
        self.program = program
        self.order = order
        self.real = real
        self.point = [number_of(v) for v in point]
        sizes = [min(mp.mpf(1), abs(self.point[i])) or mp.mpf(1) for i in real]
        self.sizes = dict(zip(real, sizes, strict=True))
        self.steps = {i: mp.ldexp(size, -step) for i, size in self.sizes.items()}
        self.pairs = [(real[a], real[b]) for a, b in pairs_of(len(real))] if order else []
        self.offsets = list(dict.fromkeys(self._offsets()))
        try:
            self.values = values_around(program, self.point, self.steps, self.offsets)
        except NO_VALUE:
            self.values = self._each()

    def _each(self) -> list[dict[Offset, Any]]:
        """The values where some of them do not exist."""
        names = [a.name for a in self.program.arguments]
        columns = [[self._moved(i, dict(o)) for o in self.offsets] for i in range(len(names))]
        shape = (len(self.offsets),)
        arrays = {n: array_of(c, shape) for n, c in zip(names, columns, strict=True)}
        found = values_of(self.program, arrays)
        return [dict(zip(self.offsets, column.flat, strict=True)) for column in found]

    def _moved(self, place: int, offset: dict[int, int]) -> Any:
        value = self.point[place]
        return value + offset[place] * self.steps[place] if place in offset else value

    def _offsets(self) -> Iterator[Offset]:
        yield ()
        for i in self.real if self.order else ():
            yield from (((i, n),) for n in (-2, -1, 1, 2))
        for i, j in self.pairs:
            if i != j:
                yield from (((i, m), (j, n)) for m in (-1, 1) for n in (-1, 1))

    def quantities(self) -> dict[Quantity, Exact]:
        result: dict[Quantity, Exact] = {}
        for k, values in enumerate(self.values):
            result |= {(k, by): e for by, e in _Differences(self, values).quantities().items()}
        return result


class _Differences:
    """One output around a point."""

    def __init__(self, stencil: _Stencil, values: dict[Offset, Any]) -> None:
        self.stencil = stencil
        self.values = values
        self.here = values[()]
        limit = self._limit() if mp.isnan(self.here) else None
        self.is_limit = limit is not None
        if limit is not None:
            self.here = limit
        self.smooth: set[int] = set()
        self.largest = max((abs(v) for v in values.values() if mp.isfinite(v)), default=mp.mpf(0))

    def _limit(self) -> Any:
        """What both sides tend to where the formula has no value, None when they do not."""
        for i in self.stencil.real if self.stencil.order else ():
            a, b, c, d = (self.values[(i, n),] for n in (-2, -1, 1, 2))
            if all(map(mp.isfinite, (a, b, c, d))) and abs(b - c) <= _SMOOTH * max(abs(b), 1):
                # Exact to the fourth order, so that second differences stay right.
                return (4 * (b + c) - (a + d)) / 6
        return None

    def quantities(self) -> dict[tuple[int, ...], Exact]:
        """The value and the derivatives, by the arguments that they are taken by."""
        found = self._quantities()
        return (
            {by: replace(e, is_limit=True) for by, e in found.items()} if self.is_limit else found
        )

    def _quantities(self) -> dict[tuple[int, ...], Exact]:
        stencil = self.stencil
        if not stencil.order:
            return {(): Exact(self.here, self.here, mp.mpf(0), mp.mpf(1))}
        first = {i: self._first(i) for i in stencil.real}
        spread = sum((abs(stencil.point[i]) * e.spread for i, e in first.items()), mp.mpf(0))
        value = Exact(self.here, self.here, spread, mp.mpf(1))
        result: dict[tuple[int, ...], Exact] = {(): value}
        for i, slope in first.items():
            # The spread of a slope: the second derivatives, by the sizes of the arguments.
            result[i,] = Exact(slope.low, slope.high, self._slope_spread(i, slope), slope.size)
        if stencil.order == 2:
            for i, j in stencil.pairs:
                if first[i].is_known and first[j].is_known and {i, j} <= self.smooth:
                    result[i, j] = self._second(i, j)
        return result

    def _at(self, *offset: tuple[int, int]) -> Any:
        return self.values[offset]

    def _two_sided(self, left: Any, right: Any, divisor: Any, size: Any) -> tuple[Any, Any]:
        """Both sides, their mean where they are the same, 0 where only noise is left."""
        if not (mp.isfinite(left) and mp.isfinite(right)):
            return mp.nan, mp.nan
        noise = mp.ldexp(self.largest, 20 - mp.mp.prec) / abs(divisor)
        left, right = (mp.mpf(0) if abs(v) <= noise else v for v in (left, right))
        if max(abs(left), abs(right)) > _STEEP * size:
            return mp.nan, mp.nan
        if abs(left - right) <= _SMOOTH * max(abs(left), abs(right)):
            left = right = (left + right) / 2
        return min(left, right), max(left, right)

    def _first(self, i: int) -> Exact:
        h = self.stencil.steps[i]
        left, right = (self.here - self._at((i, -1))) / h, (self._at((i, 1)) - self.here) / h
        size = max(abs(self.here), mp.mpf(1)) / self.stencil.sizes[i]
        low, high = self._two_sided(left, right, h, size)
        # Sides that differ by what each bends itself, as at an extremum, meet without a kink.
        bend = max(abs(b) for b in self._one_sided(i))
        if low == high or high - low <= 4 * h * bend:
            self.smooth.add(i)
        return Exact(low, high, max(abs(low), abs(high)), mp.mpf(1))

    def _one_sided(self, i: int) -> tuple[Any, Any]:
        """The second derivatives by one argument from the left and from the right."""
        h, here = self.stencil.steps[i], self.here
        left = (here - 2 * self._at((i, -1)) + self._at((i, -2))) / h**2
        return left, (self._at((i, 2)) - 2 * self._at((i, 1)) + here) / h**2

    def _corner(self, i: int, j: int) -> tuple[Any, Any, Any, Any]:
        a, b, c, d = (self._at((i, m), (j, n)) for m in (-1, 1) for n in (-1, 1))
        return a, b, c, d

    @cached_property
    def _bends(self) -> dict[tuple[int, int], Any]:
        """The second derivatives, their central differences."""
        bends = {}
        for i, j in self.stencil.pairs:
            h, k = self.stencil.steps[i], self.stencil.steps[j]
            if i == j:
                bends[i, i] = (self._at((i, 1)) - 2 * self.here + self._at((i, -1))) / h**2
            else:
                a, b, c, d = self._corner(i, j)
                bends[i, j] = bends[j, i] = (d - c - b + a) / (4 * h * k)
        return bends

    def _slope_spread(self, i: int, slope: Exact) -> Any:
        if i not in self.smooth:
            return slope.spread
        total = slope.spread
        for j in self.stencil.real:
            bend = self._bends.get((i, j), mp.mpf(0))
            total += abs(bend * self.stencil.point[j]) if mp.isfinite(bend) else 0
        return total

    def _second(self, i: int, j: int) -> Exact:
        at, here = self._at, self.here
        h, k = self.stencil.steps[i], self.stencil.steps[j]
        if i == j:
            left, right = self._one_sided(i)
        else:
            a, _, _, d = self._corner(i, j)
            left = (here - at((i, -1)) - at((j, -1)) + a) / (h * k)
            right = (d - at((i, 1)) - at((j, 1)) + here) / (h * k)
        size = max(abs(here), mp.mpf(1)) / (self.stencil.sizes[i] * self.stencil.sizes[j])
        low, high = self._two_sided(left, right, h * k, size)
        if low == high and low != 0:
            low = high = self._bends[i, j]
        return Exact(low, high, max(abs(low), abs(high)) + self._bend_spread(i, j), mp.mpf(1))

    def _bend_spread(self, i: int, j: int) -> Any:
        """The third derivatives, by the sizes of the arguments that they are taken by."""
        total = mp.mpf(0)
        for a, b in {(i, j), (j, i)}:
            # Of the derivatives by a and b, the one by a again; and of each, those by others.
            total += self._third(a, b, a)
            if i == j:
                others = [m for m in self.stencil.real if m != i and (i, m) in self._bends]
                total += sum((self._third(i, i, m) for m in others), mp.mpf(0))
        return total if mp.isfinite(total) else mp.mpf(0)

    def _third(self, a: int, b: int, by: int) -> Any:
        """The size of the change of a second derivative with an argument, by its size."""
        steps, x = self.stencil.steps, self.stencil.point[by]
        if a == b == by:
            parts = [self._at((a, n)) for n in (-2, -1, 1, 2)]
            change = (parts[3] - 2 * parts[2] + 2 * parts[1] - parts[0]) / (2 * steps[a] ** 3)
            return abs(change * x)
        # The argument that occurs twice, and the one that occurs once.
        twice = a if [a, b, by].count(a) == 2 else b
        once = next(m for m in (a, b, by) if m != twice)
        i, j = sorted((twice, once))
        corners = {(m, n): self._at((i, m), (j, n)) for m in (-1, 1) for n in (-1, 1)}

        def corner(of_twice: int, of_once: int) -> Any:
            return corners[(of_twice, of_once) if twice == i else (of_once, of_twice)]

        ahead = corner(1, 1) - 2 * self._at((once, 1)) + corner(-1, 1)
        behind = corner(1, -1) - 2 * self._at((once, -1)) + corner(-1, -1)
        return abs((ahead - behind) / (2 * steps[twice] ** 2 * steps[once]) * x)
