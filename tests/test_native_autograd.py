"""The host within autograd: orders, hooks, graphs kept or freed, copies, threads and processes."""

from __future__ import annotations

import copy
import os
import threading
import time
import weakref

import pytest
import torch
from torch.utils.checkpoint import checkpoint

from tests import native_kernels


def leaf(*shape, dtype=torch.float32):
    return torch.randn(shape, dtype=dtype, requires_grad=True)


def slope(x):
    return 7.5 * x.detach() ** 2 - 1.5


def test_gradients_of_every_order(multiply_add):
    w, x, b = leaf(4, dtype=torch.double), leaf(3, 4, dtype=torch.double), leaf(dtype=torch.double)
    assert torch.autograd.gradcheck(multiply_add, (w, x, b))
    assert torch.autograd.gradgradcheck(multiply_add, (w, x, b))
    assert not multiply_add.falls
    assert multiply_add.orders


def test_a_third_derivative(legendre):
    x = leaf(5)
    value = legendre(x).sum()
    for factor in (lambda x: 7.5 * x**2 - 1.5, lambda x: 15 * x, lambda x: torch.full_like(x, 15)):
        (value,) = torch.autograd.grad(value.sum(), x, create_graph=True)
        torch.testing.assert_close(value.detach(), factor(x.detach()))
    assert len(legendre.orders) == 1


def test_a_graph_of_the_gradient_is_made_only_where_something_is_tracked(legendre):
    x = leaf(3)
    out = legendre(x)
    torch.autograd.grad(out, x, torch.ones(3), retain_graph=True)
    assert not legendre.orders
    (grad,) = torch.autograd.grad(out, x, torch.ones(3), create_graph=True)
    assert grad.requires_grad
    needs, shapes, saved, cotangent = legendre.orders[0]
    assert (needs, shapes) == (1, ((3,),))
    assert saved is x
    assert torch.equal(cotangent, torch.ones(3))


def test_a_linear_gradient_takes_the_kernels_under_create_graph(multiply_add):
    w, x, b = torch.randn(3), torch.randn(3), leaf(3)
    (grad,) = torch.autograd.grad(multiply_add(w, x, b).sum(), b, create_graph=True)
    assert torch.equal(grad, torch.ones(3))
    assert not multiply_add.orders


def test_next_order_is_given_none_for_what_was_not_saved(multiply_add):
    w, x, b = leaf(3), torch.randn(3), torch.randn(1)
    (grad,) = torch.autograd.grad(multiply_add(w, x, b).sum(), w, leaf().sin(), create_graph=True)
    needs, shapes, saved_w, saved_x, _ = multiply_add.orders[0]
    assert (needs, shapes) == (1, ((3,), (3,), (1,)))
    assert saved_w is None
    assert saved_x is x
    assert grad.requires_grad


@pytest.mark.parametrize("used", [0, 1])
def test_next_order_is_given_zeros_for_cotangents_that_nobody_gave(native_folder, used):
    op = native_kernels.product_and_sum(native_folder)
    x, y, m = leaf(4), leaf(3, 1), torch.rand(2, 1, 1) < 0.5
    outputs = op(x, y, m)
    torch.autograd.grad(outputs[used].sum(), (x, y), create_graph=True)
    unused = op.orders[0][-1 - used]
    assert unused.shape == outputs[1 - used].shape
    assert unused.dtype == x.dtype
    assert not unused.any()


def test_saved_values_modified_in_place_are_an_error(legendre):
    x = leaf(3)
    y = x * 1
    out = legendre(y)
    y.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        out.sum().backward()


def test_a_saved_output_modified_in_place_is_an_error(native_folder):
    _, out = native_kernels.centred(native_folder)(leaf(3, 4))
    out.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        out.sum().backward()


def test_what_is_not_saved_may_be_modified(multiply_add):
    w, x, b = torch.randn(3), leaf(3), torch.randn(3)
    kept = w.clone()
    out = multiply_add(w, x, b)
    b.zero_()
    out.add_(1)
    out.sum().backward()
    assert torch.equal(x.grad, kept)


