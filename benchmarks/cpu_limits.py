"""What CPU kernels reach of what the machine can do, and what they are worth in a training loop.

python -m benchmarks.cpu_limits          # prints the page
python -m benchmarks.cpu_limits --write  # writes docs/cpu_limits.md
"""

from __future__ import annotations

import argparse
import ctypes
import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

import symop
from benchmarks.cpu import CASES, Case
from benchmarks.machine import machine
from symop.building import loaded
from symop.compiler import formula
from symop.cpu_backend import cpu_kernels
from symop.fused import Fused
from symop.launching import Launcher
from symop.loading import Generated, load

PAGE = Path(__file__).parent.parent / "docs" / "cpu_limits.md"
# Where tensors lie in memory decides what of them the caches hold: the median of some placements.
PLACEMENTS = 5


@dataclass(frozen=True)
class Setting:
    """How kernels alone are measured.

    elements: of each tensor.
    rounds: the turns of each placement.
    is_cold: whether the placements take turns too, so that caches hold none of them.
    """

    elements: int
    rounds: int
    is_cold: bool = False

    @property
    def title(self) -> str:
        """What stands above its table."""
        return f"{self.elements:,} elements" + ", in no cache" * self.is_cold


SETTINGS = (
    Setting(1_000_000, 101), Setting(1_000_000, 31, is_cold=True), Setting(10_000_000, 21)
)  # fmt: skip
STEPS = 2_000
LOSS = "sum((a + b*legendre(3, c + d*x) - y)**2)"

INTRODUCTION = """# Limits of the CPU kernels

Written by `python -m benchmarks.cpu_limits --write`.

{machine}
"""


def medians(
    runs: dict[str, Callable[[], Any]], rounds: int, order: random.Random | None = None
) -> dict[str, float]:
    """Median seconds of a call; all take turns, in an order that may change."""
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for run in runs.values():
        run()
    turns = list(runs.items())
    for _ in range(rounds):
        if order is not None:
            order.shuffle(turns)
        for name, run in turns:
            start = time.perf_counter()
            run()
            taken[name].append(time.perf_counter() - start)
    return {name: statistics.median(times) for name, times in taken.items()}


@dataclass(frozen=True)
class Alone:
    """The kernels of a routine on buffers that are there already.

    run: calls them.
    size: the bytes that are read and written, each once.
    read: the full-size tensors that are read.
    made: those that are written.
    """

    run: Callable[[], None]
    size: int
    read: tuple[torch.Tensor, ...]
    made: tuple[torch.Tensor, ...]

    def add(self) -> tuple[int, Callable[[], Any]]:
        """`torch.add(a, b, out=c)` on the same tensors, with others where they are too few.

        With it, the bytes that it reads and writes.
        """
        like = (*self.read, *self.made)[0]
        a, b = (*self.read, torch.ones_like(like))[:2]
        c = (*self.made, torch.empty_like(like))[0]
        return 3 * like.numel() * like.element_size(), partial(torch.add, a, b, out=c)

    def bare(self) -> Callable[[], None]:
        """A loop that reads and writes the same tensors, and adds only."""
        is_double = (*self.read, *self.made)[0].dtype == torch.float64
        text = bare_text("double" if is_double else "float", len(self.read), len(self.made))
        function = loaded(text).bare
        pointers = [t.data_ptr() for t in (*self.read, *self.made)]
        places = (ctypes.c_void_p * len(pointers))(*pointers)
        return partial(function, ctypes.c_int64((*self.read, *self.made)[0].numel()), places)


