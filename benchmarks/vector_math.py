"""Write docs/vector_math.md: the C functions beside libmvec, SLEEF and torch.

python -m benchmarks.vector_math                   # prints the page
python -m benchmarks.vector_math --write           # writes docs/vector_math.md
python -m benchmarks.vector_math --errors --write  # the errors anew, the times as the page has them
"""

from __future__ import annotations

import argparse
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

from benchmarks.machine import machine
from symop.backends.vector_math import FUNCTIONS, definitions, spelling
from symop.functions import table
from tests import test_stable_math as stable
from tests import test_vector_math as plain

PAGE = Path(__file__).parent.parent / "docs" / "vector_math.md"
FLAGS = (
    "-O3 -march=native -mprefer-vector-width=512 -fno-math-errno -fno-trapping-math "
    "-ffp-contract=off -fno-thread-jumps -fopenmp-simd -std=gnu11"
)
ELEMENTS = 16384
ROUNDS = 20
REPEATS = 10
POINTS = 1000
# Where the arguments of the timed loops lie, if not in the last of the ranges of the tests.
TIMED = {
    "exp": (-10, 10), "exp2": (-10, 10), "expm1": (-3, 3), "log": (0, 10), "log2": (0, 10),
    "log10": (0, 10), "log1p": (-0.9, 10), "tanh": (-3, 3), "erf": (-3, 3), "erfc": (-3, 5),
    "sigmoid": (-6, 6), "sin": (-10, 10), "cos": (-10, 10), "tan": (-10, 10), "sinh": (-5, 5),
    "cosh": (-5, 5), "gelu": (-5, 5), "gelu_slope": (-5, 5), "ndtr": (-5, 5), "log_ndtr": (-5, 5),
    "softplus1": (-10, 10), "logsigmoid": (-10, 10), "gaussian": (-3, 3), "gaussian_half": (-4, 4),
    "normal_density": (-4, 4), "log1p_square": (-5, 5), "logit": (0.01, 0.99), "lorentz": (-5, 5),
    "lorentz_1": (-5, 5), "lorentz2": (-5, 5), "log_cosh": (-5, 5), "log1mexp": (0, 10),
    "exprel": (-5, 5), "exprel_1": (-5, 5), "inverse_exprel": (-5, 5), "morse": (-3, 3),
    "inverse_exprel_1": (-5, 5), "exprel_mean": (-5, 5), "bose_1": (-5, 5), "log_erfc": (-5, 5),
    "inverse_mills": (-5, 5), "inverse_erfcx": (-5, 5), "erfcx_1": (-3, 5), "log1prel": (-0.9, 10),
    "log1prel_1": (-0.9, 10), "xcoth_1": (-5, 5), "tanhshrink": (-3, 3),
}  # fmt: skip
# What has no rounding of its own: the number is right, or is that of the machine.
EXACT = frozenset(
    {
        "maximum", "minimum", "fmax", "fmin", "sign", "relu", "abs", "round", "floor", "ceil",
        "trunc", "copysign", "fmod", "remainder", "sqrt",
        # Products, as many as the exponent says.
        "integer_power",
    }
)  # fmt: skip
NAMES = tuple(sorted(set(FUNCTIONS) - EXACT))
# Where mpmath takes a tenth of a millisecond for a number, or longer.
SLOW = plain.SLOW | {"log_ndtr", "inverse_mills", "log_erfc", "inverse_erfcx", "erfcx_1"}
ACCURACY_OF_SLEEF = ("u10", "u15", "u05")
# What torch calls a function, where the name is another.
IN_TORCH = {"logsigmoid": "log_sigmoid"}
PEERS = ("own", "mvec", "sleef", "torch")
# The end of a loop that is run several times, which the compiler must not merge.
AGAIN = '    __asm__ volatile("" ::: "memory");\n    }\n}'
TYPES = {"float32": ("float", "f", 16), "float64": ("double", "", 8)}


def arity(name: str) -> int:
    """How many numbers a function takes."""
    return len(table()[name].parameters)


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
    packet: Any = getattr(torch.ops.aten, IN_TORCH.get(name, name), None)
    operation: Any = (
        getattr(torch, name, None)
        or getattr(torch.special, name, None)
        or (packet.out if hasattr(packet, "out") else None)
    )
    return {**found, "torch": of_torch} if operation else found


def _powers(rng: np.random.Generator, dtype: type) -> list[np.ndarray]:
    far = np.exp(rng.uniform(-30, 30, POINTS))
    most = 88 if dtype == np.float32 else 709
    exponents = rng.uniform(-1, 1, POINTS) * most / np.log(far)
    return [
        np.concatenate([rng.uniform(0.01, 10, POINTS), far]),
        np.concatenate([rng.uniform(-10, 10, POINTS), exponents]),
    ]


