"""From a program in functions to one in what a backend spells, cleaned by passes.

Functions that the backend does not spell are replaced by their stable forms; constants are
folded; sums lose the factors that do not depend on what is summed, and constant factors move
into sums of constant multiples.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from fractions import Fraction
from typing import Any

from mpmath import mp

from symop.errors import Undefined
from symop.evaluation import constant
from symop.frames import covers
from symop.functions import table
from symop.parsing import expand
from symop.program import (
    ARITHMETIC,
    COMPARISONS,
    LEAVES,
    LOGICAL,
    REDUCTIONS,
    Builder,
    Program,
    needed,
    readers,
    with_operands,
    without_dead_nodes,
)


class NoForm(Exception):
    """A function that a backend does not spell has no form in functions that it spells."""

    def __init__(self, function: str) -> None:
        self.function = function
        super().__init__(f"no backend spelling and no form of {function}")


BUILT_IN = ARITHMETIC | COMPARISONS | LOGICAL | REDUCTIONS | LEAVES | {"where", "prod_others"}


def lower(program: Program, spelled: Collection[str], *, pull: bool = True) -> Program:
    """The program in the operations that a backend spells.

    Args:
        program: any program.
        spelled: the functions that the backend spells itself.
        pull: whether a factor that does not depend on the summed dims leaves the sum. What does
            not depend on them at all always does.

    Raises:
        NoForm: a function is neither spelled nor made of others.
    """
    # Functions of numbers are numbers: their forms would divide by what may be 0.
    program = without_dead_nodes(_Lowering(_folded(program), spelled).run())
    program = without_dead_nodes(_distributed(_folded(program)))
    return without_dead_nodes(_pulled(program, pull))


class _Lowering:
    def __init__(self, program: Program, spelled: Collection[str]) -> None:
        self.program = program
        self.spelled = spelled
        self.build = Builder()

    def run(self) -> Program:
        place = self._visit_all(self.program.nodes)
        return _placed(self.program, self.build, place)

    def _visit_all(self, nodes: Any) -> list[int]:
        place: list[int] = []
        for node in nodes:
            operands = tuple(place[o] for o in node.operands)
            if node.op == "stop":
                place.append(operands[0])
            elif node.op in BUILT_IN or node.op in self.spelled:
                place.append(self.build.put(with_operands(node, operands)))
            else:
                place.append(self._form(node.op, operands))
        return place

    def _form(self, op: str, operands: tuple[int, ...]) -> int:
        function = table()[op]
        places = dict(zip(function.parameters, operands, strict=True))
        form = function.form_at([self.build.value(places[name]) for name in function.literals])
        if form is None:
            raise NoForm(op)
        inner = self.build.branch()
        size = len(inner.nodes)
        try:
            result = expand(inner, form, places)
        except Undefined as error:
            raise Undefined(f"{op} of these values: {error}") from None
        # A form may itself use functions that need a form.
        place = list(range(size))
        for node in inner.nodes[size:]:
            mapped = tuple(place[o] for o in node.operands)
            if node.op in BUILT_IN or node.op in self.spelled:
                place.append(self.build.put(with_operands(node, mapped)))
            else:
                place.append(self._form(node.op, mapped))
        return place[result]


def _placed(program: Program, build: Builder, place: list[int]) -> Program:
    outputs = tuple(replace(o, node=place[o.node]) for o in program.outputs)
    names: dict[int, str] = {}
    for index, name in program.names:
        if build.nodes[place[index]].op not in LEAVES:
            names.setdefault(place[index], name)
    return Program(program.arguments, tuple(build.nodes), outputs, tuple(sorted(names.items())))


def _folded(program: Program) -> Program:
    """Replace what depends on no argument by its value, and leave out conditions that do not."""
    varies: list[bool] = []
    build = Builder()
    place: list[int] = []
    for index, node in enumerate(program.nodes):
        # A sum over a frame counts its elements, which are known at run time only.
        own = node.op in ("argument", "mask", "count") or bool(node.source)
        varies.append(own or any(varies[o] for o in node.operands))
        operands = tuple(place[o] for o in node.operands)
        if node.op in ("and", "or"):
            # What decides nothing; what decides all is rare, and stays.
            neutral = node.op == "and"
            left = [
                o for o in node.operands if varies[o] or bool(constant(program.nodes, o)) != neutral
            ]
            if len(left) == 1:
                place.append(place[left[0]])
                continue
        if varies[index] or node.op == "constant" or node.is_condition:
            place.append(build.put(with_operands(node, operands)))
        else:
            place.append(_known(build, constant(program.nodes, index)))
    return without_dead_nodes(_placed(program, build, place))


# Beyond, numbers are infinite or 0 in float64; as fractions they could fill the memory.
_MOST_BITS = 1200
# What backends write as infinity.
_INFINITY = Fraction(10) ** 400


def _known(build: Builder, value: Any) -> int:
    """A number of mpmath as a constant; NaN as the difference of infinities."""
    if mp.isnan(value):
        infinity = build.constant(_INFINITY)
        return build.apply("sub", infinity, infinity)
    _, mantissa, exponent, bits = value._mpf_
    size = Fraction(0)
    if mp.isinf(value) or exponent + bits > _MOST_BITS:
        size = _INFINITY
    elif exponent + bits > -_MOST_BITS:
        size = Fraction(int(mantissa)) * Fraction(2) ** int(exponent)
    return build.constant(-size if value < 0 else size)


# Beyond these sizes a product of constants could leave the range of float32.
_SMALLEST, _LARGEST = Fraction(1, 10**30), Fraction(10**30)
_DEEPEST = 60


def _distributed(program: Program) -> Program:
    """Move constant factors into sums of constant multiples: 0.5*(5*a - 3*b) is 2.5*a - 1.5*b.

    Each takes an operation away, and a rounding. Other sums stay as they were written.
    """
    build = Builder()
    place: list[int] = []
    reads = readers(program.nodes, program.outputs)
    named = dict(program.names)

    def scaled(index: int, factor: Fraction, depth: int = 0) -> int | None:
        """A node times a factor, when that takes no operation of its own."""
        node = program.nodes[index]
        if node.op == "constant":
            return coefficient(factor * Fraction(node.value or 0))
        if reads[index] > 1 or index in named or depth > _DEEPEST:
            return None
        if node.op in ("mul", "div"):
            value, rest = constant_factor(index)
            if value is None:
                return None
            if factor * value == 1:
                return place[rest]
            number = coefficient(factor * value)
            return number if number is None else build.apply("mul", number, place[rest])
        if node.op in ("add", "sub", "neg"):
            parts = [scaled(operand, factor, depth + 1) for operand in node.operands]
            known = [part for part in parts if part is not None]
            return build.apply(node.op, *known) if len(known) == len(parts) else None
        return None

    def coefficient(value: Fraction) -> int | None:
        is_usual = _SMALLEST < abs(value) < _LARGEST
        return build.constant(value) if is_usual else None

    def constant_factor(index: int) -> tuple[Fraction | None, int]:
        node = program.nodes[index]
        a, b = node.operands
        first, second = program.nodes[a], program.nodes[b]
        if node.op == "mul" and first.op == "constant":
            return Fraction(first.value or 0), b
        if second.op == "constant" and second.value:
            value = Fraction(second.value)
            return (value if node.op == "mul" else 1 / value), a
        return None, index

    for index, node in enumerate(program.nodes):
        result = None
        if node.op in ("mul", "div"):
            value, rest = constant_factor(index)
            inner = program.nodes[rest]
            if value is not None and rest != index and inner.op in ("add", "sub"):
                result = scaled(rest, value)
        if result is None:
            result = build.put(with_operands(node, tuple(place[o] for o in node.operands)))
        place.append(result)
    return _placed(program, build, place)


def _pulled(program: Program, factors: bool) -> Program:
    """Take what does not depend on the summed dims out of sums, factors only where wanted."""
    build = Builder()
    place: list[int] = []
    for node in program.nodes:
        operands = tuple(place[o] for o in node.operands)
        if node.op == "sum":
            place.append(_sum(build, node, operands[0], factors))
        else:
            place.append(build.put(with_operands(node, operands)))
    return _placed(program, build, place)


def _sum(build: Builder, node: Any, operand: int, factors: bool) -> int:
    inner = build.nodes[operand]
    assert node.source is not None
    if covers(node.frame, inner.frame):
        count = build.count(node.source, node.frame)
        if build.value(count) == 1:
            return operand
        return build.apply("mul", operand, count)
    if not factors:
        return build.put(with_operands(node, (operand,)))
    if inner.op == "neg":
        return build.apply("neg", _sum(build, node, inner.operands[0], factors))
    if inner.op in ("mul", "div"):
        a, b = inner.operands
        if covers(node.frame, build.frame(b)):
            return build.apply(inner.op, _sum(build, node, a, factors), b)
        if inner.op == "mul" and covers(node.frame, build.frame(a)):
            return build.apply("mul", a, _sum(build, node, b, factors))
    return build.put(with_operands(node, (operand,)))


def operation_count(program: Program) -> int:
    """The operations of a program; an integer power counts as its multiplications."""
    mark = needed(program.nodes, (output.node for output in program.outputs))
    total = 0
    for alive, node in zip(mark, program.nodes, strict=True):
        if alive and node.op == "ipow":
            n = abs(int(node.value or 0))
            total += max(n.bit_length() + n.bit_count() - 2, 0) + (int(node.value or 0) < 0)
        elif alive and node.op not in LEAVES and node.op != "stop":
            total += 1
    return total
