"""The options that several commands share, and what they are turned into."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from symop.operators import Op

# What standard input may hold; a longer formula is refused by the parser anyway.
_MAX_INPUT = 1_000_000

Decorator = Callable[[Any], Any]

FORMULA_HELP = (
    "FORMULA is one expression, or lines of `name = expression` (a ; also ends a line); "
    "- reads it from standard input."
)


def formula_argument(function: Any) -> Any:
    """The formula."""
    return click.argument("formula", metavar="FORMULA")(function)


def naming_options(function: Any) -> Any:
    """--args and --outputs."""
    function = click.option(
        "--outputs", metavar="h,y",
        help="The names of the outputs, instead of those that no later line uses.",
    )(function)  # fmt: skip
    return click.option("--args", metavar="w,x,b", help="The order of the arguments.")(function)


def json_option(what: str) -> Decorator:
    """--json."""
    return click.option("--json", "as_json", is_flag=True, help=f"{what} as JSON.")


quiet_option = click.option(
    "--quiet", is_flag=True, help="Print nothing but refusals: the exit code says the rest."
)


def compiled(
    formula: str, args: str | None, outputs: str | None, *, name: str | None = None
) -> Op:  # fmt: skip
    """The op of a formula on the command line."""
    import symop

    return symop.compile(text_of(formula), args=names(args), outputs=names(outputs), name=name)


def text_of(formula: str) -> str:
    """The text of a formula, from standard input for "-"."""
    if formula != "-":
        return formula
    return sys.stdin.buffer.read(_MAX_INPUT).decode("utf-8-sig", "replace")


def names(text: str | None) -> list[str] | None:
    """The names of a list with commas."""
    return None if text is None else [part.strip() for part in text.split(",") if part.strip()]
