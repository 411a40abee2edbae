"""What the programs of a plan give as they are printed, every operation rounded."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import mpmath as mp

from symop.backends.torch import lowered
from symop.derivative_names import cotangent_names, tangent_names
from symop.evaluation import evaluate, with_steps
from symop.exact import Arrays, Numbers, Setting, as_array, frame_shape, mapped
from symop.planning import Plan
from symop.program import Program
from symop.reaching import reaching

DOUBLE = 53
_LARGEST, _SMALLEST = mp.mpf(2) ** 960, mp.mpf(2) ** -960


@dataclass(frozen=True)
class Lowered:
    """The programs of a plan as they are printed."""

    plan: Plan

    @cached_property
    def program(self) -> Program:
        """The values."""
        return lowered(self.plan.program)

    @cached_property
    def gradient(self) -> Program:
        """The gradients."""
        return lowered(self.plan.gradient)

    @cached_property
    def tangent(self) -> Program:
        """The tangents."""
        return lowered(self.plan.tangent)

    @cached_property
    def second(self) -> tuple[Program, ...]:
        """The gradients of the gradients."""
        return tuple(lowered(part) for part in self.plan.second)

    @cached_property
    def gradient_tangent(self) -> Program:
        """The tangents of the gradients."""
        return lowered(self.plan.gradient_tangent)


@dataclass(frozen=True)
class Printed:
    """What the printed programs give, every operation rounded.

    numbers: the numbers.
    mixed: the tangents of the gradients, along the directions and half the cotangents.
    unsafe: the places where a value that they depend on leaves the range that float64 has all its
        digits in; everywhere, when -1 is among them.
    """

    numbers: Numbers
    mixed: Arrays
    unsafe: frozenset[int]


def printed(low: Lowered, setting: Setting, bits: int = DOUBLE) -> Printed:
    """The numbers as the printed programs give them, in arithmetic of some bits."""
    with mp.workprec(bits):
        run = _Rounded(low, setting)
        # The second order of a large op is left to torch.
        mixed = run.mixed() if low.plan.second else {}
        return Printed(run.numbers(), mixed, frozenset(run.unsafe))


class _Rounded:
    def __init__(self, low: Lowered, setting: Setting) -> None:
        self.low = low
        self.plan = low.plan
        self.setting = setting
        self.unsafe: set[int] = set()
        self.shapes = {n: a.shape for n, a in setting.arguments.items()}

    def numbers(self) -> Numbers:
        plan, setting = self.plan, self.setting
        values = dict(setting.arguments)
        outputs = self._run(plan.program, self.low.program, values)
        gradients = self._gradients(values, outputs, setting.cotangents)
        names = tangent_names(plan.program)
        along = {names[n]: d for n, d in setting.directions.items()}
        tangents = self._run(plan.tangent, self.low.tangent, values | along)
        return Numbers(
            outputs,
            dict(zip(outputs, tangents.values(), strict=True)),
            gradients,
            self._second(values, outputs) if plan.second else {},
        )

    def mixed(self) -> Arrays:
        """The change of the gradients along the directions and half the cotangents."""
        values = dict(self.setting.arguments)
        outputs = self._run(self.plan.program, self.low.program, values)
        names = tangent_names(self.plan.program)
        along = {names[n]: d for n, d in self.setting.directions.items()}
        changes = self._run(self.plan.tangent, self.low.tangent, values | along)
        tangents = self.setting.directions | dict(zip(outputs, changes.values(), strict=True))
        cotangents = self._cotangents(self.setting.cotangents)
        tangents |= {n: mapped(lambda v: v / 2, array) for n, array in cotangents.items()}
        changing = tangent_names(self.plan.gradient)
        values |= {n: v for n, v in outputs.items() if n in self.plan.saved} | cotangents
        values |= {changing[n]: tangents[n] for n in changing}
        found = self._run(self.plan.gradient_tangent, self.low.gradient_tangent, values)
        return dict(zip(self.plan.wanted, found.values(), strict=True))

    def _gradients(self, values: Arrays, outputs: Arrays, cotangents: Arrays) -> Arrays:
        given = values | {n: v for n, v in outputs.items() if n in self.plan.saved}
        given |= self._cotangents(cotangents)
        found = self._run(self.plan.gradient, self.low.gradient, given)
        return dict(zip(self.plan.wanted, found.values(), strict=True))

    def _second(self, values: Arrays, outputs: Arrays) -> Arrays:
        plan = self.plan
        given = values | {n: v for n, v in outputs.items() if n in plan.saved}
        given |= self._cotangents(self.setting.cotangents)
        total: Arrays = {}
        for name, part, low in zip(plan.wanted, plan.second, self.low.second, strict=True):
            weight = {part.arguments[-1].name: self.setting.directions[name]}
            found = self._run(part, low, given | weight)
            for output, value in zip(part.outputs, found.values(), strict=True):
                before = total.get(output.of)
                total[output.of] = value if before is None else as_array(before + value)
        # What flows to a saved output goes on to the arguments.
        through = {n: total[n] for n in outputs if n in plan.saved and n in total}
        if through:
            zero = mp.mpf(0)
            flows = {n: through.get(n, mapped(lambda _: zero, v)) for n, v in outputs.items()}
            for name, value in self._gradients(values, outputs, flows).items():
                total[name] = as_array(total[name] + value) if name in total else value
        zeros = {n: mapped(lambda _: mp.mpf(0), values[n]) for n in plan.wanted}
        return {n: total.get(n, zeros[n]) for n in plan.wanted}

    def _cotangents(self, cotangents: Arrays) -> Arrays:
        """The cotangents by their names, with the axes that reductions made 1."""
        names = cotangent_names(self.plan.program)
        return {
            names[o.name]: cotangents[o.name].reshape(frame_shape(o.frame, self.shapes))
            for o in self.plan.program.outputs
        }

    def _run(self, program: Program, low: Program, values: Arrays) -> Arrays:
        results = evaluate(with_steps(low), values)
        self.unsafe |= {
            place for place, v in reaching(low, results)
            if v != 0 and not _SMALLEST < abs(v) < _LARGEST
        }  # fmt: skip
        return dict(zip((o.name for o in program.outputs), results, strict=False))
