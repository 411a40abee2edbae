"""The picture of a fit: the curves above, what is left over below, the loss on the right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

INK = "#22303c"
TARGET = "#9aa7b2"
COLOURS = ("#d1495b", "#2e86ab", "#edae49", "#66a182")


def draw_fit(
    path: Path,
    *,
    title: str,
    x: NDArray[np.floating],
    target: NDArray[np.floating],
    fits: Mapping[str, NDArray[np.floating]],
    losses: Mapping[str, Sequence[float]],
    floor: tuple[str, float] | None = None,
) -> Path:
    """Draws fits of a target and the losses on the way; `floor` is a line under the losses."""
    figure = Figure(figsize=(10, 5), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title, color=INK, fontsize=13)
    grid = figure.add_gridspec(2, 2, height_ratios=(3, 1), width_ratios=(3, 2))
    curves = figure.add_subplot(grid[0, 0])
    residuals = figure.add_subplot(grid[1, 0], sharex=curves)
    history = figure.add_subplot(grid[:, 1])

    curves.plot(x, target, color=TARGET, linewidth=5, label="sin(x)")
    for colour, (label, fit) in zip(COLOURS, fits.items(), strict=False):
        curves.plot(x, fit, color=colour, linewidth=2, label=label)
        residuals.plot(x, fit - target, color=colour, linewidth=1.5)
    residuals.axhline(0, color=TARGET, linewidth=1)
    curves.legend(frameon=False)
    curves.tick_params(labelbottom=False)
    ticks = np.pi * np.array([-1, -0.5, 0, 0.5, 1])
    residuals.set_xticks(ticks, ["$-\\pi$", "$-\\pi/2$", "0", "$\\pi/2$", "$\\pi$"])
    residuals.set_ylabel("fit - sin", color=INK)

    for colour, (label, loss) in zip(COLOURS, losses.items(), strict=False):
        history.semilogy(np.arange(1, len(loss) + 1), loss, color=colour, linewidth=2, label=label)
    if floor is not None:
        history.axhline(floor[1], color=INK, linewidth=1, linestyle=":", label=floor[0])
    history.legend(frameon=False)
    history.set_title("sum of squares", color=INK, fontsize=11)
    history.set_xlabel("step", color=INK)

    for axes in (curves, residuals, history):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)
    return path
