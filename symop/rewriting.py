"""Named rewrites of what the user wrote, before it is differentiated.

A rewrite never changes the convention of the function that was written, loses no argument,
and turns NaN into a value only at a removable singularity. The table is in
`symop.identities`; here it is carried out, to a fixed point.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache

from symop.identities import REWRITES
from symop.matching import Found, Matcher
from symop.parsing import expand
from symop.patterns import Call, Product, Sum, operations, pattern
from symop.program import (
    Node,
    Program,
    readers,
    with_operands,
    without_dead_nodes,
)
from symop.rules import Rewrite, Stage
from symop.terms import Replacing, Terms

# Rules that feed each other settle after two or three passes.
_MAX_PASSES = 8
_MAX_STEPS = 16
_SUMS = frozenset({"add", "sub"})
_PRODUCTS = frozenset({"mul", "div", "ipow"})


def rewrite(program: Program, rules: Sequence[Rewrite] = REWRITES) -> Program:
    """The program with every rewrite carried out that applies.

    Args:
        program: any program.
        rules: the records to use, in order.
    """
    return _rewritten(program, rules, {})


def rules_used(program: Program, rules: Sequence[Rewrite] = REWRITES) -> tuple[Rewrite, ...]:
    """The records by which `rewrite` changes a program, in the order of their first use."""
    used: dict[str, Rewrite] = {}
    _rewritten(program, rules, used)
    return tuple(used.values())


def _rewritten(program: Program, rules: Sequence[Rewrite], used: dict[str, Rewrite]) -> Program:
    for stage in (Stage.FIRST, Stage.LATE):
        batch = [rule for rule in rules if rule.stage <= stage]
        for _ in range(_MAX_PASSES):
            changed = _pass(program, batch, _MAX_STEPS, used)
            if changed == program:
                break
            program = changed
    return _pass(program, [rule for rule in rules if rule.stage == Stage.LAST], 1, used)


def _pass(
    program: Program, rules: Sequence[Rewrite], steps: int, used: dict[str, Rewrite]
) -> Program:
    rules = _possible(program, rules)
    if not rules:
        return program
    by_root: dict[str, list[Rewrite]] = {}
    for rule in rules:
        by_root.setdefault(_root(rule), []).append(rule)
    inner = _inner(program)
    build = Replacing()
    matcher = Matcher(Terms(build))
    place: list[int] = []
    for index, node in enumerate(program.nodes):
        at = build.put(with_operands(node, tuple(place[o] for o in node.operands)))
        place.append(at if index in inner else _settled(matcher, at, by_root, steps, used))
    outputs = tuple(replace(o, node=place[o.node]) for o in program.outputs)
    names = tuple(sorted({place[i]: n for i, n in program.names}.items()))
    return without_dead_nodes(Program(program.arguments, tuple(build.nodes), outputs, names))


def _possible(program: Program, rules: Sequence[Rewrite]) -> list[Rewrite]:
    """The rules whose functions are there, or come with the replacements of others."""
    present = {node.op for node in program.nodes}
    chosen: set[str] = set()
    while True:
        new = [r for r in rules if r.name not in chosen and _sought(r.pattern) <= present]
        if not new:
            return [rule for rule in rules if rule.name in chosen]
        for rule in new:
            chosen.add(rule.name)
            present |= _written(rule.replacement)


@cache
def _sought(text: str) -> frozenset[str]:
    return operations(pattern(text))


@cache
def _written(replacement: str) -> frozenset[str]:
    return operations(pattern(replacement.splitlines()[-1]))


def _root(rule: Rewrite) -> str:
    match pattern(rule.pattern):
        case Call(op):
            return op
        case Sum():
            return "sum of terms"
        case Product():
            return "product of factors"
    raise AssertionError(f"{rule.name}: a wildcard is no pattern")


def _kind(nodes: Sequence[Node], index: int) -> str:
    """What rules look for at a node; a sum or a product with a sign before it is one still."""
    node = nodes[index]
    while node.op == "neg":
        node = nodes[node.operands[0]]
    if node.op in _SUMS:
        return "sum of terms"
    return "product of factors" if node.op in _PRODUCTS else nodes[index].op


def _inner(program: Program) -> set[int]:
    """Sums that are read by sums only, and products by products: seen from their root."""
    reads = readers(program.nodes, program.outputs)
    above: dict[int, int] = {}
    for node in program.nodes:
        for place, operand in enumerate(node.operands):
            mine = program.nodes[operand]
            through = (mine.op in _SUMS and node.op in _SUMS | {"neg"}) or (
                mine.op in _PRODUCTS
                and node.op in _PRODUCTS | {"neg"}
                and not (node.op == "div" and place == 1 and mine.op == "div")
            )
            above[operand] = above.get(operand, 0) + through
    return {i for i, count in above.items() if count and count == reads[i]}


def _settled(
    matcher: Matcher,
    index: int,
    rules: dict[str, list[Rewrite]],
    steps: int,
    used: dict[str, Rewrite],
) -> int:
    for _ in range(steps):
        for rule in rules.get(_kind(matcher.terms.build.nodes, index), ()):
            changed = apply(rule, matcher, index)
            if changed is not None:
                index = changed
                used.setdefault(rule.name, rule)
                break
        else:
            return index
    return index


def apply(rule: Rewrite, matcher: Matcher, index: int) -> int | None:
    """The node that takes the place of another by a rule, None where it does not apply."""
    terms, build = matcher.terms, matcher.terms.build
    for found in matcher.find(pattern(rule.pattern), index):
        values = rule.where(terms, found.values) if rule.where else found.values
        if values is None or (rule.alone and found.scale.factors):
            continue
        value = _put_back(terms, index, found, expand(build, rule.replacement, values))
        if build.frame(value) == build.frame(index) and value != index:
            return value
    return None


def _put_back(terms: Terms, index: int, found: Found, value: int) -> int:
    """The replacement times the factor and beside the summands that were left over."""
    if found.scale.factors:
        value = terms.product(found.scale, value)
    else:
        value = terms.build.scaled(value, found.scale.coefficient)
    if not found.used:
        return value
    first = min(found.used)
    parts = [
        value if place == first else terms.build.scaled(node, Fraction(sign))
        for place, (node, sign) in enumerate(terms.addends(index))
        if place == first or place not in found.used
    ]
    return terms.total(parts) if len(parts) > 1 else value
