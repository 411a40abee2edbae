"""What the host does not run itself goes to Python, with the arguments that it was given."""

from __future__ import annotations

import contextlib

import pytest
import torch
from torch._dispatch.python import enable_python_dispatcher
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.autograd import forward_ad
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from tests import native_kernels


class Subclass(torch.Tensor):
    pass


class OwnParameter(torch.nn.Parameter):
    pass


class Functions(TorchFunctionMode):
    def __torch_function__(self, function, types, args=(), kwargs=None):
        return function(*args, **(kwargs or {}))


class Dispatches(TorchDispatchMode):
    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        return function(*args, **(kwargs or {}))


def plain():
    return torch.randn(3)


ARGUMENTS = {
    "a subclass": lambda: plain().as_subclass(Subclass),
    "a subclass of Parameter": lambda: OwnParameter(plain()),
    "a number": lambda: 2.0,
    "integers": lambda: torch.arange(3),
    "complex numbers": lambda: torch.randn(3, dtype=torch.complex64),
    "another type of numbers": lambda: plain().double(),
    "a neg bit": lambda: torch._neg_view(plain()),
    "a functional tensor": lambda: torch._to_functional_tensor(plain()),
    "zeros without memory": lambda: torch._efficientzerotensor(3),
    "a sparse tensor": lambda: plain().to_sparse(),
    "another device": lambda: plain().to("meta"),
    "a fake tensor": lambda: FakeTensorMode().from_tensor(plain()),
    "no memory": lambda: resized(plain()),
}


def resized(tensor):
    tensor.untyped_storage().resize_(0)
    return tensor


class Stop(Exception):
    pass


def seen(native_folder, *given, **named):
    """What the fallback of w*x + b is called with."""
    calls = []

    def fallback(*args, **kwargs):
        calls.append((args, kwargs))
        raise Stop

    op = native_kernels.multiply_add(native_folder, plain=fallback)
    with pytest.raises(Stop):
        op.host(*given, **named)
    assert op.host.calls_fast == 0
    return calls


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize("kind", ARGUMENTS)
def test_arguments_that_are_not_plain(native_folder, kind, place):
    args = [plain() for _ in range(3)]
    args[place] = ARGUMENTS[kind]()
    (((found, named),)) = seen(native_folder, *args)
    assert all(a is b for a, b in zip(found, args, strict=True))
    assert named == {}


def test_other_numbers_of_arguments_and_keywords(native_folder):
    args = [plain() for _ in range(4)]
    for given in ([], args[:2], args):
        assert seen(native_folder, *given) == [(tuple(given), {})]
    w, x, b, _ = args
    ((found, named),) = seen(native_folder, w, x, b=b)
    assert found[0] is w
    assert found[1] is x
    assert named["b"] is b


def test_shapes_that_do_not_broadcast(multiply_add):
    with pytest.raises(RuntimeError, match="must match the size"):
        multiply_add(torch.randn(3), torch.randn(4), torch.randn(1))
    assert len(multiply_add.falls) == 1


def test_masks_are_of_truth_values(native_folder):
    op = native_kernels.product_and_sum(native_folder)
    x = plain()
    with pytest.raises(RuntimeError):
        op(x, x, x)
    op(x, x, x > 0)
    assert len(op.falls) == 1
    assert op.host.calls_fast == 1


def test_a_dual_tensor(legendre):
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(plain(), torch.ones(3))
        assert forward_ad.unpack_dual(legendre(dual)).tangent is not None
        assert len(legendre.falls) == 1
    legendre(plain())
    assert len(legendre.falls) == 1


@pytest.mark.parametrize(
    "mode",
    [Functions, Dispatches, FakeTensorMode, enable_python_dispatcher,
     lambda: torch.device("cpu"), torch._C._AutoDispatchBelowAutograd],
)  # fmt: skip
def test_modes(legendre, mode):
    x = plain()
    # A mode for fake tensors refuses a plain one, once the formula runs.
    with mode(), contextlib.suppress(AssertionError):
        legendre(x)
    assert len(legendre.falls) == 1
    legendre(x)
    assert len(legendre.falls) == 1


