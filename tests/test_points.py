"""Which points a generated test looks at."""

from __future__ import annotations

import mpmath as mp
import pytest

from symop.exact import Numbers, filled
from symop.points import _telling, _worst


@pytest.mark.parametrize("worst", [2, 3, 4])
def test_where_rounding_costs_most_is_among_the_tails(worst):
    # Gradients grow with the place, so that the first two places are the smallest.
    gradient = filled([mp.mpf(2) ** k for k in range(5)], (5,))
    numbers = Numbers({}, {}, {"x": gradient}, {})
    true = mp.mpf(3)
    errors = [[(mp.mpf(9 if k == worst else 1) * 1e-16, true, mp.mpf(1)) for k in range(5)]]
    order = _worst(errors, range(5))
    assert order[0] == worst
    assert _telling(numbers, range(5), order) == [0, 1, worst]