def _sizes(rng: np.random.Generator, dtype: type) -> list[np.ndarray]:
    far = rng.normal(size=(2, POINTS)) * np.exp(rng.uniform(-25, 25, (2, POINTS)))
    return [np.concatenate([rng.normal(size=POINTS), part]) for part in far]


def _quotients(rng: np.random.Generator, dtype: type) -> list[np.ndarray]:
    a, b = np.exp(rng.uniform(-40, 40, (2, POINTS)))
    near = a * rng.uniform(0.4, 2.5, POINTS)
    return [np.concatenate([a, a]), np.concatenate([b, near])]


def _shares(rng: np.random.Generator, dtype: type) -> list[np.ndarray]:
    a = np.exp(rng.uniform(-9, 14, POINTS)) * rng.choice([-1, 1], POINTS)
    return [a, a + rng.uniform(-80, 80, POINTS)]


def _legs(rng: np.random.Generator, dtype: type) -> list[np.ndarray]:
    x: np.ndarray = np.exp(rng.uniform(-60, 60, POINTS)).astype(dtype)
    y = (x * (1 - np.exp(rng.uniform(-14, 0, POINTS)))).astype(dtype)
    return [np.minimum(y, x), x]


def _sums(rng: np.random.Generator, dtype: type) -> list[np.ndarray]:
    a, b, d = stable.sums(dtype)
    inside = (b > 1e-15) & (b < 1e15)
    return [a[inside], b[inside], d[inside]]


def _gaps(rng: np.random.Generator, dtype: type) -> list[np.ndarray]:
    b = np.exp(rng.uniform(-5, 12, 500))
    return [b, b * rng.uniform(-0.9, 3, 500)]


def _bose(rng: np.random.Generator, dtype: type) -> list[np.ndarray]:
    # Not about the zero of the slope.
    x: np.ndarray = np.concatenate([rng.uniform(-30, 1, POINTS), rng.uniform(3, 60, POINTS)])
    x = x.astype(dtype)
    return [x, x, np.full_like(x, 2)]


# The points of functions of several numbers.
SEVERAL: dict[str, Callable[[np.random.Generator, type], list[np.ndarray]]] = {
    "pow": _powers,
    "atan2": _sizes,
    "hypot": _sizes,
    "log_ratio": _quotients,
    "log_gap": lambda rng, dtype: _sums(rng, dtype)[1:],
    "log_quotient": _sums,
    "lgamma_gap": _gaps,
    "digamma_gap": _gaps,
    "inverse_exprel_times": lambda rng, dtype: _bose(rng, dtype)[:2],
    "inverse_exprel_slope": _bose,
    "cathetus": _legs,
    "share": _shares,
    "share_1": _shares,
}


