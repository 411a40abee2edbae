"""The CPU backend: a fused loop as C that compilers vectorise."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from symop.backends.c_kernel import KernelBody, Variant
from symop.backends.c_sums import SumBody
from symop.backends.c_text import CONVERSIONS
from symop.backends.vector_math import SPELLED, definitions
from symop.loops import Loop, Routine, schedule
from symop.lowering import NoForm, lower
from symop.program import LEAVES, Program, needed
from symop.rendering import render

_ELEMENTS = {
    "float32": "float", "float64": "double", "float16": "_Float16", "bfloat16": "uint16_t",
}  # fmt: skip
_SIZES = {"float32": 4, "float64": 8, "float16": 2, "bfloat16": 2}

# Where several results are stored and each takes so few operations, the loop waits for memory, and
# more for every place that it writes to in turn.
_FEW_OPERATIONS = 8
_CHEAP = frozenset({"add", "sub", "mul", "neg"})

# How far ahead of its use memory is asked for, in bytes. Measured; a multiple of 4,096 would go
# into the sets of the first cache that are in use.
_AHEAD = 7168

_COMBINE = ("sum", "prod", "amax", "amin")


def routine(program: Program, numbers: Sequence[str] = ()) -> Routine | None:
    """The loops of a program in the operations of C; None where C lacks one of them.

    Args:
        program: any program.
        numbers: outputs that are kept in the type that is computed in.
    """
    try:
        lowered = lower(program, SPELLED, pull=False)
    except NoForm:
        return None
    made = schedule(lowered)
    return made and replace(made, numbers=frozenset(numbers))


@dataclass(frozen=True)
class KernelView:
    """A kernel; every field is finished text, or lines of it."""

    title: str
    real: str
    element: str
    support: tuple[str, ...]
    input_count: int
    result_count: int
    items: str
    uniform: str
    reduced: str
    types: str
    over: str
    combine: str
    span: PassView
    rows: tuple[RowView, ...]
    is_storing: bool
    sum: SumView | None


@dataclass(frozen=True)
class PassView:
    """What is done for every element; lines of text."""

    opening: tuple[str, ...]
    pointers: tuple[str, ...]
    body: tuple[str, ...]
    guard: tuple[str, ...]
    far_body: tuple[str, ...]


@dataclass(frozen=True)
class SumView:
    """What adds up, where all that is reduced are sums; lines of text."""

    lines: PassView
    fetches: tuple[str, ...]
    ahead: int
    lanes: tuple[str, ...]
    flush: tuple[str, ...]


@dataclass(frozen=True)
class RowView:
    """What one of several results needs, to be stored by itself; lines of text."""

    opening: tuple[str, ...]
    pointers: tuple[str, ...]
    body: tuple[str, ...]


def kernel_source(name: str, routine: Routine, loop: Loop, variant: Variant) -> str:
    """The C text of one loop.

    Args:
        name: the name of the op, for the title.
        routine: what the loop belongs to.
        loop: the loop.
        variant: what it is specialised to.
    """
    return render("kernel.c.j2", _view(name, routine, loop, variant))


def _view(name: str, routine: Routine, loop: Loop, variant: Variant) -> KernelView:
    printer = KernelBody(routine, loop, variant)
    span = _pass_view(printer, KernelBody(routine, loop, variant, anywhere=True))
    functions = printer.functions
    results = printer.results
    reduced = [r for r, is_reduced in zip(results, variant.reduced, strict=True) if is_reduced]
    adding = None
    if reduced and all(result.combine == "sum" for result in reduced):
        adder = SumBody(routine, loop, variant)
        adding = _sum_view(adder, SumBody(routine, loop, variant, anywhere=True))
        functions = functions | adder.functions
    real_size = 8 if variant.is_double else 4
    sizes = [
        1 if a.is_mask else real_size if printer.is_temporary(a.name) else _SIZES[variant.dtype]
        for a in loop.inputs
    ]
    sizes += [real_size if printer.is_temporary(r.slot) else _SIZES[variant.dtype] for r in results]
    counts = list(loop.counts)
    return KernelView(
        title=f"{', '.join(r.slot for r in results)} of {name}, {variant.dtype}",
        real="double" if variant.is_double else "float",
        element=_ELEMENTS[variant.dtype],
        support=tuple(_support(functions, variant)),
        input_count=len(loop.inputs),
        result_count=len(results),
        items=", ".join(map(str, sizes)),
        uniform=", ".join([str(int(u)) for u in variant.uniform] or ["0"]),
        reduced=", ".join(str(int(r)) for r in variant.reduced),
        types=", ".join(str(printer.type_code(r.slot)) for r in results),
        over=", ".join("-1" if r.over is None else str(counts.index(r.over)) for r in results),
        combine=", ".join(str(_COMBINE.index(r.combine)) for r in results),
        span=span,
        rows=tuple(_rows(routine, loop, variant)),
        is_storing=not any(variant.reduced),
        sum=adding,
    )


def _pass_view(printer: KernelBody, distant: KernelBody) -> PassView:
    """What is done for every element.

    Args:
        printer: prints it for usual arguments.
        distant: prints it for those of any size.
    """
    body = (*printer.body(), *printer.stores())
    guard = tuple(printer.guard())
    return PassView(
        opening=tuple(printer.opening()),
        pointers=tuple(printer.pointers()),
        body=body,
        guard=guard,
        far_body=(*distant.body(), *distant.stores()) if guard else (),
    )


def _sum_view(printer: SumBody, distant: SumBody) -> SumView:
    return SumView(
        lines=_pass_view(printer, distant),
        fetches=tuple(printer.fetches()),
        ahead=_AHEAD,
        lanes=tuple(printer.lanes()),
        flush=tuple(printer.flush()),
    )


def _support(functions: Iterable[str], variant: Variant) -> list[str]:
    """The mathematics that is used, and conversions."""
    texts = definitions(sorted(functions))
    lines = [line for text in texts for line in (*text.strip().split("\n"), "")]
    return [*lines, *CONVERSIONS["bfloat16" if variant.dtype == "bfloat16" else ""]]


def _rows(routine: Routine, loop: Loop, variant: Variant) -> list[RowView]:
    """The results one by one, where there are several that are stored and easily computed."""
    wanted = [loop.results[k] for k in variant.wanted]
    needs = [needed(loop.nodes, {result.node}) for result in wanted]
    bodies = [
        [node for node, is_needed in zip(loop.nodes, need, strict=True) if is_needed]
        for need in needs
    ]
    operations = [node for body in bodies for node in body if node.op not in LEAVES]
    is_few = len(operations) <= _FEW_OPERATIONS * len(wanted)
    is_cheap = all(node.op in _CHEAP or node.is_square for node in operations)
    if any(variant.reduced) or len(wanted) < 2 or not (is_few and is_cheap):
        return []
    found = []
    for k, place in enumerate(variant.wanted):
        alone = replace(variant, wanted=(place,), reduced=(False,))
        printer = KernelBody(routine, loop, alone, first=k)
        body = printer.body()
        found.append(
            RowView(
                opening=tuple(printer.opening()),
                pointers=tuple(printer.pointers()),
                body=(*body, *printer.stores()),
            )
        )
    return found
