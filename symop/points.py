"""Where a generated test looks: ordinary points, tails, both sides of joints, and the joints.

Points are chosen by arithmetic alone, without torch, so that the same formula gives the same
test everywhere. Ordinary points are exact in bfloat16: one table serves every dtype.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import mpmath as mp
import numpy as np

from symop.errors import CheckError
from symop.evaluation import Array, evaluate
from symop.exact import (
    DIGITS,
    DOUBLE,
    Arrays,
    Lowered,
    Numbers,
    Setting,
    conventional,
    exact,
    filled,
    mapped,
    printed,
)
from symop.functions import table
from symop.planning import Plan
from symop.program import COMPARISONS, Output, Program, needed

Point = tuple[Any, ...]
Error = tuple[Any, Any, Any]

# Ranges that arguments are tried in, the usual ones first.
_RANGES = ((-3.0, 3.0), (0.2, 3.0), (-0.9, 0.9), (0.1, 0.9), (1.2, 4.0))
_FAR_RANGES = ((5.0, 20.0), (20.0, 200.0), (0.005, 0.1), (-20.0, 20.0), (200.0, 5000.0))
# No multiples of 1/16: where a form splits its argument there, the rest must not vanish.
_TAILS = (6.5371, -6.5371, 12.4612, -12.4612, 19.2734, -19.2734, 34.5433, -34.5433, 1.17e-5)
_MAX_TAILS = 9
# Where exp overflows: a sum of exponentials needs its largest taken out.
_FAR = 768
_BESIDE = mp.mpf(2) ** -15

_COLUMNS = 3
# How far what is printed may be off, by element, for a point to serve; the test allows more.
_AGREEMENT = mp.mpf("2e-12")
# What a value may be off beside the largest of its kind, when it cancels everywhere.
_ABSOLUTE = ("0", "1e-15", "1e-13", "1e-11", "1e-9", "1e-7")
_MAX_WORK = 60_000
_SLOW = frozenset({"zeta", "polygamma", "lgamma", "digamma", "gamma", "erfinv", "ndtri", "log_ndtr",
                   "erfcx", "erfcx_1", "erfcx_2", "inverse_mills"})  # fmt: skip
_TIES = frozenset({"maximum", "minimum", "fmax", "fmin", "clamp_min", "clamp_max"}) | COMPARISONS


@dataclass(frozen=True)
class Points:
    """A formula where its test looks.

    setting, numbers: the rows of ordinary points, then tails and the sides of joints.
    ordinary: how many rows are ordinary points.
    is_tame: finite differences in float64 see the derivatives there.
    atol: what the numbers may be off absolutely; "0.0" unless they cancel.
    float32: how many float32 epsilons the ordinary numbers may be off.
    joints: the joints, each with its numbers by the convention of the function table.
    """

    setting: Setting
    numbers: Numbers
    ordinary: int
    atol: str
    float32: int
    is_tame: bool
    joints: tuple[tuple[Setting, Numbers], ...]


def choose(plan: Plan) -> Points:
    """The points of a formula, and its numbers there.

    Raises:
        CheckError: what symop would print disagrees with the formula at every point.
    """
    return _Choice(plan).points()


def _near(value: float) -> float:
    """The value with the 8 significant bits of bfloat16."""
    mantissa, exponent = math.frexp(value)
    return math.ldexp(round(mantissa * 256) / 256, exponent)


def _spread(index: int, axis: int) -> float:
    """A number in [0, 1), spread evenly over the indices of an axis."""
    primes = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)
    root = math.sqrt(primes[axis % len(primes)] + 37 * (axis // len(primes)))
    return ((index + 0.5 + 0.37 * axis) * root) % 1.0


class _Choice:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.program = plan.program
        self.low = Lowered(plan)
        self.names = [a.name for a in self.program.arguments]
        self.masks = {a.name for a in self.program.arguments if a.is_mask}
        self.outputs = [o.name for o in self.program.outputs]
        self.elementwise = self.program.is_elementwise
        slow = sum(25 for n in self.program.nodes if n.op in _SLOW)
        self.cost = (len(self.program.nodes) + slow) * (2 * len(plan.wanted) + 2)
        self.rank = _rank(self.program)

    def points(self) -> Points:
        moderate = self._ordinary()
        if not moderate:
            raise CheckError(
                f"{', '.join(self.outputs)} is finite at none of the points that were tried, with "
                "arguments from 0.005 to 5000 of both signs; a test needs such points, without one "
                "(tests=False) the module can be generated"
            )
        joints = self._joints(moderate[0])
        with mp.workdps(DIGITS):
            if self.elementwise:
                return self._elementwise(moderate, joints)
            return self._reducing(moderate, joints)

    # Candidates

    def _ordinary(self) -> list[Point]:
        """Points where the formula is finite, from the usual ranges if there are any."""
        if not self.elementwise:
            return self._ordinary_array()
        few = _is_large(self.cost)
        found: list[Point] = []
        for ranges, count in ((_RANGES, 10), (_FAR_RANGES, 8)):
            # Every argument in the same range first, then each in one of its own.
            for shift in (0,) if few else (0, 2):
                for k in range(len(ranges)):
                    chosen = [ranges[(k + shift * i) % len(ranges)] for i in range(len(self.names))]
                    tried = [self._drawn(chosen, j) for j in range(count)]
                    found += [p for p in tried if p not in found and self._is_finite(p)]
                    if len(found) >= 10 or (few and found):
                        return found[:12]
        return found

    def _ordinary_array(self) -> list[Point]:
        """Points that together make arrays at which the formula is finite."""
        shape = self._shape()
        size = int(np.prod(shape))
        for shift in (0, 2):
            for ranges in (_RANGES, _FAR_RANGES):
                for k in range(len(ranges)):
                    chosen = [ranges[(k + shift * i) % len(ranges)] for i in range(len(self.names))]
                    points = [self._drawn(chosen, j) for j in range(size + 11)]
                    arrays = self._stacked(points[:size], shape)
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
                point.append(mp.mpf(_near(low + (high - low) * _spread(index, axis))))
        return tuple(point)

    def _is_finite(self, point: Point) -> bool:
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

    def _tails(self, base: Sequence[Point]) -> list[Point]:
        axes = [k for k, n in enumerate(self.names) if n not in self.masks][:4]
        points = [_with(base[0], k, mp.mpf(value)) for value in _TAILS for k in axes]
        return [p for p in points if self._is_finite(p)][:_MAX_TAILS]

    # Joints

    def _joints(self, base: Point) -> list[Point]:
        """Points where a function or a condition of the formula has its joint."""
        if _is_large(self.cost):
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

    # Tables

    def _setting(self, arrays: Arrays) -> Setting:
        """The arrays with directions and cotangents of small numbers, none of them alike."""

        def small(array: Array, axis: int) -> Array:
            sizes = (_near(0.4 + 1.2 * _spread(k, axis + 3)) for k in range(array.size))
            signs = (1 if (k + axis) % 3 else -1 for k in range(array.size))
            numbers = (mp.mpf(s * v) for s, v in zip(signs, sizes, strict=True))
            return filled(numbers, array.shape)

        values = evaluate(self.program, arrays)
        return Setting(
            arrays,
            {n: small(arrays[n], k) for k, n in enumerate(self.names) if n not in self.masks},
            {n: small(v, 7 + k) for k, (n, v) in enumerate(zip(self.outputs, values, strict=True))},
        )

    def _stacked(self, points: Sequence[Point], shape: tuple[int, ...]) -> Arrays:
        columns = zip(*points, strict=True)
        return {n: filled(c, shape) for n, c in zip(self.names, columns, strict=True)}

    def _elementwise(self, moderate: list[Point], joints: list[Point]) -> Points:
        most = max(1, _MAX_WORK // self.cost)
        sides = [
            p for joint in joints[:4] for p in self._sides(joint, moderate[0]) if self._is_finite(p)
        ]
        sides = list(dict.fromkeys(sides))[:8]
        tails = self._tails(moderate) if most > 12 else []
        pool = [*moderate[: min(most, 10)], *sides, *tails]
        count = min(len(moderate), most, 10)
        setting = self._setting(self._stacked(pool, (len(pool),)))
        numbers = exact(self.plan, setting)
        errors = self._errors(setting, numbers)
        for atol in _ABSOLUTE:
            good = [_agree([e[k] for e in errors], atol) for k in range(len(pool))]
            ordinary = [k for k in range(count) if good[k] and _is_tame(_picked(numbers, [k]))]
            ordinary = ordinary or [k for k in range(count) if good[k]]
            if len(ordinary) >= min(3, count):
                break
        else:
            raise self._fault([e[k] for e in errors for k in range(count)], count)
        beside = [k for k in range(count, count + len(sides)) if good[k]]
        far = _telling(numbers, [k for k in range(count + len(sides), len(pool)) if good[k]])
        rows = 2 if len(ordinary) >= 2 * _COLUMNS else 1
        chosen = ordinary[: rows * _COLUMNS]
        width = min(_COLUMNS, len(chosen))
        others = [*beside, *far]
        # The last row is completed, with what else there is.
        spare = [k for k in range(len(pool)) if good[k] and k not in {*chosen, *others}]
        others += spare[: -len(others) % width]
        others = others[: len(others) // width * width]
        order = [*chosen[: rows * width], *others]
        shape = (len(order) // width, width)
        table_setting = _part(setting, order, shape)
        table_numbers = _picked(numbers, order, shape)
        first = _picked(numbers, order[: rows * width])
        epsilons = self._float32(_part(setting, order[: rows * width]), first)
        return Points(
            table_setting, table_numbers, rows, _printed(atol, numbers), epsilons, _is_tame(first),
            self._conventions(joints, ()),
        )  # fmt: skip

    def _sides(self, joint: Point, base: Point) -> list[Point]:
        """Points on both sides of a joint, moved in the argument that meets it."""
        moved = [k for k, (a, b) in enumerate(zip(joint, base, strict=True)) if a != b]
        axis = moved[0] if moved else 0
        at = joint[axis]
        step = _BESIDE * (abs(at) if at else 1)
        return [_with(joint, axis, at - step), _with(joint, axis, at + step)]

    def _reducing(self, ordinary: list[Point], joints: list[Point]) -> Points:
        shape = self._shape()
        size = int(np.prod(shape))
        errors: list[Error] = []
        for start in (0, 5, 11):
            setting = self._setting(self._stacked(ordinary[start : start + size], shape))
            found = self._table_of(setting, _ABSOLUTE)
            if isinstance(found, list):
                errors = found
                continue
            numbers, atol = found
            rows, whole = shape[0], (setting, numbers)
            far = self._far_arrays(setting)
            if self._keeps_rows() and len(shape) == 2:
                whole = self._with_far_row(whole, far, atol)
            extra = far[:1] if whole[0] is setting else []
            return Points(
                *whole, rows, _printed(atol, numbers), self._float32(setting, numbers),
                _is_tame(numbers), self._conventions(joints[:3], shape, extra),
            )  # fmt: skip
        raise self._fault(errors, 3)

    def _table_of(
        self, setting: Setting, tolerances: Sequence[str]
    ) -> tuple[Numbers, str] | list[Error]:
        """The numbers and the tolerance that they need, or by how much all tolerances fail."""
        try:
            numbers = exact(self.plan, setting)
        except (ArithmeticError, ValueError, TypeError, NotImplementedError):
            return [(mp.inf, mp.mpf(0), mp.mpf(1))]
        errors = [e for kind in self._errors(setting, numbers) for e in kind]
        found = next((atol for atol in tolerances if _agree(errors, atol)), None)
        return errors if found is None else (numbers, found)

    def _keeps_rows(self) -> bool:
        """Whether every reduction leaves the rows of arrays of rank 2 apart."""
        reductions = (n for n in self.program.nodes if n.source is not None)
        return all(
            n.target is None and n.dims is not None and set(n.dims) <= {-1, 1}
            if n.op != "count" else n.target != ()
            for n in reductions
        )  # fmt: skip

    def _far_arrays(self, setting: Setting) -> list[Setting]:
        """The arguments, one of them far from zero, where float64 still has all digits."""
        far = []
        for name in [n for n in self.names if n not in self.masks][:3]:
            moved = mapped(lambda v: v + _FAR, setting.arguments[name])
            candidate = replace(setting, arguments=setting.arguments | {name: moved})
            try:
                if not printed(self.low, candidate).unsafe:
                    far.append(candidate)
            except (ArithmeticError, ValueError, TypeError, NotImplementedError):
                continue
        return far

    def _with_far_row(
        self, whole: tuple[Setting, Numbers], far: Sequence[Setting], atol: str
    ) -> tuple[Setting, Numbers]:
        """The tables with a row that is far from zero, where there is one to be had."""
        for candidate in far:
            found = self._table_of(candidate, (atol,))
            if not isinstance(found, list):
                parts = zip(_columns(whole), _columns((candidate, found[0])), strict=True)
                joined = [
                    {n: np.concatenate([a[n], b[n][:1]]) if a[n].ndim else a[n] for n in a}
                    for a, b in parts
                ]
                return Setting(*joined[:3]), Numbers(*joined[3:])
        return whole

    def _kept(self, settings: Sequence[Setting]) -> list[tuple[Setting, Numbers]]:
        """The settings where the printed gradients are those of the function table."""
        kept = []
        for setting in settings:
            try:
                numbers = conventional(self.plan, setting)
                found = printed(self.low, setting).numbers
            except (ArithmeticError, ValueError, TypeError, NotImplementedError):
                continue
            pairs = ((found.outputs, numbers.outputs), (found.gradients, numbers.gradients))
            if all(
                _same(value, true)
                for have, want in pairs
                for name, array in want.items()
                for value, true in zip(have[name].flat, array.flat, strict=True)
            ):
                kept.append((setting, numbers))
        return kept

    def _shape(self) -> tuple[int, ...]:
        for shape in ((2, 3), (1, 3), (1, 2)):
            full = (2,) * (self.rank - 2) + shape
            if self.cost * int(np.prod(full)) ** 2 < _MAX_WORK * 2:
                break
        return full

    # What is printed against what is true

    def _errors(self, setting: Setting, numbers: Numbers) -> list[list[Error]]:
        """Error, true value and the largest of its kind: for every kind, for every number."""
        try:
            found = printed(self.low, setting)
        except (ArithmeticError, ValueError, TypeError, NotImplementedError):
            return self._single_errors(setting, numbers)
        sums = {n: numbers.second[n] + numbers.gradients[n] / 2 for n in numbers.gradients}
        have = found.numbers
        pairs = (
            (have.outputs, numbers.outputs), (have.tangents, numbers.tangents),
            (have.gradients, numbers.gradients), (have.second, numbers.second),
            (found.mixed, sums),
        )  # fmt: skip
        everywhere = bool(found.unsafe) if not self.elementwise else -1 in found.unsafe
        size = max(a.size for a in setting.arguments.values())
        unsafe = [everywhere or k in found.unsafe for k in range(size)]
        kinds = []
        for some, wanted in pairs:
            for name, array in wanted.items():
                if name not in some:
                    continue
                values = np.broadcast_to(some[name], array.shape)
                scale = max(map(abs, _listed(array)), default=mp.mpf(0)) + 1
                kind = [
                    (mp.inf if bad or not mp.isfinite(true) else abs(value - true), true, scale)
                    for value, true, bad in zip(values.flat, array.flat, unsafe, strict=False)
                ]
                # An output that depends on no argument has one number for all points.
                kinds.append(kind if array.ndim or not self.elementwise else kind * len(unsafe))
        return kinds

    def _single_errors(self, setting: Setting, numbers: Numbers) -> list[list[Error]]:
        """The same, when at some point a function has no value in low precision."""
        size = max(a.size for a in setting.arguments.values())
        if not self.elementwise or size == 1:
            return [[(mp.inf, mp.mpf(0), mp.mpf(1))] * size]
        points = [self._errors(_part(setting, [k]), _picked(numbers, [k])) for k in range(size)]
        most = max(len(kinds) for kinds in points)
        return [[kinds[min(j, len(kinds) - 1)][0] for kinds in points] for j in range(most)]

    def _fault(self, errors: Sequence[Error], count: int) -> CheckError:
        """No point serves: a fault of symop when the disagreement is gross at every one."""
        worst = max((e / (abs(t) + s * _AGREEMENT) for e, t, s in errors), default=mp.inf)
        return CheckError(
            f"{', '.join(self.outputs)}: what symop would write is off by {mp.nstr(worst, 3)} of "
            f"the exact value at each of {count} points where it should agree with the formula; "
            "this is a fault in symop, please report the formula"
        )

    def _float32(self, setting: Setting, numbers: Numbers) -> int:
        """How many epsilons of float32 the numbers may be off."""
        worst: Any = mp.mpf(0)
        found = printed(self.low, setting, 24).numbers
        pairs = ((found.outputs, numbers.outputs), (found.gradients, numbers.gradients))
        for have, want in pairs:
            for name, array in want.items():
                scale: Any = max(map(abs, _listed(array)), default=mp.mpf(0))
                for value, true in zip(_listed(have[name]), _listed(array), strict=True):
                    if mp.isfinite(value) and abs(true) + scale:
                        worst = max(worst, abs(value - true) / (abs(true) + scale))
        return int(2 ** max(3, 3 + math.ceil(math.log2(float(worst * 2**23) + 1e-9))))

    def _conventions(
        self, joints: Sequence[Point], shape: tuple[int, ...], extra: Sequence[Setting] = ()
    ) -> tuple[tuple[Setting, Numbers], ...]:
        """The joints that have a finite value, and gradients that are numbers or infinite."""
        size = int(np.prod(shape))
        settings = [self._setting(self._stacked([joint] * size, shape)) for joint in joints]
        return tuple(self._kept([*settings, *extra]))


def _columns(table: tuple[Setting, Numbers]) -> tuple[Arrays, ...]:
    setting, numbers = table
    return (
        setting.arguments, setting.directions, setting.cotangents,
        numbers.outputs, numbers.tangents, numbers.gradients, numbers.second,
    )  # fmt: skip


def _agree(errors: Sequence[Error], atol: str) -> bool:
    absolute = mp.mpf(atol)
    return all(error <= _AGREEMENT * abs(true) + absolute * scale for error, true, scale in errors)


def _same(value: Any, true: Any) -> bool:
    if mp.isinf(true) or mp.isinf(value):
        return bool(value == true)
    return bool(abs(value - true) <= _AGREEMENT * abs(true))


def _is_large(cost: int) -> bool:
    return cost * _COLUMNS > _MAX_WORK


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


def _part(setting: Setting, order: Sequence[int], shape: tuple[int, ...] | None = None) -> Setting:
    columns = (setting.arguments, setting.directions, setting.cotangents)
    return Setting(*(_taken(a, order, shape) for a in columns))


def _picked(
    numbers: Numbers, order: Sequence[int], shape: tuple[int, ...] | None = None
) -> Numbers:
    columns = (numbers.outputs, numbers.tangents, numbers.gradients, numbers.second)
    return Numbers(*(_taken(a, order, shape) for a in columns))


def _taken(arrays: Arrays, order: Sequence[int], shape: tuple[int, ...] | None) -> Arrays:
    return {
        n: filled((a[k] for k in order), shape or (len(order),)) if a.ndim else a
        for n, a in arrays.items()
    }


def _listed(array: Array) -> list[Any]:
    return list(array.flat)


def _is_tame(numbers: Numbers) -> bool:
    """Whether finite differences in float64 see the derivatives, and bfloat16 holds them."""
    kinds = (numbers.outputs, numbers.gradients, numbers.second)
    return all(abs(v) < 1000 for arrays in kinds for a in arrays.values() for v in _listed(a))


def _telling(numbers: Numbers, places: Sequence[int]) -> list[int]:
    """Up to three tails: the smallest gradient, the smallest of the others' sign, the largest."""

    def size(k: int) -> Any:
        found = [abs(a[k]) for a in numbers.gradients.values() if a.ndim and a[k] != 0]
        return min(found, default=mp.inf)

    ranked = sorted((k for k in places if mp.mpf("1e-30") < size(k) < mp.inf), key=size)
    if len(ranked) <= _COLUMNS:
        return ranked
    return [ranked[0], ranked[1], ranked[-1]]


def _printed(atol: str, numbers: Numbers) -> str:
    """The absolute tolerance as the test has it: ten times what was needed."""
    if atol == "0":
        return "0.0"
    arrays = [a for part in (numbers.outputs, numbers.tangents, numbers.gradients, numbers.second)
              for a in part.values()]  # fmt: skip
    scale = max((float(abs(v)) for a in arrays for v in a.flat), default=0.0) + 1
    return f"1e{math.ceil(math.log10(10 * float(atol) * scale))}"
