"""What sums add up, in other forms: polynomials, coefficients, products of powers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from math import gcd

from symop.program import Builder, Node
from symop.summed import Change, Summed

_SUMS = ("add", "sub", "neg")


def numbers_inside(body: Summed) -> Summed:
    """Products of one-element arguments and sums of constant multiples, as such sums.

    Their coefficients are then computed before the loop.
    """
    reads, decided = body.reads(), body.decided()

    def factors(index: int, top: bool = True) -> list[int]:
        node = body.nodes[index]
        if node.op != "mul" or not (top or reads[index] == 1):
            return [index]
        return [factor for operand in node.operands for factor in factors(operand, top=False)]

    def scaled(build: Builder, index: int, by: int, place: Sequence[int]) -> int | None:
        """A sum of constant multiples times a number, None where it is none."""
        node = body.nodes[index]
        if node.op == "constant":
            return by if node.value == 1 else build.apply("mul", by, place[index])
        if reads[index] > 1:
            return None
        if node.op in _SUMS:
            parts = [scaled(build, operand, by, place) for operand in node.operands]
            known = [part for part in parts if part is not None]
            return build.apply(node.op, *known) if len(known) == len(parts) else None
        if node.op == "mul":
            for constant, rest in (node.operands, node.operands[::-1]):
                if body.nodes[constant].op == "constant":
                    number = build.apply("mul", by, place[constant])
                    return build.apply("mul", number, place[rest])
        return None

    def product(build: Builder, parts: Sequence[int]) -> int:
        return reduce(lambda a, b: build.apply("mul", a, b), parts)

    def change(build: Builder, index: int, place: list[int]) -> int | None:
        is_free = body.nodes[index].op == "mul" and reads[index] and not decided[index]
        parts = factors(index) if is_free else []
        numbers = [k for k in parts if body.nodes[k].value in body.uniform]
        for k in parts if numbers else ():
            if body.nodes[k].op not in ("add", "sub"):
                continue
            by = product(build, [place[n] for n in numbers])
            inner = scaled(build, k, by, place)
            if inner is not None:
                rest = [place[p] for p in parts if p != k and p not in numbers]
                return product(build, [*rest, inner])
        return None

    return body.rebuilt(change)


# What multiplies a power: its sign and a node, None for 1.
Multiple = tuple[int, int | None]


def polynomials(body: Summed) -> Summed:
    """Sums of multiples of powers of one value, by way of few products."""
    reads, decided = body.reads(), body.decided()
    reader = {o: node for k, node in enumerate(body.nodes) if reads[k] for o in node.operands}

    def is_whole(index: int) -> bool:
        is_part = reads[index] == 1 and index in reader and reader[index].op in _SUMS
        is_free = reads[index] > 0 and not decided[index]
        return body.nodes[index].op in _SUMS and is_free and not is_part

    def change(build: Builder, index: int, place: list[int]) -> int | None:
        terms = _terms(body.nodes, reads, index) if is_whole(index) else []
        found = _polynomial(body.nodes, terms)
        return None if found is None else _Evaluation(build, place, found[0]).of(found[1])

    return body.rebuilt(change)


def _terms(nodes: Sequence[Node], reads: Sequence[int], index: int) -> list[tuple[int, int]]:
    """The signs and terms of a sum, in their order."""
    found: list[tuple[int, int]] = []
    stack = [(1, index)]
    while stack:
        sign, k = stack.pop()
        node = nodes[k]
        if node.op not in _SUMS or (k != index and reads[k] > 1):
            found.append((sign, k))
            continue
        stack.append((sign if node.op == "add" else -sign, node.operands[-1]))
        if node.op != "neg":
            stack.append((sign, node.operands[0]))
    return found


def _polynomial(
    nodes: Sequence[Node], terms: Sequence[tuple[int, int]]
) -> tuple[int, dict[int, list[Multiple]]] | None:
    """A variable, and what multiplies each of its powers; None where no two powers are added."""
    below = (nodes[k] for _, term in terms for k in (term, *nodes[term].operands))
    for base in dict.fromkeys(n.operands[0] for n in below if n.op == "ipow"):
        found: dict[int, list[Multiple]] = {}
        for sign, index in terms:
            exponent, multiple = _monomial(nodes, index, base)
            found.setdefault(exponent, []).append((sign, multiple))
        exponents = [e for e in found if e > 0]
        if len(exponents) > 1 and all(len(found[e]) == 1 for e in exponents):
            return base, found
    return None


def _monomial(nodes: Sequence[Node], index: int, base: int) -> tuple[int, int | None]:
    """A term as a power of the base, at least the first, and what multiplies it."""

    def exponent(k: int) -> int:
        is_power = nodes[k].op == "ipow" and nodes[k].operands[0] == base
        return 1 if k == base else int(nodes[k].value or 0) if is_power else 0

    if exponent(index) > 0:
        return exponent(index), None
    node = nodes[index]
    if node.op == "mul":
        for power, multiple in (node.operands[::-1], node.operands):
            if exponent(power) > 0:
                return exponent(power), multiple
    return 0, index


@dataclass(frozen=True)
class _Evaluation:
    """Builds polynomials in one variable.

    build: the builder.
    place: where the nodes of the body are in it.
    base: the variable, a node of the body.
    """

    build: Builder
    place: Sequence[int]
    base: int

    def of(self, found: dict[int, list[Multiple]]) -> int:
        """The polynomial, as the lowest power of its variable times one in a higher power."""
        multiples = {
            exponent: reduce(self._sum, (self._placed(*m) for m in terms))
            for exponent, terms in found.items()
        }
        lowest = min(multiples)
        step = gcd(*(e - lowest for e in multiples))
        made = self._value({(e - lowest) // step: m for e, m in multiples.items()}, step)
        sign, result = self._times(made, lowest) if lowest else made
        assert result is not None
        return result if sign > 0 else self.build.apply("neg", result)

    def _value(self, parts: dict[int, Multiple], step: int) -> Multiple:
        degree = max(parts)
        if degree == 0:
            return parts[0]
        # The halves of a long one do not wait for each other (Estrin); others by Horner's rule.
        split = 1 if degree < 3 else 1 << degree.bit_length() - 1
        low = {e: m for e, m in parts.items() if e < split}
        high = self._value({e - split: m for e, m in parts.items() if e >= split}, step)
        product = self._times(high, split * step)
        return self._sum(product, self._value(low, step)) if low else product

    def _placed(self, sign: int, index: int | None) -> Multiple:
        if index is None:
            return sign, None
        value = self.build.value(self.place[index])
        if value is None:
            return sign, self.place[index]
        return 1, self.build.constant(sign * value)

    def _sum(self, a: Multiple, b: Multiple) -> Multiple:
        one = self.build.constant(1)
        (p, i), (q, j) = ((sign, one if k is None else k) for sign, k in (a, b))
        if p == q:
            return p, self.build.apply("add", i, j)
        return 1, self.build.apply("sub", *((i, j) if p > 0 else (j, i)))

    def _times(self, a: Multiple, exponent: int) -> Multiple:
        x = self.place[self.base]
        power = x if exponent == 1 else self.build.apply("ipow", x, value=exponent)
        return a[0], power if a[1] is None else self.build.apply("mul", a[1], power)


def shared(body: Summed) -> Summed:
    """Products a*x**n made of a*x**m where that is computed too, as far as it costs less."""
    while True:
        least = body.cost()
        changed = (body.rebuilt(change) for change in _lower_products(body))
        better = next((made for made in changed if made.cost() < least), None)
        if better is None:
            return body
        body = better


def _lower_products(body: Summed) -> Iterator[Change]:
    """The ways to make one product of another."""
    reads, decided = body.reads(), body.decided()
    living = [(k, node) for k, node in enumerate(body.nodes) if reads[k]]
    products = {node.operands for _, node in living if node.op == "mul"}
    powers = {(n.operands[0], n.value): k for k, n in living if n.op == "ipow"}
    for index, node in living:
        is_free = node.op == "mul" and not decided[index]
        for rest, power in (node.operands, node.operands[::-1]) if is_free else ():
            if body.nodes[power].op != "ipow":
                continue
            x, most = body.nodes[power].operands[0], int(body.nodes[power].value or 0)
            for exponent in range(most - 1, 0, -1):
                given = powers.get((x, exponent), -1) if exponent > 1 else x
                for is_first in (True, False):
                    if ((rest, given) if is_first else (given, rest)) in products:
                        yield _product_of(index, rest, x, (exponent, most - exponent), is_first)


def _product_of(
    index: int, rest: int, base: int, exponents: tuple[int, int], is_first: bool
) -> Change:
    """Makes a node rest*base**m times base**n, the product as it stands elsewhere."""

    def change(build: Builder, k: int, place: list[int]) -> int | None:
        if k != index:
            return None
        x = place[base]
        powers = [x if n == 1 else build.apply("ipow", x, value=n) for n in exponents]
        pair = (place[rest], powers[0]) if is_first else (powers[0], place[rest])
        return build.apply("mul", build.apply("mul", *pair), powers[1])

    return change
