"""Lines of Python laid out as the usual formatter lays them out, at 88 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

WIDTH = 88


def bracketed(head: str, items: Sequence[str], tail: str, indent: int) -> str:
    """`head` items `tail` on one line, or with the items indented, or one item a line.

    head ends with an opening bracket, tail begins with the closing one.
    """
    pad = " " * indent
    joined = ", ".join(items)
    if len(pad) + len(head) + len(joined) + len(tail) <= WIDTH:
        return f"{pad}{head}{joined}{tail}"
    if len(pad) + 4 + len(joined) <= WIDTH:
        return f"{pad}{head}\n{pad}    {joined}\n{pad}{tail}"
    lines = [f"{pad}    {item}," for item in items]
    return "\n".join([f"{pad}{head}", *lines, f"{pad}{tail}"])


def signature(name: str, parameters: Sequence[str], result: str, indent: int) -> str:
    """The `def` line of a function."""
    return bracketed(f"def {name}(", parameters, f") -> {result}:", indent)


def unpacked(names: Sequence[str], value: str, indent: int) -> str:
    """An assignment of several names from a tuple."""
    pad = " " * indent
    if len(names) == 1:
        return f"{pad}({names[0]},) = {value}"
    plain = f"{pad}{', '.join(names)} = {value}"
    return plain if len(plain) <= WIDTH else exploded("(", names, f") = {value}", indent)


def exploded(head: str, items: Sequence[str], tail: str, indent: int) -> str:
    """A tuple on one line, or with one item a line."""
    pad = " " * indent
    joined = f"{pad}{head}{', '.join(items)}{tail}"
    if len(joined) <= WIDTH:
        return joined
    return "\n".join([f"{pad}{head}", *(f"{pad}    {item}," for item in items), f"{pad}{tail}"])


def docstring_lines(lines: Sequence[str], indent: int) -> list[str]:
    """Formulas as an indented block of a docstring, long ones broken at spaces."""
    wrapped: list[str] = []
    for line in lines:
        wrapped += textwrap.wrap(
            line,
            WIDTH - indent,
            initial_indent="",
            subsequent_indent="    ",
            break_long_words=False,
            break_on_hyphens=False,
        ) or [""]
    return wrapped
