"""Programs shown as sympy expressions."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import sympy
from sympy.core.function import AppliedUndef

from symop.differentiation import vjp
from symop.formulas import SHOWN, statements
from symop.plain import plain
from symop.program import Node, Output, Program, without_dead_nodes
from symop.sympy_names import OF_ORDER, RENAMED, SAME
from symop.tangents import elementwise_derivative
from symop.tidying import tidy

_SHOWN: dict[str, Any] = {
    **{name: getattr(sympy, name) for name in SAME},
    **{ours: getattr(sympy, theirs) for ours, theirs in OF_ORDER.items()},
    **{ours: getattr(sympy, theirs) for theirs, ours in RENAMED.items()},
    "sqrt": sympy.sqrt, "root": sympy.sqrt, "pow": sympy.Pow, "stop": lambda e: e,
    "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b, "neg": lambda a: -a,
    "lt": sympy.Lt, "le": sympy.Le, "gt": sympy.Gt, "ge": sympy.Ge, "eq": sympy.Eq,
    "ne": sympy.Ne, "and": sympy.And, "or": sympy.Or, "not": sympy.Not,
    "where": lambda c, a, b: sympy.Piecewise((a, c), (b, True)),
}  # fmt: skip


def expressions(program: Program) -> dict[str, Any]:
    """The outputs of a program as sympy expressions over plain symbols."""
    program = plain(program)
    values: list[Any] = []
    for node in program.nodes:
        values.append(_shown(program, node, [values[o] for o in node.operands]))
    return {output.name: values[output.node] for output in program.outputs}


def _shown(program: Program, node: Node, operands: list[Any]) -> Any:
    match node.op:
        case "argument" | "mask":
            return sympy.Symbol(str(node.value))
        case "constant":
            assert isinstance(node.value, Fraction)
            return sympy.Rational(node.value.numerator, node.value.denominator)
        case "pi":
            return sympy.pi
        case "count":
            return sympy.Symbol("count")
        case "ipow":
            return operands[0] ** int(node.value or 0)
    if node.op in _SHOWN:
        return _SHOWN[node.op](*operands)
    dims = [sympy.Tuple(*node.dims)] if node.dims else []
    return sympy.Function(SHOWN.get(node.op, node.op))(*operands, *dims)


def statement_expressions(program: Program) -> list[tuple[str, Any]]:
    """The statements of a program as sympy expressions, by name, in which nothing is evaluated.

    A statement is what `symop.formulas.formula_lines` prints as a line; the names of others stand
    in it as symbols, so that a long program is not written out. What a user wrote stays as it
    was written: sympy cancels, distributes and reorders nothing.
    """
    program = plain(program)
    lines = statements(program)
    named = {root: name for name, root, _ in reversed(lines)}
    values: list[Any] = []
    found: dict[int, Any] = {}
    with sympy.evaluate(False):
        for index, node in enumerate(program.nodes):
            operands = [values[o] for o in node.operands]
            value = _statement(program, node, operands)
            found[index] = value
            values.append(sympy.Symbol(named[index]) if index in named else value)
    result = []
    for name, root, _ in lines:
        value = found[root] if named[root] == name else sympy.Symbol(named[root])
        result.append((name, value))
    return result


def _statement(program: Program, node: Node, operands: list[Any]) -> Any:
    """A node as it stands in a statement: with means, and dims that leave a factor a factor."""
    if node.op == "div" and program.nodes[node.operands[1]].op == "count":
        total = operands[0]
        if isinstance(total, AppliedUndef) and str(total.func) == "sum":
            return sympy.Function("mean")(*total.args)
    if node.dims:
        # A tuple among the arguments would make what it stands in not commutative.
        text = str(node.dims[0] if len(node.dims) == 1 else node.dims)
        name = SHOWN.get(node.op, node.op)
        return sympy.Function(name)(*operands, sympy.Symbol(text))
    return _shown(program, node, operands)


def gradients(program: Program) -> dict[tuple[str, str], Any]:
    """The derivatives of a program as sympy expressions, by (output, argument)."""
    result = {}
    for output in program.outputs:
        single = without_dead_nodes(_with_output(program, output))
        for argument in program.arguments:
            if argument.is_mask:
                continue
            if single.is_elementwise:
                derived = tidy(elementwise_derivative(single, argument.name))
            else:
                derived = tidy(vjp(single, [argument.name]))
            (value,) = expressions(derived).values()
            result[output.name, argument.name] = value
    return result


def _with_output(program: Program, output: Output) -> Program:
    return Program(program.arguments, program.nodes, (output,), program.names)
