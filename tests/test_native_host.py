"""Values and gradients of the host over shapes, strides, types and numbers of outputs."""

from __future__ import annotations

import gc
import itertools
import re
import weakref

import pytest
import torch

import symop
from symop import native_host
from tests import native_kernels
from tests.sampling import one_in


def arranged(values, layout):
    """The values in the memory that a layout names."""
    if layout == "transposed":
        return values.t().contiguous().t() if values.dim() == 2 else values
    if layout == "sliced":
        wide = values.new_empty((*values.shape[:-1], 2 * values.shape[-1]))
        wide[..., ::2] = values
        return wide[..., ::2]
    if layout == "offset":
        flat = values.new_empty(values.numel() + 1)
        return flat[1:].view(values.shape).copy_(values)
    return values


def agree(op, args, cotangents=None, times=64):
    """Values and gradients of the op are those of autograd in float64, up to rounding."""
    wide = [a.detach().double() if a.is_floating_point() else a for a in args]
    wide = [w.requires_grad_(a.requires_grad) for w, a in zip(wide, args, strict=True)]
    falls = len(op.falls)
    found, exact = op(*args), op.plain(*wide)
    found, exact = (v if isinstance(v, tuple) else (v,) for v in (found, exact))
    if cotangents is None:
        cotangents = [torch.randn(v.shape, dtype=v.dtype) for v in found]
    for value, other in zip(found, exact, strict=True):
        close(value, other, times)
        assert value.requires_grad == other.requires_grad
    wanted = [k for k, a in enumerate(args) if a.requires_grad]
    if wanted:
        given = torch.autograd.grad(found, [args[k] for k in wanted], cotangents)
        inputs = [wide[k] for k in wanted]
        expected = torch.autograd.grad(exact, inputs, [c.double() for c in cotangents])
        for value, other, k in zip(given, expected, wanted, strict=True):
            assert value.dtype == args[k].dtype
            close(value, other, times)
    assert len(op.falls) == falls
    return found


def close(value, exact, times=64):
    assert value.shape == exact.shape
    eps = torch.finfo(value.dtype).eps
    scale = exact.detach().abs().max().clamp(min=1) if exact.numel() else 1
    torch.testing.assert_close(
        value.detach().double(), exact.detach(), rtol=times * eps, atol=float(times * eps * scale),
        equal_nan=True,
    )  # fmt: skip


def leaf(*shape, dtype=torch.float32, layout="plain"):
    return arranged(torch.randn(shape, dtype=dtype), layout).requires_grad_()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16])
@pytest.mark.parametrize("shape", [(), (1,), (7,), (0,), (3, 4), (2, 0, 3), (2, 3, 4, 5)])
def test_values_and_gradients_of_one_argument(legendre, shape, dtype):
    agree(legendre, [leaf(*shape, dtype=dtype)])
    assert legendre.host.calls_fast == 1
    assert not legendre.orders


@pytest.mark.parametrize("value", [0.0, -0.0, 1e-45, 1e30, *map(float, ("inf", "-inf", "nan"))])
def test_special_values_reach_the_kernel_as_they_are(legendre, value):
    x = torch.tensor([value])
    out = legendre(x)
    exact = legendre.plain(x.double()).float()
    assert torch.equal(out.isnan(), exact.isnan())
    assert torch.equal(out.nan_to_num(), exact.nan_to_num())
    assert torch.equal(out.signbit(), exact.signbit()) or out.isnan().all()


@pytest.mark.parametrize("layout", ["plain", "transposed", "sliced", "offset"])
@pytest.mark.parametrize("other", ["plain", "transposed", "sliced", "expanded"])
def test_any_strides_of_arguments_and_cotangents(native_folder, layout, other):
    op = native_kernels.legendre(native_folder)
    g = torch.randn(()).expand(3, 4) if other == "expanded" else arranged(torch.randn(3, 4), other)
    agree(op, [leaf(3, 4, layout=layout)], [g])


