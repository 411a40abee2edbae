"""From sympy expressions to a program, by an allow-list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cache
from typing import Any

import sympy

from symop.formulas import formula_lines
from symop.names import argument_problem
from symop.operations import Operations
from symop.parsing import expand
from symop.plain import plain
from symop.program import Builder, Program
from symop.scope import Scope
from symop.sympy_names import RENAMED, SAME
from symop.syntax import MAX_NODES, Source

_MAX_DEPTH = 120
_RELATIONS = {
    sympy.StrictLessThan: "lt", sympy.LessThan: "le", sympy.StrictGreaterThan: "gt",
    sympy.GreaterThan: "ge", sympy.Equality: "eq", sympy.Unequality: "ne",
}  # fmt: skip


@cache
def _functions() -> dict[Any, str]:
    """The table's name of each sympy function class; by class, since names can be anyone's."""
    pairs = {name: name for name in SAME} | RENAMED
    return {getattr(sympy, theirs): ours for theirs, ours in pairs.items()}


def read_sympy(
    source: Any, *, args: Sequence[str] | None = None, outputs: Sequence[str] | None = None
) -> tuple[Program, tuple[str, ...]]:
    """The program of a sympy expression, or of several by name, and its text.

    Arguments are in the order of their names, unless `args` says otherwise.

    Raises:
        FormulaError: an expression has a part that no formula may have.
    """
    items = source if isinstance(source, Mapping) else {"out": source}
    report = Source("")
    names = {str(s.name) for e in items.values() if isinstance(e, sympy.Basic)
             for s in e.atoms(sympy.Symbol)}  # fmt: skip
    scope = Scope()
    order = args if args is not None else sorted(n for n in names if argument_problem(n) is None)
    for name in order:
        scope.declare(name)
    reader = _SympyReader(scope, report)
    for name, expression in items.items():
        scope.bind(name, reader.read(expression), report, None)
    report.check()
    program = scope.program(
        report, args=list(order), outputs=outputs if outputs is not None else list(items)
    )
    return program, tuple(formula_lines(plain(program)))


class _SympyReader(Operations):
    """Builds programs by a walk over sympy expressions, with an allow-list."""

    def __init__(self, scope: Scope, source: Source) -> None:
        super().__init__(scope, source)
        self.depth = 0
        self.seen: dict[Any, int] = {}

    def expanded(self, text: str, values: Mapping[str, int], builder: Builder | None = None) -> int:
        """The node of a formula of the function table, its names standing for nodes."""
        return expand(builder or self.builder, text, values)

    def read(self, expression: Any) -> int:
        """The node of one formula."""
        if not isinstance(expression, sympy.Basic):
            kind = type(expression).__name__
            return self.refuse(f"{kind} is no sympy expression", None)
        for size, _ in enumerate(sympy.preorder_traversal(expression)):
            if size >= MAX_NODES:
                return self.refuse(f"an expression of more than {MAX_NODES} parts", None)
        return self.value(expression)

    def value(self, e: Any) -> int:
        """The node of a real expression."""
        if e in self.seen:
            return self.seen[e]
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            self.refuse(f"nested more than {_MAX_DEPTH} deep; name parts of it", None)
            self.source.check()
        result = self._value(e)
        self.depth -= 1
        self.seen[e] = result
        return result

    def _value(self, e: Any) -> int:
        match e:
            case sympy.Symbol():
                return self._symbol(e, is_mask=False)
            case sympy.Rational():
                return self.bounded(Fraction(int(e.p), int(e.q)), None)
            case sympy.Float() if e.is_finite:
                return self.bounded(Fraction(str(e)), None)
            case sympy.Add():
                return self._sum(e)
            case sympy.Mul():
                return self._product(e)
            case sympy.Pow():
                return self._power_of(e.base, e.exp)
            case sympy.Piecewise():
                return self._pieces(e)
            case sympy.ITE():
                return self.where(self.test(e.args[0]), *(self.value(a) for a in e.args[1:]))
        if e is sympy.pi:
            return self.builder.apply("pi")
        if e is sympy.E:
            return self.call_table("exp", [self.builder.constant(1)], None)
        if isinstance(e, sympy.Rel | sympy.logic.boolalg.Boolean):
            return self.refuse(f"{e} is a condition, not a number; write Piecewise", None)
        if type(e) is sympy.Heaviside:
            return self.call_table("heaviside", [self.value(a) for a in e.args], None)
        name = _functions().get(type(e))
        if name in ("maximum", "minimum"):
            values = [self.value(a) for a in sorted(e.args, key=sympy.default_sort_key)]
            result = values[0]
            for value in values[1:]:
                result = self.call_table(name, [result, value], None)
            return result
        if name is not None:
            return self.call_table(name, [self.value(a) for a in e.args], None)
        return self._unreadable(e)

    def _unreadable(self, e: Any) -> int:
        if e.is_number:
            return self.refuse(f"{e} is no finite real number", None)
        return self.refuse(
            f"{type(e).__name__} cannot stand in a formula; sums, products, powers, Piecewise and "
            f"the functions of the table can",
            None,
        )

    def _symbol(self, e: Any, is_mask: bool) -> int:
        name = str(e.name)
        known = self.scope.lookup(name)
        if known is None:
            problem = argument_problem(name)
            return self.refuse(problem, None) if problem else self.scope.argument(name, is_mask)
        if self.builder.nodes[known].is_condition != is_mask:
            return self.refuse(f"{name} is used as a condition and as a number", None)
        return known

    def _sum(self, e: Any) -> int:
        total = -1
        for term in e.as_ordered_terms():
            negative = total >= 0 and term.could_extract_minus_sign()
            value = self.value(-term if negative else term)
            op = "sub" if negative else "add"
            total = value if total < 0 else self.arithmetic(op, total, value, None)
        return total

    def _product(self, e: Any) -> int:
        """A product, its negative powers as a division."""
        coefficient, rest = e.as_coeff_Mul(rational=True)
        factors = rest.as_ordered_factors() if rest.is_Mul else [rest]
        below = [f for f in factors if f.is_Pow and f.exp.is_Rational and f.exp < 0]
        above = [f for f in factors if f not in below]
        if abs(coefficient.p) != 1 or not above:
            above.insert(0, abs(sympy.Integer(coefficient.p)))
        if coefficient.q != 1:
            below.append(1 / sympy.Integer(coefficient.q))
        total = self._times([self.value(f) for f in above])
        if below:
            divisor = self._times([self.value(1 / f) for f in below])
            total = self.arithmetic("div", total, divisor, None)
        return self.negated(total) if coefficient.p < 0 else total

    def _times(self, values: list[int]) -> int:
        total = values[0]
        for value in values[1:]:
            total = self.arithmetic("mul", total, value, None)
        return total

    def _power_of(self, base: Any, exponent: Any) -> int:
        if base is sympy.E:
            return self.call_table("exp", [self.value(exponent)], None)
        if exponent.is_Rational and exponent < 0:
            below = self._power_of(base, -exponent) if exponent != -1 else self.value(base)
            return self.arithmetic("div", self.builder.constant(1), below, None)
        if exponent == sympy.Rational(1, 2):
            return self.call_table("sqrt", [self.value(base)], None)
        return self.power(self.value(base), self.value(exponent), None)

    def _pieces(self, e: Any) -> int:
        *pairs, (last, rest) = e.args
        if rest != True:  # noqa: E712 - sympy's own truth
            return self.refuse("the last pair of Piecewise must have the condition True", None)
        result = self.value(last)
        for value, test in reversed(pairs):
            result = self.where(self.test(test), self.value(value), result)
        return result

    def test(self, e: Any) -> int:
        """The node of a condition."""
        apply = self.builder.apply
        if type(e) in _RELATIONS:
            return apply(_RELATIONS[type(e)], self.value(e.lhs), self.value(e.rhs))
        if isinstance(e, sympy.And | sympy.Or):
            tests = [self.test(a) for a in sorted(e.args, key=sympy.default_sort_key)]
            result = tests[0]
            for test in tests[1:]:
                result = apply("and" if isinstance(e, sympy.And) else "or", result, test)
            return result
        if isinstance(e, sympy.Not):
            return apply("not", self.test(e.args[0]))
        if isinstance(e, sympy.Symbol):
            return self._symbol(e, is_mask=True)
        return self.refuse(f"{e} is no condition; a comparison such as x > 0 is", None)
