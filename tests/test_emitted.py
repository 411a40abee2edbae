"""Whatever sympy expression is given, what is emitted has ordinary operations only."""

from __future__ import annotations

import re

import pytest
import sympy
import torch

import symop
from symop.showing import show_text

x, y = sympy.symbols("x y")
r = sympy.Symbol("r", real=True)
p = sympy.Symbol("p", positive=True)

EXPRESSIONS = [
    sympy.Abs(x) * y, sympy.Abs(x) ** 3, sympy.Abs(x**2 - y), sympy.Abs(r) ** 2 * x,
    sympy.sign(x) * x**2, sympy.sign(x - y) * sympy.exp(x), sympy.Max(x, y) ** 2,
    sympy.Max(x, y, x * y), sympy.Max(x, 0) * y, sympy.Min(x, y, 1), sympy.Min(sympy.Max(x, -1), 1),
    sympy.Heaviside(x) * x**2, sympy.Heaviside(x - y, 0) * y, sympy.Heaviside(x, 1) * x,
    sympy.Piecewise((x**2, x > y), (sympy.sin(x), x > 0), (y, True)),
    sympy.Piecewise((sympy.sqrt(p), p > 1), (sympy.log(p), True)),
    sympy.floor(x) * y**2, sympy.ceiling(x * y), sympy.frac(x) * x, sympy.Mod(x, y),
    sympy.Mod(x, 2) * y, sympy.floor(sympy.Abs(x)) + sympy.Max(sympy.sign(x), y),
    sympy.sqrt(x**2), sympy.Abs(sympy.sin(x)),
    sympy.Piecewise((sympy.Abs(x), sympy.And(x > -1, x < 1)), (sympy.Max(x, y), True)),
    sympy.Heaviside(x) * sympy.sign(y) * sympy.Min(x, y) ** 2, sympy.atan2(x, y) * sympy.Abs(y),
    sympy.diff(sympy.Abs(r) ** 3), sympy.diff(sympy.Max(x, y) ** 2, x),
]  # fmt: skip
FORBIDDEN = re.compile(
    r"Heaviside|DiracDelta|Derivative|Subs|Integral|Piecewise|Lambda|sympy|\bre\(|\bim\(|conjugate"
)


def everything(op):
    """What is emitted for an op and its derivatives to second order."""
    texts = [op.source, op.vjp.source, op.jvp.source, op.vjp.vjp.source]
    for name in op.args:
        texts += [op.d(name).source, op.d(name, 2).source]
    return texts


@pytest.mark.parametrize("expression", EXPRESSIONS, ids=str)
def test_no_symbol_of_calculus_is_emitted(expression):
    op = symop.compile(expression, name="emitted")
    for text in everything(op):
        assert not FORBIDDEN.search(text)
    shown = " ".join(map(str, (*op.expressions.values(), *op.gradients.values())))
    assert not re.search("DiracDelta|Derivative|Subs", shown)
    assert "DiracDelta" not in show_text(op)
    values = torch.tensor([0.3, 1.7, 2.0], dtype=torch.float64)
    inputs = [(values + k).requires_grad_() for k in range(len(op.args))]
    first = torch.autograd.grad(op(*inputs).sum(), inputs, create_graph=True)
    total = sum(g.sum() for g in first)
    # The gradient of a rounding is a constant.
    second = ()
    if total.requires_grad:
        second = torch.autograd.grad(total, inputs, allow_unused=True)
    assert all(torch.isfinite(g).all() for g in (*first, *second) if g is not None)


@pytest.mark.parametrize("expression", EXPRESSIONS[::6], ids=str)
def test_no_symbol_of_calculus_is_in_a_generated_file(expression):
    for text in symop.generate(expression, name="emitted").files.values():
        assert not FORBIDDEN.search(text)


@pytest.mark.parametrize(
    "expression",
    [
        sympy.DiracDelta(x), sympy.Derivative(sympy.Function("f")(x), x), sympy.Integral(x, x),
        sympy.diff(sympy.Max(x, y), x, 2), sympy.diff(sympy.sign(r)), sympy.re(x),
        sympy.diff(sympy.floor(x), x),
    ],
    ids=str,
)  # fmt: skip
def test_what_has_no_value_is_refused(expression):
    with pytest.raises(symop.SymopError):
        symop.compile(expression)
