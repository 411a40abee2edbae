"""Where patterns stand in a program.

Sums and products match in any order; at the root they match a part of what stands there, up to a
common factor: exp(u) - 1 stands in 3 + a*exp(x*y) - a.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from symop.bindings import Bindings
from symop.patterns import Call, Pattern, Product, Sum, Wildcard
from symop.terms import ONE, UNIT, Term, Terms


@dataclass(frozen=True)
class Found:
    """A pattern that was found.

    values: what the wildcards stand for.
    scale: the factor that is left over.
    used: the positions of the summands that the pattern took.
    """

    values: Bindings
    scale: Term = ONE
    used: tuple[int, ...] = ()


@dataclass
class Matcher:
    """Finds patterns in the nodes of a builder."""

    terms: Terms

    def find(self, wanted: Pattern, index: int) -> Iterator[Found]:
        """Every way in which a pattern stands at a node."""
        empty = Bindings(self.terms)
        match wanted:
            case Sum(parts):
                summands = self.terms.summands(index)
                if len(summands) >= len(parts):
                    yield from self._sum(parts, summands, empty, whole=False)
            case Product():
                for values, left in self._product(wanted, self.terms.term(index), empty):
                    yield Found(values, left)
            case _:
                for values in self._node(wanted, index, empty):
                    yield Found(values)

    def _node(self, wanted: Pattern, index: int, values: Bindings) -> Iterator[Bindings]:
        match wanted:
            case Wildcard():
                yield from self._bind(wanted, index, values)
            case Call(op, operands):
                yield from self._call(op, operands, index, values)
            case Product(coefficient, factors):
                name = wanted.wildcard
                if name is not None and name.name not in values:
                    inverse = self.terms.build.scaled(index, 1 / coefficient)
                    yield from self._bind(name, inverse, values)
                elif name is not None:
                    scaled = self.terms.build.scaled(values[name.name], coefficient)
                    if self.terms.equal(scaled, index):
                        yield values
                elif not factors:
                    if self.terms.term(index) == Term(coefficient):
                        yield values
                else:
                    yield from self._whole(wanted, self.terms.term(index), values)
            case Sum(parts):
                for match in self._sum(parts, self.terms.parts(index), values, whole=True):
                    if match.scale == ONE:
                        yield match.values

    def _whole(self, wanted: Product, term: Term, values: Bindings) -> Iterator[Bindings]:
        """A product that is all of another; a new wildcard takes what is left."""
        *others, (last, exponent) = wanted.factors
        if isinstance(last, Wildcard) and last.name not in values and exponent == 1:
            shorter = Product(wanted.coefficient, tuple(others))
            for found, left in self._product(shorter, term, values):
                if left.factors and last.name not in found:
                    yield from self._bind_sum(last, [left], found)
        if exponent == 2:
            shorter = Product(wanted.coefficient, tuple(others))
            for found, left in self._product(shorter, term, values):
                yield from self._bind_root(last, left, found)
        for found, left in self._product(wanted, term, values):
            if left == ONE:
                yield found

    def _bind(self, wanted: Wildcard, index: int, values: Bindings) -> Iterator[Bindings]:
        if wanted.name in values:
            if self.terms.equal(values[wanted.name], index):
                yield values
        elif wanted.is_number:
            if self.terms.constant(index) is not None:
                yield values.with_node(wanted.name, index)
        elif not wanted.is_quotient or self.terms.term(index).is_quotient:
            yield values.with_node(wanted.name, index)

    def _bind_sum(
        self, wanted: Wildcard, terms: Sequence[Term], values: Bindings
    ) -> Iterator[Bindings]:
        if wanted.name in values or wanted.is_number:
            yield from self._bind(wanted, self.terms.sum(terms), values)
        elif not wanted.is_quotient or (len(terms) == 1 and terms[0].is_quotient):
            yield values.with_sum(wanted.name, terms)

    def _bind_root(self, wanted: Pattern, square: Term, values: Bindings) -> Iterator[Bindings]:
        """A new wildcard takes the root of a product of several squares, or of a multiple."""
        root = square.root()
        if root is None or not isinstance(wanted, Wildcard) or wanted.name in values:
            return
        if len(root.factors) > 1 or (root.factors and root.coefficient != 1):
            yield from self._bind_sum(wanted, [root], values)

    def _call(
        self, op: str, operands: Sequence[Pattern], index: int, values: Bindings
    ) -> Iterator[Bindings]:
        node = self.terms.build.nodes[index]
        if node.op != op or len(node.operands) != len(operands):
            return
        orders = [node.operands]
        if op in ("eq", "ne", "hypot"):
            orders.append(node.operands[::-1])
        for order in orders:
            yield from self._all(operands, order, values)

    def _all(
        self, wanted: Sequence[Pattern], given: Sequence[int], values: Bindings
    ) -> Iterator[Bindings]:
        if not wanted:
            yield values
            return
        for found in self._node(wanted[0], given[0], values):
            yield from self._all(wanted[1:], given[1:], found)

    def _product(
        self, wanted: Product, term: Term, values: Bindings
    ) -> Iterator[tuple[Bindings, Term]]:
        """A product inside another; what is left of that one."""
        if wanted.coefficient != 1:
            term = Term(term.coefficient / wanted.coefficient, term.factors)
        yield from self._factors(wanted.factors, term, values)

    def _factors(
        self, wanted: Sequence[tuple[Pattern, int]], term: Term, values: Bindings
    ) -> Iterator[tuple[Bindings, Term]]:
        if not wanted:
            yield values, term
            return
        (base, exponent), *rest = wanted
        for found, left in self._factor(base, exponent, term, values):
            yield from self._factors(rest, left, found)

    def _factor(
        self, base: Pattern, exponent: int, term: Term, values: Bindings
    ) -> Iterator[tuple[Bindings, Term]]:
        if isinstance(base, Wildcard) and base.name in values:
            power = self.terms.term(values[base.name]).power(exponent)
            left = power and term.over(power)
            if left:
                yield values, left
            return
        for node, has in term.factors:
            if isinstance(base, Call) and base.op == "pow" and self._is_literal(base):
                whole = term.over(Term(UNIT, ((node, has),)))
                if whole and has * exponent > 1:
                    number = self.terms.build.constant(has * exponent)
                    for found in self._all(base.operands, (node, number), values):
                        yield found, whole
                continue
            if isinstance(base, Call) and self.terms.build.nodes[node].op != base.op:
                continue
            left = term.over(Term(UNIT, ((node, exponent),)))
            if left is None:
                continue
            if isinstance(base, Sum):
                summands = self.terms.summands(node)
                for match in self._sum(base.terms, summands, values, whole=True):
                    scale = match.scale.power(exponent) if not match.scale.factors else None
                    if scale:
                        yield match.values, Term(left.coefficient * scale.coefficient, left.factors)
            else:
                for found in self._node(base, node, values):
                    yield found, left

    def _is_literal(self, call: Call) -> bool:
        return call.operands[1] == Wildcard("n")

    def _sum(
        self, wanted: Sequence[Product], given: Sequence[Term], values: Bindings, *, whole: bool
    ) -> Iterator[Found]:
        """A sum inside another, up to a common factor; all of it where whole is asked."""
        if len(given) < len(wanted):
            return
        if wanted[0].wildcard is not None or not wanted[0].factors:
            starts: Iterator[tuple[Bindings, Term, tuple[int, ...]]] = iter([(values, ONE, ())])
            rest = wanted
        else:
            starts = (
                (found, scale, (place,))
                for place, term in enumerate(given)
                for found, scale in self._product(wanted[0], term, values)
            )
            rest = wanted[1:]
        for found, scale, used in starts:
            yield from self._others(rest, given, found, scale, used, whole)

    def _others(
        self,
        wanted: Sequence[Product],
        given: Sequence[Term],
        values: Bindings,
        scale: Term,
        used: tuple[int, ...],
        whole: bool,
    ) -> Iterator[Found]:
        free = [place for place in range(len(given)) if place not in used]
        if not wanted:
            if not (whole and free):
                yield Found(values, scale, used)
            return
        part, rest = wanted[0], wanted[1:]
        for found, taken in self._part(part, given, values, scale, free, whole and not rest):
            yield from self._others(rest, given, found, scale, (*used, *taken), whole)

    def _part(
        self,
        part: Product,
        given: Sequence[Term],
        values: Bindings,
        scale: Term,
        free: Sequence[int],
        last: bool,
    ) -> Iterator[tuple[Bindings, tuple[int, ...]]]:
        """One further term of a sum, times the scale, among the free terms."""
        wildcard = part.wildcard
        if wildcard is None and part.factors:
            for place in free:
                for found, left in self._product(part, given[place], values):
                    if left == scale:
                        yield found, (place,)
                quotient = given[place].over(scale)
                if quotient and len(part.factors) == 1 and part.factors[0][1] == 2:
                    square = Term(quotient.coefficient / part.coefficient, quotient.factors)
                    for found in self._bind_root(part.factors[0][0], square, values):
                        yield found, (place,)
            return
        factor = scale if part.coefficient == 1 else Term(part.coefficient).times(scale)
        if wildcard is not None and wildcard.name not in values:
            groups = [tuple(free)] if last and free else [(place,) for place in free]
            for group in groups:
                quotients = [given[place].over(factor) for place in group]
                parts = [q for q in quotients if q is not None]
                if len(parts) == len(group):
                    for found in self._bind_sum(wildcard, parts, values):
                        yield found, group
            return
        known = self.terms.summands(values[wildcard.name]) if wildcard is not None else [ONE]
        taken: list[int] = []
        for term in known:
            target = term.times(factor)
            places = [p for p in free if p not in taken and given[p] == target]
            if not places:
                return
            taken.append(places[0])
        yield values, tuple(taken)
