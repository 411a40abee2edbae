"""The body of a kernel in C for one dtype: pointers, loads and stores."""

from __future__ import annotations

from dataclasses import dataclass

from symop.backends.c_body import Body
from symop.backends.c_text import FixedType
from symop.loops import Loop, Result, Routine
from symop.program import Argument

DTYPES = ("float32", "float64", "float16", "bfloat16")


@dataclass(frozen=True)
class Variant:
    """What a kernel is made for.

    dtype: the dtype of the tensors.
    uniform: for each input, whether it has one element.
    reduced: for each result, whether it is smaller than the iteration.
    wanted: the positions of the results that are computed.
    is_precise: whether everything is evaluated in double.
    """

    dtype: str
    uniform: tuple[bool, ...]
    reduced: tuple[bool, ...]
    wanted: tuple[int, ...]
    is_precise: bool = False

    @property
    def is_double(self) -> bool:
        """Whether the kernel computes in double."""
        return self.is_precise or self.dtype == "float64"


class KernelBody(Body):
    """Prints the body of a loop, one statement a line.

    first: the place of the first of the wanted results among those of the kernel.
    """

    def __init__(
        self,
        routine: Routine,
        loop: Loop,
        variant: Variant,
        *,
        anywhere: bool = False,
        first: int = 0,
    ) -> None:
        self.variant = variant
        self.first = first
        self.temporaries = {name for name, _ in routine.temporaries} | routine.numbers
        results = [loop.results[k] for k in variant.wanted]
        flags = zip(loop.inputs, variant.uniform, strict=True)
        uniform = {a.name for a, is_uniform in flags if is_uniform}
        kind = FixedType(variant.is_double)
        super().__init__(loop, results, kind, anywhere=anywhere, uniform=uniform)

    def type_code(self, slot: str) -> int:
        """What a slot is stored as, by its place in DTYPES."""
        if self.is_temporary(slot):
            return int(self.variant.is_double)
        return DTYPES.index(self.variant.dtype)

    def is_temporary(self, slot: str) -> bool:
        """Whether a slot holds what is computed with, not what tensors hold."""
        return slot in self.temporaries

    def opening(self) -> list[str]:
        """Where everything is."""
        lines = []
        for k, argument in enumerate(self.loop.inputs):
            if argument.name not in self.read():
                continue
            name, kind = self.names[argument.name], self._type(argument.name, argument.is_mask)
            if self.variant.uniform[k]:
                value = f"*(const {kind} *)in[{k}]"
                final = "unsigned char" if argument.is_mask else "real"
                lines.append(f"const {final} {name} = {self._widened(value, argument.name)};")
        lines += self.before
        if not self.has_counts():
            lines.append("(void)number;")
        if not self.loop.inputs:
            lines.append("(void)in;")
        if not any(self.variant.reduced):
            lines.append("(void)advance;")
        return lines

    def pointers(self) -> list[str]:
        """Where the elements are."""
        lines = []
        for argument in self.full_inputs():
            kind, name = self._type(argument.name, argument.is_mask), self.names[argument.name]
            k = self.loop.inputs.index(argument)
            lines.append(f"const {kind} *restrict {name}_in = (const {kind} *)in[{k}] + block;")
        for k, result in enumerate(self.results):
            is_reduced = self.variant.reduced[k]
            kind = "real" if is_reduced else self._type(result.slot, False)
            place = "block * advance" if is_reduced else "block"
            lines += self.result_pointer(k, kind, place)
        return lines

    def result_pointer(self, k: int, kind: str, place: str) -> list[str]:
        """Where the elements of a result are."""
        name = f"out{self.first + k}"
        return [f"{kind} *restrict {name} = ({kind} *)out[{self.first + k}] + {place};"]

    def full_inputs(self) -> list[Argument]:
        """The inputs that are read element by element."""
        flags = zip(self.loop.inputs, self.variant.uniform, strict=True)
        return [a for a, is_uniform in flags if a.name in self.read() and not is_uniform]

    def _type(self, slot: str, is_mask: bool) -> str:
        return "unsigned char" if is_mask else "real" if self.is_temporary(slot) else "element"

    def _widened(self, text: str, slot: str) -> str:
        plain = self.is_temporary(slot) or any(
            a.name == slot and a.is_mask for a in self.loop.inputs
        )
        return text if plain else f"widened({text})"

    def loads(self) -> list[str]:
        """The statements that read the inputs with more than one element."""
        lines = []
        for argument in self.full_inputs():
            name = self.names[argument.name]
            kind = "unsigned char" if argument.is_mask else "real"
            value = self._widened(f"{name}_in[i]", argument.name)
            lines.append(f"const {kind} {name} = {value};")
        return lines

    def body(self) -> list[str]:
        """The statements for one element."""
        super().body()
        for k, result in enumerate(self.results):
            if result.combine != "sum" and self.variant.reduced[k]:
                self.named_value(result.node)
        return self.lines

    def stores(self) -> list[str]:
        """What becomes of the results for one element."""
        lines = []
        for k, result in enumerate(self.results):
            text = self.texts[result.node].text
            if self.variant.reduced[k]:
                into = self.accumulator(k)
                lines.append(f"{into} = {self.combination(k, result, into)};")
            elif self.is_temporary(result.slot):
                lines.append(f"out{self.first + k}[i] = {text};")
            else:
                lines.append(f"out{self.first + k}[i] = narrowed({text});")
        return lines

    def accumulator(self, k: int) -> str:
        """Where the values of a reduced result go."""
        return f"out{self.first + k}[i]"

    def combination(self, k: int, result: Result, into: str) -> str:
        """A value with its accumulator; NaN is the largest and the smallest of all."""
        value = self.texts[result.node]
        if result.combine in ("amax", "amin"):
            test = f"{value.text} {'>' if result.combine == 'amax' else '<'} {into}"
            return f"({test}) | ({value.text} != {value.text}) ? {value.text} : {into}"
        if self._is_added(result.node):
            operands = self.nodes[result.node].operands
            p, q = self.texts[operands[0]].text, self.texts[operands[-1]].text
            return f"{self.spelling.fused}({p}, {q}, {into})"
        sign, binding = ("+", 10) if result.combine == "sum" else ("*", 11)
        return f"{into} {sign} {value.at(binding + 1)}"

    def _is_product(self, index: int) -> bool:
        return super()._is_product(index) or self._is_added(index)

    def _is_added(self, index: int) -> bool:
        """Whether a node is a product or a square that a sum over elements alone reads."""
        node = self.nodes[index]
        if not (node.op == "mul" or node.is_square) or self.reads[index] != 1:
            return False
        pairs = zip(self.results, self.variant.reduced, strict=False)
        return any(is_reduced and r.node == index and r.combine == "sum" for r, is_reduced in pairs)
