"""Which backend a call takes, without any GPU."""

from dataclasses import replace

import pytest
import torch

import symop
from symop import hosts, triton_backend, warned
from symop.errors import BuildError, CallError


@pytest.fixture
def served(monkeypatch):
    """CPU tensors go to the Triton backend, whose host only counts."""
    calls = []

    def host(fused, fallback):
        def call(*values):
            calls.append(fused.name)
            return fallback(*values)

        return call

    devices = frozenset({"cpu"})
    fake = replace(hosts.TRITON, devices=lambda: devices, host=host)
    monkeypatch.setitem(hosts._SERVING, "triton", (fake,))
    monkeypatch.setitem(hosts._SERVING, "auto", (fake,))
    monkeypatch.delenv("SYMOP_BACKEND")
    return calls


def test_the_device_of_the_tensors_chooses_the_backend():
    pytest.importorskip("triton")
    assert hosts.serving("auto", "cpu") is hosts.CPU
    assert hosts.serving("auto", "cuda") is hosts.TRITON
    assert hosts.serving("triton", "cuda") is hosts.TRITON
    assert hosts.serving("cpu", "cuda") is None
    assert hosts.serving("torch", "cpu") is None
    assert hosts.serving("auto", "meta") is None


def test_the_environment_chooses_what_auto_stands_for(monkeypatch):
    pytest.importorskip("triton")
    monkeypatch.setenv("SYMOP_BACKEND", "triton")
    assert hosts.chosen_backend("auto") == "triton"
    assert hosts.chosen_backend("torch") == "torch"


def test_an_unknown_backend_is_refused():
    with pytest.raises(CallError, match="'gpu' is not known; auto, torch, cpu, triton are"):
        symop.compile("x*2", backend="gpu")


def test_triton_that_is_missing_is_an_error_where_it_was_asked_for(monkeypatch):
    monkeypatch.setattr(triton_backend, "is_installed", lambda: False)
    with pytest.raises(CallError, match="pip install triton"):
        symop.compile("x*2", backend="triton")


def test_triton_that_is_missing_is_said_once_otherwise(monkeypatch):
    monkeypatch.setattr(triton_backend, "is_installed", lambda: False)
    monkeypatch.setattr(warned, "_given", set())
    with pytest.warns(RuntimeWarning, match="pip install triton"):
        assert hosts.serving("auto", "cuda") is None
    assert hosts.serving("auto", "cuda") is None


def test_tensors_on_a_device_without_kernels_take_operations(monkeypatch):
    pytest.importorskip("triton")
    monkeypatch.setattr(triton_backend, "is_interpreted", lambda: False)
    x = torch.randn(5)
    torch.testing.assert_close(symop.compile("x*2", backend="triton")(x), 2 * x)
    assert symop.compile("x*2")(torch.empty(3, device="meta")).device.type == "meta"


def test_a_call_goes_to_the_host_of_its_device(served):
    pytest.importorskip("triton")
    op = symop.compile("x*y", name="product_of_two", backend="auto")
    x = torch.randn(5)
    torch.testing.assert_close(op(x, x), x * x)
    torch.testing.assert_close(op(x, 3), 3 * x)
    assert served == ["product_of_two"] * 3  # numbers come back as tensors
    op(torch.empty(3, device="meta"), torch.empty(3, device="meta"))
    assert served == ["product_of_two"] * 4  # the host hands it on


def test_a_dtype_without_kernels_is_an_error_where_they_were_asked_for(served):
    pytest.importorskip("triton")
    op = symop.compile("x*2", name="narrow", backend="triton")
    with pytest.raises(CallError, match=r"narrow: .* take .* not of float8_e4m3fn"):
        op(torch.zeros(3).to(torch.float8_e4m3fn))


def test_what_triton_lacks_is_said_once_otherwise(served, monkeypatch):
    pytest.importorskip("triton")
    monkeypatch.setattr(warned, "_given", set())
    monkeypatch.setattr("symop.backends.triton_math.SPELLED", frozenset())
    x = torch.rand(3)
    with pytest.warns(RuntimeWarning, match="function exp has no form in Triton; plain"):
        first = symop.compile("exp(x)", name="first", backend="auto")(x)
    torch.testing.assert_close(first, torch.exp(x))
    with pytest.raises(BuildError, match="second: the function exp has no form in Triton"):
        symop.compile("exp(x)", name="second", backend="triton")(x)


def test_the_module_is_printed_when_something_asks_for_it():
    op = symop.compile("a*tanh(a)*b", name="unprinted", backend="cpu")
    a, b = (torch.rand(5, requires_grad=True) for _ in range(2))
    torch.autograd.grad(op(a, b).sum(), (a, b))
    assert "module" not in vars(op._generated)
    assert op.function is op._generated.function
    assert op._generated.module.unprinted is op._generated.call


@pytest.mark.parametrize("backend", ["torch", "cpu"])
def test_an_op_is_compiled_before_anything_printed_its_module(backend):
    op = symop.compile("a*tanh(a)*b", name=f"unprinted_{backend}", backend=backend)
    a, b = torch.rand(2, 5)
    compiled = torch.compile(lambda a, b: op(a, b) + op.function.apply(a, b), backend="eager",
                             fullgraph=True)  # fmt: skip
    assert torch.allclose(compiled(a, b), 2 * a * torch.tanh(a) * b)


def test_compiled_autograd_prints_the_module_that_it_traces():
    op = symop.compile("a*tanh(a)*b", name="unprinted_backward", backend="cpu")
    a, b = (torch.rand(5, requires_grad=True) for _ in range(2))
    plain = torch.autograd.grad((a * torch.tanh(a) * b).sum(), a)
    with torch._dynamo.compiled_autograd._enable(torch.compile(backend="eager")):
        (found,) = torch.autograd.grad(op(a, b).sum(), a)
    assert torch.allclose(found, plain[0])
