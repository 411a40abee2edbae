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
