"""Whether what symop prints agrees with the exact numbers of a formula, number by number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import mpmath as mp
import numpy as np

from symop.errors import CheckError
from symop.evaluation import Array
from symop.exact import Arrays, Numbers, Setting, filled
from symop.planning import Plan
from symop.printed import DOUBLE, Lowered, printed

Error = tuple[Any, Any, Any]

# How far what is printed may be off, by element, for a point to serve; the test allows more.
_AGREEMENT = mp.mpf("2e-12")
# Approximations in what is printed are right to 1e-15; what is off by more in this many bits,
# beside the largest of its kind, is wrong.
_WRONG, _WIDE = mp.mpf("1e-9"), 400


class Agreement:
    """The programs that are printed for a plan, held against exact numbers."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.low = Lowered(plan)
        self.elementwise = plan.program.is_elementwise

    def errors(
        self, setting: Setting, numbers: Numbers, ordinary: int | None = None, bits: int = DOUBLE
    ) -> list[list[Error]]:
        """Error, true value and the largest of its kind: for every kind, for every number.

        Args:
            setting: where.
            numbers: the true values.
            ordinary: of how many numbers the largest is taken; tails may be far larger.
            bits: the precision of the arithmetic.
        """
        try:
            found = printed(self.low, setting, bits)
        except (ArithmeticError, ValueError, TypeError, NotImplementedError):
            return self._single_errors(setting, numbers, bits)
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
                known = [abs(v) for v in listed(array)[:ordinary] if mp.isfinite(v)]
                scale = max(known, default=mp.mpf(0)) + 1
                kind = [
                    (mp.inf if bad or not mp.isfinite(true) else abs(value - true), true, scale)
                    for value, true, bad in zip(values.flat, array.flat, unsafe, strict=False)
                ]
                # An output that depends on no argument has one number for all points.
                kinds.append(kind if array.ndim or not self.elementwise else kind * len(unsafe))
        return kinds

    def _single_errors(self, setting: Setting, numbers: Numbers, bits: int) -> list[list[Error]]:
        """The same, when at some point a function has no value in low precision."""
        size = max(a.size for a in setting.arguments.values())
        if not self.elementwise or size == 1:
            return [[(mp.inf, mp.mpf(0), mp.mpf(1))] * size]
        points = [
            self.errors(part(setting, [k]), picked(numbers, [k]), bits=bits) for k in range(size)
        ]
        most = max(len(kinds) for kinds in points)
        return [[kinds[min(j, len(kinds) - 1)][0] for kinds in points] for j in range(most)]

    def check(self, setting: Setting, numbers: Numbers) -> None:
        """Refuse what is wrong at some point in any precision, which no rounding explains.

        Raises:
            CheckError: a derivative, a form or a rewrite is wrong.
        """
        for kind in self.errors(setting, numbers, bits=_WIDE):
            for error in kind:
                off, true, scale = error
                if mp.isfinite(off) and off > _WRONG * (abs(true) + scale):
                    raise self.fault([error], 1)

    def fault(self, errors: Sequence[Error], count: int) -> CheckError:
        """No point serves: a fault of symop when the disagreement is gross at every one."""
        worst = max((e / (abs(t) + s * _AGREEMENT) for e, t, s in errors), default=mp.inf)
        outputs = ", ".join(o.name for o in self.plan.program.outputs)
        return CheckError(
            f"{outputs}: what symop would write is off by {mp.nstr(worst, 3)} of "
            f"the exact value at {f'each of {count} points' if count > 1 else 'a point'} where it "
            "should agree with the formula; "
            "this is a fault in symop, please report the formula"
        )

    def float32(self, setting: Setting, numbers: Numbers) -> int:
        """How many epsilons of float32 the numbers may be off."""
        worst: Any = mp.mpf(0)
        found = printed(self.low, setting, 24).numbers
        pairs = ((found.outputs, numbers.outputs), (found.gradients, numbers.gradients))
        for have, want in pairs:
            for name, array in want.items():
                scale: Any = max(map(abs, listed(array)), default=mp.mpf(0))
                for value, true in zip(listed(have[name]), listed(array), strict=True):
                    if mp.isfinite(value) and abs(true) + scale:
                        worst = max(worst, abs(value - true) / (abs(true) + scale))
        return int(2 ** max(3, 3 + math.ceil(math.log2(float(worst * 2**23) + 1e-9))))


def agree(errors: Sequence[Error], atol: str) -> bool:
    """Whether no error is larger than a point may have, beside an absolute tolerance."""
    absolute = mp.mpf(atol)
    return all(error <= _AGREEMENT * abs(true) + absolute * scale for error, true, scale in errors)


def same(value: Any, true: Any) -> bool:
    """Whether two numbers agree, infinities only with themselves."""
    if mp.isinf(true) or mp.isinf(value):
        return bool(value == true)
    return bool(abs(value - true) <= _AGREEMENT * abs(true))


def part(setting: Setting, order: Sequence[int], shape: tuple[int, ...] | None = None) -> Setting:
    """Some of the points of a setting."""
    columns = (setting.arguments, setting.directions, setting.cotangents)
    return Setting(*(_taken(a, order, shape) for a in columns))


def picked(numbers: Numbers, order: Sequence[int], shape: tuple[int, ...] | None = None) -> Numbers:
    """The numbers at some of the points."""
    columns = (numbers.outputs, numbers.tangents, numbers.gradients, numbers.second)
    return Numbers(*(_taken(a, order, shape) for a in columns))


def _taken(arrays: Arrays, order: Sequence[int], shape: tuple[int, ...] | None) -> Arrays:
    return {
        n: filled((a[k] for k in order), shape or (len(order),)) if a.ndim else a
        for n, a in arrays.items()
    }


def listed(array: Array) -> list[Any]:
    """The numbers of an array of any rank."""
    return list(array.flat)
