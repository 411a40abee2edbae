"""Write the gallery: a page and a plot for each op, from its formula and measured figures.

python -m benchmarks.gallery                   # write docs/gallery from docs/gallery/figures.json
python -m benchmarks.gallery --check           # say which files are not what would be written
python -m benchmarks.gallery --measure [NAME]  # measure errors anew, then write
python -m benchmarks.gallery --times [NAME]    # measure times anew, on a quiet machine, then write

Pages and plots are the same on every machine; what depends on the machine is in figures.json.
"""

from __future__ import annotations

import argparse
import ast
import json
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

import symop
from benchmarks.gallery_ops import GROUPS, OPS, Shown
from benchmarks.machine import machine
from symop.benchmarking import Timing, load_average, noise, runner
from symop.benchmarking import measured as times_of
from symop.checking import check
from symop.drawing import curves, largest, svg
from symop.mathematics import aligned, formula_equations, gradient_equations
from symop.names import class_name
from symop.operators import Op
from symop.peers import arguments, peers
from symop.plotting import Region, Series, derivatives_over, errors_along, region_of

FOLDER = Path(__file__).parent.parent / "docs" / "gallery"
FIGURES = FOLDER / "figures.json"
DTYPES = ("float32", "float64")
SIZE = 100_000
# How often an op is timed; the medians are kept.
REPEATS = 5
PEERS = ("eager", "function")
MODES = {"forward": "forward", "both": "forward and backward"}

INDEX = """# Gallery

{count} ops, each made of the formula on its page. Formula, gradients, plot, code and figures are
written by `python -m benchmarks.gallery`; figures were measured on {machine}.
"""
ACCURACY = """
## Accuracy

Errors in ULP against mpmath, of fused CPU kernels; points are drawn from the domain of the formula.
Near roots the figures are larger, because there rounding the inputs alone moves the result.

| dtype | of | median | 99 % | largest |
| --- | --- | ---: | ---: | ---: |
"""
SPEED = """
## Speed

{size:,} elements of float32 in one thread: microseconds of the op, and the times over it of the
formula in eager torch, and of a Function by hand; in turns, medians.

| | op, us | eager torch | Function by hand |
| --- | ---: | ---: | ---: |
"""


def compiled(name: str, backend: str = "torch") -> Op:
    """An op of the gallery."""
    return symop.compile(OPS[name].formula, name=name, backend=backend)


def region(op: Op, shown: Shown) -> Region:
    """Where an op is drawn."""
    return region_of(op, dict(shown.fixed), {shown.moving: (shown.low, shown.high)})


# Figures


def measured(name: str) -> dict[str, Any]:
    """Errors and times of an op, as JSON."""
    op, shown = compiled(name, "cpu"), OPS[name]
    where = region(op, shown)
    rows = [
        [a.dtype, a.quantity, *(round(e, 2) for e in (a.median, a.high, a.worst))]
        for a in check(op).accuracies
        if a.dtype in DTYPES and not a.quantity.startswith("d2")
    ]
    series = [s for s in errors_along(op, where) if s.dtype in DTYPES]
    return {
        "formula": shown.formula,
        "accuracy": rows,
        "errors": [[s.dtype, *s.quantity, _rounded(s, where)] for s in series],
    }


def _rounded(series: Series, where: Region) -> list[list[float]]:
    pairs = largest(series, *where.ranges[0])
    return [[round(x, 6), float(f"{error:.3g}")] for x, error in pairs]


def speed(name: str, load: float | None) -> dict[str, list[float]]:
    """Microseconds of an op, and the ratios of its peers, in one thread and in turns.

    Nothing on a machine that does other work: such figures would say what else it does.

    Args:
        name: the op.
        load: the load average before the first op was timed; later it counts the timing itself.
    """
    op, shown = compiled(name, "cpu"), OPS[name]
    fixed = {name: (value, value) for name, value in shown.fixed}
    ranges = [fixed.get(n, (shown.low, shown.high)) for n in op.args]
    values = arguments(op, ranges, SIZE, torch.float32)
    ways = peers(op, PEERS)
    reasons = noise({}, load)
    if reasons:
        print(f"no times of {name}: {'; '.join(reasons)}", flush=True)
        return {}
    found = {}
    for mode in MODES:
        runs = {way: runner(f, values, mode) for way, f in ways.items()}
        rows = [_ratios(times_of(runs)) for _ in range(REPEATS)]
        found[mode] = [round(statistics.median(column), 2) for column in zip(*rows, strict=True)]
    return found


def _ratios(cell: dict[str, Timing]) -> list[float]:
    own = cell["symop"].seconds
    return [round(1e6 * own, 1), *(round(cell[way].seconds / own, 2) for way in PEERS)]


# Pages


def page(name: str, figures: dict[str, Any]) -> str:
    """The page of an op."""
    op, shown = compiled(name), OPS[name]
    if figures["formula"] != shown.formula:
        raise SystemExit(f"{name} has another formula than its figures; measure it anew")
    equations = [*formula_equations(op.written), *gradient_equations(op.written)]
    saved = ", ".join(f"`{n}`" for n in op.saved) or "nothing"
    parts = [
        f"# {shown.title}\n\n{shown.text}\n\n",
        f"```math\n{aligned(equations)}\n```\n\n",
        f"![{shown.title}: value, derivatives, and errors in ULP]({name}.svg)\n\n",
        f"Saved for backward: {saved}.\n\n",
        f"```python\n{example(name, op)}```\n\n",
        "The heart of the module that `symop generate` writes:\n\n",
        f"```py\n{excerpt(op)}```\n",
        ACCURACY,
        *(f"| {row[0]} | `{row[1]}` | {row[2]:.2f} | {row[3]:.2f} | {row[4]:.2f} |\n"
          for row in figures["accuracy"]),
        *_speed_lines(figures.get("speed", {})),
    ]  # fmt: skip
    return "".join(parts)


