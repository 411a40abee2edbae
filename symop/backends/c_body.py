"""The body of a loop as statements of C, one value at a time."""

from __future__ import annotations

import copy
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from symop.backends.vector_math import SPELLED, bound, far, spelling
from symop.frames import Frame
from symop.loops import Loop, Result
from symop.program import COMPARISONS, LOGICAL, Node, needed

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


_BINARY = {"add": ("+", 10), "sub": ("-", 10), "mul": ("*", 11), "div": ("/", 11)}
_COMPARE = {
    "lt": ("<", 8), "le": ("<=", 8), "gt": (">", 8), "ge": (">=", 8), "eq": ("==", 7),
    "ne": ("!=", 7),
}  # fmt: skip
_LOGICAL = {"and": ("&", 6), "or": ("|", 4)}
ATOM, UNARY, CONDITIONAL = 15, 12, 2

# Integer powers are products up to here; beyond, their rounding errors would show.
_LARGEST_POWER = 8


@dataclass(frozen=True)
class Text:
    """An expression, and how tightly its outermost operator binds."""

    text: str
    binding: int = ATOM

    def at(self, binding: int) -> str:
        """The text as an operand, in parentheses where the operator around it binds tighter."""
        return self.text if self.binding >= binding else f"({self.text})"


def spelled_in_c(name: str) -> str:
    """The name of an argument as C spells it."""
    return f"{name}_" if name in _TAKEN or name.endswith("_") or name.isupper() else name


class Spelling(Protocol):
    """How numbers and functions are written."""

    @property
    def fused(self) -> str:
        """A product and a sum with one rounding."""

    def number(self, value: Fraction) -> Text:
        """A constant."""

    def function(self, name: str, *, anywhere: bool = False) -> str:
        """The name of a function; `anywhere`, of its spelling that is right for all arguments."""

    def bound(self, name: str) -> Text | None:
        """The largest |x| that the vectorised spelling of a function is right for, if any."""

    def far(self, name: str) -> str | None:
        """The function that says where the vectorised spelling of a function is wrong, if any."""


@dataclass(frozen=True)
class FixedType:
    """The spelling for one type: 2.5f, symop_expf(x)."""

    is_double: bool

    @property
    def fused(self) -> str:
        """FMA or FMAF."""
        return "FMA" if self.is_double else "FMAF"

    def number(self, value: Fraction) -> Text:
        """A literal with the suffix of the type."""
        return _number(value, self.is_double)

    def function(self, name: str, *, anywhere: bool = False) -> str:
        """The function of the type."""
        return spelling(name, self.is_double, anywhere=anywhere)

    def bound(self, name: str) -> Text | None:
        """A literal."""
        most = bound(name, self.is_double)
        return None if most is None else self.number(Fraction(most))

    def far(self, name: str) -> str | None:
        """The function of the type."""
        return far(name, self.is_double)


