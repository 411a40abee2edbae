"""The torch backend: a lowered program as lines of plain PyTorch operations."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from symop.frames import Frame, dropped_dims
from symop.lowering import lower
from symop.names import spelled, unused
from symop.program import COMPARISONS, LEAVES, Node, Output, Program, readers

# Functions with a spelling of their own; what is not here is lowered to what is.
_CALLS = {
    **{
        name: f"torch.{name}"
        for name in (
            "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "rsqrt", "sin", "cos",
            "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh", "asinh", "acosh",
            "atanh", "erf", "erfc", "lgamma", "digamma", "abs", "sign", "floor",
            "ceil", "round", "trunc", "maximum", "minimum", "fmax", "fmin", "hypot", "copysign",
            "fmod", "remainder", "sigmoid", "relu", "erfinv",
        )
    },
    **{
        name: f"torch.special.{name}"
        for name in (
            "erfcx", "i0", "i0e", "i1", "i1e", "zeta", "modified_bessel_k0", "modified_bessel_k1",
            "scaled_modified_bessel_k0", "scaled_modified_bessel_k1",
        )
    },
}  # fmt: skip

SPELLED = frozenset(_CALLS) | {"pow"}

_BINARY = {"add": ("+", 10), "sub": ("-", 10), "mul": ("*", 11), "div": ("/", 11)}
_COMPARE = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}
_LOGICAL = {"and": ("&", 8), "or": ("|", 6)}
_ATOM, _POWER, _UNARY, _COMPARISON = 15, 13, 12, 4

# Longer expressions are split into temporaries, so that every line fits where it stands.
_WIDTH = 62


def lowered(program: Program) -> Program:
    """The program in the operations that this backend spells."""
    return lower(program, SPELLED)


@dataclass(frozen=True)
class Text:
    """An expression, how strongly it binds, and whether it is a plain number."""

    text: str
    binding: int = _ATOM
    is_number: bool = False

    def at(self, binding: int) -> str:
        """The text, in parentheses where it binds less strongly."""
        return self.text if self.binding >= binding else f"({self.text})"


@dataclass
class Body:
    """Prints one program as the body of a function.

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
            if a.dropped and a.name in read:
                self._restore(a.name, a.frame)
            certain = self.tensors is None or a.name in self.tensors
            if certain and (a.name in read or not a.dropped):
                self._known.setdefault(a.frame, []).append((self._code[a.name], -1))

    def print(self) -> tuple[list[str], list[str]]:
        """The statements, and the expression of each output."""
        for index, node in enumerate(self.program.nodes):
            if not self._wanted[index] or self._is_plain(index):
                continue
            self._mask = self._wanted[index]
            if self._reads[index] > 1 or index in self._named:
                self._assign(index, node)
            else:
                # In order, so that a long chain of operations is no deep recursion.
                self._value(index)
        results = [self._output(o, 1 << k) for k, o in enumerate(self.program.outputs)]
        self._drop_unused(results)
        return self._blocks(), results

    def _drop_unused(self, results: Sequence[str]) -> None:
        """Leave out temporaries that no text came to use, such as the count of a mean."""
        before = -1
        while before != len(self._lines):
            before = len(self._lines)
            texts = [line.split(" = ", 1)[1] for _, line in self._lines]
            words = {word for text in (*texts, *results) for word in re.findall(r"\w+", text)}
            self._lines = [pair for pair in self._lines if pair[1].split(" = ", 1)[0] in words]

    # What is needed for which output

    def _masks(self) -> list[int]:
        masks = [0] * len(self.program.nodes)
        for position, output in enumerate(self.program.outputs):
            masks[output.node] |= 1 << position
        for index in range(len(masks) - 1, -1, -1):
            for operand in self.program.nodes[index].operands:
                masks[operand] |= masks[index]
        return masks

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

    # Statements

    def _is_plain(self, index: int) -> bool:
        node = self.program.nodes[index]
        return node.op in LEAVES

    def _assign(self, index: int, node: Node) -> None:
        text = self._compose(index, node)
        name = self._named.get(index)
        code = spelled(name) if name else self._temporary()
        if name and code in self._code.values():
            code = self._temporary()
        self._statement(code, text.text)
        self._texts[index] = Text(code, is_number=text.is_number)
        if not text.is_number:
            self._known.setdefault(node.frame, []).append((code, self._mask))

    def _statement(self, name: str, text: str) -> None:
        self._lines.append((self._mask, f"{name} = {text}"))

    def _temporary(self, prefix: str = "t") -> str:
        number = 1
        while f"{prefix}{number}" in self._names:
            number += 1
        self._names.add(f"{prefix}{number}")
        return f"{prefix}{number}"

    def _restore(self, name: str, frame: Frame) -> None:
        """Give a cotangent the axes back that reductions made 1, under another name."""
        code = self._code[name]
        kept = unused(f"{code}_kept", self._names)
        dims = dropped_dims(frame)
        if dims is not None and len(dims) == 1:
            self._lines.append((-1, f"{kept} = {code}.unsqueeze({dims[0]})"))
        else:
            self._lines.append((-1, f"{kept} = {code}.reshape({self._shape(frame)})"))
        self._code[name] = kept
        self._names.add(kept)

    def _output(self, output: Output, flag: int) -> str:
        self._mask = flag
        node = self.program.nodes[output.node]
        dims = dropped_dims(output.frame) if output.dropped else ()
        if dims and node.dims == dims and self._reads[output.node] == 1 and node.source:
            return self._reduction(node, keepdim=False).text
        value = self._value(output.node)
        if value.is_number:
            shape = self._shape(output.frame)
            fill = (
                "new_zeros({})" if value.text == "0" else f"new_full({{}}, {_floated(value.text)})"
            )
            value = Text(f"{self._reference}.{fill.format(shape)}")
        elif node.frame != output.frame and output.name not in self.loose:
            if len(value.text) > _WIDTH // 2 and value.text.endswith(")"):
                name = self._temporary()
                self._statement(name, value.text)
                value = Text(name)
            value = Text(f"{value.at(_ATOM)}.expand({self._shape(output.frame)})")
        elif node.op == "argument" and self.is_forward:
            value = Text(f"{value.text}.clone()")
        elif node.op == "argument" or value.text in self._returned:
            value = Text(self._viewed(value.text))
        self._returned.add(value.text)
        if dims is None:
            return self._squeezed(value, output.frame)
        if dims:
            place = str(dims[0]) if len(dims) == 1 else str(dims)
            value = Text(f"{value.at(_ATOM)}.squeeze({place})")
            # What a Function returns may be changed in place only if it is no view.
            value = Text(f"{value.text}.clone()") if self.is_forward else value
        return value.text

    def _squeezed(self, value: Text, frame: Frame) -> str:
        """Drop the axes that only reductions brought, which the ranks at run time decide."""
        self.helpers.add("_squeezed")
        axes = self._shape_name(frame, lambda name: f"(2,) * len({self.shape_of(name)})", "axes")
        if len(value.text) > _WIDTH:
            name = self._temporary()
            self._statement(name, value.text)
            value = Text(name)
        return f"_squeezed({value.text}, {axes})" + (".clone()" if self.is_forward else "")

    def _viewed(self, text: str) -> str:
        """A view, because a Function must not return a tensor that it saves, nor one twice."""
        return f"{text}.view_as({text})" if self.views else text

    # Expressions

    def _value(self, index: int) -> Text:
        if index not in self._texts:
            node = self.program.nodes[index]
            text = self._compose(index, node)
            if node.op == "count" and self._reads[index] > 1:
                text = self._shared_count(index, text)
            elif node.op in LEAVES and node.op != "count":
                return text
            self._texts[index] = text
        return self._texts[index]

    def _shared_count(self, index: int, text: Text) -> Text:
        """A count that is read again gets a name where it is first used, if it ever is."""
        name = self._temporary()
        self._lines.append((self._wanted[index], f"{name} = {text.text}"))
        return Text(name, is_number=True)

    def _compose(self, index: int, node: Node) -> Text:
        """The expression of a node; operands that make it too long become temporaries."""
        text = self._expression(node)
        inlined = [o for o in dict.fromkeys(node.operands) if self._can_split(o)]
        while len(text.text) > _WIDTH and inlined:
            longest = max(inlined, key=lambda o: len(self._value(o).text))
            inlined.remove(longest)
            self._split(longest)
            text = self._expression(node)
        return text

    def _can_split(self, index: int) -> bool:
        node = self.program.nodes[index]
        if node.op == "count":
            return not self._value(index).text.isidentifier()
        if node.op in LEAVES or (
            node.op in COMPARISONS
            and all(self.program.nodes[o].op in LEAVES for o in node.operands)
        ):
            return False
        return not self._value(index).text.isidentifier()

    def _split(self, index: int) -> None:
        name = self._temporary()
        old = self._value(index)
        self._statement(name, old.text)
        self._texts[index] = Text(name, is_number=old.is_number)
        if not old.is_number:
            self._known.setdefault(self.program.nodes[index].frame, []).append((name, self._mask))

    def _expression(self, node: Node) -> Text:
        match node.op:
            case "argument" | "mask":
                return Text(self._code[str(node.value)])
            case "constant":
                assert isinstance(node.value, Fraction)
                return _number(node.value)
            case "count":
                return self._count(node.source or (), node.target or ())
            case "neg":
                inner = self._value(node.operands[0])
                # The formatter writes -(x**2), which is what Python means by -x**2.
                bare = f"({inner.text})" if inner.binding == _POWER else inner.at(_UNARY)
                return Text(f"-{bare}", _UNARY, inner.is_number)
            case "ipow":
                return _power(self._value(node.operands[0]), Text(str(node.value)))
            case "pow":
                return _power(*(self._value(o) for o in node.operands))
            case "where":
                return self._where(node)
            case "not":
                return Text(f"~{self._value(node.operands[0]).at(_ATOM)}", _UNARY)
            case "prod_others":
                return self._prod_others(node)
        if node.op in _BINARY:
            return self._binary(node)
        if node.op in _COMPARE:
            if node.op in ("eq", "ne") and node.operands[0] == node.operands[1]:
                # What differs from itself is NaN.
                test = f"torch.isnan({self._value(node.operands[0]).text})"
                return Text(test) if node.op == "ne" else Text(f"~{test}", _UNARY)
            a, b = (self._value(o) for o in node.operands)
            text = f"{a.at(_COMPARISON + 1)} {_COMPARE[node.op]} {b.at(_COMPARISON + 1)}"
            if a.is_number and b.is_number:
                return Text(f"{self._reference}.new_tensor({text}).bool()")
            return Text(text, _COMPARISON)
        if node.op in _LOGICAL:
            sign, binding = _LOGICAL[node.op]
            a, b = (self._value(o) for o in node.operands)
            return Text(f"{a.at(binding)} {sign} {b.at(binding + 1)}", binding)
        if node.source is not None:
            return self._reduction(node, keepdim=True)
        return self._call(node)

    def _binary(self, node: Node) -> Text:
        mean = self._mean(node)
        if mean is not None:
            return mean
        scaled = self._scaled_sum(node) if self.is_forward else None
        if scaled is not None:
            return scaled
        sign, binding = _BINARY[node.op]
        a, b = (self._value(o) for o in node.operands)
        if node.op == "div" and not self.is_forward and self._is_count(node.operands[1]):
            # A gradient is divided before it is summed; where that is over nothing, it is zero.
            b = Text(f"max({b.text}, 1)", is_number=True)
        number = a.is_number and b.is_number
        # A product on the right keeps its parentheses: the order of evaluation is the user's.
        return Text(f"{a.at(binding)} {sign} {b.at(binding + 1)}", binding, number)

    def _is_count(self, index: int) -> bool:
        """Whether a value is a product of counts."""
        node = self.program.nodes[index]
        if node.op in ("mul", "ipow"):
            parts = [o for o in node.operands if self.program.nodes[o].op != "constant"]
            return bool(parts) and all(map(self._is_count, parts))
        return node.op == "count"

    def _scaled_sum(self, node: Node) -> Text | None:
        """A sum with a multiple of a tensor in one call; * and + take two, and a temporary."""
        if node.op not in ("add", "sub"):
            return None
        orders = [node.operands, node.operands[::-1]] if node.op == "add" else [node.operands]
        for plain, scaled in orders:
            factor = self._multiple(scaled)
            if factor is None or self._value(plain).is_number:
                continue
            number, value = factor
            if not self._value(value).is_number:
                texts = f"{self._value(plain).text}, {self._value(value).text}"
                return Text(f"torch.{node.op}({texts}, alpha={_number(number).text})")
        return None

    def _multiple(self, index: int) -> tuple[Fraction, int] | None:
        """The constant and the other factor of a product that nothing else reads."""
        node = self.program.nodes[index]
        if node.op != "mul" or self._reads[index] > 1 or self._has_name(index):
            return None
        for constant, other in (node.operands, node.operands[::-1]):
            value = self.program.nodes[constant].value
            if self.program.nodes[constant].op == "constant" and isinstance(value, Fraction):
                return value, other
        return None

    def _has_name(self, index: int) -> bool:
        return index in self._named or (index in self._texts and self._texts[index].binding > 11)

    def _mean(self, node: Node) -> Text | None:
        """The mean, where a sum is divided by the count of what it sums."""
        if node.op != "div":
            return None
        total, count = (self.program.nodes[o] for o in node.operands)
        if total.op != "sum" or count.op != "count" or self._reads[node.operands[0]] != 1:
            return None
        if (total.source, total.frame) != (count.source, count.target):
            return None
        if self.program.nodes[total.operands[0]].frame != total.source:
            return None
        value = self._value(total.operands[0]).at(_ATOM)
        return (
            Text(f"{value}.mean({_dims(total.dims, keepdim=True)})")
            if (total.dims is not None or total.frame == ())
            else None
        )

    def _where(self, node: Node) -> Text:
        condition, a, b = (self._value(o) for o in node.operands)
        if a.is_number and b.is_number:
            a = self._tensor(a)
        values = ", ".join(_floated(v.text) if v.is_number else v.text for v in (a, b))
        return Text(f"torch.where({condition.text}, {values})")

    def _tensor(self, value: Text) -> Text:
        """A number as a tensor of the right dtype and device."""
        if not value.is_number:
            return value
        return Text(f"{self._reference}.new_full((), {_floated(value.text)})")

    def _call(self, node: Node) -> Text:
        operands = [self._value(o) for o in node.operands]
        if node.op in ("maximum", "minimum") and sum(o.is_number for o in operands) == 1:
            inside = self._inside(node)
            if inside is not None:
                return inside
            a, b = sorted(operands, key=lambda o: o.is_number)
            bound = "min" if node.op == "maximum" else "max"
            return Text(f"torch.clamp({a.text}, {bound}={_floated(b.text)})")
        texts = [self._tensor(operand).text for operand in operands]
        return Text(f"{_CALLS[node.op]}({', '.join(texts)})")

    def _inside(self, node: Node) -> Text | None:
        """Both bounds in one call: minimum(maximum(x, lo), hi)."""
        (value,) = (o for o in node.operands if not self._value(o).is_number)
        inner = self.program.nodes[value]
        # A value that has a name is printed already.
        if node.op != "minimum" or inner.op != "maximum" or self._value(value).text.isidentifier():
            return None
        (high,) = (self._value(o) for o in node.operands if o != value)
        x, low = sorted((self._value(o) for o in inner.operands), key=lambda o: o.is_number)
        if x.is_number or not low.is_number:
            return None
        return Text(f"torch.clamp({x.text}, {_floated(low.text)}, {_floated(high.text)})")

    # Reductions and shapes

    def _reduction(self, node: Node, *, keepdim: bool) -> Text:
        operand = node.operands[0]
        source = node.source or ()
        value = self._value(operand)
        text = self._tensor(value).at(_ATOM)
        if self.program.nodes[operand].frame != source:
            text = f"{text}.expand({self._shape(source)})"
        if node.dims is None and node.frame:
            repeated = text in self._returned or self.program.nodes[operand].op == "argument"
            if text.isidentifier() and repeated:
                text = self._viewed(text)
            self._returned.add(text)
            return Text(f"{text}.sum_to_size({self._shape(node.frame)})")
        if node.op == "prod" and node.dims is not None and len(node.dims) > 1:
            assert keepdim or len(node.dims) > 1
            for dim in node.dims:
                text = f"{text}.prod({dim}, keepdim=True)"
            return Text(text if keepdim else f"{text}.squeeze({node.dims})")
        return Text(f"{text}.{node.op}({_dims(node.dims, keepdim=keepdim)})")

    def _prod_others(self, node: Node) -> Text:
        self.helpers.add("_prod_others")
        shape = self._shape(node.source or ())
        parts = []
        for operand in node.operands:
            text = self._tensor(self._value(operand))
            same = self.program.nodes[operand].frame == node.source
            parts.append(text.text if same else f"{text.at(_ATOM)}.expand({shape})")
        return Text(f"_prod_others({node.dims}, {', '.join(parts)})")

    def _count(self, source: Frame, target: Frame) -> Text:
        whole = _numel(self._shape(source))
        if not target:
            return Text(whole, is_number=True)
        part = f"max({_numel(self._shape(target))}, 1)"
        return Text(f"{whole} // {part}", 11, is_number=True)

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