SHAPES = [(), (1,), (4,), (3, 4), (3, 1), (1, 1), (2, 3, 4), (2, 1, 1)]


@pytest.mark.parametrize(
    "shapes", one_in(5, itertools.product(SHAPES, SHAPES[::2], SHAPES[1::2])), ids=str
)
def test_broadcasting_reduces_gradients(multiply_add, shapes):
    agree(multiply_add, [leaf(*s) for s in shapes])


@pytest.mark.parametrize("shapes", [((0,), (1,), ()), ((0, 3), (3,), (1, 1)), ((2, 0), (), (2, 1))])
def test_sums_over_nothing_are_zero(multiply_add, shapes):
    agree(multiply_add, [leaf(*s) for s in shapes])


@pytest.mark.parametrize("needs", range(1, 8))
def test_only_gradients_that_are_needed_are_computed_and_saved_for(native_folder, needs):
    op = native_kernels.multiply_add(native_folder)
    args = [torch.randn(3).requires_grad_(bool(needs >> k & 1)) for k in range(3)]
    packed = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: packed.append(t) or t, lambda t: t):
        agree(op, args)
    assert op.gradients == [needs]
    kept = {1: {1}, 2: {0}, 3: {0, 1}, 4: set(), 5: {1}, 6: {0}, 7: {0, 1}}[needs]
    # Autograd over the plain operations, which runs under the hooks too, packs doubles.
    ours = {t.data_ptr() for t in packed if t.dtype == torch.float32}
    assert ours == {args[k].data_ptr() for k in kept}


def test_a_part_of_the_gradients_can_be_asked_for_later(native_folder):
    op = native_kernels.multiply_add(native_folder)
    w, x, b = (leaf(3) for _ in range(3))
    out = op(w, x, b)
    (grad,) = torch.autograd.grad(out.sum(), x)
    assert torch.equal(grad, w)
    assert op.gradients == [7, 2]


def test_a_cotangent_of_one_number_is_read_once(native_folder):
    op = native_kernels.legendre(native_folder)
    x = leaf(3, 4)
    op(x).sum().backward()
    assert [k for k in op.kernels.asked if k[0] == 1] == [(1, 0, 0b10, 0, 1)]
    close(x.grad, 7.5 * x.detach().double() ** 2 - 1.5)


@pytest.mark.parametrize("args", ["full", "one", "mixed"])
def test_kernels_are_asked_for_once_a_variant(native_folder, args):
    op = native_kernels.multiply_add(native_folder)
    shapes = {"full": [(3,)] * 3, "one": [()] * 3, "mixed": [(), (3,), ()]}[args]
    for _ in range(3):
        op(*(torch.randn(s) for s in shapes))
    uniform = {"full": 0, "one": 0, "mixed": 0b101}[args]
    assert op.kernels.asked == [(0, 0, uniform, 0, 1)]
    assert op.host.n_kernels == 1


def test_results_that_reduce_different_axes_are_computed_one_by_one(native_folder):
    op = native_kernels.multiply_add(native_folder)
    agree(op, [leaf(3, 1), leaf(1, 4), leaf(3, 4)])
    parts = [key[3:] for key in op.kernels.asked if key[0] == 7]
    assert parts == [(0b011, 0b111), (0, 0b100), (0b001, 0b001), (0b010, 0b010)]


@pytest.mark.parametrize("used", [(0, 1), (0,), (1,)])
@pytest.mark.parametrize("shapes", [[(3, 4)] * 3, [(4,), (3, 1), (2, 1, 1)], [()] * 3])
def test_outputs_that_nobody_used_have_zero_cotangents(native_folder, used, shapes):
    op = native_kernels.product_and_sum(native_folder)
    x, y, m = (*(leaf(*s) for s in shapes[:2]), torch.rand(shapes[2]) < 0.5)

    def total(f, *args):
        outputs = f(*args)
        return sum((outputs[k] * outputs[k].detach()).sum() for k in used)

    wide = [t.detach().double().requires_grad_() for t in (x, y)]
    found = torch.autograd.grad(total(op, x, y, m), (x, y))
    exact = torch.autograd.grad(total(op.plain, *wide, m), wide)
    for value, other in zip(found, exact, strict=True):
        close(value, other)
    assert not op.falls
    assert not op.orders


