"""Fused CPU kernels against their peers: ratios of times in one process, in turns, medians.

python -m benchmarks.cpu                        # everything, which takes long
python -m benchmarks.cpu --cases E1 E3 --sizes 1 1000000 --dtypes float32 --threads 1
python -m benchmarks.cpu --write                # write docs/cpu.md from all cells measured so far

Cells are kept in .benchmarks/cpu.json, so that a run may be cut and taken up again.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

import symop
from benchmarks.machine import machine
from symop.benchmarking import MODES, key_of, measured, runner
from symop.jax_peer import jax_runs
from symop.peers import PEERS, peers

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "cpu.md"
CELLS = ROOT / ".benchmarks" / "cpu.json"
REPEATS = 3
SIZES = (1, 1_000, 2_000, 100_000, 1_000_000, 10_000_000)


@dataclass(frozen=True)
class Case:
    """An expression: its formula, plain torch, its gradients by hand, shapes at n elements.

    scalars: the arguments of one element.
    fixed: the arguments that need no gradient.
    """

    formula: str
    plain: Callable[..., torch.Tensor]
    scalars: str = ""
    fixed: str = ""
    rows: str = ""

    def arguments(self, names: Sequence[str], n: int, dtype: torch.dtype) -> list[torch.Tensor]:
        """Values for n elements."""
        generator = torch.Generator().manual_seed(0)
        values = []
        for name in names:
            shape: tuple[int, ...] = (n,)
            if self.rows and n >= 1000:
                shape = (n // 1000, 1000) if name not in self.rows else (1000,)
            if name in self.scalars:
                shape = ()
            drawn = torch.rand(shape, generator=generator, dtype=torch.float64) * 1.8 + 0.1
            value = drawn.to(dtype)
            values.append(value.requires_grad_(name not in self.fixed))
        return values


def _p3(x: torch.Tensor) -> torch.Tensor:
    return 0.5 * (5 * x**3 - 3 * x)


CASES = {
    "E1": Case("0.5*(5*x**3-3*x)", _p3),
    "E2": Case("w*x + b", lambda w, x, b: w * x + b),
    "E2 0-d": Case("w*x + b", lambda w, x, b: w * x + b, scalars="wb"),
    "E2 row": Case("w*x + b", lambda w, x, b: w * x + b, rows="wb"),
    "E3": Case("a + b*legendre(3, c + d*x)", lambda a, b, c, d, x: a + b * _p3(c + d * x),
               scalars="abcd", fixed="x"),
    "E4 gelu": Case("0.5*x*(1 + erf(x/sqrt(2)))",
                    lambda x: 0.5 * x * (1 + torch.erf(x / math.sqrt(2)))),
    "E5 mish": Case("x*tanh(log(1 + exp(x)))", lambda x: x * torch.tanh(torch.log1p(torch.exp(x)))),
    "E6 swiglu": Case("a*sigmoid(a)*b", lambda a, b: a * torch.sigmoid(a) * b),
    "E7 loss": Case("sum((a + b*x + c*x**2 + d*x**3 - y)**2)",
                    lambda a, b, x, c, d, y: ((a + b * x + c * x**2 + d * x**3 - y) ** 2).sum(),
                    scalars="abcd", fixed="xy"),
    "gaussian": Case("exp(-(x - m)**2/(2*s**2))/(s*sqrt(2*pi))",
                     lambda x, m, s: torch.exp(-((x - m) ** 2) / (2 * s**2))
                     / (s * math.sqrt(2 * math.pi)), scalars="ms"),
    "pseudo-Huber": Case("d**2*(sqrt(1 + (x/d)**2) - 1)",
                         lambda d, x: d**2 * (torch.sqrt(1 + (x / d) ** 2) - 1), scalars="d"),
    "logistic loss": Case("mean(softplus(x) - x*y)",
                          lambda x, y: (torch.nn.functional.softplus(x) - x * y).mean(), fixed="y"),
    "Lennard-Jones": Case("4*e*((s/r)**12 - (s/r)**6)",
                          lambda e, s, r: 4 * e * ((s / r) ** 12 - (s / r) ** 6), scalars="es"),
    "damped wave": Case("a*exp(-k*t)*sin(w*t)",
                        lambda a, k, t, w: a * torch.exp(-k * t) * torch.sin(w * t), scalars="akw"),
    "relativistic": Case("m*c**2/sqrt(1 - (v/(2*c))**2)",
                         lambda m, c, v: m * c**2 / torch.sqrt(1 - (v / (2 * c)) ** 2),
                         scalars="c"),
    "Planck": Case("x**3/(exp(x) - 1)", lambda x: x**3 / (torch.exp(x) - 1)),
    "norm gate": Case("x/sqrt(1 + x**2)*tanh(g)",
                      lambda x, g: x / torch.sqrt(1 + x**2) * torch.tanh(g)),
    "quantile": Case("mean(maximum(q*(y - x), (q - 1)*(y - x)))",
                     lambda q, y, x: torch.maximum(q * (y - x), (q - 1) * (y - x)).mean(),
                     scalars="q", fixed="qy"),
    "Michaelis": Case("v*x/(k + x)", lambda v, x, k: v * x / (k + x), scalars="vk"),
}  # fmt: skip


def loaded() -> dict[str, dict[str, float]]:
    """All cells measured so far."""
    return json.loads(CELLS.read_text()) if CELLS.exists() else {}


def repeated(runs: dict[str, Callable[[], object]], cell: dict[str, float]) -> dict[str, float]:
    """The seconds of a call, by name; those of peers as their median ratio to the op's.

    Args:
        runs: the op and its peers.
        cell: what was measured before, of the same op with other peers.
    """
    found = [measured(runs) for _ in range(REPEATS)]
    own = cell.get("symop") or statistics.median(t["symop"].seconds for t in found)
    ratios = {n: statistics.median(t[n].seconds / t["symop"].seconds for t in found) for n in runs}
    return cell | {name: own * ratio for name, ratio in ratios.items()}


def geometric(values: Sequence[float]) -> float:
    """The geometric mean."""
    return math.exp(statistics.fmean(map(math.log, values)))


def page(cells: dict[str, dict[str, float]]) -> str:
    """The tables."""
    lines = [
        "# CPU kernels against their peers",
        "",
        "Written by `python -m benchmarks.cpu --write`. Time of the peer over the time of the op, "
        f"both in one process, in turns, the median of {REPEATS} measurements of medians: above 1 "
        "the op is faster. `both` is forward and backward by `torch.autograd.grad`. `function` is "
        "the generated Function on plain operations; `autotune` is torch.compile with "
        "max-autotune; `jax` is one jitted function "
        "of value and gradients, which has threads of its own.",
        "",
        machine(),
        "",
        "## Over all expressions",
        "",
        "Geometric mean, and the least in brackets.",
        "",
    ]
    keys = [tuple(key.split("|")) for key in cells]
    groups = sorted({(m, d, int(t), int(n)) for _, d, n, t, m in keys})
    lines += ["| mode | dtype | threads | elements | " + " | ".join(PEERS) + " |"]
    lines += ["|---|---|---|---|" + "---|" * len(PEERS)]
    for mode, dtype, threads, n in groups:
        row = []
        for peer in PEERS:
            found = [
                cells["|".join(key)][peer] / cells["|".join(key)]["symop"]
                for key in keys
                if key[1:] == (dtype, str(n), str(threads), mode) and peer in cells["|".join(key)]
            ]
            row.append(f"{geometric(found):.2f} [{min(found):.2f}]" if found else "")
        lines.append(f"| {mode} | {dtype} | {threads} | {n:,} | " + " | ".join(row) + " |")
    lines += ["", "## Expression by expression", ""]
    for name in CASES:
        own = [key for key in keys if key[0] == name]
        if not own:
            continue
        lines += [f"### {name}", "", f"`{CASES[name].formula}`", ""]
        lines += ["| mode | dtype | elements | threads | op, us | " + " | ".join(PEERS) + " |"]
        lines += ["|---|---|---|---|---|" + "---|" * len(PEERS)]
        for key in sorted(own, key=lambda k: (k[4], k[1], int(k[2]), int(k[3]))):
            cell = cells["|".join(key)]
            row = [f"{cell[p] / cell['symop']:.2f}" if p in cell else "" for p in PEERS]
            lines.append(f"| {key[4]} | {key[1]} | {int(key[2]):,} | {key[3]} | "
                         f"{cell['symop'] * 1e6:.1f} | " + " | ".join(row) + " |")  # fmt: skip
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    """Measure the cells that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", nargs="*", choices=CASES, default=list(CASES))
    parser.add_argument("--sizes", nargs="*", type=int, default=list(SIZES))
    parser.add_argument("--dtypes", nargs="*", default=["float32", "float64"])
    parser.add_argument("--threads", nargs="*", type=int, default=[1, 2])
    parser.add_argument("--peers", nargs="*", choices=PEERS, default=list(PEERS[:3]))
    parser.add_argument("--modes", nargs="*", default=list(MODES))
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--again", action="store_true", help="measure cells anew")
    options = parser.parse_args()
    torch._dynamo.config.cache_size_limit = 64
    cells = loaded()
    CELLS.parent.mkdir(exist_ok=True)
    if options.write:
        PAGE.write_text(page(cells), encoding="utf-8")
        return
    for name in options.cases:
        case = CASES[name]
        op = symop.compile(case.formula, backend="cpu")
        for dtype in options.dtypes:
            for n in options.sizes:
                for threads in options.threads:
                    torch.set_num_threads(threads)
                    torch._dynamo.reset()
                    functions = peers(op, options.peers, case.plain)
                    values = case.arguments(op.args, n, getattr(torch, dtype))
                    for mode in options.modes:
                        key = key_of(name, dtype, n, threads, mode)
                        is_there = set(options.peers) <= set(cells.get(key, ()))
                        if is_there and not options.again:
                            continue
                        runs = {p: runner(f, values, mode) for p, f in functions.items()}
                        if "jax" in options.peers:
                            runs["jax"] = jax_runs(op.written, values)[mode]
                        cells[key] = repeated(runs, {} if options.again else cells.get(key, {}))
                        ratios = "  ".join(
                            f"{p} {cells[key][p] / cells[key]['symop']:6.2f}"
                            for p in runs
                            if p != "symop"
                        )
                        own = cells[key]["symop"] * 1e6
                        print(f"{key:42} {own:10.1f} us  {ratios}", flush=True)
                        CELLS.write_text(json.dumps(cells, indent=0))


if __name__ == "__main__":
    main()
