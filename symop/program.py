"""Programs: a formula as hash-consed SSA, every node one operation deep and framed.

A program is what flows between parsing, differentiation, tidying and lowering. Nodes refer
to earlier nodes by index, so the order of the nodes is an order of evaluation.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from symop.frames import SCALAR, Frame, join

ARITHMETIC = frozenset({"add", "sub", "mul", "div", "neg", "ipow"})
COMPARISONS = frozenset({"lt", "le", "gt", "ge", "eq", "ne"})
LOGICAL = frozenset({"and", "or", "not"})
REDUCTIONS = frozenset({"sum", "prod", "amax", "amin"})
LEAVES = frozenset({"argument", "mask", "constant", "pi", "count"})


@dataclass(frozen=True, slots=True)
class Node:
    """One operation.

    op: a leaf ("argument", "mask", "constant", "pi", "count"), an arithmetic operation, a
        comparison, a logical operation, "where", a reduction, "prod_others", or the name of
        a function of the function table.
    operands: the indices of earlier nodes.
    frame: the frame of the result.
    value: the name of an argument or mask, the value of a constant, the exponent of "ipow".
    source: for reductions and "count", the frame that is reduced.
    target: for "count", the frame that it is reduced to.
    dims: for reductions, the dims as written; None: all of them, or down to `frame`.
    """

    op: str
    operands: tuple[int, ...] = ()
    frame: Frame = SCALAR
    value: Fraction | int | str | None = None
    source: Frame | None = None
    target: Frame | None = None
    dims: tuple[int, ...] | None = None

    def __hash__(self) -> int:
        # Nodes that differ in the rest only are rare, and are told apart by comparison.
        return hash((self.op, self.operands, self.value))

    @property
    def is_square(self) -> bool:
        """Whether the node is a value times itself."""
        return self.op == "ipow" and self.value == 2

    @property
    def is_condition(self) -> bool:
        """Whether the node is a truth value."""
        return self.op == "mask" or self.op in COMPARISONS or self.op in LOGICAL


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a program.

    frame: its own name for a primal argument; for a cotangent or tangent the frame of the
        value that it belongs to.
    dropped: its tensor lacks the axes that reductions made 1 in its frame.
    is_mask: it is a tensor of truth values.
    """

    name: str
    frame: Frame
    dropped: bool = False
    is_mask: bool = False


@dataclass(frozen=True, slots=True)
class Output:
    """An output: the node that holds it, and the frame that it is expanded to.

    dropped: the axes that reductions made 1 in its frame are removed before it is returned.
    of: the argument whose gradient it is, if it is one.
    """

    name: str
    node: int
    frame: Frame
    dropped: bool = False
    of: str = ""


@dataclass(frozen=True)
class Program:
    """A formula, or a derivative of one.

    names: the names that the user gave to nodes, as pairs (node, name), by node.
    loose: nodes that came of accumulating derivatives and may be rearranged; the others
        stand as the user, or a record of the function table, wrote them.
    """

    arguments: tuple[Argument, ...]
    nodes: tuple[Node, ...]
    outputs: tuple[Output, ...]
    names: tuple[tuple[int, str], ...] = ()
    loose: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        names = [argument.name for argument in self.arguments]
        names += [output.name for output in self.outputs]
        assert len(set(names)) == len(names), f"a name stands twice: {names}"
        known = {argument.name for argument in self.arguments}
        for index, node in enumerate(self.nodes):
            assert all(operand < index for operand in node.operands), (index, node)
            assert node.op not in ("argument", "mask") or node.value in known, node
        assert all(output.node < len(self.nodes) for output in self.outputs)

    def argument(self, name: str) -> Argument:
        """The argument of that name."""
        return next(argument for argument in self.arguments if argument.name == name)

    @property
    def is_elementwise(self) -> bool:
        """Whether no reduction stands in the program."""
        return not any(n.op in REDUCTIONS or n.op == "count" for n in self.nodes)


def _compare(op: str, p: Fraction, q: Fraction) -> bool:
    return {
        "lt": p < q, "le": p <= q, "gt": p > q, "ge": p >= q, "eq": p == q, "ne": p != q,
    }[op]  # fmt: skip


