"""Everything about an op on one page of HTML that needs nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from symop.benchmarking import Timing, load_average, measured, noise, processor, runner
from symop.checking import check
from symop.compiler import Formula
from symop.errors import CallError, FileError
from symop.hosts import KERNEL_BACKENDS
from symop.mathematics import formula_equations, gradient_equations, mathml
from symop.peers import arguments, peers
from symop.plotting import plot, region_of
from symop.rendering import render
from symop.samples import Samples
from symop.showing import show_text
from symop.tallies import Accuracy
from symop.transform_checks import TransformCheck, transform_checks

if TYPE_CHECKING:
    from symop.operators import Op

# Where arguments that do not move stand in a plot.
_FIXED = 1.0
_SIZES, _ROUNDS, _SECONDS = (1_000, 100_000, 1_000_000), 9, 0.002
_WAYS = {"symop": "symop", "function": "Function by hand", "eager": "eager torch"}

# The times of each way at each size.
Times = dict[str, dict[str, Timing]]


@dataclass(frozen=True)
class Bar:
    """One bar of the benchmark; share is its length in percent of the longest of its size."""

    way: str
    time: str
    ratio: str
    share: float


@dataclass(frozen=True)
class Source:
    """A text of code under a title."""

    title: str
    text: str


@dataclass(frozen=True)
class PageView:
    """What the template shows; `formulas`, `gradients` and `plots` are markup, the rest is text."""

    title: str
    call: str
    lines: tuple[str, ...]
    formulas: str
    gradients: str
    description: str
    plots: tuple[str, ...]
    plot_note: str
    verdict: str
    is_right: bool
    accuracies: tuple[Accuracy, ...]
    notes: tuple[str, ...]
    transforms: tuple[TransformCheck, ...]
    benchmark: tuple[tuple[str, tuple[Bar, ...]], ...]
    benchmark_note: str
    sources: tuple[Source, ...]
    versions: str


def report_html(op: Op, *, benchmark: bool = True) -> str:
    """The page of an op: formula, plots, accuracy, transforms, times and code.

    Args:
        op: what `symop.compile` returned.
        benchmark: whether times are measured, for some seconds; else the page is the same in
            every run on one machine.

    Returns:
        A document of HTML without references to anything outside of it.

    Raises:
        CallError: matplotlib or docutils is not installed (`symop-torch[report]`).

    Example:
        >>> import symop
        >>> page = report_html(symop.compile("x**2", name="square"), benchmark=False)
        >>> page.splitlines()[0]
        '<!doctype html>'
    """
    report = check(op)
    formula = op._formula
    plots, plot_note = _plots(op)
    load = load_average()
    times = _times(op) if benchmark else {}
    view = PageView(
        title=op.name,
        call=f"{op.name}({', '.join(op.args)})",
        lines=op.text,
        formulas=mathml(formula_equations(op.written)),
        gradients=mathml(gradient_equations(op.written)),
        description=show_text(op, unicode=True),
        plots=plots,
        plot_note=plot_note,
        verdict="holds" if report else "does not hold",
        is_right=bool(report),
        accuracies=report.accuracies,
        notes=report.notes,
        transforms=transform_checks(op),
        benchmark=_groups(times),
        benchmark_note=_benchmark_note(op, benchmark, times, load),
        sources=(Source("Generated module", op.source), *_kernels(formula)),
        versions=_versions(),
    )
    return render("report.html.j2", view)


def write_report(op: Op, path: Path, *, benchmark: bool = True) -> None:
    """Write the page of an op into a file.

    Args:
        op: what `symop.compile` returned.
        path: where the page goes; folders on the way are made.
        benchmark: as in `report_html`.

    Raises:
        CallError: matplotlib or docutils is not installed.
        FileError: the file cannot be written.
    """
    text = report_html(op, benchmark=benchmark)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise FileError(f"{path} cannot be written ({error.strerror}); a path to a file that can "
                        "be made or replaced is expected") from error  # fmt: skip


def _plots(op: Op) -> tuple[tuple[str, ...], str]:
    """Curves, and a map besides where there are two arguments; or why there is none."""
    try:
        from symop.drawing import svg
    except ImportError as error:
        raise CallError("a report is drawn with matplotlib, which is not installed; install "
                        "symop-torch[report]") from error  # fmt: skip
    real = [a.name for a in op.written.arguments if not a.is_mask]
    if not op.written.is_elementwise:
        return (), "An op with reductions has no plot: its values depend on whole tensors."
    ways = [[real[0]]] if len(real) != 2 or len(op.args) != 2 else [[real[0]], [real[1]], real]
    found = []
    for moving in ways:
        region = region_of(op, {n: _FIXED for n in op.args if n not in moving})
        found.append(svg(plot(op, None, region)))
    return tuple(found), ""


def _times(op: Op) -> Times:
    """Forward and backward in float32; what the dims of a reduction mean is not known here."""
    if not op.written.is_elementwise:
        return {}
    ranges = Samples(op.written, op.program).ranges
    found = {}
    for elements in _SIZES:
        values = arguments(op, ranges, elements, torch.float32)
        mode = "both" if any(v.requires_grad for v in values) else "forward"
        ways = peers(op, tuple(_WAYS))
        runs = {way: runner(ways[way], values, mode) for way in _WAYS}
        found[f"{elements:,} elements"] = measured(runs, rounds=_ROUNDS, seconds=_SECONDS)
    return found


def _groups(times: Times) -> tuple[tuple[str, tuple[Bar, ...]], ...]:
    groups = []
    for title, cell in times.items():
        longest = max(t.seconds for t in cell.values())
        own = cell["symop"].seconds
        bars = tuple(
            Bar(_WAYS[way], _time(t.seconds), f"{t.seconds / own:.2f}",
                round(100 * t.seconds / longest, 1))
            for way, t in cell.items()
        )  # fmt: skip
        groups.append((title, bars))
    return tuple(groups)


def _time(seconds: float) -> str:
    return f"{1e6 * seconds:.1f} µs" if seconds < 1e-3 else f"{1e3 * seconds:.2f} ms"


def _benchmark_note(op: Op, wanted: bool, times: Times, load: float | None) -> str:
    if not wanted:
        return "Times were not measured."
    if not op.written.is_elementwise:
        return "Only elementwise formulas are timed here."
    reasons = noise(times, load)
    return f"These times are not to be relied on: {'; '.join(reasons)}." if reasons else ""


def _kernels(formula: Formula) -> tuple[Source, ...]:
    return tuple(
        Source(title, text) for backend in KERNEL_BACKENDS for title, text in backend.texts(formula)
    )


def _versions() -> str:
    import symop

    return f"symop {symop.__version__}, torch {torch.__version__}, {processor()}"
