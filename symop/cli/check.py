"""`symop check`: whether the gradients of a formula or of a generated file are right."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from symop.cli.options import FORMULA_HELP, compiled, json_option, naming_options, quiet_option
from symop.cli.output import progress, say, say_json
from symop.cli.program import DIFFERS, FormulaCommand
from symop.errors import CallError


@click.command(
    cls=FormulaCommand,
    short_help="Gradient checks, and accuracy in ULP against mpmath.",
    help=f"""Check gradients of both orders, forward mode, and accuracy in ULP against mpmath.

    {FORMULA_HELP} FILE is a module that symop generated: it is imported and held against the
    formula in its docstring.
    """,
)
@click.argument("formula", metavar="FORMULA|FILE")
@naming_options
@json_option("The report")
@quiet_option
def command(formula: str, args: str | None, outputs: str | None, as_json: bool, quiet: bool) -> int:
    """Check an op, and leave with 1 where it does not hold."""
    from symop import checking

    is_file = formula.strip().endswith(".py")
    if is_file and (args is not None or outputs is not None):
        raise CallError("--args and --outputs belong to a formula; a file has its own")
    with progress("checking", checking.STEPS, quiet=quiet or as_json) as told:
        if is_file:
            report = checking.check_file(Path(formula.strip()), told=told)
        else:
            report = checking.check(compiled(formula, args, outputs), told=told)
    if as_json:
        say_json({**asdict(report), "holds": bool(report), "is_accurate": report.is_accurate})
    elif not quiet:
        say(str(report))
    return 0 if report else DIFFERS
