"""The C definitions of functions: accuracy, special values, and bits that depend on x alone."""

from __future__ import annotations

import ctypes
import hashlib
import math
import os
import re
import shutil
import subprocess
import tempfile
import zlib
from collections.abc import Callable, Collection
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from mpmath import mp, mpf

from symop.backends.stable_math import STABLE
from symop.backends.vector_math import FUNCTIONS, SPELLED, bound, definitions, spelling
from symop.functions import table
from tests.sampling import one_in

CC = shutil.which("cc") or "gcc"
SAFE = [
    "-O3", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off", "-fno-thread-jumps",
    "-fopenmp-simd", "-std=gnu11", "-fPIC", "-Wall", "-Werror",
]  # fmt: skip
TARGETS = {"native": ["-march=native", "-mprefer-vector-width=512"], "baseline": []}
IS_GCC = "Free Software" in subprocess.run([CC, "--version"], capture_output=True, text=True).stdout
COMPILERS = [CC, *(c for c in ("clang",) if shutil.which(c))]
# A machine without fused operations is not what most tests run on; it comes with the slow ones.
VARIANTS = [
    pytest.param((c, t), id=f"{c}-{t}", marks=[] if t == "native" else [pytest.mark.slow])
    for c in COMPILERS
    for t in TARGETS
]
DTYPES = {"float": np.float32, "double": np.float64}


def within(function: Callable[[mpf], mpf]) -> Callable[[mpf], mpf | None]:
    """A function where mpmath is quick: not far out, where it overflows or follows a power."""
    return lambda x: function(x) if abs(x) < 720 else None


