"""Write docs/vector_math.md: the C functions beside libmvec, SLEEF and torch.

python -m benchmarks.vector_math          # prints the page
python -m benchmarks.vector_math --write  # writes docs/vector_math.md
"""

from __future__ import annotations

import ctypes
import math
import platform
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks import pages
from benchmarks.machine import machine
from symop.backends.vector_math import FUNCTIONS, definitions, spelling
from tests.test_vector_math import RANGES, error, exact, sampled

PAGE = Path(__file__).parent.parent / "docs" / "vector_math.md"
FLAGS = (
    "-O3 -march=native -mprefer-vector-width=512 -fno-math-errno -fno-trapping-math "
    "-ffp-contract=off -fno-thread-jumps -fopenmp-simd -std=gnu11"
)
ELEMENTS = 16384
ROUNDS = 20
REPEATS = 10
POINTS = 2000
# Where the arguments of the timed loops lie, if not in the first of the ranges of the tests.
TIMED = {
    "exp": (-10, 10), "exp2": (-10, 10), "expm1": (-3, 3), "log": (0, 10), "log2": (0, 10),
    "log10": (0, 10), "log1p": (-0.9, 10), "tanh": (-3, 3), "erf": (-3, 3), "erfc": (-3, 5),
    "sigmoid": (-6, 6), "sin": (-10, 10), "cos": (-10, 10), "tan": (-10, 10), "sinh": (-5, 5),
    "cosh": (-5, 5), "pow": (0, 4),
}  # fmt: skip
NAMES = [*sorted(n for n in RANGES if n not in ("sqrt",)), "pow", "atan2", "hypot"]
ACCURACY_OF_SLEEF = ("u10", "u15", "u05")
# The end of a loop that is run several times, which the compiler must not merge.
AGAIN = '    __asm__ volatile("" ::: "memory");\n    }\n}'
TYPES = {"float32": ("float", "f", 16), "float64": ("double", "", 8)}


def arity(name: str) -> int:
    """How many numbers a function takes."""
    return 2 if name in ("pow", "atan2", "hypot") else 1


def exported(path: Path) -> set[str]:
    """The symbols that a library exports."""
    found = subprocess.run(["nm", "-D", str(path)], capture_output=True, text=True, check=False)
    return {line.split()[-1].partition("@")[0] for line in found.stdout.splitlines() if line}


def libraries() -> tuple[dict[tuple[str, str], str], dict[tuple[str, str], str]]:
    """The vector functions of libmvec and of the SLEEF inside torch, by name and type."""
    torch_symbols = exported(Path(torch.__file__).parent / "lib" / "libtorch_cpu.so")
    mvec_symbols: set[str] = set()
    for folder in ("/lib/x86_64-linux-gnu", "/usr/lib64", "/lib64"):
        mvec_symbols |= exported(Path(folder) / "libmvec.so.1")
    mvec, sleef = {}, {}
    for name in NAMES:
        for kind, (_, suffix, lanes) in TYPES.items():
            symbol = f"_ZGVeN{lanes}{'v' * arity(name)}_{name}{suffix}"
            if symbol in mvec_symbols:
                mvec[name, kind] = symbol
            for accuracy in ACCURACY_OF_SLEEF:
                symbol = f"Sleef_{name}{suffix or 'd'}{lanes}_{accuracy}"
                if symbol in torch_symbols:
                    sleef[name, kind] = symbol
    return mvec, sleef


