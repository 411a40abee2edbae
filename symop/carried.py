"""The loops in C and the kernels for the GPU that a generated module carries, and their Python.

They serve the common case: every operand has one shape or one element. One loop computes the
outputs and one the gradients; a formula that takes more has none of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from symop.backends import triton_math, triton_source, vector_math
from symop.backends.c_source import operands, source_text
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


@dataclass(frozen=True)
class _Carrier:
    """A backend that modules can carry.

    spelled: the functions that it has.
    language: what they are written in.
    mark: a text that is in every module that carries it, and in no other.
    imports: what the section imports beside the modules that every generated file does.
    """

    spelled: frozenset[str]
    language: str
    mark: str
    imports: tuple[str, ...]


_CARRIERS = {
    "cpu": _Carrier(
        frozenset(vector_math.SPELLED),
        "C",
        '\n_C = r"""\n',
        (
            "atexit", "contextlib", "ctypes", "hashlib", "os", "pathlib", "platform", "shutil",
            "subprocess", "sys", "tempfile", "warnings",
        ),
    ),
    "triton": _Carrier(triton_math.SPELLED, "Triton", "\n_KERNELS = {\n", ("warnings",)),
}  # fmt: skip

# The backends that a module may carry beside the operations of torch.
CARRIED = tuple(_CARRIERS)


@dataclass(frozen=True)
class SectionView:
    """The section of a module; every field is finished text, or lines of it."""

    source: str
    kernels: Lines
    table: Lines
    double: str
    is_summing: bool
    is_mean: bool
    forward: Lines
    gradient: Lines


@dataclass(frozen=True)
class Passes:
    """The two loops of an op."""

    forward: Loop
    gradient: Loop


@dataclass(frozen=True)
class Section:
    """What a module carries.

    imports: the modules of the standard library that it takes.
    guarded: the lines that import Triton, where it is there.
    lines: the functions, kernels and texts.
    """

    imports: tuple[str, ...] = ()
    guarded: Lines = ()
    lines: Lines = ()


def passes(name: str, plan: Plan, backend: str) -> Passes:
    """The loops of an op.

    Args:
        name: the name of the op.
        plan: what it computes and keeps.
        backend: one of `CARRIED`.

    Raises:
        CallError: it takes more than one loop, or something that the backend lacks.
    """
    carrier = _CARRIERS[backend]
    forward, fault = _loop(plan.program, carrier)
    gradient, other = _loop(plan.gradient, carrier)
    fault = fault or other
    if forward and gradient:
        fault = _shape_fault(plan, forward, gradient)
        if not fault:
            outputs = [o.name for o in plan.program.outputs]
            gradients = [o.name for o in plan.gradient.outputs]
            return Passes(_sorted(forward, outputs), _sorted(gradient, gradients))
    raise CallError(
        f"{name}: no module of backend {backend} can be made: {fault}; backend torch serves every "
        "formula, and symop.compile runs fused kernels for more of them than modules carry"
    )


def carried(text: str) -> tuple[str, ...]:
    """The backends that the text of a module carries."""
    return tuple(name for name, carrier in _CARRIERS.items() if carrier.mark in text)


def _sorted(loop: Loop, slots: Sequence[str]) -> Loop:
    """The loop with its results in the order of their slots."""
    return replace(loop, results=tuple(sorted(loop.results, key=lambda r: slots.index(r.slot))))


def _loop(program: Program, carrier: _Carrier) -> tuple[Loop | None, str]:
    """The loop of a program; or None, and why there is no one loop."""
    try:
        lowered = lower(program, carrier.spelled, pull=False)
    except NoForm as error:
        return None, f"{error.function} has no form in {carrier.language}"
    for node in lowered.nodes:
        if node.op in ("prod", "amax", "amin", "prod_others"):
            return None, f"{node.op.removesuffix('_others')} is no sum"
    made = schedule(lowered)
    if made is None or len(made.loops) != 1:
        return None, "it takes more than one pass over its data"
    if all(a.is_mask for a in made.loops[0].inputs):
        return None, "it reads no numbers"
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


def section(
    name: str, plan: Plan, backends: Sequence[str], shapes: Shapes, *, is_precise: bool
) -> Section:
    """What a module carries.

    Args:
        name: the name of the op.
        plan: what it computes and keeps.
        backends: those of `CARRIED` that it carries.
        shapes: whose shapes its gradient knows.
        is_precise: whether everything is evaluated in double.

    Raises:
        CallError: one of them cannot be carried.
    """
    if not backends:
        return Section()
    found = {backend: passes(name, plan, backend) for backend in backends}
    first = found[backends[0]]
    source = ""
    kernels: Lines = ()
    table: Lines = ()
    guarded: Lines = ()
    is_summing = is_mean = False
    if "cpu" in found:
        loops = found["cpu"]
        source = source_text(name, loops.forward, loops.gradient, is_precise=is_precise)
    if "triton" in found:
        made = _kernels(name, found["triton"], first)
        kernels = triton_source.lines(made)
        table = tuple(
            f'"{key}": ({kernel.name}, {kernel.bytes}, {kernel.is_summing}),'
            for key, kernel in zip(("FORWARD", "GRADIENT"), made, strict=True)
        )
        guarded = triton_source.imports(made)
        is_summing = any(kernel.is_summing for kernel in made)
        is_mean = any(kernel.is_mean for kernel in made)
    double = "True" if is_precise else "values[0].dtype == torch.float64"
    view = SectionView(
        source, kernels, table, double, is_summing, is_mean, _forward_lines(plan, first),
        _gradient_lines(plan, first, shapes),
    )  # fmt: skip
    lines = tuple(render("carried.py.j2", view).rstrip("\n").split("\n"))
    imports = {name for backend in backends for name in _CARRIERS[backend].imports}
    return Section(tuple(sorted(imports)), guarded, lines)


def _kernels(name: str, found: Passes, first: Passes) -> tuple[triton_source.CarriedKernel, ...]:
    """The kernels of an op; their operands stand in the order of the loops that come first."""
    made = []
    for what, comment, loop, like in (
        ("forward", "The value of {}.", found.forward, first.forward),
        ("gradient", "The gradients of {}.", found.gradient, first.gradient),
    ):
        order = [a.name for a in operands(like)]
        if sorted(order) != sorted(a.name for a in loop.inputs):
            raise CallError(f"{name}: its loops for CPU and GPU read different values; "
                            "backends torch,cpu and torch,triton carry either")  # fmt: skip
        made.append(triton_source.carried_kernel(what, comment.format(name), loop, order))
    return tuple(made)


def _forward_lines(plan: Plan, found: Passes) -> Lines:
    results = found.forward.results
    shapes = ["torch.Size([])" if r.frame == SCALAR else "None" for r in results]
    return function_lines(
        "_fused_forward",
        [f"{spelled(a.name)}: Tensor" for a in plan.program.arguments],
        "Any",
        [
            '"""The value in one pass, None where operations serve."""',
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
            '"""The gradients in one pass, None where operations serve."""',
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
