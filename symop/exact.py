"""The numbers of a generated test: what a formula and its derivatives are at given points.

`exact` differentiates the formula itself, by differences in arithmetic of 100 digits: nothing
of symop's derivatives and stable forms enters. Where what is printed (`symop.printed`) disagrees,
the plain formula loses digits, and the point does not serve a test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import mpmath as mp
import numpy as np

from symop.derivative_names import cotangent_names
from symop.evaluation import Array, evaluate, reach
from symop.frames import Frame
from symop.planning import Plan
from symop.program import Program

DIGITS = 100

Arrays = dict[str, Array]

# Differences of second order lose 200 of the 332 bits; what is left is far below an ULP.
_STEP = mp.mpf(2) ** -100
# Derivatives this far below the value itself are not told from 0.
_NOISE = mp.mpf(2) ** -88


@dataclass(frozen=True)
class Numbers:
    """A formula at points, by the names of its outputs and of its arguments.

    outputs: the values.
    tangents: their change along the directions.
    gradients: the gradients for the cotangents.
    second: the change of the gradients along the directions.
    """

    outputs: Arrays
    tangents: Arrays
    gradients: Arrays
    second: Arrays


@dataclass(frozen=True)
class Setting:
    """Where a formula is differentiated: its arguments, their directions, its cotangents."""

    arguments: Arrays
    directions: Arrays
    cotangents: Arrays


def filled(numbers: Iterable[Any], shape: tuple[int, ...]) -> Array:
    """An array of mpmath numbers."""
    flat = list(numbers)
    result: Array = np.empty(len(flat), dtype=object)
    result[:] = flat
    return result.reshape(shape)


def as_array(value: Any) -> Array:
    """The array of a result: numpy gives a plain number for one of no dimensions."""
    return np.asarray(value, dtype=object)


def mapped(function: Callable[..., Any], *arrays: Array) -> Array:
    """The array of the values of a function."""
    several = np.broadcast_arrays(*arrays)
    return filled((function(*v) for v in zip(*(a.flat for a in several), strict=True)),
                  several[0].shape)  # fmt: skip


def exact(plan: Plan, written: Program, setting: Setting) -> Numbers:
    """The numbers of a formula to more than 20 digits, of the formula alone.

    Args:
        plan: what the op computes.
        written: the formula as it was written, without the rewrites of the plan.
        setting: where.
    """
    # What was written may cancel; it takes as many more digits as its values are apart.
    with mp.workdps(DIGITS), mp.extraprec(3 * reach(written, setting.arguments)):
        return _Differences(plan, written, setting).numbers()


class _Differences:
    def __init__(self, plan: Plan, written: Program, setting: Setting) -> None:
        self.plan = plan
        self.written = written
        self.setting = setting
        self.names = [o.name for o in plan.program.outputs]
        self.elementwise = plan.program.is_elementwise

    def numbers(self) -> Numbers:
        along = {n: as_array(d * _STEP) for n, d in self.setting.directions.items()}
        here, ahead = self._values({}), self._values(along)
        sums = self._weighed(here), self._weighed(ahead)
        gradients, second = {}, {}
        for name in self.plan.wanted:
            pairs = [self._slopes(step, along, sums) for step in self._steps(name)]
            shape = self.setting.arguments[name].shape
            first, other = (p[0] for p in pairs), (p[1] for p in pairs)
            if self.elementwise:
                gradients[name], second[name] = next(first), next(other)
            else:
                gradients[name], second[name] = filled(first, shape), filled(other, shape)
        tangents = [
            mapped(lambda a, b: _cleaned((b - a) / _STEP, a), a, b)
            for a, b in zip(here, ahead, strict=True)
        ]
        by_name = dict(zip(self.names, here, strict=True))
        return Numbers(by_name, dict(zip(self.names, tangents, strict=True)), gradients, second)

    def _steps(self, name: str) -> Iterator[Arrays]:
        """Small steps of one argument: of all elements, or of one element after the other."""
        shape = self.setting.arguments[name].shape
        if self.elementwise:
            yield {name: filled([_STEP] * int(np.prod(shape)), shape)}
            return
        size = int(np.prod(shape))
        for place in range(size):
            yield {name: filled([_STEP if k == place else mp.mpf(0) for k in range(size)], shape)}

    def _slopes(self, step: Arrays, along: Arrays, sums: tuple[Any, Any]) -> tuple[Any, Any]:
        beside = self._weighed(self._values(step))
        both = {n: as_array(along[n] + step[n]) if n in step else along[n] for n in along}
        beyond = self._weighed(self._values(both))
        here, ahead = sums
        if not self.elementwise:
            here, ahead, beside, beyond = (filled([v], ()) for v in (here, ahead, beside, beyond))
        first = mapped(lambda a, b: _cleaned((b - a) / _STEP, a), here, beside)
        second = mapped(
            lambda a, b, c, d: _cleaned((d - c - b + a) / _STEP**2, a), here, ahead, beside, beyond
        )
        return (first, second) if self.elementwise else (first.item(), second.item())

    def _values(self, steps: Mapping[str, Array]) -> list[Array]:
        values = dict(self.setting.arguments)
        values |= {n: as_array(values[n] + step) for n, step in steps.items()}
        return evaluate(self.written, values)

    def _weighed(self, values: Sequence[Array]) -> Any:
        """The outputs times their cotangents, all that depends on one step summed."""
        weights = [self.setting.cotangents[n] for n in self.names]
        products = [mapped(lambda a, b: a * b, *pair) for pair in zip(values, weights, strict=True)]
        if self.elementwise:
            return mapped(lambda *terms: sum(terms[1:], start=terms[0]), *products)
        terms: list[Any] = [v for p in products for v in p.flat]
        return sum(terms, start=mp.mpf(0))


def _cleaned(value: Any, scale: Any) -> Any:
    """The value, and 0 for what the differences leave of a derivative that is 0."""
    return mp.mpf(0) if abs(value) < _NOISE * abs(scale) else value


def conventional(plan: Plan, written: Program, setting: Setting) -> Numbers:
    """The outputs and gradients at a joint: the derivatives are those of the function table.

    Where the formula as it was written has no value, a rewrite may have given it its limit.
    """
    with mp.workdps(DIGITS):
        names = cotangent_names(plan.program)
        shapes = {n: a.shape for n, a in setting.arguments.items()}
        limits = evaluate(plan.program, setting.arguments)
        with mp.extraprec(3 * reach(written, setting.arguments)):
            plain = evaluate(written, setting.arguments)
        outputs = [
            mapped(lambda a, b: a if mp.isfinite(a) else b, *pair)
            for pair in zip(plain, limits, strict=True)
        ]
        values = dict(setting.arguments)
        for output, value in zip(plan.program.outputs, outputs, strict=True):
            if output.name in plan.saved:
                values[output.name] = value
            kept = frame_shape(output.frame, shapes)
            values[names[output.name]] = setting.cotangents[output.name].reshape(kept)
        gradients = evaluate(plan.gradient, values)
        by_name = dict(zip((o.name for o in plan.program.outputs), outputs, strict=True))
        return Numbers(by_name, {}, dict(zip(plan.wanted, gradients, strict=True)), {})


def frame_shape(frame: Frame, shapes: Mapping[str, tuple[int, ...]]) -> tuple[int, ...]:
    """The shape of a frame, its reduced axes being 1."""
    parts = []
    for atom in frame:
        if isinstance(atom, str):
            parts.append(shapes[atom])
        else:
            inner = frame_shape(atom[0], shapes)
            dims = {d % len(inner) for d in atom[1]} if inner else set()
            parts.append(tuple(1 if k in dims else n for k, n in enumerate(inner)))
    return tuple(np.broadcast_shapes(*parts))