def loops(mvec: dict[tuple[str, str], str], sleef: dict[tuple[str, str], str]) -> str:
    """C loops over arrays: our functions, and vector calls of the libraries."""
    lines = [*definitions(NAMES)]
    lines.append("typedef float vector_float __attribute__((vector_size(64), aligned(4)));")
    lines.append("typedef double vector_double __attribute__((vector_size(64), aligned(8)));")
    for name in NAMES:
        for kind, (real, _, lanes) in TYPES.items():
            count = arity(name)
            given = ", ".join(f"const {real} *restrict x{k}" for k in range(count))
            head = f"({given}, {real} *restrict y, long n, long times) {{\n    while (times--) {{"
            values = ", ".join(f"x{k}[i]" for k in range(count))
            call = f"{spelling(name, kind == 'float64')}({values})"
            lines.append(f"void own_{name}_{kind}{head}")
            lines.append(f"    for (long i = 0; i < n; i++) y[i] = {call};\n{AGAIN}")
            vector = f"vector_{real}"
            for library, symbols in (("mvec", mvec), ("sleef", sleef)):
                if (name, kind) not in symbols:
                    continue
                symbol = symbols[name, kind]
                takes = ", ".join(["__m512" + "d" * (real == "double")] * count)
                result = "__m512" + "d" * (real == "double")
                lines.append(f"{result} {symbol}({takes});")
                loads = ", ".join(f"({result})*(const {vector} *)(x{k} + i)" for k in range(count))
                lines.append(f"void {library}_{name}_{kind}{head}")
                lines.append(f"    for (long i = 0; i < n; i += {lanes})")
                lines.append(f"        *({vector} *)(y + i) = ({vector}){symbol}({loads});")
                lines.append(AGAIN)
    return "#include <immintrin.h>\n" + "\n".join(lines)


def compiled(folder: Path) -> ctypes.CDLL:
    """The loops as a library."""
    mvec, sleef = libraries()
    source, library = folder / "loops.c", folder / "loops.so"
    source.write_text(loops(mvec, sleef))
    links = ["-lmvec"] if mvec else []
    command = ["cc", *FLAGS.split(), "-fPIC", "-shared", str(source), "-o", str(library)]
    subprocess.run([*command, *links, "-lm"], check=True)
    # SLEEF is found among the symbols of torch.
    ctypes.CDLL(str(Path(torch.__file__).parent / "lib" / "libtorch_cpu.so"), ctypes.RTLD_GLOBAL)
    return ctypes.CDLL(str(library))


# Computes a function of arrays, several times, into another array.
Call = Callable[[Sequence[np.ndarray], np.ndarray, int], None]


def calls(library: ctypes.CDLL, name: str, kind: str) -> dict[str, Call]:
    """Who computes a function, and how to ask them."""

    def of_library(symbol: str) -> Call:
        function = getattr(library, symbol)

        def run(arrays: Sequence[np.ndarray], out: np.ndarray, times: int) -> None:
            pointers = [ctypes.c_void_p(a.ctypes.data) for a in (*arrays, out)]
            function(*pointers, ctypes.c_long(len(out)), ctypes.c_long(times))

        return run

    def of_torch(arrays: Sequence[np.ndarray], out: np.ndarray, times: int) -> None:
        tensors, result = [torch.from_numpy(a) for a in arrays], torch.from_numpy(out)
        for _ in range(times):
            operation(*tensors, out=result)

    found = {
        peer: of_library(f"{peer}_{name}_{kind}")
        for peer in ("own", "mvec", "sleef")
        if hasattr(library, f"{peer}_{name}_{kind}")
    }
    operation: Any = getattr(torch, name, None) or getattr(torch.special, name, None)
    return {**found, "torch": of_torch} if operation else found


def points(name: str, dtype: type) -> list[np.ndarray]:
    """Arguments of the figures of accuracy, as many as fill whole vectors."""
    if arity(name) == 1:
        found = [sampled(name, dtype, 100 if "bessel" in name or name == "erfinv" else POINTS)]
    else:
        rng = np.random.default_rng(7)
        x, y = rng.uniform(0.01, 10, POINTS), rng.uniform(-10, 10, POINTS)
        far = np.exp(rng.uniform(-30, 30, POINTS))
        most = 88 if dtype == np.float32 else 709
        exponents = rng.uniform(-1, 1, POINTS) * most / np.log(far)
        found = [np.concatenate([x, far]), np.concatenate([y, exponents])]
        found = [a.astype(dtype) for a in found]
    whole = len(found[0]) // 16 * 16
    return [np.ascontiguousarray(a[:whole]) for a in found]


