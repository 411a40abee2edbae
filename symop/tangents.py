"""Forward derivatives: the jvp of a program, and its elementwise derivative."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce

from symop.algebra import Derivation
from symop.derivative_names import beside, tangent_names
from symop.program import Argument, Node, Output, Program, without_dead_nodes
from symop.slopes import active_nodes, hits, prod_others, repeated, slopes


def jvp(program: Program) -> Program:
    """The tangents of the outputs.

    The arguments are those of the program, then a tangent `d_<argument>` per argument; the
    outputs are `d_<output>`.
    """
    names = tangent_names(program)
    tangents = {
        a.name: Argument(names[a.name], a.frame, a.dropped)
        for a in program.arguments
        if not a.is_mask
    }
    build = Derivation(program.nodes)
    seeds = {name: build.argument(tangent) for name, tangent in tangents.items()}
    found = _forward(program, build, seeds)
    taken = {a.name for a in program.arguments} | set(names.values())
    results = beside("d", taken, (o.name for o in program.outputs))
    outputs = tuple(
        Output(results[o.name], found[o.node], o.frame, o.dropped) for o in program.outputs
    )
    arguments = (*program.arguments, *tangents.values())
    return without_dead_nodes(build.finished(program, arguments, outputs))


def elementwise_derivative(program: Program, name: str) -> Program:
    """The derivative of each output by one argument, in the broadcast shape, not summed."""
    assert program.is_elementwise
    build = Derivation(program.nodes)
    found = _forward(program, build, {name: build.constant(1)})
    outputs = tuple(Output(o.name, found[o.node], o.frame, o.dropped) for o in program.outputs)
    return without_dead_nodes(build.finished(program, program.arguments, outputs))


def _forward(program: Program, build: Derivation, seeds: Mapping[str, int]) -> dict[int, int]:
    zero = build.constant(0)
    active = active_nodes(program, set(seeds))
    tangents: dict[int, int] = {}

    def tangent(index: int) -> int:
        return tangents.get(index, zero)

    for index, node in enumerate(program.nodes):
        if not active[index]:
            continue
        if node.op == "argument":
            tangents[index] = seeds[str(node.value)]
        elif node.source is not None:
            tangents[index] = _reduced_tangent(build, index, node, tangent)
        else:
            tangents[index] = _tangent(build, index, node, active, tangent)
    return {output.node: tangent(output.node) for output in program.outputs}


Tangents = Callable[[int], int]


def _tangent(
    build: Derivation, index: int, node: Node, active: list[bool], tangent: Tangents
) -> int:
    match node.op, node.operands:
        case "add", (a, b):
            return build.add(tangent(a), tangent(b))
        case "sub", (a, b):
            return build.sub(tangent(a), tangent(b))
        case "mul", (a, b):
            count, rest = repeated(build.nodes, a, b)
            own = build.mul(build.constant(count), build.mul(tangent(b), a))
            if rest is None:
                return own
            return build.add(reduce(build.mul, [b] * count, tangent(rest)), own)
        case "div", (a, b):
            rest = build.sub(tangent(a), build.mul(index, tangent(b)))
            return build.div(rest, b)
        case "neg", (a,):
            return build.neg(tangent(a))
        case "where", (c, a, b):
            return build.where(c, tangent(a), tangent(b))
    partials = slopes(build, index, node, active)
    return build.total(build.mul(tangent(operand), slope) for operand, slope in partials)


def _reduced_tangent(build: Derivation, index: int, node: Node, tangent: Tangents) -> int:
    source, operands = node.source or (), node.operands
    first = tangent(operands[0])
    match node.op:
        case "sum":
            if build.value(first) == 0:
                return first
            return build.reduce("sum", first, source, node.frame, node.dims)
        case "amax" | "amin":
            hit, count = hits(build, index, node)
            chosen = build.where(hit, first, build.constant(0))
            return build.div(build.reduce("sum", chosen, source, node.frame, node.dims), count)
        case "prod":
            others = prod_others(build, source, node.dims, node.frame, operands)
            return build.reduce("sum", build.mul(first, others), source, node.frame, node.dims)
    around = (source, node.dims, node.target or ())
    terms = [prod_others(build, *around, (*operands, first))]
    for place in range(1, len(operands)):
        changed = (*operands[:place], tangent(operands[place]), *operands[place + 1 :])
        terms.append(prod_others(build, *around, changed))
    return build.total(terms)
