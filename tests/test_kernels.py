"""Fused CPU kernels against plain operations: values, gradients, layouts, and their bits."""

import itertools
import math
import re
from pathlib import Path

import mpmath as mp
import pytest
import torch

import symop
from symop.backends.c_kernel import Variant
from symop.backends.cpu import kernel_source, routine
from symop.compiler import formula
from symop.cpu_backend import cpu_kernels
from symop.dispatch import Dispatch
from symop.fused import Fused
from symop.loading import Generated, load
from symop.python_host import PythonHost
from tests.sampling import one_in

FORMULAS = {
    "legendre": "0.5*(5*x**3-3*x)",
    "affine": "w*x + b",
    "wave": "a + b*legendre(3, c + d*x)",
    "gelu": "0.5*x*(1 + erf(x/sqrt(2)))",
    "mish": "x*tanh(log1p(exp(x)))",
    "swiglu": "x*sigmoid(x)*b",
    "fit": "sum((a + b*x + c*x**2 + d*x**3 - y)**2)",
    "mse": "mean((x - y)**2)",
    "branches": "where(x > y, x*y, exp(y) - x)",
    "masked": "where(m, x*w, w)",
    "root": "sqrt(sum(x**2, -1))",
    "softmax": "softmax(x, -1)",
    "rms_norm": "x/sqrt(mean(x**2, -1) + 1e-2)*w",
    "log_sum": "logsumexp(x*w)",
    "largest": "amax(x, 0)*w",
    "two": "a = x*y; b = a + sin(w)",
    "shifted": "sum(x + w)",
    "power": "abs(x)**p + x**-2 + x**11",
    "clipped": "maximum(minimum(x, 1), -1)*w",
    "shared": "a*b + x*sign(a) + where(b > 0, log(abs(b))*a, a*a*b - x)",
    "well": "4*e*((s/r)**12 - (s/r)**6)",
    "product": "prod(x, 0)",
    "double": "float_ + double_*int_",
    # The gradient of y is a cotangent and nothing else.
    "passed": "a = exp(x); b = x*w + y",
}
PLAIN = [name for name in FORMULAS if name != "product"]


def hosts(name, runner="native"):
    """The op on plain operations, and on kernels."""
    made = formula(FORMULAS[name], name=name)
    module = load(name, made.module_text)
    plain = getattr(module, name)
    if runner == "python":
        fused = Fused(made, Generated(name, lambda: module), cpu_kernels(made))

        def refused(*values):
            raise AssertionError("no kernel")

        return plain, PythonHost(fused, refused), made
    return plain, symop.compile(FORMULAS[name], name=name, backend="cpu"), made


def shapes_for(arguments):
    """Shapes of x and of the other arguments: alike, broadcast in each way, one element, none."""
    shapes = [
        ((5, 7), (5, 7)), ((5, 7), (7,)), ((5, 7), ()), ((5, 7), (5, 1)), ((3, 70, 30), (70, 1)),
        ((2, 3, 4), (2, 1, 4)), ((1, 1), (1, 1)), ((130, 3), (3,)), ((0, 3), (3,)), ((3, 0), (1,)),
    ]  # fmt: skip
    for first, others in shapes:
        yield [first if n == arguments[0] else others for n in arguments]


def drawn(made, shapes, dtype, seed=0):
    generator = torch.Generator().manual_seed(seed)
    values = []
    for argument, shape in zip(made.program.arguments, shapes, strict=True):
        value = torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)
        values.append(value > 0 if argument.is_mask else value.requires_grad_())
    return values


def gradients(results, values):
    results = results if isinstance(results, tuple) else (results,)
    generator = torch.Generator().manual_seed(7)
    real = [v for v in values if v.requires_grad]
    seeds = [torch.randn(r.shape, generator=generator, dtype=r.dtype) for r in results]
    return results, torch.autograd.grad(results, real, seeds, allow_unused=True)


def close(found, expected):
    # Both are computed in float64 from the same numbers; they differ by the roundings of sums of
    # at most 6,300 terms, each relative to the largest.
    expected = expected.detach()
    scale = float(expected.nan_to_num().abs().max()) if expected.numel() else 0.0
    torch.testing.assert_close(found.detach(), expected, rtol=0, atol=3e-13 * scale, equal_nan=True)


