"""Formulas given as sympy expressions, and ops shown as them."""

from __future__ import annotations

import time

import pytest
import sympy as sp
import torch

import symop

x, y, w = sp.symbols("x y w")
D = torch.float64
POINTS = {"x": 0.7, "y": 1.3, "w": -0.4}

EXPRESSIONS = [
    x**2 + 3 * x * y - sp.Rational(1, 3),
    sp.exp(-(x**2) / 2) / sp.sqrt(2 * sp.pi),
    sp.Abs(w) + sp.Max(x, 0, y) * sp.Min(w, 2),
    sp.Piecewise((x, x > 1), (sp.exp(x) - 1, w < 0), (7, True)),
    sp.log(x) * sp.sin(x) / (1 + x**2),
    sp.Float("0.1") * x + sp.E,
    sp.legendre(3, x) + sp.chebyshevt(4, x),
    1 / sp.sqrt(x) + x ** sp.Rational(-3, 2),
    x**y,
    sp.sinc(x) + sp.erf(x) * sp.loggamma(y),
    sp.atan2(x, y) + sp.tanh(w) - sp.floor(y) + sp.ceiling(y) + sp.Mod(y, x),
    sp.Piecewise((x, sp.And(x > 0, sp.Not(y < 0))), (y, True)),
    sp.Heaviside(x) * x - y / (x * w**2),
]


@pytest.mark.parametrize("expression", EXPRESSIONS, ids=str)
def test_value_and_gradient_are_those_of_sympy(expression):
    op = symop.compile(expression)
    names = sorted(str(s) for s in expression.free_symbols)
    assert list(op.args) == names
    inputs = [torch.tensor(POINTS[n], dtype=D, requires_grad=True) for n in names]
    at = {sp.Symbol(n): POINTS[n] for n in names}
    value = op(*inputs)
    assert value.item() == pytest.approx(float(expression.subs(at)), rel=1e-13)
    value.backward()
    for name, tensor in zip(names, inputs, strict=True):
        h = sp.Float("1e-20", 50)
        here = sp.Float(POINTS[name], 50)
        rest = {s: sp.Float(v, 50) for s, v in at.items() if str(s) != name}
        line = expression.subs(rest)
        if line.has(sp.floor, sp.ceiling, sp.Mod, sp.Piecewise, sp.Heaviside):
            continue
        s = sp.Symbol(name)
        slope = (line.subs(s, here + h) - line.subs(s, here - h)).evalf(50) / (2 * h)
        assert tensor.grad.item() == pytest.approx(float(slope), rel=1e-11)


def test_arguments_are_sorted_unless_args_says_otherwise():
    assert symop.compile(y + x * w).args == ("w", "x", "y")
    assert symop.compile(y + x * w, args=("y", "x", "w")).args == ("y", "x", "w")
    op = symop.compile({"h": x * w, "k": x - w})
    assert (op.args, op.outputs) == (("w", "x"), ("h", "k"))


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        (sp.I * x, "no finite real number"),
        (sp.oo * x, "no finite real number"),
        (sp.Symbol("x;import os") * 2, "is no name"),
        (sp.Symbol("__class__") * 2, "reserved"),
        (sp.Function("f")(x), "f cannot stand"),
        (sp.Function("exp")(x), "exp cannot stand"),
        (sp.Derivative(sp.Function("g")(x), x), "Derivative cannot stand"),
        (sp.Integral(x, x), "Integral cannot stand"),
        (x > 0, "condition, not a number"),
        (sp.Matrix([x]), "no sympy expression"),
        (sp.sqrt(-1) * x, "no finite real number"),
        (sp.Integer(3), "no argument"),
    ],
    ids=str,
)
def test_refusals(expression, message):
    start = time.perf_counter()
    with pytest.raises(symop.FormulaError, match=message):
        symop.compile(expression)
    assert time.perf_counter() - start < 0.5


def test_several_problems_are_reported_together():
    with pytest.raises(symop.FormulaError) as caught:
        symop.compile(sp.Function("f")(x) + sp.Function("g")(y))
    assert len(caught.value.problems) == 2


def test_expressions_and_gradients():
    P3 = symop.compile("0.5*(5*x**3-3*x)")
    assert sp.expand(P3.expressions["out"] - (5 * x**3 - 3 * x) / 2) == 0
    assert P3.gradients == {("out", "x"): 15 * x**2 / 2 - sp.Rational(3, 2)}
    b, grad = sp.Symbol("b"), sp.Symbol("grad_out")
    affine = symop.compile("w*x + b")
    assert affine.expressions == {"out": w * x + b}
    assert affine.gradients == {("out", "w"): x, ("out", "x"): w, ("out", "b"): 1}
    assert symop.compile("sum(x**2)").gradients == {("out", "x"): 2 * grad * x}
    kink = symop.compile("where(x > 0, x, sin(x))").gradients["out", "x"]
    assert kink == sp.Piecewise((1, x > 0), (sp.cos(x), True))
    assert "aligned" in P3._repr_latex_()
