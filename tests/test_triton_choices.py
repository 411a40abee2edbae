"""Choices between quotients, as kernels of Triton compute them."""

import numpy as np
import pytest
from mpmath import mpf

from symop.backends.triton_choices import with_fewer_divisions
from symop.evaluation import evaluate
from symop.parsing import parse


def divisions(program):
    return sum(node.op == "div" for node in program.nodes)


@pytest.mark.parametrize(
    ("formula", "before", "after"),
    [
        ("where(x > 0, x/(1 + y), y/(2 + x))", 2, 1),
        ("where(x > 0, x/(1 + y), y/(1 + y))", 2, 1),
        ("where(x > 0, y*(x/(1 + y)), x*(y/(2 + x)))", 2, 1),
        ("where(x > 0, (x/(1 + y))*y, x*(y/(2 + x)))", 2, 1),
        ("where(x > 0, where(y > x, x/y, y/x), y/(2 + x))", 3, 2),
        # What is read elsewhere too is computed anyway.
        ("q = x/(1 + y); r = where(x > 0, q, y/(2 + x)); s = q + r", 2, 2),
        # One of the two is no quotient, or one by a number.
        ("where(x > 0, x/(1 + y), y)", 1, 1),
        ("where(x > 0, x/3, y/(1 + x))", 2, 2),
        ("where(x > 0, x/(1 + y), y*(x/(2 + y)))", 2, 2),
    ],
)
def test_two_quotients_become_one_of_the_same_value(formula, before, after):
    program = parse(formula)
    made = with_fewer_divisions(program)
    assert (divisions(program), divisions(made)) == (before, after)
    points = np.random.default_rng(1).normal(size=(2, 20))
    x, y = (np.array([mpf(v) for v in row], dtype=object) for row in points)
    for a, b in zip(*(evaluate(p, {"x": x, "y": y}) for p in (made, program)), strict=True):
        assert (a == b).all()
