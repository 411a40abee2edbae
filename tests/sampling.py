"""Which cases of a long list every test run takes; the slow tests take them all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def one_in(count: int, cases: Iterable[Any]) -> list[Any]:
    """The cases, of which all but one in so many are slow tests."""
    return [
        case if k % count == 0 else pytest.param(case, marks=pytest.mark.slow)
        for k, case in enumerate(cases)
    ]


def mostly_slow(values: Iterable[Any], kept: Iterable[Any]) -> list[Any]:
    """Values of a parameter, of which every test run takes those that are kept, `make slow` all."""
    few = list(kept)
    values = list(values)
    assert all(value in values for value in few)
    return [v if v in few else pytest.param(v, marks=pytest.mark.slow) for v in values]
