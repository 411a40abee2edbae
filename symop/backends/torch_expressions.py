"""The operations of a program as expressions of torch."""

from __future__ import annotations

from fractions import Fraction

from symop.backends.torch_statements import Statements
from symop.backends.torch_text import (
    ATOM,
    BINARY,
    CALLS,
    COMPARE,
    COMPARISON,
    LOGICAL,
    POWER,
    UNARY,
    Text,
    dim_arguments,
    floated,
    numel,
    numeral,
    power,
)
from symop.frames import Frame
from symop.program import Node


class Expressions(Statements):
    """Writes an operation, given the texts of its operands."""

    def _value(self, index: int) -> Text:
        """The text of a node."""
        raise NotImplementedError

    def _expression(self, node: Node) -> Text:
        match node.op:
            case "argument" | "mask":
                return Text(self._code[str(node.value)])
            case "constant":
                assert isinstance(node.value, Fraction)
                return numeral(node.value)
            case "count":
                return self._count(node.source or (), node.target or ())
            case "neg":
                inner = self._value(node.operands[0])
                # The formatter writes -(x**2), which is what Python means by -x**2.
                bare = f"({inner.text})" if inner.binding == POWER else inner.at(UNARY)
                return Text(f"-{bare}", UNARY, inner.is_number)
            case "ipow":
                return power(self._value(node.operands[0]), Text(str(node.value)))
            case "pow":
                return power(*(self._value(o) for o in node.operands))
            case "where":
                return self._where(node)
            case "not":
                return Text(f"~{self._value(node.operands[0]).at(ATOM)}", UNARY)
            case "prod_others":
                return self._prod_others(node)
        if node.op in BINARY:
            return self._binary(node)
        if node.op in COMPARE:
            if node.op in ("eq", "ne") and node.operands[0] == node.operands[1]:
                # What differs from itself is NaN.
                value = self._value(node.operands[0])
                test = f"torch.isnan({value.text})"
                if value.is_number:
                    test = f"{self._reference}.new_tensor(False).bool()"
                return Text(test) if node.op == "ne" else Text(f"~{test}", UNARY)
            a, b = (self._value(o) for o in node.operands)
            text = f"{a.at(COMPARISON + 1)} {COMPARE[node.op]} {b.at(COMPARISON + 1)}"
            if a.is_number and b.is_number:
                return Text(f"{self._reference}.new_tensor({text}).bool()")
            return Text(text, COMPARISON)
        if node.op in LOGICAL:
            sign, binding = LOGICAL[node.op]
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
        sign, binding = BINARY[node.op]
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
                return Text(f"torch.{node.op}({texts}, alpha={numeral(number).text})")
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
        value = self._value(total.operands[0]).at(ATOM)
        return (
            Text(f"{value}.mean({dim_arguments(total.dims, keepdim=True)})")
            if (total.dims is not None or total.frame == ())
            else None
        )

    def _where(self, node: Node) -> Text:
        condition, a, b = (self._value(o) for o in node.operands)
        if a.is_number and b.is_number:
            a = self._tensor(a)
        values = ", ".join(floated(v.text) if v.is_number else v.text for v in (a, b))
        return Text(f"torch.where({condition.text}, {values})")

    def _tensor(self, value: Text) -> Text:
        """A number as a tensor of the right dtype and device."""
        if not value.is_number:
            return value
        return Text(f"{self._reference}.new_full((), {floated(value.text)})")

    def _call(self, node: Node) -> Text:
        operands = [self._value(o) for o in node.operands]
        if node.op in ("maximum", "minimum") and sum(o.is_number for o in operands) == 1:
            inside = self._inside(node)
            if inside is not None:
                return inside
            a, b = sorted(operands, key=lambda o: o.is_number)
            bound = "min" if node.op == "maximum" else "max"
            return Text(f"torch.clamp({a.text}, {bound}={floated(b.text)})")
        texts = [self._tensor(operand).text for operand in operands]
        return Text(f"{CALLS[node.op]}({', '.join(texts)})")

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
        return Text(f"torch.clamp({x.text}, {floated(low.text)}, {floated(high.text)})")

    # Reductions

    def _reduction(self, node: Node, *, keepdim: bool) -> Text:
        operand = node.operands[0]
        source = node.source or ()
        value = self._value(operand)
        text = self._tensor(value).at(ATOM)
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
        return Text(f"{text}.{node.op}({dim_arguments(node.dims, keepdim=keepdim)})")

    def _prod_others(self, node: Node) -> Text:
        self.helpers.add("_prod_others")
        shape = self._shape(node.source or ())
        parts = []
        for operand in node.operands:
            text = self._tensor(self._value(operand))
            same = self.program.nodes[operand].frame == node.source
            parts.append(text.text if same else f"{text.at(ATOM)}.expand({shape})")
        return Text(f"_prod_others({node.dims}, {', '.join(parts)})")

    def _count(self, source: Frame, target: Frame) -> Text:
        whole = numel(self._shape(source))
        if not target:
            return Text(whole, is_number=True)
        part = f"max({numel(self._shape(target))}, 1)"
        return Text(f"{whole} // {part}", 11, is_number=True)

    def _viewed(self, text: str) -> str:
        """A view, because a Function must not return a tensor that it saves, nor one twice."""
        return f"{text}.view_as({text})" if self.views else text
