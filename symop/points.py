"""Where a generated test looks: ordinary points, tails, both sides of joints, and the joints.

Of the candidates those stay where what is printed agrees with the formula.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import mpmath as mp
import numpy as np

from symop.agreement import Agreement, Error, agree, part, picked, same
from symop.candidates import COLUMNS, MAX_WORK, Candidates, Point, near, spread
from symop.errors import CheckError
from symop.evaluation import Array, evaluate
from symop.exact import (
    DIGITS,
    Arrays,
    Numbers,
    Setting,
    conventional,
    exact,
    filled,
    mapped,
)
from symop.planning import Plan
from symop.printed import printed
from symop.program import Program
from symop.selection import by_cost, is_tame, largest, ordinary_places, telling, tolerance

# Where exp overflows: a sum of exponentials needs its largest taken out.
_FAR = 768
# What a value may be off beside the largest of its kind, when it cancels everywhere.
_ABSOLUTE = ("0", "1e-15", "1e-13", "1e-11", "1e-9", "1e-7")
_SLOW = frozenset({"zeta", "polygamma", "lgamma", "digamma", "gamma", "erfinv", "ndtri", "log_ndtr",
                   "erfcx", "erfcx_1", "erfcx_2", "inverse_mills"})  # fmt: skip


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


def choose(plan: Plan, written: Program) -> Points:
    """The points of a formula, and its numbers there.

    Args:
        plan: what the op computes.
        written: the formula as it was written, which the numbers are those of.

    Raises:
        CheckError: what symop would print disagrees with the formula at every point.
    """
    return _Choice(plan, written).points()


class _Choice:
    def __init__(self, plan: Plan, written: Program) -> None:
        self.plan = plan
        self.written = written
        self.program = plan.program
        self.names = [a.name for a in self.program.arguments]
        self.masks = {a.name for a in self.program.arguments if a.is_mask}
        self.outputs = [o.name for o in self.program.outputs]
        self.elementwise = self.program.is_elementwise
        slow = sum(25 for n in self.program.nodes if n.op in _SLOW)
        self.cost = (len(self.program.nodes) + slow) * (2 * len(plan.wanted) + 2)
        self.candidates = Candidates(self.program, self.cost)
        self.agreement = Agreement(plan)

    def points(self) -> Points:
        moderate = self.candidates.ordinary()
        if not moderate:
            raise CheckError(
                f"{', '.join(self.outputs)} is finite at none of the points that were tried, with "
                "arguments from 0.005 to 5000 of both signs; a test needs such points, without one "
                "(tests=False) the module can be generated"
            )
        joints = self.candidates.joints(moderate[0])
        with mp.workdps(DIGITS):
            if self.elementwise:
                return self._elementwise(moderate, joints)
            return self._reducing(moderate, joints)

    # Tables

    def _setting(self, arrays: Arrays) -> Setting:
        """The arrays with directions and cotangents of small numbers, none of them alike."""

        def small(array: Array, axis: int) -> Array:
            sizes = (near(0.4 + 1.2 * spread(k, axis + 3)) for k in range(array.size))
            signs = (1 if (k + axis) % 3 else -1 for k in range(array.size))
            numbers = (mp.mpf(s * v) for s, v in zip(signs, sizes, strict=True))
            return filled(numbers, array.shape)

        values = evaluate(self.program, arrays)
        return Setting(
            arrays,
            {n: small(arrays[n], k) for k, n in enumerate(self.names) if n not in self.masks},
            {n: small(v, 7 + k) for k, (n, v) in enumerate(zip(self.outputs, values, strict=True))},
        )

    def _elementwise(self, moderate: list[Point], joints: list[Point]) -> Points:
        most = max(1, MAX_WORK // self.cost)
        both = [p for joint in joints[:4] for p in self.candidates.sides(joint, moderate[0])]
        sides = [p for p in dict.fromkeys(both) if self.candidates.is_finite(p)][:8]
        tails = self.candidates.tails(moderate) if most > 12 else []
        pool = [*moderate[: min(most, 10)], *sides, *tails]
        count = min(len(moderate), most, 10)
        setting = self._setting(self.candidates.stacked(pool, (len(pool),)))
        numbers = exact(self.plan, self.written, setting)
        first = list(range(count))
        self.agreement.check(part(setting, first), picked(numbers, first))
        errors = self.agreement.errors(setting, numbers, count)
        sizes = [largest(picked(numbers, [k])) for k in range(count)]
        enough = min(COLUMNS, count)
        for atol in _ABSOLUTE:
            good = [agree([e[k] for e in errors], atol) for k in range(len(pool))]
            ordinary = ordinary_places([k for k in range(count) if good[k]], sizes, enough)
            if len(ordinary) >= enough:
                break
        else:
            raise self.agreement.fault([e[k] for e in errors for k in range(count)], count)
        beside = [k for k in range(count, count + len(sides)) if good[k]]
        beyond = [k for k in range(count + len(sides), len(pool)) if good[k]]
        far = telling(numbers, beyond, by_cost(errors, beyond))
        rows = 2 if len(ordinary) >= 2 * COLUMNS else 1
        chosen = ordinary[: rows * COLUMNS]
        width = min(COLUMNS, len(chosen))
        others = [*beside, *far]
        # The last row is completed, with what else there is.
        spare = [k for k in range(len(pool)) if good[k] and k not in {*chosen, *others}]
        others += spare[: -len(others) % width]
        others = others[: len(others) // width * width]
        order = [*chosen[: rows * width], *others]
        shape = (len(order) // width, width)
        table_setting = part(setting, order, shape)
        table_numbers = picked(numbers, order, shape)
        kept = picked(numbers, order[: rows * width])
        epsilons = self.agreement.float32(part(setting, order[: rows * width]), kept)
        return Points(
            table_setting, table_numbers, rows, tolerance(atol, kept), epsilons, is_tame(kept),
            self._conventions(joints, ()),
        )  # fmt: skip

    def _reducing(self, ordinary: list[Point], joints: list[Point]) -> Points:
        shape = self.candidates.shape()
        size = int(np.prod(shape))
        errors: list[Error] = []
        for start in (0, 5, 11):
            setting = self._setting(self.candidates.stacked(ordinary[start : start + size], shape))
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
                *whole, rows, tolerance(atol, numbers), self.agreement.float32(setting, numbers),
                is_tame(numbers), self._conventions(joints[:3], shape, extra),
            )  # fmt: skip
        raise self.agreement.fault(errors, 3)

    def _table_of(
        self, setting: Setting, tolerances: Sequence[str]
    ) -> tuple[Numbers, str] | list[Error]:
        """The numbers and the tolerance that they need, or by how much all tolerances fail."""
        try:
            numbers = exact(self.plan, self.written, setting)
        except (ArithmeticError, ValueError, TypeError, NotImplementedError):
            return [(mp.inf, mp.mpf(0), mp.mpf(1))]
        errors = [e for kind in self.agreement.errors(setting, numbers) for e in kind]
        found = next((atol for atol in tolerances if agree(errors, atol)), None)
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
                if not printed(self.agreement.low, candidate).unsafe:
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
                numbers = conventional(self.plan, self.written, setting)
                found = printed(self.agreement.low, setting).numbers
            except (ArithmeticError, ValueError, TypeError, NotImplementedError):
                continue
            pairs = ((found.outputs, numbers.outputs), (found.gradients, numbers.gradients))
            if all(
                same(value, true)
                for have, want in pairs
                for name, array in want.items()
                for value, true in zip(have[name].flat, array.flat, strict=True)
            ):
                kept.append((setting, numbers))
        return kept

    def _conventions(
        self, joints: Sequence[Point], shape: tuple[int, ...], extra: Sequence[Setting] = ()
    ) -> tuple[tuple[Setting, Numbers], ...]:
        """The joints that have a finite value, and gradients that are numbers or infinite."""
        size = int(np.prod(shape))
        arrays = (self.candidates.stacked([joint] * size, shape) for joint in joints)
        settings = [self._setting(a) for a in arrays]
        return tuple(self._kept([*settings, *extra]))


def _columns(table: tuple[Setting, Numbers]) -> tuple[Arrays, ...]:
    setting, numbers = table
    return (
        setting.arguments, setting.directions, setting.cotangents,
        numbers.outputs, numbers.tangents, numbers.gradients, numbers.second,
    )  # fmt: skip
