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

    def __init__(
        self, plan: Plan, shapes: Shapes, type_name: str, *, has_kernels: bool = False
    ) -> None:
        self.plan = plan
        self.has_kernels = has_kernels
        self.shapes = shapes
        self.gradient = f"{type_name}Backward"
        self.arguments = [a.name for a in plan.program.arguments]
        self.masks = {a.name for a in plan.program.arguments if a.is_mask}

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
        real = map_spelled([n for n in self.arguments if n not in self.masks])
        opening = widening_lines(real, real, lines)
        if self.has_kernels:
            opening = [*_by_kernel("forward", names), *opening]
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
        # Where everything is kept as it was given, the inputs need no names.
        whole = map_spelled(self.arguments)
        if saved == whole and forward_saved in ([], whole) and not shaped:
            saved, forward_saved = ["*inputs"], ["*inputs"] if forward_saved else []
        lines = [f"ctx.save_for_backward({', '.join(saved)})"] if saved else []
        if forward_saved:
            lines.append(f"ctx.save_for_forward({', '.join(forward_saved)})")
        if shaped:
            fields = ", ".join(f"{n}={n}.shape" for n in shaped)
            lines.append(f"ctx.shape = types.SimpleNamespace({fields})")
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
        taken = [n for n in cotangents if n in read]
        opening = []
        if len(cotangents) > 1:
            self.shapes.helpers.add("_alike")
            opening = unpacked(cotangents, f"_alike({', '.join(cotangents)})")
        values = [*(["*ctx.saved_tensors"] if plan.saved else []), *taken]
        if self.has_kernels and plan.saved:
            # What was saved is taken once: hooks may refuse to unpack it again.
            opening.append(f"values = ({', '.join(values)})")
            values = ["*values"]
        if self.has_kernels:
            opening += _by_kernel("gradient", ["ctx", *values])
        rest = ["ctx.shape"] if self.shapes.names else []
        rest += ["*ctx.needs_input_grad"] if len(self.arguments) > 1 else []
        if rest:
            lines = self._saved_lines(plan.saved, taken, [], values)
            lines.append(f"values = ({', '.join([*map_spelled(plan.saved), *taken, *rest])})")
        else:
            lines = [f"values, _ = _widened({', '.join(values)})"]
        if plan.second:
            lines += [
                "if torch.is_grad_enabled():",
                f"    return {self.gradient}.apply(*values)",
                f"return {self.gradient}.forward(*values)",
            ]
        else:
            lines.append(f"return {self.gradient}.forward(*values)")
        parameters = ["ctx: Any", *(f"{n}: Tensor" for n in cotangents)]
        return method_lines("backward", parameters, "Any", [*opening, *lines])

    def _saved_lines(
        self, saved: Sequence[str], given: Sequence[str], after: Sequence[str],
        values: Sequence[str],
    ) -> list[str]:  # fmt: skip
        """Take what was saved, and widen it together with the values given.

        values: both, as they are at hand.
        """
        if not self.masks & set(saved):
            return widening_lines([*map_spelled(saved), *given], values, after) if values else []
        real = [*map_spelled([n for n in saved if n not in self.masks]), *given]
        opening = unpacked(map_spelled(saved), "ctx.saved_tensors")
        if list(values) == ["*values"]:
            opening = unpacked([*map_spelled(saved), *given], "values")
        return opening + (widening_lines(real, real, after) if real else [])

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
        opening = self._saved_lines(saved, read, lines, values)
        parameters = ["ctx: Any", *(f"{names.get(n, f'd_{n}')}: Tensor" for n in self.arguments)]
        return method_lines("jvp", parameters, "Any", [*opening, *lines])


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
    if masks:
        lines += unpacked(real, f"_operands({', '.join(real)})")
        if len(lines[-1]) > WIDTH - 4:
            lines[-1:] = [f"values = _operands({', '.join(real)})", *unpacked(real, "values")]
        for mask in masks:
            like = f"dtype=torch.bool, device={real[0]}.device"
            lines.append(f"{mask} = torch.as_tensor({mask}, {like})")
        lines.append(f"values = ({', '.join(names)})")
    else:
        lines.append(f"values = _operands({', '.join(names)})")
    lines += [
        "if torch.compiler.is_dynamo_compiling():",
        "    return _in_graph().apply(*values)",
        "if torch._C._are_functorch_transforms_active():",
        f"    return {type_name}.apply(*values)",
        "return _apply(*map(torch._C._functorch.unwrap_if_dead, values))",
    ]
    kinds = {n: "Tensor" if n in masks else "Tensor | float" for n in names}
    parameters = [f"{n}: {kinds[n]}" for n in names]
    return function_lines(name, parameters, return_type(program), lines)


def _by_kernel(what: str, values: Sequence[str]) -> list[str]:
    """Return what a fused loop computes, where it serves."""
    return [
        f"output = _fused_{what}({', '.join(values)})",
        "if output is not None:",
        "    return output",
    ]
