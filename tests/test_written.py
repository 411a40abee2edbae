"""What an op is held against is the formula as it was written: wrong rewrites show."""

from __future__ import annotations

import mpmath as mp
import pytest
import torch

import symop
import symop.compiler
from symop.errors import CheckError
from symop.identities import REWRITES
from symop.oracle import exact_at
from symop.parsing import parse
from symop.rewriting import rewrite
from symop.rules import Rewrite
from tests.test_generated_tests import run

FORMULA = "y*(cosh(x) + 2)"
# The third is right wherever x is positive.
WRONG = [
    Rewrite("off in its fifth digit", "cosh(u)", "1.00001*(exp(u) + exp(-u))/2", "", ""),
    Rewrite("even made odd", "cosh(u)", "exp(u) - sinh(-u)", "", ""),
    Rewrite("wrong below zero", "cosh(u)", "where(u < 0, 2, exp(u) - sinh(u))", "", ""),
]


@pytest.fixture(params=WRONG, ids=lambda rule: rule.name)
def planted(request, monkeypatch):
    rules = [*REWRITES, request.param]
    monkeypatch.setattr(symop.compiler, "rewrite", lambda program: rewrite(program, rules))
    return request.param


def compiled():
    op = symop.compile(FORMULA, name="planted")
    assert op.program != op.written, "the rule was not used"
    return op


def test_a_check_sees_a_wrong_rewrite(planted):
    report = compiled().check()
    assert not report, str(report)
    assert "wrong beyond rounding" in str(report)


def test_a_generated_test_sees_a_wrong_rewrite(planted, monkeypatch):
    wrong = compiled().source
    monkeypatch.undo()
    right = symop.generate(FORMULA, name="planted")
    assert run(right.files["planted.py"], right.files["test_planted.py"], "planted") is None
    assert run(wrong, right.files["test_planted.py"], "planted") is not None


def test_no_test_is_generated_for_a_wrong_rewrite(planted):
    with pytest.raises(CheckError, match="a fault in symop"):
        symop.generate(FORMULA, name="planted")


def test_what_was_written_is_kept():
    op = symop.compile("log(1 + exp(x))")
    assert op.written == parse("log(1 + exp(x))")
    assert {node.op for node in op.written.nodes} >= {"log", "exp"}
    assert op.vjp.written is op.vjp.program


CANCELLING = [
    ("log(1 + exp(x))", -700.0, lambda x: mp.log1p(mp.exp(x))),
    ("1 - erf(x)", 25.0, mp.erfc),
    ("x - sin(x)", 1e-100, lambda x: x**3 / 6),
    ("1 - cos(x)", 1e-150, lambda x: x**2 / 2),
    ("sqrt(x + 1) - sqrt(x)", 1e300, lambda x: 1 / (2 * mp.sqrt(x))),
    ("1/x - 1/(x + 1)", 1e-300, lambda x: 1 / x / (x + 1)),
]


@pytest.mark.parametrize(("formula", "x", "value"), CANCELLING)
@pytest.mark.parametrize("order", [0, 1, 2])
def test_the_oracle_sees_through_what_cancels(formula, x, value, order):
    exact = exact_at(parse(formula), [x], order)
    with mp.workprec(3000):
        assert mp.almosteq(exact[0, ()].low, value(mp.mpf(x)), rel_eps=mp.mpf(2) ** -80)
        if order:
            slope = mp.diff(value, mp.mpf(x), h=mp.mpf(x) * mp.mpf(2) ** -200)
            assert mp.almosteq(exact[0, (0,)].low, slope, rel_eps=mp.mpf(2) ** -60)


def test_reductions_of_what_cancels_hold_far_out():
    x = torch.tensor([[-600.0, -620.0], [-300.0, -650.0]], dtype=torch.float64)
    report = symop.compile("sum(log(1 + exp(x)), -1)").check((x,))
    assert report.is_accurate, str(report)
    # An oracle that lost the digits would take the value for 0, and any small number for right.
    out = next(a for a in report.accuracies if (a.dtype, a.quantity) == ("float64", "out"))
    assert out.worst > 1e-3


def test_removable_singularities_have_their_limits():
    exact = exact_at(parse("sin(x)/x"), [0.0], 2)
    assert all(e.is_limit for e in exact.values())
    with mp.workprec(200):
        expected = {(): mp.mpf(1), (0,): mp.mpf(0), (0, 0): -mp.mpf(1) / 3}
        for by, true in expected.items():
            assert abs(exact[0, by].low - true) < mp.mpf(2) ** -80
    assert not exact_at(parse("x*log(x)"), [0.0], 2)[0, ()].is_known
    assert not exact_at(parse("abs(x)/x"), [0.0], 2)[0, ()].is_known