def test_a_second_backward_is_an_error(legendre):
    x = leaf(3)
    out = legendre(x).sum()
    out.backward(retain_graph=True)
    out.backward()
    torch.testing.assert_close(x.grad, 2 * slope(x))
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        out.backward()


def test_freed_graphs_let_go_of_what_was_saved(legendre):
    x = leaf(3)
    y = x * 1
    out = legendre(y)
    kept = weakref.ref(y)
    del y
    assert kept() is not None
    out.sum().backward()
    assert kept() is None


def test_hooks_of_tensors_and_nodes(legendre):
    x = leaf(3)
    out = legendre(x)
    seen = []
    out.retain_grad()
    out.register_hook(lambda g: seen.append("tensor") or 2 * g)
    x.register_hook(lambda g: seen.append("leaf") or 3 * g)
    out.grad_fn.register_prehook(lambda g: seen.append("before"))
    out.grad_fn.register_hook(lambda i, o: seen.append("after"))
    out.sum().backward()
    assert seen == ["tensor", "before", "after", "leaf"]
    torch.testing.assert_close(x.grad, 6 * slope(x))
    assert out.grad is not None


def test_hooks_of_saved_tensors(legendre):
    x = leaf(3)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t.numpy(force=True), torch.from_numpy):
        out = legendre(x)
    out.sum().backward()
    torch.testing.assert_close(x.grad, slope(x))
    with torch.autograd.graph.save_on_cpu():
        out = legendre(x)
    out.sum().backward()
    torch.testing.assert_close(x.grad, 2 * slope(x))
    assert not legendre.orders


def test_saved_values_that_hooks_give_back_changed_go_to_python(legendre):
    x = leaf(3)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t.detach().double()):
        out = legendre(x)
    out.sum().backward()
    assert [a.dtype for a in legendre.orders[0][2:]] == [torch.float64, torch.float32]
    torch.testing.assert_close(x.grad, slope(x))


def test_names_and_edges(multiply_add):
    w, x, b = leaf(3), torch.randn(3), leaf(3)
    node = multiply_add(w, x, b).grad_fn
    assert node.name() == "MultiplyAddBackward"
    assert [edge is not None for edge, _ in node.next_functions] == [True, False, True]


def test_an_argument_without_a_gradient_still_makes_the_output_require_one(native_folder):
    op = native_kernels.legendre(native_folder, wanted=())
    x = leaf(3)
    out = op(x)
    assert out.requires_grad
    assert torch.autograd.grad(out.sum(), x, allow_unused=True) == (None,)


def test_one_tensor_for_several_arguments(multiply_add):
    x = leaf(3)
    multiply_add(x, x, x).sum().backward()
    torch.testing.assert_close(x.grad, 2 * x.detach() + 1)


def test_no_grad_and_inference_mode(legendre):
    x = leaf(3)
    with torch.no_grad():
        out = legendre(x)
    assert not out.requires_grad
    with torch.inference_mode():
        out = legendre(x)
        inner = legendre(torch.randn(3))
    assert out.is_inference()
    assert inner.is_inference()
    assert not out.requires_grad
    assert legendre(inner).is_inference() is False
    assert legendre.host.calls_fast == 4
    assert not legendre.falls


def test_inference_tensors_cannot_be_saved(multiply_add):
    with torch.inference_mode():
        frozen = torch.randn(3)
    with pytest.raises(RuntimeError, match="Inference tensors cannot be saved for backward"):
        multiply_add(leaf(3), frozen, torch.randn(3))
    multiply_add(torch.randn(3), leaf(3), frozen).sum().backward()


def test_copies_of_outputs(legendre):
    x = leaf(3)
    out = legendre(x)
    assert torch.equal(copy.deepcopy(out.detach()), out)
    with pytest.raises(RuntimeError, match="Only Tensors created explicitly"):
        copy.deepcopy(out)


