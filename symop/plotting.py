"""Pictures of an op: values, derivatives and errors in ULP, along one argument or over two."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from symop.derivatives import elementwise_derivatives
from symop.errors import CallError, FileError
from symop.oracle import Quantity, exact_at
from symop.samples import Samples
from symop.tallies import Tally

if TYPE_CHECKING:
    from symop.operators import Op

Range = tuple[float, float]

DTYPES = (torch.float64, torch.float32, torch.bfloat16)
# Points of a curve and of a side of a map; the same for errors, where each costs an evaluation
# in high precision and its differences.
_POINTS, _SIDE = 401, 81
_MEASURED, _MEASURED_SIDE = 160, 20
ENDINGS = (".png", ".svg", ".pdf")
# How far pictures go where the domain of a formula goes on.
_FAR = 5.0


@dataclass(frozen=True)
class Region:
    """One or two arguments of an op that move, the others fixed.

    moving: the places of the arguments.
    ranges: where each of them begins and ends.
    fixed: a value for every place; those of moving arguments count for nothing.
    """

    moving: tuple[int, ...]
    ranges: tuple[Range, ...]
    fixed: tuple[float, ...]

    def points(self, count: int) -> list[tuple[float, ...]]:
        """Points of the region, evenly spread, so many along each side; the last moves first."""
        sides = [[low + (high - low) * k / (count - 1) for k in range(count)]
                 for low, high in self.ranges]  # fmt: skip
        if len(sides) == 1:
            return [self._at(x) for x in sides[0]]
        return [self._at(x, y) for x in sides[0] for y in sides[1]]

    def _at(self, *values: float) -> tuple[float, ...]:
        point = list(self.fixed)
        for place, value in zip(self.moving, values, strict=True):
            point[place] = value
        return tuple(point)


@dataclass(frozen=True)
class Series:
    """Errors of one quantity in one dtype, where each was measured; NaN where none is known."""

    dtype: str
    quantity: Quantity
    x: tuple[float, ...]
    errors: tuple[float, ...]


def region_of(
    op: Op, at: Mapping[str, float], over: Mapping[str, Range] | None = None,
) -> Region:  # fmt: skip
    """The region over the one or two arguments that are not fixed.

    Args:
        op: what `symop.compile` returned.
        at: the values of the other arguments, by name.
        over: where the moving arguments begin and end, by name; without, from -5 to 5 or
            as far as the domains of the functions in the formula go.

    Raises:
        CallError: a name is no argument, none or more than two arguments are left, a range is
            none, or the op has reductions.

    Example:
        >>> import symop
        >>> region_of(symop.compile("a*tanh(x)"), {"a": 2.0}, {"x": (-3.0, 3.0)}).points(3)
        [(2.0, -3.0), (2.0, 0.0), (2.0, 3.0)]
    """
    over = over or {}
    if not op.written.is_elementwise:
        raise CallError(f"{op.name} has reductions; only elementwise formulas are plotted")
    for name in (*at, *over):
        if name not in op.args:
            raise CallError(f"{op.name} has no argument {name}; it takes {', '.join(op.args)}")
    both = [n for n in at if n in over]
    if both:
        raise CallError(f"{both[0]} has both a value and a range; one of the two is accepted")
    free = [n for n in op.args if n not in at]
    if len(free) not in (1, 2):
        given = f"{', '.join(free)} are left" if free else "none is left"
        raise CallError(f"one argument is plotted along, or two make a map, and {given}; fix the "
                        "others with --at name=value")  # fmt: skip
    for name in free:
        if op.written.argument(name).is_mask:
            raise CallError(f"{name} is a mask; an argument with numbers is plotted along")
    known = dict(zip(op.args, Samples(op.written).ranges, strict=True))
    ranges = tuple(over.get(n) or _usual(known[n]) for n in free)
    for low, high in ranges:
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise CallError(f"a range from {low:g} to {high:g}; two numbers, the smaller first, "
                            "are expected")  # fmt: skip
    moving = tuple(op.args.index(n) for n in free)
    return Region(moving, ranges, tuple(at.get(n, 0.0) for n in op.args))


def _usual(domain: Range) -> Range:
    """A domain of samples, farther where it does not end at the edge of a function."""
    low, high = domain
    return (-_FAR if low <= -3 else low, _FAR if high >= 3 else high)


def errors_over(op: Op, region: Region, dtype: torch.dtype, count: int) -> list[Series]:
    """The errors of values and first derivatives in ULP, at so many points of each side."""
    inputs = inputs_of(op, region.points(count), dtype)
    points = list(zip(*(c.tolist() for c in inputs), strict=True))
    found = elementwise_derivatives(op, inputs, 1)
    exact = [exact_at(op.written, point, 1) for point in points]
    x = tuple(inputs[region.moving[0]].double().tolist())
    result = []
    for quantity in _quantities(op, region):
        tally = Tally(dtype, op.name)
        errors = []
        for number, known in zip(found[quantity], exact, strict=True):
            right = known.get(quantity)
            held = right is not None and tally.is_held(right)
            errors.append(tally.error(number, right)[0] if right and held else math.nan)
        result.append(Series(tally.dtype, quantity, x, tuple(errors)))
    return result


def errors_along(op: Op, region: Region) -> list[Series]:
    """The errors along one argument, in every dtype that a picture shows."""
    return [s for dtype in DTYPES for s in errors_over(op, region, dtype, _MEASURED)]


def derivatives_over(op: Op, region: Region) -> dict[Quantity, list[float]]:
    """Values and derivatives to the second order in float64, for curves or maps."""
    count = _POINTS if len(region.moving) == 1 else _SIDE
    return elementwise_derivatives(op, inputs_of(op, region.points(count), torch.float64), 2)


def plot(op: Op, path: Path | None, region: Region) -> Any:
    """Draw an op over a region, into a file whose ending says the format.

    Args:
        op: what `symop.compile` returned.
        path: where the picture goes, None for nowhere.
        region: what moves, from where to where.

    Returns:
        The figure of matplotlib.

    Raises:
        CallError: matplotlib is not installed.
        FileError: the file cannot be written, or its ending is none of ENDINGS.
    """
    try:
        from symop import drawing
    except ImportError as error:
        raise CallError("symop draws with matplotlib, which is not installed; "
                        "`pip install matplotlib` installs it") from error  # fmt: skip
    if path is not None and path.suffix.lower() not in ENDINGS:
        raise FileError(f"{path} does not end as a picture does; {', '.join(ENDINGS)} are accepted")
    values = derivatives_over(op, region)
    if len(region.moving) == 1:
        figure = drawing.curves(op, region, values, errors_along(op, region))
    else:
        errors = errors_over(op, region, torch.float32, _MEASURED_SIDE)
        figure = drawing.maps(op, region, values, errors)
    if path is None:
        return figure
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        drawing.save(figure, path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise FileError(f"{path} cannot be written ({reason}); a path to a file that can be made "
                        "or replaced is expected") from error  # fmt: skip
    return figure


def _quantities(op: Op, region: Region) -> list[Quantity]:
    by = [(), *((place,) for place in region.moving)]
    return [(k, b) for k in range(len(op.outputs)) for b in by]


def inputs_of(op: Op, points: list[tuple[float, ...]], dtype: torch.dtype) -> list[torch.Tensor]:
    """The points as one tensor an argument."""
    inputs = []
    for argument, values in zip(op.written.arguments, zip(*points, strict=True), strict=True):
        column = torch.tensor(values, dtype=torch.float64)
        inputs.append(column != 0 if argument.is_mask else column.to(dtype))
    return inputs
