"""Ops as modules: constants that are trained or kept, and everything that a Module can do."""

from __future__ import annotations

import copy
import io
import pickle

import pytest
import torch
from torch import nn

import symop

OP = symop.compile("a*sin(k*x) + c*y", name="wave")


def make() -> symop.modules.OpModule:
    return OP.module(a=2.0, k=torch.tensor([1.0, 2.0, 3.0]), c=nn.Buffer(torch.tensor(3.0)))


def inputs() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(2, 3, generator=generator), torch.randn(3, generator=generator)


def expected(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return OP(2.0, torch.tensor([1.0, 2.0, 3.0]), x, 3.0, y)


def test_calls_take_the_other_arguments_in_order_or_by_name():
    module, (x, y) = make(), inputs()
    for value in (module(x, y), module(x, y=y), module(y=y, x=x)):
        assert torch.equal(value, expected(x, y))


def test_constants_are_parameters_and_buffers_of_their_names():
    module = make()
    assert [n for n, _ in module.named_parameters()] == ["a", "k"]
    assert [n for n, _ in module.named_buffers()] == ["c"]
    assert module.a.shape == ()
    assert module.a.dtype == torch.get_default_dtype()
    assert OP.module(k=1, x=0.5).k.item() == 1.0


def test_a_parameter_is_shared_and_a_tensor_is_copied():
    shared, held = nn.Parameter(torch.ones(3)), torch.ones(3)
    module = OP.module(k=shared, a=held)
    assert module.k is shared
    with torch.no_grad():
        module.a.add_(1)
    assert torch.equal(held, torch.ones(3))


def test_a_buffer_that_is_not_persistent_stays_out_of_the_state():
    module = OP.module(a=1.0, c=nn.Buffer(torch.tensor(3.0), persistent=False))
    assert list(module.state_dict()) == ["a"]
    assert module(1.0, *inputs()).shape == (2, 3)


def test_training_reaches_the_constants_and_no_buffer():
    module, (x, y) = make(), inputs()
    with torch.no_grad():
        target = expected(x, y)
        module.a.fill_(1.5)
    optimizer = torch.optim.Adam(module.parameters(), lr=0.05)
    for _ in range(300):
        optimizer.zero_grad()
        loss = ((module(x, y) - target) ** 2).mean()
        loss.backward()
        optimizer.step()
    assert loss < 1e-4
    assert module.c == 3.0


def test_state_goes_through_a_file():
    module, other, (x, y) = make(), make(), inputs()
    with torch.no_grad():
        module.a.fill_(7.0)
        module.c.fill_(-1.0)
    file = io.BytesIO()
    torch.save(module.state_dict(), file)
    file.seek(0)
    other.load_state_dict(torch.load(file, weights_only=True))
    assert torch.equal(other(x, y), module(x, y))
    with pytest.raises(RuntimeError, match="Missing key"):
        other.load_state_dict({"a": torch.tensor(1.0)})


def test_to_converts_every_constant():
    module, (x, y) = make().to(torch.float64), inputs()
    assert {v.dtype for v in module.state_dict().values()} == {torch.float64}
    assert module(x.double(), y.double()).dtype == torch.float64
    assert make().to("meta")(x.to("meta"), y.to("meta")).shape == (2, 3)


@pytest.mark.parametrize("again", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_are_equal_and_independent(again):
    module, (x, y) = make(), inputs()
    other = again(module)
    assert torch.equal(other(x, y), module(x, y))
    with torch.no_grad():
        other.a.fill_(0.0)
    assert torch.equal(module(x, y), expected(x, y))
    other(x, y).sum().backward()
    assert module.a.grad is None


# Dynamo itself instantiates the Function that it traces.
@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
def test_compile_export_and_functional_call():
    module, (x, y) = make(), inputs()
    compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
    compiled(x, y).sum().backward()
    other = make()
    other(x, y).sum().backward()
    torch.testing.assert_close(module.a.grad, other.a.grad)
    torch.testing.assert_close(module.k.grad, other.k.grad)
    exported = torch.export.export(module, (x, y))
    assert set(exported.state_dict) == {"a", "k", "c"}
    assert torch.equal(exported.module()(x, y), expected(x, y))
    state = {**module.state_dict(), "a": torch.tensor(4.0)}
    called = torch.func.functional_call(module, state, (x, y))
    assert torch.equal(called, OP(4.0, module.k, x, 3.0, y))


def test_repr_shows_the_formula_and_what_is_trainable():
    module = make()
    module.k.requires_grad_(requires_grad=False)
    assert repr(module) == (
        "OpModule(\n  out = a*sin(k*x) + c*y\n  trainable: a ()\n  frozen: k (3,)\n"
        "  buffer: c ()\n  arguments: x, y\n)"
    )
    nothing = symop.compile("a*2").module(a=1.0)
    assert "arguments: none" in repr(nothing)
    assert nothing() == 2.0


def test_masks_are_buffers():
    op = symop.compile("where(m, x, 0)")
    module = op.module(m=nn.Buffer(torch.tensor([True, False])))
    assert module(torch.ones(2)).tolist() == [1.0, 0.0]
    assert module.to(torch.float64).m.dtype == torch.bool


def test_several_outputs_and_no_constants():
    op = symop.compile("p = a*x; q = x + a")
    p, q = op.module(a=2.0)(torch.ones(2))
    assert p.tolist() == [2.0, 2.0]
    assert q.tolist() == [3.0, 3.0]
    layers = nn.Sequential(nn.Linear(2, 2), symop.compile("x*sigmoid(x)").module())
    assert layers(torch.ones(2)).shape == (2,)


REFUSED = {
    "no argument": ({"z": 1.0}, "wave has no argument z; it takes a, k, x, c, y"),
    "text": ({"a": "1"}, "wave: a is a str; a number, a tensor or a Parameter makes a Parameter"),
    "bool": ({"a": True}, "wave: a is a bool"),
    "integers": ({"k": torch.arange(3)}, "wave: k is of torch.int64, which has no gradient"),
    "complex": ({"k": torch.ones(1, dtype=torch.complex64)}, "wave: k is complex"),
    "computed": ({"a": torch.ones(1, requires_grad=True) * 2}, "wave: a was computed from"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_constants_that_cannot_be_are_refused(name):
    constants, message = REFUSED[name]
    with pytest.raises(symop.CallError) as caught:
        OP.module(**constants)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("name", ["training", "forward", "register_buffer", "T_destination"])
def test_names_of_module_itself_are_refused(name):
    op = symop.compile(f"{name}*x")
    with pytest.raises(symop.CallError, match=f"nn.Module has an attribute {name!r} of its own"):
        op.module(**{name: 1.0})
    assert op.module(x=1.0)(2.0) == 2.0


def test_a_mask_cannot_be_trained():
    with pytest.raises(symop.CallError, match=r"m is a condition .* torch\.nn\.Buffer"):
        symop.compile("where(m, x, 0)").module(m=1.0)


def test_calls_that_do_not_fit_are_refused():
    module, (x, y) = make(), inputs()
    for call, message in (
        (lambda: module(x), "y was not given"),
        (lambda: module(x, y, x), "this module takes x, y; 3 values were given"),
        (lambda: module(x, y, a=1.0), "a is a constant of this module; a call takes x, y"),
        (lambda: module(x, x=x), "x was given by position and by name"),
        (lambda: module(x, q=1), "has no argument q"),
    ):
        with pytest.raises(symop.CallError, match=message):
            call()