def bare_text(kind: str, read: int, made: int) -> str:
    """The C text of a loop that reads and writes so many arrays."""
    value = " + ".join(f"from{k}[block + i]" for k in range(read)) or "1"
    inputs = [f"const {kind} *restrict from{k} = data[{k}];" for k in range(read)]
    outputs = [f"{kind} *restrict to{k} = data[{read + k}];" for k in range(made)]
    stores = [f"to{k}[block + i] = {value};" for k in range(made)] or [f"sum[i] += {value};"]
    return f"""#include <stdint.h>
__attribute__((visibility("default"))) double bare(int64_t n, void *const *data)
{{
    {" ".join(inputs + outputs)}
    double total = 0;
    #pragma omp parallel for schedule(static) reduction(+ : total)
    for (int64_t start = 0; start < n / 32 * 32; start += 16384) {{
        const int64_t end = start + 16384 < n / 32 * 32 ? start + 16384 : n / 32 * 32;
        {kind} sum[32] = {{0}};
        for (int64_t block = start; block < end; block += 32) {{
            #pragma omp simd
            for (int i = 0; i < 32; ++i) {{
                {" ".join(stores)}
            }}
        }}
        for (int i = 0; i < 32; ++i) {{
            total += sum[i];
        }}
    }}
    return total;
}}
"""


def alone(launcher: Launcher, tensors: Sequence[torch.Tensor], shapes: Sequence[Any],
          numbers: int | None = None) -> Alone:  # fmt: skip
    """Call a routine once, and keep its calls of kernels to be repeated."""
    calls: list[tuple[Any, tuple[Any, ...]]] = []
    function = launcher.function

    def recording(address: int) -> Any:
        kernel = function(address)

        def call(*arguments: Any) -> Any:
            calls.append((kernel, arguments))
            return kernel(*arguments)

        return call

    launcher.function = recording  # type: ignore[method-assign]
    outputs = launcher(tensors, shapes, numbers)
    # What is as large as an argument is that tensor itself.
    made = [o for o in outputs if all(o is not t for t in tensors)]
    read = [t for t in tensors if t.numel() > 1]

    def run(_kept: Any = (tensors, outputs)) -> None:
        for kernel, arguments in calls:
            kernel(*arguments)

    full = max(t.numel() for t in read)
    arrays = [tuple(t for t in group if t.numel() == full) for group in (read, made)]
    return Alone(run, sum(t.numel() * t.element_size() for t in (*read, *made)), *arrays)


def passes(case: Case, dtype: torch.dtype, elements: int) -> dict[str, Alone]:
    """The kernels of the forward and of the backward pass; of a loss, both are one."""
    made = formula(case.formula)
    kernels = cpu_kernels(made)
    module = Generated(made.name, lambda: load(made.name, made.module_text))
    fused = Fused(made, module, kernels)
    assert fused.forward is not None
    values = [v.detach() for v in case.arguments(fused.names, elements, dtype)]
    shapes = [v.shape for v in values]
    needs = sum(
        1 << k for k, p in enumerate(fused.places) if fused.names[p] not in case.fixed
    )  # fmt: skip
    prepared = fused.loss(needs)
    if prepared is not None:
        return {"loss and gradients": alone(Launcher(prepared.data, kernels), values, shapes,
                                            1)}  # fmt: skip
    forward = alone(Launcher(fused.forward.data, kernels), values, shapes)
    found = Launcher(fused.forward.data, kernels)(values, shapes)
    gradient = fused.gradient(needs)
    assert gradient is not None
    saved = [(values, found)[kind][place] for kind, place in fused.saved]
    given = [*saved, *(torch.ones_like(v) for v in found)]
    taken = [given[k] for k in gradient.inputs]
    backward = alone(Launcher(gradient.data, kernels), taken, shapes)
    return {"forward": forward, "backward": backward}


def limits() -> list[str]:
    """Kernels alone, beside `torch.add(a, b, out=c)` and beside loops that only add."""
    lines = [
        "## Kernels alone",
        "",
        "Outputs that are there already, in turns of changing order, medians; of "
        f"{PLACEMENTS} placements of the tensors in memory the median. "
        "First, bytes that must be moved over the time of the kernels, as a fraction of the same "
        "for `torch.add(a, b, out=c)` on the same tensors, which reads two and writes one. "
        "Then the time of a C loop that reads and writes what the kernels do and "
        "nothing but adds, over their time. Where both are small, arithmetic is the limit.",
        "",
    ]
    for setting in SETTINGS:
        lines += [f"{setting.title}:", "", *limits_of(setting)]
    return lines


