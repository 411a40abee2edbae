"""Choices between quotients and sums of small terms, as kernels of Triton compute them."""

import numpy as np
import pytest
from mpmath import mpf

from symop.backends.triton import kernel, routine
from symop.backends.triton_body import TritonBody
from symop.backends.triton_choices import for_float32, with_fewer_divisions
from symop.backends.triton_variant import ONE, Variant
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


@pytest.mark.parametrize(
    ("formula", "short"),
    [
        ("1 + x*(2 + x*1e-50)", "1 + x*2"),
        ("1 + x*(2 - (-x)*(1e-46 + x/1e40))", "1 + x*2"),
        ("1e-50*x - y", "-y"),
        ("(1e-50*x + 1e-60) + (y - x/1e39)", "y"),
        # A number of float32, though a subnormal one, and what is no term of a sum.
        ("x + 1e-45*y", "x + 1e-45*y"),
        ("y*(1e-50*x)*1e30", "y*(1e-50*x)*1e30"),
        ("x + y/1e38", "x + y/1e38"),
    ],
)
def test_terms_that_float32_takes_for_zero_are_left_out(formula, short):
    made, known = (routine(parse(text)).loops[0] for text in (formula, short))
    assert printed(for_float32(made)) == printed(known)


def printed(loop):
    body = TritonBody(loop, loop.results, is_double=False)
    return [*body.before, *body.body(), *body.returned()]


@pytest.mark.parametrize(("dtype", "spelled"), [("float32", True), ("float64", False)])
def test_numbers_that_triton_would_take_for_float64_get_a_type(dtype, spelled):
    made = routine(parse("where(x > 0, x*x + 1e-41, 1e-40)"))
    text = kernel("op", made, made.loops[0], Variant(dtype, (0,), ((ONE,), (ONE,)))).text
    for number in ("1e-40", "1e-41"):
        assert (f"tl.full((), {number}, tl.float32)" in text) == spelled
