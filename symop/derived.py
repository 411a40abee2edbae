"""The formulas that are derivatives of a formula."""

from __future__ import annotations

from symop.compiler import Formula
from symop.differentiation import vjp
from symop.errors import DerivativeError
from symop.formulas import formula_lines
from symop.plain import plain
from symop.program import Program
from symop.tangents import elementwise_derivative, jvp
from symop.tidying import tidy


def derived(name: str, program: Program, of: Formula) -> Formula:
    """A program derived from a formula as a formula, of the same precision and backend."""
    text = tuple(formula_lines(plain(program)))
    return Formula(name, program, text, of.precision, backend=of.backend)


def vjp_formula(name: str, program: Program, of: Formula) -> Formula:
    """The gradients of a program that is a formula, or was derived from one."""
    return derived(f"{name}_vjp", tidy(vjp(program)), of)


def jvp_formula(of: Formula) -> Formula:
    """The tangents of a formula."""
    return derived(f"{of.name}_jvp", tidy(jvp(of.program)), of)


def elementwise_formula(of: Formula, argument: str, order: int) -> Formula:
    """The derivative of a formula by one argument, in the broadcast shape.

    Raises:
        DerivativeError: the formula has reductions, the argument does not exist or is a mask, or
            the order is no positive integer.
    """
    program = of.program
    real = [a.name for a in program.arguments if not a.is_mask]
    if argument not in real:
        raise DerivativeError(
            f"{of.name} has no derivative by {argument!r}; it has by {', '.join(real)}"
        )
    if type(order) is not int or order < 1:
        raise DerivativeError(f"the order of a derivative is a positive integer, not {order!r}")
    if not program.is_elementwise:
        raise DerivativeError(
            f"{of.name} has reductions and no elementwise derivative; "
            f"its gradients are {of.name}.vjp, its tangents {of.name}.jvp"
        )
    for _ in range(order):
        program = tidy(elementwise_derivative(program, argument))
    suffix = f"_{order}" if order > 1 else ""
    return derived(f"{of.name}_d_{argument}{suffix}", program, of)
