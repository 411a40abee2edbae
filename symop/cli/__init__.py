"""The command line: one module a command, over the functions that Python has too.

torch, sympy and rich are imported by what needs them, when it does: `symop --help` waits for none.
"""

from __future__ import annotations

from symop.cli.program import Program

_EXAMPLES = """\b
Examples:
  symop show "w*x + b"
  symop check "x*tanh(softplus(x))"
  symop generate "0.5*(5*x**3-3*x)" --name legendre_p3 --out ops
"""
_STREAMS = (
    "Results go to standard output, everything else to standard error. Colours are left out when "
    "that is not a terminal, and where NO_COLOR is set."
)

# The order of the help: from looking at a formula to keeping files of it.
COMMANDS = (
    "show", "check", "plot", "report", "bench", "inspect", "generate", "init", "cache",
    "completion",
)  # fmt: skip

app = Program(COMMANDS, summary="Formulas to finished PyTorch operators: gradients of every order, "
              "source to own.", notes=(_EXAMPLES, _STREAMS))  # fmt: skip


def run() -> None:
    """Run the command line and leave with its exit code."""
    app()
