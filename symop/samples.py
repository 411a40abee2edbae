"""Where an op is tried: points and examples from the domains of the functions in a formula."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import mpmath as mp
import torch

from symop.evaluation import with_steps
from symop.functions import table
from symop.oracle import pairs_of
from symop.program import COMPARISONS, Program
from symop.reaching import reaching
from symop.reals import Arrays, Tensors, array_of, arrays_of, number_of, values_of
from symop.stencils import work

_RANGES = ((-3.0, 3.0), (0.2, 3.0), (-0.9, 0.9), (0.1, 0.9), (1.2, 4.0), (3.0, 20.0))
_WORK = 20_000
_MAX_POINTS, _MIN_POINTS, _MAX_EDGES = 40, 6, 36
# Beyond so many numbers even the fewest points are too many.
_MOST_WORK = 150_000
# Beyond so many arguments all of them are moved at once, in directions.
_ALONE, _DIRECTIONS = 16, 4
Point = tuple[Any, ...]

_SMALL, _LARGE = mp.mpf(2) ** -90, mp.mpf(2) ** 90


class Samples:
    """Points and examples from the domains of the functions in a formula."""

    def __init__(self, program: Program, rewritten: Program | None = None) -> None:
        self.program = program
        self.rewritten = rewritten or program
        self.names = [a.name for a in program.arguments]
        self.masks = {a.name for a in program.arguments if a.is_mask}
        self.real = [n for n in self.names if n not in self.masks]
        self.generator = random.Random(0)
        self._ordinary: list[Point] | None = None
        dims = [d for node in program.nodes for d in node.dims or ()]
        self.rank = max((-d if d < 0 else d + 1 for d in dims), default=0)
        self.ranges = self._ranges()

    def points(self) -> Iterator[Tensors]:
        """Arguments to measure the accuracy of a formula with reductions at."""
        yield from list(self._arrays())[:1]

    def ordinary(self) -> list[Point]:
        """Points to measure the accuracy at: drawn ones, joints, and beside joints."""
        if self._ordinary is None:
            base = self._drawn(self._count())
            # Of many joints, some of every argument.
            joints = list(self._special(base[:1]))
            most = 2 * self._count() if self.is_large else max(_MIN_POINTS, 2 * self._count())
            every = math.ceil(len(joints) / most)
            special = [p for p in joints[:: max(every, 1)] if self._has_limit(p)]
            self._ordinary = [*base, *special]
        return self._ordinary

    def edges(self, dtype: torch.dtype) -> list[Point]:
        """Points with one argument at an edge of what the dtype can hold."""
        info = torch.finfo(dtype)
        tiny, most, eps = info.smallest_normal, info.max, info.eps
        sizes = (tiny / 16, 1.5 * tiny, 0.7 * eps, 1.3 / eps, 0.9 * most**0.5, most / 2, math.inf)
        values = [0.0, -0.0, math.nan, *(s * v for v in sizes for s in (1, -1))]
        base = self.ordinary()[:1]
        found = [
            (*point[:axis], value, *point[axis + 1 :])
            for value in values
            for axis, name in enumerate(self.names)
            if name not in self.masks
            for point in base
            if not (value == 0 and math.copysign(1, value) < 0 and self._tells_zeros())
        ]
        every = math.ceil(len(found) / (_MAX_EDGES if self._is_quick() else _MAX_EDGES // 3))
        return found[:: max(every, 1)]

    def edge_order(self, dtype: torch.dtype) -> int:
        """Up to which order derivatives are measured at edges, where precision costs most."""
        few = len(self.real) <= 2 and len(self.program.nodes) < 30 and self._is_quick()
        return 0 if not few or torch.finfo(dtype).bits == 16 else 2 if len(self.real) == 1 else 1

    def _is_quick(self) -> bool:
        return not any(node.op in _slow() for node in self.program.nodes)

    def _tells_zeros(self) -> bool:
        """Whether the formula tells zeros of different sign, which the oracle does not."""
        return any(n.op in ("copysign", "atan2", "hypot_slope") for n in self.program.nodes)

    def examples(self) -> Iterator[Tensors]:
        """Arguments to differentiate at: of one shape, of shapes that broadcast, and 0-d."""
        if not self.program.is_elementwise:
            yield from self._arrays()
            return
        tries = 3 * _MIN_POINTS if len(self.names) <= 16 else _MIN_POINTS
        points = [p for p in self._drawn(tries) if self._is_tame(p)]
        if not points:
            return
        size = min(len(points), 5 if len(self.names) < 8 else 2)
        yield self._stacked(points[:size], (size,))
        if 1 < len(self.names) <= 16:
            shapes = [((2, 1), (3,), (), (2, 3))[k % 4] for k in range(len(self.names))]
            yield from self._broadcast(points, shapes)
        elif len(self.names) == 1:
            picked = [points[k % len(points)] for k in range(6)]
            yield self._stacked(picked, (2, 3))
        yield self._stacked(points[-1:], ())

    def _count(self) -> int:
        slow = sum(20 for node in self.program.nodes if node.op in _slow())
        # What the oracle evaluates: four points an argument and a pair of arguments.
        rounds = 1 + 4 * len(self.real) + (4 * len(pairs_of(len(self.real))))
        affordable = _WORK // ((len(self.program.nodes) + slow) * rounds)
        count = max(_MIN_POINTS, min(_MAX_POINTS, affordable))
        return count if not self.is_large else max(1, _MOST_WORK // work(self.program, 2))

    @property
    def is_large(self) -> bool:
        """Whether the fewest points would be too many."""
        return self.program.is_elementwise and work(self.program, 2) * _MIN_POINTS > _MOST_WORK

    def _ranges(self) -> list[tuple[float, float]]:
        """The domain of each argument, by the functions that it stands in."""
        ranges = []
        for name in self.names:
            low, high = -3.0, 3.0
            for record in self._functions_of(name, self.program):
                low, high = max(low, record.domain[0]), min(high, record.domain[1])
            ranges.append((low, high) if low < high else (-3.0, 3.0))
        return ranges

    def _functions_of(self, name: str, program: Program) -> list[Any]:
        nodes, known = program.nodes, table()
        return [
            known[node.op]
            for node in nodes
            if node.op in known and node.operands and nodes[node.operands[0]].value == name
        ]

    def _choices(self) -> Iterator[list[tuple[float, float]]]:
        count = len(self.names)
        yield self.ranges
        for common in _RANGES:
            yield [common] * count
        for shift in range(len(_RANGES) if count > 1 else 0):
            yield [_RANGES[(shift + 2 * k) % len(_RANGES)] for k in range(count)]

    def _point(self, ranges: Sequence[tuple[float, float]]) -> tuple[Any, ...]:
        uniform = self.generator.uniform
        return tuple(
            uniform(0, 1) < 0.5 if name in self.masks else uniform(*limits)
            for name, limits in zip(self.names, ranges, strict=True)
        )

    def _drawn(self, count: int) -> list[tuple[Any, ...]]:
        """Points where the formula is finite, from the first ranges where most are."""
        best: list[tuple[Any, ...]] = []
        for ranges in self._choices():
            tried = [self._point(ranges) for _ in range(count)]
            found = [p for p in tried if self._is_finite(p)]
            if len(found) > 0.8 * count:
                return found
            best = max(best, found, key=len)
        return best

    def _special(self, base: Sequence[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
        """The joints of the functions at their first argument, and points beside them."""
        nodes = self.program.nodes
        for axis, name in enumerate(self.names):
            both = dict.fromkeys((self.program, self.rewritten))
            records = [f for p in both for f in self._functions_of(name, p)]
            values: list[float] = [v for f in records for v in f.special]
            for node in nodes:
                if node.op in COMPARISONS and nodes[node.operands[0]].value == name:
                    other = nodes[node.operands[1]]
                    values += [float(other.value or 0)] if other.op == "constant" else []
            if name not in self.masks:
                values += [0.0, 1.0]
            for value in dict.fromkeys(values):
                for moved in (value, value - 2.0**-12, value + 2.0**-12):
                    for point in base:
                        yield (*point[:axis], moved, *point[axis + 1 :])

    def _at(self, point: Sequence[Any]) -> Arrays:
        return {n: array_of([number_of(v)], ()) for n, v in zip(self.names, point, strict=True)}

    def _is_finite(self, point: Sequence[Any]) -> bool:
        with mp.workprec(64):
            return _is_moderate(self.program, self._at(point))

    def _has_limit(self, point: Sequence[Any]) -> bool:
        """Whether the formula is finite, or was rewritten so that it is."""
        with mp.workprec(64):
            return self._is_finite(point) or _is_moderate(self.rewritten, self._at(point))

    def _is_tame(self, point: Sequence[Any]) -> bool:
        """Whether differences in float64 see the derivatives: no joint or pole is near."""
        with mp.workprec(64):
            here = values_of(self.program, self._at(point))
            for step in self._steps():
                beside = [
                    [x if s is None else x + d * s for x, s in zip(point, step, strict=True)]
                    for d in (-0.01, -0.005, 0.005, 0.01)
                ]
                moved = [values_of(self.program, self._at(p)) for p in beside]
                for f, *sides in zip(here, *moved, strict=True):
                    a, b, c, d = (s.item() for s in sides)
                    near, far = (c - b) / 0.01, (d - a) / 0.02
                    bend = abs(b + c - 2 * f.item()) / 0.005
                    size = 1 + abs(near)
                    is_calm = abs(near - far) < 0.05 * size and bend < 0.2 * size
                    if not (is_calm and abs(f.item()) < 1e4 and abs(near) < 1e4):
                        return False
        return True

    def _steps(self) -> Iterator[list[int | None]]:
        """Unit steps of each argument, or of many arguments together; None for a mask."""
        real = [name not in self.masks for name in self.names]
        if len(self.real) <= _ALONE:
            for axis in (k for k, moves in enumerate(real) if moves):
                yield [int(k == axis) if moves else None for k, moves in enumerate(real)]
            return
        for period in range(_DIRECTIONS):
            yield [1 - 2 * (k >> period & 1) if moves else None for k, moves in enumerate(real)]

    def _stacked(self, points: Sequence[Sequence[Any]], shape: tuple[int, ...]) -> Tensors:
        columns = zip(*points, strict=True)
        return {n: self._tensor(n, c, shape) for n, c in zip(self.names, columns, strict=True)}

    def _tensor(self, name: str, values: Sequence[Any], shape: tuple[int, ...]) -> torch.Tensor:
        dtype = torch.bool if name in self.masks else torch.float64
        return torch.tensor(values, dtype=dtype).reshape(shape)

    def _broadcast(
        self, points: Sequence[Sequence[Any]], shapes: Sequence[tuple[int, ...]]
    ) -> Iterator[Tensors]:
        """Arguments of shapes that broadcast, when the formula is tame wherever they meet."""
        for offset in range(len(points)):
            tensors = {}
            for axis, (name, shape) in enumerate(zip(self.names, shapes, strict=True)):
                column = [points[(offset + k) % len(points)][axis] for k in range(math.prod(shape))]
                tensors[name] = self._tensor(name, column, shape)
            flat = [t.flatten().tolist() for t in broadcast(*tensors.values())]
            if all(self._is_tame(point) for point in zip(*flat, strict=True)):
                yield tensors
                return

    def _arrays(self) -> Iterator[Tensors]:
        """Arguments of a formula with reductions: of one shape, broadcast, and 0-d."""
        full = (2, 3, *(2,) * (self.rank - 2))[: max(self.rank, 2)]
        several = len(self.names) > 1
        shapes = [[full] * len(self.names)]
        if several:
            # Axes of size 1, so that named dims mean the same for every argument.
            ones = [tuple(1 if a == k % 3 else n for a, n in enumerate(full)) for k in range(3)]
            shapes.append([ones[(k + 2) % 3] for k in range(len(self.names))])
        if not self.rank:
            shapes.append([()] * len(self.names))
        for chosen in shapes:
            found = self._finite_arrays(chosen)
            if found is not None:
                yield found

    def _finite_arrays(self, shapes: Sequence[tuple[int, ...]]) -> Tensors | None:
        for ranges in self._choices():
            tensors: Tensors = {}
            for name, shape, limits in zip(self.names, shapes, ranges, strict=True):
                drawn = [self.generator.uniform(*limits) for _ in range(math.prod(shape))]
                tensor = torch.tensor(drawn, dtype=torch.float64).reshape(shape)
                tensors[name] = tensor > 0 if name in self.masks else tensor
            with mp.workprec(64):
                if _is_moderate(self.program, arrays_of(tensors)):
                    return tensors
        return None


def broadcast(*tensors: torch.Tensor) -> list[torch.Tensor]:
    """The tensors in their common shape."""
    return list(torch.broadcast_tensors(*tensors))  # type: ignore[no-untyped-call]


def _is_moderate(program: Program, arrays: Arrays) -> bool:
    """Whether the values of a program, and all that they depend on, stay in range in float32."""
    results = values_of(with_steps(program), arrays)
    return bool(results) and all(
        mp.isfinite(v) and (v == 0 or _SMALL < abs(v) < _LARGE)
        for _, v in reaching(program, results)
    )


@cache
def _slow() -> frozenset[str]:
    """Functions whose reference takes long."""
    from symop import airy, bessel, gammas, integrals, scaled, special, spherical

    modules = (special, gammas, bessel, spherical, scaled, airy, integrals)
    return frozenset(f.name for module in modules for f in module.FUNCTIONS)
