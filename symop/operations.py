"""What the operations of a formula mean: the nodes that every front end builds.

Text, sympy expressions and traced functions are read by classes that derive from Operations,
so that a power or a softmax is one thing however it was written. Nothing is cancelled,
reordered or merged; only arithmetic of literal numbers is carried out, exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from symop import reductions
from symop.algebra import Derivation
from symop.errors import Undefined
from symop.evaluation import constant_problem
from symop.frames import Frame, reduced
from symop.functions import Function, table
from symop.program import Builder, Program
from symop.scope import Scope
from symop.syntax import Source

MAX_INTEGER_EXPONENT = 1024


class Operations:
    """Builds the nodes of a formula into a scope; problems are gathered in its source.

    Methods take a `place`, the part of what is being read that problems point to.
    """

    def __init__(self, scope: Scope, source: Source, internal: bool = False) -> None:
        self.scope = scope
        self.builder = scope.builder
        self.source = source
        self.internal = internal

    def refuse(self, message: str, place: Any) -> int:
        """Report a problem; a stand-in for the value."""
        if self.internal:
            raise Undefined(message)
        # Reading goes on with a stand-in, so that further problems are found.
        self.source.report(message, place)
        return self.builder.constant(2)

    def arithmetic(self, op: str, a: int, b: int, place: Any) -> int:
        """An arithmetic operation; carried out when both operands are literal numbers."""
        if isinstance(self.builder, Derivation):
            return self.builder.arithmetic(op, a, b)
        p, q = self.builder.value(a), self.builder.value(b)
        if self.internal and q == 1 and op in ("mul", "div"):
            return a
        if self.internal and p == 1 and op == "mul":
            return b
        if op == "div" and q == 0:
            return self.refuse("division by zero", place)
        if p is None or q is None:
            return self.checked(self.builder.apply(op, a, b), place)
        exact = {"add": lambda: p + q, "sub": lambda: p - q, "mul": lambda: p * q}
        value = exact[op]() if op in exact else p / q
        return self.bounded(value, place)

    def negated(self, a: int) -> int:
        """The negative of a value."""
        if isinstance(self.builder, Derivation):
            return self.builder.neg(a)
        value = self.builder.value(a)
        return self.builder.apply("neg", a) if value is None else self.builder.constant(-value)

    def bounded(self, value: Fraction, place: Any) -> int:
        """A literal number, refused where it is too large."""
        if max(value.numerator.bit_length(), value.denominator.bit_length()) > 4096:
            return self.refuse("a constant of more than 4096 bits", place)
        if abs(value.numerator) >= value.denominator << 1024:
            return self.refuse("a constant too large for float64", place)
        return self.builder.constant(value)

    def power(self, base: int, exponent: int, place: Any) -> int:
        """An integer power where the exponent is a literal integer, `pow` otherwise."""
        b, n = self.builder.value(base), self.builder.value(exponent)
        if n is None or n.denominator != 1 or (b is None and abs(n) > MAX_INTEGER_EXPONENT):
            return self.call_table("pow", [base, exponent], place)
        if isinstance(self.builder, Derivation):
            return self.builder.power(base, int(n))
        if b is None:
            return self.checked(self.builder.apply("ipow", base, value=int(n)), place)
        if b == 0 and n < 0:
            return self.refuse("division by zero", place)
        bits = max(b.numerator.bit_length(), b.denominator.bit_length())
        if abs(b) != 1 and b != 0 and bits * abs(n) > 4096:
            return self.refuse("a constant of more than 4096 bits", place)
        return self.bounded(b ** int(n % 2 if abs(b) == 1 else n), place)

    def where(self, condition: int, a: int, b: int) -> int:
        """The value of a where the condition holds, of b elsewhere."""
        if self.internal:
            known = self.builder.known(condition)
            if known is not None:
                return a if known else b
        return self.builder.apply("where", condition, a, b)

    def joined(self, op: str, a: int, b: int) -> int:
        """Two conditions by "and" or "or"; what decides nothing is left out of our own forms."""
        if self.internal:
            for condition, other in ((a, b), (b, a)):
                if self.builder.known(condition) == (op == "and"):
                    return other
        return self.builder.apply(op, a, b)

    def call_table(self, name: str, values: list[int], place: Any) -> int:
        """The call of a function of the table; one with a definition is replaced by it."""
        function = table()[name]
        least = len(function.parameters) - len(function.defaults)
        if not least <= len(values) <= len(function.parameters):
            takes = " or ".join(str(n) for n in range(least, len(function.parameters) + 1))
            return self.refuse(
                f"{name} takes {takes} argument{'s' * (takes != '1')} "
                f"({', '.join(function.parameters)}), {len(values)} were given",
                place,
            )
        for default in function.defaults[len(values) - least :]:
            values = [*values, self.expanded(default, {})]
        literals = dict(zip(function.parameters, values, strict=True))
        for parameter in function.literals:
            # In patterns of rewrites a wildcard may stand for a number.
            if not self.internal and self.builder.value(literals[parameter]) is None:
                return self.refuse(f"{parameter} of {name} must be a number written out", place)
        try:
            if not function.is_inlined:
                if not self.internal:
                    self._check_form(function, literals)
                return self.checked(self.builder.apply(function.name, *values), place)
            text = self._definition(function, literals, place)
            if text is None:
                return self.builder.constant(2)
            return self.expanded(text, literals)
        except Undefined as error:
            return self.refuse(f"{name} of these values: {error}", place)

    def _check_form(self, function: Function, values: Mapping[str, int]) -> None:
        """Try the form with the constants that stand in it, where there are some among others."""
        numbers = [self.builder.value(index) for index in values.values()]
        if len({number is None for number in numbers}) < 2:
            return
        form = function.form_at([self.builder.value(values[name]) for name in function.literals])
        if form is not None:
            self.expanded(form, values, self.builder.branch())

    def _definition(self, function: Function, values: Mapping[str, int], place: Any) -> str | None:
        if function.expand is None:
            return function.definition
        numbers = [self.builder.value(values[parameter]) for parameter in function.literals]
        try:
            if any(number is None or number.denominator != 1 for number in numbers):
                raise ValueError(f"{function.literals[0]} of {function.name} must be an integer")
            return function.expand(*(int(number) for number in numbers if number is not None))
        except ValueError as error:
            self.refuse(str(error), place)
            return None

    def expanded(self, text: str, values: Mapping[str, int], builder: Builder | None = None) -> int:
        """The node of a formula of the function table, its names standing for nodes."""
        raise NotImplementedError

    def call_op(self, name: str, program: Program, values: Mapping[str, int], place: Any) -> int:
        """The value of an op called inside a formula, its arguments standing for nodes."""
        if len(program.outputs) != 1:
            return self.refuse(f"{name} has several outputs and cannot stand in a formula", place)
        return self.scope.inline(program, values)

    def reduce(
        self, name: str, operand: int, dims: tuple[int, ...] | None, correction: int = 1
    ) -> int:
        """A reduction over the given dims of the frame of the operand."""
        source: Frame = self.builder.frame(operand)
        target = reduced(source, dims)
        if name in reductions.WRITTEN:
            text = reductions.text(name, dims, correction)
            return self.expanded(text, {"e": operand})
        if name == "count":
            return self.builder.count(source, target)
        if name == "mean":
            total = self.builder.reduce("sum", operand, source, target, dims)
            return self.builder.apply("div", total, self.builder.count(source, target))
        return self.builder.reduce(name, operand, source, target, dims)

    def checked(self, index: int, place: Any) -> int:
        """Refuse a constant that is no finite real number, such as log(0) or sqrt(-1)."""
        operands = self.builder.nodes[index].operands
        if not self.internal and not any(self.scope.varies(o) for o in operands):
            problem = constant_problem(self.builder.nodes, index)
            if problem:
                return self.refuse(problem, place)
        return index
