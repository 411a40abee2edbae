"""What a notebook shows of an op, and of a fault in a formula."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest

import symop


class Text(HTMLParser):
    """The text of a page, and the elements that it has."""

    def __init__(self, page):
        super().__init__()
        self.text, self.elements = "", []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)

    def handle_data(self, data):
        self.text += data


def test_an_op_shows_formula_gradients_and_plot():
    pytest.importorskip("matplotlib")
    op = symop.compile("x*sigmoid(beta*x)", name="swish")
    page = op._repr_html_()
    shown = Text(page)
    assert "swish(x, beta)" in shown.text
    assert r"\frac{\partial \mathrm{out}}{\partial \beta} &= x^{2}" in shown.text
    ET.fromstring(page[page.index("<svg") :])


def test_conditions_are_escaped():
    page = symop.compile("where(x < y, x, y)")._repr_html_()
    assert "x < y" in Text(page).text
    assert "x < y" not in page


def test_an_op_with_reductions_has_no_plot():
    page = symop.compile("softmax(x, -1)")._repr_html_()
    assert "svg" not in Text(page).elements


def test_without_matplotlib_there_is_no_plot(monkeypatch):
    monkeypatch.setitem(sys.modules, "symop.drawing", None)
    page = symop.compile("x**2")._repr_html_()
    assert "svg" not in Text(page).elements
    assert r"\mathrm{out} &= x^{2}" in Text(page).text


def test_latex_is_between_dollars():
    text = symop.compile("y = a*x")._repr_latex_()
    assert text.startswith("$$")
    assert "y &= a x" in text


def fault(formula):
    with pytest.raises(symop.FormulaError) as caught:
        symop.compile(formula)
    return caught.value


def test_a_fault_shows_its_caret():
    error = fault("x + sni(x)")
    lines = error._render_traceback_()
    assert "\n".join(lines).endswith(str(error))
    assert lines[-1].strip() == "^" * 6
    assert lines[-1].index("^") == lines[-2].index("sni")
    # The place is the user's; frames inside symop say nothing about a formula.
    assert __file__ in lines[0]
    assert not any("parsing.py" in line for line in lines)


def test_a_hostile_formula_is_escaped():
    page = fault("<script>alert(1)</script>")._repr_html_()
    assert Text(page).elements == ["pre"]
    assert "<script>" in Text(page).text