@pytest.mark.parametrize("reentrant", [True, False])
def test_checkpoints(legendre, reentrant):
    x = leaf(3)
    checkpoint(lambda t: legendre(legendre(t)), x, use_reentrant=reentrant).sum().backward()
    y = x.detach().requires_grad_()
    legendre.plain(legendre.plain(y)).sum().backward()
    torch.testing.assert_close(x.grad, y.grad)
    assert not legendre.falls


def test_anomaly_mode_and_profiler(legendre):
    x = leaf(3)
    with torch.autograd.set_detect_anomaly(True):
        legendre(x).sum().backward()
        with (
            pytest.warns(UserWarning, match="Error detected in LegendreBackward"),
            pytest.raises(RuntimeError, match=r"LegendreBackward.* returned nan"),
        ):
            legendre(torch.tensor([float("nan")], requires_grad=True)).backward()
    with torch.autograd.profiler.profile() as profile:
        legendre(x).sum().backward()
    spans = {event.name: event for event in profile.function_events}
    assert spans["Legendre"].sequence_nr == spans["LegendreBackward"].sequence_nr >= 0


def test_threads_call_one_op_at_once(native_folder):
    op = native_kernels.multiply_add(native_folder)
    failures = []
    start = threading.Barrier(4)

    def work(seed):
        generator = torch.Generator().manual_seed(seed)
        start.wait()
        try:
            for n in range(50):
                args = [torch.randn(s, generator=generator).requires_grad_(bool((n + 1) >> k & 1))
                        for k, s in enumerate([((), (3,)), ((3, 4), (4,)), ((3, 1), ())][n % 3])
                        ] + [torch.randn(1)]  # fmt: skip
                out = op(*args)
                torch.testing.assert_close(out, op.plain(*args))
                wanted = [a for a in args if a.requires_grad]
                if wanted:
                    g = torch.randn(out.shape, generator=generator)
                    found = torch.autograd.grad(out, wanted, g)
                    exact = torch.autograd.grad(op.plain(*args), wanted, g)
                    torch.testing.assert_close(found, exact)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not failures
    assert not any(thread.is_alive() for thread in threads)
    assert not op.falls


def test_large_calls_let_other_threads_run(native_folder):
    op = native_kernels.legendre(native_folder)
    x = torch.randn(3_000_000)
    op(x)
    ticks, done = [], threading.Event()

    def count():
        while not done.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.001)

    def seen():
        """Whether the other thread ran in the middle half of a call."""
        start = time.perf_counter()
        op(x)
        quarter = (time.perf_counter() - start) / 4
        return any(start + quarter < tick < start + 3 * quarter for tick in ticks)

    thread = threading.Thread(target=count)
    thread.start()
    try:
        # On a busy machine the other thread may miss a call.
        assert any(seen() for _ in range(50))
    finally:
        done.set()
        thread.join()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_forked_processes(legendre):
    x = leaf(3)
    out = legendre(x)
    child = os.fork()
    if child == 0:
        ok = torch.equal(legendre(x), out)
        (grad,) = torch.autograd.grad(out, x, torch.ones(3))
        os._exit(0 if ok and torch.allclose(grad, slope(x)) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


# Compiled autograd itself looks at .grad of outputs that were saved.
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf:UserWarning")
@pytest.mark.parametrize("make", ["legendre", "multiply_add", "squared_error", "centred"])
def test_compiled_autograd(native_folder, make):
    op = getattr(native_kernels, make)(native_folder)
    n = 1 if make in ("legendre", "centred") else 3
    for shape in ((3,), (3,), (5,), (2, 4)):
        args = [leaf(*(() if k == 0 and n == 3 else shape)) for k in range(n)]
        others = [a.detach().requires_grad_() for a in args]

        def total(f, args):
            found = f(*args)
            return sum(v.sum() for v in (found if isinstance(found, tuple) else (found,)))

        loss = total(op, args)
        compiler = torch.compile(backend="eager", fullgraph=True)
        with torch._dynamo.compiled_autograd._enable(compiler):
            loss.backward()
        total(op.plain, others).backward()
        for a, b in zip(args, others, strict=True):
            torch.testing.assert_close(a.grad, b.grad)
    assert not op.falls
    # What is traced are the operations of Python.
    assert op.orders
