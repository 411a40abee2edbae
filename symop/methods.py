"""The methods of the generated autograd Functions, as lines of Python.

An op is two Functions: the operator, whose backward applies the second one, and its
gradient, which is differentiable by formulas of its own. Gradients that nobody asked for are
neither computed nor saved for: `needs_<argument>` flags say which were asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from symop.backends.torch import Body, lowered
from symop.derivative_names import cotangent_names, tangent_names
from symop.layout import WIDTH, bracketed, exploded, signature, unpacked
from symop.names import class_name, spelled, unused
from symop.planning import Plan
from symop.program import Program

Lines = tuple[str, ...]

# Names that the methods use beside those of the user.
_TAKEN = frozenset({"half", "function", "needs", "shape", "values", "ctx", "inputs", "output"})

_METHOD = 8
_MAX_LINE = WIDTH - _METHOD


@dataclass
class Shapes:
    """Whose shapes the gradient asks for, and which helper functions the module needs."""

    names: set[str] = field(default_factory=set)
    helpers: set[str] = field(default_factory=set)


class FunctionMethods:
    """The methods of the operator."""

    def __init__(self, plan: Plan, shapes: Shapes, type_name: str) -> None:
        self.plan = plan
        self.shapes = shapes
        self.gradient = f"{type_name}Backward"
        self.arguments = [a.name for a in plan.program.arguments]

    def forward(self) -> Lines:
        program = self.plan.program
        names = [spelled(n) for n in self.arguments]
        body = Body(
            lowered(program), lambda n: f"{spelled(n)}.shape", is_forward=True, taken=_TAKEN,
            helpers=self.shapes.helpers,
        )  # fmt: skip
        lines, results = body.print()
        outputs = _locals([o.name for o in program.outputs], names)
        return _method(
            "forward", [f"{n}: Tensor" for n in names], _returns(program),
            [*_widening(names, names), *lines, *_rounded_return(outputs, results)],
        )  # fmt: skip

    def setup(self) -> Lines:
        plan = self.plan
        forward_saved = _read_by(plan.tangent, self.arguments)
        shaped = _ordered(self.arguments, self.shapes.names)
        used = {*plan.saved, *forward_saved, *shaped}
        lines = _unpacked([spelled(n) if n in used else "_" for n in self.arguments], "inputs")
        outputs = [o.name for o in plan.program.outputs]
        if set(outputs) & set(plan.saved):
            kept = [spelled(o) if o in plan.saved else "_" for o in outputs]
            lines += [f"{kept[0]} = output"] if len(kept) == 1 else _unpacked(kept, "output")
        needs = [self._condition(use) for use in plan.uses]
        asked = {word for condition in needs for word in condition.split(" or ")}
        flags = [f"needs_{n}" if f"needs_{n}" in asked else "_" for n in self.arguments]
        if set(flags) != {"_"}:
            lines += _unpacked(flags, "ctx.needs_input_grad")
        saved = [
            f"{spelled(n)} if {condition} else None" if condition else spelled(n)
            for n, condition in zip(plan.saved, needs, strict=True)
        ]
        lines += _call("ctx.save_for_backward(", saved) if saved else []
        lines += _call("ctx.save_for_forward(", map_spelled(forward_saved)) if forward_saved else []
        lines += _call("ctx.shape = _Shapes(", map_spelled(shaped)) if shaped else []
        return _indented(lines or ["pass"])

    def _condition(self, use: frozenset[int]) -> str:
        """When a saved value is needed; empty when it always is."""
        if len(use) == len(self.plan.wanted):
            return ""
        return " or ".join(f"needs_{self.plan.wanted[k]}" for k in sorted(use))

    def backward(self) -> Lines:
        plan = self.plan
        names = cotangent_names(plan.program)
        cotangents = [names[o.name] for o in plan.program.outputs]
        read = {a.name for a in plan.gradient.arguments}
        tensors = [*map_spelled(plan.saved), *(n for n in cotangents if n in read)]
        values = [*(["*ctx.saved_tensors"] if plan.saved else []), *tensors[len(plan.saved) :]]
        rest = ["ctx.shape"] if self.shapes.names else []
        rest += ["*ctx.needs_input_grad"] if len(self.arguments) > 1 else []
        if rest:
            lines = _widening(tensors, values, "_") if tensors else []
            packed = exploded("values = (", [*tensors, *rest], ")", _METHOD)
            lines += [line[_METHOD:] for line in packed.split("\n")]
        else:
            lines = _call("values, _ = _widened(", values)
        lines += [
            "if torch.compiler.is_compiling():",
            f"    return {self.gradient}.forward(*values)",
            f"return {self.gradient}.apply(*values)",
        ]
        parameters = ["ctx: Any", *(f"{n}: Tensor" for n in cotangents)]
        return _method("backward", parameters, "Any", lines)

    def jvp(self) -> Lines:
        tangent = self.plan.tangent
        names = tangent_names(self.plan.program)
        saved = _read_by(tangent, self.arguments)
        read = [names[n] for n in self.arguments if n in names]
        body = Body(
            lowered(tangent), lambda n: f"ctx.shape.{spelled(n)}", taken=_TAKEN,
            helpers=self.shapes.helpers, tensors=tuple(saved),
        )  # fmt: skip
        lines, results = body.print()
        outputs = _locals([o.name for o in tangent.outputs], [*map_spelled(saved), *read])
        values = [*(["*ctx.saved_tensors"] if saved else []), *read]
        parameters = ["ctx: Any", *(f"{names.get(n, '_')}: Tensor" for n in self.arguments)]
        return _method(
            "jvp", parameters, "Any",
            [*_widening([*map_spelled(saved), *read], values), *lines,
             *_rounded_return(outputs, results)],
        )  # fmt: skip


class GradientMethods:
    """The methods of the gradient of an operator."""

    def __init__(self, plan: Plan, shapes: Shapes) -> None:
        self.plan = plan
        self.shapes = shapes
        self.program = plan.gradient
        self.parts = plan.second
        self.tangent = plan.gradient_tangent
        self.names = [a.name for a in plan.gradient.arguments]
        self.arguments = [a.name for a in plan.program.arguments]
        # With one argument there is nothing to leave out.
        self.flags = [f"needs_{n}" for n in plan.wanted] if len(self.arguments) > 1 else []
        self.totals = plan.totals if self.flags else ()
        self.kept = plan.kept
        self.cotangents = [n for n in self.names if n not in plan.saved]

    def _body(
        self, program: Program, tensors: Sequence[str], flags: Sequence[str] = (),
        loose: Sequence[str] = (),
    ) -> tuple[list[str], list[str]]:  # fmt: skip
        def shape_of(name: str) -> str:
            self.shapes.names.add(name)
            return f"shape.{spelled(name)}"

        taken = _TAKEN | {f"needs_{n}" for n in self.names} | frozenset(self.flags)
        body = Body(
            lowered(program), shape_of, flags=flags, taken=taken, helpers=self.shapes.helpers,
            tensors=tensors, loose=loose,
        )  # fmt: skip
        return body.print()

    def forward(self) -> Lines:
        lines, results = self._body(self.program, self.cotangents, self.flags)
        # A value that only gradients not asked for would need is None.
        kind = {n: "Any" if self.flags and n in self.plan.saved else "Tensor" for n in self.names}
        parameters = [f"{spelled(n)}: {kind[n]}" for n in self.names]
        parameters += ["shape: _Shapes"] if self.shapes.names else []
        parameters += ["*needs: bool"] if self.flags else []
        flags = _unpacked(self._by_argument(self.flags, "_"), "needs") if self.flags else []
        return _method(
            "forward", parameters, "Any" if self.flags else "Tensor",
            [*flags, *lines, *self._results("grad_", results)],
        )  # fmt: skip

    def _by_argument(self, items: Sequence[str], other: str) -> list[str]:
        """Items for the wanted gradients at the places of their arguments."""
        places = dict(zip(self.plan.wanted, items, strict=True))
        return [places.get(n, other) for n in self.arguments]

    def _results(self, prefix: str, results: Sequence[str]) -> list[str]:
        """Return the results that were asked for, None in place of the others."""
        if not self.flags:
            return _return(results)
        pairs = list(zip(results, self.flags, strict=True))
        items = [f"{text} if {flag} else None" for text, flag in pairs]
        if all(len(item) + 5 <= _MAX_LINE for item in items):
            return _return(self._by_argument(items, "None"))
        names = [f"{prefix}{n}" for n in self.plan.wanted]
        lines: list[str] = []
        for name, (text, flag) in zip(names, pairs, strict=True):
            lines += _optional(name, text, flag)
        return [*lines, *_return(self._by_argument(names, "None"))]

    def setup(self) -> Lines:
        targets = [spelled(n) if n in self.kept else "_" for n in self.names]
        targets += ["ctx.shape"] if self.shapes.names else []
        targets += ["*ctx.needs"] if self.flags else []
        lines = _unpacked(targets, "inputs")
        if self.kept:
            lines += _call("ctx.save_for_backward(", map_spelled(self.kept))
            lines += _call("ctx.save_for_forward(", map_spelled(self.kept))
        return _indented(lines)

    def backward(self) -> Lines:
        grads = [part.arguments[-1].name for part in self.parts]
        taken = [*map_spelled(self.kept), *grads]
        results = _locals([f"grad_{n}" for n in self.names], taken)
        names = dict(zip(self.names, results, strict=True))
        others = len(self.arguments) if self.flags else 0
        trailing = ["None"] * (bool(self.shapes.names) + others)
        lines = _unpacked(map_spelled(self.kept), "ctx.saved_tensors") if self.kept else []
        if self.flags:
            lines += _unpacked(self._by_argument(grads, "_"), "grads")
            parameters = ["ctx: Any", "*grads: Tensor | None"]
            body = self._contributions(names, grads)
        else:
            parameters = ["ctx: Any", f"{grads[0]}: Tensor"]
            body = self._single_part(names, grads[0])
            flags = [f"needs_{n}" for n in self.names]
            words = {word for line in body for word in line.replace(":", " ").split()}
            used = [f if f in words else "_" for f in flags]
            lines += _unpacked([*used, *(["*_"] if trailing else [])], "ctx.needs_input_grad")
        if any("shape." in line.replace(".shape.", "") for line in body):
            lines.append("shape = ctx.shape")
        return _method(
            "backward", parameters, "Any", [*lines, *body, *_return([*results, *trailing])]
        )

    def _single_part(self, names: dict[str, str], grad: str) -> list[str]:
        part = self.parts[0]
        wanted = [output.of for output in part.outputs]
        flags = [f"needs_{n}" for n in wanted]
        lines, results = self._body(part, [*self._certain(), grad], flags)
        texts = dict(zip(wanted, results, strict=True))
        for n in self.names:
            if n in texts:
                lines += _optional(names[n], texts[n], f"needs_{n}")
            else:
                lines.append(f"{names[n]} = None")
        return lines

    def _certain(self) -> list[str]:
        """What is a tensor in the methods that read saved values."""
        return [n for n in self.cotangents if n in self.kept]

    def _contributions(self, names: dict[str, str], grads: Sequence[str]) -> list[str]:
        """What each first-order gradient contributes; one that was not asked for is None."""
        rest = [names[n] for n in self.names if n not in self.totals]
        lines = _chained(rest, "None") if rest else []
        lines += [f"{names[n]} = torch.zeros_like({n})" for n in self.totals]
        begun: set[str] = set()
        for part, grad in zip(self.parts, grads, strict=True):
            loose = [output.name for output in part.outputs if output.of in self.totals]
            block, results = self._body(part, [*self._certain(), grad], loose=loose)
            for output, text in zip(part.outputs, results, strict=True):
                name = names[output.of]
                if output.of in self.totals:
                    block += [f"{name} = {name} + {text}"]
                elif name in begun:
                    self.shapes.helpers.add("_added")
                    block += _call_at(_METHOD + 4, f"{name} = _added(", [name, text])
                else:
                    block += [f"{name} = {text}"]
                    begun.add(name)
            if block:
                lines.append(f"if {grad} is not None:")
                lines += [f"    {line}" for line in block]
        return lines

    def jvp(self) -> Lines:
        names = tangent_names(self.program)
        lines, results = self._body(self.tangent, self._certain(), self.flags)
        opening = _unpacked(map_spelled(self.kept), "ctx.saved_tensors") if self.kept else []
        shaped = any("shape." in line.replace(".shape.", "") for line in (*lines, *results))
        flags = self._by_argument(self.flags, "_") if self.flags else []
        together = f"shape, ({', '.join(flags)}) = ctx.shape, ctx.needs"
        if shaped and self.flags and len(together) <= _MAX_LINE:
            opening.append(together)
        else:
            opening += ["shape = ctx.shape"] if shaped else []
            opening += _unpacked(flags, "ctx.needs") if flags else []
        parameters = ["ctx: Any", *(f"{names.get(n, '_')}: Tensor" for n in self.names)]
        parameters += ["*_: Any"] if self.shapes.names or self.flags else []
        return _method(
            "jvp", parameters, "Any",
            [*opening, *lines, *self._results("d_grad_", results)],
        )  # fmt: skip


def shapes_lines(plan: Plan, shapes: Shapes) -> Lines:
    """The constructor of the record of shapes; empty when no shape is kept."""
    names = map_spelled(_ordered([a.name for a in plan.program.arguments], shapes.names))
    if not names:
        return ()
    line = f"{', '.join(f'self.{n}' for n in names)} = {', '.join(f'{n}.shape' for n in names)}"
    lines = [line] if len(line) <= _MAX_LINE else [f"self.{n} = {n}.shape" for n in names]
    return _method("__init__", ["self", *(f"{n}: Tensor" for n in names)], "None", lines)


def operator_lines(name: str, plan: Plan, text: Sequence[str]) -> Lines:
    """The function that users call."""
    program = plan.program
    names = [spelled(a.name) for a in program.arguments]
    masks = [spelled(a.name) for a in program.arguments if a.is_mask]
    real = [n for n in names if n not in masks]
    type_name = class_name(name)
    doc = f'"""{"; ".join(text)}"""'
    if len(doc) > WIDTH - 4:
        doc = '"""The operator of this module, differentiable to any order."""'
    lines = [doc]
    operands = f"_operands({', '.join(real)})"
    single = f"({real[0]},) = {operands}" if len(real) == 1 else f"{', '.join(real)} = {operands}"
    if len(single) <= WIDTH - 4:
        lines.append(single)
    else:
        lines += _call_at(4, "values = _operands(", real)
        lines += [line[4:] for line in unpacked(real, "values", 4).split("\n")]
    for mask in masks:
        lines += _call_at(
            4, f"{mask} = torch.as_tensor(", [mask, "dtype=torch.bool", f"device={real[0]}.device"]
        )
    choice = f"function = _{type_name} if torch.compiler.is_compiling() else {type_name}"
    if len(choice) <= WIDTH - 4:
        lines.append(choice)
    else:
        lines += [
            f"function = {type_name}",
            "if torch.compiler.is_compiling():",
            f"    function = _{type_name}",
        ]
    lines += _call_at(4, "return function.apply(", names)
    kinds = {n: "Tensor" if n in masks else "Tensor | float" for n in names}
    head = signature(name, [f"{n}: {kinds[n]}" for n in names], _returns(program), 0)
    return (*head.split("\n"), *(f"    {line}" for line in lines))


# Pieces of methods


def map_spelled(names: Sequence[str]) -> list[str]:
    """The names as code spells them."""
    return [spelled(n) for n in names]


def _locals(names: Sequence[str], taken: Sequence[str]) -> list[str]:
    """Names for results, other than those of the values that they are computed from."""
    used = set(taken)
    result = []
    for name in names:
        result.append(unused(spelled(name), used))
        used.add(result[-1])
    return result


def _ordered(names: Sequence[str], chosen: set[str]) -> list[str]:
    return [n for n in names if n in chosen]


def _read_by(program: Program, names: Sequence[str]) -> list[str]:
    read = {node.value for node in program.nodes if node.op in ("argument", "mask")}
    return [n for n in names if n in read]


def _returns(program: Program) -> str:
    if len(program.outputs) == 1:
        return "Tensor"
    return f"tuple[{', '.join(['Tensor'] * len(program.outputs))}]"


def _indented(lines: Sequence[str]) -> Lines:
    return tuple(" " * _METHOD + line for line in lines)


def _method(name: str, parameters: Sequence[str], returns: str, lines: Sequence[str]) -> Lines:
    return (*signature(name, parameters, returns, 4).split("\n"), *_indented(lines))


def _unpacked(names: Sequence[str], value: str) -> list[str]:
    return [line[_METHOD:] for line in unpacked(names, value, _METHOD).split("\n")]


def _call_at(indent: int, head: str, items: Sequence[str]) -> list[str]:
    return [line[indent:] for line in bracketed(head, items, ")", indent).split("\n")]


def _call(head: str, items: Sequence[str]) -> list[str]:
    return _call_at(_METHOD, head, items)


def _return(items: Sequence[str]) -> list[str]:
    line = f"return {', '.join(items)}"
    if len(line) <= _MAX_LINE or len(items) == 1:
        return [line]
    return ["return (", *(f"    {item}," for item in items), ")"]


def _chained(names: Sequence[str], value: str) -> list[str]:
    line = f"{' = '.join(names)} = {value}"
    return [line] if len(line) <= _MAX_LINE else [f"{name} = {value}" for name in names]


def _widening(names: Sequence[str], values: Sequence[str], half: str = "half") -> list[str]:
    """The line that takes half precision to float32."""
    targets = f"({names[0]},)" if len(names) == 1 else f"({', '.join(names)})"
    line = f"{targets}, {half} = _widened({', '.join(values)})"
    if len(line) <= _MAX_LINE:
        return [line]
    return [*_call(f"values, {half} = _widened(", values), *_unpacked(names, "values")]


def _rounded_return(names: Sequence[str], results: Sequence[str]) -> list[str]:
    """Return the results, in the half precision that the operands had."""
    simple = all(text.isidentifier() or _is_call(text) for text in results)
    items = [f"{t}.to(dtype=half)" if simple else f"({t}).to(dtype=half)" for t in results]
    if len(items) == 1 and len(f"return {items[0]}") <= _MAX_LINE:
        return _return(items)
    pairs = zip(names, results, strict=True)
    lines = [f"{name} = {text}" for name, text in pairs if name != text]
    return [*lines, *_return([f"{name}.to(dtype=half)" for name in names])]


def _is_call(text: str) -> bool:
    """Whether an expression is one call, so that a method can follow it."""
    depth = 0
    for position, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if depth == 0 and char not in ")._" and not char.isalnum():
            return False
        if depth == 0 and char == ")" and position + 1 < len(text) and text[position + 1] != ".":
            return False
    return text.endswith(")") and not text.startswith("(")


def _optional(name: str, text: str, flag: str) -> list[str]:
    line = f"{name} = {text} if {flag} else None"
    if len(line) <= _MAX_LINE:
        return [line]
    return [f"{name} = None", f"if {flag}:", f"    {name} = {text}"]
