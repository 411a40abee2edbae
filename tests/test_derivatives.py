"""Values and three orders of derivatives against torch autograd of the plain formula."""

from __future__ import annotations

import math

import pytest
import torch

import symop
from tests.corpus import CASES
from tests.sampling import one_in

D = torch.float64


def as_tuple(value):
    return value if isinstance(value, tuple) else (value,)


def gradients(outputs, inputs, weights):
    found = torch.autograd.grad(outputs, inputs, weights, create_graph=True, allow_unused=True)
    found = [torch.zeros_like(i) if g is None else g for g, i in zip(found, inputs, strict=True)]
    # A gradient that is constant still has to be differentiable in the next round.
    link = sum((i * 0).sum() for i in [*inputs, *weights])
    return tuple(g if g.requires_grad else g + link for g in found)


def assert_equal(ours, theirs):
    assert [o.shape for o in ours] == [t.shape for t in theirs]
    for o, t in zip(ours, theirs, strict=True):
        # Two roundings of sums of at most 24 terms of size 1.
        assert (o - t).abs().max() <= 1e-12 * max(1.0, t.abs().max().item())


@pytest.mark.parametrize("name", one_in(3, CASES))
def test_value_and_three_orders(name):
    case = CASES[name]
    generator = torch.Generator().manual_seed(3)
    op = symop.compile(case.formula)
    inputs = [
        (torch.rand(shape, dtype=D, generator=generator) + 0.3).requires_grad_()
        for shape in case.shapes
    ]
    ours, theirs = as_tuple(op(*inputs)), as_tuple(case.plain(*inputs))
    for order in range(4):
        assert_equal(ours, theirs)
        # The same order as an op of its own: vjp of vjp of ...
        assert_equal(as_tuple(op(*(i.detach() for i in inputs))), theirs)
        if order == 3:
            break
        weights = [
            torch.randn(t.shape, dtype=D, generator=generator).requires_grad_() for t in theirs
        ]
        ours, theirs = gradients(ours, inputs, weights), gradients(theirs, inputs, weights)
        inputs = inputs + weights
        op = op.vjp


@pytest.mark.parametrize("name", CASES)
def test_jvp_agrees_with_forward_mode_of_the_plain_formula(name):
    case = CASES[name]
    generator = torch.Generator().manual_seed(4)
    op = symop.compile(case.formula)
    inputs = [torch.rand(shape, dtype=D, generator=generator) + 0.3 for shape in case.shapes]
    tangents = [torch.randn(i.shape, dtype=D, generator=generator) for i in inputs]
    expected = as_tuple(torch.func.jvp(case.plain, tuple(inputs), tuple(tangents))[1])
    assert_equal(as_tuple(op.jvp(*inputs, *tangents)), expected)
    assert_equal(as_tuple(torch.func.jvp(op, tuple(inputs), tuple(tangents))[1]), expected)


@pytest.mark.parametrize("name", CASES)
def test_gradients_of_some_arguments_only(name):
    case = CASES[name]
    generator = torch.Generator().manual_seed(5)
    op = symop.compile(case.formula)
    for chosen in range(len(case.shapes)):
        inputs = [torch.rand(shape, dtype=D, generator=generator) + 0.3 for shape in case.shapes]
        inputs[chosen].requires_grad_()
        ours = sum((o * o).sum() for o in as_tuple(op(*inputs)))
        theirs = sum((o * o).sum() for o in as_tuple(case.plain(*inputs)))
        if not theirs.requires_grad:
            continue
        first = torch.autograd.grad(ours, inputs[chosen], create_graph=True)
        expected = torch.autograd.grad(theirs, inputs[chosen], create_graph=True)
        assert_equal(first, expected)
        if expected[0].requires_grad:
            second = torch.autograd.grad((first[0] ** 2).sum(), inputs[chosen])
            assert_equal(second, torch.autograd.grad((expected[0] ** 2).sum(), inputs[chosen]))


@pytest.mark.parametrize(
    "formula",
    ["sum(x**3, -1)", "amax(x*y, -1)", "logsumexp(x*y, (0, 2))", "a = x*y; b = sum(x, 1)"],
)
def test_gradients_of_gradients_by_some_arguments_only(formula):
    # What a gradient that nobody asked for would have needed is not there.
    op = symop.compile(formula, backend="torch").vjp
    generator = torch.Generator().manual_seed(6)
    shape = (3, 4, 2)
    inputs = [torch.randn(shape, dtype=D, generator=generator) for _ in op.args]
    for k, value in enumerate(as_tuple(symop.compile(formula)(*inputs[: len(op.outputs)]))):
        inputs[len(op.outputs) + k] = value
    for chosen in range(len(inputs)):
        leaves = [v.detach().requires_grad_() for v in inputs]
        total = sum((o * o).sum() for o in as_tuple(op(*leaves)))
        (expected,) = torch.autograd.grad(total, leaves[chosen])
        leaves = [v.detach().requires_grad_(k == chosen) for k, v in enumerate(inputs)]
        total = sum((o * o).sum() for o in as_tuple(op(*leaves)))
        assert torch.equal(torch.autograd.grad(total, leaves[chosen])[0], expected)


