"""Everything about an op on one page of HTML that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from symop.backends import cpu
from symop.checking import check
from symop.compiler import Formula
from symop.errors import CallError, FileError
from symop.mathematics import formula_equations, gradient_equations, mathml
from symop.plotting import plot, region_of
from symop.program import Program
from symop.rendering import render
from symop.showing import show_text
from symop.tallies import Accuracy
from symop.timings import Timing, timings
from symop.transform_checks import TransformCheck, transform_checks

if TYPE_CHECKING:
    from symop.operators import Op

# Where arguments that do not move stand in a plot.
_FIXED = 1.0
# Quartiles of a ratio that are farther apart come from what else the machine does.
_NOISY = 1.33


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
    times = timings(op) if benchmark else []
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
        benchmark_note=_benchmark_note(op, benchmark, times),
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


def _groups(times: Sequence[Timing]) -> tuple[tuple[str, tuple[Bar, ...]], ...]:
    groups = []
    for elements in dict.fromkeys(t.elements for t in times):
        group = [t for t in times if t.elements == elements]
        longest = max(t.seconds for t in group)
        bars = tuple(
            Bar(t.way, _time(t.seconds), f"{t.ratio:.2f}", round(100 * t.seconds / longest, 1))
            for t in group
        )
        groups.append((f"{elements:,} elements", bars))
    return tuple(groups)


def _time(seconds: float) -> str:
    return f"{1e6 * seconds:.1f} µs" if seconds < 1e-3 else f"{1e3 * seconds:.2f} ms"


def _benchmark_note(op: Op, wanted: bool, times: Sequence[Timing]) -> str:
    if not wanted:
        return "Times were not measured."
    if not op.written.is_elementwise:
        return "Only elementwise formulas are timed here."
    if any(t.spread > _NOISY for t in times):
        return ("The machine was busy: ratios varied by more than a third between runs, so these "
                "figures say little.")  # fmt: skip
    return ""


def _kernels(formula: Formula) -> tuple[Source, ...]:
    """The fused kernels in C, for float32 tensors of one shape."""
    parts: list[tuple[str, Program]] = [
        ("forward", formula.program), ("gradients", formula.plan.gradient),
    ]  # fmt: skip
    found = []
    for part, program in parts:
        made = cpu.routine(program)
        if made is None:
            continue
        for number, loop in enumerate(made.loops, 1):
            results = len(loop.results)
            variant = cpu.Variant(
                "float32", (False,) * len(loop.inputs), (False,) * results, tuple(range(results))
            )
            place = f", loop {number} of {len(made.loops)}" if len(made.loops) > 1 else ""
            text = cpu.kernel_source(formula.name, made, loop, variant)
            found.append(Source(f"CPU kernel, {part}{place}", text))
    return tuple(found)


def _versions() -> str:
    import platform

    import torch

    import symop

    return f"symop {symop.__version__}, torch {torch.__version__}, {platform.machine()}"
