"""The CPU backend: a fused loop as C that compilers vectorise."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from symop.backends.vector_math import SPELLED, bound, definitions, far, spelling
from symop.frames import Frame
from symop.loops import Loop, Result, Routine, schedule
from symop.lowering import lower
from symop.program import COMPARISONS, LOGICAL, Node, Program, needed
from symop.rendering import render

DTYPES = ("float32", "float64", "float16", "bfloat16")

_ELEMENTS = {
    "float32": "float", "float64": "double", "float16": "_Float16", "bfloat16": "uint16_t",
}  # fmt: skip
_SIZES = {"float32": 4, "float64": 8, "float16": 2, "bfloat16": 2}

# Words of C, and names that the templates use themselves.
_TAKEN = frozenset(
    {
        "auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else",
        "enum", "extern", "float", "for", "goto", "if", "inline", "int", "long", "register",
        "restrict", "return", "short", "signed", "sizeof", "static", "struct", "switch", "typedef",
        "union", "unsigned", "void", "volatile", "while", "asm", "typeof", "real", "element",
        "span", "sum", "add_up", "number", "in", "out", "total", "count", "n", "i", "block",
        "advance", "is_large", "is_whole", "item", "uniform", "reduced", "type", "combine", "over",
        "kernel", "y0", "y1", "yn", "j0", "j1", "jn", "gamma", "signgam", "main", "widened",
        "narrowed", "unix", "linux",
    }
)  # fmt: skip

_COMBINE = ("sum", "prod", "amax", "amin")

_BINARY = {"add": ("+", 10), "sub": ("-", 10), "mul": ("*", 11), "div": ("/", 11)}
_COMPARE = {
    "lt": ("<", 8), "le": ("<=", 8), "gt": (">", 8), "ge": (">=", 8), "eq": ("==", 7),
    "ne": ("!=", 7),
}  # fmt: skip
_LOGICAL = {"and": ("&", 6), "or": ("|", 4)}
_ATOM, _UNARY, _CONDITIONAL = 15, 12, 2

# Longer expressions are split.
_WIDTH = 72

# Integer powers are products up to here; beyond, their rounding errors would show.
_LARGEST_POWER = 8


def routine(program: Program, numbers: Sequence[str] = ()) -> Routine | None:
    """The loops of a program in the operations of C; None where C lacks one of them.

    Args:
        program: any program.
        numbers: outputs that are kept in the type that is computed in.
    """
    try:
        lowered = lower(program, SPELLED, pull=False)
    except AssertionError:
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
    additions: tuple[str, ...]
    totals: tuple[str, ...]


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
        additions=tuple(printer.stores(is_sum=True)),
        totals=tuple(f"total[{k}] += sum{k};" for k, r in enumerate(variant.reduced) if r),
    )


@dataclass(frozen=True)
class _Text:
    text: str
    binding: int = _ATOM

    def at(self, binding: int) -> str:
        return self.text if self.binding >= binding else f"({self.text})"


class _Printer:
    """Prints the body of a loop, one statement a line."""

    def __init__(
        self, routine: Routine, loop: Loop, variant: Variant, *, anywhere: bool = False
    ) -> None:
        self.routine = routine
        self.loop = loop
        self.variant = variant
        self.anywhere = anywhere
        self.fma = "FMA" if variant.is_double else "FMAF"
        self.results: list[Result] = [loop.results[k] for k in variant.wanted]
        self.temporaries = {name for name, _ in routine.temporaries} | routine.numbers
        self.nodes = loop.nodes
        self.require({result.node for result in self.results})
        self.texts: dict[int, _Text] = {}
        self.lines: list[str] = []
        self.functions: set[str] = set()
        self.names = {a.name: self._spelled(a.name) for a in loop.inputs}
        self.counter = 0

    @staticmethod
    def _spelled(name: str) -> str:
        return f"{name}_" if name in _TAKEN or name.endswith("_") or name.isupper() else name

    def require(self, wanted: set[int]) -> None:
        """Set what is printed: the nodes that the wanted ones depend on."""
        self.alive = needed(self.nodes, wanted)
        self.reads = [0] * len(self.nodes)
        for index in wanted:
            self.reads[index] += sum(r.node == index for r in self.results) or 1
        for index, node in enumerate(self.nodes):
            if self.alive[index]:
                for operand in node.operands:
                    self.reads[operand] += 1

    def type_code(self, slot: str) -> int:
        """What a slot is stored as, by its place in DTYPES."""
        if self.is_temporary(slot):
            return int(self.variant.is_double)
        return DTYPES.index(self.variant.dtype)

    def is_temporary(self, slot: str) -> bool:
        """Whether a slot holds what is computed with, not what tensors hold."""
        return slot in self.temporaries

    def _fresh(self) -> str:
        while True:
            self.counter += 1
            name = f"v{self.counter}"
            if name not in self.names.values():
                return name

    def opening(self) -> list[str]:
        """Where everything is."""
        lines = []
        for k, argument in enumerate(self.loop.inputs):
            if argument.name not in self._read():
                continue
            name, kind = self.names[argument.name], self._type(argument.name, argument.is_mask)
            if self.variant.uniform[k]:
                value = f"*(const {kind} *)in[{k}]"
                final = "unsigned char" if argument.is_mask else "real"
                lines.append(f"const {final} {name} = {self._widened(value, argument.name)};")
        if not self._counts():
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
            if argument.name in self._read() and not self.variant.uniform[k]:
                kind, name = self._type(argument.name, argument.is_mask), self.names[argument.name]
                lines.append(f"const {kind} *restrict {name}_in = (const {kind} *)in[{k}] + block;")
        for k, result in enumerate(self.results):
            is_reduced = self.variant.reduced[k]
            if is_sum and is_reduced:
                continue
            kind = "real" if is_reduced else self._type(result.slot, False)
            place = "block * advance" if is_reduced else "block"
            lines.append(f"{kind} *restrict out{k} = ({kind} *)out[{k}] + {place};")
        return lines

    def _read(self) -> set[str]:
        pairs = enumerate(self.nodes)
        return {str(n.value) for k, n in pairs if self.alive[k] and n.op in ("argument", "mask")}

    def _counts(self) -> bool:
        return any(n.op == "count" and self.alive[k] for k, n in enumerate(self.nodes))

    def _type(self, slot: str, is_mask: bool) -> str:
        return "unsigned char" if is_mask else "real" if self.is_temporary(slot) else "element"

    def _widened(self, text: str, slot: str) -> str:
        plain = self.is_temporary(slot) or any(
            a.name == slot and a.is_mask for a in self.loop.inputs
        )
        return text if plain else f"widened({text})"

    def body(self) -> list[str]:
        """The statements for one element."""
        for k, argument in enumerate(self.loop.inputs):
            if argument.name in self._read() and not self.variant.uniform[k]:
                name = self.names[argument.name]
                kind = "unsigned char" if argument.is_mask else "real"
                value = self._widened(f"{name}_in[i]", argument.name)
                self.lines.append(f"const {kind} {name} = {value};")
        for index, node in enumerate(self.nodes):
            if self.alive[index]:
                self._visit(index, node)
        for k, result in enumerate(self.results):
            text = self.texts[result.node]
            if result.combine != "sum" and self.variant.reduced[k] and not text.text.isidentifier():
                name = self._fresh()
                self.lines.append(f"const real {name} = {text.text};")
                self.texts[result.node] = _Text(name)
        return self.lines

    def guard(self) -> list[str]:
        """Tests whether arguments are too far out for a vector function; none where all serve."""
        is_double = self.variant.is_double
        tests = [
            node
            for index, node in enumerate(self.nodes)
            if self.alive[index] and node.op in SPELLED
            and (bound(node.op, is_double) is not None or far(node.op, is_double))
        ]  # fmt: skip
        if not tests:
            return []
        printer = _Printer(self.routine, self.loop, self.variant)
        printer.results = []
        printer.require({operand for node in tests for operand in node.operands})
        lines = printer.body()
        fabs = spelling("abs", is_double)
        for node in tests:
            values = ", ".join(printer.texts[operand].text for operand in node.operands)
            most = bound(node.op, is_double)
            if most is None:
                test = f"{far(node.op, is_double)}({values})"
            else:
                test = f"{fabs}({values}) > {_number(Fraction(most), is_double).text}"
            lines.append(f"is_large |= {test};")
        self.functions |= printer.functions
        return list(dict.fromkeys(lines))

    def stores(self, *, is_sum: bool) -> list[str]:
        """What becomes of the results for one element."""
        lines = []
        for k, result in enumerate(self.results):
            text = self.texts[result.node].text
            if self.variant.reduced[k]:
                lines.append(self._combination(k, result.combine, self.texts[result.node], is_sum))
            elif self.is_temporary(result.slot):
                lines.append(f"out{k}[i] = {text};")
            else:
                lines.append(f"out{k}[i] = narrowed({text});")
        return lines

    def _combination(self, k: int, combine: str, value: _Text, is_sum: bool) -> str:
        """Add a value to its accumulator; NaN is the largest and the smallest of all."""
        text = value.text
        if is_sum:
            zero = _number(Fraction(0), self.variant.is_double).text
            return f"sum{k} += is_whole || i < count ? {value.at(_CONDITIONAL + 1)} : {zero};"
        if combine in ("sum", "prod"):
            return f"out{k}[i] {'+' if combine == 'sum' else '*'}= {text};"
        test = f"{text} {'>' if combine == 'amax' else '<'} out{k}[i]"
        return f"out{k}[i] = ({test}) | ({text} != {text}) ? {text} : out{k}[i];"

    def _visit(self, index: int, node: Node) -> None:
        text = self._expression(node)
        leaf = node.op in ("argument", "mask", "constant", "pi", "count")
        if not leaf and (self.reads[index] > 1 or len(text.text) > _WIDTH):
            name = self._fresh()
            kind = "int" if node.is_condition else "real"
            self.lines.append(f"const {kind} {name} = {text.text};")
            text = _Text(name)
        self.texts[index] = text

    def _named(self, index: int) -> _Text:
        """An operand that must be computed before a choice is made, so that loops have none."""
        text = self.texts[index]
        if text.binding == _ATOM and "(" not in text.text:
            return text
        if "(" in text.text:
            name = self._fresh()
            kind = "int" if self.nodes[index].is_condition else "real"
            self.lines.append(f"const {kind} {name} = {text.text};")
            self.texts[index] = _Text(name)
        return self.texts[index]

    def _expression(self, node: Node) -> _Text:
        match node.op:
            case "argument" | "mask":
                return _Text(self.names[str(node.value)])
            case "constant":
                assert isinstance(node.value, Fraction)
                return _number(node.value, self.variant.is_double)
            case "count":
                place = self.loop.counts.index((node.source or (), node.target or ()))
                return _Text(f"(real)number[{place}]", _UNARY)
            case "neg":
                return _Text(f"-{self.texts[node.operands[0]].at(_UNARY + 1)}", _UNARY)
            case "ipow":
                return self._integer_power(node.operands[0], int(node.value or 0))
            case "where":
                condition, a, b = (self._named(o) for o in node.operands)
                text = f"{condition.at(_CONDITIONAL + 1)} ? {a.at(_CONDITIONAL + 1)} : "
                return _Text(text + b.at(_CONDITIONAL + 1), _CONDITIONAL)
            case "not":
                return _Text(f"!{self.texts[node.operands[0]].at(_UNARY + 1)}", _UNARY)
        if node.op in _BINARY:
            return self._fused(node) or self._binary(node.op, *_BINARY[node.op], node.operands)
        if node.op in COMPARISONS:
            return self._binary(node.op, *_COMPARE[node.op], node.operands)
        if node.op in LOGICAL:
            return self._binary(node.op, *_LOGICAL[node.op], node.operands)
        self.functions.add(node.op)
        values = ", ".join(self.texts[o].text for o in node.operands)
        code = spelling(node.op, self.variant.is_double, anywhere=self.anywhere)
        return _Text(f"{code}({values})")

    def _binary(self, op: str, sign: str, binding: int, operands: tuple[int, ...]) -> _Text:
        a, b = (self.texts[o] for o in operands)
        # Comparisons inside & and | stand in parentheses, as compilers ask for.
        inner = _UNARY if op in LOGICAL else binding
        return _Text(f"{a.at(inner)} {sign} {b.at(inner + (op not in LOGICAL))}", binding)

    def _fused(self, node: Node) -> _Text | None:
        """A product in a sum as one operation with one rounding.

        Not where both terms are products of values: a*b - c*d would not be zero where they
        are equal.
        """
        if node.op not in ("add", "sub"):
            return None
        places = [k for k in (1, 0) if self._is_product(node.operands[k])]
        if len(places) == 2:
            places = [k for k in places if self._has_constant(node.operands[k])]
        if not places:
            return None
        place = places[0]
        p, q = (self.texts[o] for o in self.nodes[node.operands[place]].operands)
        rest = self.texts[node.operands[1 - place]]
        first, other = p.text, rest.text
        if node.op == "sub" and place == 0:
            other = f"-{rest.at(_UNARY + 1)}"
        elif node.op == "sub":
            first = f"-{p.at(_UNARY + 1)}"
        return _Text(f"{self.fma}({first}, {q.text}, {other})")

    def _is_product(self, index: int) -> bool:
        """Whether a node is a product that nothing else reads."""
        node = self.nodes[index]
        return node.op == "mul" and self.reads[index] == 1 and " * " in self.texts[index].text

    def _has_constant(self, index: int) -> bool:
        return any(self.nodes[o].op == "constant" for o in self.nodes[index].operands)

    def _integer_power(self, operand: int, exponent: int) -> _Text:
        size = abs(exponent)
        if size > _LARGEST_POWER:
            self.functions.add("pow")
            power = _number(Fraction(exponent), self.variant.is_double).text
            return _Text(
                f"{spelling('pow', self.variant.is_double)}({self.texts[operand].text}, {power})"
            )
        one = _number(Fraction(1), self.variant.is_double).text
        if size == 0:
            return _Text(one)
        base = self.texts[operand]
        if not (base.binding == _ATOM and base.text.isidentifier()) and size > 1:
            name = self._fresh()
            self.lines.append(f"const real {name} = {base.text};")
            base = self.texts[operand] = _Text(name)
        text = base
        if size > 1:
            text = _Text(" * ".join([base.text] * size), 11)
            if size in (4, 6, 8):
                half = self._integer_power(operand, size // 2)
                name = self._fresh()
                self.lines.append(f"const real {name} = {half.text};")
                text = _Text(f"{name} * {name}", 11)
        return text if exponent > 0 else _Text(f"{one} / {text.at(12)}", 11)

    def support(self) -> list[str]:
        """The mathematics that the body uses, and conversions."""
        lines = [line for text in definitions(sorted(self.functions)) for line in _tight(text)]
        return [*lines, *_CONVERSIONS["bfloat16" if self.variant.dtype == "bfloat16" else ""]]


def _tight(text: str) -> list[str]:
    return [*text.strip().split("\n"), ""]


_CONVERSIONS = {
    "": (
        "static inline real widened(element value) { return (real)value; }",
        "static inline element narrowed(real value) { return (element)value; }",
    ),
    "bfloat16": (
        "static inline real widened(element value)",
        "{",
        "    union { uint32_t bits; float value; } one = { (uint32_t)value << 16 };",
        "    return (real)one.value;",
        "}",
        "/* To the nearest, ties to even. */",
        "static inline element narrowed(real value)",
        "{",
        "    union { float value; uint32_t bits; } one = { (float)value };",
        "    const uint32_t rounded = one.bits + 0x7fff + (one.bits >> 16 & 1);",
        "    return (element)((value != value ? 0x7fc00000 : rounded) >> 16);",
        "}",
    ),
}


def _number(value: Fraction, is_double: bool) -> _Text:
    near = float(value)
    if not is_double:
        try:
            near = struct.unpack("f", struct.pack("f", near))[0]
        except OverflowError:
            near = float("inf") if near > 0 else float("-inf")
    if near in (float("inf"), float("-inf")):
        return _Text("INFINITY" if near > 0 else "-INFINITY", _ATOM if near > 0 else _UNARY)
    text = repr(near) if is_double else _shortest(near)
    return _Text(text + ("" if is_double else "f"), _UNARY if near < 0 else _ATOM)


def _shortest(value: float) -> str:
    """The shortest decimal that is this number in float32."""
    for digits in range(1, 10):
        text = repr(float(f"{value:.{digits}g}"))
        if struct.unpack("f", struct.pack("f", float(text)))[0] == value:
            return text
    return repr(value)


def frames_of(routine: Routine) -> list[Frame]:
    """The frames that a routine speaks of, in order of first mention."""
    found: dict[Frame, None] = {}
    for argument in routine.arguments:
        found[argument.frame] = None
    for output in routine.outputs:
        found[output.frame] = None
    for _, frame in routine.temporaries:
        found[frame] = None
    for loop in routine.loops:
        found[loop.frame] = None
        for source, target in loop.counts:
            found |= {source: None, target: None}
    return list(found)
