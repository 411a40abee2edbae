"""The body of a loop as statements of C, one value at a time."""

from __future__ import annotations

import copy
from collections.abc import Collection, Sequence
from fractions import Fraction

from symop.backends.c_text import ATOM, CONDITIONAL, UNARY, Spelling, Text, spelled_in_c
from symop.backends.vector_math import SPELLED, VANISHING
from symop.frames import Frame
from symop.loops import Loop, Result
from symop.program import COMPARISONS, LEAVES, LOGICAL, Node, fixed, needed

_BINARY = {"add": ("+", 10), "sub": ("-", 10), "mul": ("*", 11), "div": ("/", 11)}
_COMPARE = {
    "lt": ("<", 8), "le": ("<=", 8), "gt": (">", 8), "ge": (">=", 8), "eq": ("==", 7),
    "ne": ("!=", 7),
}  # fmt: skip
_LOGICAL = {"and": ("&", 6), "or": ("|", 4)}

# Integer powers are products up to here; beyond, their rounding errors would show. What is rounded
# itself is off by as much: its powers are products for longer.
_LARGEST_PRODUCT = 8
_LARGEST_PRODUCT_OF_ROUNDED = 16
# What symop_integer_power can do.
_LARGEST_POWER = 63


class Body:
    """Prints what a loop computes for one element, one statement a line.

    width: longer expressions are split.
    negation: the operator that negates a condition.
    fixed: the nodes that are the same for all elements.
    before: the statements for what is the same for all elements, which stand before the loop. In
        the loop they would be computed for each: compilers do not move what is a choice.

    Args:
        loop: the loop.
        results: those of its results that are wanted.
        spelling: how numbers and functions are written.
        anywhere: whether functions are those that are right for arguments of any size.
        uniform: the inputs of one element.
    """

    width = 72
    negation = "!"

    def __init__(
        self,
        loop: Loop,
        results: Sequence[Result],
        spelling: Spelling,
        *,
        anywhere: bool = False,
        uniform: Collection[str] = (),
    ) -> None:
        self.loop = loop
        self.results: list[Result] = list(results)
        self.spelling = spelling
        self.anywhere = anywhere
        self.nodes = loop.nodes
        self.names = self.input_names()
        self._vanishing = _vanishing(loop.nodes) if spelling.product else set()
        self.fixed = fixed(loop.nodes, uniform)
        self.before: list[str] = []
        self.lines: list[str] = []
        self.texts: dict[int, Text] = {}
        self.counter = 0
        self._known: dict[int, Text] = {}
        self._count_before = 0
        self._begin({result.node for result in self.results})
        self._print_before()

    def input_names(self) -> dict[str, str]:
        """How the inputs are spelled."""
        return {a.name: spelled_in_c(a.name) for a in self.loop.inputs}

    def _print_before(self) -> None:
        invariant = self._invariant()
        inside = {o for k, n in self._living() if k not in invariant for o in n.operands}
        inside |= {result.node for result in self.results}
        printer = copy.copy(self)
        printer.anywhere = True
        for index, node in self._living():
            if index in invariant:
                printer._visit(index, node)
                if index in inside and node.op not in LEAVES:
                    printer.named_value(index)
        self.before, self.lines = printer.lines, []
        self._known = {index: printer.texts[index] for index in invariant}
        self._count_before = self.counter = printer.counter
        self.texts = dict(self._known)

    def _invariant(self) -> set[int]:
        """The nodes that are the same for all elements and are computed before the loop."""
        # A product that a sum takes up with one rounding stays with it: with tensors of any shape
        # the bits are the same.
        return {
            k
            for k, _ in self._living()
            if k in self.fixed and not (self._is_product(k) and self.reader[k] not in self.fixed)
        }

    def _living(self) -> list[tuple[int, Node]]:
        return [(k, node) for k, node in enumerate(self.nodes) if self.alive[k]]

    def _begin(self, wanted: set[int]) -> None:
        """Print anew: the nodes that the wanted ones depend on."""
        self.texts = dict(self._known)
        self.lines = []
        self.functions: set[str] = set()
        self.counter = self._count_before
        self.alive = needed(self.nodes, wanted)
        self.reads = [0] * len(self.nodes)
        for index in wanted:
            self.reads[index] += sum(r.node == index for r in self.results) or 1
        self.reader = [-1] * len(self.nodes)
        for index, node in self._living():
            for operand in node.operands:
                self.reads[operand] += 1
                self.reader[operand] = index

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
        for index, node in self._living():
            if index not in self._known:
                self._visit(index, node)
        return self.lines

    def guard(self) -> list[str]:
        """Tests whether arguments are too far out for a vector function; none where all serve."""
        tests = [
            (node, self.spelling.bound(node.op), self.spelling.far(node.op))
            for index, node in self._living()
            if node.op in SPELLED and index not in self._known
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
            is_condition = self.nodes[index].is_condition
            text = self.texts[index] = self._declared(text, is_condition=is_condition)
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
        self.texts[index] = text
        is_long = len(text.text) > self.width and not self._is_product(index)
        if node.op not in LEAVES and (self.reads[index] > 1 or is_long):
            self.named_value(index)

    def _named(self, index: int) -> Text:
        """An operand that must be computed before a choice is made, so that loops have none."""
        text = self.texts[index]
        is_plain = text.binding == ATOM and "(" not in text.text
        if is_plain or self.nodes[index].op == "constant":
            return text
        return self.named_value(index) if "(" in text.text else text

    def _expression(self, node: Node) -> Text:
        match node.op:
            case "argument" | "mask":
                return Text(self.names[str(node.value)])
            case "constant":
                assert isinstance(node.value, Fraction)
                return self.spelling.number(node.value)
            case "count":
                return self.count(node.source or (), node.target or ())
            case "mul" if not self._vanishing.isdisjoint(node.operands):
                a, b = (self._short(o).text for o in node.operands)
                return Text(f"{self.spelling.product}({a}, {b})")
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
        a, b = (self._short(o) for o in operands)
        if op == "div":
            return self.quotient(a, b)
        # Comparisons inside & and | stand in parentheses, as compilers ask for.
        inner = UNARY if op in LOGICAL else binding
        return Text(f"{a.at(inner)} {sign} {b.at(inner + (op not in LOGICAL))}", binding)

    def _fused_place(self, node: Node) -> int | None:
        """Which operand of a sum is a product that is fused with it, None for neither.

        Not where both terms are products of values: a*b - c*d would not be zero where they
        are equal.
        """
        if node.op not in ("add", "sub"):
            return None
        places = [k for k in (1, 0) if self._is_product(node.operands[k])]
        if len(places) == 2:
            places = [k for k in places if self._has_constant(node.operands[k])]
        return places[0] if places else None

    def _fused(self, node: Node) -> Text | None:
        """A product in a sum as one operation with one rounding."""
        place = self._fused_place(node)
        if place is None:
            return None
        p, q = (self.texts[o] for o in self.nodes[node.operands[place]].operands)
        rest = self._short(node.operands[1 - place])
        first, other = p.text, rest.text
        if node.op == "sub" and place == 0:
            other = f"-{rest.at(UNARY + 1)}"
        elif node.op == "sub":
            first = f"-{p.at(UNARY + 1)}"
        operands = ", ".join(map(self.fused_operand, (first, q.text, other)))
        return Text(f"{self.spelling.fused}({operands})")

    def fused_operand(self, text: str) -> str:
        """An operand of a product and a sum with one rounding."""
        return text

    def _is_product(self, index: int) -> bool:
        """Whether a node is a product that a sum alone reads.

        A matter of the program, not of how long texts are, so that all variants round alike.
        """
        if self.nodes[index].op != "mul" or self.reads[index] != 1:
            return False
        return self.nodes[self.reader[index]].op in ("add", "sub") and self.reader[index] >= 0

    def _short(self, index: int) -> Text:
        """An operand, by name where it is long."""
        text = self.texts[index]
        return self.named_value(index) if len(text.text) > self.width else text

    def _has_constant(self, index: int) -> bool:
        return any(self.nodes[o].op == "constant" for o in self.nodes[index].operands)

    def _integer_power(self, operand: int, exponent: int) -> Text:
        size = abs(exponent)
        is_exact = self.nodes[operand].op in LEAVES
        if size > (_LARGEST_PRODUCT if is_exact else _LARGEST_PRODUCT_OF_ROUNDED):
            return self._large_power(self.texts[operand], exponent)
        one = self.spelling.number(Fraction(1))
        if size == 0:
            return one
        base = self.named_value(operand) if size > 1 else self.texts[operand]
        text = base
        if size > 1:
            text = Text(" * ".join([base.text] * size), 11)
            if size > 3 and (size % 2 == 0 or size > _LARGEST_PRODUCT):
                half = self._declared(self._integer_power(operand, size // 2)).text
                text = Text(f"{half} * {half}" + f" * {base.text}" * (size % 2), 11)
        return text if exponent > 0 else self.quotient(one, text)

    def _large_power(self, base: Text, exponent: int) -> Text:
        if abs(exponent) > _LARGEST_POWER:
            return self._call("pow", [base, self.spelling.number(Fraction(exponent))])
        return self._call("integer_power", [base, Text(str(exponent))])


def _vanishing(nodes: Sequence[Node]) -> set[int]:
    """The values that are often subnormal: some functions, and products with them."""
    found: set[int] = set()
    for index, node in enumerate(nodes):
        is_product = node.op in ("mul", "neg") and not found.isdisjoint(node.operands)
        if is_product or node.op in VANISHING:
            found.add(index)
    return found