@pytest.mark.parametrize("transform", ["grad", "vmap", "jvp", "functionalize", "make_fx", "jacrev"])
def test_transforms(legendre, transform):
    x = plain()
    exact = legendre.plain(x)
    if transform == "grad":
        torch.func.grad(lambda t: legendre(t).sum())(x)
    elif transform == "vmap":
        torch.testing.assert_close(torch.vmap(legendre)(x), exact)
    elif transform == "jvp":
        torch.testing.assert_close(torch.func.jvp(legendre, (x,), (x,))[0], exact)
    elif transform == "functionalize":
        torch.testing.assert_close(torch.func.functionalize(legendre)(x), exact)
    elif transform == "jacrev":
        torch.func.jacrev(legendre)(x)
    else:
        graph = torch.fx.experimental.proxy_tensor.make_fx(legendre)(x)
        torch.testing.assert_close(graph(x), exact)
    assert legendre.falls
    assert legendre.host.calls_fast == 0


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
def test_tracing(legendre):
    traced = torch.jit.trace(lambda t: legendre(t), plain(), check_trace=False)
    assert legendre.falls
    x = plain()
    torch.testing.assert_close(traced(x), legendre.plain(x))


def test_a_constant_closed_over_by_a_transform_is_no_way_around(legendre):
    x = plain()
    torch.vmap(lambda t: legendre(x) + t)(plain())
    assert legendre.falls


def test_what_stays_plain(legendre):
    x = plain()
    legendre(torch.nn.Parameter(x))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert legendre(x).dtype == torch.float32
    legendre(x[::2])
    legendre(x.expand(2, 3))
    legendre(torch.empty(0))
    with torch.autograd.profiler.profile():
        legendre(x)
    assert not legendre.falls


def test_without_a_kernel_it_is_asked_for_once(legendre):
    x = torch.randn(3, dtype=torch.bfloat16, requires_grad=True)
    for _ in range(3):
        legendre(x).sum().backward()
    assert len(legendre.kernels.asked) == 1
    assert len(legendre.falls) == 3


def test_without_a_kernel_of_the_gradient(native_folder):
    op = native_kernels.legendre(native_folder)
    op.kernels.missing = {1}
    x = plain().requires_grad_()
    op(x).sum().backward()
    torch.testing.assert_close(x.grad, 7.5 * x.detach() ** 2 - 1.5)
    assert len(op.orders) == 1


def test_without_a_gradient_the_call_goes_to_python(native_folder):
    op = native_kernels.legendre(native_folder, gradient=lambda needs: None)
    x = plain().requires_grad_()
    op(x).sum().backward()
    op(plain())
    assert len(op.falls) == 1
    assert op.gradients == [1]


def test_without_a_loss_the_value_is_computed_alone(native_folder):
    op = native_kernels.squared_error(native_folder, scalar_loss=lambda scalars, needs: None)
    w = torch.randn((), requires_grad=True)
    op(w, plain(), plain()).backward()
    assert {loop for loop, *_ in op.kernels.asked} == {0, 1}


@pytest.mark.parametrize("part", ["gradient", "kernels"])
def test_errors_of_callables_reach_the_caller(native_folder, part):
    def fail(*args):
        raise Stop(part)

    changes = {"gradient": fail} if part == "gradient" else {}
    op = native_kernels.legendre(native_folder, **changes)
    if part == "kernels":
        op.kernels.loops = {}
    with pytest.raises(Stop if changes else KeyError):
        op(plain().requires_grad_())


