"""The oracle against derivatives in closed form: mpmath's own, and arithmetic."""

from __future__ import annotations

import math

import mpmath as mp
import pytest
import torch

import symop
from symop.oracle import exact_at, pairs_of
from symop.parsing import parse
from symop.torch_names import torch_function

POINTS = [0.7, -1.3, 1e-300, -5e-324, 1e300, 1e8]


def at(formula, *point, order=2):
    return exact_at(parse(formula), point, order)


def right(exact, expected, digits=2.0**-60):
    return exact.low == exact.high and abs(exact.low - expected) <= digits * abs(expected)


@pytest.mark.parametrize("x", POINTS)
def test_a_power_has_its_derivatives_at_every_size(x):
    found = at("x**3*y", x, 0.3)
    with mp.workprec(4000):
        a, b = mp.mpf(x), mp.mpf(0.3)
        expected = {
            (): a**3 * b, (0,): 3 * a**2 * b, (1,): a**3, (0, 0): 6 * a * b,
            (1, 1): mp.mpf(0), (0, 1): 3 * a**2,
        }  # fmt: skip
        assert set(found) == {(0, by) for by in expected}
        for by, value in expected.items():
            assert right(found[0, by], value), by


@pytest.mark.parametrize("x", POINTS)
def test_a_sum_with_one_keeps_the_digits_of_what_is_small(x):
    found = at("u = 1 + sin(x); u*u", x)
    with mp.workprec(6000):
        s, c = mp.sin(mp.mpf(x)), mp.cos(mp.mpf(x))
        assert right(found[0, (0,)], 2 * (1 + s) * c)
        assert right(found[0, (0, 0)], 2 * (c * c - s - s * s))


def test_spreads_are_what_rounding_the_inputs_does():
    x, y = 20.7, 0.6
    found = at("sin(x)*exp(y)", x, y)
    s, c, e = math.sin(x), math.cos(x), math.exp(y)
    for by, expected in {
        (): abs(x * c * e) + abs(y * s * e),
        (0,): abs(c * e) + abs(x * s * e) + abs(y * c * e),
        (0, 0): abs(s * e) + abs(x * c * e) + abs(y * s * e),
    }.items():
        assert float(found[0, by].spread) == pytest.approx(expected, rel=1e-9)


def test_a_kink_has_the_slopes_of_both_sides_and_no_second_derivative():
    found = at("abs(x) + relu(3*x)", 0.0)
    assert (found[0, (0,)].low, found[0, (0,)].high) == (-1, 4)
    assert (0, (0, 0)) not in found
    assert at("where(x > 0, x**2, 0)", 0.0)[0, (0, 0)].high == pytest.approx(2)
    assert at("where(x > 0, x**2, 0)", 0.0)[0, (0, 0)].low == 0


@pytest.mark.parametrize(
    ("formula", "x"), [("sqrt(x)", 0.0), ("log(x)", -1.0), ("floor(x)", 2.0), ("1/x", 0.0)]
)
def test_edges_of_the_domain_and_jumps_are_not_known(formula, x):
    assert not at(formula, x)[0, (0,)].is_known


@pytest.mark.parametrize(("x", "value"), [(math.inf, 1), (-math.inf, 0)])
def test_infinite_arguments_have_limits(x, value):
    found = at("sigmoid(x)", x)
    assert found[0, ()].low == value
    assert (0, (0,)) not in found
    assert not at("sigmoid(x)", math.nan)[0, ()].is_known


def test_higher_precision_agrees_where_the_first_was_enough():
    first, again = (exact_at(parse("lgamma(x)"), (2.5,), 2, f) for f in (1, 2))
    for quantity, exact in first.items():
        assert again[quantity].agrees(exact)
    wrong = exact_at(parse("lgamma(x) + x*1e-12"), (2.5,), 2)
    assert not wrong[0, (0,)].agrees(first[0, (0,)])


def test_mixed_derivatives_of_many_arguments_are_left_out():
    assert len(pairs_of(3)) == 6
    assert pairs_of(7) == [(i, i) for i in range(7)]


@pytest.mark.parametrize(
    ("formula", "values", "expected"),
    [
        ("gelu(x)", (0.4,), torch.nn.functional.gelu),
        ("hypot(x, y)", (3.0, 4.0), torch.hypot),
        ("clamp(x, -1, 0.5)", (0.7,), lambda x: torch.clamp(x, -1, 0.5)),
        ("log_ndtr(x)", (-2.0,), torch.special.log_ndtr),
        ("x*y", (1.0, 2.0), None),
        ("exp(x) + y", (1.0, 2.0), None),
        ("xlogy(x, x)", (2.0,), lambda x: torch.xlogy(x, x)),
    ],
)
def test_the_function_of_torch_for_a_whole_formula(formula, values, expected):
    op = symop.compile(formula)
    found = torch_function(op.program, op._formula.text)
    if expected is None:
        assert found is None
    else:
        tensors = [torch.tensor(v) for v in values]
        assert torch.equal(found(*tensors), expected(*tensors))


@pytest.mark.parametrize(("formula", "x", "value"), [
    ("1 - exp(-exp(x))", 1e300, 1), ("tanh(exp(x))", 1e300, 1), ("exp2(-exp(exp(x)))", 700, 0),
    ("log(exp(x))", 1e300, 1e300), ("cosh(-exp(x))/exp(exp(x))", 3, None),
])  # fmt: skip
def test_towers_of_exponentials_end(formula, x, value):
    found = exact_at(parse(formula), [x], 0)[0, ()].low
    assert value is None or found == value