class Body:
    """Prints what a loop computes for one element, one statement a line.

    width: longer expressions are split.
    negation: the operator that negates a condition.

    Args:
        loop: the loop.
        results: those of its results that are wanted.
        spelling: how numbers and functions are written.
        anywhere: whether functions are those that are right for arguments of any size.
    """

    width = 72
    negation = "!"

    def __init__(
        self, loop: Loop, results: Sequence[Result], spelling: Spelling, *, anywhere: bool = False
    ) -> None:
        self.loop = loop
        self.results: list[Result] = list(results)
        self.spelling = spelling
        self.anywhere = anywhere
        self.nodes = loop.nodes
        self.names = {a.name: spelled_in_c(a.name) for a in loop.inputs}
        self._begin({result.node for result in self.results})

    def _begin(self, wanted: set[int]) -> None:
        """Print anew: the nodes that the wanted ones depend on."""
        self.texts: dict[int, Text] = {}
        self.lines: list[str] = []
        self.functions: set[str] = set()
        self.counter = 0
        self.alive = needed(self.nodes, wanted)
        self.reads = [0] * len(self.nodes)
        for index in wanted:
            self.reads[index] += sum(r.node == index for r in self.results) or 1
        for index, node in enumerate(self.nodes):
            if self.alive[index]:
                for operand in node.operands:
                    self.reads[operand] += 1

    def read(self) -> set[str]:
        """The names of the inputs that are read."""
        pairs = enumerate(self.nodes)
        return {str(n.value) for k, n in pairs if self.alive[k] and n.op in ("argument", "mask")}

    def has_counts(self) -> bool:
        """Whether a count of elements is read."""
        return any(n.op == "count" and self.alive[k] for k, n in enumerate(self.nodes))

    def pointer(self, name: str) -> str:
        """A name for a pointer, other than those of arguments."""
        return f"{name}_" if name in self.names.values() else name

    def loads(self) -> list[str]:
        """The statements that read the inputs, from pointers `<name>_in`."""
        lines = []
        for argument in self.loop.inputs:
            if argument.name in self.read():
                name = self.names[argument.name]
                value = f"{self.pointer(f'{name}_in')}[i]"
                kind = "unsigned char" if argument.is_mask else "real"
                value = value if argument.is_mask else f"widened({value})"
                lines.append(f"const {kind} {name} = {value};")
        return lines

    def count(self, source: Frame, target: Frame) -> Text:
        """How many elements of one frame fall on one of the other."""
        place = self.loop.counts.index((source, target))
        return Text(f"(real)number[{place}]", UNARY)

    def body(self) -> list[str]:
        """The statements for one element; `texts` then holds what the results are."""
        self.lines += self.loads()
        for index, node in enumerate(self.nodes):
            if self.alive[index]:
                self._visit(index, node)
        return self.lines

    def guard(self) -> list[str]:
        """Tests whether arguments are too far out for a vector function; none where all serve."""
        tests = [
            (node, self.spelling.bound(node.op), self.spelling.far(node.op))
            for index, node in enumerate(self.nodes)
            if self.alive[index] and node.op in SPELLED
        ]
        tests = [test for test in tests if test[1] or test[2]]
        if not tests:
            return []
        printer = copy.copy(self)
        printer.results = []
        printer._begin({operand for node, *_ in tests for operand in node.operands})
        lines = printer.body()
        fabs = self.spelling.function("abs")
        for node, most, is_far in tests:
            values = ", ".join(printer.texts[operand].text for operand in node.operands)
            test = f"{fabs}({values}) > {most.text}" if most else f"{is_far}({values})"
            lines.append(f"is_large |= {test};")
        self.functions |= printer.functions
        return list(dict.fromkeys(lines))

    def named_value(self, index: int) -> Text:
        """The value of a node as a name."""
        text = self.texts[index]
        if not text.text.isidentifier():
            text = self.texts[index] = self._declared(text)
        return text

    def _declared(self, text: Text, *, is_condition: bool = False) -> Text:
        """A name for a value, which a statement of its own gives it."""
        name = self._fresh()
        self.lines.append(self.declaration(name, text.text, is_condition))
        return Text(name)

    def declaration(self, name: str, text: str, is_condition: bool) -> str:
        """The statement that names a value."""
        return f"const {'int' if is_condition else 'real'} {name} = {text};"

    def _fresh(self) -> str:
        while True:
            self.counter += 1
            name = f"v{self.counter}"
            if name not in self.names.values():
                return name

    def _visit(self, index: int, node: Node) -> None:
        text = self._expression(node)
        leaf = node.op in ("argument", "mask", "constant", "pi", "count")
        if not leaf and (self.reads[index] > 1 or len(text.text) > self.width):
            text = self._declared(text, is_condition=node.is_condition)
        self.texts[index] = text

    def _named(self, index: int) -> Text:
        """An operand that must be computed before a choice is made, so that loops have none."""
        text = self.texts[index]
        is_plain = text.binding == ATOM and "(" not in text.text
        if is_plain or self.nodes[index].op == "constant":
            return text
        if "(" in text.text:
            is_condition = self.nodes[index].is_condition
            self.texts[index] = self._declared(text, is_condition=is_condition)
        return self.texts[index]

    def _expression(self, node: Node) -> Text:
        match node.op:
            case "argument" | "mask":
                return Text(self.names[str(node.value)])
            case "constant":
                assert isinstance(node.value, Fraction)
                return self.spelling.number(node.value)
            case "count":
                return self.count(node.source or (), node.target or ())
            case "neg":
                return Text(f"-{self.texts[node.operands[0]].at(UNARY + 1)}", UNARY)
            case "ipow":
                return self._integer_power(node.operands[0], int(node.value or 0))
            case "where":
                return self._choice(node)
            case "not":
                return Text(f"{self.negation}{self.texts[node.operands[0]].at(UNARY + 1)}", UNARY)
        if node.op in _BINARY:
            return self._fused(node) or self._binary(node.op, *_BINARY[node.op], node.operands)
        if node.op in COMPARISONS:
            return self._binary(node.op, *_COMPARE[node.op], node.operands)
        if node.op in LOGICAL:
            return self._binary(node.op, *_LOGICAL[node.op], node.operands)
        return self._call(node.op, [self.texts[o] for o in node.operands])

    def _choice(self, node: Node) -> Text:
        condition, a, b = (self._named(o) for o in node.operands)
        text = f"{condition.at(CONDITIONAL + 1)} ? {a.at(CONDITIONAL + 1)} : "
        return Text(text + b.at(CONDITIONAL + 1), CONDITIONAL)

    def _call(self, function: str, values: Sequence[Text]) -> Text:
        self.functions.add(function)
        code = self.spelling.function(function, anywhere=self.anywhere)
        return Text(f"{code}({', '.join(value.text for value in values)})")

    def quotient(self, a: Text, b: Text) -> Text:
        """One value by another."""
        return Text(f"{a.at(11)} / {b.at(12)}", 11)

    def _binary(self, op: str, sign: str, binding: int, operands: tuple[int, ...]) -> Text:
        a, b = (self.texts[o] for o in operands)
        if op == "div":
            return self.quotient(a, b)
        # Comparisons inside & and | stand in parentheses, as compilers ask for.
        inner = UNARY if op in LOGICAL else binding
        return Text(f"{a.at(inner)} {sign} {b.at(inner + (op not in LOGICAL))}", binding)

    def _fused(self, node: Node) -> Text | None:
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
            other = f"-{rest.at(UNARY + 1)}"
        elif node.op == "sub":
            first = f"-{p.at(UNARY + 1)}"
        return Text(f"{self.spelling.fused}({first}, {q.text}, {other})")

    def _is_product(self, index: int) -> bool:
        """Whether a node is a product that nothing else reads."""
        node = self.nodes[index]
        return node.op == "mul" and self.reads[index] == 1 and " * " in self.texts[index].text

    def _has_constant(self, index: int) -> bool:
        return any(self.nodes[o].op == "constant" for o in self.nodes[index].operands)

    def _integer_power(self, operand: int, exponent: int) -> Text:
        size = abs(exponent)
        if size > _LARGEST_POWER:
            power = self.spelling.number(Fraction(exponent))
            return self._call("pow", [self.texts[operand], power])
        one = self.spelling.number(Fraction(1))
        if size == 0:
            return one
        base = self.texts[operand]
        if not (base.binding == ATOM and base.text.isidentifier()) and size > 1:
            base = self.texts[operand] = self._declared(base)
        text = base
        if size > 1:
            text = Text(" * ".join([base.text] * size), 11)
            if size in (4, 6, 8):
                half = self._declared(self._integer_power(operand, size // 2)).text
                text = Text(f"{half} * {half}", 11)
        return text if exponent > 0 else self.quotient(one, text)


def _number(value: Fraction, is_double: bool) -> Text:
    near = float(value)
    if not is_double:
        try:
            near = struct.unpack("f", struct.pack("f", near))[0]
        except OverflowError:
            near = float("inf") if near > 0 else float("-inf")
    if near in (float("inf"), float("-inf")):
        return Text("INFINITY" if near > 0 else "-INFINITY", ATOM if near > 0 else UNARY)
    text = repr(near) if is_double else shortest(near)
    return Text(text + ("" if is_double else "f"), UNARY if near < 0 else ATOM)


def shortest(value: float) -> str:
    """The shortest decimal that is this number in float32."""
    for digits in range(1, 10):
        text = repr(float(f"{value:.{digits}g}"))
        if struct.unpack("f", struct.pack("f", float(text)))[0] == value:
            return text
    return repr(value)
