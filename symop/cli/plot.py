"""`symop plot`: a formula, its derivatives and their errors as a picture."""

from __future__ import annotations

from pathlib import Path

import click

from symop.cli.options import (
    FORMULA_HELP,
    compiled,
    formula_argument,
    naming_options,
    quiet_option,
)
from symop.cli.output import say
from symop.cli.program import FormulaCommand
from symop.errors import CallError


@click.command(
    cls=FormulaCommand,
    short_help="Values, derivatives and errors as a picture.",
    help=f"""Draw values, derivatives and errors in ULP along one argument, or over two as maps.

    {FORMULA_HELP}
    """,
)
@formula_argument
@click.option(
    "-o", "--out", metavar="FILE", required=True, type=click.Path(path_type=Path),
    help="The picture: .png, .svg or .pdf.",
)  # fmt: skip
@click.option(
    "--at", metavar="NAME=VALUE", multiple=True,
    help="Fix an argument; one is left to plot along, or two for a map.",
)  # fmt: skip
@click.option("--from", "low", metavar="X", type=float, default=-10.0, show_default=True,
              help="Where it begins.")  # fmt: skip
@click.option("--to", "high", metavar="X", type=float, default=10.0, show_default=True,
              help="Where it ends.")  # fmt: skip
@naming_options
@quiet_option
def command(
    formula: str,
    out: Path,
    at: tuple[str, ...],
    low: float,
    high: float,
    args: str | None,
    outputs: str | None,
    quiet: bool,
) -> None:
    """Write a picture."""
    from symop import plotting

    op = compiled(formula, args, outputs)
    fixed = dict(map(_fixed, at))
    over = {name: (low, high) for name in op.args if name not in fixed}
    plotting.plot(op, out, plotting.region_of(op, fixed, over))
    if not quiet:
        say(str(out))


def _fixed(text: str) -> tuple[str, float]:
    """The name and the value of an argument that was fixed."""
    name, _, value = text.partition("=")
    try:
        return name.strip(), float(value)
    except ValueError as error:
        raise CallError(f"--at {text}: name=value with a number is expected") from error