def points(name: str, dtype: type) -> list[np.ndarray]:
    """Arguments of the figures of accuracy, as many as fill whole vectors."""
    if name in SEVERAL:
        found = SEVERAL[name](np.random.default_rng(7), dtype)
    elif name in plain.RANGES:
        found = [plain.sampled(name, dtype, 100 if name in SLOW else POINTS)]
    else:
        found = [stable.sampled(name, dtype, 100 if name in SLOW else POINTS // 2)]
    whole = len(found[0]) // 16 * 16
    return [np.ascontiguousarray(a[:whole], dtype=dtype) for a in found]


def true(name: str, *values: float) -> Any:
    """The exact value for finite numbers, None where there is none."""
    if name in plain.REFERENCES:
        return plain.exact(name, *values)
    value = stable.exact(name, *values)
    return None if plain.mp.isnan(value) else value


def weight(name: str, exact: Any, values: Sequence[float]) -> float:
    """What an error is multiplied by: less than 1 where terms cancel to the value."""
    terms = []
    if name in stable.TERMS:
        terms = [abs(t) for t in stable.TERMS[name](*map(plain.mpf, values))]
    if name == "lgamma_gap":
        # About the root of digamma the error is that of the terms.
        terms = [abs(exact), abs(values[1])]
    return min(1.0, float(abs(exact) / sum(terms))) if exact and terms else 1.0


def accuracy(who: dict[str, Call], name: str, dtype: type) -> dict[str, float]:
    """The largest errors in units in the last place."""
    arrays = points(name, dtype)
    results = {}
    for peer, call in who.items():
        results[peer] = np.empty_like(arrays[0])
        call(arrays, results[peer], 1)
    worst = dict.fromkeys(who, 0.0)
    for k, values in enumerate(zip(*(a.tolist() for a in arrays), strict=True)):
        exact = true(name, *values) if all(map(math.isfinite, values)) else None
        if exact is not None:
            share = weight(name, exact, values)
            for peer, result in results.items():
                found = plain.error(float(result[k]), exact, dtype) * share
                worst[peer] = max(worst[peer], found)
    return worst


def speed(who: dict[str, Call], name: str, dtype: type) -> dict[str, float]:
    """Medians over interleaved rounds, in nanoseconds for an element."""
    rng = np.random.default_rng(8)
    arrays: list[np.ndarray]
    if name in SEVERAL:
        found = SEVERAL[name](rng, dtype)
        arrays = [np.resize(a, ELEMENTS).astype(dtype) for a in found]
    else:
        low, high = TIMED.get(name) or (plain.RANGES | stable.RANGES)[name][-1]
        arrays = [rng.uniform(low, high, ELEMENTS).astype(dtype)]
    out = np.empty_like(arrays[0])
    times: dict[str, list[float]] = {peer: [] for peer in who}
    for _ in range(ROUNDS):
        for peer, call in who.items():
            start = time.perf_counter()
            call(arrays, out, REPEATS)
            times[peer].append((time.perf_counter() - start) / REPEATS / ELEMENTS * 1e9)
    return {peer: statistics.median(t) for peer, t in times.items()}


def known_times() -> dict[tuple[str, str], list[str]]:
    """The cells of the times that the page has, by function and type."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    return {(row[0], row[1]): row[6:] for row in rows if len(row) > 6 and row[1] in TYPES}


def cells(figures: dict[str, float], digits: int) -> list[str]:
    """The figures of who computes a function, as the table has them."""

    def cell(value: float | None) -> str:
        if value is None:
            return ""
        if math.isinf(value):
            return "wrong"
        return f"{value:.{digits}f}" if value < 1e4 else f"{value:.1e}"

    return [cell(figures.get(peer)) for peer in PEERS]


def page(*, is_timed: bool) -> str:
    """The page as Markdown.

    Args:
        is_timed: whether times are measured; else they are those that the page has.
    """
    torch.set_num_threads(1)
    compiler = subprocess.run(["cc", "--version"], capture_output=True, text=True, check=True)
    lines = [
        "# Vector mathematics of the C kernels",
        "",
        "Written by `python -m benchmarks.vector_math --write`. "
        f"{machine()}; {compiler.stdout.splitlines()[0]}; {' '.join(platform.libc_ver())}; "
        f"one thread; `{FLAGS}`.",
        "",
        "Error: the largest of some thousands of points, in units in the last place, against "
        "mpmath; the points are those of `tests/test_vector_math.py` and "
        "`tests/test_stable_math.py`, with numbers of every magnitude among them, fewer where "
        "mpmath is slow. Where a value is what two terms leave (lgamma_gap, gelu_slope), the unit "
        "is that of the terms. An error of millions is a result of 0 or infinity where there is a "
        "number, and `wrong` one of infinity or NaN. Time: nanoseconds for an element, arrays of "
        "16384 that stay in the cache, the median of interleaved rounds; measured on a quiet "
        "machine, and left out until it was. libmvec and SLEEF are called with whole vectors of "
        "512 bits; SLEEF is the one that torch exports; torch is the operation with `out=`. "
        f"Not listed, as they do not round or round once: {', '.join(sorted(EXACT))}.",
        "",
        "| function | type | error: own | libmvec | SLEEF | torch "
        "| time: own | libmvec | SLEEF | torch |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    kept = {} if is_timed else known_times()
    with tempfile.TemporaryDirectory() as folder:
        library = compiled(Path(folder))
        for name in NAMES:
            assert FUNCTIONS[name].is_vectorised
            for kind, dtype in (("float32", np.float32), ("float64", np.float64)):
                who = calls(library, name, kind)
                errors = cells(accuracy(who, name, dtype), 2)
                times = kept.get((name, kind), [""] * len(PEERS))
                if is_timed:
                    times = cells(speed(who, name, dtype), 3)
                lines.append(f"| {name} | {kind} | {' | '.join([*errors, *times])} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Print or write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", action="store_true", help=f"write docs/{PAGE.name}")
    parser.add_argument("--errors", action="store_true", help="measure no times")
    given = parser.parse_args()
    made = page(is_timed=not given.errors)
    if given.write:
        PAGE.write_text(made, encoding="utf-8")
    else:
        print(made, end="")


if __name__ == "__main__":
    main()
