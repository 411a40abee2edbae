"""Reverse derivatives: the vjp of a program, which is a program again.

The gradient of a program of framed statements is again one, so derivatives of any order
are repetition. Adjoints are kept by frame and branch, unsummed and unmasked, and settled
(masked by `where`, summed to the frame of the value) where several meet, at reductions and
at arguments. Adding different frames first would count elements more than once; masking
late keeps the NaN of a branch not taken out of the gradient, to every order. The sum of masked
contributions stands in the branch that one of them is taken.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import partial, reduce
from itertools import takewhile

from symop.algebra import Derivation
from symop.derivative_names import cotangent_names, gradient_names
from symop.frames import Frame, join
from symop.program import Argument, Node, Output, Program, without_dead_nodes
from symop.slopes import active_nodes, hits, prod_others, repeated, slopes

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
                found[str(node.value)] = self.whole(index)
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

    def settle(self, index: int) -> list[tuple[int, Frame, Branch]]:
        """The adjoint of a node, with the frame and branch that it still stands in.

        Contributions of several frames are summed to that of the node, unless all are masked:
        where none of them is needed, what the sum is multiplied by may be infinite.
        """
        frames = self.branched(index)
        joined = [self.joined(frame, values) for frame, values in frames.items()]
        if len(joined) == 1 or all(branch for _, _, branch in joined):
            return joined
        parts = [self.summed(index, frame, {branch: v}) for v, frame, branch in joined]
        return [(self.build.total(parts), self.build.frame(index), ())]

    def joined(self, frame: Frame, values: dict[Branch, int]) -> tuple[int, Frame, Branch]:
        """The sum of contributions of one frame, with the branch outside of which it is 0."""
        shared = _shared(values)
        rest = {branch[len(shared) :]: value for branch, value in values.items()}
        if len(rest) == 1:
            (value,) = rest.values()
            return value, frame, shared
        live = () if _covers(rest) else ((self.any_of(rest), True),)
        return self.merged(rest), frame, (*shared, *live)

    def branched(self, index: int) -> dict[Frame, dict[Branch, int]]:
        """The contributions to the adjoint of a node, by frame and branch; they are taken away."""
        frames: dict[Frame, dict[Branch, int]] = {}
        for (frame, branch), terms in self.adjoints.pop(index).items():
            frames.setdefault(frame, {})[branch] = self.build.total(terms)
        return frames

    def summed(self, index: int, frame: Frame, values: dict[Branch, int]) -> int:
        """Contributions of one frame, masked by their branches and summed to that of the node."""
        own = self.build.frame(index)
        value = self.merged(values)
        return value if frame == own else self.build.reduce("sum", value, frame, own)

    def whole(self, index: int) -> int:
        """The adjoint of a node, masked and in its frame."""
        frames = self.branched(index)
        return self.build.total(
            [self.summed(index, *contribution) for contribution in frames.items()]
        )

    def any_of(self, branches: Collection[Branch]) -> int:
        """The condition that one of several branches is taken."""
        build = self.build
        each = [
            [condition if taken else build.apply("not", condition) for condition, taken in branch]
            for branch in branches
        ]
        taken = [reduce(partial(build.apply, "and"), conditions) for conditions in each]
        return reduce(partial(build.apply, "or"), taken)

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
        for grad, frame, branch in self.settle(index):
            if node.op == "where":
                self.branches(node, grad, frame, branch)
            elif node.source is not None:
                self.expanded(index, node, grad, frame, branch)
            else:
                for operand, value in self.products(index, node, grad):
                    self.give(operand, frame, branch, value)

    def expanded(self, index: int, node: Node, grad: int, frame: Frame, branch: Branch) -> None:
        """Pass an adjoint of a reduction on to what it reduces."""
        build = self.build
        # What adds up elements must not find those that a branch leaves out; the branches that
        # leave out all that is added up stay.
        own = (node.target or ()) if node.op == "prod_others" else node.frame
        if frame != own:
            grad = self.summed(index, frame, {branch: grad})
            branch = tuple(s for s in branch if join((build.frame(s[0]), own)) == own)
        source, operands = node.source, node.operands
        assert source is not None
        match node.op:
            case "sum":
                self.give(operands[0], source, branch, grad)
            case "amax" | "amin":
                hit, count = hits(build, index, node)
                self.give(operands[0], source, (*branch, (hit, True)), build.div(grad, count))
            case "prod":
                others = prod_others(build, source, node.dims, node.frame, operands)
                self.give(operands[0], source, branch, build.mul(grad, others))
            case "prod_others":
                around = (source, node.dims, node.target or ())
                value = prod_others(build, *around, (*operands, grad))
                self.give(operands[0], source, branch, value)
                for place in range(1, len(operands)):
                    rest = (*operands[:place], *operands[place + 1 :], grad)
                    self.give(operands[place], source, branch, prod_others(build, *around, rest))
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
                count, rest = repeated(build.nodes, a, b)
                if rest is not None:
                    yield rest, reduce(build.mul, [b] * count, grad)
                yield b, build.mul(build.constant(count), build.mul(grad, a))
            case "div", (a, b):
                quotient = build.div(grad, b)
                yield a, quotient
                yield b, build.neg(build.mul(quotient, index))
            case "neg", (a,):
                yield a, build.neg(grad)
            case _:
                for operand, slope in slopes(build, index, node, self.active):
                    yield operand, build.mul(grad, slope)


def _shared(branches: Collection[Branch]) -> Branch:
    """What several branches begin with."""
    steps = takewhile(lambda step: len(set(step)) == 1, zip(*branches, strict=False))
    return tuple(step[0] for step in steps)


def _covers(branches: Collection[Branch]) -> bool:
    """Whether one of the branches is taken wherever one looks, as far as their text tells."""
    if () in branches:
        return True
    conditions = {branch[0][0] for branch in branches}
    return any(
        all(_covers([b[1:] for b in branches if b[0] == (c, taken)]) for taken in (True, False))
        for c in conditions
    )
