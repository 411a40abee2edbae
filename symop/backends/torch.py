"""The torch backend: a lowered program as lines of plain PyTorch operations."""

from __future__ import annotations

from symop.backends.torch_expressions import Expressions
from symop.backends.torch_text import ATOM, SPELLED, WIDTH, Text, floated
from symop.frames import Frame, dropped_dims
from symop.lowering import lower
from symop.names import spelled
from symop.program import COMPARISONS, LEAVES, Node, Output, Program


def lowered(program: Program) -> Program:
    """The program in the operations that this backend spells."""
    return lower(program, SPELLED)


class Body(Expressions):
    """Prints one program as the body of a function; what it is made of stands at Statements."""

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
                "new_zeros({})" if value.text == "0" else f"new_full({{}}, {floated(value.text)})"
            )
            value = Text(f"{self._reference}.{fill.format(shape)}")
        elif node.frame != output.frame and output.name not in self.loose:
            if len(value.text) > WIDTH // 2 and value.text.endswith(")"):
                name = self._temporary()
                self._statement(name, value.text)
                value = Text(name)
            value = Text(f"{value.at(ATOM)}.expand({self._shape(output.frame)})")
        elif node.op == "argument" and self.is_forward:
            value = Text(f"{value.text}.clone()")
        elif node.op == "argument" or value.text in self._returned:
            value = Text(self._viewed(value.text))
        self._returned.add(value.text)
        if dims is None:
            return self._squeezed(value, output.frame)
        if dims:
            place = str(dims[0]) if len(dims) == 1 else str(dims)
            value = Text(f"{value.at(ATOM)}.squeeze({place})")
            # What a Function returns may be changed in place only if it is no view.
            value = Text(f"{value.text}.clone()") if self.is_forward else value
        return value.text

    def _squeezed(self, value: Text, frame: Frame) -> str:
        """Drop the axes that only reductions brought, which the ranks at run time decide."""
        self.helpers.add("_squeezed")
        axes = self._shape_name(frame, lambda name: f"(2,) * len({self.shape_of(name)})", "axes")
        if len(value.text) > WIDTH:
            name = self._temporary()
            self._statement(name, value.text)
            value = Text(name)
        return f"_squeezed({value.text}, {axes})" + (".clone()" if self.is_forward else "")

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
        while len(text.text) > WIDTH and inlined:
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
