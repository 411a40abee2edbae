"""Values and gradients of kernels against PyTorch in float64."""

import pytest
import torch

import symop
from symop import tiling
from tests.interpreted.cases import CASES, agree, compare, drawn, op
from tests.sampling import mostly_slow

# Shapes by case: of all arguments in order. The blocks of these kernels have 512 or 1,024 elements.
SIZES = [0, 1, 511, 512, 513, 1023, 1024, 1025]
DTYPES = [torch.float32, torch.float64, torch.float16, torch.bfloat16]
SCALAR = ()
SHAPES = {
    "e1": lambda n: [(n,)],
    "e2": lambda n: [(n,), (n,), (n,)],
    "e3": lambda n: [SCALAR, SCALAR, SCALAR, SCALAR, (n,)],
    "e4": lambda n: [(n,)],
    "e5": lambda n: [(n,)],
    "e6": lambda n: [(n,), (n,)],
    "e7": lambda n: [SCALAR, SCALAR, (n,), SCALAR, SCALAR, (n,)],
    "masked": lambda n: [(n,), (n,), SCALAR],
    "chosen": lambda n: [(n,), SCALAR, (n,)],
    "two": lambda n: [(n,), SCALAR, (n,)],
    "power": lambda n: [(n,)],
    "sinc": lambda n: [(n,)],
}


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("name", mostly_slow(SHAPES, ["e3", "e7"]))
def test_every_size_around_a_block(name, n):
    agree(name, drawn(name, SHAPES[name](n), torch.float32))


@pytest.mark.parametrize("dtype", mostly_slow(DTYPES, [torch.float64, torch.bfloat16]))
@pytest.mark.parametrize("name", SHAPES)
def test_every_dtype(name, dtype):
    if dtype == torch.float16 and name in ("e7", "power"):
        values = [v * 0.1 + 0.8 for v in drawn(name, SHAPES[name](77), dtype)]
    else:
        values = drawn(name, SHAPES[name](77), dtype)
    agree(name, values)


# torch's own second derivative of sinc cancels near 0.
TWICE = [name for name in SHAPES if name != "sinc"]


@pytest.mark.parametrize("name", mostly_slow(TWICE, ["e3", "e5", "e7", "masked"]))
def test_second_derivatives(name):
    agree(name, drawn(name, SHAPES[name](130), torch.float64), order=2)


REDUCTIONS = {
    "mean": [[(7, 5), (7, 5)], [(7, 1), (5,)], [(0, 3), (3,)]],
    "norms": [[(9, 40)], [(3, 4, 5)], [(70, 3)], [(0, 3)]],
    "softmax": [[(9, 40), (40,)], [(33, 7), (33, 1)], [(2, 3, 5), ()]],
    "rms": [[(9, 40), (40,)], [(2, 3, 5), (5,)]],
    "largest": [[(9, 40), (9, 1)], [(9, 40), (40,)]],
    "smallest": [[(9, 40)], [(40, 3)]],
}


@pytest.mark.parametrize("dtype", mostly_slow(DTYPES, [torch.float32]))
@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions_inside(name, dtype):
    for shapes in REDUCTIONS[name]:
        if name == "mean" and not shapes[0][0] and dtype != torch.float32:
            continue
        agree(name, drawn(name, shapes, dtype))


@pytest.mark.parametrize("name", mostly_slow(REDUCTIONS, ["rms"]))
def test_second_derivatives_of_reductions(name):
    for shapes in REDUCTIONS[name]:
        if 0 not in shapes[0]:
            agree(name, drawn(name, shapes, torch.float64), order=2)


@pytest.mark.parametrize("most", mostly_slow([2, 3, 1024], [3]))
@pytest.mark.parametrize("name", ["e2", "e3", "e7", "mean"])
def test_programs_that_go_several_steps(name, most, monkeypatch):
    monkeypatch.setattr(tiling, "_PROGRAMS", most)
    shapes = {**SHAPES, "mean": lambda n: [(n,), (n,)], "e2": lambda n: [SCALAR, (n,), SCALAR]}
    agree(name, drawn(name, shapes[name](9 * 1024 + 5), torch.float32))


@pytest.mark.parametrize("tried", tiling._TRIED, ids=str)
@pytest.mark.parametrize("name", mostly_slow(["e1", "e2", "e7", "rows"], ["rows"]))
def test_every_block_that_may_be_timed(name, tried, monkeypatch):
    monkeypatch.setattr(tiling, "_TRIED", (tried,))
    shapes = {**SHAPES, "rows": lambda n: [(40,), (n // 40, 40), (n // 40, 1)]}
    agree(name.replace("rows", "e2"), drawn(name.replace("rows", "e2"), shapes[name](9 * 1024 + 5),
                                            torch.float32))  # fmt: skip


def test_high_precision_computes_in_float64(device):
    x = torch.linspace(-3, 3, 2000, device=device)
    agree("e4", [x], precision="high")


@pytest.mark.parametrize("name", ["largest", "smallest"])
def test_nan_is_the_largest_and_the_smallest(name, device):
    x = torch.randn(9, 40, device=device)
    x[3, 7] = float("nan")
    values = [x, x.new_ones(9, 1)][: len(op(name).args)]
    compare(op(name)(*values), CASES[name][1](*(v.double() for v in values)), torch.float32)


@pytest.mark.parametrize("s", ["2", "3", "2.5"])
def test_zeta_is_that_of_torch(s, device):
    made = [symop.compile(f"zeta({s}, x)", backend=b) for b in ("triton", "torch")]
    x = torch.tensor([1e-5, 0.1, 0.7, 1.0, 3.5, 20.0, 1e6, 1e20, 0.0, -2.0, -0.3, -4.6],
                     dtype=torch.float64, device=device, requires_grad=True)  # fmt: skip
    found, known = (op(x) for op in made)
    # Either side adds some twenty terms, of which each is rounded by 2.2e-16.
    torch.testing.assert_close(found, known, rtol=1e-14, atol=0, equal_nan=True)
    (slope,), (expected,) = (torch.autograd.grad(y[:8].sum(), x) for y in (found, known))
    torch.testing.assert_close(slope[:8], expected[:8], rtol=1e-14, atol=0)
