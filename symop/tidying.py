"""Derived polynomials in their cheapest form: g*(15*x**2/2 - 3/2), not a chain of temporaries.

A region is a tree of sums and products that derivation accumulated, each read once. It is
given to sympy as it is, with common factors taken out, and in Horner form; the form with the
fewest operations is put in its place. Sums that the user or a record wrote are leaves: to
multiply them out could lose digits.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from typing import Any

import sympy
from sympy.polys.domains import QQ
from sympy.polys.orderings import lex
from sympy.polys.rings import PolyRing

from symop.algebra import Derivation
from symop.derived_identities import DERIVED
from symop.program import Program, readers, with_operands, without_dead_nodes
from symop.rewriting import rewrite

_SUMS = frozenset({"add", "sub"})
_PRODUCTS = frozenset({"mul", "div", "neg", "ipow"})
_MAX_PARTS = 200
_MAX_DEPTH = 60
_MAX_TERMS = 48
_MAX_DEGREE = 24
_MAX_SYMBOLS = 12

# The shape of a region: nested tuples over leaf numbers, which is what the cache is keyed by.
Shape = tuple[Any, ...]


def tidy(program: Program) -> Program:
    """The same derivative with its polynomials rearranged."""
    if program.loose:
        program = without_dead_nodes(_Tidying(program).run())
    return rewrite(program, DERIVED)


class _Tidying:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.nodes = program.nodes
        self.reads = readers(program.nodes, program.outputs)
        self.named = {index for index, _ in program.names}
        self.build = Derivation()
        self.place: dict[int, int] = {}
        arguments = [a.name for a in program.arguments]
        primal = {a.name for a in program.arguments if a.frame == (a.name,)}
        self.rank = {n: (n in primal, i) for i, n in enumerate(arguments)}
        self.inner = self._inner_nodes()

    def run(self) -> Program:
        for index in range(len(self.nodes)):
            if index in self.inner:
                continue
            if self._is_root(index):
                self.place[index] = self._region(index)
            else:
                self.place[index] = self._rebuilt(index)
        outputs = tuple(replace(o, node=self.place[o.node]) for o in self.program.outputs)
        names = tuple(
            sorted({self.place[i]: n for i, n in self.program.names if i in self.place}.items())
        )
        return Program(self.program.arguments, tuple(self.build.nodes), outputs, names)

    def _rebuilt(self, index: int) -> int:
        """The node on what its operands have become."""
        node = self.nodes[index]
        operands = tuple(self.place[o] for o in node.operands)
        if node.op == "where" and index in self.program.loose:
            _, value, other = operands
            # Rearranged, both branches of a condition may come to the same.
            if value == other and self.build.frame(value) == node.frame:
                return value
        return self.build.put(with_operands(node, operands))

    def _is_root(self, index: int) -> bool:
        return index in self.program.loose and self.nodes[index].op in _SUMS | _PRODUCTS

    def _enters(self, index: int) -> bool:
        """Whether a region goes on through an operand."""
        node = self.nodes[index]
        if self.reads[index] != 1 or index in self.named:
            return False
        if node.op in _PRODUCTS:
            return True
        return node.op in _SUMS and index in self.program.loose

    def _inner_nodes(self) -> dict[int, int]:
        """The nodes inside regions, with their depth; a divisor begins a region of its own."""
        inner: dict[int, int] = {}
        for index in range(len(self.nodes) - 1, -1, -1):
            if index in inner or self._is_root(index):
                depth = inner.get(index, 0) + 1
                node = self.nodes[index]
                operands = node.operands[:1] if node.op == "div" else node.operands
                inner.update((o, depth) for o in operands if depth < _MAX_DEPTH and self._enters(o))
        return inner

    def _region(self, root: int) -> int:
        leaves: dict[int, int] = {}
        size = [0]
        shape = self._shape(root, leaves, size, top=True)
        order = sorted(leaves, key=self._leaf_order)
        renumber = {leaves[leaf]: position for position, leaf in enumerate(order)}
        if size[0] < 2 or size[0] > _MAX_PARTS:
            return self._copied(root)
        best = _best(_renumbered(shape, renumber), size[0])
        if best is None:
            return self._copied(root)
        return _emit(self.build, best, [self.place[leaf] for leaf in order])

    def _leaf_order(self, index: int) -> tuple[bool, int, int]:
        """Cotangents first, as one writes the incoming gradient first; then as evaluated."""
        node = self.nodes[index]
        known = self.rank.get(str(node.value)) if node.op == "argument" else None
        return (known[0], 0, known[1]) if known else (True, 1, index)

    def _copied(self, root: int) -> int:
        node = self.nodes[root]
        operands = tuple(
            self.place[o] if o in self.place else self._copied(o) for o in node.operands
        )
        self.place[root] = self.build.put(with_operands(node, operands))
        return self.place[root]

    def _shape(self, index: int, leaves: dict[int, int], size: list[int], top: bool) -> Shape:
        node = self.nodes[index]
        if node.op == "constant":
            return ("constant", node.value)
        if not top and index not in self.inner:
            return ("leaf", leaves.setdefault(index, len(leaves)))
        size[0] += _power_cost(int(node.value or 0)) if node.op == "ipow" else 1
        if node.op == "div":
            numerator = self._shape(node.operands[0], leaves, size, False)
            return ("div", numerator, leaves.setdefault(node.operands[1], len(leaves)))
        parts = tuple(self._shape(o, leaves, size, False) for o in node.operands)
        return (node.op, *parts, node.value) if node.op == "ipow" else (node.op, *parts)


def _renumbered(shape: Shape, numbers: dict[int, int]) -> Shape:
    match shape:
        case ("leaf", number):
            return ("leaf", numbers[number])
        case ("constant", _):
            return shape
        case ("div", numerator, divisor):
            return ("div", _renumbered(numerator, numbers), numbers[divisor])
        case ("ipow", base, exponent):
            return ("ipow", _renumbered(base, numbers), exponent)
        case (op, *parts):
            return (op, *(_renumbered(part, numbers) for part in parts))
    raise AssertionError(shape)


def _symbol(number: int) -> sympy.Symbol:
    return sympy.Symbol(f"v{number:04d}")


def _reciprocal(number: int) -> sympy.Symbol:
    # A divisor is a symbol of its own, so that x/x does not cancel and b*b cannot underflow.
    return sympy.Symbol(f"w{number:04d}")


def _expression(shape: Shape) -> Any:
    match shape:
        case ("leaf", number):
            return _symbol(number)
        case ("constant", value):
            return sympy.Rational(value.numerator, value.denominator)
        case ("add", a, b):
            return _expression(a) + _expression(b)
        case ("sub", a, b):
            return _expression(a) - _expression(b)
        case ("mul", a, b):
            return _expression(a) * _expression(b)
        case ("neg", a):
            return -_expression(a)
        case ("div", a, divisor):
            return _expression(a) * _reciprocal(divisor)
        case ("ipow", a, exponent) if exponent >= 0:
            return _expression(a) ** exponent
        case ("ipow", a, exponent):
            return sympy.Pow(_expression(a), exponent)
    raise AssertionError(shape)


@lru_cache(maxsize=4096)
def _best(shape: Shape, cost: int) -> Any:
    """The cheapest form of a region, None where it is cheapest as it stands."""
    expression = _expression(shape)
    forms = [expression]
    if expression.is_Add or expression.has(sympy.Add):
        forms.append(sympy.gcd_terms(expression, clear=False))
        forms += _factored(expression)
    forms += [spread for form in forms if (spread := _spread(form)) is not None]
    best = min(forms, key=_cost)
    return best if _cost(best) < cost or not expression.has(sympy.Add) else None


def _factored(expression: Any) -> list[Any]:
    """The common monomial times the rest, expanded and in Horner form; bounded in size."""
    symbols = sorted(expression.free_symbols, key=str)
    terms = 1
    for node in sympy.preorder_traversal(expression):
        if node.is_Add:
            terms *= len(node.args)
        if node.is_Pow and (not node.exp.is_Integer or node.exp < 0 or node.exp > _MAX_DEGREE):
            return []
    if terms > _MAX_TERMS or not 0 < len(symbols) <= _MAX_SYMBOLS:
        return []
    poly = PolyRing(symbols, QQ, lex).from_expr(expression)
    found = [(monomial, QQ.to_sympy(number)) for monomial, number in poly.terms()]
    if not found or max(max(monomial) for monomial, _ in found) > _MAX_DEGREE:
        return [] if found else [sympy.Integer(0)]
    lowest = [min(powers) for powers in zip(*(monomial for monomial, _ in found), strict=True)]
    common = sympy.Mul(*(s**n for s, n in zip(symbols, lowest, strict=True)))
    rest = sympy.Add(
        *(
            c * sympy.Mul(*(s ** (n - k) for s, n, k in zip(symbols, m, lowest, strict=True)))
            for m, c in found
        )
    )
    product = sympy.Mul(common, rest, evaluate=False)
    if len(found) == 1 or len(rest.free_symbols) > 3:
        return [product]
    return [product, sympy.Mul(common, sympy.horner(rest), evaluate=False)]


def _spread(form: Any) -> Any:
    """The form with its number multiplied into its one sum, None where there is none."""
    coefficient, rest = form.as_coeff_Mul()
    sums = [factor for factor in rest.as_ordered_factors() if factor.is_Add]
    if coefficient in (1, -1) or len(sums) != 1:
        return None
    others = [factor for factor in rest.as_ordered_factors() if factor is not sums[0]]
    inner = sympy.Add(*(coefficient * term for term in sums[0].args))
    return sympy.Mul(*others, inner, evaluate=False)


def _power_cost(exponent: int) -> int:
    n = abs(exponent)
    return max(n.bit_length() - 1 + n.bit_count() - 1, 0) + (exponent < 0)


def _cost(form: Any) -> int:
    """The operations of a form once lowered; a sign inside a sum is free."""
    if form.is_Add:
        terms = [-t if t.could_extract_minus_sign() else t for t in form.args]
        leading = all(t.could_extract_minus_sign() for t in form.args)
        return int(len(terms) - 1 + leading + sum(_cost(term) for term in terms))
    if form.is_Mul:
        coefficient, factors = form.as_coeff_mul()
        return int(
            len(factors) - 1
            + (coefficient != 1)
            + sum(_cost(factor) for factor in factors)
        )  # fmt: skip
    if form.is_Pow:
        return _power_cost(int(form.exp)) + _cost(form.base)
    return 0


def _emit(build: Derivation, form: Any, leaves: list[int]) -> int:
    """Build a form again, the symbols standing for the given nodes."""
    if form.is_Rational:
        return build.constant(_fraction(form))
    if form.is_Symbol:
        leaf = leaves[int(form.name[1:])]
        return leaf if form.name[0] == "v" else build.div(build.constant(1), leaf)
    if form.is_Pow:
        return build.power(_emit(build, form.base, leaves), int(form.exp))
    if form.is_Add:
        terms = list(form.as_ordered_terms())
        positive = next((t for t in terms if not t.could_extract_minus_sign()), terms[0])
        terms = [positive, *(t for t in terms if t is not positive)]
        total = _emit(build, terms[0], leaves)
        for term in terms[1:]:
            negative = term.could_extract_minus_sign()
            value = _emit(build, -term if negative else term, leaves)
            total = build.apply("sub" if negative else "add", total, value)
        return total
    return _emit_product(build, form, leaves)


def _emit_product(build: Derivation, form: Any, leaves: list[int]) -> int:
    coefficient, factors = form.as_coeff_mul()
    value = build.constant(_fraction(abs(coefficient)))
    divisors: list[int] = []
    for factor in sorted(factors, key=lambda f: (f.is_Add, str(f))):
        base, exponent = factor.as_base_exp()
        if base.is_Symbol and base.name[0] == "w":
            divisors += [leaves[int(base.name[1:])]] * int(exponent)
        else:
            value = build.mul(value, _emit(build, factor, leaves))
    for divisor in divisors:
        value = build.div(value, divisor)
    return build.neg(value) if coefficient < 0 else value


def _fraction(value: Any) -> Fraction:
    return Fraction(int(value.p), int(value.q))
