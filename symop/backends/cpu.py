"""The CPU backend: a fused loop as C that compilers vectorise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from symop.backends.c_body import Body
from symop.backends.c_text import CONVERSIONS, FixedType
from symop.backends.vector_math import SPELLED, definitions
from symop.loops import Loop, Result, Routine, schedule
from symop.lowering import NoForm, lower
from symop.program import LEAVES, Node, Program, needed
from symop.rendering import render

DTYPES = ("float32", "float64", "float16", "bfloat16")

_ELEMENTS = {
    "float32": "float", "float64": "double", "float16": "_Float16", "bfloat16": "uint16_t",
}  # fmt: skip
_SIZES = {"float32": 4, "float64": 8, "float16": 2, "bfloat16": 2}

# Where several results are stored and each takes so few operations, the loop waits for memory, and
# more for every place that it writes to in turn.
_FEW_OPERATIONS = 8
_CHEAP = frozenset({"add", "sub", "mul", "neg"})

# How far ahead of its use memory is asked for, in bytes: two pages, measured.
_AHEAD = 8192

_COMBINE = ("sum", "prod", "amax", "amin")


def routine(program: Program, numbers: Sequence[str] = ()) -> Routine | None:
    """The loops of a program in the operations of C; None where C lacks one of them.

    Args:
        program: any program.
        numbers: outputs that are kept in the type that is computed in.
    """
    try:
        lowered = lower(program, SPELLED, pull=False)
    except NoForm:
        return None
    made = schedule(lowered)
    return made and replace(made, numbers=frozenset(numbers))


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


@dataclass(frozen=True)
class KernelView:
    """A kernel; every field is finished text, or lines of it."""

    title: str
    real: str
    element: str
    support: tuple[str, ...]
    input_count: int
    result_count: int
    items: str
    uniform: str
    reduced: str
    types: str
    over: str
    combine: str
    opening: tuple[str, ...]
    pointers: tuple[str, ...]
    body: tuple[str, ...]
    guard: tuple[str, ...]
    far_body: tuple[str, ...]
    far_stores: tuple[str, ...]
    far_additions: tuple[str, ...]
    stores: tuple[str, ...]
    sums: tuple[str, ...]
    sum_pointers: tuple[str, ...]
    fetches: tuple[str, ...]
    ahead: int
    additions: tuple[str, ...]
    rows: tuple[RowView, ...]


@dataclass(frozen=True)
class RowView:
    """What one of several results needs, to be stored by itself; lines of text."""

    opening: tuple[str, ...]
    pointers: tuple[str, ...]
    body: tuple[str, ...]
    stores: tuple[str, ...]


def kernel_source(name: str, routine: Routine, loop: Loop, variant: Variant) -> str:
    """The C text of one loop.

    Args:
        name: the name of the op, for the title.
        routine: what the loop belongs to.
        loop: the loop.
        variant: what it is specialised to.
    """
    return render("kernel.c.j2", _view(name, routine, loop, variant))


def _view(name: str, routine: Routine, loop: Loop, variant: Variant) -> KernelView:
    printer = _Printer(routine, loop, variant)
    distant = _Printer(routine, loop, variant, anywhere=True)
    body = printer.body()
    results = printer.results
    real_size = 8 if variant.is_double else 4
    sizes = [
        1 if a.is_mask else real_size if printer.is_temporary(a.name) else _SIZES[variant.dtype]
        for a in loop.inputs
    ]
    sizes += [real_size if printer.is_temporary(r.slot) else _SIZES[variant.dtype] for r in results]
    counts = list(loop.counts)
    reduced = [k for k, is_reduced in enumerate(variant.reduced) if is_reduced]
    are_sums = all(results[k].combine == "sum" for k in reduced)
    sums = tuple(f"sum{k}" for k in reduced) if are_sums else ()
    return KernelView(
        title=f"{', '.join(r.slot for r in results)} of {name}, {variant.dtype}",
        real="double" if variant.is_double else "float",
        element=_ELEMENTS[variant.dtype],
        support=tuple(printer.support()),
        input_count=len(loop.inputs),
        result_count=len(results),
        items=", ".join(map(str, sizes)),
        uniform=", ".join([str(int(u)) for u in variant.uniform] or ["0"]),
        reduced=", ".join(str(int(r)) for r in variant.reduced),
        types=", ".join(str(printer.type_code(r.slot)) for r in results),
        over=", ".join("-1" if r.over is None else str(counts.index(r.over)) for r in results),
        combine=", ".join(str(_COMBINE.index(r.combine)) for r in results),
        opening=tuple(printer.opening()),
        pointers=tuple(printer.pointers()),
        body=tuple(body),
        guard=tuple(printer.guard()),
        far_body=tuple(distant.body()),
        far_stores=tuple(distant.stores(is_sum=False)),
        far_additions=tuple(distant.stores(is_sum=True)),
        stores=tuple(printer.stores(is_sum=False)),
        sums=sums,
        sum_pointers=tuple(printer.pointers(is_sum=True)),
        fetches=tuple(printer.fetches()),
        ahead=_AHEAD,
        additions=tuple(printer.stores(is_sum=True)),
        rows=tuple(_rows(routine, loop, variant)),
    )


def _rows(routine: Routine, loop: Loop, variant: Variant) -> list[RowView]:
    """The results one by one, where there are several that are stored and easily computed."""
    wanted = [loop.results[k] for k in variant.wanted]
    needs = [needed(loop.nodes, {result.node}) for result in wanted]
    bodies = [
        [node for node, is_needed in zip(loop.nodes, need, strict=True) if is_needed]
        for need in needs
    ]
    operations = [node for body in bodies for node in body if node.op not in LEAVES]
    is_few = len(operations) <= _FEW_OPERATIONS * len(wanted)
    is_cheap = all(node.op in _CHEAP or _is_square(node) for node in operations)
    if any(variant.reduced) or len(wanted) < 2 or not (is_few and is_cheap):
        return []
    found = []
    for k, place in enumerate(variant.wanted):
        alone = replace(variant, wanted=(place,), reduced=(False,))
        printer = _Printer(routine, loop, alone, first=k)
        body = printer.body()
        found.append(
            RowView(
                opening=tuple(printer.opening()),
                pointers=tuple(printer.pointers()),
                body=tuple(body),
                stores=tuple(printer.stores(is_sum=False)),
            )
        )
    return found


def _is_square(node: Node) -> bool:
    return node.op == "ipow" and node.value == 2


class _Printer(Body):
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

    def pointers(self, *, is_sum: bool = False) -> list[str]:
        """Where the elements are."""
        lines = []
        for k, argument in enumerate(self.loop.inputs):
            if argument.name in self.read() and not self.variant.uniform[k]:
                kind, name = self._type(argument.name, argument.is_mask), self.names[argument.name]
                lines.append(f"const {kind} *restrict {name}_in = (const {kind} *)in[{k}] + block;")
        for k, result in enumerate(self.results):
            is_reduced = self.variant.reduced[k]
            if is_sum and is_reduced:
                continue
            kind = "real" if is_reduced else self._type(result.slot, False)
            place = "block * advance" if is_reduced else "block"
            place_of = self.first + k
            lines.append(f"{kind} *restrict out{place_of} = ({kind} *)out[{place_of}] + {place};")
        return lines

    def fetches(self) -> list[str]:
        """The statements that ask for inputs long before they are read."""
        names = [
            self.names[argument.name]
            for k, argument in enumerate(self.loop.inputs)
            if argument.name in self.read() and not self.variant.uniform[k]
        ]
        return [f"fetch_ahead({name}_in, LANES * sizeof *{name}_in);" for name in names]

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
        for k, argument in enumerate(self.loop.inputs):
            if argument.name in self.read() and not self.variant.uniform[k]:
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

    def stores(self, *, is_sum: bool) -> list[str]:
        """What becomes of the results for one element."""
        lines = []
        for k, result in enumerate(self.results):
            text = self.texts[result.node].text
            if self.variant.reduced[k]:
                lines.append(self._combination(k, result, is_sum))
            elif self.is_temporary(result.slot):
                lines.append(f"out{self.first + k}[i] = {text};")
            else:
                lines.append(f"out{self.first + k}[i] = narrowed({text});")
        return lines

    def _combination(self, k: int, result: Result, is_sum: bool) -> str:
        """Add a value to its accumulator; NaN is the largest and the smallest of all."""
        value = self.texts[result.node]
        into = f"sum{k}[i]" if is_sum else f"out{k}[i]"
        if result.combine in ("amax", "amin"):
            test = f"{value.text} {'>' if result.combine == 'amax' else '<'} {into}"
            text = f"({test}) | ({value.text} != {value.text}) ? {value.text} : {into}"
        elif self._is_added(result.node):
            operands = self.nodes[result.node].operands
            p, q = self.texts[operands[0]].text, self.texts[operands[-1]].text
            text = f"{self.spelling.fused}({p}, {q}, {into})"
        else:
            sign, binding = ("+", 10) if result.combine == "sum" else ("*", 11)
            text = f"{into} {sign} {value.at(binding + 1)}"
        if is_sum:
            text = f"is_whole || block + i < count ? {text} : {into}"
        return f"{into} = {text};"

    def _is_product(self, index: int) -> bool:
        return super()._is_product(index) or self._is_added(index)

    def _is_added(self, index: int) -> bool:
        """Whether a node is a product or a square that a sum over elements alone reads."""
        node = self.nodes[index]
        is_square = node.op == "ipow" and node.value == 2
        if not (node.op == "mul" or is_square) or self.reads[index] != 1:
            return False
        pairs = zip(self.results, self.variant.reduced, strict=False)
        return any(is_reduced and r.node == index and r.combine == "sum" for r, is_reduced in pairs)

    def support(self) -> list[str]:
        """The mathematics that the body uses, and conversions."""
        texts = definitions(sorted(self.functions))
        lines = [line for text in texts for line in (*text.strip().split("\n"), "")]
        return [*lines, *CONVERSIONS["bfloat16" if self.variant.dtype == "bfloat16" else ""]]