def accuracy(who: dict[str, Call], name: str, dtype: type) -> dict[str, float]:
    """The largest errors in units in the last place."""
    arrays = points(name, dtype)
    results = {}
    for peer, call in who.items():
        results[peer] = np.empty_like(arrays[0])
        call(arrays, results[peer], 1)
    worst = dict.fromkeys(who, 0.0)
    for k, values in enumerate(zip(*(a.tolist() for a in arrays), strict=True)):
        true = exact(name, *values) if all(map(math.isfinite, values)) else None
        if true is not None:
            for peer, result in results.items():
                worst[peer] = max(worst[peer], error(float(result[k]), true, dtype))
    return worst


def speed(who: dict[str, Call], name: str, dtype: type) -> dict[str, float]:
    """Medians over interleaved rounds, in nanoseconds for an element."""
    rng = np.random.default_rng(8)
    low, high = TIMED.get(name) or RANGES.get(name, ((-3, 3),))[-1]
    arrays: list[np.ndarray] = [rng.uniform(low, high, ELEMENTS).astype(dtype)]
    if arity(name) == 2:
        arrays.append(rng.uniform(-3, 3, ELEMENTS).astype(dtype))
    out = np.empty_like(arrays[0])
    times: dict[str, list[float]] = {peer: [] for peer in who}
    for _ in range(ROUNDS):
        for peer, call in who.items():
            start = time.perf_counter()
            call(arrays, out, REPEATS)
            times[peer].append((time.perf_counter() - start) / REPEATS / ELEMENTS * 1e9)
    return {peer: statistics.median(t) for peer, t in times.items()}


def page() -> str:
    """The page as Markdown."""
    torch.set_num_threads(1)
    peers = ("own", "mvec", "sleef", "torch")
    compiler = subprocess.run(["cc", "--version"], capture_output=True, text=True, check=True)
    lines = [
        "# Vector mathematics of the C kernels",
        "",
        "Written by `python -m benchmarks.vector_math --write`. "
        f"{machine()}; {compiler.stdout.splitlines()[0]}; {' '.join(platform.libc_ver())}; "
        f"one thread; `{FLAGS}`.",
        "",
        "Error: the largest of some 10000 points, in units in the last place, against mpmath; the "
        "points are those of `tests/test_vector_math.py`, with numbers of every magnitude among "
        "them. An error of millions is a result of 0 or infinity where there is a number, and "
        "`wrong` one of infinity or NaN. Time: nanoseconds for an element, arrays of 16384 that "
        "stay in the cache, the median of interleaved rounds. libmvec and SLEEF are called with "
        "whole vectors of 512 bits; SLEEF is the one that torch exports; torch is the "
        "operation with `out=`.",
        "",
        "| function | type | error: own | libmvec | SLEEF | torch "
        "| time: own | libmvec | SLEEF | torch |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]

    def cell(figures: dict[str, float], peer: str, digits: int) -> str:
        value = figures.get(peer)
        if value is None:
            return ""
        if math.isinf(value):
            return "wrong"
        return f"{value:.{digits}f}" if value < 1e4 else f"{value:.1e}"

    with tempfile.TemporaryDirectory() as folder:
        library = compiled(Path(folder))
        for name in NAMES:
            assert FUNCTIONS[name].is_vectorised
            for kind, dtype in (("float32", np.float32), ("float64", np.float64)):
                who = calls(library, name, kind)
                errors, times = accuracy(who, name, dtype), speed(who, name, dtype)
                cells = [*(cell(errors, p, 2) for p in peers), *(cell(times, p, 3) for p in peers)]
                lines.append(f"| {name} | {kind} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    pages.main(__doc__, page, PAGE)
