"""Formulas as blocks of mathematics: what was written, and derivatives, in the right places."""

from __future__ import annotations

import math

import pytest
import sympy
import torch

import symop
from symop.formulas import formula_lines
from symop.notation import derivative_lines, pretty_lines
from symop.plain import plain
from symop.showing import describe, show_text
from symop.symbolic import statement_expressions

P3 = """\
op(x)

formula
             3
          5⋅x  - 3⋅x
    out = ──────────
              2

derivatives
               2
    ∂out   15⋅x    3
    ──── = ───── - ─
     ∂x      2     2

gradients, from grad_out
    grad_x = grad_out·(15·x²/2 - 3/2)

saved for the gradients
    x  for grad_x

not saved
    out  not needed beside x

costs (bytes an element in float32, where all arguments are of one shape)
                           symop   autograd, operation by operation
    forward operations         5                                  5
    forward bytes              8                                 36
    backward operations        4                                  7
    backward bytes            12                                 64
    saved tensors              1                                  1
"""
LOSS = [
    "    ∂L",
    "    ── = sum(grad_out⋅(2⋅x - 2⋅y))",
    "    ∂x",
]


def blocks(formula, width=96):
    op = symop.compile(formula)
    return list(pretty_lines(op.written, formula_lines(plain(op.written)), width))


def test_all_of_a_description():
    assert show_text(symop.compile("0.5*(5*x**3-3*x)"), unicode=True) == P3


@pytest.mark.parametrize(
    ("formula", "lines"),
    [
        ("x/x", ["      x", "out = ─", "      x"]),
        ("a - (b - c)", ["out = a - (b - c)"]),
        ("w1*x + b1", ["out = w₁⋅x + b₁"]),
        ("omega*learning_rate", ["out = ω⋅learning_rate"]),
        ("t/sum(t, -1)", ["          t", "out = ──────────", "      sum(t, -1)"]),
        ("mean(x*y, (0, 1))", ["out = mean(x⋅y, (0, 1))"]),
        ("h = x*x; y = h + h", ["     2", "h = x", "y = h + h"]),
    ],
)
def test_what_was_written_is_shown_as_it_was_written(formula, lines):
    found = blocks(formula)
    if formula.startswith("h"):
        assert found[-1] == lines[-1]
    else:
        assert found == lines


def test_what_is_too_wide_stands_on_one_line():
    formula = "(a*x**2 + b*x + c)/(d*y**2 + e*y + f)"
    assert len(blocks(formula)) > 1
    assert blocks(formula, width=10) == ["out = (a·x² + b·x + c)/(d·y² + e·y + f)"]


@pytest.mark.parametrize(
    "formula",
    [
        "0.5*(5*x**3-3*x)",
        "exp(-(x - m)**2/(2*s**2))/(s*sqrt(2*pi))",
        "h = tanh(a*x); z = where(h > 0, h*b, h/b); out = z*z",
        "4*e*((s/r)**12 - (s/r)**6)",
        "x/x - (a - b)/(a*x)",
    ],
)
def test_statements_have_the_value_of_the_formula(formula):
    """Evaluated one after the other by sympy, against torch."""
    op = symop.compile(formula, backend="torch")
    values = {name: 0.3 + 0.4 * k for k, name in enumerate(op.args)}
    known = {sympy.Symbol(name): sympy.Float(value, 30) for name, value in values.items()}
    for name, expression in statement_expressions(op.written):
        known[sympy.Symbol(name)] = expression.subs(known).doit().evalf(25)
    expected = op(*(torch.tensor(v, dtype=torch.float64) for v in values.values())).item()
    assert math.isclose(float(known[sympy.Symbol(op.outputs[0])]), expected, rel_tol=1e-13)


def test_statements_do_not_write_a_long_program_out():
    lines = [f"v{k} = v{k - 1}*v{k - 1} + b" for k in range(1, 60)]
    op = symop.compile("\n".join(["v0 = a*b", *lines]))
    found = statement_expressions(op.written)
    assert max(e.count_ops() for _, e in found) < 5
    assert derivative_lines(op.written, 96) == []
    assert show_text(op, unicode=True)


def test_derivatives_behind_a_reduction_are_those_of_a_loss():
    text = show_text(symop.compile("sum((x - y)**2)"), unicode=True)
    assert "∂L" in text
    assert "∂out" not in text


def test_derivatives_that_would_be_puzzles_are_left_out():
    assert derivative_lines(symop.compile("x*y").written, 96)
    assert derivative_lines(symop.compile("a*b*c*d*e*f*g*h*k").written, 96) == []
    assert derivative_lines(symop.compile("x*y").written, 5) == []


def test_rewrites_are_named_with_what_they_gain():
    found = describe(symop.compile("x*log(1 + exp(y))"))
    (rule,) = found.rewrites
    assert (rule.name, rule.pattern) == ("softplus", "log(1 + exp(u))")
    assert rule.why == "overflows, and vanishes in the tail"
    assert found.computes == ("out = x*softplus(y)",)
    text = show_text(symop.compile("x*log(1 + exp(y))"), unicode=True)
    assert "softplus: overflows, and vanishes in the tail" in text
    assert "out = x·softplus(y)" in text
    assert describe(symop.compile("x*y")).rewrites == ()


@pytest.mark.parametrize(
    ("formula", "fused", "separate"),
    [
        # One pass reads each argument once and writes the result; autograd once an operation.
        ("x*y", (12, 20), (12, 24)),
        # The gradient of b is handed on; autograd writes w*x and reads it again.
        ("w*x + b", (16, 20), (24, 24)),
        # Sums hand on what they got.
        ("x + y", (12, 0), (12, 0)),
        # A loss: reads two and writes a number; its gradients read two and write two.
        ("sum((x - y)**2)", (8, 16), (24, 28)),
        # Three squares x*x, each with g*x twice and their sum under autograd.
        ("h = x*x; k = h*h; k*k", (8, 12), (24, 108)),
    ],
)
def test_bytes_are_those_of_the_tensors_that_are_read_and_written(formula, fused, separate):
    found = describe(symop.compile(formula))
    assert (found.fused.forward_bytes, found.fused.backward_bytes) == fused
    assert (found.separate.forward_bytes, found.separate.backward_bytes) == separate