@pytest.mark.parametrize("runner", ["python", "native"])
@pytest.mark.parametrize("shapes", [[(3, 4)] * 3, [(3, 4), (4,), (3, 4)], [(4,), (4,), (3, 4)]])
@pytest.mark.parametrize("used", [0, 1])
def test_a_gradient_that_is_a_cotangent_is_zero_where_nobody_gave_it(used, shapes, runner, host):
    _, fused, made = hosts("passed", runner)
    values = drawn(made, shapes, torch.float64)
    x, w, y = values
    outputs = (x.exp(), x * w + y)
    expected = torch.autograd.grad(
        outputs[used].sum(), values, allow_unused=True, materialize_grads=True
    )
    found = torch.autograd.grad(fused(*values)[used].sum(), values)
    for value, other in zip(found, expected, strict=True):
        close(value, other)


@pytest.mark.parametrize("runner", ["python", "native"])
@pytest.mark.parametrize("name", one_in(3, PLAIN))
def test_kernels_compute_what_operations_do(name, runner, host):
    plain, fused, made = hosts(name, runner)
    order = [a.name for a in made.program.arguments]
    for shapes in shapes_for(sorted(order, key=lambda n: n != "x")):
        named = dict(zip(sorted(order, key=lambda n: n != "x"), shapes, strict=True))
        values = drawn(made, [named[n] for n in order], torch.float64)
        try:
            expected = plain(*values)
        except (RuntimeError, IndexError):
            continue  # an extremum of no elements, or a dim that these shapes lack
        expected, by_operations = gradients(expected, values)
        found, by_kernels = gradients(fused(*values), values)
        for a, b in zip((*found, *by_kernels), (*expected, *by_operations), strict=True):
            assert (a is None) == (b is None)
            if b is not None:
                assert a.shape == b.shape
                close(a, b)


@pytest.mark.parametrize("runner", ["python", "native"])
def test_batches_of_gradients_are_left_to_operations(runner, host):
    _, fused, _ = hosts("legendre", runner)
    x = torch.randn(3, dtype=torch.float64, requires_grad=True)
    (found,) = torch.autograd.grad(fused(x), x, torch.eye(3).double(), is_grads_batched=True)
    torch.testing.assert_close(found, torch.diag(7.5 * x.detach() ** 2 - 1.5))


def test_what_c_lacks_is_left_to_operations():
    plain, fused, _ = hosts("product")
    x = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    (grad,) = torch.autograd.grad(fused(x).sum(), x)
    close(grad, torch.autograd.grad(plain(x).sum(), x)[0])


def layouts(x):
    """The same numbers in other places."""
    yield x.clone()
    yield x.t().contiguous().t()
    wide = torch.zeros(x.shape[0], 2 * x.shape[1] + 3, dtype=x.dtype)
    wide[:, 3::2] = x
    yield wide[:, 3::2]
    off = torch.zeros(x.numel() + 1, dtype=x.dtype)
    off[1:] = x.flatten()
    yield off[1:].view(x.shape)
    yield x.unsqueeze(0).expand(1, *x.shape)[0]


ELEMENTWISE = [
    "legendre", "affine", "wave", "gelu", "mish", "swiglu", "branches", "power", "clipped",
    "shared", "well",
]  # fmt: skip


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", one_in(5, ELEMENTWISE))
def test_bits_do_not_depend_on_layout_position_or_size(name, dtype):
    made = formula(FORMULAS[name])
    op = symop.compile(FORMULAS[name], backend="cpu")
    n = len(made.program.arguments)
    values = [v.detach() for v in drawn(made, [(37, 29)] * n, dtype)]
    whole = op(*values)
    for k, value in enumerate(values):
        for other in layouts(value):
            given = [*values[:k], other, *values[k + 1 :]]
            assert_same_bits(op(*given), whole)
    flat = [v.flatten() for v in values]
    for start, size in itertools.product((0, 1, 5, 63, 64, 700), (1, 7, 64, 65, 300)):
        part = op(*(v[start : start + size] for v in flat))
        assert_same_bits(part, whole.flatten()[start : start + size])
    # One number for all elements is one among others.
    for count in (1, 2):
        for chosen in itertools.combinations(range(n), count):
            ones = {k: values[k][3, 5] for k in chosen}
            filled = [torch.full_like(v, ones[k].item()) if k in ones else v
                      for k, v in enumerate(values)]  # fmt: skip
            single = [ones.get(k, v) for k, v in enumerate(values)]
            assert_same_bits(op(*single).expand(whole.shape), op(*filled))