def test_two_outputs_of_different_shapes(native_folder):
    op = native_kernels.product_and_sum(native_folder)
    found = agree(op, [leaf(4), leaf(3, 1), torch.rand(2, 1, 1) < 0.5])
    assert [v.shape for v in found] == [(2, 3, 4), (3, 4)]


@pytest.mark.parametrize("shape", [(5,), (3, 4), (2, 3, 4), (0, 4), ()])
@pytest.mark.parametrize("layout", ["plain", "transposed"])
def test_temps_numbers_and_dropped_axes(native_folder, shape, layout):
    op = native_kernels.centred(native_folder)
    agree(op, [leaf(*shape, layout=layout)])
    assert not op.orders


@pytest.mark.parametrize("dims", [(0,), (1,), (-2,), (0, 2), (-1, 0), (-3, 1, 2)])
def test_axes_are_counted_from_either_end(native_folder, dims):
    op = native_kernels.centred(native_folder, dims)
    agree(op, [leaf(2, 3, 4)])
    assert not op.orders
    x = leaf(2, 3, 4, dtype=torch.double)
    assert torch.autograd.gradgradcheck(op, (x,))


def test_axes_that_are_not_there_are_left_to_python(native_folder):
    op = native_kernels.centred(native_folder, (1,))
    with pytest.raises(IndexError):
        op(leaf(3))
    assert len(op.falls) == 1


@pytest.mark.parametrize("needs", range(8))
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16])
@pytest.mark.parametrize("weight", [(), (3,)])
def test_a_loss_is_computed_with_the_gradients_of_numbers(native_folder, needs, dtype, weight):
    op = native_kernels.squared_error(native_folder)
    if dtype == torch.float16 and (weight or needs & 6):
        pytest.skip("the kernels of this test add up in the type of the elements")
    args = [torch.randn(s, dtype=dtype).requires_grad_(bool(needs >> k & 1))
            for k, s in enumerate((weight, (3,), (3,)))]  # fmt: skip
    agree(op, args, [torch.tensor(1.7, dtype=dtype)] if needs else None, times=256)
    ran = {loop for loop, *_ in op.kernels.asked}
    joint = needs & 1 and weight == ()
    rest = needs & ~1 if joint else needs
    assert ran == {101 if joint else 0} | ({rest} if rest else set())


@pytest.mark.parametrize("asked", [(0,), (2,), (0, 2), (2, 1), (0, 1, 2)])
def test_each_number_of_a_loss_belongs_to_its_argument(native_folder, asked):
    op = native_kernels.squared_error(native_folder)
    args = [leaf(), leaf(3), leaf()]
    wide = [a.detach().double().requires_grad_() for a in args]
    found = torch.autograd.grad(op(*args), [args[k] for k in asked], torch.tensor(0.7))
    exact = torch.autograd.grad(
        op.plain(*wide), [wide[k] for k in asked], torch.tensor(0.7).double()
    )
    for value, other in zip(found, exact, strict=True):
        close(value, other)
    assert {loop for loop, *_ in op.kernels.asked} == {105} | ({2} if 1 in asked else set())


@pytest.mark.parametrize("layout", ["transposed", "channels_last", "plain", "sliced"])
def test_results_take_over_the_order_of_axes(native_folder, layout):
    op = native_kernels.legendre(native_folder)
    if layout == "channels_last":
        x = torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last)
    else:
        x = leaf(3, 4, layout=layout).detach()
    assert op(x).stride() == (x * 1).stride()


def test_layouts_that_differ_follow_the_first_of_the_shape(multiply_add):
    w, x, b = torch.randn(4, 3).t(), torch.randn(3, 4), torch.randn(4, 3).t()
    assert multiply_add(w, x, b).stride() == (1, 3)
    assert multiply_add(x, w, b).stride() == (4, 1)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0), (0, 2, 1)])
