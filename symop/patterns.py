"""Patterns of formulas: formulas in symop's language over wildcards, in a normal form."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import TypeAlias

from symop.parsing import expand
from symop.program import COMPARISONS, Argument
from symop.python_text import syntax_tree
from symop.terms import Replacing, Term, Terms

# Among the operations of a pattern: something is divided by.
DIVISION = "/"


@dataclass(frozen=True)
class Wildcard:
    """Any value; c and n are numbers, or literal exponents, and q is a quotient."""

    name: str

    @property
    def is_number(self) -> bool:
        """Whether only numbers match."""
        return self.name in ("c", "n")

    @property
    def is_quotient(self) -> bool:
        """Whether only products match that something divides."""
        return self.name == "q"


@dataclass(frozen=True)
class Call:
    """An operation that is no sum and no product, on patterns."""

    op: str
    operands: tuple[Pattern, ...]


@dataclass(frozen=True)
class Product:
    """A number times powers of patterns, those with operations first."""

    coefficient: Fraction
    factors: tuple[tuple[Pattern, int], ...] = ()

    @property
    def wildcard(self) -> Wildcard | None:
        """The wildcard of a product that is nothing else, up to its number."""
        if len(self.factors) == 1:
            ((base, exponent),) = self.factors
            if isinstance(base, Wildcard) and exponent == 1:
                return base
        return None


@dataclass(frozen=True)
class Sum:
    """A sum of patterns, those with operations first and wildcards last."""

    terms: tuple[Product, ...]


Pattern: TypeAlias = Wildcard | Call | Product | Sum


def _rank(pattern: Pattern) -> int:
    if isinstance(pattern, Call):
        return 0
    if isinstance(pattern, Sum):
        return 1
    if isinstance(pattern, Wildcard):
        return 4
    if not pattern.factors:
        return 2
    return 3 if pattern.wildcard else min(_rank(base) for base, _ in pattern.factors)


@lru_cache(maxsize=4096)
def pattern(text: str) -> Pattern:
    """The pattern of a formula; its names are wildcards."""
    names = sorted(set(_names(text)))
    build = Replacing()
    values = {name: build.argument(Argument(name, (name,))) for name in names}
    terms = Terms(build)
    return _compiled(terms, expand(build, text, values))


def _names(text: str) -> Iterator[str]:
    tree = syntax_tree(text)
    called = {id(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and id(node) not in called and node.id != "pi":
            yield node.id


def _compiled(terms: Terms, index: int) -> Pattern:
    node = terms.build.nodes[index]
    if node.op == "argument":
        return Wildcard(str(node.value))
    if node.op in ("add", "sub"):
        parts = [_product(terms, term) for term in terms.summands(index)]
        return Sum(tuple(sorted(parts, key=_rank)))
    if node.op in ("constant", "mul", "div", "neg", "ipow"):
        return _product(terms, terms.term(index))
    return Call(node.op, tuple(_compiled(terms, o) for o in node.operands))


def _product(terms: Terms, term: Term) -> Product:
    factors = [(_compiled(terms, base), exponent) for base, exponent in term.factors]
    return Product(term.coefficient, tuple(sorted(factors, key=lambda f: _rank(f[0]))))


def operations(part: Pattern) -> frozenset[str]:
    """The functions, and divisions, that must stand in a program for a pattern to be found."""
    return _named(part).union(*(operations(inner) for inner in _inside(part)))


def surface(part: Pattern) -> frozenset[str]:
    """Those of them that stand under sums and products only."""
    inside = () if isinstance(part, Call) else _inside(part)
    return _named(part).union(*(surface(inner) for inner in inside))


def _inside(part: Pattern) -> tuple[Pattern, ...]:
    match part:
        case Call(_, operands):
            return operands
        case Product(_, factors):
            return tuple(base for base, _ in factors)
        case Sum(parts):
            return parts
    return ()


def _named(part: Pattern) -> frozenset[str]:
    match part:
        case Wildcard() if part.is_quotient:
            return frozenset({DIVISION})
        case Call(op):
            return frozenset({op}) - COMPARISONS - {"pow"}
        # A wildcard may stand for a number, by which nothing is seen to be divided.
        case Product(_, factors) if any(
            e < 0 and not isinstance(base, Wildcard) for base, e in factors
        ):
            return frozenset({DIVISION})
    return frozenset()