@pytest.mark.parametrize("exponent", [9, 12, 17, 31, 63, -9, -12, -31, 64, -100])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_integer_powers_are_right_to_the_last_digit(exponent, dtype):
    op = symop.compile(f"x**({exponent})", backend="cpu")
    most = math.log10(torch.finfo(dtype).max) / abs(exponent)
    generator = torch.Generator().manual_seed(0)
    near = 1 + torch.randn(400, generator=generator, dtype=torch.float64) / abs(exponent)
    wide = 10 ** ((torch.rand(400, generator=generator, dtype=torch.float64) * 2 - 1) * most)
    special = torch.tensor([0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan, 1e-30, 1e30])
    x = torch.cat([near, -near, wide, -wide, special.double()]).to(dtype)
    found = op(x)
    with mp.workprec(300):
        true = [_power(float(v), exponent) for v in x]
    # Beyond 63 it is pow that computes them.
    assert_within(found, true, ulps=0.8 if abs(exponent) < 64 else 1.0)


def _power(x, exponent):
    """x**exponent, exact enough; of what is not finite, what C says."""
    if x == 0 or not math.isfinite(x):
        return x**exponent if x or exponent > 0 else math.copysign(math.inf, x) ** -exponent
    return mp.mpf(x) ** exponent


def assert_within(found, true, ulps):
    """Each value is the true one up to some units in the last place of its dtype."""
    for value, exact in zip(found, true, strict=True):
        with mp.workprec(300):
            near = torch.tensor(float(exact), dtype=torch.float64).to(found.dtype)
            if not (near.isfinite().item() and near.item() != 0):
                torch.testing.assert_close(value, near, rtol=0, atol=5e-324, equal_nan=True)
                continue
            toward = torch.full_like(near, math.inf)
            step = (torch.nextafter(near.abs(), toward) - near.abs()).item()
            error = abs(mp.mpf(value.item()) - exact) / step
        assert error <= ulps, (value.item(), exact)


REDUCING = ["fit", "mse", "root", "softmax", "rms_norm", "log_sum", "largest", "shifted"]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", REDUCING)
def test_sums_have_the_same_bits_in_any_layout(name, dtype):
    made = formula(FORMULAS[name])
    op = symop.compile(FORMULAS[name], backend="cpu")
    n = len(made.program.arguments)
    values = [v.detach() for v in drawn(made, [(137, 129)] * n, dtype)]
    whole = op(*values)
    for k, value in enumerate(values):
        for other in layouts(value):
            assert_same_bits(op(*values[:k], other, *values[k + 1 :]), whole)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize(
    "size", [63, 2049, 4095, 4097, 5000, 8191, 10000, 16383, 16448, 22000, 30001, 70000]
)
def test_sums_of_any_size(size, dtype):
    # Whole numbers, of which every partial sum is exact.
    x, y = (torch.randint(-3, 4, (size,)).to(dtype) for _ in range(2))
    w = torch.ones((), dtype=dtype, requires_grad=True)
    op = symop.compile("a = sum(x*y + w); b = x*w", backend="cpu")
    total, scaled = op(x, y, w)
    exact = (x.double() * y.double() + 1).sum()
    assert total == exact.to(dtype)
    assert torch.equal(scaled, x)
    (gradient,) = torch.autograd.grad((total, scaled), w, (torch.ones_like(total), y))
    assert gradient == (size + (x.double() * y.double()).sum()).to(dtype)
    spread = torch.zeros(2 * size, dtype=dtype)[::2].copy_(x)
    assert_same_bits(op(spread, y, w)[0].detach(), total.detach())


