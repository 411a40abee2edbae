"""Which value of a call is which argument's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from symop.errors import CallError


def bound(
    op: str, names: Sequence[str], values: Sequence[Any], named: Mapping[str, Any]
) -> tuple[Any, ...]:
    """The values of a call in the order of the arguments.

    Args:
        op: the name of the op.
        names: its arguments.
        values: those given by position.
        named: those given by name.

    Raises:
        CallError: there are too few, too many, or some for no argument.
    """
    takes = ", ".join(names)
    unknown = [n for n in named if n not in names]
    if unknown:
        raise CallError(f"{op} has no argument {unknown[0]}; it takes {takes}")
    if len(values) > len(names):
        raise CallError(f"{op} takes {takes}; {len(values)} values were given")
    found = dict(zip(names, values, strict=False))
    twice = [n for n in named if n in found]
    if twice:
        raise CallError(f"{op}: {twice[0]} was given by position and by name")
    found.update(named)
    missing = [n for n in names if n not in found]
    if missing:
        raise CallError(f"{op} takes {takes}; {', '.join(missing)} was not given")
    return tuple(found[n] for n in names)
