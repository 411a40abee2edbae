"""Pictures of an op along one argument: values, first derivatives, and their errors in ULP."""

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
from symop.tallies import BOUND, Tally

if TYPE_CHECKING:
    from symop.operators import Op

DTYPES = (torch.float64, torch.float32, torch.bfloat16)
_POINTS, _MEASURED = 600, 160
# What an error of 0 is drawn as, on a logarithmic scale.
_LEAST = 0.01


@dataclass(frozen=True)
class Line:
    """One argument of an op that moves, the others fixed.

    moving: the place of the argument.
    fixed: a value for every place; that of the moving argument counts for nothing.
    low, high: where it begins and ends.
    """

    moving: int
    fixed: tuple[float, ...]
    low: float
    high: float

    def points(self, count: int) -> list[tuple[float, ...]]:
        """Points of the line, evenly spread."""
        steps = (self.low + (self.high - self.low) * k / (count - 1) for k in range(count))
        before, after = self.fixed[: self.moving], self.fixed[self.moving + 1 :]
        return [(*before, x, *after) for x in steps]


def line_of(op: Op, at: Mapping[str, float], low: float, high: float) -> Line:
    """The line along the one argument that is not fixed.

    Args:
        op: what `symop.compile` returned.
        at: the values of the other arguments, by name.
        low: where the argument begins.
        high: where it ends.

    Raises:
        CallError: a name is no argument, not exactly one argument is left, or the op has
            reductions.
    """
    if not op.written.is_elementwise:
        raise CallError(f"{op.name} has reductions; only elementwise formulas are plotted")
    unknown = [n for n in at if n not in op.args]
    if unknown:
        raise CallError(f"{op.name} has no argument {unknown[0]}; it takes {', '.join(op.args)}")
    free = [n for n in op.args if n not in at]
    if len(free) != 1:
        given = f"{', '.join(free)} are left" if free else "none is left"
        raise CallError(f"one argument is plotted along and {given}; fix the others with "
                        "--at name=value")  # fmt: skip
    if op.written.argument(free[0]).is_mask:
        raise CallError(f"{free[0]} is a mask; an argument with numbers is plotted along")
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise CallError(f"a range from {low:g} to {high:g}; two numbers, the smaller first, are "
                        "expected")  # fmt: skip
    return Line(op.args.index(free[0]), tuple(at.get(n, 0.0) for n in op.args), low, high)


def errors_along(op: Op, line: Line, dtype: torch.dtype) -> dict[Quantity, list[float]]:
    """The errors of values and first derivatives in ULP along a line, NaN where none is known."""
    inputs = _inputs(op, line.points(_MEASURED), dtype)
    points = list(zip(*(c.tolist() for c in inputs), strict=True))
    found = elementwise_derivatives(op, inputs, 1)
    exact = [exact_at(op.written, point, 1) for point in points]
    result: dict[Quantity, list[float]] = {}
    for quantity in _quantities(op, line):
        tally = Tally(dtype, op.name)
        errors = []
        for number, known in zip(found[quantity], exact, strict=True):
            right = known.get(quantity)
            held = right is not None and tally.is_held(right)
            errors.append(tally.error(number, right)[0] if right and held else math.nan)
        result[quantity] = errors
    return result


def plot(op: Op, path: Path, line: Line) -> None:
    """Draw an op along a line into a file whose ending says the format.

    Args:
        op: what `symop.compile` returned.
        path: where the picture goes.
        line: what moves, from where to where.

    Raises:
        CallError: matplotlib is not installed.
        FileError: the file cannot be written.

    Example:
        >>> import symop
        >>> from symop.plotting import line_of
        >>> line_of(symop.compile("a*tanh(x)"), {"a": 2.0}, -3.0, 3.0).points(3)
        [(2.0, -3.0), (2.0, 0.0), (2.0, 3.0)]
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise CallError("symop plot draws with matplotlib, which is not installed; install "
                        "symop-torch[plot]") from error  # fmt: skip
    figure = Figure(figsize=(8, 9), layout="constrained")
    curves, errors = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    _draw_curves(curves, op, line)
    _draw_errors(errors, op, line)
    figure.suptitle("\n".join(op.text), family="monospace", size=10)
    errors.set_xlabel(_label(op, line))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=144)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise FileError(f"{path} cannot be written ({reason}); a path that ends in .png, .svg or "
                        ".pdf is expected") from error  # fmt: skip


def _label(op: Op, line: Line) -> str:
    others = [f"{n} = {v:g}" for k, (n, v) in enumerate(zip(op.args, line.fixed, strict=True))
              if k != line.moving]  # fmt: skip
    name = op.args[line.moving]
    return f"{name}   ({', '.join(others)})" if others else name


def _quantities(op: Op, line: Line) -> list[Quantity]:
    return [(k, by) for k in range(len(op.outputs)) for by in ((), (line.moving,))]


def _name(op: Op, line: Line, quantity: Quantity) -> str:
    k, by = quantity
    return f"d {op.outputs[k]} / d {op.args[line.moving]}" if by else op.outputs[k]


def _inputs(op: Op, points: list[tuple[float, ...]], dtype: torch.dtype) -> list[torch.Tensor]:
    inputs = []
    for argument, values in zip(op.written.arguments, zip(*points, strict=True), strict=True):
        column = torch.tensor(values, dtype=torch.float64)
        inputs.append(column != 0 if argument.is_mask else column.to(dtype))
    return inputs


def _draw_curves(axes: Any, op: Op, line: Line) -> None:
    inputs = _inputs(op, line.points(_POINTS), torch.float64)
    found = elementwise_derivatives(op, inputs, 1)
    for quantity in _quantities(op, line):
        style = "--" if quantity[1] else "-"
        axes.plot(inputs[line.moving], found[quantity], style, label=_name(op, line, quantity))
    axes.set_ylabel("value, first derivative")
    axes.grid(alpha=0.3)
    axes.legend()


def _draw_errors(axes: Any, op: Op, line: Line) -> None:
    for dtype, color in zip(DTYPES, ("C0", "C1", "C2"), strict=True):
        x = _inputs(op, line.points(_MEASURED), dtype)[line.moving].double()
        kind = str(dtype).removeprefix("torch.")
        for quantity, errors in errors_along(op, line, dtype).items():
            marker = "x" if quantity[1] else "."
            drawn = [max(e, _LEAST) if math.isfinite(e) else math.nan for e in errors]
            label = f"{_name(op, line, quantity)}, {kind}"
            axes.plot(x, drawn, marker, color=color, markersize=4, label=label)
    axes.axhline(BOUND, color="0.5", linewidth=0.8)
    axes.set_yscale("log")
    axes.set_ylabel("error in ULP")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=7, ncols=len(DTYPES))
