"""Calls in formulas: functions of the table, conditions, reductions, and ops by their names."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from symop import reductions
from symop.functions import nearest, table
from symop.operations import Operations
from symop.program import Program
from symop.scope import Scope
from symop.syntax import Source, described


class Calls(Operations):
    """Reads calls; what stands in them is read by the class that derives from this one."""

    def __init__(
        self,
        scope: Scope,
        source: Source,
        functions: Mapping[str, Program],
        internal: bool = False,
    ) -> None:
        super().__init__(scope, source, internal)
        self.functions = functions

    def number(self, node: ast.expr) -> int:
        """The node of a real expression."""
        raise NotImplementedError

    def condition(self, node: ast.expr) -> int:
        """The node of a truth value."""
        raise NotImplementedError

    def call(self, node: ast.Call) -> int:
        """The node of a call."""
        if not isinstance(node.func, ast.Name):
            return self.refuse(f"{described(node.func)} cannot be called", node.func)
        name = node.func.id
        if any(isinstance(argument, ast.Starred) for argument in node.args):
            return self.refuse("starred arguments are not accepted", node)
        if name in self.functions:
            return self._call_op(name, node)
        if name in reductions.NAMES or (self.internal and name == "count"):
            return self._reduction(name, node)
        if node.keywords:
            return self.refuse(f"{name} takes no keyword arguments", node)
        match name, node.args:
            case "where", [c, a, b]:
                return self.where(self.condition(c), self.number(a), self.number(b))
            case "where", _:
                return self.refuse("where takes a condition and two values", node)
            case "Piecewise", pieces:
                return self._piecewise(node, pieces)
            case (("Max" | "Min"), [_, _, *_]):
                values = [self.number(argument) for argument in node.args]
                result = values[0]
                for value in values[1:]:
                    pair = [result, value]
                    result = self.call_table("maximum" if name == "Max" else "minimum", pair, node)
                return result
            case "stop", [e] if self.internal:
                return self.builder.apply("stop", self.number(e))
        if name not in table() or (table()[name].internal and not self.internal):
            return self._unknown(name, node)
        return self.call_table(name, [self.number(argument) for argument in node.args], node)

    def _unknown(self, name: str, node: ast.Call) -> int:
        for argument in node.args:
            # Problems inside the arguments are worth reporting too, where they are expressions.
            if isinstance(argument, ast.BinOp | ast.Call | ast.Name):
                self.number(argument)
        others = (*self.functions, *reductions.NAMES, "where", "Piecewise")
        close = nearest(name, others)
        hint = f"; did you mean {', '.join(close)}?" if close else "; see the function table"
        return self.refuse(f"unknown function {name}{hint}", node)

    def _call_op(self, name: str, node: ast.Call) -> int:
        program = self.functions[name]
        takes = len(program.arguments)
        if node.keywords or len(node.args) != takes:
            return self.refuse(
                f"{name} takes {takes} arguments "
                f"({', '.join(a.name for a in program.arguments)})", node
            )  # fmt: skip
        values = {
            a.name: self.condition(v) if a.is_mask else self.number(v)
            for a, v in zip(program.arguments, node.args, strict=True)
        }
        return self.call_op(name, program, values, node)

    def _piecewise(self, node: ast.Call, pieces: Sequence[ast.expr]) -> int:
        pairs: list[tuple[ast.expr, ast.expr]] = []
        for piece in pieces:
            if not isinstance(piece, ast.Tuple) or len(piece.elts) != 2:
                return self.refuse("Piecewise takes pairs (expression, condition)", piece)
            pairs.append((piece.elts[0], piece.elts[1]))
        if not pairs or not (isinstance(pairs[-1][1], ast.Constant) and pairs[-1][1].value is True):
            return self.refuse("the last pair of Piecewise must have the condition True", node)
        values = [self.number(value) for value, _ in pairs]
        result = values[-1]
        for (_, test), value in zip(reversed(pairs[:-1]), reversed(values[:-1]), strict=True):
            result = self.where(self.condition(test), value, result)
        return result

    # Reductions

    def _reduction(self, name: str, node: ast.Call) -> int:
        keywords = {keyword.arg: keyword.value for keyword in node.keywords}
        allowed = {"dim", "correction"} if name in reductions.WITH_CORRECTION else {"dim"}
        if not 1 <= len(node.args) + ("dim" in keywords) <= 2 or not node.args:
            return self.refuse(f"{name} takes an expression and dims, as in {name}(x, -1)", node)
        for keyword in keywords:
            if keyword not in allowed:
                return self.refuse(f"{name} takes no keyword {keyword}", node)
        operand = self.number(node.args[0])
        written = node.args[1] if len(node.args) == 2 else keywords.get("dim")
        try:
            dims = None if written is None else _dims(written)
            correction = _integer(keywords["correction"]) if "correction" in keywords else 1
        except ValueError as error:
            return self.refuse(f"{name}: {error}", node)
        return self.reduce(name, operand, dims, correction)


def _dims(node: ast.expr) -> tuple[int, ...]:
    if isinstance(node, ast.Tuple):
        dims = tuple(_integer(element) for element in node.elts)
        if not dims or len(set(dims)) != len(dims):
            raise ValueError("dims are one or more different integers")
        return dims
    return (_integer(node),)


def _integer(node: ast.expr) -> int:
    sign = 1
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        sign, node = -1, node.operand
    if isinstance(node, ast.Constant) and type(node.value) is int and node.value < 64:
        return sign * node.value
    raise ValueError("a dim is an integer written out, such as -1")
