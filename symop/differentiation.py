"""Reverse derivatives: the vjp of a program, which is a program again.

The gradient of a program of framed statements is again one, so derivatives of any order
are repetition. Adjoints are kept by frame and branch, unsummed and unmasked, and settled
(masked by `where`, summed to the frame of the value) where several meet, at reductions and
at arguments. Adding different frames first would count elements more than once; masking
late keeps the NaN of a branch not taken out of the gradient, to every order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from symop.algebra import Derivation
from symop.derivative_names import cotangent_names, gradient_names
from symop.frames import Frame
from symop.program import Argument, Node, Output, Program, without_dead_nodes
from symop.slopes import active_nodes, hits, prod_others, slopes

Branch = tuple[tuple[int, bool], ...]
Key = tuple[Frame, Branch]


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
            a for a in program.arguments if not a.is_mask and (wanted is None or a.name in wanted)
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
        branches: dict[Frame, dict[Branch, int]] = {}
        for (frame, branch), value in sums.items():
            branches.setdefault(frame, {})[branch] = value
        by_frame = {frame: self.merged(values) for frame, values in branches.items()}
        if len(by_frame) == 1 and not whole:
            (frame, value), *_ = by_frame.items()
            return value, frame, ()
        parts = [
            value if frame == own else build.reduce("sum", value, frame, own)
            for frame, value in by_frame.items()
        ]
        return build.total(parts), own, ()

    def merged(self, values: dict[Branch, int]) -> int:
        """The sum of contributions, each masked by its branch; innermost branches first."""
        build = self.build
        total: list[int] = []
        while values:
            branch = max(values, key=len)
            value = values.pop(branch)
            if not branch:
                total.append(value)
                continue
            *outer, (condition, taken) = branch
            opposite = values.pop((*outer, (condition, not taken)), build.constant(0))
            pair = (value, opposite) if taken else (opposite, value)
            here = tuple(outer)
            masked = build.where(condition, *pair)
            values[here] = build.add(values[here], masked) if here in values else masked
        return build.total(total)

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
                hit, count = hits(build, index, node)
                self.give(operands[0], source, ((hit, True),), build.div(grad, count))
            case "prod":
                others = prod_others(build, source, node.dims, node.frame, operands)
                self.give(operands[0], source, (), build.mul(grad, others))
            case "prod_others":
                around = (source, node.dims, node.target or ())
                value = prod_others(build, *around, (*operands, grad))
                self.give(operands[0], source, (), value)
                for place in range(1, len(operands)):
                    rest = (*operands[:place], *operands[place + 1 :], grad)
                    self.give(operands[place], source, (), prod_others(build, *around, rest))
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
                for operand, slope in slopes(build, index, node, self.active):
                    yield operand, build.mul(grad, slope)
