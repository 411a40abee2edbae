"""What the wildcards of a pattern stand for: nodes, which are built when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from symop.terms import Term, Terms

Value: TypeAlias = "int | tuple[Term, ...]"


class Bindings(Mapping[str, int]):
    """Nodes by the names of wildcards; of most of what is tried a condition needs no nodes."""

    __slots__ = ("_terms", "_values")

    def __init__(self, terms: Terms, values: Mapping[str, Value] | None = None) -> None:
        self._terms = terms
        self._values: dict[str, Value] = dict(values or {})

    def __getitem__(self, name: str) -> int:
        value = self._values[name]
        if not isinstance(value, int):
            value = self._values[name] = self._terms.sum(value)
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def term(self, name: str) -> Term:
        """What a wildcard stands for as a product; nothing is built for that."""
        value = self._values[name]
        if not isinstance(value, int) and len(value) == 1:
            return value[0]
        return self._terms.term(self[name])

    def with_node(self, name: str, index: int) -> Bindings:
        """Beside these, a node."""
        return Bindings(self._terms, {**self._values, name: index})

    def with_sum(self, name: str, terms: Sequence[Term]) -> Bindings:
        """Beside these, a sum of products."""
        return Bindings(self._terms, {**self._values, name: tuple(terms)})
