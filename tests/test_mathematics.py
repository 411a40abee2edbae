"""Formulas as LaTeX and MathML."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET

import pytest

import symop
from symop.errors import CallError
from symop.mathematics import (
    Equation,
    aligned,
    formula_equations,
    gradient_equations,
    mathml,
    symbol,
)
from tests.corpus import CASES

SPACE = "{http://www.w3.org/1998/Math/MathML}"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x", "x"), ("w1", "w_{1}"), ("beta", r"\beta"), ("out", r"\mathrm{out}"),
        ("grad_out", r"\mathrm{grad\_out}"), ("x_0", "x_{0}"), ("Sigma", r"\Sigma"),
    ],
)  # fmt: skip
def test_names(name, text):
    assert symbol(name) == text


def test_partial_derivatives_are_those_of_the_output():
    op = symop.compile("y = w*x")
    left = [e.left for e in gradient_equations(op.written)]
    assert left == [r"\frac{\partial y}{\partial w}", r"\frac{\partial y}{\partial x}"]


def test_gradients_behind_reductions_are_those_of_a_loss():
    op = symop.compile("logsumexp(x, -1)")
    (equation,) = gradient_equations(op.written)
    assert equation.left == r"\frac{\partial L}{\partial x}"
    assert r"\mathrm{grad\_out}" in equation.right
    assert r"\operatorname{sum}_{-1}\left(" in equation.right
    # A quotient, not a product with the inverse function.
    assert "^{-1}" not in equation.right


@pytest.mark.parametrize("name", CASES)
def test_mathml_of_every_formula_is_well_formed(name):
    pytest.importorskip("docutils")
    op = symop.compile(CASES[name].formula)
    equations = [*formula_equations(op.written), *gradient_equations(op.written)]
    tree = ET.fromstring(mathml(equations))
    rows = tree.find(f"{SPACE}mtable").findall(f"{SPACE}mtr")
    assert len(rows) == len(equations)
    assert not tree.findall(f".//{SPACE}merror")


def test_text_is_aligned_at_its_signs():
    lines = aligned([Equation("a", "1"), Equation("b", "2")]).splitlines()
    assert lines == [r"\begin{aligned}", r"a &= 1 \\", "b &= 2", r"\end{aligned}"]


def test_every_case_of_a_piecewise_function_is_there():
    pytest.importorskip("docutils")
    tree = ET.fromstring(mathml(formula_equations(symop.compile("where(x > 0, x, 7)").written)))
    (inner,) = tree.findall(f".//{SPACE}mtd//{SPACE}mtable")
    cells = ["".join(cell.itertext()).split() for cell in inner.iter(f"{SPACE}mtd")]
    assert [" ".join(c) for c in cells] == ["x", "for x > 0", "7", "otherwise"]


def test_signs_are_escaped_in_mathml():
    pytest.importorskip("docutils")
    text = mathml(formula_equations(symop.compile("where(x < 0, 0, x)").written))
    assert "<mo>&lt;</mo>" in text


def test_without_docutils_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "docutils.utils.math.latex2mathml", None)
    with pytest.raises(CallError, match=r"pip install .*docutils"):
        mathml([Equation("x", "1")])
