"""The functions of Triton: values under the interpreter, lowering, and compiling for GPUs."""

from __future__ import annotations

import ast
import math
import zlib
from functools import cache

import numpy as np
import pytest
import torch
from mpmath import mp, mpf

from symop import triton_interpreter
from symop.backends.triton import routine
from symop.backends.triton_body import TritonBody
from symop.backends.triton_math import (
    SPELLED,
    call,
    definitions,
    exact_inverse,
    imports,
    literal,
    typed,
)
from symop.functions import table
from symop.lowering import BUILT_IN, NoForm, lower
from symop.parsing import parse
from symop.program import Argument, Builder, Output, Program
from tests import triton_functions
from tests.test_vector_math import AT
from tests.triton_functions import arity

pytest.importorskip("triton")

DTYPES = {"float": np.float32, "double": np.float64}
# What lies beyond where mpmath ends soon.
BEYOND = {
    "digamma": 1e17, "lgamma": 1e17, "i0": 720, "i1": 720, "i0e": 720, "i1e": 720,
    "modified_bessel_k0": 720, "modified_bessel_k1": 720, "scaled_modified_bessel_k0": 720,
    "scaled_modified_bessel_k1": 720, "erfcx": 1e10, "ndtr": 1e10, "erfc": 1e10, "erf": 1e10,
    "erfinv": 2, "pow": 1e300,
}  # fmt: skip
SLOW = {name for name in SPELLED if "bessel" in name or name[0] == "i" or name == "erfinv"}
# Errors in ULP, from the roundings of what a definition computes. The interpreter rounds a
# function of libdevice once in float32, and to 1 ULP in float64. K0 is a sum that cancels below 2:
# torch's own is off by 7, and its erfcx, which the interpreter uses, by 5.
LIMIT = 1.0
LIMITS = {
    "gaussian": 1.6, "gaussian_half": 1.6, "normal_density": 2.1, "ndtr": 2.1, "rsqrt": 1.5,
    "i0": 3.0, "i0e": 3.0, "i1": 4.0, "i1e": 4.0, "digamma": 3.0, "logit": 2.1,
    "logsigmoid": 1.5, "softplus1": 1.5, "sigmoid": 2.0, "silu": 2.5, "lorentz": 2.0,
    "lorentz2": 2.0, "modified_bessel_k0": 4.5, "modified_bessel_k1": 3.5,
    "scaled_modified_bessel_k0": 6.0, "scaled_modified_bessel_k1": 3.5, "erfcx": 5.0,
}  # fmt: skip
SPECIAL = [
    0.0, 5e-324, 1e-310, 1e-45, 1e-40, 2.0**-126, 1e-30, 1e-8, 2.0**-25, 2.0**-24, 2.0**-53, 0.1,
    0.3, 0.4999, 0.5, 0.7, 1.0 - 2.0**-24, 1.0, 1.0 + 2.0**-23, 1.4616321, 1.5, 2.0, 2.5, 3.0, 4.0,
    8.0, 10.0, 13.0, 26.0, 30.0, 38.5, 40.0, 40.1, 80.0, 87.3, 88.72, 89.0, 93.0, 103.9, 104.0,
    127.9, 150.0, 600.0, 709.7, 712.0, 745.1, 746.0, 800.0, 2000.0, 1e6, 1e9, 1e18, 1e20, 1e28,
    3.4e38, 1e200, 1e300,
    math.inf,
]  # fmt: skip


def special(dtype: type) -> np.ndarray:
    with np.errstate(all="ignore"):
        x = np.array(SPECIAL).astype(dtype)
    x = np.concatenate([x, -x, np.array([np.nan], dtype)])
    return np.unique(x.view(f"u{x.itemsize}")).view(dtype)


