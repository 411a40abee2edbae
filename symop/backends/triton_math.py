"""The mathematics of Triton: which functions it spells, and how calls are written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

_CALLS = {
    "exp": "tl.exp", "log": "tl.log", "sqrt": "tl.math.sqrt_rn", "sin": "tl.sin", "cos": "tl.cos",
    "erf": "tl.erf", "abs": "tl.abs", "floor": "tl.floor",
}  # fmt: skip

SPELLED = frozenset(_CALLS)


def call(name: str, arguments: Sequence[str], is_double: bool) -> str:
    """The text of a call."""
    spelling = "tl.sqrt" if name == "sqrt" and is_double else _CALLS[name]
    return f"{spelling}({', '.join(arguments)})"


def imports(functions: Iterable[str]) -> tuple[str, ...]:
    """The lines of imports that calls of functions need."""
    return ()


def definitions(functions: Iterable[str], is_double: bool) -> tuple[str, ...]:
    """The texts of helper functions that calls need, in order."""
    return ()
