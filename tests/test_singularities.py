"""Values and derivatives of two orders at removable singularities and beside them."""

from __future__ import annotations

from functools import cache

import mpmath as mp
import numpy as np
import pytest
import torch

import symop
from symop.evaluation import evaluate
from symop.parsing import parse

STEP = mp.mpf(10) ** -60
# Formulas of x, where each has no value, and further points.
FORMULAS = {
    "erf(x)/x": (0, 1e-9, 0.3, -2.0, 2.5, 30.0),
    "(x - sin(x))/x**3": (0, 1e-9, 0.3, -2.4, 2.6, 4.0, 40.0),
    "(sin(x) - x*cos(x))/x**3": (0, 1e-9, 0.3, -1.4, 40.0),
    "(x**2/2 - 1 + cos(x))/x**4": (0, 1e-9, 0.3, 2.9, 3.1, 4.2, 40.0),
    "sin(x)/x**2 - cos(x)/x": (0, 1e-9, 0.3, 1.4),
    "(tan(x) - x)/x**3": (0, 1e-9, 0.3, -1.1, 1.3),
    "(x - sin(x))/(x - tan(x))": (0, 1e-9, 0.3, -1.1, 1.3),
    "(exp(x) - 1 - x)/x**2": (0, 1e-9, 0.9, -2.5, 2.1, -40.0, 30.0),
    "log(x)/(x - 1)": (1, 1 + 2**-30, 0.6, 1.9, 2.5, 1e5, 1e-5),
    "(x - 1)/log(x)": (1, 1 + 2**-30, 0.6, 1.9, 2.5, 1e5, 1e-5),
    "1/log(1 + x) - 1/x": (0, 1e-9, 0.5, -0.5, 3.9, 4.1, 1e5),
    "1/x - 1/sin(x)": (0, 1e-9, 0.5, -2.0),
    "(log(1 + x) - x)/x**2": (0, 1e-9, 0.5, -0.5, 1e5),
    "(1 - (1 + x)**(-12.5))/x": (0, 1e-9, 0.3, -0.3, 2.0),
    "x/((1 + x)**20.5 - 1)": (0, 1e-9, 0.1, -0.1),
    "(3**x - 1)/x": (0, 1e-9, 0.3, -3.0),
    "(sqrt(1 + x**2) - 1)/x": (0, 1e-9, 0.3, -3.0, 1e5),
    "(sqrt(1 + x**2) - 1)/x**2": (0, 1e-9, 0.3, -3.0, 1e5),
    "(sqrt(1 + x) - 1)/x": (0, 1e-9, 0.3, -0.5, 1e5),
    "log(1 + x**2)/x**2": (0, 1e-9, 0.3, -3.0, 1e5),
    "(1 - exp(-x**2))/x": (0, 1e-9, 0.3, -3.0, 20.0),
    "(1 - (1 + x)*exp(-x))/x**2": (0, 1e-9, 0.3, -1.5, 20.0),
    "(cosh(x) - 1)/x**2": (0, 1e-9, 0.3, -1.5, 20.0),
    "(x**1.5 - 1)/1.5": (1, 1.001, 0.2, 30.0),
    "(exp(3*x) - exp(x))/x": (0, 1e-9, 0.3, -3.0, 5.0),
}
# In ULP, where it is more than 8, for derivatives near their roots.
LARGER = {
    ("(x**2/2 - 1 + cos(x))/x**4", 2.9): 16,
    # The second derivative of a quotient, near the pole of tan.
    ("(x - sin(x))/(x - tan(x))", -1.1): 24,
}
POINTS = [(formula, at) for formula, points in FORMULAS.items() for at in points]


@cache
def true(formula, at):
    """The value and two derivatives, from values around the point."""
    program = parse(formula)
    with mp.workdps(500):
        step = STEP * max(abs(mp.mpf(at)), mp.mpf(10) ** -9)
        around = [mp.mpf(at) + k * step for k in (-2, -1, 1, 2)]
        a, b, c, d = evaluate(program, {"x": np.array(around, dtype=object)})[0]
        here = (4 * (b + c) - (a + d)) / 6
        return here, (8 * (c - b) - (d - a)) / (12 * step), (b + c - 2 * here) / step**2


@pytest.mark.parametrize(("formula", "at"), POINTS)
def test_value_and_two_derivatives(formula, at):
    x = torch.tensor(float(at), dtype=torch.float64, requires_grad=True)
    value = symop.compile(formula)(x)
    (first,) = torch.autograd.grad(value, x, create_graph=True)
    (second,) = torch.autograd.grad(first, x)
    value_true, *slopes = true(formula, at)
    for found, exact, before in (
        (value, value_true, 0), (first, slopes[0], value_true), (second, slopes[1], slopes[0])
    ):  # fmt: skip
        if abs(exact) < mp.mpf(10) ** -40:
            exact = mp.mpf(0)
        # What rounding x once does to it, four times, beside 8 ULP.
        spread = abs(at * slopes[0]) if before == 0 else abs(at * slopes[1])
        ulp = mp.mpf(2) ** (int(mp.mag(exact)) - 53) if exact else mp.mpf(2) ** -60
        bound = max(LARGER.get((formula, at), 8) * ulp, 4 * mp.mpf(2) ** -53 * spread)
        assert abs(mp.mpf(found.item()) - exact) <= bound, (found.item(), exact)


@pytest.mark.parametrize(
    "formula", ["(x - sin(x))/x**3", "1/x - 1/sin(x)", "(x - sin(x))/(x - tan(x))"]
)
def test_second_derivatives_by_an_op_of_their_own(formula):
    second = symop.compile(formula).d("x", 2)(torch.tensor([0.0, 0.3], dtype=torch.float64))
    for found, at in zip(second.tolist(), (0, 0.3), strict=True):
        assert abs(mp.mpf(found) - true(formula, at)[2]) < 1e-13
