"""Curves and maps with matplotlib, told apart by line styles, so that they print in grey."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from matplotlib import rc_context
from matplotlib.figure import Figure

from symop.oracle import Quantity
from symop.plotting import Region, Series
from symop.tallies import BOUND

if TYPE_CHECKING:
    from symop.operators import Op

# Text stays text, and a file is the same in every run.
_SVG: Any = {"svg.fonttype": "none", "svg.hashsalt": "symop"}
_STYLES: tuple[Any, ...] = ("-", "--", ":", "-.", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 3)))
# Shades of different lightness; the style says which curve is which, not the shade.
_SHADES = ("#111111", "#1f5fa8", "#c0562b", "#5b8c3e", "#8a5aa8", "#777777")
_DTYPE_SHADES = {"float64": "#111111", "float32": "#2f6fb5", "bfloat16": "#9a9a9a"}
_MARKERS = {"float64": "", "float32": "o", "bfloat16": "^"}
# Errors are drawn as the largest of a stretch; what an error of 0 is drawn as.
_STRETCHES, _LEAST = 40, 0.01
# Gradients by arguments that do not move; the width of a title, in letters.
_OTHERS, _WIDTH = 3, 78


def curves(
    op: Op, region: Region, values: Mapping[Quantity, Sequence[float]], errors: Sequence[Series]
) -> Figure:
    """Values and derivatives along one argument, and their errors beside them."""
    ((low, high),) = region.ranges
    figure = Figure(figsize=(9.6, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    _curves(left, op, region, values)
    left.set_title("value and derivatives", size=10)
    for series in errors:
        drawn = list(zip(*largest(series, low, high), strict=True))
        style = "--" if series.quantity[1] else "-"
        label = f"{name_of(op, series.quantity)}, {series.dtype}"
        if drawn:
            right.plot(
                *drawn, ls=style, color=_DTYPE_SHADES[series.dtype], lw=1.2, label=label,
                marker=_MARKERS[series.dtype], markersize=3, markevery=5,
            )  # fmt: skip
    right.axhline(BOUND, color="#777777", lw=0.8, ls=":")
    right.set_yscale("log")
    right.set_ylim(bottom=_LEAST / 2)
    right.set_title(f"error in ULP (dotted: {BOUND})", size=10)
    _finish(right, op, region, columns=2)
    _title(figure, op)
    return figure


def small(op: Op, region: Region, values: Mapping[Quantity, Sequence[float]]) -> Figure:
    """Values and derivatives along one argument, without errors."""
    figure = Figure(figsize=(4.2, 2.6), layout="constrained")
    _curves(figure.subplots(), op, region, values)
    return figure


def _curves(
    axes: Any, op: Op, region: Region, values: Mapping[Quantity, Sequence[float]]
) -> None:  # fmt: skip
    (moving,), ((low, high),) = region.moving, region.ranges
    count = len(next(iter(values.values())))
    x = [low + (high - low) * k / (count - 1) for k in range(count)]
    shown = [q for q in values if set(q[1]) <= {moving}]
    shown += [q for q in values if len(q[1]) == 1 and q not in shown][:_OTHERS]
    for k, quantity in enumerate(shown):
        style, shade = _STYLES[k % len(_STYLES)], _SHADES[k % len(_SHADES)]
        label = name_of(op, quantity)
        axes.plot(x, _finite(values[quantity]), ls=style, color=shade, lw=1.6, label=label)
    axes.set_ylim(_limits([values[q] for q in shown]))
    _finish(axes, op, region, columns=1)


def _finish(axes: Any, op: Op, region: Region, columns: int) -> None:
    axes.set_xlabel(_label(op, region))
    axes.set_xlim(*region.ranges[0])
    axes.grid(alpha=0.3, lw=0.6)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=7, ncols=columns)
    else:
        axes.text(0.5, 0.5, "no finite value", ha="center", va="center", transform=axes.transAxes)


def maps(
    op: Op, region: Region, values: Mapping[Quantity, Sequence[float]], errors: Sequence[Series]
) -> Figure:
    """Value, derivatives and the largest error over two arguments, of the first output."""
    figure = Figure(figsize=(10.5, 6.4), layout="constrained")
    a, b = region.moving
    wanted: list[Quantity] = [(0, ()), (0, (a,)), (0, (b,)), (0, (a, b)), (0, (a, a))]
    fields = [(name_of(op, q), values[q], False) for q in wanted]
    of_first = [s.errors for s in errors if s.quantity[0] == 0]
    worst = [max((e for e in at if not math.isnan(e)), default=math.nan)
             for at in zip(*of_first, strict=True)]  # fmt: skip
    fields.append(("largest error in ULP, float32", worst, True))
    for axes, (name, numbers, is_error) in zip(figure.subplots(2, 3).flat, fields, strict=True):
        _map(figure, axes, region, numbers, is_error=is_error)
        axes.set_title(name, size=10)
        axes.set_xlabel(op.args[a])
        axes.set_ylabel(op.args[b])
    _title(figure, op, _fixed(op, region))
    return figure


def save(figure: Figure, path: Path | io.BytesIO, kind: str | None = None) -> None:
    """Write a figure; an SVG has no date in it."""
    ending = kind or (path.suffix.removeprefix(".") if isinstance(path, Path) else "svg")
    metadata = {"Date": None} if ending == "svg" else None
    with rc_context(_SVG):
        figure.savefig(path, dpi=144, format=kind, metadata=metadata)


def svg(figure: Figure) -> str:
    """A figure as an element of SVG, to stand in a page beside others: ids are of contents."""
    buffer = io.BytesIO()
    save(figure, buffer, "svg")
    text = buffer.getvalue().decode()
    text = re.sub(r"\s*<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    # Groups are numbered from 1 in every figure, and nothing refers to them.
    text = re.sub(r' id="[A-Za-z0-9.]+_\d+"', "", text)
    # Hundredths of a point are more than a screen shows.
    text = re.sub(r"(?<![\w#.-])-?\d+\.\d{3,}", lambda m: f"{float(m[0]):.2f}", text)
    return text[text.index("<svg") :].strip() + "\n"


def name_of(op: Op, quantity: Quantity) -> str:
    """An output or a derivative of it, as the legend says it."""
    k, by = quantity
    above = op.outputs[k]
    match by:
        case ():
            return above
        case (i,):
            return f"∂{above}/∂{op.args[i]}"
        case (i, j) if i == j:
            return f"∂²{above}/∂{op.args[i]}²"
    return f"∂²{above}/∂{op.args[by[0]]}∂{op.args[by[1]]}"


def largest(series: Series, low: float, high: float) -> Iterator[tuple[float, float]]:
    """The largest errors of stretches of the range, at their middles."""
    worst: dict[int, float] = {}
    for x, error in zip(series.x, series.errors, strict=True):
        if math.isfinite(error):
            place = min(int((x - low) / (high - low) * _STRETCHES), _STRETCHES - 1)
            worst[place] = max(worst.get(place, _LEAST), error)
    for place in sorted(worst):
        yield low + (high - low) * (place + 0.5) / _STRETCHES, worst[place]


def _finite(values: Sequence[float]) -> list[float]:
    return [v if math.isfinite(v) else math.nan for v in values]


def _limits(curves: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Where curves are; poles reach beyond."""
    numbers = sorted(v for curve in curves for v in curve if math.isfinite(v)) or [0.0]
    low, high = numbers[0], numbers[-1]
    inner = numbers[len(numbers) // 50 : len(numbers) - len(numbers) // 50] or numbers
    near = 4 * (inner[-1] - inner[0])
    low, high = max(low, inner[0] - near / 8), min(high, inner[-1] + near / 8)
    margin = 0.06 * (high - low) or 1.0
    return low - margin, high + margin


def _map(
    figure: Figure, axes: Any, region: Region, numbers: Sequence[float], *, is_error: bool
) -> None:
    side = math.isqrt(len(numbers))
    rows = [[numbers[i * side + j] for i in range(side)] for j in range(side)]
    (left, right), (bottom, top) = region.ranges
    if is_error:
        finite = [v for v in numbers if math.isfinite(v)]
        low, high = 0.0, max(BOUND, *finite, 0.0)
    else:
        low, high = _limits([numbers])
    image = axes.imshow(
        [_finite(row) for row in rows], origin="lower", extent=(left, right, bottom, top),
        aspect="auto", cmap="Greys" if is_error else "cividis", vmin=low, vmax=high,
        interpolation="nearest" if is_error else "bilinear",
    )  # fmt: skip
    figure.colorbar(image, ax=axes, shrink=0.9)


def _fixed(op: Op, region: Region) -> str:
    pairs = zip(op.args, region.fixed, strict=True)
    return ", ".join(f"{n} = {v:g}" for k, (n, v) in enumerate(pairs) if k not in region.moving)


def _label(op: Op, region: Region) -> str:
    name, fixed = op.args[region.moving[0]], _fixed(op, region)
    return f"{name}   ({fixed})" if fixed else name


def _title(figure: Figure, op: Op, more: str = "") -> None:
    lines = [piece for line in op.text for piece in wrap(line, _WIDTH)]
    if len(lines) > 6:
        lines = [*lines[:5], "..."]
    text = "\n".join([*lines, more] if more else lines)
    figure.suptitle(text, family="monospace", size=9, parse_math=False)