def _numel(shape: str) -> str:
    """The number of elements; not Size.numel(), which would fix dynamic sizes to those traced."""
    return f"{shape[:-6]}.numel()" if shape.endswith(".shape") else f"math.prod({shape})"


def _dims(dims: tuple[int, ...] | None, *, keepdim: bool) -> str:
    if dims is None:
        return ""
    place = str(dims[0]) if len(dims) == 1 else str(dims)
    return f"{place}, keepdim=True" if keepdim else place


def _number(value: Fraction) -> Text:
    if value.denominator == 1 and abs(value) < 2**53:
        text = str(value.numerator)
    else:
        text = repr(float(value)).replace("e+", "e")
    return Text(text, _UNARY if value < 0 else _ATOM, is_number=True)


def _floated(text: str) -> str:
    """A number as a float, where an integer would give an integer tensor."""
    return f"{text}.0" if text.lstrip("-").isdigit() else text


def _power(base: Text, exponent: Text) -> Text:
    # The formatter keeps ** tight only between names and numbers.
    simple = all(_is_simple(t.text) for t in (base, exponent))
    operator = "**" if simple else " ** "
    return Text(f"{base.at(_POWER + 1)}{operator}{exponent.at(_UNARY)}", _POWER)


def _is_simple(text: str) -> bool:
    bare = text.lstrip("-")
    return bare.replace(".", "").replace("_", "").replace("e-", "").isalnum()
