"""Measure formulas in ULP against mpmath: plain torch, torch's own op, symop, and symop high.

python -m benchmarks.accuracy          # prints the tables
python -m benchmarks.accuracy --write  # writes docs/accuracy.md
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

import symop
from benchmarks import pages
from benchmarks.machine import machine
from tests.accuracy import Case, cases, errors, evaluated, published, sample, torch_op

PAGE = Path(__file__).parent.parent / "docs" / "accuracy.md"
POINTS = 32
LOST = 100
COLUMNS = ("plain torch", "torch's op", "symop", "symop high")
DTYPES = ("float32", "float64")

INTRODUCTION = f"""# Accuracy

Written by `python -m benchmarks.accuracy --write`. Errors in units in the last place against
mpmath, value / worst first derivative, the largest at {POINTS} points: over the whole range of the
dtype for the common formulas, over their published domains for the others. `lost` is a point
without a finite number where the true one is finite. Plain torch is the formula as it stands, in
torch operations and torch's gradients; torch's op is the one function of torch that computes the
formula, where there is one; high is `precision="high"`. Errors near roots of a value or derivative
count here as they are, although no formula can avoid them there; `tests/test_accuracy.py` holds
every case to a bound.
"""


@dataclass(frozen=True)
class Worst:
    """The largest errors of a value and of its gradients, infinite where a number is lost."""

    value: float
    gradient: float

    def __str__(self) -> str:
        return f"{_figure(self.value)} / {_figure(self.gradient)}"


def _figure(error: float) -> str:
    if math.isinf(error):
        return "lost"
    return f"{error:.1f}" if error < 1000 else f"{error:.0e}"


def _named(name: str) -> Any:
    """The function of torch that formulas call by a name."""
    if name == "Piecewise":
        return _piecewise
    name = {"Abs": "abs", "loggamma": "lgamma"}.get(name, name)
    homes = (torch, torch.special, torch.nn.functional)
    function = next(f for home in homes if callable(f := getattr(home, name, None)))
    return _of_numbers(function, getattr(math, name, None))


def _piecewise(*pairs: tuple[Any, Any]) -> Any:
    """The first value whose condition holds; the last one always does."""
    *others, (result, _) = pairs
    for value, condition in reversed(others):
        result = torch.where(condition, value, result)
    return result


def _of_numbers(function: Callable[..., Any], plain: Callable[..., Any] | None) -> Any:
    """The function, its numbers as tensors beside tensors."""

    def call(*values: Any) -> Any:
        tensors = [v for v in values if isinstance(v, torch.Tensor)]
        if not tensors and plain is not None:
            return plain(*values)
        return function(
            *(v if isinstance(v, torch.Tensor) else torch.full_like(tensors[-1], v)
              for v in values)
        )  # fmt: skip

    return call


def plain(case: Case) -> Callable[..., Any]:
    """The formula in torch operations, as one would type it."""
    names = [a.name for a in case.args]
    *lines, last = [line.strip() for line in case.formula.replace(";", "\n").splitlines()]
    body = "".join(f"    {line}\n" for line in [*lines, f"return {last.rpartition(' = ')[2]}"])
    source = f"def plain({', '.join(names)}):\n{body}"
    called = {n.func.id for n in ast.walk(ast.parse(source))
              if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}  # fmt: skip
    scope = {"pi": math.pi, **{name: _named(name) for name in called}}
    exec(source, scope)
    function: Callable[..., Any] = scope["plain"]
    return function


def worst(case: Case, function: Callable[..., Any], dtype: str, points: dict[str, Any]) -> Worst:
    """The largest errors of a function at points of a case."""
    rows = errors(case, points, dtype, evaluated(function, points, dtype))
    sizes = [max((e for e in row if e is not None), default=0.0) for row in rows]
    return Worst(sizes[0], max(sizes[1:], default=0.0))


def row(case: Case, dtype: str) -> list[Worst | None]:
    """The errors of a case, in the order of the columns."""
    points = sample(case, dtype, POINTS)
    functions: list[Callable[..., Any] | None] = [
        plain(case), torch_op(case), symop.compile(case.formula),
        symop.compile(case.formula, precision="high"),
    ]  # fmt: skip
    return [None if f is None else worst(case, f, dtype, points) for f in functions]


def _table(listed: Sequence[Case], found: dict[tuple[str, str], list[Worst | None]]) -> list[str]:
    head = ["formula", *(f"{dtype} {c}" for dtype in DTYPES for c in COLUMNS)]
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    for case in listed:
        formula = case.formula.replace("\n", "; ").replace("|", "\\|")
        shown = case.name if len(formula) > 60 else f"`{formula}`"
        cells = [str(w) if w else "-" for dtype in DTYPES for w in found[case.name, dtype]]
        lines.append("| " + " | ".join([shown, *cells]) + " |")
    return lines


def _summary(listed: Sequence[Case], found: dict[tuple[str, str], list[Worst | None]]) -> list[str]:
    lines = [f"| above {LOST} ULP or lost, values / gradients | " + " | ".join(COLUMNS) + " |"]
    lines.append("|" + " --- |" * (len(COLUMNS) + 1))
    for dtype in DTYPES:
        cells = []
        for column in range(len(COLUMNS)):
            here = [w for c in listed if (w := found[c.name, dtype][column])]
            values = sum(w.value > LOST for w in here)
            gradients = sum(w.gradient > LOST for w in here)
            cells.append(f"{values} / {gradients} of {len(here)}")
        lines.append(f"| {dtype} | " + " | ".join(cells) + " |")
    return lines


def page() -> str:
    """The text of the page."""
    parts = [INTRODUCTION, f"{machine()}.\n"]
    for title, listed in (("Common formulas", cases()), ("Published formulas", published())):
        found = {(case.name, dtype): row(case, dtype) for case in listed for dtype in DTYPES}
        parts += [f"## {title}\n", "\n".join(_summary(listed, found)) + "\n"]
        parts.append("\n".join(_table(listed, found)) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    pages.main(__doc__, page, PAGE)
