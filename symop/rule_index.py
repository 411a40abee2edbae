"""Which rules may apply in a program, and at a node of it: by the operations that stand there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from symop.patterns import DIVISION, Call, Product, Sum, operations, pattern, surface
from symop.program import Node
from symop.rules import Rewrite, Stage
from symop.terms import PRODUCTS, SUMS

_SUM = "sum of terms"
_PRODUCT = "product of factors"
_ARITHMETIC = SUMS | PRODUCTS | {"neg"}


@lru_cache(maxsize=4096)
def sought(text: str) -> frozenset[str]:
    """The operations without which a pattern is not found."""
    return operations(pattern(text))


@lru_cache(maxsize=4096)
def visible(text: str) -> frozenset[str]:
    """Those of them that stand under sums and products only."""
    return surface(pattern(text))


@lru_cache(maxsize=4096)
def _written(replacement: str) -> frozenset[str]:
    # What a condition adds may divide too.
    return operations(pattern(replacement.splitlines()[-1])) | {DIVISION}


@lru_cache(maxsize=4096)
def _root(text: str) -> str:
    match pattern(text):
        case Call(op):
            return op
        case Sum():
            return _SUM
        case Product():
            return _PRODUCT
    raise AssertionError(f"{text}: a wildcard is no pattern")


def _kind(node: Node) -> str:
    if node.op in SUMS:
        return _SUM
    return _PRODUCT if node.op in PRODUCTS else node.op


def unsigned(nodes: Sequence[Node], index: int) -> Node:
    """A node, or what it changes the sign of."""
    node = nodes[index]
    return nodes[node.operands[0]] if node.op == "neg" else node


@dataclass(frozen=True)
class Candidates:
    """The rules that may apply somewhere in a program, in their order.

    sought: the operations that their patterns need.
    by_root: the rules by the kind of operation that stands at the root of the pattern.
    """

    rules: tuple[Rewrite, ...]
    sought: frozenset[str]
    by_root: dict[str, tuple[Rewrite, ...]]


class Batch:
    """The rules of one stage."""

    def __init__(self, rules: Sequence[Rewrite]) -> None:
        self.rules = tuple(rules)
        self.sought = _sought(self.rules)
        self._known: dict[frozenset[str], Candidates] = {}

    def candidates(self, nodes: Sequence[Node]) -> Candidates:
        """The rules whose functions are there, or come with the replacements of others."""
        present = self.sought & {node.op for node in nodes}
        if DIVISION in self.sought and any(DIVISION in _named(node) for node in nodes):
            present |= {DIVISION}
        if present not in self._known:
            self._known[present] = _candidates(self.rules, present)
        return self._known[present]


@lru_cache(maxsize=64)
def batches(rules: tuple[Rewrite, ...]) -> tuple[Batch, ...]:
    """The rules of the stages in turn: FIRST, then these with LATE, then LAST."""
    return (
        Batch([rule for rule in rules if rule.stage == Stage.FIRST]),
        Batch([rule for rule in rules if rule.stage <= Stage.LATE]),
        Batch([rule for rule in rules if rule.stage == Stage.LAST]),
    )


def _candidates(rules: tuple[Rewrite, ...], present: frozenset[str]) -> Candidates:
    chosen: set[Rewrite] = set()
    others = [(sought(rule.pattern), rule) for rule in rules]
    while new := [rule for needs, rule in others if needs <= present]:
        chosen.update(new)
        others = [(needs, rule) for needs, rule in others if rule not in chosen]
        present = present.union(*(_written(rule.replacement) for rule in new))
    possible = tuple(rule for rule in rules if rule in chosen)
    by_root: dict[str, list[Rewrite]] = {}
    for rule in possible:
        by_root.setdefault(_root(rule.pattern), []).append(rule)
    return Candidates(
        possible, _sought(possible), {root: tuple(some) for root, some in by_root.items()}
    )


def _sought(rules: Sequence[Rewrite]) -> frozenset[str]:
    return frozenset().union(*(sought(rule.pattern) for rule in rules))


def _named(node: Node) -> tuple[str, ...]:
    divides = node.op == "div" or (node.op == "ipow" and int(node.value or 0) < 0)
    return (node.op, DIVISION) if divides else (node.op,)


class Present:
    """Which of some rules may apply at the nodes of a growing list, by the operations there."""

    def __init__(self, candidates: Candidates, nodes: Sequence[Node]) -> None:
        self.candidates = candidates
        self.nodes = nodes
        self._below: list[frozenset[str]] = []
        self._surface: list[frozenset[str]] = []
        self._rules: dict[tuple[str, frozenset[str], frozenset[str]], tuple[Rewrite, ...]] = {}

    def rules(self, index: int) -> tuple[Rewrite, ...]:
        """Those whose patterns may stand at a node, in their order."""
        for node in self.nodes[len(self._below) : index + 1]:
            self._append(node)
        kind = _kind(unsigned(self.nodes, index))
        if kind not in self.candidates.by_root:
            return ()
        surface, below = self._surface[index], self._below[index]
        key = kind, surface, below
        if key not in self._rules:
            self._rules[key] = tuple(
                rule
                for rule in self.candidates.by_root[kind]
                if visible(rule.pattern) <= surface and sought(rule.pattern) <= below
            )
        return self._rules[key]

    def _append(self, node: Node) -> None:
        mine = self.candidates.sought.intersection(_named(node))
        below = surface = mine
        for operand in node.operands:
            below |= self._below[operand]
            if node.op in _ARITHMETIC:
                surface |= self._surface[operand]
        self._below.append(below)
        self._surface.append(surface)
