"""The Triton backend: a fused loop as one kernel, text that a person can read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from symop.backends import triton_math
from symop.backends.triton_choices import for_float32, with_fewer_divisions
from symop.backends.triton_operands import Operands, Parameter
from symop.backends.triton_places import Places
from symop.backends.triton_sums import Sums
from symop.backends.triton_variant import Variant
from symop.layout import WIDTH, laid_out
from symop.loops import Loop, Routine, schedule
from symop.lowering import NoForm, lower
from symop.program import Program
from symop.rendering import render


def routine(program: Program, numbers: Sequence[str] = ()) -> Routine | None:
    """The loops of a program in the operations of Triton; None where it lacks one of them.

    Args:
        program: any program.
        numbers: outputs that are kept in the type that is computed in.
    """
    try:
        lowered = lower(program, triton_math.SPELLED, pull=False)
    except NoForm:
        return None
    made = schedule(with_fewer_divisions(lowered))
    return made and replace(made, numbers=frozenset(numbers))


def lack(program: Program) -> str:
    """What of a program without a routine kernels cannot do."""
    try:
        lower(program, triton_math.SPELLED, pull=False)
    except NoForm as error:
        return f"the function {error.function} has no form in Triton"
    return "the gradient of prod has no form in Triton"


@dataclass(frozen=True)
class Kernel:
    """The text of a kernel, and what it is called with.

    entry: its name in the text.
    parameters: what is passed, in order: ("input", k), ("result", k), ("size", dim),
        ("stride", operand, dim), ("count", k), or one of ("programs", "rows"),
        ("programs", "columns"), ("partials",), ("arrived",); constants follow, by name.
    constants: the names of the sizes of blocks and units.
    """

    text: str
    entry: str
    parameters: tuple[Parameter, ...]
    constants: tuple[str, ...]


@dataclass(frozen=True)
class KernelView:
    """A kernel; every field is finished text, or lines of it."""

    title: str
    imports: tuple[str, ...]
    definitions: tuple[str, ...]
    elements: tuple[str, ...]
    body: tuple[str, ...]
    signature: tuple[str, ...]
    opening: tuple[str, ...]
    loop: str
    place: tuple[str, ...]
    is_full: str
    full: tuple[str, ...]
    rest: tuple[str, ...]
    closing: tuple[str, ...]


def kernel(name: str, routine: Routine, loop: Loop, variant: Variant) -> Kernel:
    """The kernel of one loop.

    Args:
        name: the name of the op.
        routine: what the loop belongs to.
        loop: the loop.
        variant: what it is specialised to.
    """
    loop = loop if variant.is_double else for_float32(loop)
    operands = Operands(routine, loop, variant)
    places = Places(operands)
    sums = Sums(operands, places)
    # The order of what asks for parameters is that of the signature.
    operands.leading()
    sums.count_parameters()
    opening = [*places.program(), *operands.uniform_loads()]
    before, start, place = places.blocks()
    opening += [*before, *sums.accumulators()]
    closing = sums.closing()
    tile = ["ROWS", "COLUMNS", "STRIDE_UNIT", "COLUMN_UNIT"] if operands.is_tile else ["BLOCK"]
    constants = [*tile, *sums.part_sizes()]
    slots = [result.slot for result in operands.results]
    entry = f"{name}_{'_'.join(slots)}"[:60]
    declared = operands.declared()
    parameters = [own for own, _ in declared] + [f"{c}: tl.constexpr" for c in constants]
    functions = sorted(operands.body.functions)
    indent = 8 if start else 4
    view = KernelView(
        title=f"{', '.join(slots)} of {name}, {variant.dtype}.",
        imports=triton_math.imports(functions),
        definitions=(
            *triton_math.definitions(functions, is_half=variant.is_half), *sums.definitions(),
        ),
        elements=_signature("_elements", operands.element_names()),
        body=_laid([*operands.lines, f"return {', '.join(operands.returned)}"], 4),
        signature=_signature(entry, parameters),
        opening=_laid(opening, 4),
        loop=start,
        place=_laid(place, indent),
        is_full=places.is_full(),
        full=_laid(_visit(operands, places, sums, is_full=True), indent + 4),
        rest=_laid(_visit(operands, places, sums, is_full=False), indent + 4),
        closing=_laid(closing, 4),
    )  # fmt: skip
    text = render("kernel_triton.py.j2", view)
    return Kernel(text, entry, tuple(what for _, what in declared), tuple(constants))


def _visit(operands: Operands, places: Places, sums: Sums, *, is_full: bool) -> list[str]:
    """The lines that compute one block."""
    lines = [] if is_full else places.masks()
    for k in operands.inputs:
        if any(operands.variant.steps[k]):
            offset = places.offset(k)
            place = f"{operands.pointers[k]} + {offset}" if offset else operands.pointers[k]
            mask = "" if is_full or not offset else f", mask={places.mask(k)}, other=0"
            lines.append(f"{operands.values[k]} = {operands.load(k, place, mask)}")
    given = ", ".join(operands.element_values())
    lines.append(f"{', '.join(operands.outs)} = _elements({given})")
    first = len(operands.loop.inputs)
    for k, (out, pointer) in enumerate(zip(operands.outs, operands.out_pointers, strict=True)):
        if k in sums.names:
            lines.append(sums.accumulate(k, is_full=is_full))
        else:
            mask = "" if is_full else ", mask=is_inside"
            lines.append(f"tl.store({pointer} + {places.offset(first + k)}, {out}{mask})")
    return lines


def _laid(lines: Sequence[str], indent: int) -> tuple[str, ...]:
    """Logical lines that stand at an indent, laid out, without the indent."""
    pad = " " * indent
    found: list[str] = []
    for line in lines:
        is_plain = line.lstrip().startswith("#") or "= " in line.partition(" ")[2][1:3]
        found += [pad + line] if is_plain else laid_out(pad + line)
    return tuple(line[indent:] for line in found)


def _signature(name: str, parameters: Sequence[str]) -> tuple[str, ...]:
    line = f"def {name}({', '.join(parameters)}):"
    inner = f"    {', '.join(parameters)}"
    if len(line) <= WIDTH:
        return (line,)
    if len(inner) <= WIDTH:
        return (f"def {name}(", inner, "):")
    return (f"def {name}(", *(f"    {p}," for p in parameters), "):")
