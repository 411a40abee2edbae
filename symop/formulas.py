"""Programs as formulas in symop's own language, for docstrings and for people."""

from __future__ import annotations

from fractions import Fraction

from symop.names import unused
from symop.program import LEAVES, Node, Program, readers

_BINARY = {"add": (" + ", 10), "sub": (" - ", 10), "mul": ("*", 11), "div": ("/", 11)}
_COMPARE = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}
_ATOM = 15

# Functions of records that people know under another name.
SHOWN = {
    "root": "sqrt", "softplus1": "softplus", "spherical_j": "jn", "spherical_y": "yn",
    "exponential_integral": "expint", **{f"bessel_{kind}": f"bessel{kind}" for kind in "jyik"},
}  # fmt: skip


def formula_lines(program: Program) -> list[str]:
    """One line `name = expression` per output, after lines for what is read more than once."""
    return [f"{name} = {text}" for name, _, text in statements(program)]


def statements(program: Program) -> list[tuple[str, int, str]]:
    """What `formula_lines` prints: names, the nodes that they stand for, and their texts."""
    return _Formulas(program).statements()


class _Formulas:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.reads = readers(program.nodes, program.outputs)
        self.names = dict(program.names)
        self.taken = {a.name for a in program.arguments} | set(self.names.values())
        self.taken |= {o.name for o in program.outputs}
        self.texts: list[tuple[str, int]] = []

    def statements(self) -> list[tuple[str, int, str]]:
        lines = []
        outputs = {o.node: o.name for o in self.program.outputs}
        printed: set[str] = set()
        for index, node in enumerate(self.program.nodes):
            text = self.text(node)
            given = self.names.get(index)
            shared = self.reads[index] > 1 and node.op not in LEAVES
            long = len(text[0]) > 60 and node.op not in LEAVES
            name = given or (outputs.get(index) if shared or long else None)
            if name is None and (shared or long) and not node.is_condition:
                name = unused("t", self.taken)
                self.taken.add(name)
            if name is not None:
                lines.append((name, index, text[0]))
                printed.add(name)
                text = (name, _ATOM)
            self.texts.append(text)
        for output in self.program.outputs:
            if output.name not in printed:
                lines.append((output.name, output.node, self.texts[output.node][0]))
        return lines

    def at(self, index: int, binding: int) -> str:
        text, own = self.texts[index]
        return text if own >= binding else f"({text})"

    def text(self, node: Node) -> tuple[str, int]:
        operands = node.operands
        match node.op:
            case "argument" | "mask":
                return str(node.value), _ATOM
            case "constant":
                assert isinstance(node.value, Fraction)
                return _number(node.value)
            case "pi":
                return "pi", _ATOM
            case "count":
                return "count", _ATOM
            case "stop":
                return self.texts[operands[0]]
            case "neg":
                return f"-{self.at(operands[0], 11)}", 10
            case "ipow":
                return f"{self.at(operands[0], 14)}**{_exponent(int(node.value or 0))}", 13
            case "pow":
                return f"{self.at(operands[0], 14)}**{self.at(operands[1], 14)}", 13
            case "and" | "or":
                binding = 3 if node.op == "and" else 2
                a, b = self.at(operands[0], binding), self.at(operands[1], binding + 1)
                return f"{a} {node.op} {b}", binding
            case "not":
                return f"not {self.at(operands[0], 4)}", 3
            case "mul":
                return self.product(*operands)
        if node.op == "div" and self.program.nodes[operands[1]].op == "count":
            total = self.texts[operands[0]][0]
            if total.startswith("sum("):
                return f"mean({total[4:]}", _ATOM
        if node.op in _BINARY:
            sign, binding = _BINARY[node.op]
            return (
                f"{self.at(operands[0], binding)}{sign}{self.at(operands[1], binding + 1)}",
                binding,
            )
        if node.op in _COMPARE:
            return f"{self.at(operands[0], 5)} {_COMPARE[node.op]} {self.at(operands[1], 5)}", 4
        values = [self.texts[o][0] for o in operands]
        dims = node.dims
        if dims is None and len(node.frame) == 1 and isinstance(node.frame[0], tuple):
            # A gradient summed down to a reduced value: the dims are those of the reduction.
            dims = node.frame[0][1] if node.source is not None else None
        if dims is not None:
            values.append(str(dims[0]) if len(dims) == 1 else str(dims))
        return f"{SHOWN.get(node.op, node.op)}({', '.join(values)})", _ATOM

    def product(self, a: int, b: int) -> tuple[str, int]:
        """A product; a fraction in front is written as 15*x**2/2."""
        value = self.program.nodes[a].value
        if isinstance(value, Fraction) and value.denominator != 1 and not _is_decimal(value):
            front = "" if value.numerator == 1 else f"{value.numerator}*"
            return f"{front}{self.at(b, 12)}/{value.denominator}", 11
        return f"{self.at(a, 11)}*{self.at(b, 12)}", 11


def _exponent(value: int) -> str:
    return str(value) if value >= 0 else f"({value})"


def _is_decimal(value: Fraction) -> bool:
    """Whether a fraction reads better as a decimal: it ends, and its denominator is large."""
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return rest == 1 and value.denominator > 64


def _number(value: Fraction) -> tuple[str, int]:
    if value.denominator == 1:
        return str(value.numerator), _ATOM if value >= 0 else 10
    if _is_decimal(value) or value.denominator > 10**6:
        return repr(float(value)), _ATOM if value >= 0 else 10
    return f"{value.numerator}/{value.denominator}", 11
