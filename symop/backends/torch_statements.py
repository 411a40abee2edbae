"""The statements of a generated function: under which flags, with which names and shapes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import or_

from symop.backends.torch_text import Text
from symop.frames import Frame, dropped_dims
from symop.names import spelled, unused
from symop.program import Program, readers


@dataclass
class Statements:
    """The statements of the body of a function, and what they know when one is added.

    program: a lowered program.
    shape_of: the text of the shape of an argument.
    is_forward: results are new tensors, never an argument itself.
    flags: for each output the name of the flag that says whether it is wanted, if any.
    taken: further names that temporaries must not use.
    tensors: the arguments that are certainly tensors when the function runs, if not all.
    helpers: gathers the names of the helper functions that the text calls.
    views: whether a result must not be an argument itself.
    loose: outputs that are added to a tensor of their full shape, and need not have it.
    """

    program: Program
    shape_of: Callable[[str], str]
    is_forward: bool = False
    flags: Sequence[str] = ()
    taken: frozenset[str] = frozenset()
    tensors: Sequence[str] | None = None
    helpers: set[str] = field(default_factory=set)
    loose: Sequence[str] = ()
    views: bool = False

    def __post_init__(self) -> None:
        program = self.program
        self._reads = readers(program.nodes, program.outputs)
        self._texts: dict[int, Text] = {}
        self._lines: list[tuple[int, str]] = []
        self._shapes: dict[tuple[Frame, str], str] = {}
        self._known: dict[Frame, list[tuple[str, int]]] = {}
        self._code = {a.name: spelled(a.name) for a in program.arguments}
        self._numbers: dict[str, int] = {}
        self._names = {
            *self.taken, *self._code.values(), *(spelled(n) for _, n in program.names),
            *(o.name for o in program.outputs),
        }  # fmt: skip
        self._named = dict(program.names)
        self._wanted = self._masks()
        self._mask = 0
        self._returned: set[str] = set()
        real = [a for a in program.arguments if not a.is_mask]
        # The last argument is a cotangent or tangent, or an argument that is always there.
        self._reference = self._code[(real[0] if self.is_forward else real[-1]).name]
        read = {n.value for n in program.nodes if n.op in ("argument", "mask")}
        for a in program.arguments:
            certain = self.tensors is None or a.name in self.tensors
            if a.dropped and a.name in read:
                self._restore(a.name, a.frame, -1 if certain else self._mask_of(a.name))
            if certain and (a.name in read or not a.dropped):
                self._known.setdefault(a.frame, []).append((self._code[a.name], -1))

    def _masks(self) -> list[int]:
        masks = [0] * len(self.program.nodes)
        for position, output in enumerate(self.program.outputs):
            masks[output.node] |= 1 << position
        for index in range(len(masks) - 1, -1, -1):
            for operand in self.program.nodes[index].operands:
                masks[operand] |= masks[index]
        return masks

    def _drop_unused(self, results: Sequence[str]) -> None:
        """Leave out temporaries that no text came to use, such as the count of a mean."""
        before = -1
        while before != len(self._lines):
            before = len(self._lines)
            texts = [line.split(" = ", 1)[1] for _, line in self._lines]
            words = {word for text in (*texts, *results) for word in re.findall(r"\w+", text)}
            self._lines = [pair for pair in self._lines if pair[1].split(" = ", 1)[0] in words]

    def _blocks(self) -> list[str]:
        """The statements, those that serve only some outputs under the flags of these."""
        everything = (1 << len(self.program.outputs)) - 1
        lines: list[str] = []
        current = -1
        for mask, line in self._lines:
            if not self.flags or mask == everything or mask < 0:
                lines.append(line)
                current = -1
                continue
            if mask != current:
                flags = [f for k, f in enumerate(self.flags) if mask >> k & 1]
                lines.append(f"if {' or '.join(flags)}:")
                current = mask
            lines.append(f"    {line}")
        return lines

    def _statement(self, name: str, text: str) -> None:
        self._lines.append((self._mask, f"{name} = {text}"))

    def _temporary(self, prefix: str = "t") -> str:
        # Names are only added: those that were taken stay taken.
        number = self._numbers.get(prefix, 1)
        while f"{prefix}{number}" in self._names:
            number += 1
        self._numbers[prefix] = number
        self._names.add(f"{prefix}{number}")
        return f"{prefix}{number}"

    def _mask_of(self, name: str) -> int:
        """The outputs that read an argument."""
        pairs = zip(self.program.nodes, self._wanted, strict=True)
        return reduce(or_, (mask for node, mask in pairs if node.value == name), 0)

    def _restore(self, name: str, frame: Frame, mask: int) -> None:
        """Give a cotangent the axes back that reductions made 1, under another name.

        An argument that only some outputs read is None where none of these is asked for.
        """
        code = self._code[name]
        kept = unused(f"{code}_kept", self._names)
        dims = dropped_dims(frame)
        if dims is not None and len(dims) == 1:
            self._lines.append((mask, f"{kept} = {code}.unsqueeze({dims[0]})"))
        else:
            self._lines.append((mask, f"{kept} = {code}.reshape({self._shape(frame)})"))
        self._code[name] = kept
        self._names.add(kept)

    def _shape(self, frame: Frame) -> str:
        """The text of the shape of a frame: that of a value which has it, if there is one."""
        for name, mask in self._known.get(frame, ()):
            if mask < 0 or not self._mask & ~mask:
                return f"{name}.shape"
        return self._shape_name(frame, self.shape_of, "size")

    def _shape_name(self, frame: Frame, leaf: Callable[[str], str], prefix: str) -> str:
        """A shape, under a name of its own where it has to be worked out."""
        if not frame:
            return "()"
        if len(frame) == 1 and isinstance(frame[0], str):
            return leaf(frame[0])
        key = (frame, prefix)
        if key not in self._shapes:
            head = "torch.broadcast_shapes("
            if len(frame) == 1 and isinstance(frame[0], tuple):
                self.helpers.add("_reduced_shape")
                inner, dims = frame[0]
                head, parts = "_reduced_shape(", [self._shape_name(inner, leaf, prefix), str(dims)]
            else:
                parts = [self._shape_name((atom,), leaf, prefix) for atom in frame]
            name = self._temporary(prefix)
            self._lines.append((-1, f"{name} = {head}{', '.join(parts)})"))
            self._shapes[key] = name
        return self._shapes[key]