# The names of mpmath, where they differ from ours.
REFERENCES = {
    "log": mp.log, "tanh": mp.tanh, "exp": mp.exp, "expm1": mp.expm1, "log1p": mp.log1p,
    "erf": mp.erf, "sin": mp.sin, "cos": mp.cos,
    "exp2": lambda x: mpf(2) ** x,
    "log2": lambda x: mp.log(x) / mp.log(2),
    "log10": lambda x: mp.log(x) / mp.log(10),
    "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
    "rsqrt": lambda x: 1 / mp.sqrt(x),
    "silu": lambda x: x / (1 + mp.exp(-x)),
    "sqrt": mp.sqrt,
    "erfc": mp.erfc, "tan": mp.tan, "sinh": mp.sinh, "cosh": mp.cosh, "atan": mp.atan,
    "asin": mp.asin, "acos": mp.acos, "asinh": mp.asinh, "acosh": mp.acosh, "atanh": mp.atanh,
    "erfcx": lambda x: mp.exp(x * x) * mp.erfc(x) if abs(x) < 40 else None,
    "digamma": lambda x: mp.digamma(x) if 0 < x < 1e17 else None,
    "lgamma": lambda x: mp.loggamma(x) if 0 < x < 1e17 else None,
    "erfinv": lambda x: mp.erfinv(x) if abs(x) < 1 else None,
    "i0": within(lambda x: mp.besseli(0, x)),
    "i1": within(lambda x: mp.besseli(1, x)),
    "i0e": within(lambda x: mp.besseli(0, x) * mp.exp(-abs(x))),
    "i1e": within(lambda x: mp.besseli(1, x) * mp.exp(-abs(x))),
    "modified_bessel_k0": within(lambda x: mp.besselk(0, x)),
    "modified_bessel_k1": within(lambda x: mp.besselk(1, x)),
    "scaled_modified_bessel_k0": within(lambda x: mp.besselk(0, x) * mp.exp(x)),
    "scaled_modified_bessel_k1": within(lambda x: mp.besselk(1, x) * mp.exp(x)),
    "pow": mp.power, "atan2": mp.atan2, "hypot": mp.hypot,
}  # fmt: skip
# Where dense points lie: what the method distinguishes, and what rounds badly.
RANGES = {
    "exp": ((-750, 710), (-104, 89), (-1, 1)),
    "exp2": ((-1080, 1025), (-150, 128), (-1, 1)),
    "expm1": ((-50, 710), (-1.1, 1.1), (0.3, 0.8)),
    "log": ((0, 4), (0.6, 1.6), (0.99, 1.01)),
    "log2": ((0, 4), (0.6, 1.6), (0.99, 1.01)),
    "log10": ((0, 4), (0.6, 1.6), (0.99, 1.01)),
    "log1p": ((-1, 4), (-0.4, 0.6), (-0.01, 0.01)),
    "tanh": ((-20, 20), (-1.2, 1.2)),
    "erf": ((-6, 6), (-1.2, 1.2)),
    "sigmoid": ((-100, 40), (-5, 5)),
    "silu": ((-110, 40), (-760, 40), (-5, 5)),
    "sin": ((-1e6, 1e6), (-10, 10), (-1, 1)),
    "cos": ((-1e6, 1e6), (-10, 10), (-1, 1)),
    "erfc": ((-6, 27), (0, 10), (-1, 1)),
    "tan": ((-1e6, 1e6), (-10, 10), (-1, 1)),
    "sinh": ((-711, 711), (-90, 90), (-1.2, 1.2)),
    "cosh": ((-711, 711), (-90, 90), (-1.2, 1.2)),
    "atan": ((-10, 10), (-1.2, 1.2)),
    "asin": ((-1, 1), (-0.55, 0.55)),
    "acos": ((-1, 1), (-0.55, 0.55)),
    "asinh": ((-10, 10), (-0.1, 0.1)),
    "acosh": ((1, 10), (1, 1.01)),
    "atanh": ((-1, 1), (-0.1, 0.1)),
    "rsqrt": ((0, 10),),
    "digamma": ((0, 12), (1.4, 1.5), (0, 1000)),
    "lgamma": ((0, 12), (0.9, 1.1), (1.9, 2.1)),
    "erfinv": ((-1, 1), (0.999, 1), (-0.01, 0.01)),
    "erfcx": ((-26.6, 30), (-1, 1)),
    "i0": ((-714, 714), (-10, 10)),
    "i1": ((-714, 714), (-10, 10)),
    "i0e": ((-714, 714), (-10, 10)),
    "i1e": ((-714, 714), (-10, 10)),
    "modified_bessel_k0": ((0, 710), (0, 4)),
    "modified_bessel_k1": ((0, 710), (0, 4)),
    "scaled_modified_bessel_k0": ((0, 710), (0, 4)),
    "scaled_modified_bessel_k1": ((0, 710), (0, 4)),
    "sqrt": ((0, 10),),
}
# Where mpmath takes milliseconds for a number.
SLOW = {name for name in RANGES if "bessel" in name or name in ("erfinv", "erfcx")}
# Errors in units in the last place, from the roundings of the methods: with fused operations, and
# where a fused operation is a product and a sum.
# The largest that sweeps of 20,000 points found where the methods change, and a little.
LIMITS = {
    "sigmoid": (1.95, 1.95), "silu": (2.9, 2.9), "pow": (1.4, 1.6), "erf": (1.01, 1.35),
    "erfc": (3.6, 3.9), "hypot": (1.2, 1.2), "asinh": (1.15, 1.15), "rsqrt": (1.5, 1.5),
    "atanh": (1.4, 1.4),
    "erfcx": (3.6, 3.6), "digamma": (3, 3.5), "lgamma": (4, 5), "erfinv": (1.6, 1.8),
    **dict.fromkeys(("i0", "i1", "i0e", "i1e"), (5, 5)),
    # About 2 the logarithm times I cancels all but a tenth of a polynomial.
    **dict.fromkeys(
        ("modified_bessel_k0", "modified_bessel_k1", "scaled_modified_bessel_k0",
         "scaled_modified_bessel_k1"), (10, 14),
    ),
}  # fmt: skip
LIMIT = (1.01, 1.3)
SPECIAL = [
    0.0, 1e-45, 1e-40, 1.1754942e-38, 1.17549435e-38, 2.0**-149, 2.0**-126, 5e-324, 1e-310,
    2.2250738585072014e-308, 1e-20, 1e-8, 2.0**-25, 2.0**-24, 2.0**-54, 2.0**-53, 0.1, 0.5,
    0.70710678, 0.99999994, 1.0, 1.0000001, 1.41421356, 2.0, 3.0, 10.0, 17.33, 22.2, 44.0, 87.33655,
    88.72283, 88.72284, 89.0, 103.97, 104.0, 126.0, 127.99999, 128.0, 149.0, 150.0, 708.4,
    709.782712893384, 709.7827128933841, 745.13, 745.14, 1022.5, 1023.9, 1024.0, 1075.0, 2.0**24,
    1e10, 1e22, 1e30, 3.4028235e38, 1.7976931348623157e308, math.inf,
]  # fmt: skip


