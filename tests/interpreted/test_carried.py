"""Modules that carry kernels for the GPU: what the kernels compute, and when they run."""

import importlib.util
import sys
import warnings

import numpy as np
import pytest
import torch

import symop
from symop import triton_interpreter
from tests.interpreted.cases import CASES, compare, largest

triton_interpreter.install()
SCALAR = ()
FORMULAS = {
    **CASES,
    "pair": ("p = sin(w)*x; q = x + w**2", lambda w, x: (torch.sin(w) * x, x + w**2)),
}
MASKS = {"masked": {0}}
# The formulas of one pass, and shapes of their arguments by a number of elements.
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
    "pair": lambda n: [(n,), (n,)],
    "power": lambda n: [(n,)],
    "mean": lambda n: [(n,), (n,)],
}
DTYPES = [torch.float32, torch.float64, torch.float16, torch.bfloat16]


@pytest.fixture(autouse=True)
def quiet():
    """What is masked is computed too, and numpy would warn of it."""
    with np.errstate(all="ignore"):
        yield


@pytest.fixture(scope="module")
def load(tmp_path_factory):
    """Imports modules that carry kernels; Triton reads the source of kernels from their files."""
    folder, made = tmp_path_factory.mktemp("carried"), {}

    def loaded(formula, backends=("torch", "triton"), precision="standard", fresh=False):
        key = formula, backends, precision
        if key not in made or fresh:
            number = len(list(folder.iterdir()))
            text = symop.generate(
                formula, name="f", backends=backends, precision=precision, tests=False
            ).files["f.py"]
            path = folder / f"f{number}.py"
            path.write_text(text)
            spec = importlib.util.spec_from_file_location(path.stem, path)
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            if fresh:
                return module
            made[key] = module
        return made[key]

    return loaded


@pytest.fixture
def launches(monkeypatch):
    """The names of the kernels that were launched."""
    from triton.runtime import interpreter

    names = []
    run = interpreter.GridExecutor.__call__

    def counted(self, *args, **named):
        names.append(self.fn.__name__)
        return run(self, *args, **named)

    monkeypatch.setattr(interpreter.GridExecutor, "__call__", counted)
    return names


BOTH = ["_forward_kernel", "_gradient_kernel"]


def drawn(name, shapes, dtype):
    generator = torch.Generator().manual_seed(0)
    values = []
    for k, shape in enumerate(shapes):
        value = torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)
        values.append(value > 0 if k in MASKS.get(name, ()) else value)
    return values


def outcome(function, values, seeds, order):
    """Outputs, gradients, and of order 2 their gradients."""
    inputs = [v for v in values if v.requires_grad]
    outputs = as_tuple(function(*values))
    given = [s.to(o.dtype) for s, o in zip(seeds, outputs, strict=True)]
    if order == 2:
        given = [s.detach().requires_grad_() for s in given]
    first = torch.autograd.grad(outputs, inputs, given, create_graph=order == 2)
    if order == 1:
        return outputs, first
    ones = [torch.ones_like(g) for g in first]
    second = torch.autograd.grad(first, inputs, ones, allow_unused=True, materialize_grads=True)
    return outputs, first + second


def agree(module, name, values, seeds=None, order=1):
    """Hold a module against float64 autograd of the plain formula."""
    dtype = next(v.dtype for v in values if v.dtype != torch.bool)
    own = [v if v.dtype == torch.bool else v.detach().requires_grad_() for v in values]
    wide = [v if v.dtype == torch.bool else v.detach().double().requires_grad_() for v in values]
    plain = FORMULAS[name][1]
    if seeds is None:
        generator = torch.Generator().manual_seed(5)
        shapes = [o.shape for o in as_tuple(plain(*wide))]
        seeds = [torch.randn(s, generator=generator, dtype=torch.float64).to(dtype) for s in shapes]
    found, known = outcome(module.f, own, seeds, order), outcome(plain, wide, seeds, order)
    for a, b in zip(found[0], known[0], strict=True):
        compare(a, b, dtype)
    scale = max(map(largest, known[1]))
    for a, b in zip(found[1], known[1], strict=True):
        compare(a, b, dtype, scale)


def as_tuple(values):
    return values if isinstance(values, tuple) else (values,)


def block(module, kernel, dtype):
    return module._KERNELS[kernel][1] // dtype.itemsize


