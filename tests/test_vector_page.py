"""docs/vector_math.md has every function that C computes with roundings of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import vector_math
from benchmarks.vector_math import EXACT, NAMES, SEVERAL, TYPES, arity, points
from symop.backends.vector_math import FUNCTIONS
from tests import test_stable_math, test_vector_math

PAGE = (Path(__file__).parent.parent / "docs" / "vector_math.md").read_text()


def test_no_function_is_left_out():
    assert set(NAMES) | EXACT == set(FUNCTIONS)
    assert not set(NAMES) & EXACT
    # What does not round is a builtin, or is made of comparisons, remainders and products.
    files = {"", "selection", "remainder", "integer_power"}
    assert {FUNCTIONS[name].file for name in EXACT} == files


def test_every_function_has_its_points():
    ranges = {**test_vector_math.RANGES, **test_stable_math.RANGES}
    assert {name for name in NAMES if arity(name) > 1} == set(SEVERAL)
    assert {name for name in NAMES if arity(name) == 1} <= set(ranges)


@pytest.mark.parametrize("name", sorted(SEVERAL))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_points_of_several_numbers_have_values(name, dtype):
    arrays = points(name, dtype)
    assert len(arrays) == arity(name)
    some = list(zip(*(a[::97].tolist() for a in arrays), strict=True))
    found = [vector_math.true(name, *values) for values in some]
    assert sum(value is not None for value in found) > 0.7 * len(some)


@pytest.mark.parametrize("name", NAMES)
def test_every_function_stands_on_the_page(name):
    for kind in TYPES:
        (line,) = [line for line in PAGE.splitlines() if line.startswith(f"| {name} | {kind} |")]
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        assert len(cells) == 10
        assert float(cells[2]) <= 10