def limits_of(setting: Setting) -> list[str]:
    """The table of one setting."""
    columns = [(dtype, n) for dtype in (torch.float32, torch.float64) for n in (1, 2)]
    lines = [
        "| expression | pass | arrays read, written | "
        + " | ".join(
            f"{str(d).removeprefix('torch.')}, {n} thread{'s' * (n > 1)}" for d, n in columns
        )
        + " |",
        "|---|---|---" + "|---" * len(columns) + "|",
    ]
    found: dict[tuple[str, str, str], list[str]] = {}
    bandwidths: list[str] = []
    for dtype, threads in columns:
        torch.set_num_threads(threads)
        rates: list[float] = []
        for name in (name for name in CASES if name.startswith("E")):
            for key, pairs in fractions(name, dtype, setting, rates).items():
                medians_of = map(statistics.median, zip(*pairs, strict=True))
                cell = ", ".join(f"{value:.2f}" for value in medians_of)
                found.setdefault((name, *key), []).append(cell)
        bandwidths.append(f"{statistics.median(rates) / 1e9:.0f} GB/s")
    torch.set_num_threads(1)
    lines += [f"| {' | '.join((*key, *cells))} |" for key, cells in found.items()]
    return [*lines, f"| `torch.add` | | 2, 1 | {' | '.join(bandwidths)} |", ""]


def fractions(
    name: str, dtype: torch.dtype, setting: Setting, rates: list[float]
) -> dict[tuple[str, str], list[tuple[float, float]]]:
    """For each pass of a case, what it reaches beside `torch.add` and a bare loop, by placement.

    Args:
        name: the case.
        dtype: of the tensors.
        setting: how it is measured.
        rates: gets the bandwidths of `torch.add`.
    """
    found: dict[tuple[str, str], list[tuple[float, float]]] = {}
    order = random.Random(0)
    # All are kept until the last is measured, so that each lies elsewhere.
    placements = [passes(CASES[name], dtype, setting.elements) for _ in range(PLACEMENTS)]
    for part in placements[0]:
        runs: list[dict[str, Callable[[], Any]]] = []
        sizes = []
        for k, placement in enumerate(placements):
            kernels = placement[part]
            size, add = kernels.add()
            sizes.append((kernels.size, size))
            runs.append({f"add {k}": add, f"bare {k}": kernels.bare(), f"own {k}": kernels.run})
        if setting.is_cold:
            together = {key: run for group in runs for key, run in group.items()}
            times = medians(together, setting.rounds, order)
        else:
            times = {}
            for group in runs:
                times |= medians(group, setting.rounds, order)
        kernels = placements[0][part]
        key = part, f"{len(kernels.read)}, {len(kernels.made)}"
        for k, (own_size, add_size) in enumerate(sizes):
            own, rate = times[f"own {k}"], add_size / times[f"add {k}"]
            rates.append(rate)
            found.setdefault(key, []).append((own_size / own / rate, times[f"bare {k}"] / own))
    return found


class LegendrePolynomial3(torch.autograd.Function):
    """The Function of the tutorial."""

    @staticmethod
    def forward(ctx: Any, input: torch.Tensor) -> Any:
        """0.5*(5*x**3 - 3*x)."""
        ctx.save_for_backward(input)
        return 0.5 * (5 * input**3 - 3 * input)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> Any:
        """Its gradient."""
        (input,) = ctx.saved_tensors
        return grads[0] * 1.5 * (5 * input**2 - 1)


