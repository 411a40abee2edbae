"""Gradients at special points: torch's convention, and a finite value where torch has NaN."""

from __future__ import annotations

import math

import pytest
import torch

import symop
from tests.sampling import one_in

INF, NAN = math.inf, math.nan

# formula, arguments, gradients: numerics.md, section 3.
POINTS = [
    ("abs(x)", (0.0,), (0.0,)), ("abs(x)", (-0.0,), (0.0,)), ("sign(x)", (0.0,), (0.0,)),
    ("floor(x)", (1.0,), (0.0,)), ("ceil(x)", (1.0,), (0.0,)), ("round(x)", (0.5,), (0.0,)),
    ("trunc(x)", (1.0,), (0.0,)), ("relu(x)", (0.0,), (0.0,)), ("relu(x)", (NAN,), (1.0,)),
    ("relu6(x)", (0.0,), (0.0,)), ("relu6(x)", (6.0,), (0.0,)), ("hardtanh(x)", (1.0,), (0.0,)),
    ("hardtanh(x)", (-1.0,), (0.0,)), ("hardsigmoid(x)", (3.0,), (0.0,)),
    ("hardsigmoid(x)", (-3.0,), (0.0,)), ("softshrink(x)", (0.5,), (0.0,)),
    ("hardshrink(x)", (-0.5,), (0.0,)), ("hardswish(x)", (-3.0,), (0.0,)),
    ("hardswish(x)", (3.0,), (1.0,)), ("leaky_relu(x)", (0.0,), (0.01,)),
    ("elu(x)", (0.0,), (1.0,)), ("elu(x, 2)", (0.0,), (2.0,)),
    ("selu(x)", (0.0,), (1.7580993408473766,)),
    ("clamp(x, -1, 1)", (1.0,), (1.0,)), ("clamp(x, -1, 1)", (2.0,), (0.0,)),
    ("clamp(x, -1, 1)", (NAN,), (0.0,)), ("clamp(x, y, 2)", (1.0, 1.0), (1.0, 0.0)),
    ("clamp(x, 2, y)", (0.0, 1.0), (0.0, 1.0)),
    ("maximum(x, y)", (1.0, 1.0), (0.5, 0.5)), ("minimum(x, y)", (1.0, 1.0), (0.5, 0.5)),
    ("maximum(x, y)", (NAN, 1.0), (1.0, 1.0)), ("fmax(x, y)", (1.0, 1.0), (1.0, 0.0)),
    ("fmin(x, y)", (1.0, 1.0), (1.0, 0.0)), ("amax(x)", ((1.0, 1.0),), ((0.5, 0.5),)),
    ("x**0", (0.0,), (0.0,)), ("x**1", (0.0,), (1.0,)), ("x**2", (0.0,), (0.0,)),
    ("x**0.5", (0.0,), (INF,)), ("x**-1", (0.0,), (-INF,)), ("x**-2", (0.0,), (-INF,)),
    ("x**y", (0.0, 2.0), (0.0, 0.0)), ("x**y", (0.0, 0.0), (0.0, 0.0)),
    ("x**y", (0.0, -1.0), (-INF, -INF)), ("x**y", (-1.0, 2.0), (-2.0, NAN)),
    ("sqrt(x)", (0.0,), (INF,)), ("rsqrt(x)", (0.0,), (-INF,)), ("sqrt(x)", (-1.0,), (NAN,)),
    ("sqrt(x**2)", (0.0,), (0.0,)), ("sqrt(x**2)", (1e-200,), (1.0,)),
    ("sqrt(x**2 + y**2)", (0.0, 0.0), (0.0, 0.0)),
    ("sqrt(x**2 + y**2)", (3e-200, 4e-200), (0.6, 0.8)),
    ("sqrt(x**2 + y**2)", (3e200, 4e200), (0.6, 0.8)),
    ("hypot(x, y)", (0.0, 0.0), (0.0, 0.0)), ("norm(x)", ((0.0, 0.0),), ((0.0, 0.0),)),
    ("atan2(x, y)", (0.0, 0.0), (0.0, 0.0)), ("atan2(x, y)", (1e-200, 1e-200), (5e199, -5e199)),
    ("atan2(x, y)", (1e200, 1e200), (5e-201, -5e-201)),
    ("xlogy(x, y)", (0.0, 0.0), (0.0, 0.0)), ("x*log(x)", (0.0,), (-INF,)),
    ("entr(x)", (0.0,), (INF,)), ("log(x)", (0.0,), (INF,)), ("log(x)", (-0.0,), (-INF,)),
    ("logaddexp(x, y)", (INF, INF), (0.5, 0.5)), ("logaddexp(x, y)", (-INF, -INF), (0.5, 0.5)),
    ("acos(x)", (1.0,), (-INF,)), ("asin(x)", (1.0,), (INF,)), ("acosh(x)", (1.0,), (INF,)),
    ("atanh(x)", (1.0,), (INF,)), ("sinc(x)", (0.0,), (0.0,)),
    ("sinc(x)", (1e-300,), (-math.pi**2 / 3 * 1e-300,)),
    ("copysign(x, y)", (0.0, 1.0), (0.0, 0.0)),
    ("fmod(x, y)", (4.0, 2.0), (1.0, -2.0)), ("remainder(x, y)", (4.0, 2.0), (1.0, -2.0)),
    ("heaviside(x, y)", (0.0, 0.3), (0.0, 1.0)), ("lgamma(x)", (0.0,), (-INF,)),
    ("silu(x)", (-INF,), (0.0,)), ("silu(x)", (INF,), (1.0,)), ("gelu(x)", (-INF,), (0.0,)),
    ("gelu(x)", (INF,), (1.0,)), ("mish(x)", (-INF,), (0.0,)), ("mish(x)", (INF,), (1.0,)),
    ("x/(1 + exp(-x))", (-INF,), (0.0,)), ("sigmoid(x)", (40.0,), (4.248354255291589e-18,)),
    ("tanh(x)", (20.0,), (1.6993417021166355e-17,)),
    ("exp(x) - 1", (-40.0,), (4.248354255291589e-18,)),
    ("log(1 + exp(x))", (-800.0,), (0.0,)), ("log(1 + exp(x))", (800.0,), (1.0,)),
    ("where(x > 0, x, exp(x) - 1)", (800.0,), (1.0,)),
    ("where(x != 0, sin(x)/x, 1)", (0.0,), (0.0,)),
    ("where(x > 0, sqrt(x), 0)", (-1.0,), (0.0,)), ("where(x > 0, log(x), 0)", (0.0,), (0.0,)),
    ("where(x < 1, exp(x), 1)", (800.0,), (0.0,)), ("where(x <= 0, 2*x, 3*x)", (0.0,), (2.0,)),
    ("where(x < 0, 2*x, 3*x)", (0.0,), (3.0,)), ("prod(x)", ((0.0, 2.0, 3.0),), ((6.0, 0.0, 0.0),)),
    ("prod(x)", ((0.0, 0.0, 3.0),), ((0.0, 0.0, 0.0),)),
]  # fmt: skip