def test_dense_layouts_that_are_not_the_same(multiply_add, order):
    def laid_out(axes):
        inverse = [axes.index(k) for k in range(3)]
        values = torch.randn(2, 3, 4).permute(axes).contiguous().permute(inverse)
        return values.requires_grad_()

    g = laid_out((0, 2, 1)).detach()
    found = agree(multiply_add, [laid_out((2, 0, 1)), laid_out(order), leaf(2, 3, 4)], [g])
    assert found[0].stride() == (12, 4, 1) or found[0].stride() == laid_out((2, 0, 1)).stride()


def test_large_results_are_whole(legendre):
    x = torch.linspace(-1, 1, 9_000_000)  # beyond 32 MB huge pages are asked for
    out = legendre(x)
    assert torch.equal(out[::1000], legendre(x[::1000].contiguous()))


def test_the_host_is_collected_with_its_callables(native_folder):
    op = native_kernels.legendre(native_folder)
    out = op(leaf(3))
    kernels = weakref.ref(op.kernels)
    op.kernels.itself = op.host  # a cycle through the host
    del op
    gc.collect()
    assert kernels() is not None, "a node still needs them"
    out.sum().backward()
    del out
    gc.collect()
    assert kernels() is None


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("forward", (1, (), (), (), ())),
        ("forward", (1, ((3,),), ((0, False, False),), ((0, False),), (), (), False)),
        ("forward", (1, ((0,),), ((9, False, False),), ((0, False),), (), (), False)),
        ("forward", (1, ((0,),), ((0, False, False),), ((0, False),), (),
                     ((0, 0, (0,), (0,), ()),), False)),
        ("forward", (1, ((0,),), ((0, False, False),), ((0, False),), (),
                     ((0, 0, (7,), (1,), ()),), False)),
        ("wanted", (1,)),
        ("saved", ((False, 1),)),
        ("masks", (0,)),
        ("n_args", 2),
    ],
)  # fmt: skip
def test_routines_that_do_not_hold_together_are_refused(native_folder, part, value):
    with pytest.raises(ValueError, match="not a routine"):
        native_kernels.legendre(native_folder, **{part: value})


def test_the_module_says_what_it_was_built_for():
    assert torch.__version__.startswith(native_host.load().torch_version)


def test_limits_are_those_of_the_sources():
    text = (native_host.template_folder() / "host_routine.h").read_text()
    limits = dict(re.findall(r"constexpr size_t (kMax\w+) = (\d+);", text))
    assert limits == {"kMaxArguments": str(native_host.MOST_ARGUMENTS),
                      "kMaxResults": str(native_host.MOST_RESULTS)}  # fmt: skip


@pytest.mark.parametrize("count", [30, 31, 62])
def test_an_op_of_many_arguments_is_like_plain_torch(count):
    op = symop.compile(" + ".join(f"x{k}*y" for k in range(count)), name=f"many_{count}")
    values = [torch.full((3,), 0.5 + k, dtype=torch.float64, requires_grad=True)
              for k, _ in enumerate(op.args)]  # fmt: skip
    found = dict(zip(op.args, torch.autograd.grad(op(*values).sum(), values), strict=True))
    given = dict(zip(op.args, values, strict=True))
    assert torch.equal(found["x0"], given["y"])
    total = sum(v for name, v in given.items() if name != "y")
    # Halves, which any order of adding keeps exact.
    assert torch.equal(found["y"], total)


def test_many_results_of_one_loop_are_like_plain_torch():
    lines = "; ".join(f"y{k} = x*{k + 1}" for k in range(33))
    op = symop.compile(lines, name="many_results")
    x = torch.linspace(-1, 1, 5, dtype=torch.float64, requires_grad=True)
    results = op(x)
    assert torch.equal(results[32], 33 * x)
    (grad,) = torch.autograd.grad(sum(results).sum(), x)
    assert torch.equal(grad, torch.full_like(x, sum(range(1, 34))))
