"""Large programs: work to compile, and operations of the backward against the forward."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
import torch

import symop
from symop.lowering import operation_count
from tests.work import calls


def program(statements: int, arguments: int) -> str:
    """A program of many statements with shared values; every argument is read."""
    generator = random.Random(0)
    names = [f"a{i}" for i in range(arguments)]
    lines = ["u0 = " + " + ".join(f"{n}*{m}" for n, m in pairwise(names))]
    shapes = ("{u}*{x} + {y}", "tanh({x} + {u})", "{u} - {y}*{x}", "sin({u})*{x}",
              "{u}**3*0.5/(1 + {y}**2)", "where({u} > {x}, {u}*{y}, {x})")  # fmt: skip
    for i in range(1, statements):
        x = generator.choice(names)
        y = generator.choice([*names, *(f"u{j}" for j in range(max(0, i - 20), i))])
        lines.append(f"u{i} = " + generator.choice(shapes).format(u=f"u{i - 1}", x=x, y=y))
    return "\n".join(lines)


@pytest.mark.parametrize("count", [300, pytest.param(1000, marks=pytest.mark.slow)])
def test_many_statements_with_64_arguments(count):
    op = symop.compile(program(count, 64))
    forward = operation_count(op.program)
    assert operation_count(op._formula.plan.gradient) <= 4.5 * forward
    inputs = [torch.rand(3, dtype=torch.float64, requires_grad=True) for _ in op.args]
    op(*inputs).sum().backward()
    assert all(torch.isfinite(i.grad).all() for i in inputs)


def products(count: int) -> str:
    return " + ".join(f"a{i}*b{i}" for i in range(count))


def test_work_grows_with_the_length_of_a_formula():
    def text(count: int) -> str:
        return symop.compile(products(count), backend="torch").source

    # Tables are read once.
    assert text(2)
    short, long = calls(lambda: text(25)), calls(lambda: text(100))
    assert long < 3_000_000
    # Of four times the length; its square would be 16 times the work.
    assert long < 8 * short


def test_two_hundred_products():
    op = symop.compile(products(200))
    assert len(op.saved) == 400
    inputs = [torch.rand(2, requires_grad=True) for _ in op.args]
    op(*inputs).sum().backward()
    assert torch.equal(inputs[0].grad, inputs[1])


@pytest.mark.parametrize(
    ("formula", "saved"),
    [
        ("w*x + b", ("w", "x")),
        ("sigmoid(x)", ("x",)),
        ("0.5*(5*x**3-3*x)", ("x",)),
        ("exp(a + b)", ("out",)),
        ("tanh(a + b)", ("a", "b")),
        ("sum(x)", ()),
        ("sum((a + b*legendre(3, c + d*x) - y)**2)", ("a", "b", "c", "d", "x", "y")),
    ],
)
def test_what_is_saved(formula, saved):
    assert symop.compile(formula).saved == saved


@pytest.mark.parametrize("formula", ["w*x + b", "exp(w + x)*b", "sum((w*x - b)**2)"])
def test_only_inputs_and_outputs_are_packed(formula):
    op = symop.compile(formula)
    inputs = [torch.rand(4, 3, requires_grad=True) for _ in op.args]
    packed = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: packed.append(t) or t, lambda t: t):
        out = op(*inputs)
    known = {t.untyped_storage().data_ptr() for t in (*inputs, out)}
    assert {t.untyped_storage().data_ptr() for t in packed} <= known


def test_nothing_is_saved_for_a_gradient_that_nobody_asked_for():
    op = symop.compile("w*x + b")
    w, x, b = torch.rand(3, requires_grad=True), torch.rand(4, 3), torch.rand(())
    packed = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: packed.append(t) or t, lambda t: t):
        op(w, x, b)
    assert [t.data_ptr() for t in packed] == [x.data_ptr()]


def test_in_place_change_of_a_saved_tensor_is_noticed():
    op = symop.compile("w*x + b")
    w, x, b = (torch.rand(3, requires_grad=True) for _ in range(3))
    x0, b0 = x * 1, b * 1
    out = op(w, x0, b0)
    b0.add_(1)
    out.sum().backward(retain_graph=True)
    x0.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        out.sum().backward()
