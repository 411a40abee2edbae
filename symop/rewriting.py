"""Named rewrites of what the user wrote, before it is differentiated.

A rewrite never changes the convention of the function that was written, loses no argument,
and turns NaN into a value only at a removable singularity. The table is in
`symop.identities`; here it is carried out, to a fixed point.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from symop.errors import Undefined
from symop.identities import REWRITES
from symop.matching import Found, Matcher
from symop.parsing import expand
from symop.patterns import pattern
from symop.program import (
    Program,
    readers,
    with_operands,
    without_dead_nodes,
)
from symop.rule_index import Candidates, Present, batches, unsigned
from symop.rules import Rewrite
from symop.terms import PRODUCTS, SUMS, Replacing, Terms

# Rules that feed each other settle after two or three passes.
_MAX_PASSES = 8
_MAX_STEPS = 16


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
    *repeated, last = batches(tuple(rules))
    settled: Candidates | None = None
    for batch in repeated:
        for _ in range(_MAX_PASSES):
            some = batch.candidates(program.nodes)
            if settled and some.rules == settled.rules:
                break
            changed = _pass(program, some, _MAX_STEPS, used)
            if changed == program:
                settled = some
                break
            program = changed
    return _pass(program, last.candidates(program.nodes), 1, used)


def _pass(program: Program, some: Candidates, steps: int, used: dict[str, Rewrite]) -> Program:
    if not some.rules:
        return program
    inner = _inner(program)
    build = Replacing()
    matcher = Matcher(Terms(build))
    present = Present(some, build.nodes)
    place: list[int] = []
    changes = 0
    for index, node in enumerate(program.nodes):
        at = build.put(with_operands(node, tuple(place[o] for o in node.operands)))
        settled = at if index in inner else _settled(matcher, at, present, steps, used)
        changes += settled != at
        place.append(settled)
    if not changes:
        return program
    outputs = tuple(replace(o, node=place[o.node]) for o in program.outputs)
    names = tuple(sorted({place[i]: n for i, n in program.names}.items()))
    return without_dead_nodes(Program(program.arguments, tuple(build.nodes), outputs, names))


def _inner(program: Program) -> set[int]:
    """Sums that are read by sums only, and products by products: seen from their root."""
    reads = readers(program.nodes, program.outputs)
    above: dict[int, int] = {}
    for node in program.nodes:
        for place, operand in enumerate(node.operands):
            mine = unsigned(program.nodes, operand)
            through = (mine.op in SUMS and node.op in SUMS | {"neg"}) or (
                mine.op in PRODUCTS
                and node.op in PRODUCTS | {"neg"}
                and not (node.op == "div" and place == 1 and mine.op == "div")
            )
            above[operand] = above.get(operand, 0) + through
    return {i for i, count in above.items() if count and count == reads[i]}


def _settled(
    matcher: Matcher,
    index: int,
    present: Present,
    steps: int,
    used: dict[str, Rewrite],
) -> int:
    for _ in range(steps):
        for rule in present.rules(index):
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
        try:
            value = _put_back(terms, index, found, expand(build, rule.replacement, values))
        except Undefined:
            # For the constants of this formula the replacement would divide by 0.
            continue
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
