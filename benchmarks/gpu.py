"""Kernels on a GPU: first that they are right, then how fast they are.

python -m benchmarks.gpu            # tests/interpreted on the device, then all cells
python -m benchmarks.gpu --cases E1 "E7 loss" --sizes 16000000 --no-tests
python -m benchmarks.gpu --quick    # fewer sizes, and torch.compile in its default mode only
python -m benchmarks.gpu --dry-run  # every part on the CPU, under the interpreter; writes no page

Any Python serves that has torch, triton, the dependencies of symop and pytest. The sizes that
targets are set for come first. Each cell is kept in .benchmarks/gpu.json, and docs/gpu.md written
anew when it is there, so that a run may be cut (--minutes) and taken up again on the same device;
--out is another folder for the two.
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
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

import torch

import symop
from benchmarks.cpu import CASES
from benchmarks.gpu_page import PEERS, Cells, Setting, page
from benchmarks.gpu_timing import Place, bandwidth, cell, dry, gpu
from symop.benchmarking import MODES, processor

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "gpu.md"
CELLS = ROOT / ".benchmarks" / "gpu.json"
NAMES = tuple(name for name in CASES if name.startswith("E"))
# In the order in which they are measured: those first for which something is asked.
SIZES = (16_000_000, 1_000, 1_000_000, 250_000_000, 100_000, 10_000)
QUICK = (16_000_000, 1_000, 250_000_000)
# Processes that test: each compiles kernels, and holds a context on the device.
_PROCESSES = 8
DTYPES = ("bfloat16", "float32")


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
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--maxfail=20"]
    command += ["-m", "slow or not slow", *(["-k", chosen] if chosen else [])]
    if not chosen and find_spec("xdist"):
        command += ["-n", str(min(_PROCESSES, os.cpu_count() or 1))]
    print(f"tests/interpreted on {place.device}", flush=True)
    done = subprocess.run([*command, "tests/interpreted"], env=environment, cwd=ROOT)
    return done.returncode == 0


def ordered(options: argparse.Namespace) -> Iterator[tuple[int, str, str, str]]:
    """Size, mode, dtype and case of each cell, size by size."""
    return itertools.product(options.sizes, options.modes, options.dtypes, options.cases)


def measure(
    place: Place, options: argparse.Namespace, cells: Cells, keep: Callable[[Cells], None]
) -> bool:
    """Fill the cells that are missing, each kept when it is there; whether none failed."""
    if not cells.bandwidth or options.again:
        cells.bandwidth = bandwidth(place)
    ops = {n: symop.compile(CASES[n].formula, backend="triton") for n in options.cases}
    until = time.monotonic() + 60 * (options.minutes or float("inf"))
    is_whole = True
    for n, mode, dtype, name in ordered(options):
        key = f"{name}|{dtype}|{n}|{mode}"
        if key in cells.found and not options.again:
            continue
        if time.monotonic() > until:
            print(f"{options.minutes} minutes are over; the same command goes on", flush=True)
            break
        try:
            found = cell(place, name, ops[name], dtype, n, mode, options.peers)
        except Exception as error:  # hours of other cells are not to be lost to it
            print(f"{key}: {type(error).__name__}: {error}", flush=True)
            is_whole = False
            continue
        cells.found[key] = found
        keep(cells)
        share = found["bytes"] / found["symop"] / cells.bandwidth
        print(f"{key:40} {found['symop'] * 1e6:10.1f} us  {share:.2f} of a copy", flush=True)
    if cells.found:
        keep(cells)
    return is_whole


def parsed(given: Sequence[str] | None) -> argparse.Namespace:
    """The options; a dry run has small ones of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", nargs="*", choices=NAMES, default=list(NAMES))
    parser.add_argument("--sizes", nargs="*", type=int)
    parser.add_argument("--dtypes", nargs="*", default=list(DTYPES))
    parser.add_argument("--peers", nargs="*", choices=PEERS)
    parser.add_argument("--modes", nargs="*", choices=MODES, default=list(MODES))
    parser.add_argument("--quick", action="store_true", help="fewer sizes and peers")
    parser.add_argument("--minutes", type=float, help="begin no cell after so many minutes")
    parser.add_argument("--out", type=Path, help="a folder for gpu.json and gpu.md")
    parser.add_argument("--tests", default="", help="only tests of such names, as pytest's -k")
    parser.add_argument("--no-tests", action="store_true")
    parser.add_argument("--again", action="store_true", help="measure cells anew")
    parser.add_argument("--dry-run", action="store_true", help="on the CPU, to see that it runs")
    options = parser.parse_args(given)
    quick = [peer for peer in PEERS if peer not in ("compile", "autotune")]
    usual = QUICK if options.quick else SIZES
    options.sizes = options.sizes or ([1000] if options.dry_run else list(usual))
    few = [peer for peer in PEERS if peer != "autotune"] if options.quick else list(PEERS)
    options.peers = options.peers or (quick if options.dry_run else few)
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
        print(
            "benchmarks.gpu: kernels are wrong on this device; nothing was measured. --tests NAME "
            "runs some of the tests, --no-tests measures all the same"
        )
        return 1
    if options.dry_run:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "gpu.json"
            is_whole = measure(place, options, Cells(setting(place)), keeping(path))
            print(page(loaded(path, setting(place))))
        return 0 if is_whole else 1
    path, shown = (
        (CELLS, PAGE) if not options.out else (options.out / CELLS.name, options.out / PAGE.name)
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    return 0 if measure(place, options, loaded(path, setting(place)), keeping(path, shown)) else 1


def keeping(path: Path, shown: Path | None = None) -> Callable[[Cells], None]:
    """What writes the cells, and the page where one is wanted."""

    def keep(cells: Cells) -> None:
        path.write_text(json.dumps(cells.data(), indent=0))
        if shown:
            shown.write_text(page(cells), encoding="utf-8")

    return keep


if __name__ == "__main__":
    sys.exit(main())
