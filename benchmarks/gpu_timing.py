"""What is timed on a GPU, and how: calls in turns over arguments that its cache does not hold."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

import symop
from benchmarks.cpu import CASES, Case
from symop.benchmarking import measured, runner, wall, working
from symop.peers import peers

# Sets of arguments that calls go through in turn take this many times the L2 cache, if this many
# sets can.
_TIMES, _SETS = 4, 1024

Function = Callable[..., Any]

# The same in torch itself, where it has a function for it.
LIBRARY: dict[str, Function] = {
    "E4 gelu": torch.nn.functional.gelu,
    "E5 mish": torch.nn.functional.mish,
    "E6 swiglu": lambda a, b: torch.nn.functional.silu(a) * b,
}


@dataclass(frozen=True)
class Place:
    """What is measured on, and how.

    device: the type of the device.
    cache: the bytes that it keeps near.
    clock: seconds that some calls take, as `symop.benchmarking.wall`.
    copied: the bytes of the tensor whose copy gives the bandwidth.
    rounds: how often each peer has its turn.
    seconds: about how long a turn takes.
    """

    device: str
    cache: int
    clock: Callable[[Callable[[], object], int], float]
    copied: int
    rounds: int
    seconds: float


def events(run: Callable[[], object], calls: int) -> float:
    """Seconds on the current stream from the first call to the end of the last."""
    event: Callable[..., Any] = torch.cuda.Event
    start, end = (event(enable_timing=True) for _ in range(2))
    start.record()
    for _ in range(calls):
        run()
    end.record()
    end.synchronize()
    return float(start.elapsed_time(end)) / 1e3


def gpu() -> Place:
    """The GPU that is there."""
    cache = torch.cuda.get_device_properties(0).L2_cache_size
    return Place("cuda", cache, events, 1 << 30, rounds=15, seconds=0.02)


def dry() -> Place:
    """The CPU in its place, for a run that shows nothing but that everything runs."""
    return Place("cpu", 1 << 12, wall, 1 << 16, rounds=1, seconds=0.0)


def arguments(
    case: Case, names: Sequence[str], n: int, dtype: torch.dtype, device: str
) -> list[torch.Tensor]:
    """One set of values on the device; rows hold 1,000 elements."""
    values = []
    for name in names:
        shape: tuple[int, ...] = (n,)
        if case.rows:
            shape = (1000,) if name in case.rows else (n // 1000, 1000)
        if name in case.scalars:
            shape = ()
        value = torch.empty(shape, dtype=dtype, device=device).uniform_(0.1, 1.9)
        values.append(value.requires_grad_(name not in case.fixed))
    return values


def least_bytes(op: symop.Op, values: Sequence[torch.Tensor], out: torch.Tensor, mode: str) -> int:
    """The bytes that a mode reads and writes if each tensor is touched once by each launch.

    A scalar whose wanted arguments are all scalars too is one launch in both directions.
    """
    forward = sum(v.nbytes for v in values) + out.nbytes
    wanted = [v for v in values if v.requires_grad]
    if mode == "forward" or not any(v.dim() for v in (*wanted, out)):
        return forward
    known = dict(zip((*op.args, *op.outputs), (*values, out), strict=True))
    saved = sum(known[name].nbytes for name in op.saved)
    return forward + saved + out.nbytes + sum(v.nbytes for v in wanted)


def functions(name: str, op: symop.Op, wanted: Sequence[str], mode: str) -> dict[str, Function]:
    """The op and its peers by name."""
    found = peers(op, wanted, CASES[name].plain)
    if "library" in wanted and name in LIBRARY:
        found["library"] = LIBRARY[name]
    if "by hand" in wanted and name == "E6 swiglu":
        from benchmarks.swiglu_kernels import swiglu

        found["by hand"] = swiglu
    if "one op" in wanted and mode == "forward":
        found["one op"] = lambda *values: max(values, key=torch.Tensor.numel).neg()
    return found


def rotating(runs: Sequence[Callable[[], object]]) -> Callable[[], object]:
    """One call after the other, in a circle."""
    following = itertools.cycle(runs).__next__
    return lambda: following()()


def left_out(line: str) -> None:
    """Say which peer is left out, and free what it holds."""
    print(f"  {line}", flush=True)
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def cell(
    place: Place, name: str, op: symop.Op, dtype: str, n: int, mode: str, wanted: Sequence[str]
) -> dict[str, float]:
    """Seconds of a call by peer, and the least bytes of the mode."""
    torch._dynamo.reset()
    case, kind = CASES[name], getattr(torch, dtype)
    first = arguments(case, op.args, n, kind, place.device)
    size = sum(v.nbytes for v in first)
    count = min(_SETS, max(1, -(-_TIMES * place.cache // size)))
    sets = [first, *(arguments(case, op.args, n, kind, place.device) for _ in range(count - 1))]

    def turning(function: Function) -> Callable[[], Callable[[], object]]:
        return lambda: rotating([runner(function, values, mode) for values in sets])

    found = functions(name, op, wanted, mode)
    runs = working({peer: turning(function) for peer, function in found.items()}, left_out)
    with torch.no_grad():
        bytes_ = least_bytes(op, first, op(*first), mode)
    timings = measured(runs, rounds=place.rounds, seconds=place.seconds, clock=place.clock)
    return {"bytes": bytes_, **{peer: timing.seconds for peer, timing in timings.items()}}


def bandwidth(place: Place) -> float:
    """Bytes per second, read and written, of a copy on the device."""
    source = torch.zeros(place.copied, dtype=torch.uint8, device=place.device)
    target = torch.empty_like(source)
    found = measured(
        {"copy": lambda: target.copy_(source)},
        rounds=place.rounds, seconds=place.seconds, clock=place.clock,
    )  # fmt: skip
    return 2 * place.copied / found["copy"].seconds
