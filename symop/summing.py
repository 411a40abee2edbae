"""Loops that only add up, in fewer operations an element.

What is summed is rounded again when it is added, and nobody sees one element by itself. So numbers
that multiply all elements are left to the sum, polynomials take a form of fewer operations, and
products with powers of one value are made of each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from symop.loops import Count, Loop
from symop.program import Builder
from symop.summed import Summed
from symop.summed_forms import numbers_inside, polynomials, shared

# A number beyond these stays with the elements: without it they might leave the range of a float.
_SMALLEST, _LARGEST = Fraction(1, 256), Fraction(256)
# Larger loops wait for arithmetic whatever their form, and to look for forms would take long.
_MOST_NODES = 300


@dataclass(frozen=True)
class Factor:
    """What a sum is multiplied by when it is made: number * above / below."""

    number: Fraction = Fraction(1)
    above: tuple[Count, ...] = ()
    below: tuple[Count, ...] = ()

    def times(self, other: Factor) -> Factor:
        """The product of both."""
        above, below = self.above + other.above, self.below + other.below
        return Factor(self.number * other.number, above, below)

    def over(self, other: Factor) -> Factor:
        """One divided by the other."""
        return self.times(Factor(1 / other.number, other.below, other.above))


ONE = Factor()


def summing(
    loop: Loop, wanted: Sequence[int], uniform: Iterable[str]
) -> tuple[Loop, tuple[Factor, ...]]:
    """A loop for the sums of some results, and what these are multiplied by in the end.

    Args:
        loop: the loop.
        wanted: the places of the results that are asked for, all of them sums.
        uniform: the inputs of one element.
    """
    body = Summed(loop.nodes, tuple(loop.results[k].node for k in wanted), frozenset(uniform))
    factors = [ONE] * len(wanted)
    if len(loop.nodes) <= _MOST_NODES:
        apart, found = _factors_apart(body)
        if apart.cost() < body.cost():
            body, factors = apart, found
        inside = numbers_inside(body)
        forms = dict.fromkeys((body, polynomials(body), inside, polynomials(inside)))
        body = min(map(shared, forms), key=Summed.cost)
    results = list(loop.results)
    for k, root in zip(wanted, body.roots, strict=True):
        results[k] = replace(results[k], node=root)
    made = replace(loop, nodes=body.nodes, results=tuple(results))
    return made, tuple(factors)


def _factors_apart(body: Summed) -> tuple[Summed, list[Factor]]:
    """Sums without the numbers that multiply all that is added."""
    build = Builder(body.nodes)
    roots, factors = [], []
    for root in body.roots:
        factor, rest = _apart(build, root)
        is_usual = _SMALLEST <= abs(factor.number) <= _LARGEST
        factors.append(factor if is_usual else ONE)
        roots.append((build.constant(1) if rest is None else rest) if is_usual else root)
    return replace(body, nodes=tuple(build.nodes), roots=tuple(roots)), factors


def _apart(build: Builder, index: int) -> tuple[Factor, int | None]:
    """A value as a factor that all elements share and the rest, None for 1."""
    node = build.nodes[index]
    value = build.value(index)
    if value:
        return Factor(value), None
    if node.op == "count":
        return Factor(above=((node.source or (), node.target or ()),)), None
    if node.op == "neg":
        factor, rest = _apart(build, node.operands[0])
        return Factor(Fraction(-1)).times(factor), rest
    if node.op not in ("mul", "div"):
        return ONE, index
    (first, a), (second, b) = (_apart(build, operand) for operand in node.operands)
    factor = first.times(second) if node.op == "mul" else first.over(second)
    if b is None:
        return factor, a
    if a is None and node.op == "mul":
        return factor, b
    return factor, build.apply(node.op, build.constant(1) if a is None else a, b)
