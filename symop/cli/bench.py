"""`symop bench`: an op against eager torch, a Function by hand, torch.compile and JAX."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any

import click

from symop.cli.options import (
    FORMULA_HELP,
    compiled,
    formula_argument,
    json_option,
    names,
    naming_options,
    quiet_option,
)
from symop.cli.output import note, progress, say_json, say_table
from symop.cli.program import FormulaCommand
from symop.errors import CallError, SymopError

if TYPE_CHECKING:
    from symop.operators import Op

_DTYPES = ("float32", "float64", "bfloat16", "float16")
_SIZES = "1,1000,100000,1000000,10000000"
_LARGEST = 10**9


class _Numbers(click.ParamType[list[int]]):
    """Whole numbers with commas between them; 1e6 is one."""

    name = "numbers"

    def __init__(self, largest: int) -> None:
        self.largest = largest

    def convert(self, value: Any, param: Any, ctx: Any) -> list[int]:
        """The numbers."""
        found = []
        for text in names(value) or ():
            try:
                number = float(text)
            except ValueError:
                number = 0.5
            if not (1 <= number <= self.largest and number.is_integer()):
                self.fail(f"{text!r} is no whole number from 1 to {self.largest:,}", param, ctx)
            found.append(int(number))
        return found or self.fail("one number or more are expected", param, ctx)


@click.command(
    cls=FormulaCommand,
    short_help="Times against eager torch, torch.compile and others.",
    help=f"""Time an op against what computes the same, as ratios: above 1 the op is faster.

    eager is the formula in plain torch, function an autograd Function with the gradients written
    out, compile and autotune torch.compile without and with max-autotune, jax one jitted function
    of value and gradients. All take turns in one process; medians are compared.

    {FORMULA_HELP}
    """,
)
@formula_argument
@click.option("--sizes", type=_Numbers(_LARGEST), default=_SIZES, show_default=True,
              metavar="N,...", help="Elements of each argument.")  # fmt: skip
@click.option("--dtypes", default="float32", show_default=True, metavar="NAME,...",
              help=f"Of {', '.join(_DTYPES)}.")  # fmt: skip
@click.option("--threads", type=_Numbers(1024), default="1", show_default=True, metavar="N,...",
              help="Threads of torch.")  # fmt: skip
@click.option("--modes", default="forward,both", show_default=True, metavar="NAME,...",
              help="forward, and both: forward with all gradients.")  # fmt: skip
@click.option("--peers", metavar="NAME,...",
              help="Of eager, function, compile, autotune and jax; else all that are installed, "
              "without autotune.")  # fmt: skip
@click.option("--scalars", default="", metavar="a,b", help="Arguments of one element.")
@click.option("--fixed", default="", metavar="x,y", help="Arguments that need no gradient.")
@click.option("--rounds", type=click.IntRange(3, 1000), default=15, show_default=True,
              metavar="N", help="How often each has its turn.")  # fmt: skip
@naming_options
@json_option("Seconds and spreads of all cells")
@quiet_option
def command(
    formula: str,
    sizes: list[int],
    dtypes: str,
    threads: list[int],
    modes: str,
    peers: str | None,
    scalars: str,
    fixed: str,
    rounds: int,
    args: str | None,
    outputs: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Time an op, and print a table."""
    from symop import benchmarking
    from symop.peers import PEERS, installed

    op = compiled(formula, args, outputs)
    chosen = {
        "dtypes": _some_of("--dtypes", dtypes, _DTYPES),
        "modes": _some_of("--modes", modes, benchmarking.MODES),
        "peers": _some_of("--peers", peers, PEERS) if peers is not None else installed(),
        "scalars": _of("--scalars", scalars, op.args),
        "fixed": _of("--fixed", fixed, op.args),
    }
    _check_modes(op, chosen["modes"], chosen["fixed"])
    load = benchmarking.load_average()
    _prepare_host(quiet=quiet)
    cells, notes = _measured(op, sizes, threads, rounds, chosen, quiet=quiet or as_json)
    noisy = benchmarking.noise(cells, load)
    if as_json:
        say_json(_report(op, cells, notes, noisy, load))
        return
    if quiet:
        return
    _say_cells(cells, chosen["peers"])
    for text in dict.fromkeys(notes):
        note(text)
    for text in noisy:
        note(f"too noisy to rely on: {text}")


def _prepare_host(*, quiet: bool) -> None:
    """Compile what calls kernels from autograd, which otherwise a build in the background does."""
    from symop import native_host

    if os.environ.get("SYMOP_HOST") == "python" or native_host.load() is not None:
        return
    if not quiet:
        note("compiling the host of kernels first, which takes half a minute, once")
    try:
        native_host.build()
    except SymopError as error:
        note(f"kernels are called from Python, which is slower on small tensors: {error}")


