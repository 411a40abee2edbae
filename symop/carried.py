"""The loops in C that a generated module carries, and the Python that builds and runs them.

They serve the common case: every operand has one shape or one element. One loop computes the
outputs and one the gradients; a formula that takes more has no such loops.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from symop.backends.c_source import operands, source_text
from symop.backends.vector_math import SPELLED
from symop.derivative_names import cotangent_names
from symop.errors import CallError
from symop.frames import SCALAR
from symop.loops import Loop, schedule
from symop.lowering import NoForm, lower
from symop.names import spelled
from symop.planning import Plan
from symop.program import Program
from symop.rendering import render
from symop.statements import Lines, Shapes, function_lines

# What the section imports beside the modules that every generated file does.
IMPORTS = (
    "atexit", "contextlib", "ctypes", "hashlib", "os", "platform", "shutil", "subprocess", "sys",
    "tempfile", "warnings",
)  # fmt: skip


@dataclass(frozen=True)
class SectionView:
    """The section of a module; every field is finished text, or lines of it."""

    source: str
    forward: Lines
    gradient: Lines


@dataclass(frozen=True)
class Passes:
    """The two loops of an op."""

    forward: Loop
    gradient: Loop


def passes(name: str, plan: Plan) -> Passes:
    """The loops of an op.

    Raises:
        CallError: it takes more than one loop, or something that C lacks.
    """
    forward, fault = _loop(plan.program)
    gradient, other = _loop(plan.gradient)
    fault = fault or other
    if forward and gradient:
        fault = _shape_fault(plan, forward, gradient)
        if not fault:
            outputs = [o.name for o in plan.program.outputs]
            gradients = [o.name for o in plan.gradient.outputs]
            return Passes(_sorted(forward, outputs), _sorted(gradient, gradients))
    raise CallError(
        f"{name}: no module of backend cpu can be made: {fault}; backend torch serves every "
        "formula, and symop.compile runs fused kernels for more of them than modules carry"
    )


def _sorted(loop: Loop, slots: Sequence[str]) -> Loop:
    """The loop with its results in the order of their slots."""
    return replace(loop, results=tuple(sorted(loop.results, key=lambda r: slots.index(r.slot))))


def _loop(program: Program) -> tuple[Loop | None, str]:
    """The loop of a program; or None, and why there is no one loop."""
    try:
        lowered = lower(program, SPELLED, pull=False)
    except NoForm as error:
        return None, f"{error.function} has no form in C"
    for node in lowered.nodes:
        if node.op in ("prod", "amax", "amin", "prod_others"):
            return None, f"{node.op.removesuffix('_others')} is no sum"
    made = schedule(lowered)
    if made is None or len(made.loops) != 1:
        return None, "it takes more than one pass over its data"
    return made.loops[0], ""


def _shape_fault(plan: Plan, forward: Loop, gradient: Loop) -> str:
    """What in the shapes of the loops is not the common case."""
    names = {a.name for a in plan.program.arguments}
    if set(forward.frame) != names:
        return "its outputs do not have the shape of all its arguments together"
    for loop in (forward, gradient):
        if loop.frame != forward.frame:
            return "its gradients need a pass of their own"
        for result in loop.results:
            if result.frame not in (SCALAR, loop.frame, *((n,) for n in names)):
                return "it reduces some dims only"
        targets = {SCALAR, *(result.frame for result in loop.results)}
        if any(s != loop.frame or t not in targets for s, t in loop.counts):
            return "it counts the elements of some dims"
    for result in forward.results:
        if result.frame not in (SCALAR, forward.frame):
            return "its outputs differ in shape"
    cotangents = set(cotangent_names(plan.program).values())
    if not cotangents & {a.name for a in gradient.inputs}:
        return "its gradients are constants"
    return ""


def section(name: str, plan: Plan, found: Passes, shapes: Shapes, *, is_precise: bool) -> Lines:
    """The lines of a module that hold its loops.

    Args:
        name: the name of the op.
        plan: what it computes and keeps.
        found: its loops.
        shapes: whose shapes its gradient knows.
        is_precise: whether everything is evaluated in double.
    """
    text = source_text(name, found.forward, found.gradient, is_precise=is_precise)
    view = SectionView(text, _forward_lines(plan, found), _gradient_lines(plan, found, shapes))
    return tuple(render("carried.py.j2", view).rstrip("\n").split("\n"))


def _forward_lines(plan: Plan, found: Passes) -> Lines:
    results = found.forward.results
    shapes = ["torch.Size([])" if r.frame == SCALAR else "None" for r in results]
    return function_lines(
        "_fused_forward",
        [f"{spelled(a.name)}: Tensor" for a in plan.program.arguments],
        "Any",
        [
            '"""The value by a loop in C, None where operations serve."""',
            *_call_lines("FORWARD", found.forward, shapes, _tuple(["True"] * len(results))),
            f"return output and {'output[0]' if len(results) == 1 else 'tuple(output)'}",
        ],
    )


def _gradient_lines(plan: Plan, found: Passes, shapes: Shapes) -> Lines:
    arguments = [a.name for a in plan.program.arguments]
    read = {a.name for a in plan.gradient.arguments}
    cotangents = [n for n in cotangent_names(plan.program).values() if n in read]
    known = [_shape_of(plan, n, shapes, cotangents[0]) for n in plan.wanted]
    needs, result = "ctx.needs_input_grad", ["return output and tuple(output)"]
    if len(arguments) == 1:
        result = ["return output and output[0]"]
    elif list(plan.wanted) != arguments:
        needs = _tuple([f"{needs}[{arguments.index(n)}]" for n in plan.wanted])
        items = [
            f"output[{plan.wanted.index(n)}]" if n in plan.wanted else "None" for n in arguments
        ]
        result = ["if output is None:", "    return None", f"return {', '.join(items)}"]
    return function_lines(
        "_fused_gradient",
        ["ctx: Any", *(f"{spelled(n)}: Any" for n in (*plan.saved, *cotangents))],
        "Any",
        [
            '"""The gradients by a loop in C, None where operations serve."""',
            *_call_lines("GRADIENT", found.gradient, known, needs),
            *result,
        ],
    )


def _call_lines(kernel: str, loop: Loop, shapes: Sequence[str], needs: str) -> list[str]:
    order = operands(loop)
    masks = sum(a.is_mask for a in order)
    return [
        f"values = {_tuple([spelled(a.name) for a in order])}",
        f"shapes = {_tuple(shapes)}",
        f"needs = {needs}",
        f'output = _fused("{kernel}", values, {masks}, shapes, needs)',
    ]


def _tuple(items: Sequence[str]) -> str:
    return f"({', '.join(items)}{',' if len(items) == 1 else ''})"


def _shape_of(plan: Plan, name: str, shapes: Shapes, cotangent: str) -> str:
    """The shape of an argument, as the gradient knows it."""
    if name in shapes.names:
        return f"ctx.shape.{spelled(name)}"
    if name in plan.saved:
        return f"{spelled(name)}.shape"
    return f"{spelled(cotangent)}.shape"


def shaped(plan: Plan) -> set[str]:
    """The arguments whose shapes the gradient has to know for its loop."""
    names = [a.name for a in plan.program.arguments]
    if len(names) > 1:
        return set(names)
    is_known = plan.program.outputs[0].frame != SCALAR or names[0] in plan.saved
    return set() if is_known else set(names)
