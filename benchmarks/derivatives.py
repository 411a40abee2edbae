"""Write docs/derivatives.md: the first derivatives of every function of the table.

python -m benchmarks.derivatives          # prints the page
python -m benchmarks.derivatives --write  # writes docs/derivatives.md
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import symop
from benchmarks import pages
from benchmarks.functions import call
from symop.functions import Function, table

PAGE = Path(__file__).parent.parent / "docs" / "derivatives.md"
INTRODUCTION = """# Derivatives

Written by `python -m benchmarks.derivatives --write`: the derivative of each function by each of
its arguments, as `op.d` gives it and in symop's own language, so that every cell is a formula too.
`a; b` are lines of a program. Derivatives of higher order follow by differentiating these again.
What they are at joints, kinks and ties, beside torch, is in the
[table of functions](functions.md).

`clamp` in a derivative keeps infinity times zero from being NaN far out.

| function | by | derivative |
| --- | --- | --- |
"""


def public() -> list[Function]:
    """The functions that a formula can call, each once."""
    known = {f.name: f for f in table().values() if not f.internal}
    return [known[name] for name in sorted(known, key=lambda n: (n.lower(), n))]


def rows(function: Function) -> Iterator[str]:
    """The rows of a function, one an argument that it is differentiated by."""
    op = symop.compile(call(function), backend="torch")
    for argument in op.program.arguments:
        *lines, last = op.d(argument.name).text
        derivative = "; ".join([*lines, last.removeprefix("out = ")])
        yield f"| `{call(function)}` | `{argument.name}` | `{derivative}` |\n"


def page() -> str:
    """The whole page."""
    return INTRODUCTION + "".join(row for function in public() for row in rows(function))


if __name__ == "__main__":
    pages.main(__doc__, page, PAGE)