def points(name: str, dtype: type) -> list[np.ndarray]:
    """Special points of each argument with those of the others, and points of the domain."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    low, high = table()[name].domain
    size = 40 if name in SLOW else 300
    some = [rng.uniform(low, high, size), rng.uniform(-3, 3, size)]
    some += [np.exp(rng.uniform(-40, 5, size)) * rng.choice([-1, 1], size)]
    columns = []
    for place in range(arity(name)):
        with np.errstate(all="ignore"):
            dense = np.concatenate([part if place == 0 else rng.permutation(part) for part in some])
            dense = np.concatenate([dense.astype(dtype), np.array(table()[name].special, dtype)])
        columns.append(dense)
    ends = special(dtype)
    grid = np.meshgrid(*[ends] * arity(name))
    return [np.concatenate([c, g.ravel()]) for c, g in zip(columns, grid, strict=True)]


@pytest.fixture(scope="module")
def values(tmp_path_factory):
    given = {
        f"{name}_{real}": points(name, dtype) for name in SPELLED for real, dtype in DTYPES.items()
    }
    found = triton_functions.interpreted(tmp_path_factory.mktemp("triton"), given)
    return {key: (given[key], found[key]) for key in given}


@cache
def exact(name: str, *arguments: float) -> mpf | None:
    """The value by the reference of the table; none where mpmath does not end soon."""
    finite = [abs(a) for a in arguments if math.isfinite(a)]
    if max(finite, default=0.0) > BEYOND.get(name, math.inf):
        return None
    with mp.workprec(2500 if name in ("sin", "cos", "tan", "fmod", "remainder") else 250):
        return table()[name].reference(*map(mpf, arguments))


def error(value: float, true: mpf, dtype: type, scale: mpf) -> float:
    """The distance to an exact value, in units in the last place of a number of some size."""
    info = np.finfo(dtype)
    if mp.isnan(true):
        return 0.0 if math.isnan(value) else math.inf
    beyond = mpf(float(info.max)) * (1 + mpf(float(info.eps)) / 4)
    if mp.isinf(true) or abs(true) >= beyond:
        return 0.0 if value == (math.inf if true > 0 else -math.inf) else math.inf
    if not math.isfinite(value):
        return math.inf
    exponent = mp.frexp(scale)[1] if scale else info.minexp
    unit = mpf(2) ** (max(exponent - 1, int(info.minexp)) - info.nmant)
    return float(abs(mpf(value) - true) / unit)


def size(name: str, x: float, true: mpf) -> mpf:
    """The largest term of the last sum, in whose last place errors are counted."""
    # digamma(x) = digamma(1 - x) - pi/tan(pi*x) has a root between any two negative integers.
    if name != "digamma" or x > 0 or not mp.isfinite(true):
        return true
    y = 1 - mpf(x)
    return max(abs(true), abs(mp.digamma(y)), y * mp.polygamma(1, y))


@pytest.mark.parametrize("step", [pytest.param(1, marks=pytest.mark.slow), 7])
@pytest.mark.parametrize("real", DTYPES)
@pytest.mark.parametrize("name", sorted(SPELLED))
def test_values_agree_with_mpmath(values, name, real, step):
    arguments, found = values[f"{name}_{real}"]
    worst = 0.0, ()
    # Every test run takes one point of seven, and of pairs fewer still.
    step = step if arity(name) == 1 or step == 1 else 5 * step
    columns = [a[::step].tolist() for a in (*arguments, found)]
    for *point, value in zip(*columns, strict=True):
        # Edges are in the tests below: mpmath has one zero, and no quotients of infinities.
        if all(math.isfinite(p) and p for p in point):
            true = exact(name, *point)
            if true is not None:
                scale = size(name, point[0], true)
                worst = max(worst, (error(value, true, DTYPES[real], scale), (*point, value)))
    assert worst[0] <= LIMITS.get(name, LIMIT), worst


# As AT of the functions of C: at zeros (negative first), at -1, at infinities; None: NaN.
MORE = {
    "gaussian": (1.0, 1.0, math.exp(-1), 0.0, 0.0),
    "gaussian_half": (1.0, 1.0, math.exp(-0.5), 0.0, 0.0),
    "normal_density": (0.3989422804, 0.3989422804, 0.2419707245, 0.0, 0.0),
    "ndtr": (0.5, 0.5, 0.1586552539, 0.0, 1.0),
    "logit": (-math.inf, -math.inf, None, None, None),
    "logsigmoid": (-math.log(2), -math.log(2), -1.3132616875, -math.inf, 0.0),
    "softplus1": (math.log(2), math.log(2), 0.3132616875, 0.0, math.inf),
    "lorentz": (-0.0, 0.0, -0.5, -0.0, 0.0),
    "lorentz2": (0.0, 0.0, 0.5, 1.0, 1.0),
}
# Whose zeros may have either sign.
UNSIGNED = {"relu", "logsigmoid"}


@pytest.mark.parametrize("real", DTYPES)
@pytest.mark.parametrize("name", sorted(n for n in SPELLED if arity(n) == 1))
def test_special_values_of_functions_of_one_number(values, name, real):
    (x,), y = values[f"{name}_{real}"]
    at = ((-0.0, -1), (0.0, 1), (-1.0, -1), (-math.inf, -1), (math.inf, 1))
    edges = dict(zip(at, (AT | MORE)[name], strict=True))
    seen = set()
    for point, value in zip(x.tolist(), y.tolist(), strict=True):
        if math.isnan(point):
            assert math.isnan(value) or (name == "sign" and value == 0)
        elif (point, math.copysign(1, point)) in edges:
            seen.add((point, math.copysign(1, point)))
            want = edges[point, math.copysign(1, point)]
            if want is None:
                assert math.isnan(value), point
            else:
                assert value == pytest.approx(want, rel=1e-6), point
                same = math.copysign(1, value) == math.copysign(1, want)
                assert same or name in UNSIGNED, (point, value)
    assert seen == set(edges)


TWO = {
    "atan2": torch.atan2, "copysign": torch.copysign, "fmax": torch.fmax, "fmin": torch.fmin,
    "fmod": torch.fmod, "hypot": torch.hypot, "maximum": torch.maximum, "minimum": torch.minimum,
    "pow": torch.pow, "remainder": torch.remainder,
}  # fmt: skip


@pytest.mark.parametrize("real", DTYPES)
@pytest.mark.parametrize("name", sorted(n for n in SPELLED if arity(n) == 2))
def test_functions_of_two_numbers_are_those_of_torch_at_edges(values, name, real):
    (a, b), y = values[f"{name}_{real}"]
    is_edge = ~(np.isfinite(a) & np.isfinite(b) & (a != 0) & (b != 0))
    assert is_edge.sum() > 400
    a, b, y = a[is_edge], b[is_edge], y[is_edge]
    want = TWO[name](torch.from_numpy(a), torch.from_numpy(b)).numpy()
    np.testing.assert_allclose(y, want, rtol=1e-6)
    # Of two zeros either is the larger one.
    if name not in ("maximum", "minimum", "fmax", "fmin"):
        signs = ~np.isnan(want)
        assert (np.signbit(y) == np.signbit(want))[signs].all()


def lowered(name: str) -> Program:
    """A call of a function, as Triton spells it."""
    function = table()[name]
    build = Builder()
    values = {p: 3 if p in function.literals else None for p in function.parameters}
    operands = [
        build.constant(v) if v else build.argument(Argument(p, (p,))) for p, v in values.items()
    ]
    if function.is_inlined:
        text = ", ".join(str(v or p) for p, v in values.items())
        return lower(parse(f"{name}({text})"), SPELLED, pull=False)
    node = build.apply(name, *operands)
    arguments = tuple(Argument(p, (p,)) for p, v in values.items() if v is None)
    program = Program(arguments, tuple(build.nodes), (Output("out", node, build.frame(node)),))
    return lower(program, SPELLED, pull=False)


@pytest.mark.slow
def test_every_function_lowers_to_what_triton_spells():
    impossible = set()
    for name in {function.name for function in table().values()}:
        try:
            program = lowered(name)
        except NoForm:
            impossible.add(name)
        else:
            assert {node.op for node in program.nodes} <= BUILT_IN | SPELLED, name
    assert not impossible


def test_definitions_are_those_that_are_called_and_stand_before_their_callers():
    for name in sorted(SPELLED):
        texts = definitions([name])
        known = {"libdevice", "tl", "triton", "float"}
        for text in texts:
            (function,) = ast.parse(text).body
            own = {a.arg for a in function.args.args}
            own |= {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and n.id in own}
            stored = {
                n.id
                for n in ast.walk(function)
                if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
            }
            used = {n.id for n in ast.walk(function) if isinstance(n, ast.Name)}
            assert used <= known | own | stored, (name, function.name)
            known.add(function.name)
        called = call(name, ["x"] * arity(name), False)
        assert called.startswith(("tl.", "libdevice.")) or called.partition("(")[0] in known
        uses = "libdevice." in called + "".join(texts)
        assert bool(imports([name])) == uses
    assert definitions(["exp", "abs"]) == ()
    assert definitions(["sigmoid", "silu"]) == definitions(["silu", "sigmoid"])


def test_numbers_get_the_type_of_the_others():
    assert call("pow", ["x", "0.1"], True) == "libdevice.pow(x, tl.full((), 0.1, tl.float64))"
    assert typed("-(-0.5)", True) == "tl.full((), -(-0.5), tl.float64)"
    assert [typed(name, True) for name in ("x", "-y", "nan", "x(1)")] == ["x", "-y", "nan", "x(1)"]
    assert call("maximum", ["-1e-3", "x"], True).startswith("tl.maximum(tl.full((), -1e-3, ")
    assert literal("2.5", False) == "tl.full((), 2.5, tl.float32)"
    assert call("div", ["1.0", "x + 1"], False) == "tl.div_rn(1.0, x + 1)"
    assert call("div", ["1.0", "x + 1"], True) == "((1.0) / (x + 1))"
    assert call("div", ["a", "b"], False, is_half=True) == "(a / b)"


@pytest.mark.parametrize("is_double", [False, True])
def test_numbers_in_fused_operations_have_a_type_in_float64(is_double):
    """Triton 3.6 takes a bare one for float32, whatever the type of the others."""
    (loop,) = routine(parse("2.7*x - 3.1*y - (z*y + 0.1)*1.7 + 0.3")).loops
    body = TritonBody(loop, loop.results, is_double)
    text = "\n".join([*body.body(), *body.returned()])
    calls = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Call)]
    operands = [a for call in calls if ast.unparse(call.func) == "tl.fma" for a in call.args]
    bare = [a for a in operands if isinstance(getattr(a, "operand", a), ast.Constant)]
    assert len(operands) >= 9
    assert bool(bare) != is_double
    assert ("tl.full((), -3.1, tl.float64)" in text) == is_double


def test_inverses_of_powers_of_two_are_exact():
    assert exact_inverse("2.0") == 0.5
    assert exact_inverse("-0.25") == -4
    # Nothing, where it is rounded, or subnormal, or the text is no number.
    assert not any(map(exact_inverse, ("3.0", "0.0", repr(2.0**127), "x", 'float("inf")')))


def test_numbers_of_16_bits_are_divided_by_the_short_way():
    plain, rough = (definitions(["sigmoid"], is_half=is_half) for is_half in (False, True))
    assert len(plain) == len(rough) == 2
    assert "fma" in plain[0]
    assert "fma" not in rough[0]
    assert rough[0].startswith("@triton.jit\ndef _divide(a, b):")
    assert plain[1] == rough[1]


BRIDGE = """
import numpy as np, torch, triton, triton.language as tl
from symop import triton_interpreter
triton_interpreter.install()

