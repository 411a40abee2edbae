"""`symop report`: everything about a formula on one page."""

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


@click.command(
    cls=FormulaCommand,
    short_help="Everything about a formula on one page of HTML.",
    help=f"""Write one page of HTML that needs no network: formula and gradients, plots, accuracy,
    transforms, times and code.

    {FORMULA_HELP}

    \b
    Example:
      symop report "x*sigmoid(beta*x)" --name swish -o swish.html
    """,
)
@formula_argument
@click.option(
    "-o", "--out", metavar="FILE", required=True, type=click.Path(path_type=Path),
    help="The page: .html.",
)  # fmt: skip
@click.option("--name", default="op", show_default=True, help="The name of the op on the page.")
@click.option("--no-benchmark", is_flag=True, help="Measure no times, which takes some seconds.")
@naming_options
@quiet_option
def command(
    formula: str,
    out: Path,
    name: str,
    no_benchmark: bool,
    args: str | None,
    outputs: str | None,
    quiet: bool,
) -> None:
    """Write a page."""
    from symop import report_page

    op = compiled(formula, args, outputs, name=name)
    report_page.write_report(op, out, benchmark=not no_benchmark)
    if not quiet:
        say(str(out))
