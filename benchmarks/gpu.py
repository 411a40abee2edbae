"""Kernels on a GPU: first that they are right, then how fast they are.

python -m benchmarks.gpu            # tests/interpreted on the device, then all cells, then the page
python -m benchmarks.gpu --cases E1 "E7 loss" --sizes 16000000 --no-tests
python -m benchmarks.gpu --dry-run  # every part on the CPU, under the interpreter; writes no page

Cells are kept in .benchmarks/gpu.json, so that a run may be cut and taken up again on the same
device. docs/gpu.md is written when a run ends.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

import symop
from benchmarks.cpu import CASES, Case
from benchmarks.gpu_page import PEERS, Cells, Setting, page
from symop.benchmarking import MODES, measured, processor, runner, wall
from symop.peers import peers

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "gpu.md"
CELLS = ROOT / ".benchmarks" / "gpu.json"
NAMES = tuple(name for name in CASES if name.startswith("E"))
SIZES = (1_000, 10_000, 100_000, 1_000_000, 16_000_000, 250_000_000)
DTYPES = ("bfloat16", "float32")
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


def setting(place: Place) -> Setting:
    """The device and the versions that figures belong to."""
    import triton

    versions = f"torch {torch.__version__}, triton {triton.__version__}, "
    versions += f"Python {platform.python_version()}"
    if place.device == "cpu":
        return Setting(f"{processor()} (dry run, interpreter)", "none", versions)
    asked = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        found = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()
    except (OSError, subprocess.CalledProcessError):
        found = []
    runtime = f"ROCm {torch.version.hip}" if torch.version.hip else f"CUDA {torch.version.cuda}"
    driver = f"{found[0] if found else 'unknown'}, {runtime}"
    return Setting(torch.cuda.get_device_name(0), driver, versions)


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


def fitting(makers: Mapping[str, Callable[[], Callable[[], object]]]) -> dict[str, Any]:
    """The calls by name, without those for which the device lacks memory."""
    found = {}
    for name, make in makers.items():
        try:
            run = make()
            run()
        except torch.OutOfMemoryError:
            print(f"  {name}: not enough memory", flush=True)
            torch.cuda.empty_cache()
        else:
            found[name] = run
    return found


def cell(
    place: Place, name: str, op: symop.Op, dtype: str, n: int, mode: str, wanted: Sequence[str]
) -> dict[str, float]:
    """Seconds of a call by peer, and the least bytes of the mode; nothing without memory for it."""
    torch._dynamo.reset()
    case, kind = CASES[name], getattr(torch, dtype)
    first = arguments(case, op.args, n, kind, place.device)
    size = sum(v.nbytes for v in first)
    count = min(_SETS, max(1, -(-_TIMES * place.cache // size)))
    sets = [first, *(arguments(case, op.args, n, kind, place.device) for _ in range(count - 1))]

    def turning(function: Function) -> Callable[[], Callable[[], object]]:
        return lambda: rotating([runner(function, values, mode) for values in sets])

    found = functions(name, op, wanted, mode)
    runs = fitting({peer: turning(function) for peer, function in found.items()})
    if "symop" not in runs:
        return {}
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


def loaded(path: Path, here: Setting) -> Cells:
    """The cells measured so far on this device, with these versions."""
    if not path.exists():
        return Cells(here)
    found = Cells.of(json.loads(path.read_text()))
    if found.setting == here:
        return found
    print(f"{path} holds cells of {found.setting}; they are measured anew here", flush=True)
    return Cells(here)


def agreed(place: Place, chosen: str) -> bool:
    """Run tests/interpreted on the device; whether all of it passed."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTEST_ADDOPTS"}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-m",
        "slow or not slow",
    ]
    command += ["-m", "slow or not slow", *(["-k", chosen] if chosen else []), "tests/interpreted"]
    print(f"tests/interpreted on {place.device}", flush=True)
    return (
        subprocess.run([*command, "tests/interpreted"], env=environment, cwd=ROOT).returncode == 0
    )


def measure(place: Place, options: argparse.Namespace, cells: Cells, path: Path) -> None:
    """Fill the cells that are missing, each kept when it is there."""
    if not cells.bandwidth or options.again:
        cells.bandwidth = bandwidth(place)
    for name in options.cases:
        op = symop.compile(CASES[name].formula, backend="triton")
        for dtype, n, mode in itertools.product(options.dtypes, options.sizes, options.modes):
            key = f"{name}|{dtype}|{n}|{mode}"
            if key in cells.found and not options.again:
                continue
            found = cell(place, name, op, dtype, n, mode, options.peers)
            if not found:
                continue
            cells.found[key] = found
            share = found["bytes"] / found["symop"] / cells.bandwidth
            print(f"{key:40} {found['symop'] * 1e6:10.1f} us  {share:.2f} of a copy", flush=True)
            path.write_text(json.dumps(cells.data(), indent=0))


def parsed(given: Sequence[str] | None) -> argparse.Namespace:
    """The options; a dry run has small ones of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", nargs="*", choices=NAMES, default=list(NAMES))
    parser.add_argument("--sizes", nargs="*", type=int)
    parser.add_argument("--dtypes", nargs="*", default=list(DTYPES))
    parser.add_argument("--peers", nargs="*", choices=PEERS)
    parser.add_argument("--modes", nargs="*", choices=MODES, default=list(MODES))
    parser.add_argument("--tests", default="", help="only tests of such names, as pytest's -k")
    parser.add_argument("--no-tests", action="store_true")
    parser.add_argument("--again", action="store_true", help="measure cells anew")
    parser.add_argument("--dry-run", action="store_true", help="on the CPU, to see that it runs")
    options = parser.parse_args(given)
    quick = [peer for peer in PEERS if peer not in ("compile", "autotune")]
    options.sizes = options.sizes or ([1000] if options.dry_run else list(SIZES))
    options.peers = options.peers or (quick if options.dry_run else list(PEERS))
    if options.dry_run and not options.tests:
        options.tests = "test_one_launch_forward_and_one_backward and e1"
    return options


def main(given: Sequence[str] | None = None) -> int:
    """Test, measure and write; the exit status."""
    options = parsed(given)
    if options.dry_run:
        os.environ["TRITON_INTERPRET"] = "1"
    elif not torch.cuda.is_available():
        print("benchmarks.gpu: skipped, torch finds no GPU; --dry-run tries every part on the CPU")
        return 0
    else:
        os.environ.pop("TRITON_INTERPRET", None)
    place = dry() if options.dry_run else gpu()
    if not options.no_tests and not agreed(place, options.tests):
        print("benchmarks.gpu: kernels are wrong on this device; nothing was measured")
        return 1
    if options.dry_run:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "gpu.json"
            measure(place, options, Cells(setting(place)), path)
            print(page(loaded(path, setting(place))))
        return 0
    CELLS.parent.mkdir(exist_ok=True)
    cells = loaded(CELLS, setting(place))
    measure(place, options, cells, CELLS)
    PAGE.write_text(page(cells), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