def test_ties_share_the_gradient_of_amax():
    x = torch.tensor([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]], dtype=D, requires_grad=True)
    symop.compile("amax(x, -1)")(x).sum().backward()
    expected = torch.tensor([[0, 0.5, 0.5], [1 / 3, 1 / 3, 1 / 3]], dtype=D)
    assert torch.equal(x.grad, expected)


@pytest.mark.parametrize("zeros", [0, 1, 2, 3])
def test_prod_of_zeros_to_the_third_order(zeros):
    # The product is multilinear: each derivative is the product of the factors that are left.
    x = torch.tensor([2.0, -3.0, 5.0, 0.5], dtype=D)
    x[:zeros] = 0
    x.requires_grad_()
    (first,) = torch.autograd.grad(symop.compile("prod(x)")(x), x, create_graph=True)
    for i in range(4):
        rest = [j for j in range(4) if j != i]
        assert first[i] == torch.prod(x[rest])
        (second,) = torch.autograd.grad(first[i], x, create_graph=True)
        for j in rest:
            others = [k for k in rest if k != j]
            assert second[j] == torch.prod(x[others])
            (third,) = torch.autograd.grad(second[j], x, retain_graph=True)
            assert all(third[k] == x[[m for m in others if m != k]].item() for k in others)


def test_orders_at_a_kink_stay_finite():
    x = torch.zeros((), dtype=D, requires_grad=True)
    for formula in ("where(x > 0, sqrt(x), 0)", "norm(x)", "sqrt(x**2)", "hypot(x, 0)"):
        value = symop.compile(formula)(x)
        for _ in range(4):
            (value,) = torch.autograd.grad(value, x, create_graph=True)
            assert value == 0, formula


def test_every_order_of_softplus_at_its_joint():
    x = torch.zeros((), dtype=D, requires_grad=True)
    value = symop.compile("softplus(x)")(x)
    # log(2), then the derivatives of 1/(1 + exp(-x)) at 0, from its Taylor series.
    for expected in (0.6931471805599453, 0.5, 0.25, 0.0, -0.125):
        assert abs(value.item() - expected) < 1e-15
        (value,) = torch.autograd.grad(value, x, create_graph=True)


def test_d_is_the_elementwise_derivative():
    x = torch.linspace(-2, 2, 7, dtype=D)
    P3 = symop.compile("0.5*(5*x**3-3*x)", name="p3")
    assert torch.allclose(P3.d("x")(x), 7.5 * x**2 - 1.5, rtol=1e-14)
    assert torch.allclose(P3.d("x", 2)(x), 15 * x, rtol=1e-14)
    assert torch.equal(P3.d("x", 3)(x), torch.full_like(x, 15))
    assert (P3.d("x").name, P3.d("x", 2).name) == ("p3_d_x", "p3_d_x_2")
    assert (P3.vjp.name, P3.jvp.name) == ("p3_vjp", "p3_jvp")
    affine = symop.compile("w*x + b")
    w, x, b = torch.rand(3, dtype=D), torch.rand(2, 3, dtype=D), torch.tensor(1.0, dtype=D)
    assert torch.equal(affine.d("b")(w, x, b), torch.ones(2, 3, dtype=D))
    assert torch.equal(affine.d("w")(w, x, b), x)


def test_d_of_a_reduction_points_to_vjp():
    with pytest.raises(symop.DerivativeError, match="vjp"):
        symop.compile("sum(x**2)").d("x")
    with pytest.raises(symop.DerivativeError, match="it has by x"):
        symop.compile("x**2").d("y")


def test_higher_orders_of_a_vjp_know_the_shapes_of_its_cotangents():
    op = symop.compile("w*x + b").vjp
    shapes = ((3, 2), (3, 2), (2,), (3, 2))
    generator = torch.Generator().manual_seed(2)
    values = [torch.randn(s, dtype=torch.float64, generator=generator) for s in shapes]
    arguments = [v.requires_grad_() for v in values]
    results = op(*arguments)
    for _ in range(4):
        total = sum((r**2).sum() for r in results)
        found = torch.autograd.grad(total, arguments, create_graph=True, allow_unused=True)
        results = [g for g in found if g is not None]
    w, x, _, g = arguments
    plain = [g * x, g * w, g.sum(0)]
    for _ in range(4):
        total = sum((r**2).sum() for r in plain)
        found = torch.autograd.grad(total, arguments, create_graph=True, allow_unused=True)
        plain = [g for g in found if g is not None]
    assert all(torch.allclose(a, b) for a, b in zip(results, plain, strict=True))


