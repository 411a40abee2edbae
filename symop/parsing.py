"""From the syntax tree of a formula to a Program, by an allow-list; nothing is executed.

The parser cancels, reorders and merges nothing that the user wrote. Only arithmetic of
literal numbers is carried out, exactly.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cache

from symop import reductions
from symop.call_syntax import Calls
from symop.functions import table
from symop.names import argument_problem
from symop.program import Builder, Program
from symop.python_text import syntax_tree
from symop.scope import Scope
from symop.syntax import Source, described, parse_text

MAX_DEPTH = 120
_ACCEPTED = "numbers, names, arithmetic, conditions and calls of functions"

# Names of functions that are also common names of quantities; uncalled, they are names.
_ALSO_NAMES = frozenset({"gamma", "psi", "mean", "std", "var", "norm", "threshold", "prod", "sgn"})

_BINARY = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div"}
_SUMS = (ast.Add, ast.Sub)
_PRODUCTS = (ast.Mult, ast.Div)
_COMPARE = {
    ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge", ast.Eq: "eq", ast.NotEq: "ne",
}  # fmt: skip


def parse(
    source: str | Sequence[str] | Mapping[str, str],
    *,
    args: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
    functions: Mapping[str, Program] | None = None,
) -> Program:
    """The program of a formula.

    Args:
        source: a formula or program, a sequence of expressions (outputs out0, out1, ...), or
            a dict from output names to expressions, in which one may use those before it.
        args: the order of the arguments; may name arguments that the formula never uses.
        outputs: the names of the outputs, instead of those that no later line uses.
        functions: programs that can be called by name.

    Raises:
        FormulaError: the text is refused; its message lists every problem that was found.
    """
    scope = Scope()
    for name in args or ():
        scope.declare(name)
    if isinstance(source, str):
        text, statements = parse_text(source)
        reader = Reader(scope, text, functions or {})
        reader.statements(statements)
        return scope.program(text, args=args, outputs=outputs)
    items = source.items() if isinstance(source, Mapping) else _numbered(source)
    last = Source("")
    for name, formula in items:
        last, statements = parse_text(formula)
        reader = Reader(scope, last, functions or {})
        match statements:
            case [ast.Expr(value=expression)]:
                scope.bind(name, reader.number(expression), last, statements[0])
            case _:
                last.report(f"{name}: one expression is accepted here", statements[0])
        last.check()
    names = outputs if outputs is not None else [name for name, _ in items]
    return scope.program(last, args=args, outputs=names)


def _numbered(source: Sequence[str]) -> list[tuple[str, str]]:
    if len(source) == 1:
        return [("out", source[0])]
    return [(f"out{index}", formula) for index, formula in enumerate(source)]


@cache
def _body(text: str) -> tuple[ast.stmt, ...]:
    return tuple(syntax_tree(text).body)


def expand(builder: Builder, text: str, values: Mapping[str, int]) -> int:
    """The node of a formula of the function table, its names standing for the given nodes."""
    scope = Scope(builder, dict(values))
    reader = Reader(scope, Source(text), {}, internal=True)
    return reader.statements(list(_body(text)))


class Reader(Calls):
    """Reads expressions of Python's syntax into a scope."""

    depth = 0  # of the expression that is being read

    def expanded(self, text: str, values: Mapping[str, int], builder: Builder | None = None) -> int:
        """The node of a formula of the function table, its names standing for nodes."""
        return expand(builder or self.builder, text, values)

    # Statements

    def statements(self, body: list[ast.stmt]) -> int:
        """Read assignments, and a bare expression as the last line; the last value."""
        value = -1
        for position, statement in enumerate(body):
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=expression):
                    value = self.number(expression)
                    self.scope.bind(name, value, self.source, statement)
                case ast.Expr(value=expression) if position == len(body) - 1:
                    value = self.number(expression)
                    if not self.internal:
                        self.scope.bind_bare(value)
                case ast.Expr():
                    self.source.report(
                        "only the last line may be a bare expression; write name = expression",
                        statement,
                    )
                case _:
                    self.source.report(
                        f"{described(statement)} cannot stand in a formula; "
                        "a line is an expression or name = expression",
                        statement,
                    )
        if not self.internal:
            self.source.check()
        return value

    # Values

    def number(self, node: ast.expr) -> int:
        """The node of a real expression."""
        self.depth += 1
        try:
            if self.depth > MAX_DEPTH:
                self.refuse(f"nested more than {MAX_DEPTH} deep; split it into lines", node)
                self.source.check()
            return self._number(node)
        finally:
            self.depth -= 1

    def _number(self, node: ast.expr) -> int:
        match node:
            case ast.Constant(value=value):
                return self._literal(node, value)
            case ast.Name(id=name):
                return self._name(node, name)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self.negated(self.number(operand))
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.number(operand)
            case ast.BinOp(op=ast.Pow()):
                return self._power(node)
            case ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div()):
                return self._chain(node)
            case ast.BinOp(op=ast.Mod(), left=left, right=right):
                return self.call_table("remainder", [self.number(left), self.number(right)], node)
            case ast.BinOp(op=ast.FloorDiv(), left=left, right=right):
                quotient = self.arithmetic("div", self.number(left), self.number(right), node)
                return self.call_table("floor", [quotient], node)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return self.where(self.condition(test), self.number(body), self.number(orelse))
            case ast.Call():
                return self.call(node)
            case ast.Compare():
                return self.refuse("a comparison is no number; write where(condition, 1, 0)", node)
            case ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
                return self.refuse(
                    "a condition is no number; and, or, not join comparisons inside where or if",
                    node,
                )
            case ast.BinOp(op=ast.BitXor()):
                return self.refuse("'^' cannot stand here: powers are written x**2", node)
            case ast.BinOp(op=ast.MatMult()):
                return self.refuse("formulas are elementwise; '@' is not accepted", node)
        return self.refuse(f"{described(node)} cannot stand in a formula; {_ACCEPTED} can", node)

    def _literal(self, node: ast.expr, value: object) -> int:
        if type(value) is int:
            if value.bit_length() > 1023:
                return self.refuse("a number too large for float64", node)
            return self.builder.constant(value)
        if type(value) is float:
            if value in (float("inf"), float("-inf")):
                return self.refuse("a number too large for float64", node)
            if value == 0.0 and any(c in "123456789" for c in self._segment(node).split("e")[0]):
                return self.refuse("a number too small for float64", node)
            return self.builder.constant(Fraction(repr(value)))
        if type(value) is complex:
            return self.refuse("every formula is real; a complex number was found", node)
        return self.refuse(f"{described(node)} cannot stand in a formula; {_ACCEPTED} can", node)

    def _segment(self, node: ast.expr) -> str:
        segment = ast.get_source_segment(self.source.text, node) if not self.internal else None
        return (segment or "").lower()

    def _name(self, node: ast.expr, name: str) -> int:
        known = self.scope.lookup(name)
        if known is not None:
            if self.builder.nodes[known].is_condition:
                return self.refuse(f"{name} is used as a condition and as a number", node)
            return known
        if name == "pi":
            return self.builder.apply("pi")
        if self.internal:
            return self.refuse(f"unknown name {name}", node)
        if name in ("oo", "inf", "nan", "zoo"):
            return self.refuse(f"{name} is no finite number", node)
        if name in table() and name not in _ALSO_NAMES and not table()[name].internal:
            return self.refuse(f"{name} is a function; call it as {name}(x)", node)
        if name in self.functions or name in reductions.NAMES - _ALSO_NAMES or name == "where":
            return self.refuse(f"{name} is a function; call it as {name}(x)", node)
        problem = argument_problem(name)
        if problem:
            return self.refuse(problem, node)
        return self.scope.argument(name)

    # Arithmetic

    def _chain(self, node: ast.BinOp) -> int:
        # A long sum is a left-deep tree; it is read as one level, from left to right.
        kinds = _SUMS if isinstance(node.op, _SUMS) else _PRODUCTS
        links: list[ast.BinOp] = []
        first: ast.expr = node
        while isinstance(first, ast.BinOp) and isinstance(first.op, kinds):
            links.append(first)
            first = first.left
        value = self.number(first)
        for link in reversed(links):
            value = self.arithmetic(_BINARY[type(link.op)], value, self.number(link.right), link)
        return value

    def _power(self, node: ast.BinOp) -> int:
        base, exponent = self.number(node.left), self.number(node.right)
        return self.power(base, exponent, node)

    # Conditions

    def condition(self, node: ast.expr) -> int:
        """The node of a truth value; a free name stands for a boolean argument."""
        apply = self.builder.apply
        match node:
            case ast.Compare(left=left, ops=ops, comparators=comparators):
                for op in ops:
                    if type(op) not in _COMPARE:
                        return self.refuse(f"{described(op)} is no comparison of numbers", node)
                values = [self.number(left), *(self.number(c) for c in comparators)]
                pairs = zip(ops, values, values[1:], strict=False)
                tests = [apply(_COMPARE[type(op)], a, b) for op, a, b in pairs]
            case ast.BoolOp(op=op, values=parts):
                name = "and" if isinstance(op, ast.And) else "or"
                tests = [self.condition(part) for part in parts]
                result = tests[0]
                for test in tests[1:]:
                    result = self.joined(name, result, test)
                return result
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return apply("not", self.condition(operand))
            case ast.Name(id=name):
                known = self.scope.lookup(name)
                if known is None:
                    problem = argument_problem(name)
                    if problem:
                        return self.refuse(problem, node)
                    return self.scope.argument(name, is_mask=True)
                if not self.builder.nodes[known].is_condition:
                    return self.refuse(
                        f"{name} is a number where a condition stands; write {name} > 0",
                        node,
                    )
                return known
            case _:
                return self.refuse("a condition is a comparison, as in x > 0", node)
        result = tests[0]
        for test in tests[1:]:
            result = apply("and", result, test)
        return result
