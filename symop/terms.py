"""Nodes seen as sums of products, so that a + b and b + a, or x/2 and 0.5*x, are one thing.

Views only read: nothing is reordered or cancelled in a program because of them. What a
rewrite has found is built again with `Terms.product` and `Terms.sum`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import isqrt

from symop.program import Builder, Node

# Beyond these a sum or a power is taken as it stands: long sums would cost their square.
_MAX_TERMS = 24
_MAX_BITS = 256

SUMS = frozenset({"add", "sub"})
PRODUCTS = frozenset({"mul", "div", "ipow"})

# Known by identity: most products have no number.
UNIT = Fraction(1)

Factors = tuple[tuple[int, int], ...]
Linear = Mapping[Factors, Fraction]


@dataclass(frozen=True, slots=True)
class Term:
    """A number times integer powers of nodes, as pairs (node, exponent) in order."""

    coefficient: Fraction
    factors: Factors = ()

    @property
    def is_quotient(self) -> bool:
        """Whether something divides."""
        return any(exponent < 0 for _, exponent in self.factors)

    def over(self, other: Term) -> Term | None:
        """The quotient; None where the other is no part of this product, or 0."""
        left = _quotient(self.factors, other.factors)
        if left is None or not other.coefficient:
            return None
        if other.coefficient is UNIT:
            return self if not other.factors else Term(self.coefficient, left)
        return Term(self.coefficient / other.coefficient, left)

    def times(self, other: Term) -> Term:
        """The product; what stands above and below a line is not cancelled."""
        both = _joined(self.factors, other.factors)
        if self.coefficient is UNIT:
            return Term(other.coefficient, both)
        if other.coefficient is UNIT:
            return Term(self.coefficient, both)
        return Term(self.coefficient * other.coefficient, both)

    def root(self) -> Term | None:
        """The square root of a product of squares."""
        number = self.coefficient
        if number <= 0 or any(abs(exponent) != 2 for _, exponent in self.factors):
            return None
        root = Fraction(isqrt(number.numerator), isqrt(number.denominator))
        if root * root != number:
            return None
        return Term(root, tuple((base, exponent // 2) for base, exponent in self.factors))

    def power(self, exponent: int) -> Term | None:
        """An integer power; None where its number would be long, or infinite."""
        number = self.coefficient
        if not number and exponent < 0:
            return None
        bits = max(number.numerator.bit_length(), number.denominator.bit_length())
        if not exponent or (bits > 1 and bits * abs(exponent) > _MAX_BITS):
            return None
        factors = tuple((base, e * exponent) for base, e in self.factors)
        return Term(self.coefficient**exponent, factors)


@lru_cache(maxsize=65536)
def _joined(some: Factors, others: Factors) -> Factors:
    factors = {(base, exponent > 0): exponent for base, exponent in some}
    for base, exponent in others:
        key = base, exponent > 0
        factors[key] = factors.get(key, 0) + exponent
    return tuple(sorted((b, e) for (b, _), e in factors.items()))


@lru_cache(maxsize=65536)
def _quotient(some: Factors, others: Factors) -> Factors | None:
    rest = {(base, exponent > 0): exponent for base, exponent in some}
    for base, exponent in others:
        key = base, exponent > 0
        mine = rest.get(key, 0)
        if abs(mine) < abs(exponent):
            return None
        rest[key] = mine - exponent
    return tuple(sorted((b, e) for (b, _), e in rest.items() if e))


ONE = Term(UNIT)


class Replacing(Builder):
    """Builds what takes the place of something: signs and numbers are taken together."""

    def apply(self, op: str, *operands: int, value: int | None = None) -> int:
        """An elementwise operation; its frame is the union of those of its operands."""
        if op == "neg":
            return self.scaled(operands[0], Fraction(-1))
        if op in ("mul", "div"):
            a, b = (self.value(o) for o in operands)
            if a is not None and op == "mul":
                return self.scaled(operands[1], a)
            if b:
                return self.scaled(operands[0], b if op == "mul" else 1 / b)
        return super().apply(op, *operands, value=value)

    def scaled(self, index: int, factor: Fraction) -> int:
        """A node times a number."""
        node = self.nodes[index]
        if factor == 1:
            return index
        if node.op == "constant":
            return self.constant(Fraction(node.value or 0) * factor)
        if node.op == "neg":
            return self.scaled(node.operands[0], -factor)
        if node.op == "sub" and factor < 0:
            swapped = super().apply("sub", *reversed(node.operands))
            return self.scaled(swapped, -factor)
        if node.op in ("mul", "div"):
            a, b = (self.value(o) for o in node.operands)
            if a is not None and node.op == "mul":
                return self.scaled(node.operands[1], a * factor)
            if b:
                return self.scaled(node.operands[0], (b if node.op == "mul" else 1 / b) * factor)
            for place in (0, 1) if factor < 0 else ():
                signed = self.nodes[node.operands[place]]
                if signed.op == "neg":
                    operands = list(node.operands)
                    operands[place] = signed.operands[0]
                    return self.scaled(super().apply(node.op, *operands), -factor)
        if factor < 0:
            return super().apply("neg", self.scaled(index, -factor))
        if factor.numerator == 1:
            return super().apply("div", index, self.constant(factor.denominator))
        return super().apply("mul", self.constant(factor), index)


class Terms:
    """The views of the nodes of one builder, which may grow meanwhile."""

    def __init__(self, build: Replacing) -> None:
        self.build = build
        self._terms: list[Term] = []
        self._linear: list[Linear] = []
        self._first: dict[object, int] = {}

    def term(self, index: int) -> Term:
        """The node as a product."""
        self._follow()
        return self._terms[index]

    def linear(self, index: int) -> Linear:
        """The node as a sum, like terms gathered."""
        self._follow()
        return self._linear[index]

    def equal(self, a: int, b: int) -> bool:
        """Whether two nodes are the same sum of products."""
        return self.linear(a) == self.linear(b) and self.build.frame(a) == self.build.frame(b)

    def summands(self, index: int) -> list[Term]:
        """The terms of a sum in the order in which they stand; one term for any other node."""
        return [
            self._terms[at]
            if sign > 0
            else Term(-self._terms[at].coefficient, self._terms[at].factors)
            for at, sign in self.addends(index)
        ]

    def addends(self, index: int) -> list[tuple[int, int]]:
        """The nodes that a sum adds up, each with its sign, in the order in which they stand."""
        self._follow()
        found: list[tuple[int, int]] = []
        stack = [(index, 1)]
        while stack:
            at, sign = stack.pop()
            node = self.build.nodes[at]
            match node.op:
                case "add" | "sub":
                    a, b = node.operands
                    stack += [(b, sign if node.op == "add" else -sign), (a, sign)]
                case "neg" if self.build.nodes[node.operands[0]].op in ("add", "sub"):
                    stack.append((node.operands[0], -sign))
                case _:
                    found.append((at, sign))
            if len(found) + len(stack) > _MAX_TERMS:
                return [(index, 1)]
        return found

    def parts(self, index: int) -> list[Term]:
        """The terms of a sum, a product that holds one multiplied out."""
        if self.build.nodes[index].op in ("mul", "div"):
            return [Term(c, f) for f, c in self.linear(index).items()]
        return self.summands(index)

    def _follow(self) -> None:
        for index in range(len(self._terms), len(self.build.nodes)):
            self._terms.append(Term(UNIT, ((index, 1),)))
            self._linear.append({})
            term, linear = self._viewed(index, self.build.nodes[index])
            self._terms[index] = term
            self._linear[index] = linear

    def _viewed(self, index: int, node: Node) -> tuple[Term, Linear]:
        if node.op == "constant":
            value = Fraction(node.value or 0)
            return Term(value), {(): value} if value else {}
        term = self._product(node)
        if term is not None and term.coefficient:
            return term, self._spread(term) or {term.factors: term.coefficient}
        key: object
        linear = self._sum(node)
        if linear is not None:
            if len(linear) == 1:
                ((factors, coefficient),) = linear.items()
                return Term(coefficient, factors), linear
            key = (frozenset(linear.items()), node.frame)
        else:
            operands = tuple(frozenset(self._linear[o].items()) for o in node.operands)
            key = (node.op, node.value, node.frame, node.source, node.target, node.dims, operands)
        own = self._first.setdefault(key, index)
        atom = Term(UNIT, ((own, 1),))
        return atom, linear if linear is not None else {atom.factors: UNIT}

    def _spread(self, term: Term) -> Linear | None:
        """A product with one sum in it, multiplied out; only to compare values."""
        sums = [
            base for base, exponent in term.factors
            if exponent == 1 and self.build.nodes[base].op in ("add", "sub")
        ]  # fmt: skip
        if len(sums) != 1 or len(self._linear[sums[0]]) < 2:
            return None
        rest = term.over(Term(UNIT, ((sums[0], 1),)))
        assert rest is not None
        parts = (Term(c, f).times(rest) for f, c in self._linear[sums[0]].items())
        return {part.factors: part.coefficient for part in parts}

    def _product(self, node: Node) -> Term | None:
        terms = [self._terms[o] for o in node.operands] if node.op != "where" else []
        match node.op:
            case "neg":
                return Term(-terms[0].coefficient, terms[0].factors)
            case "mul":
                return terms[0].times(terms[1])
            case "div" if terms[1].coefficient:
                inverse = terms[1].power(-1)
                return inverse and terms[0].times(inverse)
            case "ipow" if terms[0].coefficient:
                return terms[0].power(int(node.value or 0))
        return None

    def _sum(self, node: Node) -> Linear | None:
        if node.op not in ("add", "sub"):
            return None
        a, b = (self._linear[o] for o in node.operands)
        if len(a) + len(b) > _MAX_TERMS:
            return None
        total = dict(a)
        for factors, coefficient in b.items():
            total[factors] = total.get(factors, Fraction(0)) + (
                coefficient if node.op == "add" else -coefficient
            )
        total = {f: c for f, c in total.items() if c}
        return total or None

    # Building

    def constant(self, index: int) -> Fraction | None:
        """The value of a node that is a number."""
        term = self.term(index)
        return term.coefficient if not term.factors else None

    def product(self, term: Term, *more: int) -> int:
        """A product as nodes, with further factors."""
        build = self.build
        above = [(b, e) for b, e in term.factors if e > 0] + [(i, 1) for i in more]
        below = [(b, -e) for b, e in term.factors if e < 0]
        sign = -1 if term.coefficient < 0 else 1
        size = abs(term.coefficient)
        value = -1
        for base, exponent in above:
            power = base if exponent == 1 else build.apply("ipow", base, value=exponent)
            value = power if value < 0 else build.apply("mul", value, power)
        if value < 0:
            value = build.constant(size * sign if not below else size)
            sign = sign if below else 1
        else:
            value = build.scaled(value, size)
        for base, exponent in below:
            power = base if exponent == 1 else build.apply("ipow", base, value=exponent)
            value = build.apply("div", value, power)
        return build.scaled(value, Fraction(sign))

    def sum(self, terms: Sequence[Term]) -> int:
        """A sum as nodes; a positive term comes first where there is one."""
        return self.total(self.product(term) for term in terms)

    def total(self, parts: Iterable[int]) -> int:
        """The sum of nodes."""
        build = self.build
        order = sorted(parts, key=lambda i: build.nodes[i].op == "neg")
        total = order[0]
        for part in order[1:]:
            if build.nodes[part].op == "neg":
                total = build.apply("sub", total, build.nodes[part].operands[0])
            elif (value := build.value(part)) is not None and value < 0:
                total = build.apply("sub", total, build.constant(-value))
            else:
                total = build.apply("add", total, part)
        return total

    def gathered(self, linear: Linear) -> int:
        """The node of a sum of like terms."""
        terms = [Term(c, f) for f, c in linear.items()]
        return self.sum(terms) if terms else self.build.constant(0)

    def difference(self, a: int, b: int) -> Linear:
        """The terms of a - b that do not cancel."""
        total = dict(self.linear(a))
        for factors, coefficient in self.linear(b).items():
            total[factors] = total.get(factors, Fraction(0)) - coefficient
        return {f: c for f, c in total.items() if c}