def test_gradients_that_no_one_uses_further_add_nothing():
    op = symop.compile("w*exp(x) + b")
    values = [torch.randn(s, dtype=torch.float64, requires_grad=True) for s in ((3,), (2, 3), ())]
    plain = [v.detach().clone().requires_grad_() for v in values]
    ours = torch.autograd.grad(op(*values).sum(), values, create_graph=True)
    theirs = torch.autograd.grad(
        (plain[0] * plain[1].exp() + plain[2]).sum(), plain, create_graph=True
    )
    for mine, other in zip(ours[:2], theirs[:2], strict=True):
        again = torch.autograd.grad(mine.sum(), values, retain_graph=True, allow_unused=True)
        expected = torch.autograd.grad(other.sum(), plain, retain_graph=True, allow_unused=True)
        for a, b in zip(again, expected, strict=True):
            assert (
                (a is None or torch.allclose(a, torch.zeros_like(a)))
                if b is None
                else (torch.allclose(a, b))
            )


# Gradients that need the shapes of cotangents and arguments, but not their values.
SHAPES_ONLY = {
    "x*0 + 2*y": (lambda x, y: x * 0 + 2 * y, ((4, 3), (3,))),
    "x + y": (lambda x, y: x + y, ((4, 1), (3,))),
    "sum(2*x, -1)": (lambda x: (2 * x).sum(-1), ((4, 3),)),
    "sum(x*2 + y, -1)": (lambda x, y: (x * 2 + y).sum(-1), ((4, 3), (3,))),
    "mean(x + y, 0)": (lambda x, y: (x + y).mean(0), ((4, 3), (4, 1))),
    "s = sum(x + y); t = mean(x*y, -1)": (
        lambda x, y: ((x + y).sum(), (x * y).mean(-1)),
        ((4, 3), (3,)),
    ),
    "where(x > 0, x, 2*y) + sum(z, -1)": (
        lambda x, y, z: torch.where(x > 0, x, 2 * y) + z.sum(-1, keepdim=True),
        ((4, 3), (3,), (4, 5)),
    ),
}


@pytest.mark.parametrize("formula", SHAPES_ONLY)
def test_four_orders_where_only_shapes_are_kept(formula):
    plain, shapes = SHAPES_ONLY[formula]
    generator = torch.Generator().manual_seed(3)
    values = [
        torch.randn(s, dtype=torch.float64, generator=generator).requires_grad_() for s in shapes
    ]

    def orders(function):
        outputs = function(*values)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        for _ in range(4):
            total = sum((k + 1.5) * (o + o * o).sum() for k, o in enumerate(outputs))
            outputs = torch.autograd.grad(
                total, values, create_graph=True, allow_unused=True, materialize_grads=True
            )
            yield from outputs

    for found, expected in zip(orders(symop.compile(formula)), orders(plain), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-10)


def test_orders_beside_numbers_that_have_no_gradient():
    op = symop.compile("w*x + b")
    x = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64, requires_grad=True)
    b = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
    outputs = [op(2.0, x, b)]
    plain = [2.0 * x + b]
    for _ in range(4):
        outputs, plain = (
            torch.autograd.grad(
                sum((o + o * o).sum() for o in given), (x, b), create_graph=True,
                allow_unused=True, materialize_grads=True,
            )
            for given in (outputs, plain)
        )  # fmt: skip
        for found, expected in zip(outputs, plain, strict=True):
            torch.testing.assert_close(found, expected)


def test_branches_that_come_to_the_same_are_one_value():
    assert symop.compile("lerp(start, end, weight)").d("end").text == ("out = weight",)
    # A number beside a condition on an array keeps the shape of the condition.
    op = symop.compile("where(x > 0, a*w, a - a*(1 - w))")
    x, a, w = torch.tensor([-1.0, 0.0, 2.0]), torch.tensor(3.0), torch.tensor(0.25)
    slope = op.d("a")(x=x, a=a, w=w)
    assert slope.tolist() == [0.25] * 3
    # What a user wrote stays.
    assert "where(m, x, x)" in symop.compile("where(m, x, x)").source.replace("torch.", "")


def test_an_output_named_like_a_gradient_is_not_kept_by_that_name():
    text = "log(where(x >= 0, x - where(k >= 0, x, x), x) - (x - abs(k)*4))"
    op = symop.compile(text, args=("x", "k"), backend="torch")
    values = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (-1.3, -0.7)]
    found = [op(*values)]
    for _ in range(3):
        found += torch.autograd.grad(found[-1], values, create_graph=True, allow_unused=True,
                                     materialize_grads=True)  # fmt: skip
    k = values[1].item()
    assert found[0].item() == pytest.approx(math.log(-4 * k))
    assert [v.item() for v in found[2::2]] == pytest.approx([1 / k, -1 / k**2, 2 / k**3])
    assert all(v.item() == 0 for v in found[1::2])
