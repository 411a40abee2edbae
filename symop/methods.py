"""The methods of a generated operator, as lines of Python.

An op is two autograd Functions: the operator, whose backward applies the second one, and its
gradient (symop.gradient_methods), which is differentiable by formulas of its own. Gradients
that nobody asked for are neither computed nor saved for: flags `needs_<argument>` say which
were asked for.
"""

from __future__ import annotations

from collections.abc import Sequence

from symop.backends.torch import Body, lowered
from symop.derivative_names import cotangent_names, tangent_names
from symop.layout import WIDTH
from symop.names import class_name, spelled
from symop.planning import Plan
from symop.statements import (
    TAKEN,
    Lines,
    Shapes,
    body_lines,
    function_lines,
    local_names,
    map_spelled,
    method_lines,
    ordered,
    read_by,
    return_type,
    rounded_return,
    unpacked,
    widening_lines,
)


class FunctionMethods:
    """The methods of the operator."""

    def __init__(self, plan: Plan, shapes: Shapes, type_name: str) -> None:
        self.plan = plan
        self.shapes = shapes
        self.gradient = f"{type_name}Backward"
        self.arguments = [a.name for a in plan.program.arguments]

    def forward(self) -> Lines:
        """The value of the operator."""
        program = self.plan.program
        names = [spelled(n) for n in self.arguments]
        body = Body(
            lowered(program), lambda n: f"{spelled(n)}.shape", is_forward=True, taken=TAKEN,
            helpers=self.shapes.helpers,
        )  # fmt: skip
        lines, results = body.print()
        outputs = local_names([o.name for o in program.outputs], names)
        lines += rounded_return(outputs, results)
        opening = widening_lines(names, names, lines)
        parameters = [f"{n}: Tensor" for n in names]
        return method_lines("forward", parameters, return_type(program), [*opening, *lines])

    def setup(self) -> Lines:
        """What is kept for the derivatives."""
        plan = self.plan
        forward_saved = map_spelled(read_by(plan.tangent, self.arguments))
        shaped = map_spelled(ordered(self.arguments, self.shapes.names))
        saved = []
        for name, use in zip(plan.saved, plan.uses, strict=True):
            condition = self._condition(use)
            saved.append(spelled(name) + (f" if {condition} else None" if condition else ""))
        lines = [f"ctx.save_for_backward({', '.join(saved)})"] if saved else []
        if forward_saved:
            lines.append(f"ctx.save_for_forward({', '.join(forward_saved)})")
        if shaped:
            lines.append(f"ctx.shape = _Shapes({', '.join(shaped)})")
        outputs = map_spelled([o.name for o in plan.program.outputs])
        flags = [f"needs_{n}" for n in self.arguments]
        opening = unpacked(map_spelled(self.arguments), "inputs", lines)
        if len(outputs) > 1:
            opening += unpacked(outputs, "output", lines)
        elif outputs[0] in saved:
            opening.append(f"{outputs[0]} = output")
        opening += unpacked(flags, "ctx.needs_input_grad", lines)
        return body_lines([*opening, *lines] or ["pass"])

    def _condition(self, use: frozenset[int]) -> str:
        """When a saved value is needed; empty when it always is."""
        if len(use) == len(self.plan.wanted):
            return ""
        return " or ".join(f"needs_{self.plan.wanted[k]}" for k in sorted(use))

    def backward(self) -> Lines:
        """The gradient of the operator."""
        plan = self.plan
        names = cotangent_names(plan.program)
        cotangents = [names[o.name] for o in plan.program.outputs]
        read = {a.name for a in plan.gradient.arguments}
        tensors = [*map_spelled(plan.saved), *(n for n in cotangents if n in read)]
        values = [*(["*ctx.saved_tensors"] if plan.saved else []), *tensors[len(plan.saved) :]]
        rest = ["ctx.shape"] if self.shapes.names else []
        rest += ["*ctx.needs_input_grad"] if len(self.arguments) > 1 else []
        if rest:
            lines = widening_lines(tensors, values, []) if tensors else []
            lines.append(f"values = ({', '.join([*tensors, *rest])})")
        else:
            lines = [f"values, _ = _widened({', '.join(values)})"]
        if plan.second:
            lines += [
                "if torch.is_grad_enabled() and not torch.compiler.is_compiling():",
                f"    return {self.gradient}.apply(*values)",
                f"return {self.gradient}.forward(*values)",
            ]
        else:
            lines.append(f"return {self.gradient}.forward(*values)")
        parameters = ["ctx: Any", *(f"{n}: Tensor" for n in cotangents)]
        return method_lines("backward", parameters, "Any", lines)

    def jvp(self) -> Lines:
        """The tangent of the operator."""
        tangent = self.plan.tangent
        names = tangent_names(self.plan.program)
        saved = read_by(tangent, self.arguments)
        read = [names[n] for n in self.arguments if n in names]
        body = Body(
            lowered(tangent), lambda n: f"ctx.shape.{spelled(n)}", taken=TAKEN,
            helpers=self.shapes.helpers, tensors=tuple(saved),
        )  # fmt: skip
        lines, results = body.print()
        outputs = local_names([o.name for o in tangent.outputs], [*map_spelled(saved), *read])
        lines += rounded_return(outputs, results)
        values = [*(["*ctx.saved_tensors"] if saved else []), *read]
        opening = widening_lines([*map_spelled(saved), *read], values, lines)
        parameters = ["ctx: Any", *(f"{names.get(n, f'd_{n}')}: Tensor" for n in self.arguments)]
        return method_lines("jvp", parameters, "Any", [*opening, *lines])


def shapes_lines(plan: Plan, shapes: Shapes) -> Lines:
    """The constructor of the record of shapes; empty when no shape is kept."""
    names = map_spelled(ordered([a.name for a in plan.program.arguments], shapes.names))
    if not names:
        return ()
    line = f"{', '.join(f'self.{n}' for n in names)} = {', '.join(f'{n}.shape' for n in names)}"
    lines = [line] if len(line) <= WIDTH - 8 else [f"self.{n} = {n}.shape" for n in names]
    return method_lines("__init__", ["self", *(f"{n}: Tensor" for n in names)], "None", lines)


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
    lines += unpacked(real, f"_operands({', '.join(real)})")
    if len(lines[-1]) > WIDTH - 4:
        lines[-1:] = [f"values = _operands({', '.join(real)})", *unpacked(real, "values")]
    for mask in masks:
        like = f"dtype=torch.bool, device={real[0]}.device"
        lines.append(f"{mask} = torch.as_tensor({mask}, {like})")
    choice = f"function = _{type_name} if torch.compiler.is_compiling() else {type_name}"
    if len(choice) > WIDTH - 4:
        lines += [f"function = {type_name}", "if torch.compiler.is_compiling():"]
        choice = f"    function = _{type_name}"
    lines += [choice, f"return function.apply({', '.join(names)})"]
    kinds = {n: "Tensor" if n in masks else "Tensor | float" for n in names}
    parameters = [f"{n}: {kinds[n]}" for n in names]
    return function_lines(name, parameters, return_type(program), lines)
