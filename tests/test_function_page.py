"""docs/functions.md has every function that a formula can call."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.functions import CORNERS, DOMAINS, corner, spelling
from symop.functions import table

PAGE = (Path(__file__).parent.parent / "docs" / "functions.md").read_text()
PUBLIC = {f.name: f for f in table().values() if not f.internal}


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_every_function_stands_on_the_page(name):
    start = f"| `{spelling(PUBLIC[name])}` | "
    rows = PAGE.partition("## Corners")[0].splitlines()
    (line,) = [line for line in rows if line.startswith(start)]
    assert all(f"`{alias}`" in line for alias in PUBLIC[name].aliases)
    assert "lost" not in line


def test_domains_are_those_of_functions():
    assert set(DOMAINS) <= set(table())


@pytest.mark.parametrize(("formula", "point"), CORNERS)
def test_corners_are_still_what_the_page_says(formula, point):
    assert "| " + " | ".join(corner(formula, point)) + " |" in PAGE