@pytest.mark.parametrize("size", [1000, 5000, 100_000, 1_000_000])
def test_sums_of_equal_numbers(size):
    # Their roundings are alike and do not cancel. The cotangent of a mean is one number.
    op = symop.compile("w*x + b", backend="cpu")
    x = torch.ones(size)
    for number in torch.linspace(1.001, 1.999, 31):
        w, b = (torch.tensor(1.0, requires_grad=True) for _ in range(2))
        cotangent = number.expand(size).clone()
        for found in torch.autograd.grad(op(w, x, b), (w, b), cotangent):
            # 64 numbers are added one to another. Partial sums are half of the whole on average,
            # and lose 2**-25 of themselves on average: 64/2*2**-25.
            torch.testing.assert_close(found.double(), number.double() * size, rtol=2**-20, atol=0)


@pytest.mark.parametrize(
    "shapes",
    [
        [(300, 700)] * 3,
        [(300, 700), (700,), (700,)],
        [(300, 700), (300, 1), ()],
        [(210000, 1), (1,), (1,)],
    ],
)
@pytest.mark.parametrize("name", ["affine", "swiglu", "gelu", "mse", "softmax", "fit"])
def test_bits_do_not_depend_on_threads(name, shapes):
    made = formula(FORMULAS[name])
    op = symop.compile(FORMULAS[name], backend="cpu")
    names = sorted((a.name for a in made.program.arguments), key=lambda n: n != "x")
    named = dict(zip(names, [*shapes, *[shapes[-1]] * 4], strict=False))
    values = drawn(made, [named[a.name] for a in made.program.arguments], torch.float32)
    found = []
    before = torch.get_num_threads()
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            results, grads = gradients(op(*values), values)
            found.append((*results, *grads))
    finally:
        torch.set_num_threads(before)
    for others in found[1:]:
        for a, b in zip(found[0], others, strict=True):
            assert_same_bits(a, b)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16])
@pytest.mark.parametrize(
    "shape",
    [(70, 64), (33, 255), (65, 256), (65, 257), (200, 1000), (5, 2111), (3, 5000), (2, 20000),
     (130, 17000), (4, 30, 300), (7, 3, 1, 321), (1, 999), (0, 999), (2, 70000)],
)  # fmt: skip
def test_sums_of_columns(shape, dtype):
    # Small whole numbers, whose sums are exact.
    generator = torch.Generator().manual_seed(0)

    def whole(*size):
        return torch.randint(-3, 4, size, generator=generator).to(dtype)

    op = symop.compile("w*x + b", backend="cpu")
    w, x, b = whole(shape[-1]), whole(*shape), whole(shape[-1])
    grad = whole(*shape)
    dims = tuple(range(len(shape) - 1))
    expected = ((grad * x).sum(dims), grad * w, grad.sum(dims))
    leaves = [v.requires_grad_() for v in (w, x, b)]
    apart = torch.zeros(*shape[:-1], 2 * shape[-1] + 1, dtype=dtype)[..., 1::2].copy_(grad)
    before = torch.get_num_threads()
    try:
        for threads, cotangent in itertools.product((1, 2), (grad, apart)):
            torch.set_num_threads(threads)
            found = torch.autograd.grad(op(*leaves), leaves, cotangent)
            for value, exact in zip(found, expected, strict=True):
                assert torch.equal(value, exact)
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("like", [(20, 1, 300), (20, 257, 1), (1, 257, 300)])
@pytest.mark.parametrize("weight", [(257, 300), (300,), (257, 1)])
def test_sums_over_rows_where_operands_part_ways(like, weight):
    x, y, w, b = drawn_shapes((20, 257, 300), like, weight, (257, 300))
    op = symop.compile("w*sin(x)*x + b*x*y", args=("x", "y", "w", "b"), backend="cpu")
    cotangent = torch.rand(20, 257, 300, dtype=torch.float64)
    found = torch.autograd.grad(op(x, y, w, b), (x, y, w, b), cotangent)
    plain = torch.autograd.grad(w * torch.sin(x) * x + b * x * y, (x, y, w, b), cotangent)
    # Up to 5,140 summands on either side, each with a rounding of 1.1e-16.
    for value, exact in zip(found, plain, strict=True):
        torch.testing.assert_close(value, exact, rtol=1e-12, atol=1e-12)