def _of(option: str, text: str, known: Sequence[str]) -> tuple[str, ...]:
    """The names of an option, all of them known."""
    found = tuple(names(text) or ())
    for name in found:
        if name not in known:
            raise CallError(f"{option}: {name} was found; of {', '.join(known)} any are accepted")
    return found


def _some_of(option: str, text: str, known: Sequence[str]) -> tuple[str, ...]:
    """The names of an option that cannot do without one."""
    found = _of(option, text, known)
    if not found:
        raise CallError(f"{option}: no name was found; of {', '.join(known)} one or more are "
                        "expected")  # fmt: skip
    return found


def _check_modes(op: Op, modes: Sequence[str], fixed: Sequence[str]) -> None:
    """Refuse gradients where no argument has one."""
    moving = [a.name for a in op.program.arguments if not a.is_mask and a.name not in fixed]
    if "both" in modes and not moving:
        raise CallError("no argument is left that needs a gradient; leave one out of --fixed, or "
                        "time --modes forward alone")  # fmt: skip


def _measured(
    op: Op,
    sizes: list[int],
    threads: list[int],
    rounds: int,
    chosen: dict[str, tuple[str, ...]],
    *,
    quiet: bool,
) -> tuple[dict[str, Any], list[str]]:
    """The timings by cell, and notes about peers that cannot take part."""
    import torch

    from symop import benchmarking, peers
    from symop.samples import Samples

    ranges = Samples(op.written, op.program).ranges
    name = "; ".join(op._formula.text)
    cells: dict[str, Any] = {}
    notes: list[str] = []
    places = list(product(chosen["dtypes"], sizes, threads))
    before = torch.get_num_threads()
    torch._dynamo.config.cache_size_limit = 64
    with progress("timing", len(places) * len(chosen["modes"]), quiet=quiet) as advance:
        try:
            for dtype, size, count in places:
                torch.set_num_threads(count)
                torch._dynamo.reset()
                values = peers.arguments(
                    op, ranges, size, getattr(torch, dtype), scalars=chosen["scalars"],
                    fixed=chosen["fixed"],
                )  # fmt: skip
                for mode in chosen["modes"]:
                    advance(f"{dtype} {size:,} {mode}")
                    runs = _runs(op, values, mode, chosen["peers"], notes)
                    key = benchmarking.key_of(name, dtype, size, count, mode)
                    cells[key] = benchmarking.measured(runs, rounds=rounds)
                    advance()
        finally:
            torch.set_num_threads(before)
    return cells, notes


def _runs(
    op: Op, values: Sequence[Any], mode: str, wanted: Sequence[str], notes: list[str]
) -> dict[str, Callable[[], object]]:
    """What is timed in one cell; what cannot be called is left out with a note."""
    from symop import benchmarking, peers

    makers: dict[str, Callable[[], Callable[[], object]]] = {
        name: partial(benchmarking.runner, function, values, mode)
        for name, function in peers.peers(op, wanted).items()
    }
    if "jax" in wanted:
        makers["jax"] = lambda: _in_jax(op, values, mode)
    return benchmarking.working(makers, notes.append)


def _in_jax(op: Op, values: Sequence[Any], mode: str) -> Callable[[], object]:
    from symop.jax_peer import jax_runs

    return jax_runs(op.written, values)[mode]


def _say_cells(cells: dict[str, Any], wanted: Sequence[str]) -> None:
    """The table: the time of the op, and the time of each peer over it."""
    rows = []
    for key, cell in cells.items():
        _, dtype, size, threads, mode = key.split("|")
        own = cell["symop"].seconds
        ratios = [f"{cell[p].seconds / own:.2f}" if p in cell else "-" for p in wanted]
        rows.append([mode, dtype, f"{int(size):,}", threads, f"{own * 1e6:.1f}", *ratios])
    titles = ["mode", "dtype", "elements", "threads", "op, us", *wanted]
    say_table(titles, rows, left=2)


def _report(
    op: Op, cells: dict[str, Any], notes: list[str], noisy: list[str], load: float | None
) -> dict[str, Any]:
    """What --json prints; `cells` are of the form of .benchmarks/cpu.json, in seconds."""
    import torch

    from symop.benchmarking import processor

    return {
        "formula": list(op._formula.text),
        "processor": processor(),
        "torch": torch.__version__,
        "python": sys.version.split()[0],
        "load": load,
        "cells": {k: {n: t.seconds for n, t in cell.items()} for k, cell in cells.items()},
        "spreads": {k: {n: t.spread for n, t in cell.items()} for k, cell in cells.items()},
        "noisy": noisy,
        "notes": list(dict.fromkeys(notes)),
    }