def name(case):
    return f"{case[0]} at {case[1]}"


@pytest.mark.parametrize("case", POINTS, ids=name)
def test_gradient(case):
    formula, at, expected = case
    inputs = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in at]
    op = symop.compile(formula, args=("x", "y")[: len(inputs)])
    op(*inputs).backward()
    for value, wanted in zip(inputs, expected, strict=True):
        wanted = torch.tensor(wanted, dtype=torch.float64)
        torch.testing.assert_close(value.grad, wanted, rtol=4e-15, atol=0, equal_nan=True)


# Beyond the first order: nothing of a branch that is not taken.
@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize(
    ("formula", "at"),
    [("where(x > 0, sqrt(x), 0)", -1.0), ("where(x > 0, log(x), x)", 0.0),
     ("where(x < 1, exp(x), 1)", 800.0), ("where(x != 0, sin(x)/x, 1)", 0.0),
     ("where(x == 0, 1, x/(exp(x) - 1))", 0.0), ("where(x > 0, x**0.5, x**2)", 0.0),
     ("hypot(x, x)", 0.0), ("x/(1 + exp(-x))", -800.0), ("log(1 + x**2)", 1e200)],
)  # fmt: skip
def test_higher_orders_are_finite(formula, at, order):
    x = torch.tensor(at, dtype=torch.float64, requires_grad=True)
    value = symop.compile(formula)(x)
    for _ in range(order):
        if not value.requires_grad:
            break
        (value,) = torch.autograd.grad(value, x, create_graph=True)
        assert math.isfinite(value.item())


