"""Measure what stable forms cost in fused kernels: the op against the formula as it was written.

python -m benchmarks.stable_forms          # prints the table
python -m benchmarks.stable_forms --write  # writes docs/stable_forms.md
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

import symop
from benchmarks.machine import machine
from symop.compiler import formula
from symop.operators import Op
from tests.accuracy import Case, cases, published

PAGE = Path(__file__).parent.parent / "docs" / "stable_forms.md"
ELEMENTS = 1_000_000
ROUNDS = 21
LIMIT = 1.5
# Where arguments are drawn from for the domains that have a name.
RANGES = {"real": (-3.0, 3.0), "positive": (0.1, 5.0), "open": (-0.95, 0.95), "unit": (0.05, 0.95),
          "above": (1.1, 5.0)}  # fmt: skip

INTRODUCTION = f"""# What stable forms cost

Written by `python -m benchmarks.stable_forms --write`. Time of the op over the time of the formula
without rewrites, both on fused CPU kernels: one thread, float32, {ELEMENTS:,} elements, the median
of {ROUNDS} ratios of runs that take turns. Above 1 the stable form takes longer. The formulas are
those of docs/accuracy.md that a rewrite changes.
"""


def changed() -> list[Case]:
    """The formulas that a rewrite changes."""
    found = {c.formula: c for c in (*cases(), *published())}
    return [case for case in found.values() if _is_changed(case)]


def _is_changed(case: Case) -> bool:
    op = symop.compile(case.formula)
    return bool(op.program != op.written)


def arguments(case: Case) -> list[torch.Tensor]:
    """Values of the arguments, from the middle of the domain."""
    torch.manual_seed(0)
    tensors = []
    for argument in case.args:
        domain = case.domain[argument.name]
        low, high = domain if isinstance(domain, list) else RANGES[domain.split()[0]]
        tensors.append(torch.empty(ELEMENTS).uniform_(low, high).requires_grad_())
    return tensors


def ratio(first: Callable[[], Any], second: Callable[[], Any]) -> tuple[float, float]:
    """The median of the ratios of times, and of the times of the second in milliseconds."""
    for function in (first, second) * 2:
        function()
    ratios, times = [], []
    for turn in range(ROUNDS):
        taken = [0.0, 0.0]
        # Neither always finds the memory as the other one left it.
        for k in (0, 1) if turn % 2 else (1, 0):
            start = time.perf_counter()
            (first, second)[k]()
            taken[k] = time.perf_counter() - start
        ratios.append(taken[0] / taken[1])
        times.append(1000 * taken[1])
    return statistics.median(ratios), statistics.median(times)


def row(case: Case) -> tuple[str, list[float]]:
    """The formula; ratio and time of the forward pass, and of both passes."""
    read = formula(case.formula, backend="cpu")
    written = replace(read, program=read.written, source=None)
    pair = [Op(read), Op(written)]
    inputs = arguments(case)

    def forward(function: Callable[..., Any]) -> Callable[[], Any]:
        def run() -> None:
            with torch.no_grad():
                function(*inputs)

        return run

    def both(function: Callable[..., Any]) -> Callable[[], Any]:
        with torch.no_grad():
            seed = torch.ones_like(function(*inputs))
        return lambda: torch.autograd.grad(function(*inputs), inputs, seed)

    figures = [*ratio(*map(forward, pair)), *ratio(*map(both, pair))]
    return case.formula.replace("\n", "; ").replace("|", "\\|"), figures


def page() -> str:
    """The text of the page."""
    torch.set_num_threads(1)
    rows, skipped = [], []
    for case in changed():
        try:
            rows.append(row(case))
        except ValueError as error:
            # Not every formula can be compiled without its rewrites; it is named.
            skipped.append(f"{case.name} ({type(error).__name__})")
        print(f"{case.name}: {rows[-1][1] if rows else skipped}", flush=True)
    rows.sort(key=lambda r: -max(r[1][0], r[1][2]))
    lines = ["| formula | forward | plain ms | both passes | plain ms |", "|" + " --- |" * 5]
    lines += [f"| `{f}` | {a:.2f} | {b:.2f} | {c:.2f} | {d:.2f} |" for f, (a, b, c, d) in rows]
    over = sum(max(r[1][0], r[1][2]) > LIMIT for r in rows)
    middle = [statistics.median(r[1][k] for r in rows) for k in (0, 2)]
    summary = (
        f"{len(rows)} formulas: the median ratio is {middle[0]:.2f} forward and {middle[1]:.2f} "
        f"for both passes; {over} are above {LIMIT} in one of the two."
    )
    skips = [f"Not measured: {', '.join(skipped)}.\n"] if skipped else []
    where = f"{machine()}.\n"
    return "\n".join([INTRODUCTION, where, summary + "\n", *skips, *lines]) + "\n"


def main() -> None:
    """Print the table, or write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the page")
    is_written = parser.parse_args().write
    text = page()
    if is_written:
        PAGE.write_text(text)
    else:
        print(text)


if __name__ == "__main__":
    main()