def test_errors_of_callables_reach_the_caller_of_backward(native_folder):
    op = native_kernels.legendre(native_folder)
    x = plain().requires_grad_()
    out = op(x).sum()
    known = op.kernels.loops
    op.kernels.loops = {}
    with pytest.raises(KeyError):
        out.backward(retain_graph=True)
    op.kernels.loops = known
    out.backward()
    torch.testing.assert_close(x.grad, 7.5 * x.detach() ** 2 - 1.5)


def test_errors_of_the_next_order_reach_the_caller(native_folder):
    def fail(*args):
        raise Stop

    op = native_kernels.legendre(native_folder, next_order=fail)
    x = plain().requires_grad_()
    with pytest.raises(Stop):
        torch.autograd.grad(op(x).sum(), x, create_graph=True)


@pytest.mark.parametrize("answer", [None, (), (1.0,), [torch.ones(3)]])
def test_a_next_order_that_answers_wrongly(native_folder, answer):
    op = native_kernels.legendre(native_folder, next_order=lambda *args: answer)
    x = plain().requires_grad_()
    with pytest.raises(TypeError, match="next_order gives"):
        torch.autograd.grad(op(x).sum(), x, create_graph=True)


@pytest.mark.parametrize(("code", "message"), [(1, "not enough memory"), (9, "unknown code 9")])
def test_codes_of_kernels(native_folder, code, message):
    op = native_kernels.legendre(native_folder, code=code)
    with pytest.raises(RuntimeError, match=message):
        op(plain())


def backward_under(op, mode):
    x = plain().requires_grad_()
    out = op(x).sum()
    with mode:
        out.backward()
    torch.testing.assert_close(x.grad, 7.5 * x.detach() ** 2 - 1.5)


def test_modes_in_backward(legendre):
    backward_under(legendre, Dispatches())
    assert len(legendre.orders) == 1


def test_cotangents_of_a_subclass(legendre):
    class Wrapped(torch.Tensor):
        @classmethod
        def __torch_dispatch__(cls, function, types, args=(), kwargs=None):
            bare = torch.utils._pytree.tree_map_only(Wrapped, lambda t: t.inner, args)
            return function(*bare, **(kwargs or {}))

        @staticmethod
        def __new__(cls, inner):
            made = torch.Tensor._make_wrapper_subclass(cls, inner.shape, dtype=inner.dtype)
            made.inner = inner
            return made

    x = plain().requires_grad_()
    out = legendre(x)
    torch.autograd.grad(out, x, Wrapped(torch.ones(3)))
    assert len(legendre.orders) == 1


def test_batched_cotangents(legendre):
    x = plain().requires_grad_()
    (rows,) = torch.autograd.grad(legendre(x), x, torch.eye(3), is_grads_batched=True)
    torch.testing.assert_close(rows, torch.diag(7.5 * x.detach() ** 2 - 1.5))
    assert legendre.orders


def test_dual_cotangents(legendre):
    x = plain().requires_grad_()
    out = legendre(x)
    with forward_ad.dual_level():
        g = forward_ad.make_dual(torch.ones(3), torch.full((3,), 2.0))
        (grad,) = torch.autograd.grad(out, x, g)
        tangent = forward_ad.unpack_dual(grad).tangent
    torch.testing.assert_close(tangent, 2 * (7.5 * x.detach() ** 2 - 1.5))
    assert len(legendre.orders) == 1


def test_vmap_over_backward_of_a_graph_made_outside(multiply_add):
    x = plain().requires_grad_()
    out = multiply_add(x, plain(), torch.zeros(()))
    torch.vmap(lambda g: torch.autograd.grad(out, x, g, retain_graph=True)[0])(torch.eye(3))
    assert multiply_add.orders


def test_without_a_kernel_of_the_loss_the_value_is_computed_alone(native_folder):
    op = native_kernels.squared_error(native_folder)
    op.kernels.missing = {101}
    w = torch.randn((), requires_grad=True)
    x, y = plain(), plain()
    op(w, x, y).backward()
    torch.testing.assert_close(w.grad, (2 * (w.detach() * x - y) * x).sum())
    assert not op.falls
