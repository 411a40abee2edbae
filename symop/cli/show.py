"""`symop show`: a formula, its gradients, what is saved, what it costs, how it was rewritten."""

from __future__ import annotations

import click

from symop.cli.options import (
    FORMULA_HELP,
    compiled,
    formula_argument,
    json_option,
    naming_options,
)
from symop.cli.output import has_unicode, say, say_json
from symop.cli.program import FormulaCommand
from symop.errors import CallError

_FORMS = ("latex", "mathml", "source", "steps", "as_json")


@click.command(
    cls=FormulaCommand,
    short_help="A formula, its gradients, what is saved, what it costs.",
    help=f"""Print a formula and its gradients, what is saved and why, and what it costs.

    Operations and bytes are counted forward and backward, beside those of autograd, which goes
    operation by operation; rewrites that keep digits are named with what they gain.

    {FORMULA_HELP}

    \b
    Example:
      symop show --steps "h = w1*x + b1; y = w2*h + b2"
    """,
)
@formula_argument
@naming_options
@click.option("--latex", is_flag=True, help="Formula and gradients as LaTeX.")
@click.option("--mathml", is_flag=True, help="Formula and gradients as MathML.")
@click.option("--source", is_flag=True, help="The generated module.")
@click.option("--steps", is_flag=True, help="The chain rule, statement by statement.")
@json_option("Everything")
def command(formula: str, args: str | None, outputs: str | None, **forms: bool) -> None:
    """Print one form of a formula."""
    chosen = [name for name in _FORMS if forms[name]]
    if len(chosen) > 1:
        *most, last = (f"--{name.removeprefix('as_')}" for name in _FORMS)
        raise CallError(f"{', '.join(most)} and {last} print different things; one of them is "
                        "accepted")  # fmt: skip
    from symop import showing

    op = compiled(formula, args, outputs)
    match chosen:
        case ["source"]:
            say(op.source)
        case ["latex"]:
            say(showing.latex_text(op))
        case ["mathml"]:
            say(showing.mathml_text(op))
        case ["as_json"]:
            say_json(showing.as_json(op))
        case ["steps"]:
            say(showing.steps_text(op, unicode=has_unicode()))
        case _:
            say(showing.show_text(op, unicode=has_unicode()))