def drawn_shapes(*shapes):
    generator = torch.Generator().manual_seed(0)
    return [
        torch.rand(shape, generator=generator, dtype=torch.float64).requires_grad_()
        for shape in shapes
    ]


@pytest.mark.parametrize("shape", [(65, 1000), (300, 257), (5, 2111), (70, 17000), (129, 320)])
def test_sums_of_columns_have_the_same_bits_in_any_layout(shape):
    op = symop.compile("w*sin(x)*x + b*x", args=("x", "w", "b"), backend="cpu")
    x, w, b, cotangent = (
        v.detach().float() for v in drawn_shapes(shape, shape[1:], shape[1:], shape)
    )

    def bits(x, cotangent):
        leaves = [v.detach().requires_grad_() for v in (x, w, b)]
        return torch.autograd.grad(op(*leaves), leaves, cotangent)

    whole = bits(x, cotangent)
    for k, value in enumerate((x, cotangent)):
        for other in layouts(value):
            given = [x, cotangent]
            given[k] = other
            for a, c in zip(bits(*given), whole, strict=True):
                assert_same_bits(a, c)


def assert_same_bits(a, b):
    assert a.dtype == b.dtype
    assert a.shape == b.shape
    kinds = {2: torch.int16, 4: torch.int32, 8: torch.int64}
    kind = kinds[a.dtype.itemsize]
    assert torch.equal(a.detach().contiguous().view(kind), b.detach().contiguous().view(kind))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_rounded_once(dtype):
    # Every number of the dtype; the products are exact in float32 but for the last roundings.
    bits = torch.arange(-(2**15), 2**15, dtype=torch.int32).to(torch.int16)
    x = bits.view(dtype)
    op = symop.compile("x*(1.25 + x)", backend="cpu")
    expected = (x.float() * (1.25 + x.float())).to(dtype)
    assert torch.equal(op(x).isnan(), expected.isnan())
    assert_same_bits(op(x).nan_to_num(), expected.nan_to_num())


def test_results_have_the_order_of_memory_of_the_arguments():
    op = symop.compile("w*x + b", backend="cpu")
    x = torch.randn(4, 5, 6, 7).to(memory_format=torch.channels_last)
    out = op(x, x, torch.tensor(1.0))
    assert out.stride() == x.stride()
    torch.testing.assert_close(out, x * x + 1)


def test_large_arguments_of_the_sine():
    op = symop.compile("sin(x)*cos(2*x)", backend="cpu")
    for dtype in (torch.float32, torch.float64):
        x = torch.linspace(-3, 3, 1000, dtype=dtype)
        x[17], x[400], x[999] = 1e20, -3e9, 1e30
        torch.testing.assert_close(op(x), torch.sin(x) * torch.cos(2 * x))


def test_a_scalar_loss_computes_gradients_of_numbers_forward(host):
    op = symop.compile(FORMULAS["fit"], args=("a", "b", "c", "d", "x", "y"), backend="cpu")
    scalars = [torch.randn((), requires_grad=True) for _ in range(4)]
    x = torch.randn(1000, requires_grad=True)
    loss = op(*scalars, x, torch.sin(x.detach()))
    plain = sum(s * x**k for k, s in enumerate(scalars)) - torch.sin(x.detach())
    expected = torch.autograd.grad((plain**2).sum(), (*scalars, x))
    found = torch.autograd.grad(loss, (*scalars, x), retain_graph=True)
    # float32: sums of 1,000 terms of about 10, which differ by some ten roundings of the largest.
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-4)
    found = torch.autograd.grad(loss, scalars, torch.tensor(2.0))
    torch.testing.assert_close(found, tuple(2 * g for g in expected[:4]), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize(
    "name", one_in(2, ["legendre", "swiglu", "fit", "softmax", "masked", "two", "rms_norm"])
)
def test_every_order_runs_on_kernels(name, host):
    plain, fused, made = hosts(name)
    shapes = [(4, 5) if a.name in "xym" else (5,) for a in made.program.arguments]
    values = drawn(made, shapes, torch.float64)
    real = [v for v in values if v.requires_grad]
    orders = {}
    for f in (plain, fused):
        found = orders[f] = []
        results = f(*values)
        total = sum(
            r.square().sum() for r in (results if isinstance(results, tuple) else [results])
        )
        for _ in range(3):
            if not total.requires_grad:
                break
            grads = torch.autograd.grad(total, real, create_graph=True, allow_unused=True)
            found += [g for g in grads if g is not None]
            total = sum(g.sum() for g in grads if g is not None)
    assert orders[fused][0].grad_fn.name().endswith("Backward")
    for a, b in zip(orders[fused], orders[plain], strict=True):
        # Third derivatives of sums of 20 terms, each from some ten roundings.
        scale = max(float(b.detach().abs().max()), 1.0)
        torch.testing.assert_close(a, b, rtol=0, atol=1e-11 * scale)


def test_outputs_that_a_gradient_does_not_need_are_not_kept_for_it(host):
    op = symop.compile("y = exp(a + d); z = b*c**2", args=("a", "b", "c", "d"), backend="cpu")
    assert "y" in op.saved
    a, b, c, d = (torch.rand(3, dtype=torch.float64, requires_grad=k == 2) for k in range(4))
    _, z = op(a, b, c, d)
    (first,) = torch.autograd.grad(z.sum(), c, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), c)
    assert torch.equal(second, 2 * b)


