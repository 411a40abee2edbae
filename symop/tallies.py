"""Errors in units in the last place, counted by quantity."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import mpmath as mp
import torch

from symop.oracle import Exact

# The accuracy that symop aims at, in ULP, and in roundings of the inputs.
BOUND = 4
_HALF_THE_DIGITS = 2.0**26
# A share of one in so many points is no accident of single cancellations.
_MANY = 8


@dataclass(frozen=True)
class Errors:
    """Errors in ULP: how many numbers, the median, the 99th percentile, the largest.

    lost: how many are not finite although the true value is.
    at: where the largest error is, or a number is lost.
    """

    points: int
    median: float
    high: float
    worst: float
    lost: int
    at: str


@dataclass(frozen=True)
class Accuracy:
    """The errors of a value or derivative, in units in the last place.

    quantity: an output, or a derivative of it.
    points, median, high, worst, lost, at: of ordinary points, as in `Errors`.
    gross: at how many of them half of the digits are lost beyond what is allowed.
    share: the largest error as a share of what is allowed: 4 ULP, or 4 times the error that
        rounding the inputs causes where that is more.
    edges: the errors at zeros of both signs, subnormal, tiny, huge and infinite arguments.
    torch: the errors of torch's own function at the ordinary points, where one computes the
        whole formula.
    """

    dtype: str
    quantity: str
    points: int
    median: float
    high: float
    worst: float
    share: float
    lost: int
    at: str
    edges: Errors
    torch: Errors | None
    gross: int = 0

    @property
    def is_wrong(self) -> bool:
        """Whether half of the digits are wrong at many points: no rounding does that.

        Gradcheck passes a coefficient that is off by 0.01 %, and a wrong sign of what is small.
        """
        often = self.gross * _MANY > self.points
        halved = self.share > 1 and self.median > _HALF_THE_DIGITS
        return self.dtype == "float64" and (often or halved)


@dataclass
class _Sum:
    """The errors of one quantity at one kind of points."""

    errors: list[float] = field(default_factory=list)
    lost: int = 0
    at: str = ""

    def errors_of(self) -> Errors:
        ordered = sorted(self.errors) or [0.0]
        last = len(ordered) - 1
        return Errors(
            len(self.errors) + self.lost, ordered[last // 2], ordered[math.ceil(0.99 * last)],
            ordered[last], self.lost, self.at,
        )  # fmt: skip


class Tally:
    """The errors of one quantity in one dtype."""

    def __init__(self, dtype: torch.dtype, quantity: str) -> None:
        info = torch.finfo(dtype)
        self.dtype, self.quantity = str(dtype).removeprefix("torch."), quantity
        self.eps, self.max = mp.mpf(info.eps), mp.mpf(info.max)
        self.digits = round(-math.log2(info.eps)) + 1
        self.lowest = round(math.log2(info.smallest_normal))
        self.sums = {kind: _Sum() for kind in ("ordinary", "edge", "torch")}
        self.share = 0.0
        self.gross = 0
        self.is_zero = True

    def unit(self, value: Any) -> Any:
        """The unit in the last place of a value."""
        exponent = mp.frexp(value)[1] - 1 if value else self.lowest
        return mp.ldexp(1, max(exponent, self.lowest) - self.digits + 1)

    def is_held(self, exact: Exact) -> bool:
        """Whether the dtype can hold the number: what overflows is no error."""
        # What rounds to the largest number is half a unit above it at most.
        return exact.is_known and max(abs(exact.low), abs(exact.high)) <= self.max

    def error(self, computed: float, exact: Exact) -> tuple[float, float]:
        """The error of a number in ULP, and as a share of what is allowed; infinite when lost."""
        if not math.isfinite(computed):
            return math.inf, math.inf
        given = mp.mpf(computed)
        aim = min(max(given, exact.low), exact.high)
        unit = self.unit(aim if aim else exact.size)
        error = abs(given - aim)
        known = mp.isfinite(exact.spread)
        allowed = BOUND * max(unit, self.eps * exact.spread) if known else mp.inf
        return float(error / unit), float(error / allowed)

    def add(self, kind: str, computed: float, exact: Exact, at: str) -> None:
        """Add a number of one kind: at an ordinary point, at an edge, or torch's own."""
        if not self.is_held(exact):
            return
        total = self.sums[kind]
        self.is_zero = self.is_zero and exact.low == exact.high == 0 == computed
        error, share = self.error(computed, exact)
        if math.isinf(error):
            total.at = total.at if total.lost else at
            total.lost += 1
            return
        if not total.lost and error > max(total.errors, default=0.0):
            total.at = at
        total.errors.append(error)
        if kind == "ordinary":
            self.share = max(self.share, share)
            self.gross += BOUND * share > _HALF_THE_DIGITS

    def accuracy(self) -> Accuracy:
        """The errors, summed up."""
        own = self.sums["ordinary"].errors_of()
        known = self.sums["torch"].errors_of()
        return Accuracy(
            self.dtype, self.quantity, own.points, own.median, own.high, own.worst, self.share,
            own.lost, own.at, self.sums["edge"].errors_of(), known if known.points else None,
            self.gross,
        )  # fmt: skip