class Builder:
    """Grows the nodes of one program; equal nodes are one node."""

    def __init__(self, nodes: Sequence[Node] = ()) -> None:
        self.nodes: list[Node] = list(nodes)
        self._index = {node: index for index, node in enumerate(self.nodes)}

    def branch(self) -> Builder:
        """A builder that begins with the nodes of this one, and grows apart from it."""
        other = Builder()
        other.nodes = self.nodes.copy()
        other._index = self._index.copy()
        return other

    def put(self, node: Node) -> int:
        """The index of a node, added when there is none that equals it."""
        index = self._index.get(node)
        if index is None:
            index = len(self.nodes)
            self.nodes.append(node)
            self._index[node] = index
        return index

    def frame(self, index: int) -> Frame:
        """The frame of a node."""
        return self.nodes[index].frame

    def value(self, index: int) -> Fraction | None:
        """The value of a constant node, None for any other."""
        node = self.nodes[index]
        return node.value if node.op == "constant" and isinstance(node.value, Fraction) else None

    def known(self, condition: int) -> bool | None:
        """The truth of a condition on constants, None when it depends on more."""
        node = self.nodes[condition]
        if node.op in ("and", "or"):
            parts = [self.known(operand) for operand in node.operands]
            decisive = node.op == "or"
            if decisive in parts:
                return decisive
            return None if None in parts else not decisive
        if node.op == "not":
            inner = self.known(node.operands[0])
            return None if inner is None else not inner
        if len(node.operands) != 2:
            return None
        p, q = (self.value(operand) for operand in node.operands)
        return None if p is None or q is None else _compare(node.op, p, q)

    def constant(self, value: Fraction | int) -> int:
        """A constant; exact."""
        return self.put(Node("constant", value=Fraction(value)))

    def argument(self, argument: Argument) -> int:
        """The node that reads an argument."""
        op = "mask" if argument.is_mask else "argument"
        return self.put(Node(op, frame=argument.frame, value=argument.name))

    def apply(self, op: str, *operands: int, value: int | None = None) -> int:
        """An elementwise operation; its frame is the union of those of its operands."""
        frame = join(self.nodes[operand].frame for operand in operands)
        return self.put(Node(op, operands, frame, value))

    def apply_like(self, node: Node, operands: tuple[int, ...]) -> int:
        """The elementwise operation of a node, on other operands."""
        frame = join(self.nodes[operand].frame for operand in operands)
        return self.put(replace(node, operands=operands, frame=frame))

    def reduce(
        self,
        op: str,
        operand: int,
        source: Frame,
        frame: Frame,
        dims: tuple[int, ...] | None = None,
    ) -> int:
        """A reduction of the operand, expanded to `source`, down to `frame`."""
        return self.put(Node(op, (operand,), frame, source=source, dims=dims))

    def count(self, source: Frame, frame: Frame) -> int:
        """How many elements of `source` fall on one of `frame`; a number known at run time."""
        if source == frame:
            return self.constant(1)
        return self.put(Node("count", source=source, target=frame))


def readers(nodes: Sequence[Node], outputs: Iterable[Output]) -> list[int]:
    """How often each node is read, by other nodes and as an output."""
    count = [0] * len(nodes)
    for node in nodes:
        for operand in node.operands:
            count[operand] += 1
    for output in outputs:
        count[output.node] += 1
    return count


def needed(nodes: Sequence[Node], roots: Iterable[int]) -> list[bool]:
    """Which nodes the roots depend on, the roots included."""
    mark = [False] * len(nodes)
    for root in roots:
        mark[root] = True
    for index in range(len(nodes) - 1, -1, -1):
        if mark[index]:
            for operand in nodes[index].operands:
                mark[operand] = True
    return mark


def fixed(nodes: Sequence[Node], uniform: Collection[str]) -> set[int]:
    """The nodes that are the same for all elements: those of nothing but uniform inputs."""
    found: set[int] = set()
    for index, node in enumerate(nodes):
        is_own = node.op not in ("argument", "mask") or node.value in uniform
        if is_own and found.issuperset(node.operands):
            found.add(index)
    return found


def without_dead_nodes(program: Program) -> Program:
    """The program without nodes that no output depends on."""
    mark = needed(program.nodes, (output.node for output in program.outputs))
    if all(mark):
        return program
    place: dict[int, int] = {}
    nodes: list[Node] = []
    for index, node in enumerate(program.nodes):
        if mark[index]:
            place[index] = len(nodes)
            nodes.append(with_operands(node, tuple(place[o] for o in node.operands)))
    outputs = tuple(replace(o, node=place[o.node]) for o in program.outputs)
    names = tuple((place[index], name) for index, name in program.names if index in place)
    loose = frozenset(place[index] for index in program.loose if index in place)
    return Program(program.arguments, tuple(nodes), outputs, names, loose)


def is_sum_to_argument(program: Program, output: Output) -> bool:
    """Whether an output is summed to a shape that is known at run time only."""
    node = program.nodes[output.node]
    is_shape = bool(output.frame) and all(isinstance(atom, str) for atom in output.frame)
    return node.op == "sum" and node.dims is None and node.frame == output.frame and is_shape


def with_operands(node: Node, operands: tuple[int, ...]) -> Node:
    """The same operation on other operands of the same frames."""
    if operands == node.operands:
        return node
    return Node(node.op, operands, node.frame, node.value, node.source, node.target, node.dims)