@triton.jit
def fused(a, b, c, y, BLOCK: tl.constexpr):
    i = tl.arange(0, BLOCK)
    tl.store(y + i, tl.fma(tl.load(a + i), tl.load(b + i), tl.load(c + i)))

@triton.jit
def narrowed(x, y, BLOCK: tl.constexpr):
    i = tl.arange(0, BLOCK)
    tl.store(y + i, tl.load(x + i).to(tl.bfloat16))

bits = np.random.default_rng(3).integers(0, 2**32, 4096, dtype=np.uint32)
# Half of them lie half way between two numbers of bfloat16.
bits[::2] = bits[::2] & 0xFFFF0000 | 0x8000
x = torch.from_numpy(bits.view(np.float32))
y = torch.empty(4096, dtype=torch.bfloat16)
narrowed[(1,)](x, y, BLOCK=4096)
torch.testing.assert_close(y, x.bfloat16(), rtol=0, atol=0, equal_nan=True)

for dtype, size in ((torch.float32, 24), (torch.float64, 53)):
    a = 1 + torch.randint(1 << 20, (4096,)).to(dtype) * 2.0 ** (1 - size)
    b = 1 + torch.randint(1 << 20, (4096,)).to(dtype) * 2.0 ** (1 - size)
    y = torch.empty_like(a)
    fused[(1,)](a, b, -(a * b), y, BLOCK=4096)
    from fractions import Fraction
    for p, q, r in zip(a.tolist(), b.tolist(), y.tolist()):
        product = float(torch.tensor(p * q, dtype=torch.float64).to(dtype))
        assert Fraction(r) == Fraction(p) * Fraction(q) - Fraction(product), (p, q, r)
"""


def test_interpreter_fuses_and_rounds_as_a_gpu_does(tmp_path):
    (tmp_path / "bridge.py").write_text(BRIDGE)
    triton_functions.under_interpreter(str(tmp_path / "bridge.py"))


def test_installing_without_the_interpreter_changes_nothing():
    from triton.language.extra import libdevice

    before = libdevice.exp
    triton_interpreter.install()
    assert libdevice.exp is before