@pytest.mark.parametrize("backend", ["torch", "cpu"])
@pytest.mark.parametrize("formula", ["mean(x*w)", "mean((x - w)**2)", "sum(mean(x*w, 0)*v)"])
def test_a_mean_of_nothing_leaves_gradients_of_others_zero(formula, backend):
    op = symop.compile(formula, backend=backend)
    known = {"x": torch.zeros(0, 3), "w": torch.tensor(2.0), "v": torch.ones(3)}
    values = [known[n].requires_grad_() for n in op.args]
    grads = torch.autograd.grad(op(*values), values, create_graph=True)
    w = op.args.index("w")
    assert grads[w].item() == 0
    further = torch.autograd.grad(grads[w], values, allow_unused=True, materialize_grads=True)
    assert further[w].item() == 0
    assert further[op.args.index("x")].shape == (0, 3)


# Formulas whose values stand in several branches, with the formula that is left where every
# condition is false.
BRANCHED = [
    ("where(x > 0, sqrt(x), 0) + where(x > 1, x**2*sqrt(x), 0)", "0*x"),
    ("where(x > 0, log(x), 0) + where(x > 2, log(x)**2, x**3)", "x**3"),
    ("s = sqrt(x); where(x > 0, s, x**2)*where(x > 1, s, x)", "x**3"),
    ("where(x != 0, abs(x)**y, x)*exp(-x**2) + where(y > 0, x, x*y)", None),
    ("where(x > 0, where(x > 1, sqrt(x - 1), 0) + sqrt(x), x**2)", "x**2"),
    ("where(y > 0, sum(where(x > 0, log(x), x)), sum(x**2))", "sum(x**2) + 0*y"),
    ("where(sum(x) > 0, sum(log(x)), sum(x**3))", "sum(x**3)"),
    ("where(sum(x) > 0, prod(sqrt(x)), 1)*sum(x)", "sum(x)"),
    ("where(sum(x) > 0, prod(sqrt(x), 0)*y, y)", "y + 0*sum(x)"),
    ("where(sum(x) > 0, amax(log(x)), sum(x**2))", "sum(x**2)"),
    ("where(sum(x) > 0, sum(log(x))*y, y)", "y + 0*sum(x)"),
    ("where(x > 0, log(y)*x, x) + where(y > 0, log(y), y**2)", "x + y**2"),
    ("where(x > 0, log(y), 0) + where(x > 1, log(y)*x, 0) + where(y > 0, sqrt(y), x*y)", "x*y"),
]


@pytest.mark.parametrize("backend", one_in(2, ["torch", "cpu"]))
@pytest.mark.parametrize(("formula", "left"), BRANCHED, ids=[b[0] for b in BRANCHED])
def test_nothing_leaves_a_branch_that_is_not_taken(formula, left, backend):
    op = symop.compile(formula, args=("x", "y"), backend=backend)
    points = {"x": torch.tensor([-1.5, -0.25]), "y": torch.tensor([[-2.0], [-0.5]])}
    if left is None:
        points, left = {"x": torch.zeros(2), "y": torch.tensor(-1.5)}, "x*(exp(-x**2) + y)"
    results = []
    for f in (op, symop.compile(left, args=("x", "y"), backend="torch")):
        values = [v.double().requires_grad_() for v in points.values()]
        found = [f(*values)]
        for k in range(3):
            total = sum(((k + 1.5) * v).sum() for v in found[-len(values) :])
            if not total.requires_grad:
                total = total + sum((0 * v).sum() for v in values)
            found += torch.autograd.grad(total, values, create_graph=True, allow_unused=True,
                                         materialize_grads=True)  # fmt: skip
        results.append(found)
    # Third orders take some forty roundings of 2.2e-16.
    for value, wanted in zip(*results, strict=True):
        torch.testing.assert_close(value, wanted.broadcast_to(value.shape), rtol=1e-14, atol=1e-14)