def has_fused(target: str) -> bool:
    found = subprocess.run(
        [CC, *TARGETS[target], "-dM", "-E", "-x", "c", "/dev/null"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return "__FMA__" in found.stdout or "__ARM_FEATURE_FMA" in found.stdout


TWO = {
    "pow", "maximum", "minimum", "fmax", "fmin", "copysign", "fmod", "remainder", "atan2", "hypot",
}  # fmt: skip


def arity(name: str) -> int:
    return len(table()[name].parameters)


def everywhere(name: str) -> str:
    """What `run` calls a function by that is to be right everywhere."""
    return f"{name}:_any" if FUNCTIONS[name].has_two_spellings else name


def source(names: Collection[str] = SPELLED) -> str:
    """A loop over arrays for each function and type, and for each spelling."""
    loops = []
    for name in sorted(names):
        for real in DTYPES:
            for anywhere in {False, FUNCTIONS[name].has_two_spellings}:
                call = spelling(name, real == "double", anywhere=anywhere)
                given = ", ".join(f"const {real} *restrict x{k}" for k in range(arity(name)))
                values = ", ".join(f"x{k}[i]" for k in range(arity(name)))
                loop = f"{name}_{real}{'_any' * anywhere}"
                loops.append(
                    f"void loop_{loop}({given}, {real} *restrict y, long n) {{\n"
                    f"    for (long i = 0; i < n; i++) y[i] = {call}({values});\n}}\n"
                )
    return "\n".join([*definitions(names), *loops])


def compiled(
    folder: Path, compiler: str, target: str, names: Collection[str] = SPELLED
) -> ctypes.CDLL:
    """The library of some functions, compiled once by all processes of a run."""
    text = source(names)
    words = "\n".join((compiler, target, text))
    library = folder / f"functions_{hashlib.sha256(words.encode()).hexdigest()[:16]}.so"
    if not library.exists():
        path = Path(tempfile.mkdtemp(dir=folder)) / "functions.c"
        path.write_text(text)
        made = path.with_suffix(".so")
        command = [compiler, *SAFE, *TARGETS[target], "-shared", str(path), "-o", str(made), "-lm"]
        subprocess.run(command, check=True)
        made.replace(library)
    return ctypes.CDLL(str(library))


def shared_folder(factory: pytest.TempPathFactory) -> Path:
    """A folder of all processes of a run."""
    own = factory.getbasetemp()
    return own.parent if os.environ.get("PYTEST_XDIST_WORKER") else own


@pytest.fixture(scope="module", params=VARIANTS)
def library(request, tmp_path_factory):
    compiler, target = request.param
    found = compiled(shared_folder(tmp_path_factory), compiler, target)
    found.fused = has_fused(target)
    return found


def run(library: ctypes.CDLL, name: str, *arrays: np.ndarray) -> np.ndarray:
    real = "double" if arrays[0].dtype == np.float64 else "float"
    loop, _, end = name.partition(":")
    y = np.empty_like(arrays[0])
    pointers = [ctypes.c_void_p(a.ctypes.data) for a in (*arrays, y)]
    getattr(library, f"loop_{loop}_{real}{end}")(*pointers, ctypes.c_long(len(y)))
    return y


def special(dtype: type) -> np.ndarray:
    with np.errstate(over="ignore", under="ignore"):
        x = np.array(SPECIAL, dtype=dtype)
        x = np.concatenate([x, np.nextafter(x, dtype(0)), np.nextafter(x, dtype(np.inf))])
    return np.concatenate([x, -x, np.array([np.nan], dtype=dtype)])


def sampled(name: str, dtype: type, count: int) -> np.ndarray:
    """Uniform points of the ranges, numbers of every magnitude, and special ones."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    with np.errstate(over="ignore"):
        parts = [rng.uniform(low, high, count).astype(dtype) for low, high in RANGES[name]]
    width = np.uint32 if dtype == np.float32 else np.uint64
    parts.append(rng.integers(0, np.iinfo(width).max, count, dtype=width).view(dtype))
    x = np.concatenate([*parts, special(dtype)])
    limit = bound(name, dtype == np.float64)
    return x[~(np.abs(x) > limit)] if limit else x


def error(value: float, exact: mpf, dtype: type) -> float:
    """The distance to an exact value, in units in the last place of the exact value."""
    info = np.finfo(dtype)
    with mp.workprec(160):
        beyond = mpf(float(info.max)) * (1 + mpf(float(info.eps)) / 4)
    if mp.isinf(exact) or abs(exact) >= beyond:
        return 0.0 if value == (math.inf if exact > 0 else -math.inf) else math.inf
    if math.isinf(value) or math.isnan(value):
        return math.inf
    exponent = mp.frexp(exact)[1] if exact else info.minexp
    unit = mpf(2) ** (max(exponent - 1, int(info.minexp)) - info.nmant)
    return float(abs(mpf(value) - exact) / unit)


@cache
def exact(name: str, *values: float) -> mpf | None:
    """The exact value for finite arguments; none where there is no real one."""
    try:
        with mp.workprec(1400 if name in ("sin", "cos", "tan") else 160):
            value = REFERENCES[name](*map(mpf, values))
    except (ZeroDivisionError, ValueError, OverflowError):
        return None
    return value if isinstance(value, mpf) and not mp.isnan(value) else None


@pytest.mark.parametrize("name", one_in(2, sorted(RANGES)))
@pytest.mark.parametrize("real", DTYPES)
def test_functions_of_one_number_are_accurate(library, name, real):
    x = sampled(name, DTYPES[real], 20 if name in SLOW else 100)
    y = run(library, name, x)
    limit = LIMITS.get(name, LIMIT)[0 if library.fused else 1]
    for value, got in zip(x.tolist(), y.tolist(), strict=True):
        true = exact(name, value) if math.isfinite(value) else None
        if true is not None:
            found = error(got, true, DTYPES[real])
            assert found <= limit, (value, got, mp.nstr(true, 20), found)


# At zeros (negative first), at -1, at infinities (negative first); None: NaN.
AT = {
    "exp": (1.0, 1.0, math.exp(-1), 0.0, math.inf),
    "exp2": (1.0, 1.0, 0.5, 0.0, math.inf),
    "expm1": (-0.0, 0.0, math.expm1(-1), -1.0, math.inf),
    "log": (-math.inf, -math.inf, None, None, math.inf),
    "log2": (-math.inf, -math.inf, None, None, math.inf),
    "log10": (-math.inf, -math.inf, None, None, math.inf),
    "log1p": (-0.0, 0.0, -math.inf, None, math.inf),
    "tanh": (-0.0, 0.0, math.tanh(-1), -1.0, 1.0),
    "erf": (-0.0, 0.0, math.erf(-1), -1.0, 1.0),
    "sigmoid": (0.5, 0.5, 1 / (1 + math.e), 0.0, 1.0),
    "silu": (-0.0, 0.0, -1 / (1 + math.e), -0.0, math.inf),
    "sin": (-0.0, 0.0, math.sin(-1), None, None),
    "cos": (1.0, 1.0, math.cos(-1), None, None),
    "erfc": (1.0, 1.0, math.erfc(-1), 2.0, 0.0),
    "tan": (-0.0, 0.0, math.tan(-1), None, None),
    "sinh": (-0.0, 0.0, math.sinh(-1), -math.inf, math.inf),
    "cosh": (1.0, 1.0, math.cosh(1), math.inf, math.inf),
    "atan": (-0.0, 0.0, math.atan(-1), -math.pi / 2, math.pi / 2),
    "asin": (-0.0, 0.0, math.asin(-1), None, None),
    "acos": (math.pi / 2, math.pi / 2, math.pi, None, None),
    "asinh": (-0.0, 0.0, math.asinh(-1), -math.inf, math.inf),
    "acosh": (None, None, None, None, math.inf),
    "atanh": (-0.0, 0.0, -math.inf, None, None),
    "rsqrt": (-math.inf, math.inf, None, None, 0.0),
    "digamma": (math.inf, -math.inf, None, None, math.inf),
    "lgamma": (math.inf, math.inf, math.inf, math.inf, math.inf),
    "erfinv": (-0.0, 0.0, -math.inf, None, None),
    "erfcx": (1.0, 1.0, math.e * math.erfc(-1), math.inf, 0.0),
    "i0": (1.0, 1.0, 1.2660658777520084, math.inf, math.inf),
    "i0e": (1.0, 1.0, 1.2660658777520084 / math.e, 0.0, 0.0),
    "i1": (-0.0, 0.0, -0.5651591039924850, -math.inf, math.inf),
    "i1e": (-0.0, 0.0, -0.5651591039924850 / math.e, -0.0, 0.0),
    "modified_bessel_k0": (math.inf, math.inf, None, None, 0.0),
    "modified_bessel_k1": (math.inf, math.inf, None, None, 0.0),
    "scaled_modified_bessel_k0": (math.inf, math.inf, None, None, 0.0),
    "scaled_modified_bessel_k1": (math.inf, math.inf, None, None, 0.0),
    "sqrt": (-0.0, 0.0, None, None, math.inf),
    "abs": (0.0, 0.0, 1.0, math.inf, math.inf),
    "sign": (0.0, 0.0, -1.0, -1.0, 1.0),
    "relu": (0.0, 0.0, 0.0, 0.0, math.inf),
    "floor": (-0.0, 0.0, -1.0, -math.inf, math.inf),
    "ceil": (-0.0, 0.0, -1.0, -math.inf, math.inf),
    "trunc": (-0.0, 0.0, -1.0, -math.inf, math.inf),
    "round": (-0.0, 0.0, -1.0, -math.inf, math.inf),
}


@pytest.mark.parametrize("name", sorted(AT))
@pytest.mark.parametrize("real", DTYPES)
def test_special_values(library, name, real):
    x = np.array([-0.0, 0.0, -1.0, -np.inf, np.inf, np.nan], dtype=DTYPES[real])
    y = run(library, name, x)
    for got, want in zip(y[:5].tolist(), AT[name], strict=True):
        if want is None:
            assert math.isnan(got)
        else:
            assert got == pytest.approx(want, rel=1e-6)
            assert math.copysign(1, got) == math.copysign(1, want) or name == "relu"
    assert math.isnan(y[5]) or name == "sign"
    assert name != "sign" or y[5] == 0


def test_every_function_of_one_number_has_its_special_values():
    others = {name for name in SPELLED if FUNCTIONS[name].file in STABLE}
    assert {name for name in SPELLED - others if arity(name) == 1} == set(AT)


def sample_pairs(dtype: type) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    x = np.concatenate([rng.uniform(0, 10, 400), np.exp(rng.uniform(-80, 80, 400))])
    near = 1 + rng.uniform(-0.4, 0.4, 800)
    most = 88 if dtype == np.float32 else 709
    y = np.concatenate(
        [rng.uniform(-10, 10, 400), rng.uniform(-1, 1, 400) * most / np.log(x[400:])]
    )
    far = rng.uniform(-1.05, 1.05, 800) * most / np.log(near)
    a = np.concatenate([x, near, -rng.uniform(0, 4, 100)]).astype(dtype)
    return a, np.concatenate([y, far, rng.integers(-60, 60, 100)]).astype(dtype)


@pytest.mark.parametrize("name", ["digamma", "lgamma"])
def test_negative_arguments_of_gamma_functions(library, name):
    # In float, for double the reflection loses digits beside a zero.
    x = np.random.default_rng(4).uniform(-20, 0, 500).astype(np.float32)
    for value, got in zip(x.tolist(), run(library, name, x).tolist(), strict=True):
        true = mp.digamma(value) if name == "digamma" else mp.log(abs(mp.gamma(value)))
        assert error(got, true, np.float32) <= 1, (value, got)


@pytest.mark.parametrize("name", ["atan2", "hypot"])
@pytest.mark.parametrize("real", DTYPES)
def test_angles_and_lengths_are_accurate(library, name, real):
    rng = np.random.default_rng(6)
    a, b = (rng.normal(size=1000) * np.exp(rng.uniform(-30, 30, 1000)) for _ in range(2))
    b[:300] = a[:300] * rng.normal(size=300)
    a, b = a.astype(DTYPES[real]), b.astype(DTYPES[real])
    values = run(library, everywhere(name), a, b).tolist()
    for x, y, got in zip(a.tolist(), b.tolist(), values, strict=True):
        found = error(got, exact(name, x, y), DTYPES[real])
        assert found <= LIMITS.get(name, LIMIT)[0], (x, y, got, found)


@pytest.mark.parametrize("real", DTYPES)
def test_a_length_is_the_same_number_in_both_spellings(library, real):
    rng = np.random.default_rng(6)
    a, b = (np.exp(rng.uniform(-25, 25, 1000)).astype(DTYPES[real]) for _ in range(2))
    assert (run(library, "hypot", a, b) == run(library, "hypot:_any", a, b)).all()


@pytest.mark.parametrize("real", DTYPES)
def test_powers_are_accurate(library, real):
    a, b = sample_pairs(DTYPES[real])
    limit = LIMITS["pow"][0 if library.fused else 1]
    for x, y, got in zip(a.tolist(), b.tolist(), run(library, "pow", a, b).tolist(), strict=True):
        true = exact("pow", x, y)
        assert true is not None
        found = error(got, true, DTYPES[real])
        assert found <= limit, (x, y, got, mp.nstr(true, 20), found)


@pytest.mark.parametrize("real", DTYPES)
@pytest.mark.parametrize("name", sorted(TWO))
def test_functions_of_two_numbers_at_special_ones(library, name, real):
    dtype = DTYPES[real]
    values = [0.0, 0.5, 1.0, 2.0, 2.5, 3.0, 2.0**23 + 1, 2.0**24, 2.0**53, 1e30, math.inf]
    values = np.array([*values, *(-v for v in values), math.nan], dtype=dtype)
    a, b = (m.ravel() for m in np.meshgrid(values, values))
    torch = pytest.importorskip("torch")
    want = getattr(torch, name)(torch.tensor(a), torch.tensor(b)).numpy()
    got = run(library, everywhere(name), a, b)
    nan = np.isnan(want)
    assert (np.isnan(got) == nan).all()
    # Which zero is the larger one, torch decides by the place in the array.
    signed = ~nan & ((want != 0) | (name not in ("maximum", "minimum", "fmax", "fmin")))
    assert (np.signbit(got) == np.signbit(want))[signed].all()
    np.testing.assert_allclose(got[~nan], want[~nan], rtol=2 * np.finfo(dtype).eps, atol=0)


@pytest.mark.parametrize("name", [n for n in sorted(RANGES) if FUNCTIONS[n].bounds])
@pytest.mark.parametrize("real", DTYPES)
def test_beyond_its_bounds_a_function_has_another_spelling(library, name, real):
    limit = bound(name, real == "double")
    x = np.array([1.0, limit, 1.1 * limit, -1e15, 1e22, 1e30], dtype=DTYPES[real])
    y = run(library, f"{name}:_any", x)
    inside = run(library, name, x)
    assert (y[:2] == inside[:2]).all()
    for value, got in zip(x.tolist(), y.tolist(), strict=True):
        assert error(got, exact(name, value), DTYPES[real]) <= 1


@pytest.mark.parametrize("name", sorted(SPELLED))
@pytest.mark.parametrize("real", DTYPES)
def test_bits_do_not_depend_on_the_place(library, name, real):
    dtype = DTYPES[real]
    rng = np.random.default_rng(3)
    x = np.concatenate([special(dtype), rng.normal(0, 3, 1337).astype(dtype)])
    arrays = [x, *(rng.permutation(x) for _ in range(arity(name) - 1))]
    whole = run(library, name, *arrays)
    for size in (1, 7, 1337):
        parts = [
            run(library, name, *(a[k : k + size].copy() for a in arrays))
            for k in range(0, len(x), size)
        ]
        # A NaN has no bits that matter.
        found = np.concatenate(parts)
        same = (found.view(f"u{x.itemsize}") == whole.view(f"u{x.itemsize}")) | np.isnan(whole)
        assert same.all(), (size, x[~same][:5])


@pytest.mark.slow
@pytest.mark.skipif(not IS_GCC, reason="reads what gcc reports")
def test_loops_become_vector_instructions(tmp_path):
    path = tmp_path / "functions.c"
    path.write_text(source())
    command = [CC, *SAFE, *TARGETS["native"], "-fopt-info-vec-optimized", "-S", str(path)]
    report = subprocess.run(
        [*command, "-o", str(tmp_path / "functions.s")], capture_output=True, text=True, check=True
    ).stderr
    lines = path.read_text().splitlines()
    vectorised = {
        int(m[1]) for m in re.finditer(r"functions\.c:(\d+):\d+: optimized: loop", report)
    }
    for number, line in enumerate(lines):
        head = re.match(r"void loop_(\w+?)_(float|double)(_any)?\(", line)
        if head:
            is_by_library = head[3] and FUNCTIONS[head[1]].bounds
            expected = FUNCTIONS[head[1]].is_vectorised and not is_by_library
            assert (number + 2 in vectorised) == expected, line


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(RANGES))
@pytest.mark.parametrize("real", DTYPES)
def test_functions_are_accurate_at_many_points(library, name, real):
    x = sampled(name, DTYPES[real], 200 if name in SLOW else 5000)
    y = run(library, name, x)
    limit = LIMITS.get(name, LIMIT)[0 if library.fused else 1]
    for value, got in zip(x.tolist(), y.tolist(), strict=True):
        true = exact(name, value) if math.isfinite(value) else None
        if true is not None:
            assert error(got, true, DTYPES[real]) <= limit, (value, got)


def test_definitions_come_in_one_order():
    assert definitions(["tanh", "log1p"]) == definitions(["log1p", "tanh", "log1p"])
    assert definitions([]) == definitions(["abs"])
    with pytest.raises(KeyError):
        definitions(["no_function"])
