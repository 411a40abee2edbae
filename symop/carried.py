"""The loops in C that a generated module carries, and the Python that builds and runs them.

They serve the common case: every operand has one shape or one element. One loop computes the
outputs and one the gradients; a formula that takes more has no such loops.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from symop.backends.c_body import ATOM, CONDITIONAL, UNARY, Body, Text
from symop.backends.vector_math import FUNCTIONS, SPELLED, bound, definitions, spelling
from symop.derivative_names import cotangent_names
from symop.errors import CallError
from symop.frames import SCALAR, Frame
from symop.loops import Loop, schedule
from symop.lowering import lower
from symop.names import spelled
from symop.planning import Plan
from symop.program import Argument, Program
from symop.rendering import render
from symop.statements import Lines, Shapes, function_lines

# What the section imports beside the modules that every generated file does.
IMPORTS = (
    "atexit", "contextlib", "ctypes", "hashlib", "os", "platform", "shutil", "subprocess", "sys",
    "tempfile", "warnings",
)  # fmt: skip


@dataclass(frozen=True)
class PassView:
    """A loop; every field is finished text, or lines of it."""

    macro: str
    comment: str
    input_count: int
    result_count: int
    hows: str
    means: str
    items: str
    has_count: bool
    pointers: Lines
    guard: Lines
    far_body: Lines
    body: Lines


@dataclass(frozen=True)
class SourceView:
    """The C text; every field is finished text, or lines of it."""

    title: str
    is_precise: bool
    double_names: Lines
    float_names: Lines
    mathematics: Lines
    passes: tuple[PassView, ...]


@dataclass(frozen=True)
class SectionView:
    """The section of a module; every field is finished text, or lines of it."""

    name: str
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
    except AssertionError as error:
        return None, f"{str(error).split()[-1]} has no form in C"
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
        for source, target in loop.counts:
            if source != loop.frame or (target != SCALAR and target not in _targets(gradient)):
                return "it counts the elements of some dims"
    for result in forward.results:
        if result.frame not in (SCALAR, forward.frame):
            return "its outputs differ in shape"
    cotangents = set(cotangent_names(plan.program).values())
    if not cotangents & {a.name for a in gradient.inputs}:
        return "its gradients are constants"
    return ""


def _targets(gradient: Loop) -> list[Frame]:
    return [result.frame for result in gradient.results]


@dataclass
class _AnyType:
    """The spelling for every type that a macro may choose: R(2.5), EXP(x)."""

    used: set[tuple[str, bool]] = field(default_factory=set)
    bounds: set[str] = field(default_factory=set)
    fused: str = "FUSED"

    def number(self, value: Fraction) -> Text:
        near = float(value)
        if near in (float("inf"), float("-inf")):
            return Text("R(INFINITY)" if near > 0 else "R(-INFINITY)")
        is_short = value.denominator == 1 and abs(value) < 10**6
        return Text(f"R({value.numerator if is_short else repr(near)})", ATOM)

    def function(self, name: str, *, anywhere: bool = False) -> str:
        part = anywhere and FUNCTIONS[name].bounds is not None
        self.used.add((name, part))
        return _macro(name, part)

    def bound(self, name: str) -> Text | None:
        if FUNCTIONS[name].bounds is None:
            return None
        self.bounds.add(name)
        return Text(f"R(LARGEST_{name.upper()})")

    def names(self, is_double: bool) -> Lines:
        """The macros for one type."""
        lines = [f"#define FUSED {'FMA' if is_double else 'FMAF'}"]
        for name, part in sorted(self.used):
            text = spelling(name, is_double, anywhere=part)
            lines.append(f"#define {_macro(name, part)} {text}")
        for name in sorted(self.bounds):
            lines.append(f"#define LARGEST_{name.upper()} {bound(name, is_double):g}")
        return tuple(lines)


def _macro(name: str, anywhere: bool) -> str:
    return name.upper() + ("_ANYWHERE" if anywhere else "")


class _Pass(Body):
    """Prints a loop in which the type, and what becomes of its results, are left open."""

    spelling: _AnyType
    width = 44

    def order(self) -> list[Argument]:
        """The inputs that are read, conditions last."""
        read = [a for a in self.loop.inputs if a.name in self.read()]
        return [a for a in read if not a.is_mask] + [a for a in read if a.is_mask]

    def count(self, source: Frame, target: Frame) -> Text:
        if target == SCALAR:
            return Text("(real)count", UNARY)
        place = next(k for k, r in enumerate(self.results) if r.frame == target)
        return Text(f"HOW{place} == SUMMED ? (real)count : R(1)", CONDITIONAL)

    def pointers(self) -> list[str]:
        """Where the elements are."""
        lines = []
        for k, argument in enumerate(self.order()):
            kind = "unsigned char" if argument.is_mask else "element"
            name = self.pointer(f"{self.names[argument.name]}_in")
            place = f"(const {kind} *)in[{k}] + block * step[{k}]"
            lines.append(f"const {kind} *restrict {name} = {place};")
        return lines + [
            f"void *restrict {self.pointer(f'out{k}')} = PLACE(HOW{k}, {k});"
            for k in range(len(self.results))
        ]

    def stores(self) -> list[str]:
        """What becomes of the results for one element."""
        pairs = enumerate(self.results)
        texts = [(k, self.pointer(f"out{k}"), self.texts[r.node].text) for k, r in pairs]
        return [f"GIVE(HOW{k}, {to}, {text})" for k, to, text in texts]


def _pass_view(macro: str, comment: str, loop: Loop, spelling: _AnyType) -> PassView:
    printer = _Pass(loop, loop.results, spelling)
    far = _Pass(loop, loop.results, spelling, anywhere=True)
    body = [*printer.body(), *printer.stores()]
    guard = printer.guard()
    inputs = printer.order()
    return PassView(
        macro=macro,
        comment=comment,
        input_count=len(inputs),
        result_count=len(loop.results),
        hows=", ".join(f"HOW{k}" for k in range(len(loop.results))),
        means=", ".join(str(int(r.over is not None)) for r in loop.results),
        items=", ".join("1" if a.is_mask else "sizeof(element)" for a in inputs),
        has_count=any("count" in line for line in body),
        pointers=tuple(printer.pointers()),
        guard=tuple(guard),
        far_body=(*far.body(), *far.stores()) if guard else (),
        body=tuple(body),
    )


def source_text(name: str, found: Passes, *, is_precise: bool) -> str:
    """The C text of both loops.

    Args:
        name: the name of the op.
        found: its loops.
        is_precise: whether everything is evaluated in double.
    """
    spelling = _AnyType()
    slots = [", ".join(r.slot for r in loop.results) for loop in (found.forward, found.gradient)]
    views = (
        _pass_view("FORWARD", f"The value of {name}: {slots[0]}.", found.forward, spelling),
        _pass_view("GRADIENT", f"Its gradients: {slots[1]}.", found.gradient, spelling),
    )
    names = (spelling.names(True), spelling.names(False))
    texts = definitions(sorted(name for name, _ in spelling.used))
    view = SourceView(
        title=f"/* The loops of {name}. */",
        is_precise=is_precise,
        double_names=names[0],
        float_names=names[1],
        mathematics=tuple(_needed(texts, " ".join([*names[0], *names[1]]))),
        passes=views,
    )
    return render("carried.c.j2", view)


_DEFINED = re.compile(r"^(?:static inline \w+ |#define )(\w+)", re.MULTILINE)
_MARKS = re.compile(r"^/\* (?:fit \w+|end) \*/\n?", re.MULTILINE)
_WORD = re.compile(r"\w+")


def _needed(texts: Sequence[str], uses: str) -> list[str]:
    """The definitions that are used, by the text given or by other definitions, as lines."""
    pieces = [piece for text in texts for piece in re.split(r"\n{2,}", text.strip())]
    words = set(_WORD.findall(uses))
    kept: list[str] = []
    for piece in reversed(pieces):
        defined = set(_DEFINED.findall(piece))
        if defined & words or not (defined or "#include" in piece):
            words |= set(_WORD.findall(piece))
            kept.append(_MARKS.sub("", piece).strip())
    return [line for piece in reversed(kept) for line in (*piece.split("\n"), "")]


def section(
    name: str, plan: Plan, found: Passes, shapes: Shapes, *, is_precise: bool
) -> Lines:  # fmt: skip
    """The lines of a module that hold its loops.

    Args:
        name: the name of the op.
        plan: what it computes and keeps.
        found: its loops.
        shapes: whose shapes its gradient knows.
        is_precise: whether everything is evaluated in double.
    """
    text = source_text(name, found, is_precise=is_precise)
    view = SectionView(
        name, text, _forward_lines(plan, found), _gradient_lines(plan, found, shapes)
    )
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
    order = _Pass(loop, loop.results, _AnyType()).order()
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