def test_more_elements_than_32_bits_count(host):
    # Seen through strides of zero, so that no memory is needed.
    n = 2**31 + 7
    x = torch.tensor(0.5, dtype=torch.float64).expand(n)
    y = torch.ones(1, dtype=torch.float64, requires_grad=True)
    op = symop.compile("mean((x + y)**2)", backend="cpu")
    out = op(x, y)
    (grad,) = torch.autograd.grad(out, y)
    assert (out.item(), grad.item()) == (2.25, 3.0)


def test_nothing_is_held_for_backward_but_inputs_and_outputs(host):
    for name in PLAIN:
        op = symop.compile(FORMULAS[name], backend="cpu")
        made = formula(FORMULAS[name])
        shapes = [(8, 6)] * len(op.args)
        values = drawn(made, shapes, torch.float32)
        kept = []
        with torch.autograd.graph.saved_tensors_hooks(kept.append, lambda v: v):
            results = op(*values)
        results = results if isinstance(results, tuple) else (results,)
        there = {v.data_ptr() for v in (*values, *results)}
        assert {v.data_ptr() for v in kept} <= there, name


def test_the_gradient_of_a_sum_is_the_cotangent(host):
    op = symop.compile("w*x + b", backend="cpu")
    values = [torch.randn(5, requires_grad=True) for _ in range(3)]
    seed = torch.randn(5)
    *_, grad = torch.autograd.grad(op(*values), values, seed)
    assert grad.data_ptr() == seed.data_ptr()