def _speed_lines(times: dict[str, list[float]]) -> Iterator[str]:
    if times:
        yield SPEED.format(size=SIZE)
    for mode, (own, eager, by_hand) in times.items():
        yield f"| {MODES[mode]} | {own:.1f} | {eager:.2f} | {by_hand:.2f} |\n"


def example(name: str, op: Op) -> str:
    """A session that compiles the op, calls and differentiates it."""
    shown = OPS[name]
    middle = round(shown.low + 0.7 * (shown.high - shown.low), 3)
    known = {**dict(shown.fixed), shown.moving: middle}
    moving = torch.tensor(known[shown.moving], dtype=torch.float64, requires_grad=True)
    values = [moving if n == shown.moving else known[n] for n in op.args]
    result = op(*values)
    result.backward()
    call = ", ".join(n if n == shown.moving else f"{known[n]:g}" for n in op.args)
    grad = moving.grad
    assert grad is not None
    return (
        ">>> import symop, torch\n"
        f'>>> {name} = symop.compile("{shown.formula}", name="{name}")\n'
        f">>> {shown.moving} = torch.tensor({middle!r}, dtype=torch.float64, requires_grad=True)\n"
        f">>> y = {name}({call})\n"
        ">>> y.backward()\n"
        f'>>> print(f"{{y.item():.6g}} {{{shown.moving}.grad.item():.6g}}")\n'
        f"{result.item():.6g} {grad.item():.6g}\n"
    )


def excerpt(op: Op) -> str:
    """The forward methods of both classes of the generated module."""
    head, own = f"{class_name(op.name)}Backward", class_name(op.name)
    tree = ast.parse(op.source)
    lines = op.source.splitlines()
    shown = []
    for name in (own, head):
        found = next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == name)
        method = next(n for n in found.body if isinstance(n, ast.FunctionDef)
                      and n.name == "forward")  # fmt: skip
        body = lines[method.lineno - 2 : method.end_lineno]
        shown.append("\n".join([lines[found.lineno - 1], *body]))
    return "\n\n    # ...\n\n\n".join(shown) + "\n\n    # ...\n"


def picture(name: str, figures: dict[str, Any]) -> str:
    """The plot of an op as SVG."""
    op = compiled(name)
    where = region(op, OPS[name])
    errors = [
        Series(dtype, (k, tuple(by)), tuple(x for x, _ in pairs), tuple(e for _, e in pairs))
        for dtype, k, by, pairs in figures["errors"]
    ]
    return svg(curves(op, where, derivatives_over(op, where), errors))


def index(figures: dict[str, Any]) -> str:
    """The page of all ops."""
    parts = [INDEX.format(count=len(OPS), machine=figures["machine"])]
    for title, group in GROUPS.items():
        parts.append(f"\n## {title}\n\n| | |\n| --- | --- |\n")
        parts += [f"| [{s.title}]({name}.md) | `{s.formula}` |\n" for name, s in group.items()]
        names = "\n".join(group)
        parts.append(f"\n```{{toctree}}\n:hidden:\n:caption: {title}\n\n{names}\n```\n")
    return "".join(parts)


def files(figures: dict[str, Any], names: list[str] | None = None) -> Iterator[tuple[Path, str]]:
    """The texts of the gallery by their paths."""
    for name in names or OPS:
        yield FOLDER / f"{name}.md", page(name, figures["ops"][name])
        yield FOLDER / f"{name}.svg", picture(name, figures["ops"][name])
    yield FOLDER / "index.md", index(figures)


def load() -> dict[str, Any]:
    """The figures that were measured."""
    if not FIGURES.exists():
        return {"machine": machine(), "ops": {}}
    figures: dict[str, Any] = json.loads(FIGURES.read_text(encoding="utf-8"))
    return figures


def _store(figures: dict[str, Any]) -> None:
    """One line an op, so that a change shows where it is."""
    ops = ",\n".join(f"{json.dumps(n)}: {json.dumps(figures['ops'][n])}" for n in OPS
                     if n in figures["ops"])  # fmt: skip
    text = f'{{"machine": {json.dumps(figures["machine"])}, "ops": {{\n{ops}\n}}}}\n'
    FIGURES.write_text(text, encoding="utf-8")


def main() -> None:
    """Measure, write or compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--measure", nargs="*", metavar="NAME")
    parser.add_argument("--times", nargs="*", metavar="NAME")
    options = parser.parse_args()
    figures = load()
    before = load_average()
    torch.set_num_threads(1)
    if options.measure is not None:
        figures["machine"] = machine()
        for name in options.measure or OPS:
            print(name, flush=True)
            times = figures["ops"].get(name, {}).get("speed")
            figures["ops"][name] = measured(name) | ({"speed": times} if times else {})
            _store(figures)
    for name in (options.times or OPS) if options.times is not None else ():
        times = speed(name, before)
        if times:
            figures["ops"][name]["speed"] = times
        else:
            figures["ops"][name].pop("speed", None)
        _store(figures)
    differing = []
    for path, text in files(figures):
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            differing.append(path.name)
            if not options.check:
                path.write_text(text, encoding="utf-8")
    if options.check and differing:
        raise SystemExit(f"not what would be written: {', '.join(differing)}; "
                         "python -m benchmarks.gallery writes them")  # fmt: skip


if __name__ == "__main__":
    main()
