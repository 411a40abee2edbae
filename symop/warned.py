"""Warnings that are given once in a process."""

from __future__ import annotations

import warnings

_given: set[str] = set()


def warn_once(message: str) -> None:
    """One warning for one fault, however many ops and calls meet it."""
    if message not in _given:
        # Before the warning, which may be made an error.
        _given.add(message)
        warnings.warn(message, RuntimeWarning, stacklevel=5)
