"""What is shown of a program: public functions only, equal to the internal ones."""

from __future__ import annotations

import re

import mpmath as mp
import numpy as np
import pytest

import symop
from symop.differentiation import vjp
from symop.evaluation import evaluate
from symop.formulas import SHOWN, formula_lines
from symop.functions import table
from symop.parsing import expand, parse
from symop.plain import FORMULAS, RESTS, moment, plain, rest, scaled_slope, stumpff
from symop.program import Argument, Builder, Output, Program
from symop.showing import latex_text, show_text, steps_text

FAMILIES = {"scaled_i_slope", "scaled_k_slope", "boys", "stumpff", *RESTS}
INTERNAL = {name for name, function in table().items() if function.internal}
WORD = re.compile(r"[A-Za-z_]\w*(?=\()")


def program_of(text, names):
    build = Builder()
    arguments = tuple(Argument(n, (n,)) for n in names)
    root = expand(build, text, {a.name: build.argument(a) for a in arguments})
    return Program(arguments, tuple(build.nodes), (Output("out", root, build.frame(root)),))


def value(program, point):
    return evaluate(program, {n: np.array([v], dtype=object) for n, v in point.items()})[0].flat[0]


def test_every_internal_function_is_shown_as_something():
    assert {*FORMULAS, *SHOWN, *FAMILIES} == INTERNAL


@pytest.mark.parametrize("name", sorted(FORMULAS))
def test_plain_formulas_are_equal(name):
    record = table()[name]
    low, high = record.domain
    program = program_of(FORMULAS[name], record.parameters)
    with mp.workdps(60):
        for share in ("0.13", "0.55", "0.91"):
            at = low + (high - low) * mp.mpf(share)
            point = [at + k * (high - at) / 3 for k in range(len(record.parameters))]
            shown = value(program, dict(zip(record.parameters, point, strict=True)))
            assert mp.almosteq(shown, record.reference(*point), rel_eps=mp.mpf(10) ** -40)


@pytest.mark.parametrize("kind", ["i", "k"])
@pytest.mark.parametrize(("times", "order"), [(0, 1), (1, 0), (2, 1), (3, 2)])
def test_slopes_of_scaled_functions_are_equal(kind, times, order):
    program = program_of(scaled_slope(kind == "i", times, order), ["x"])
    with mp.workdps(60):
        shown = value(program, {"x": mp.mpf("1.7")})
        true = table()[f"scaled_{kind}_slope"].reference(times, order, mp.mpf("1.7"))
        assert mp.almosteq(shown, true, rel_eps=mp.mpf(10) ** -40)


@pytest.mark.parametrize("order", range(6))
def test_moments_are_equal(order):
    for name, text in (("boys", moment(order)), ("stumpff", stumpff(order))):
        with mp.workdps(60):
            shown = value(program_of(text, ["x"]), {"x": mp.mpf("1.7")})
            true = table()[name].reference(order, mp.mpf("1.7"))
            assert mp.almosteq(shown, true, rel_eps=mp.mpf(10) ** -40)


@pytest.mark.parametrize("orders", [(3, 0, 0), (3, 3, 1), (5, 2, 2)])
@pytest.mark.parametrize("name", sorted(RESTS))
def test_rests_are_equal(name, orders):
    with mp.workdps(60):
        shown = value(program_of(rest(RESTS[name], *orders), ["x"]), {"x": mp.mpf("0.7")})
        true = table()[name].reference(*orders, mp.mpf("0.7"))
        assert mp.almosteq(shown, true, rel_eps=mp.mpf(10) ** -40)


def names_in(text):
    return set(WORD.findall(text)) & INTERNAL


@pytest.mark.parametrize("name", sorted({f.name for f in table().values() if not f.internal}))
def test_derivatives_of_functions_name_public_functions_only(name):
    record = table()[name]
    values = ["2" if p in record.literals else p for p in record.parameters]
    program = vjp(parse(f"{name}({', '.join(values)})"))
    assert not names_in("\n".join(formula_lines(plain(program))))
    assert not names_in("\n".join(formula_lines(plain(vjp(program)))))


FORMULAS_SHOWN = [
    "log(1 + exp(x))", "sin(x)/x", "exp(x)/(exp(x) + exp(y))", "log(1 - exp(-x))", "mish(x)",
    "1/tanh(x) - 1/x", "lgamma(x + 1/2) - lgamma(x)", "x**3/(exp(x) - 1)", "gelu(x)",
    "sqrt(1 + x**2) - 1", "besselj(2, x)", "t = log(1 + exp(x)); t*y",
]  # fmt: skip


@pytest.mark.parametrize("formula", FORMULAS_SHOWN)
def test_no_internal_name_reaches_the_user(formula):
    op = symop.compile(formula)
    shown = [str(e) for e in (*op.expressions.values(), *op.gradients.values())]
    shown += [show_text(op), show_text(op, unicode=True), steps_text(op), latex_text(op)]
    shown += [op.source.split('"""')[1], *op.text, *op.vjp.text, *op.jvp.text, repr(op.d("x"))]
    assert not names_in("\n".join(shown))


def test_expressions_are_those_that_were_written():
    op = symop.compile("log(1 + exp(x))")
    assert str(op.expressions["out"]) == "log(exp(x) + 1)"
    assert str(op.gradients["out", "x"]) == "exp(x)/(exp(x) + 1)"
    assert "grad_x = grad_out*sigmoid(x)" in op.source
