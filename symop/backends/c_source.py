"""The C text that a generated module carries: one loop a pass, for every dtype.

What may differ from call to call is left to macros: the dtype, and what becomes of each result.
An operand of one element is read like the others, from a block that holds it everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from symop.backends.c_body import Body
from symop.backends.c_text import ATOM, CONDITIONAL, UNARY, Text
from symop.backends.vector_math import FUNCTIONS, bound, definitions, far, spelling
from symop.frames import SCALAR, Frame
from symop.loops import Loop
from symop.program import Argument
from symop.rendering import render

Lines = tuple[str, ...]


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


@dataclass
class _AnyType:
    """The spelling for every type that a macro may choose: R(2.5), EXP(x)."""

    used: set[tuple[str, bool]] = field(default_factory=set)
    bounds: set[str] = field(default_factory=set)
    guards: set[str] = field(default_factory=set)
    fused: str = "FUSED"
    product: str = "PRODUCT"

    def number(self, value: Fraction) -> Text:
        near = float(value)
        if near in (float("inf"), float("-inf")):
            return Text("R(INFINITY)" if near > 0 else "R(-INFINITY)")
        is_short = value.denominator == 1 and abs(value) < 10**6
        return Text(f"R({value.numerator if is_short else repr(near)})", ATOM)

    def function(self, name: str, *, anywhere: bool = False) -> str:
        part = anywhere and FUNCTIONS[name].has_two_spellings
        self.used.add((name, part))
        return _macro(name, part)

    def bound(self, name: str) -> Text | None:
        if FUNCTIONS[name].bounds is None:
            return None
        self.bounds.add(name)
        return Text(f"R(LARGEST_{name.upper()})")

    def far(self, name: str) -> str | None:
        if not FUNCTIONS[name].is_guarded:
            return None
        self.guards.add(name)
        return f"FAR_{name.upper()}"

    def names(self, is_double: bool, uses_product: bool) -> Lines:
        """The macros for one type."""
        lines = [f"#define FUSED {'FMA' if is_double else 'FMAF'}"]
        if uses_product:
            lines.append(f"#define PRODUCT {'VANISHING' if is_double else 'VANISHINGF'}")
        for name, part in sorted(self.used):
            text = spelling(name, is_double, anywhere=part)
            lines.append(f"#define {_macro(name, part)} {text}")
        for name in sorted(self.bounds):
            lines.append(f"#define LARGEST_{name.upper()} {bound(name, is_double):g}")
        for name in sorted(self.guards):
            lines.append(f"#define FAR_{name.upper()} {far(name, is_double)}")
        return tuple(lines)


def _macro(name: str, anywhere: bool) -> str:
    return name.upper() + ("_ANYWHERE" if anywhere else "")


def operands(loop: Loop) -> list[Argument]:
    """The inputs of a loop in the order that its function takes them, conditions last."""
    return sorted(loop.inputs, key=lambda a: a.is_mask)


class _Pass(Body):
    """Prints a loop in which the type, and what becomes of its results, are left open."""

    spelling: _AnyType
    width = 44

    def count(self, source: Frame, target: Frame) -> Text:
        if target == SCALAR:
            return Text("(real)count", UNARY)
        place = next(k for k, r in enumerate(self.results) if r.frame == target)
        return Text(f"HOW{place} == SUMMED ? (real)count : R(1)", CONDITIONAL)

    def pointers(self) -> list[str]:
        """Where the elements are."""
        lines = []
        for k, argument in enumerate(operands(self.loop)):
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
    distant = _Pass(loop, loop.results, spelling, anywhere=True)
    body = [*printer.body(), *printer.stores()]
    guard = printer.guard()
    inputs = operands(loop)
    return PassView(
        macro=macro,
        comment=comment,
        input_count=len(inputs),
        result_count=len(loop.results),
        hows=", ".join(f"HOW{k}" for k in range(len(loop.results))),
        means=", ".join(str(int(r.over is not None)) for r in loop.results),
        items=", ".join("1" if a.is_mask else "sizeof(element)" for a in inputs),
        has_count=any("count" in line for line in (*printer.before, *body)),
        pointers=(*printer.pointers(), *printer.before),
        guard=tuple(guard),
        far_body=(*distant.body(), *distant.stores()) if guard else (),
        body=tuple(body),
    )


def source_text(name: str, forward: Loop, gradient: Loop, *, is_precise: bool) -> str:
    """The C text of an op.

    Args:
        name: the name of the op.
        forward: the loop of its outputs.
        gradient: the loop of its gradients.
        is_precise: whether everything is evaluated in double.
    """
    spelling = _AnyType()
    slots = [", ".join(r.slot for r in loop.results) for loop in (forward, gradient)]
    views = (
        _pass_view("FORWARD", f"The value of {name}: {slots[0]}.", forward, spelling),
        _pass_view("GRADIENT", f"Its gradients: {slots[1]}.", gradient, spelling),
    )
    uses_product = any("PRODUCT(" in line for v in views for line in (*v.body, *v.guard))
    names = (spelling.names(True, uses_product), spelling.names(False, uses_product))
    texts = definitions(sorted(name for name, _ in spelling.used))
    view = SourceView(
        title=f"/* The loops of {name}. */",
        is_precise=is_precise,
        double_names=names[0],
        float_names=names[1],
        mathematics=tuple(_needed(texts, names[0] if is_precise else names[0] + names[1])),
        passes=views,
    )
    return render("carried.c.j2", view)


_DEFINED = re.compile(r"^(?:(?:static inline|SYMOP_INLINE) \w+ |#define )(\w+)", re.MULTILINE)
_MARKS = re.compile(r"^/\* (?:fit \w+|end) \*/\n?", re.MULTILINE)
_WORD = re.compile(r"\w+")


def _needed(texts: Sequence[str], uses: Lines) -> list[str]:
    """The definitions that are used, by the lines given or by other definitions, as lines."""
    pieces = [piece for text in texts for piece in re.split(r"\n{2,}", text.strip())]
    words = set(_WORD.findall(" ".join(uses)))
    kept: list[str] = []
    for piece in reversed(pieces):
        defined = set(_DEFINED.findall(piece))
        if defined & words or not (defined or "#include" in piece):
            words |= set(_WORD.findall(piece))
            kept.append(_MARKS.sub("", piece).strip())
    return [line for piece in reversed(kept) for line in (*piece.split("\n"), "")]