@pytest.mark.parametrize("name", SHAPES)
def test_sizes_around_a_block(name, load, launches):
    module = load(FORMULAS[name][0])
    size = block(module, "FORWARD", torch.float32)
    for n in (1, size - 1, size, size + 1, 3 * size + 5):
        launches.clear()
        agree(module, name, drawn(name, SHAPES[name](n), torch.float32))
        assert launches == BOTH


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_no_elements(name, load, launches):
    agree(load(FORMULAS[name][0]), name, drawn(name, SHAPES[name](0), torch.float32))
    assert not launches


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", SHAPES)
def test_every_dtype(name, dtype, load, launches):
    values = drawn(name, SHAPES[name](77), dtype)
    if dtype == torch.float16 and name in ("e7", "power"):
        values = [v * 0.1 + 0.8 for v in values]
    agree(load(FORMULAS[name][0]), name, values)
    assert launches == BOTH


# The interpreter takes a condition of one element for a number, and cannot combine it with others;
# tests/test_carried_kernels.py compiles one.
@pytest.mark.parametrize("name", sorted(set(SHAPES) - {"chosen"}))
def test_one_element_in_every_place(name, load, launches):
    module = load(FORMULAS[name][0])
    count = len(SHAPES[name](1))
    for full in range(count):
        launches.clear()
        shapes = [(3, 350) if k == full else SCALAR for k in range(count)]
        agree(module, name, drawn(name, shapes, torch.float64))
        assert launches == BOTH


@pytest.mark.parametrize("name", SHAPES)
def test_second_derivatives(name, load, launches):
    agree(load(FORMULAS[name][0]), name, drawn(name, SHAPES[name](130), torch.float64), order=2)
    # The first order is done by operations, which can be differentiated.
    assert launches == BOTH[:1]


@pytest.mark.parametrize("name", ["e2", "e3", "e7", "mean"])
def test_programs_that_go_several_steps(name, load, launches, monkeypatch):
    module = load(FORMULAS[name][0])
    monkeypatch.setattr(module, "min", lambda *_: 3, raising=False)
    shapes = {**SHAPES, "e2": lambda n: [SCALAR, (n,), SCALAR]}
    agree(module, name, drawn(name, shapes[name](9 * 1024 + 5), torch.float32))
    assert launches == BOTH


@pytest.mark.parametrize(
    ("shapes", "served"),
    [
        ([(40, 30), (40, 30), (40, 30)], True),
        ([(1, 1), (40, 30), SCALAR], True),
        ([(30,), (40, 30), (40, 1)], False),
        ([(1, 1, 1), (40, 30), SCALAR], False),
    ],
)
def test_which_shapes_kernels_serve(shapes, served, load, launches):
    agree(load(FORMULAS["e2"][0]), "e2", drawn("e2", shapes, torch.float32))
    assert launches == (BOTH if served else [])


def test_other_layouts_take_operations(load, launches):
    module = load(FORMULAS["e6"][0])
    a, b = drawn("e6", [(40, 30), (40, 30)], torch.float32)
    agree(module, "e6", [a.t(), b.t()])
    agree(module, "e6", [a[:, ::2], b[:, ::2]])
    agree(module, "e6", [a, b.double()[:, :].float().t().contiguous().t()])
    assert not launches


@pytest.mark.parametrize("name", ["e1", "e2", "e6"])
def test_the_gradient_of_a_sum_is_one_element(name, load, launches):
    values = drawn(name, SHAPES[name](700), torch.float32)
    agree(load(FORMULAS[name][0]), name, values, [torch.ones(()).expand(700)])
    assert launches == BOTH


def test_only_the_gradients_that_are_needed(load, launches):
    module = load(FORMULAS["e2"][0])
    w, x, b = drawn("e2", [SCALAR, (700,), (700,)], torch.float32)
    (grad,) = torch.autograd.grad(module.f(w.requires_grad_(), x, b).sum(), [w])
    torch.testing.assert_close(grad, x.sum())
    assert launches == BOTH


