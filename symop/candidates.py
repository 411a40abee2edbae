"""Candidates for the points of a test: ordinary points, tails, and the joints of a formula.

Points are chosen by arithmetic alone, without torch, so that the same formula gives the same
test everywhere. Ordinary points are exact in bfloat16: one table serves every dtype.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import mpmath as mp
import numpy as np

from symop.evaluation import Array, evaluate
from symop.exact import Arrays, filled
from symop.functions import table
from symop.printed import DOUBLE
from symop.program import COMPARISONS, Output, Program, needed

Point = tuple[Any, ...]

# Ranges that arguments are tried in, the usual ones first.
_RANGES = ((-3.0, 3.0), (0.2, 3.0), (-0.9, 0.9), (0.1, 0.9), (1.2, 4.0))
_FAR_RANGES = ((5.0, 20.0), (20.0, 200.0), (0.005, 0.1), (-20.0, 20.0), (200.0, 5000.0))
# No multiples of 1/16: where a form splits its argument there, the rest must not vanish.
_TAILS = (6.5371, -6.5371, 12.4612, -12.4612, 19.2734, -19.2734, 34.5433, -34.5433, 1.17e-5)
_MAX_TAILS = 9
_BESIDE = mp.mpf(2) ** -15
MAX_WORK = 60_000
COLUMNS = 3
_TIES = frozenset({"maximum", "minimum", "fmax", "fmin", "clamp_min", "clamp_max"}) | COMPARISONS


def near(value: float) -> float:
    """The value with the 8 significant bits of bfloat16."""
    mantissa, exponent = math.frexp(value)
    return math.ldexp(round(mantissa * 256) / 256, exponent)


def spread(index: int, axis: int) -> float:
    """A number in [0, 1), spread evenly over the indices of an axis."""
    primes = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)
    root = math.sqrt(primes[axis % len(primes)] + 37 * (axis // len(primes)))
    return ((index + 0.5 + 0.37 * axis) * root) % 1.0


class Candidates:
    """Points of a program to choose from.

    cost: the work that one point takes.
    """

    def __init__(self, program: Program, cost: int) -> None:
        self.program = program
        self.cost = cost
        self.names = [a.name for a in program.arguments]
        self.masks = {a.name for a in program.arguments if a.is_mask}
        self.elementwise = program.is_elementwise
        self.rank = _rank(program)

    def ordinary(self) -> list[Point]:
        """Points where the formula is finite, from the usual ranges if there are any."""
        if not self.elementwise:
            return self._ordinary_array()
        few = is_large(self.cost)
        found: list[Point] = []
        for ranges, count in ((_RANGES, 10), (_FAR_RANGES, 8)):
            # Every argument in the same range first, then each in one of its own.
            for shift in (0,) if few else (0, 2):
                for k in range(len(ranges)):
                    chosen = [ranges[(k + shift * i) % len(ranges)] for i in range(len(self.names))]
                    tried = [self._drawn(chosen, j) for j in range(count)]
                    found += [p for p in tried if p not in found and self.is_finite(p)]
                    if len(found) >= 10 or (few and found):
                        return found[:12]
        return found

    def _ordinary_array(self) -> list[Point]:
        """Points that together make arrays at which the formula is finite."""
        shape = self.shape()
        size = int(np.prod(shape))
        for shift in (0, 2):
            for ranges in (_RANGES, _FAR_RANGES):
                for k in range(len(ranges)):
                    chosen = [ranges[(k + shift * i) % len(ranges)] for i in range(len(self.names))]
                    points = [self._drawn(chosen, j) for j in range(size + 11)]
                    arrays = self.stacked(points[:size], shape)
                    values = self._evaluated(self.program, arrays)
                    if values is not None and all(mp.isfinite(v) for a in values for v in a.flat):
                        return points
        return []

    def _drawn(self, ranges: Sequence[tuple[float, float]], index: int) -> Point:
        point: list[Any] = []
        for axis, (name, (low, high)) in enumerate(zip(self.names, ranges, strict=True)):
            if name in self.masks:
                point.append((index + axis) % 2 == 0)
            else:
                point.append(mp.mpf(near(low + (high - low) * spread(index, axis))))
        return tuple(point)

    def tails(self, base: Sequence[Point]) -> list[Point]:
        """Points with one argument far out or near zero."""
        axes = [k for k, n in enumerate(self.names) if n not in self.masks][:4]
        points = [_with(base[0], k, mp.mpf(value)) for value in _TAILS for k in axes]
        return [p for p in points if self.is_finite(p)][:_MAX_TAILS]

    def joints(self, base: Point) -> list[Point]:
        """Points where a function or a condition of the formula has its joint."""
        if is_large(self.cost):
            return []
        found: list[Point] = []
        for program, aim in self._meetings():
            point = self._solved(program, aim, base)
            if point is not None and point not in found:
                found.append(point)
            if len(found) == 8:
                break
        return found

    def _meetings(self) -> Iterator[tuple[Program, Any]]:
        """What is joined where: the operands of a node, and the number that the first meets."""
        nodes = self.program.nodes
        for node in nodes:
            if not node.operands or any(nodes[o].is_condition for o in node.operands):
                continue
            if any(not all(isinstance(a, str) for a in nodes[o].frame) for o in node.operands):
                continue
            record = table().get(node.op)
            first = node.operands[0]
            if node.op in _TIES or node.op == "clamp":
                for other in node.operands[1:]:
                    yield self._partial(first, other), None
            elif node.op in ("amax", "amin"):
                yield self._partial(first, first), None
            elif record is not None:
                for value in record.special:
                    yield self._partial(first), mp.mpf(value)

    def _partial(self, *nodes: int) -> Program:
        """The program of some nodes."""
        mark = needed(self.program.nodes, nodes)
        last = max(k for k, m in enumerate(mark) if m) + 1
        outputs = tuple(
            Output(f"_{k}", node, self.program.nodes[node].frame) for k, node in enumerate(nodes)
        )
        return replace(self.program, nodes=self.program.nodes[:last], outputs=outputs, names=(),
                       loose=frozenset())  # fmt: skip

    def _solved(self, program: Program, aim: Any, base: Point) -> Point | None:
        """The base with one argument moved so that the joint is met, as closely as float64 can."""

        def gap(point: Point) -> Any:
            values = self._at(program, point)
            if values is None or not all(mp.isfinite(v) for v in values):
                return None
            return values[0] - (values[1] if aim is None else aim)

        here = gap(base)
        if here == 0:
            return base
        for axis, name in enumerate(self.names):
            if name in self.masks or here is None:
                continue
            point = _secant(gap, base, axis, here)
            if point is not None:
                return point
        return None

    def sides(self, joint: Point, base: Point) -> list[Point]:
        """Points on both sides of a joint, moved in the argument that meets it."""
        moved = [k for k, (a, b) in enumerate(zip(joint, base, strict=True)) if a != b]
        axis = moved[0] if moved else 0
        at = joint[axis]
        step = _BESIDE * (abs(at) if at else 1)
        return [_with(joint, axis, at - step), _with(joint, axis, at + step)]

    def stacked(self, points: Sequence[Point], shape: tuple[int, ...]) -> Arrays:
        """The points as arrays of a shape, by argument."""
        columns = zip(*points, strict=True)
        return {n: filled(c, shape) for n, c in zip(self.names, columns, strict=True)}

    def shape(self) -> tuple[int, ...]:
        """The shape of arguments that reductions are tried at: the largest that is affordable."""
        for shape in ((2, 3), (1, 3), (1, 2)):
            full = (2,) * (self.rank - 2) + shape
            if self.cost * int(np.prod(full)) ** 2 < MAX_WORK * 2:
                break
        return full

    def is_finite(self, point: Point) -> bool:
        """Whether the formula has finite values at a point."""
        values = self._at(self.program, point)
        return values is not None and all(mp.isfinite(v) for v in values)

    def _at(self, program: Program, point: Point) -> list[Any] | None:
        """The outputs at one point, every argument 0-d; None where they are not real."""
        arrays = {n: filled([v], ()) for n, v in zip(self.names, point, strict=True)}
        values = self._evaluated(program, arrays)
        return None if values is None else [value.item() for value in values]

    def _evaluated(self, program: Program, arrays: Arrays) -> list[Array] | None:
        """The outputs for arrays; None where a function has no value."""
        with mp.workprec(DOUBLE):
            try:
                return evaluate(program, arrays)
            except (ArithmeticError, ValueError, TypeError, NotImplementedError):
                return None


def is_large(cost: int) -> bool:
    """Whether points cost so much that few can be had."""
    return cost * COLUMNS > MAX_WORK


def _rank(program: Program) -> int:
    """The rank that every dim named in the program exists in, at least 2."""
    rank = 2
    for node in program.nodes:
        for dim in node.dims or ():
            rank = max(rank, dim + 1 if dim >= 0 else -dim)
    return rank


def _with(point: Point, axis: int, value: Any) -> Point:
    return (*point[:axis], value, *point[axis + 1 :])


def _secant(gap: Callable[[Point], Any], base: Point, axis: int, here: Any) -> Point | None:
    """The root of a gap in one argument, a float64; exact where the gap is linear."""
    before, value = (base[axis], here), base[axis] + mp.mpf(1) / 2
    for _ in range(12):
        found = gap(_with(base, axis, value))
        if found is None or found == before[1]:
            return None
        if found == 0:
            break
        step = found * (value - before[0]) / (found - before[1])
        before, value = (value, found), mp.mpf(float(value - step))
        if value == before[0]:
            break
    point = _with(base, axis, value)
    left = gap(point)
    return point if left is not None and abs(left) < mp.mpf("1e-12") else None
