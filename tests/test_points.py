"""Which points a generated test looks at."""

from __future__ import annotations

import mpmath as mp
import pytest

from symop.compiler import formula
from symop.evaluation import evaluate, with_steps
from symop.exact import Numbers, filled, mapped
from symop.parsing import parse
from symop.points import choose
from symop.reaching import reaching
from symop.selection import by_cost, ordinary_places, telling


@pytest.mark.parametrize("worst", [2, 3, 4])
def test_where_rounding_costs_most_is_among_the_tails(worst):
    # Gradients grow with the place, so that the first two places are the smallest.
    gradient = filled([mp.mpf(2) ** k for k in range(5)], (5,))
    numbers = Numbers({}, {}, {"x": gradient}, {})
    true = mp.mpf(3)
    errors = [[(mp.mpf(9 if k == worst else 1) * 1e-16, true, mp.mpf(1)) for k in range(5)]]
    order = by_cost(errors, range(5))
    assert order[0] == worst
    assert telling(numbers, range(5), order) == [0, 1, worst]


@pytest.mark.parametrize(
    ("sizes", "chosen"),
    [
        ([1, 2, 3, 4], [0, 1, 2, 3]),
        ([1, 1e4, 3, 4], [0, 2, 3]),
        # Two tame places are too few for a row: what float32 holds joins them.
        ([1, 1e4, mp.mpf(2) ** 200, 4], [0, 1, 3]),
        ([1e4, 1e5, 1e6, mp.mpf(2) ** 200], [0, 1, 2]),
        ([1, mp.mpf(2) ** 200, mp.inf, mp.mpf(2) ** 300], [0, 1, 2, 3]),
    ],
)
def test_ordinary_places_are_tame_where_enough_are(sizes, chosen):
    assert ordinary_places(range(4), sizes, 3) == chosen


@pytest.mark.parametrize("power", [32, 36, 37, 38, 39])
def test_a_steep_formula_that_agrees_everywhere_has_points(power):
    read = formula(f"x**{power} + sin({power}*x)")
    points = choose(read.plan, read.written)
    assert points.atol == "0.0"
    assert points.setting.arguments["x"].shape[1] == 3


@pytest.mark.parametrize(
    "text", ["where(x > 0, sqrt(x), 0)*k", "where(x > 1, k*log(x - 1), x**2)", "relu(x)**k + x"]
)
def test_branches_that_are_not_taken_leave_their_points(text):
    made = formula(text, name="branched")
    points = choose(made.plan, made.written)
    tested = [float(v) for v in points.setting.arguments["x"].flat]
    assert min(tested) < 0 < max(tested)


def test_what_reaches_a_result_passes_the_branches_that_were_taken():
    program = parse("sum(where(x > 0, sqrt(x), y), 1)/k")
    x, y = filled([mp.mpf(4), mp.mpf(-1)], (1, 2)), filled([mp.inf, mp.mpf(2)], (1, 2))
    values = {"x": x, "y": y, "k": filled([mp.mpf(2)], ())}

    def numbers():
        found = reaching(program, evaluate(with_steps(program), values))
        return [v for _, v in found]

    # Neither sqrt(-1) nor the infinite y is needed.
    assert all(isinstance(v, mp.mpf) and mp.isfinite(v) for v in numbers())
    values["x"] = mapped(lambda v: -abs(v), values["x"])
    assert any(mp.isinf(v) for v in numbers())