def training() -> list[str]:
    """The fit of the tutorial, with its Function and with the whole loss as one op."""
    torch.set_num_threads(1)
    loss_op = symop.compile(LOSS, backend="cpu")
    x = torch.linspace(-math.pi, math.pi, 2000)
    y = torch.sin(x)
    p3: Callable[..., Any] = LegendrePolynomial3.apply

    def tutorial(a: Any, b: Any, c: Any, d: Any) -> Any:
        return (a + b * p3(c + d * x) - y).pow(2).sum()

    def fused(a: Any, b: Any, c: Any, d: Any) -> Any:
        return loss_op(a, b, c, d, x, y)

    def loop(loss: Callable[..., Any], steps: int, updates: bool) -> float:
        start_at = (0.0, -1.0, 0.0, 0.3)
        parameters: list[Any] = [torch.full((), v, requires_grad=True) for v in start_at]
        a, b, c, d = parameters
        value = loss(a, b, c, d)
        for _ in range(steps):
            value = loss(a, b, c, d)
            value.backward()
            if updates:
                with torch.no_grad():
                    a -= 5e-6 * a.grad
                    b -= 5e-6 * b.grad
                    c -= 5e-6 * c.grad
                    d -= 5e-6 * d.grad
            a.grad = b.grad = c.grad = d.grad = None
        return float(value.detach())

    ends = [loop(f, STEPS, True) for f in (tutorial, fused)]
    lines = [
        "## A training loop",
        "",
        f"The fit of sin by `{LOSS}` to 2,000 points, {STEPS:,} steps, float32, one thread, as in "
        f"PyTorch's tutorial of custom Functions: its class and operations around it, and the loss "
        f"as one op. In turns, medians of 5. Final losses: {ends[0]:.5f} and {ends[1]:.5f}.",
        "",
        "| | tutorial, ms | one op, ms | ratio |",
        "|---|---|---|---|",
    ]
    for title, updates in (("with the lines that update", True), ("gradients alone", False)):
        times = medians(
            {
                "tutorial": partial(loop, tutorial, STEPS, updates),
                "fused": partial(loop, fused, STEPS, updates),
            },
            rounds=5,
        )
        slow, fast = times["tutorial"] * 1e3, times["fused"] * 1e3
        lines.append(f"| {title} | {slow:.0f} | {fast:.0f} | {slow / fast:.2f} |")
    return [*lines, ""]


_FIRST = """
import sys, time, torch, symop
symop.compile("x**2 - x + 1", backend="cpu")(torch.ones(3, requires_grad=True)).sum().backward()
w = [torch.rand(1000, requires_grad=True) for _ in range({count})]
start = time.perf_counter()
op = symop.compile({text!r}, backend="cpu")
torch.autograd.grad(op(*w).sum(), w)
print(time.perf_counter() - start)
"""


def beginnings() -> list[str]:
    """From a formula to its first gradient, in processes of their own."""
    lines = [
        "## From a formula to its first gradient",
        "",
        "In a process that has used an op before; `cached` is a later process, which finds the "
        "kernels built. Milliseconds, medians of 5.",
        "",
        "| formula | new | cached |",
        "|---|---|---|",
    ]
    for name in ("E1", "E2", "E4 gelu", "E5 mish", "E6 swiglu"):
        text = CASES[name].formula
        count = len(symop.compile(text, backend="torch").args)
        code = _FIRST.format(text=text, count=count)
        new: list[float] = []
        cached: list[float] = []
        for _ in range(5):
            with tempfile.TemporaryDirectory() as folder:
                environment = os.environ | {"SYMOP_CACHE": folder, "SYMOP_HOST": "python"}
                for times in (new, cached):
                    run = subprocess.run([sys.executable, "-c", code], env=environment,
                                         capture_output=True, text=True, check=True)  # fmt: skip
                    times.append(float(run.stdout) * 1e3)
        lines.append(
            f"| `{text}` | {statistics.median(new):.0f} | {statistics.median(cached):.0f} |"
        )
    return lines


def main() -> None:
    """Measure, and print or write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    lines = [INTRODUCTION.format(machine=machine()), *limits(), *training(), *beginnings()]
    text = "\n".join(lines).rstrip() + "\n"
    if options.write:
        PAGE.write_text(text, encoding="utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