def test_the_page_about_kernels_runs(monkeypatch):
    monkeypatch.setenv("SYMOP_BACKEND", "cpu")
    page = (Path(__file__).parent.parent / "docs" / "kernels.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, flags=re.S)
    space: dict[str, object] = {}
    for text in blocks:
        exec(compile(text, "kernels.md", "exec"), space)
    assert len(blocks) == 2


def test_the_kernel_of_a_formula_is_readable():
    made = formula("0.5*(5*x**3-3*x)", name="p3")
    forward = routine(made.program)
    text = kernel_source("p3", forward, forward.loops[0],
                         Variant("float32", (False,), (False,), (0,)))  # fmt: skip
    assert "out0[i] = narrowed(FMAF(-1.5f, x, 2.5f * (x * x * x)));" in text


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_results_that_are_stored_in_turns(dtype):
    run = 512 // torch.empty((), dtype=dtype).element_size()
    op = symop.compile("w*x*y + b", backend="cpu")
    text = gradient_text("w*x*y + b", str(dtype).removeprefix("torch."))
    assert text.count("#pragma omp simd") == 4
    assert "run += RUN" in text
    for size in (1, 63, 64, 65, run - 1, run, run + 1, 2 * run + 64, 2 * run + 65, 5 * run + 3):
        # Small integers, of which no product is rounded.
        w, x, y, b = (torch.randint(-5, 6, (size,)).to(dtype).requires_grad_() for _ in range(4))
        g = torch.randint(-5, 6, (size,)).to(dtype)
        found = torch.autograd.grad(op(w, x, y, b), (w, x, y, b), g)
        for gradient, expected in zip(found, (g * x * y, g * w * y, g * w * x, g), strict=True):
            assert torch.equal(gradient, expected), size


def gradient_text(text, dtype):
    made = routine(formula(text).plan.gradient)
    (loop,) = made.loops
    many, results = len(loop.inputs), len(loop.results)
    variant = Variant(dtype, (False,) * many, (False,) * results, tuple(range(results)))
    return kernel_source("f", made, loop, variant)


@pytest.mark.parametrize("exponent", [9, 12, 13, 16, -12])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_powers_of_rounded_values_lose_little_more(exponent, dtype):
    op = symop.compile(f"(s/r)**{exponent}", backend="cpu")
    r = torch.linspace(0.6, 3.0, 500, dtype=dtype)
    s = torch.tensor(1.1, dtype=dtype)
    size = abs(exponent)
    for one, base in zip(op(s, r).tolist(), r.tolist(), strict=True):
        with mp.workdps(40):
            exact = (mp.mpf(s.item()) / mp.mpf(base)) ** exponent
        # Half a unit for each factor by the rounding of the quotient, and as much by the products.
        assert abs(one - exact) <= size * torch.finfo(dtype).eps * abs(exact)


def test_names_of_c_can_be_arguments():
    made = formula("double_ + n*i + sum(block)*out1", args=("double_", "n", "i", "block", "out1"))
    assert routine(made.program) is not None
    op = symop.compile("for_*n*i*restrict + block", backend="cpu")
    values = [torch.randn(5) for _ in op.args]
    torch.testing.assert_close(op(*values), values[0] * values[1] * values[2] * values[3]
                               + values[4])  # fmt: skip
    op = symop.compile("sum(end*x + next*sum0*x**2 + lanes)", backend="cpu",
                       args=("end", "x", "next", "sum0", "lanes"))  # fmt: skip
    end, x, two, three, four = torch.tensor(1.5), torch.rand(70), *torch.rand(3)
    expected = (end * x + two * three * x**2 + four).sum()
    torch.testing.assert_close(op(end, x, two, three, four), expected)


def test_an_op_begins_with_operations_and_goes_on_with_kernels():
    op = symop.compile("w*x + b", backend="cpu")
    assert isinstance(op._run, Dispatch)
    op(torch.ones(2), torch.ones(2), torch.ones(2))
    assert not isinstance(op._run, Dispatch)
    assert torch.equal(op(2, torch.ones(2), b=torch.ones(2, dtype=torch.float64)),
                       torch.full((2,), 3.0, dtype=torch.float64))  # fmt: skip


@pytest.mark.parametrize("backend", ["torch", "cpu"])
@pytest.mark.parametrize(
    ("formula", "plain"),
    [
        ("fmin(x, 3)*2", lambda x: torch.fmin(x, torch.tensor(3.0)) * 2),
        ("bessel_y1(2) + x", lambda x: float(mp.bessely(1, 2)) + x),
        ("x + ldexp(-1, 2000)", lambda x: x - math.inf),
        ("x*besselk(3, 1e300)", lambda x: x * 0.0),
        ("(1e300/x)**2", lambda x: (1e300 / x) ** 2),
        ("0**x", lambda x: torch.zeros(()) ** x),
    ],
)
def test_constants_that_functions_make_huge_or_leave_without_a_value(formula, plain, backend):
    x = torch.tensor([0.5, 2.0, 7.0], dtype=torch.float64, requires_grad=True)
    found, expected = symop.compile(formula, backend=backend)(x), plain(x)
    # Both round a few times at most.
    close = {"rtol": 4 * torch.finfo(torch.float64).eps, "atol": 0}
    torch.testing.assert_close(found, expected.to(found.dtype), **close)
    slopes = [torch.autograd.grad(value.sum(), x)[0] for value in (found, expected)]
    torch.testing.assert_close(*slopes, **close)


@pytest.mark.parametrize("formula", ["celu(x, 0)", "softplus(x, 0)", "x*softplus(1, 0)"])
def test_parameters_that_a_function_divides_by_are_not_zero(formula):
    with pytest.raises(symop.FormulaError, match="of these values: division by zero"):
        symop.compile(formula)
