"""Times of calls side by side: in one process, in turns, medians; and how noisy they are."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

MODES = ("forward", "both")
ROUNDS, SECONDS = 15, 0.004
_MOST_CALLS = 2000
# Ratios of medians are known to some percent where half of the rounds are within this share.
QUIET = 0.1


@dataclass(frozen=True)
class Timing:
    """The time of a call.

    seconds: the median over the rounds.
    spread: the distance of the quartiles, as a share of the median.
    """

    seconds: float
    spread: float


def wall(run: Callable[[], object], calls: int) -> float:
    """Seconds that some calls of a function take."""
    start = time.perf_counter()
    for _ in range(calls):
        run()
    return time.perf_counter() - start


def working(
    makers: Mapping[str, Callable[[], Callable[[], object]]], say: Callable[[str], object]
) -> dict[str, Callable[[], object]]:
    """The calls by name, without peers that fail: of memory, or of a compiler. The op must work.

    Args:
        makers: makes what is called.
        say: takes a line for each peer that is left out.
    """
    found: dict[str, Callable[[], object]] = {}
    for name, make in makers.items():
        try:
            run = make()
            run()
        except Exception as error:
            if name == "symop":
                raise
            first = str(error).strip().partition("\n")[0][:200]
            say(f"{name} is left out: {type(error).__name__}: {first}")
        else:
            found[name] = run
    return found


def measured(
    runs: Mapping[str, Callable[[], object]], *, rounds: int = ROUNDS, seconds: float = SECONDS,
    clock: Callable[[Callable[[], object], int], float] = wall,
) -> dict[str, Timing]:  # fmt: skip
    """The times of calls, by name; all take turns, so that what slows the machine slows all.

    Args:
        runs: what is called; it is called a few times before anything counts.
        rounds: how often each has its turn.
        seconds: about how long a turn takes; a call that takes longer is one turn.
        clock: gives the seconds that so many calls of a function take; `wall`, or on a device that
            works on after a call returns, what asks the device.
    """
    calls: dict[str, int] = {}
    for name, run in runs.items():
        for _ in range(3):
            run()
        took = clock(run, 1)
        calls[name] = max(1, min(_MOST_CALLS, int(seconds / (took + 1e-9))))
    taken: dict[str, list[float]] = {name: [] for name in runs}
    names = list(runs)
    for turn in range(rounds):
        # Nobody always finds the memory as the same other one left it.
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            taken[name].append(clock(runs[name], calls[name]) / calls[name])
    return {name: _timing(times) for name, times in taken.items()}


def _timing(times: Sequence[float]) -> Timing:
    median = statistics.median(times)
    if len(times) < 2:
        return Timing(median, 0.0)
    first, _, third = statistics.quantiles(times, n=4, method="inclusive")
    return Timing(median, (third - first) / median)


def runner(
    function: Callable[..., Any], values: Sequence[torch.Tensor], mode: str
) -> Callable[[], Any]:
    """One call to be timed.

    Args:
        function: an op, or something that computes the same.
        values: its arguments; those that require a gradient get one in mode "both".
        mode: "forward", without gradients, or "both", with `torch.autograd.grad` of all outputs.
    """
    if mode == "forward":
        plain = [v.detach() for v in values]
        return lambda: function(*plain)
    leaves = [v for v in values if v.requires_grad]
    # With gradients, as in the calls that count: a compiler would work twice otherwise.
    found = function(*values)
    if isinstance(found, torch.Tensor):
        cotangent = torch.ones_like(found)
        return lambda: torch.autograd.grad(function(*values), leaves, cotangent)
    cotangents = [torch.ones_like(v) for v in found]
    return lambda: torch.autograd.grad(function(*values), leaves, cotangents, allow_unused=True)


def key_of(name: str, dtype: str, elements: int, threads: int, mode: str) -> str:
    """The key of a cell: what was measured, at which size, and how, such as E1|float32|1|1|both."""
    return f"{name}|{dtype}|{elements}|{threads}|{mode}"


def noise(timings: Mapping[str, Mapping[str, Timing]], load: float | None) -> list[str]:
    """Why times are not to be relied on; empty on a quiet machine.

    Args:
        timings: what was measured, by cell and by name.
        load: the load average when that began, None where the system does not tell.
    """
    cores = os.cpu_count() or 1
    found = []
    if load is not None and load > cores / 2:
        found.append(f"the load average was {load:.1f} on {cores} cores before anything was timed")
    spreads = [t.spread for cell in timings.values() for t in cell.values()]
    wide = sum(spread > QUIET for spread in spreads)
    if wide * 10 > len(spreads):
        found.append(
            f"in {wide} of {len(spreads)} times the middle half of the rounds spreads over more "
            f"than {QUIET:.0%} of the median"
        )
    return found


def load_average() -> float | None:
    """The load of the last minute, None where the system does not tell."""
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):
        return None


def processor() -> str:
    """The name of the processor."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