def test_the_sum_of_many_programs_is_the_same_each_time(load):
    module = load(FORMULAS["e2"][0])
    w, x, b = drawn("e2", [SCALAR, (20000,), SCALAR], torch.float32)
    found = [
        torch.autograd.grad(module.f(w.requires_grad_(), x, b.requires_grad_()).sum(), [w, b])
        for _ in range(3)
    ]
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize(
    ("formula", "plain"),
    [
        ("0.1*x + y/3 + 1e-40*x", lambda x, y: 0.1 * x + y / 3 + 1e-40 * x),
        ("sqrt(x**2 + 0.7) + y", lambda x, y: torch.sqrt(x**2 + 0.7) + y),
        ("1/(x**2 + 0.3) + 0.7/(y**2 + 1)", lambda x, y: 1 / (x**2 + 0.3) + 0.7 / (y**2 + 1)),
        ("x/0.7 + y/1e300", lambda x, y: x / 0.7 + y / 1e300),
        (
            "x*y + where(x > y, 0.1, 0.7)",
            lambda x, y: x * y + torch.where(x > y, torch.full_like(x, 0.1), 0.7),
        ),
        ("where(x > y, 0.1, x*y)", lambda x, y: torch.where(x > y, 0.1, x * y)),
        ("maximum(x, 0.1) + minimum(0.5, y)", lambda x, y: x.clamp(0.1) + y.clamp(max=0.5)),
        ("fmax(x, 0.3)*y", lambda x, y: torch.fmax(x, torch.full_like(x, 0.3)) * y),
        ("abs(x)**0.3 + y", lambda x, y: x.abs() ** 0.3 + y),
    ],
)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_numbers_keep_their_digits(formula, plain, dtype, load, launches):
    generator = torch.Generator().manual_seed(1)
    x, y = torch.randn(2, 300, dtype=dtype, generator=generator)
    found = load(formula).f(x, y)
    known = plain(x.double(), y.double()).to(dtype)
    # A few roundings of numbers below 8; the digits of float32 would be off by 1e-9 in float64.
    torch.testing.assert_close(found, known, rtol=0, atol=6 * torch.finfo(dtype).eps * 8)
    assert launches == BOTH[:1]


def test_a_number_that_is_none_is_told_from_others(load, launches):
    """A comparison of a value with itself."""
    module = load("where(x == x, x*y, 3)")
    x = torch.tensor([1.0, float("nan"), float("inf"), -float("inf"), 0.0], dtype=torch.float64)
    y = torch.full_like(x, 2.0)
    torch.testing.assert_close(module.f(x, y), torch.where(x.isnan(), 3.0, x * y))
    assert launches == BOTH[:1]


def test_high_precision_computes_in_float64(load, launches):
    module = load(FORMULAS["e1"][0], precision="high")
    x = torch.linspace(-1, 1, 2001)
    wide = 0.5 * (5 * x.double() ** 3 - 3 * x.double())
    assert torch.equal(module.f(x), wide.float())
    assert launches == BOTH[:1]


def test_names_of_arguments_are_any(load, launches):
    formula = "out0*x + x_ptr*start - lane*real + for_*n + mask*tl + part*total/BLOCK"
    module = load(formula)
    op = symop.compile(formula, backend="torch")
    values = [torch.rand(50, dtype=torch.float64) + 0.5 for _ in op.args]
    torch.testing.assert_close(module.f(*values), op(*values))
    assert launches == BOTH[:1]


@pytest.mark.parametrize("transform", ["grad", "vmap", "jvp"])
def test_transforms(transform, load):
    f = load(FORMULAS["e1"][0]).f
    x = torch.linspace(-1, 1, 9, dtype=torch.float64)
    slope = 7.5 * x**2 - 1.5
    if transform == "grad":
        found, known = torch.func.grad(lambda v: f(v).sum())(x), slope
    elif transform == "vmap":
        found, known = torch.vmap(f)(x), 0.5 * (5 * x**3 - 3 * x)
    else:
        found, known = torch.func.jvp(f, (x,), (torch.ones_like(x),))[1], slope
    torch.testing.assert_close(found, known)


def test_a_module_with_loops_in_c_too(load, launches):
    module = load(FORMULAS["e7"][0], ("torch", "cpu", "triton"))
    agree(module, "e7", drawn("e7", SHAPES["e7"](3000), torch.float32))
    assert launches == BOTH


def test_without_triton_operations_serve_and_one_message_says_so(load, monkeypatch):
    for name in [n for n in sys.modules if n.partition(".")[0] == "triton"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "triton", None)
    module = load(FORMULAS["e6"][0], fresh=True)
    values = drawn("e6", [(9,), (9,)], torch.float32)
    with pytest.warns(RuntimeWarning, match="give way.*: Triton is not installed") as caught:
        found = module.f(*values)
    assert len(caught) == 1
    torch.testing.assert_close(found, torch.nn.functional.silu(values[0]) * values[1])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        agree(module, "e6", values)


def test_a_kernel_that_cannot_be_launched_gives_way_once(load):
    module = load(FORMULAS["e6"][0], fresh=True)

    def refused(*_, **__):
        raise RuntimeError("no compiler")

    module._KERNELS["FORWARD"] = ({(1,): refused}, 4096, False)
    values = drawn("e6", [(9,), (9,)], torch.float32)
    with pytest.warns(RuntimeWarning, match="give way.*RuntimeError: no compiler") as caught:
        module.f(*values)
    assert len(caught) == 1
    agree(module, "e6", values)
