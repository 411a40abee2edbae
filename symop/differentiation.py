"""Derivatives as maps from program to program: vjp, jvp, and the elementwise derivative.

The gradient of a program of framed statements is again one, so derivatives of any order
are repetition. Adjoints are kept by frame and branch, unsummed and unmasked, and settled
(masked by `where`, summed to the frame of the value) where several meet, at reductions and
at arguments. Adding different frames first would count elements more than once; masking
late keeps the NaN of a branch not taken out of the gradient, to every order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cache

from symop.algebra import Derivation
from symop.frames import Frame
from symop.functions import table
from symop.names import unused
from symop.parsing import expand
from symop.program import Argument, Node, Output, Program, without_dead_nodes

Branch = tuple[tuple[int, bool], ...]
Key = tuple[Frame, Branch]


def cotangent_names(program: Program) -> dict[str, str]:
    """The names of the cotangents of the outputs: grad_<output>, when that is free."""
    taken = {argument.name for argument in program.arguments}
    return _beside("grad", taken, (output.name for output in program.outputs))


def gradient_names(program: Program) -> dict[str, str]:
    """The names of the gradients of the arguments: grad_<argument>, when that is free."""
    taken = {argument.name for argument in program.arguments}
    taken |= set(cotangent_names(program).values())
    return _beside("grad", taken, (a.name for a in program.arguments if not a.is_mask))


def tangent_names(program: Program) -> dict[str, str]:
    """The names of the tangents of the arguments: d_<argument>, when that is free."""
    taken = {argument.name for argument in program.arguments}
    return _beside("d", taken, (a.name for a in program.arguments if not a.is_mask))


def _beside(prefix: str, taken: set[str], names: Iterator[str]) -> dict[str, str]:
    taken = set(taken)
    result = {}
    for name in names:
        result[name] = unused(f"{prefix}_{name}", taken)
        taken.add(result[name])
    return result


def vjp(program: Program, wanted: Collection[str] | None = None) -> Program:
    """The gradients of the wanted arguments, summed to their shapes.

    The arguments are those of the program, then a cotangent `grad_<output>` per output; the
    outputs are `grad_<argument>`. An argument that nothing depends on has a zero gradient.
    """
    return without_dead_nodes(_Reverse(program, wanted).run())


class _Reverse:
    def __init__(self, program: Program, wanted: Collection[str] | None) -> None:
        self.program = program
        self.wanted = [
            a
            for a in program.arguments
            if not a.is_mask and (wanted is None or a.name in wanted)
        ]
        self.build = Derivation(program.nodes)
        self.adjoints: dict[int, dict[Key, list[int]]] = {}
        self.active = active_nodes(program, {a.name for a in self.wanted})

    def run(self) -> Program:
        program, build = self.program, self.build
        names, results = cotangent_names(program), gradient_names(program)
        cotangents = [Argument(names[o.name], o.frame, o.dropped) for o in program.outputs]
        for output, cotangent in zip(program.outputs, cotangents, strict=True):
            self.give(output.node, output.frame, (), build.argument(cotangent))
        found: dict[str, int] = {}
        for index in range(len(program.nodes) - 1, -1, -1):
            if index not in self.adjoints:
                continue
            node = program.nodes[index]
            if node.op == "argument":
                found[str(node.value)] = self.settle(index, whole=True)[0]
            elif self.active[index]:
                self.step(index, node)
        outputs = tuple(
            Output(
                results[a.name], found.get(a.name, build.constant(0)), a.frame, a.dropped, a.name
            )
            for a in self.wanted
        )
        arguments = (*program.arguments, *cotangents)
        return build.finished(program, arguments, outputs)

    def give(self, index: int, frame: Frame, branch: Branch, value: int) -> None:
        """Add a contribution to the adjoint of a node."""
        if self.active[index] and self.build.value(value) != 0:
            terms = self.adjoints.setdefault(index, {}).setdefault((frame, branch), [])
            terms.append(value)

    def settle(self, index: int, *, whole: bool) -> tuple[int, Frame, Branch]:
        """The adjoint of a node, with the frame and branch that it still stands in.

        whole: it must be masked, and summed to the frame of the node.
        """
        build = self.build
        sums = {key: build.total(terms) for key, terms in self.adjoints.pop(index).items()}
        own = build.frame(index)
        if len(sums) == 1 and not whole:
            ((frame, branch), value), *_ = sums.items()
            return value, frame, branch
        masked: dict[Frame, list[int]] = {}
        for (frame, branch), value in sums.items():
            masked.setdefault(frame, []).append(self.mask(value, branch))
        by_frame = {frame: build.total(values) for frame, values in masked.items()}
        if len(by_frame) == 1 and not whole:
            (frame, value), *_ = by_frame.items()
            return value, frame, ()
        parts = [
            value if frame == own else build.reduce("sum", value, frame, own)
            for frame, value in by_frame.items()
        ]
        return build.total(parts), own, ()

    def mask(self, value: int, branch: Branch) -> int:
        zero = self.build.constant(0)
        for condition, taken in branch:
            pair = (value, zero) if taken else (zero, value)
            value = self.build.where(condition, *pair)
        return value

    def step(self, index: int, node: Node) -> None:
        """Pass the adjoint of a node on to its operands."""
        build = self.build
        if node.source is None:
            grad, frame, branch = self.settle(index, whole=False)
            if node.op == "where":
                self.branches(node, grad, frame, branch)
                return
            for operand, value in self.products(index, node, grad):
                self.give(operand, frame, branch, value)
            return
        grad, _, _ = self.settle(index, whole=True)
        source, operands = node.source, node.operands
        match node.op:
            case "sum":
                self.give(operands[0], source, (), grad)
            case "amax" | "amin":
                hit, hits = _hits(build, index, node)
                self.give(operands[0], source, ((hit, True),), build.div(grad, hits))
            case "prod":
                others = _prod_others(build, source, node.dims, node.frame, operands)
                self.give(operands[0], source, (), build.mul(grad, others))
            case "prod_others":
                around = (source, node.dims, node.target or ())
                value = _prod_others(build, *around, (*operands, grad))
                self.give(operands[0], source, (), value)
                for place in range(1, len(operands)):
                    rest = (*operands[:place], *operands[place + 1 :], grad)
                    self.give(operands[place], source, (), _prod_others(build, *around, rest))
            case _:
                raise AssertionError(f"no derivative of {node.op}")

    def branches(self, node: Node, grad: int, frame: Frame, branch: Branch) -> None:
        condition, *values = node.operands
        for value, taken in zip(values, (True, False), strict=True):
            if (condition, not taken) not in branch:
                here = (condition, taken)
                self.give(value, frame, branch if here in branch else (*branch, here), grad)

    def products(self, index: int, node: Node, grad: int) -> Iterator[tuple[int, int]]:
        """The adjoint of each operand of an elementwise operation."""
        build = self.build
        match node.op, node.operands:
            case "add", (a, b):
                yield a, grad
                yield b, grad
            case "sub", (a, b):
                yield a, grad
                yield b, build.neg(grad)
            case "mul", (a, b):
                yield a, build.mul(grad, b)
                yield b, build.mul(grad, a)
            case "div", (a, b):
                quotient = build.div(grad, b)
                yield a, quotient
                yield b, build.neg(build.mul(quotient, index))
            case "neg", (a,):
                yield a, build.neg(grad)
            case _:
                for operand, slope in _slopes(build, index, node, self.active):
                    yield operand, build.mul(grad, slope)


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
    results = _beside("d", taken, (o.name for o in program.outputs))
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


def _tangent(build, index, node, active, tangent):  # type: ignore[no-untyped-def]
    match node.op, node.operands:
        case "add", (a, b):
            return build.add(tangent(a), tangent(b))
        case "sub", (a, b):
            return build.sub(tangent(a), tangent(b))
        case "mul", (a, b):
            return build.add(build.mul(tangent(a), b), build.mul(tangent(b), a))
        case "div", (a, b):
            rest = build.sub(tangent(a), build.mul(index, tangent(b)))
            return build.div(rest, b)
        case "neg", (a,):
            return build.neg(tangent(a))
        case "where", (c, a, b):
            return build.where(c, tangent(a), tangent(b))
    slopes = _slopes(build, index, node, active)
    return build.total(build.mul(tangent(operand), slope) for operand, slope in slopes)


def _reduced_tangent(build, index, node, tangent):  # type: ignore[no-untyped-def]
    source, operands = node.source, node.operands
    first = tangent(operands[0])
    match node.op:
        case "sum":
            if build.value(first) == 0:
                return first
            return build.reduce("sum", first, source, node.frame, node.dims)
        case "amax" | "amin":
            hit, hits = _hits(build, index, node)
            chosen = build.where(hit, first, build.constant(0))
            return build.div(build.reduce("sum", chosen, source, node.frame, node.dims), hits)
        case "prod":
            others = _prod_others(build, source, node.dims, node.frame, operands)
            return build.reduce("sum", build.mul(first, others), source, node.frame, node.dims)
    around = (source, node.dims, node.target)
    terms = [_prod_others(build, *around, (*operands, first))]
    for place in range(1, len(operands)):
        changed = (*operands[:place], tangent(operands[place]), *operands[place + 1 :])
        terms.append(_prod_others(build, *around, changed))
    return build.total(terms)


def _slopes(
    build: Derivation, index: int, node: Node, active: list[bool]
) -> Iterator[tuple[int, int]]:
    """The partial derivative of an operation by each active operand."""
    if node.op == "stop":
        return
    if node.op == "ipow":
        exponent = int(node.value or 0)
        lower = build.power(node.operands[0], exponent - 1)
        yield node.operands[0], build.mul(build.constant(exponent), lower)
        return
    function = table()[node.op]
    assert function.derivatives is not None, f"{node.op} was not expanded"
    values = dict(zip(function.parameters, node.operands, strict=True)) | {"result": index}
    for operand, text in zip(node.operands, function.derivatives, strict=True):
        if active[operand]:
            with build.quoting():
                slope = expand(build, text, values)
            yield operand, slope


def _hits(build: Derivation, index: int, node: Node) -> tuple[int, int]:
    """Which elements are the extremum of their group, and how many they are."""
    hit = build.apply("eq", node.operands[0], index)
    assert node.source is not None
    one = build.where(hit, build.constant(1), build.constant(0))
    return hit, build.reduce("sum", one, node.source, node.frame, node.dims)


def _prod_others(
    build: Derivation,
    source: Frame,
    dims: tuple[int, ...] | None,
    target: Frame,
    operands: tuple[int, ...],
) -> int:
    """For each element, the product of the others of its group.

    With vectors v1..vk beside e: the sum, over distinct other elements i1..ik, of
    v1[i1]...vk[ik] times the product of the rest. The family is closed under
    differentiation, and right where elements are zero.
    """
    if any(build.value(operand) == 0 for operand in operands[1:]):
        return build.constant(0)
    first, *vectors = operands
    ordered = (first, *sorted(vectors))
    return build.put(
        Node("prod_others", ordered, source, source=source, target=target, dims=dims)
    )


def active_nodes(program: Program, names: set[str]) -> list[bool]:
    """Which nodes depend differentiably on one of the named arguments."""
    active: list[bool] = []
    for node in program.nodes:
        if node.op == "argument":
            active.append(node.value in names)
        elif node.is_condition or node.op == "stop":
            active.append(False)
        else:
            active.append(any(active[o] for o in node.operands) and not _is_flat(node.op))
    return active


@cache
def _is_flat(op: str) -> bool:
    """Whether a function has zero derivatives by convention, as floor has."""
    function = table().get(op)
    return function is not None and set(function.derivatives or ("",)) == {"0"}
