"""The methods of the gradient of a generated operator, as lines of Python."""

from __future__ import annotations

import re
from collections.abc import Sequence

from symop.backends.torch import Body, lowered
from symop.derivative_names import tangent_names
from symop.names import spelled
from symop.planning import Plan
from symop.program import Output, Program
from symop.statements import (
    ROOM,
    TAKEN,
    Lines,
    Shapes,
    fits_as_item,
    local_names,
    map_spelled,
    method_lines,
    none_lines,
    optional_lines,
    return_lines,
    unpacked,
)

# How much of a line is left for an accumulated term, inside the block of its part.
_ACCUMULATED = 68


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
        loose: Sequence[str] = (), views: bool = False,
    ) -> tuple[list[str], list[str]]:  # fmt: skip
        def shape_of(name: str) -> str:
            self.shapes.names.add(name)
            return f"shape.{spelled(name)}"

        taken = TAKEN | {f"needs_{n}" for n in self.names} | frozenset(self.flags)
        body = Body(
            lowered(program), shape_of, flags=flags, taken=taken, helpers=self.shapes.helpers,
            tensors=tensors, loose=loose, views=views,
        )  # fmt: skip
        return body.print()

    def methods(self) -> tuple[Lines, ...]:
        """All methods; the forward alone where the second order is left to its operations."""
        static = ("    @staticmethod",)
        if not self.plan.second:
            return ((*static, *self.forward()),)
        methods = [(*static, *lines) for lines in (self.forward(), self.setup(), self.backward())]
        return (*methods, ("    @_forward_mode", *self.jvp()))

    def forward(self) -> Lines:
        """The value of the gradient."""
        lines, results = self._body(self.program, self.cotangents, self.flags, views=True)
        # A value that only gradients not asked for would need is None.
        kind = {n: "Any" if self.flags and n in self.plan.saved else "Tensor" for n in self.names}
        parameters = [f"{spelled(n)}: {kind[n]}" for n in self.names]
        parameters += ["shape: Any"] if self.shapes.names else []
        parameters += ["*needs: bool"] if self.flags else []
        lines += self._results("grad_", results)
        flags = self._by_argument(self.flags, "_") if self.flags else []
        returns = "Any" if self.flags else "Tensor"
        return method_lines(
            "forward", parameters, returns, [*unpacked(flags, "needs", lines), *lines]
        )

    def _by_argument(self, items: Sequence[str], other: str) -> list[str]:
        """Items for the wanted gradients at the places of their arguments."""
        places = dict(zip(self.plan.wanted, items, strict=True))
        return [places.get(n, other) for n in self.arguments]

    def _results(self, prefix: str, results: Sequence[str]) -> list[str]:
        """Return the results that were asked for, None in place of the others."""
        if not self.flags:
            return return_lines(results)
        pairs = list(zip(results, self.flags, strict=True))
        items = [f"{text} if {flag} else None" for text, flag in pairs]
        if all(fits_as_item(item) for item in items):
            return return_lines(self._by_argument(items, "None"))
        names = [f"{prefix}{n}" for n in self.plan.wanted]
        lines: list[str] = []
        for name, (text, flag) in zip(names, pairs, strict=True):
            lines += optional_lines(name, text, flag)
        return [*lines, *return_lines(self._by_argument(names, "None"))]

    def setup(self) -> Lines:
        """What is kept for the derivatives."""
        targets = [spelled(n) if n in self.kept else "_" for n in self.names]
        targets += ["ctx.shape"] if self.shapes.names else []
        targets += ["*ctx.needs"] if self.flags else []
        kept = ", ".join(map_spelled(self.kept))
        lines = unpacked(targets, "inputs")
        if targets == map_spelled(self.kept):
            kept, lines = "*inputs", []
        if kept:
            lines += [f"ctx.save_for_backward({kept})", f"ctx.save_for_forward({kept})"]
        if self.flags:
            # Elsewhere the zeros stay: without them forward mode would get None as well.
            name = self.cotangents[0]
            some = spelled(name) if name in self.kept else f"inputs[{self.names.index(name)}]"
            lines.append("# DTensors do not mix with the plain zeros that autograd fills in.")
            lines.append(f'ctx.set_materialize_grads(not hasattr({some}, "device_mesh"))')
        parameters = ["ctx: Any", "inputs: tuple[Any, ...]", "output: Any"]
        return method_lines("setup_context", parameters, "None", lines or ["pass"])

    def backward(self) -> Lines:
        """The gradient of the gradient."""
        grads = [part.arguments[-1].name for part in self.parts]
        taken = [*map_spelled(self.kept), *grads]
        results = local_names([f"grad_{n}" for n in self.names], taken)
        names = dict(zip(self.names, results, strict=True))
        others = len(self.arguments) if self.flags else 0
        trailing = ["None"] * (bool(self.shapes.names) + others)
        if self.flags:
            parameters = ["ctx: Any", "*grads: Tensor | None"]
            lines = self._contributions(names, grads)
            given = unpacked(self._by_argument(grads, "_"), "grads", lines)
        else:
            parameters = ["ctx: Any", f"{grads[0]}: Tensor"]
            lines = self._single_part(names, grads[0])
            flags = [f"needs_{n}" for n in self.names] + (["*_"] if trailing else [])
            given = unpacked(flags, "ctx.needs_input_grad", lines)
        saved = unpacked(map_spelled(self.kept), "ctx.saved_tensors", lines)
        inlined = [re.sub(r"(?<![\w.])shape\.", "ctx.shape.", line) for line in lines]
        if all(len(line) <= ROOM for line in inlined):
            lines = inlined
        lines = [*saved, *given, *_shape_line(lines), *lines]
        lines += return_lines([*results, *trailing])
        return method_lines("backward", parameters, "Any", lines)

    def _single_part(self, names: dict[str, str], grad: str) -> list[str]:
        part = self.parts[0]
        wanted = [output.of for output in part.outputs]
        flags = [f"needs_{n}" for n in wanted]
        lines, results = self._body(part, [*self._certain(), grad], flags)
        texts = {
            output.of: text
            for output, text in zip(part.outputs, results, strict=True)
            if not _is_zero(part, output)
        }
        for n in self.names:
            if n in texts:
                lines += optional_lines(names[n], texts[n], f"needs_{n}")
            else:
                lines.append(f"{names[n]} = None")
        return lines

    def _certain(self) -> list[str]:
        """What is a tensor in the methods that read saved values."""
        return [n for n in self.cotangents if n in self.kept]

    def _contributions(self, names: dict[str, str], grads: Sequence[str]) -> list[str]:
        """What each first-order gradient contributes; one that was not asked for is None."""
        rest = [names[n] for n in self.names if n not in self.totals]
        lines = none_lines(rest) if rest else []
        lines += [f"{names[n]} = torch.zeros_like({n})" for n in self.totals]
        begun: set[str] = set()
        for part, grad in zip(self.parts, grads, strict=True):
            loose = [output.name for output in part.outputs if output.of in self.totals]
            block, results = self._body(part, [*self._certain(), grad], loose=loose)
            for output, text in zip(part.outputs, results, strict=True):
                if _is_zero(part, output):
                    continue
                name = names[output.of]
                if output.of in self.totals and len(name) * 2 + len(text) > _ACCUMULATED:
                    block += [f"part = {text}", f"{name} = {name} + part"]
                elif output.of in self.totals:
                    block.append(f"{name} = {name} + {text}")
                elif name in begun:
                    self.shapes.helpers.add("_added")
                    block.append(f"{name} = _added({name}, {text})")
                else:
                    block.append(f"{name} = {text}")
                    begun.add(name)
            if block:
                lines.append(f"if {grad} is not None:")
                lines += [f"    {line}" for line in block]
        return lines

    def jvp(self) -> Lines:
        """The tangent of the gradient."""
        names = tangent_names(self.program)
        lines, results = self._body(self.tangent, self._certain(), self.flags, views=True)
        lines += self._results("d_grad_", results)
        parameters = ["ctx: Any", *(f"{names.get(n, f'd_{n}')}: Tensor" for n in self.names)]
        parameters += ["*_: Any"] if self.shapes.names or self.flags else []
        opening = unpacked(map_spelled(self.kept), "ctx.saved_tensors", lines)
        flags = self._by_argument(self.flags, "_") if self.flags else []
        needs = unpacked(flags, "ctx.needs", lines)
        together = f"shape, ({', '.join(flags)}) = ctx.shape, ctx.needs"
        if _shape_line(lines) and needs == [f"{', '.join(flags)} = ctx.needs"]:
            opening += [together] if len(together) <= ROOM else ["shape = ctx.shape", *needs]
        else:
            opening += [*_shape_line(lines), *needs]
        return method_lines("jvp", parameters, "Any", [*opening, *lines])


def _is_zero(program: Program, output: Output) -> bool:
    """Whether a gradient is zero everywhere, for which None stands."""
    return program.nodes[output.node].op == "constant" and program.nodes[output.node].value == 0


def _shape_line(lines: Sequence[str]) -> list[str]:
    used = any(re.search(r"(?<![\w.])shape\.", line) for line in lines)
    return ["shape = ctx.shape"] if used else []
