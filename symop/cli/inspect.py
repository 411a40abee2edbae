"""`symop inspect`: the kernels of an op on a GPU that need not be there."""

from __future__ import annotations

import click

from symop.cli.options import FORMULA_HELP, compiled, formula_argument, json_option, naming_options
from symop.cli.output import say
from symop.cli.program import FormulaCommand
from symop.errors import CallError


@click.command(
    cls=FormulaCommand,
    short_help="The kernels for a GPU: bytes, registers, instructions.",
    help=f"""Compile the kernels of an op for a GPU that need not be there, and print what they do.

    Bytes and instructions per element, widths of accesses, registers and spills, forward and
    backward. It needs triton.

    {FORMULA_HELP}

    \b
    Example:
      symop inspect "x*sigmoid(x)" --target cuda:90 --shape x=4096x1024
    """,
)
@formula_argument
@click.option("--target", required=True, metavar="cuda:90|hip:gfx942", help="The GPU.")
@click.option(
    "--shape", "shapes", multiple=True, metavar="NAME=4096x1024",
    help="The shape of an argument, NAME= for a number; else one dim of many elements.",
)  # fmt: skip
@click.option("--dtype", default="float32", show_default=True, metavar="NAME",
              help="float16, bfloat16, float32 or float64.")  # fmt: skip
@click.option("--wanted", metavar="x,w",
              help="The arguments whose gradients are computed; else all of them.")  # fmt: skip
@click.option("--asm", is_flag=True, help="The machine code after the table.")
@naming_options
@json_option("The table")
def command(
    formula: str,
    target: str,
    shapes: tuple[str, ...],
    dtype: str,
    wanted: str | None,
    asm: bool,
    args: str | None,
    outputs: str | None,
    as_json: bool,
) -> None:
    """Print the kernels of an op."""
    if asm and as_json:
        raise CallError("--asm and --json print different things; one of them is accepted")
    from symop import inspecting

    op = compiled(formula, args, outputs)
    say(
        inspecting.report(
            op, target, shapes=shapes, dtype=dtype, wanted=wanted, is_asm=asm, is_json=as_json
        )
    )
