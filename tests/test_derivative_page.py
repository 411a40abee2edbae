"""docs/derivatives.md has the derivatives of every function, and they are formulas."""

from __future__ import annotations

import math
import re

import pytest
import torch

import symop
from benchmarks.derivatives import PAGE, page, public, rows

TEXT = PAGE.read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `(.*?)` \| `(\w+)` \| `(.*)` \|$", TEXT, re.M)


def test_every_function_stands_on_the_page():
    shown = {row[0].partition("(")[0] for row in ROWS}
    assert shown == {f.name for f in public()}


@pytest.mark.parametrize("function", public()[::8], ids=lambda f: f.name)
def test_rows_are_what_would_be_written(function):
    assert "".join(rows(function)) in TEXT


@pytest.mark.slow
def test_the_page_is_what_would_be_written():
    assert page() == TEXT


@pytest.mark.parametrize(("call", "by", "derivative"), ROWS[::12], ids=[r[0] for r in ROWS[::12]])
def test_cells_are_formulas_that_agree_with_differences(call, by, derivative):
    value = symop.compile(call)
    slope = symop.compile(derivative, args=value.args)
    step = 1e-5
    found = []
    for at in (0.31, 0.72, 1.37):
        point = {n: torch.tensor(at + 0.11 * k, dtype=torch.float64)
                 for k, n in enumerate(value.args)}  # fmt: skip
        high, low = ({**point, by: point[by] + s} for s in (step, -step))
        difference = (value(**high) - value(**low)).item() / (2 * step)
        if math.isfinite(difference):
            number = slope(**point).item()
            found.append(math.isclose(number, difference, rel_tol=1e-6, abs_tol=1e-8))
    assert found
    assert all(found)
