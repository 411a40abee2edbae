"""The Triton backend: a fused loop as one kernel, text that a person can read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from symop.backends import triton_math
from symop.backends.c_text import Text
from symop.backends.triton_body import TAKEN, TritonBody
from symop.layout import WIDTH, laid_out
from symop.loops import Loop, Result, Routine, schedule
from symop.lowering import NoForm, lower
from symop.names import unused
from symop.program import Program
from symop.rendering import render

# A step of an operand along a dim: none, one element, or a number known at run time.
NONE, ONE, ANY = 0, 1, 2

_COMBINE = {
    "sum": ("sum", "0.0"),
    "prod": ("product", "1.0"),
    "amax": ("largest", 'float("-inf")'),
    "amin": ("smallest", 'float("inf")'),
}


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
    made = schedule(lowered)
    return made and replace(made, numbers=frozenset(numbers))


def lack(program: Program) -> str:
    """What of a program without a routine kernels cannot do."""
    try:
        lower(program, triton_math.SPELLED, pull=False)
    except NoForm as error:
        return f"the function {error.function} has no form in Triton"
    return "the gradient of prod has no form in Triton"


@dataclass(frozen=True)
class Variant:
    """What a kernel is made for.

    dtype: the dtype of the tensors.
    wanted: the positions of the results that are computed.
    steps: for each input, then for each wanted result, its step along each dim of the iteration.
        An input without steps is one element; a result without a step along a dim is reduced
        over it. The last dim is that of columns, the one before it that of rows.
    is_precise: whether everything is evaluated in float64.
    is_large: whether places need 64 bits.
    is_split: whether several programs contribute to what is reduced.
    """

    dtype: str
    wanted: tuple[int, ...]
    steps: tuple[tuple[int, ...], ...]
    is_precise: bool = False
    is_large: bool = False
    is_split: bool = False

    @property
    def is_double(self) -> bool:
        """Whether the kernel computes in float64."""
        return self.is_precise or self.dtype == "float64"

    @property
    def dims(self) -> int:
        """How many dims the iteration has."""
        return len(self.steps[0])

    @property
    def kept(self) -> tuple[tuple[bool, ...], ...]:
        """For each wanted result, the dims that it keeps."""
        first = len(self.steps) - len(self.wanted)
        return tuple(tuple(map(bool, row)) for row in self.steps[first:])

    @property
    def patterns(self) -> tuple[tuple[bool, ...], ...]:
        """The different ways in which results are reduced."""
        return tuple(dict.fromkeys(kept for kept in self.kept if not all(kept)))

    @property
    def along(self) -> str:
        """Along what a program goes: "rows", "columns", or nothing."""
        for name, dim in (("rows", -2), ("columns", -1)):
            if self.dims + dim >= 0 and self.patterns and not any(p[dim] for p in self.patterns):
                return name
        return ""


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
    parameters: tuple[tuple[str | int, ...], ...]
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
    return _Printer(name, routine, loop, variant).kernel()


class _Printer:
    def __init__(self, name: str, routine: Routine, loop: Loop, variant: Variant) -> None:
        self.name = name
        self.loop = loop
        self.variant = variant
        self.real = "tl.float64" if variant.is_double else "tl.float32"
        self.temporaries = {name for name, _ in routine.temporaries} | routine.numbers
        self.results = [loop.results[k] for k in variant.wanted]
        self.body = TritonBody(loop, self.results, variant.is_double)
        self.lines = [*self.body.before, *self.body.body()]
        self.returned = self.body.returned()
        self.taken = set(TAKEN) | _LOCAL | {self.body.count_name(k) for k in self.body.counts()}
        self.taken |= {f"{n}{k}" for n in _NUMBERED for k in range(64)}
        read = self.body.read()
        self.inputs = [k for k, a in enumerate(loop.inputs) if a.name in read]
        self.values = {k: self._own(self.body.names[loop.inputs[k].name]) for k in self.inputs}
        self.outs = [self._own(result.slot) for result in self.results]
        self.pointers = {k: self._own(f"{self.values[k]}_ptr") for k in self.inputs}
        self.out_pointers = [self._own(f"{out}_ptr") for out in self.outs]
        self.is_tile = variant.dims > 1
        self.size = "columns" if self.is_tile else "n"
        self.parameters: list[tuple[str | int, ...]] = []
        self.names: list[str] = []
        self.strides: dict[tuple[int, int], str] = {}
        self.sums = {
            k: self._own(f"{_COMBINE[r.combine][0]}_{self.outs[k]}")
            for k, r in enumerate(self.results)
            if not all(variant.kept[k])
        }

    def _own(self, name: str) -> str:
        name = unused(name, self.taken)
        self.taken.add(name)
        return name

    def _parameter(self, name: str, *what: str | int) -> str:
        self.names.append(name)
        self.parameters.append(what)
        return name

    def kernel(self) -> Kernel:
        for k in self.inputs:
            self._parameter(self.pointers[k], "input", k)
        for k, pointer in enumerate(self.out_pointers):
            self._parameter(pointer, "result", k)
        for count in self.body.counts():
            self._parameter(self.body.count_name(count), "count", count)
        for k, result in enumerate(self.results):
            if result.over is not None and k in self.sums:
                self._parameter(f"over{k}", "count", self.loop.counts.index(result.over))
        opening = self._where()
        opening += self._uniform_loads()
        before, start, place = self._place()
        opening += [*before, *self._accumulators()]
        full, rest = self._visit(is_full=True), self._visit(is_full=False)
        closing = self._closing()
        # What programs share comes after the numbers, in the order in which it is prepared.
        declared = sorted(
            zip(self.names, self.parameters, strict=True),
            key=lambda pair: ("partials", "arrived").index(pair[1][0]) + 1
            if pair[1][0] in ("partials", "arrived") else 0,
        )  # fmt: skip
        constants = [
            *(["ROWS", "COLUMNS", "STRIDE_UNIT", "COLUMN_UNIT"] if self.is_tile else ["BLOCK"]),
            *(["PARTS"] if self.sums and self.variant.is_split else []),
        ]
        slots = "_".join(result.slot for result in self.results)
        entry = f"{self.name}_{slots}"[:60]
        alike = ", ".join(r.slot for r in self.results)
        parameters = [name for name, _ in declared] + [f"{c}: tl.constexpr" for c in constants]
        indent = 8 if start else 4
        view = KernelView(
            title=f"{alike} of {self.name}, {self.variant.dtype}.",
            imports=triton_math.imports(sorted(self.body.functions)),
            definitions=self._definitions(),
            elements=_signature("_elements", self._element_arguments()),
            body=_laid([*self.lines, f"return {', '.join(self.returned)}"], 4),
            signature=_signature(entry, parameters),
            opening=_laid(opening, 4),
            loop=start,
            place=_laid(place, indent),
            is_full=self._is_full(),
            full=_laid(full, indent + 4),
            rest=_laid(rest, indent + 4),
            closing=_laid(closing, 4),
        )
        text = render("kernel_triton.py.j2", view)
        return Kernel(text, entry, tuple(what for _, what in declared), tuple(constants))

    def _definitions(self) -> tuple[str, ...]:
        functions = sorted(self.body.functions)
        combined = sorted({self.results[k].combine for k in self.sums} - {"sum"})
        return (
            *triton_math.definitions(functions, self.variant.is_double),
            *(
                f"@triton.jit\ndef {_COMBINER[name]}(a, b):\n    return {_COMBINERS[name]}"
                for name in combined
            ),
        )

    def _element_arguments(self) -> list[str]:
        names = [self.body.names[self.loop.inputs[k].name] for k in self.inputs]
        return [*names, *map(self.body.count_name, self.body.counts())]

    # Where a program is

    def _where(self) -> list[str]:
        self._parameter(self.size, "size", self.variant.dims - 1)
        program = "tl.program_id(0)" + (".to(tl.int64)" if self.variant.is_large else "")
        if not self.is_tile:
            self._stride_parameters()
            if self.variant.along and self.variant.is_split:
                return [f"program = {program}", "programs = tl.num_programs(0)"]
            return [f"program = {program}"]
        self._parameter("rows", "size", self.variant.dims - 2)
        self._parameter("row_programs", "programs", "rows")
        self._parameter("column_programs", "programs", "columns")
        batch = self.variant.dims - 2
        lines = [
            f"program = {program}",
            "column_program = program % column_programs",
            "row_program = program // column_programs" + (" % row_programs" if batch else ""),
        ]
        if batch:
            lines.append("rest = program // (column_programs * row_programs)")
            for dim in reversed(range(batch)):
                if dim:
                    size = self._parameter(f"size{dim}", "size", dim)
                    lines += [f"index{dim} = rest % {size}", f"rest = rest // {size}"]
                else:
                    lines.append("index0 = rest")
        self._stride_parameters()
        lines.append("# Sizes and strides come in units, so that it is known what divides them.")
        lines.append("columns = columns * COLUMN_UNIT")
        lines += [f"{name} = {name} * STRIDE_UNIT" for name in self.strides.values()]
        for operand, pointer in self._operands():
            steps = self.variant.steps[operand]
            parts = [
                f"index{dim} * {self._stride(operand, dim)}" if steps[dim] == ANY else f"index{dim}"
                for dim in range(batch)
                if steps[dim]
            ]
            if parts:
                lines.append(f"{pointer} += {' + '.join(parts)}")
        return lines

    def _operands(self) -> list[tuple[int, str]]:
        first = len(self.loop.inputs)
        return [(k, self.pointers[k]) for k in self.inputs] + [
            (first + k, pointer) for k, pointer in enumerate(self.out_pointers)
        ]

    def _stride(self, operand: int, dim: int) -> str:
        return self.strides[operand, dim]

    def _stride_parameters(self) -> None:
        first = len(self.loop.inputs)
        for operand, _ in self._operands():
            for dim, step in enumerate(self.variant.steps[operand]):
                if step == ANY:
                    value = self.values[operand] if operand < first else self.outs[operand - first]
                    axis = {1: "column", 2: "row"}.get(self.variant.dims - dim, f"index{dim}")
                    name = self._own(f"{value}_{axis if self.is_tile else 'step'}")
                    self.strides[operand, dim] = self._parameter(name, "stride", operand, dim)

    def _uniform_loads(self) -> list[str]:
        return [
            f"{self.values[k]} = {self._load(k, self.pointers[k], '')}"
            for k in self.inputs
            if not any(self.variant.steps[k])
        ] + [
            f"{name} = tl.cast({name}, {self.real})"
            for name in map(self.body.count_name, self.body.counts())
        ]

    def _load(self, k: int, place: str, mask: str) -> str:
        argument = self.loop.inputs[k]
        text = f"tl.load({place}{mask})"
        is_real = argument.is_mask or argument.name in self.temporaries
        element = f"tl.{self.variant.dtype}"
        return text if is_real or element == self.real else f"{text}.to({self.real})"

    def _accumulators(self) -> list[str]:
        shape = "[ROWS, COLUMNS]" if self.is_tile else "[BLOCK]"
        return [
            f"{name} = tl.full({shape}, {_COMBINE[self.results[k].combine][1]}, {self.real})"
            for k, name in self.sums.items()
        ]

    # One block

    def _place(self) -> tuple[list[str], str, list[str]]:
        """What stands before the loop, the loop, and what stands in it before the visit."""
        along = self.variant.along
        if not self.is_tile:
            lines = ["offset = start + tl.arange(0, BLOCK)"]
            if along:
                step = "programs * BLOCK" if self.variant.is_split else "BLOCK"
                return [], f"for start in range(program * BLOCK, n, {step}):", lines
            return [], "", ["start = program * BLOCK", *lines]
        before: list[str] = []
        inside: list[str] = []
        loop = ""
        for axis, other in (("row", "[:, None]"), ("column", "[None, :]")):
            size, lines = f"{axis.upper()}S", before
            if along == f"{axis}s":
                loop = (
                    f"for {axis}_start in range({axis}_program * {size}, {axis}s, "
                    f"{axis}_programs * {size}):"
                )
                lines = inside
            else:
                lines.append(f"{axis}_start = {axis}_program * {size}")
            lines.append(f"{axis} = {axis}_start + tl.arange(0, {size}){other}")
        return before, loop, inside

    def _is_full(self) -> str:
        if not self.is_tile:
            return "start + BLOCK <= n"
        return "(row_start + ROWS <= rows) & (column_start + COLUMNS <= columns)"

    def _offset(self, operand: int) -> str:
        steps = self.variant.steps[operand][-2:]
        axes = ("row", "column") if self.is_tile else ("offset",)
        first = self.variant.dims - len(steps)
        parts = [
            axis if step == ONE else f"{axis} * {self._stride(operand, first + dim)}"
            for dim, (axis, step) in enumerate(zip(axes, steps, strict=True))
            if step
        ]
        return " + ".join(parts)

    def _mask(self, operand: int) -> str:
        if not self.is_tile:
            return "is_inside"
        row, column = self.variant.steps[operand][-2:]
        return "is_inside" if row and column else "is_row" if row else "is_column"

    def _visit(self, *, is_full: bool) -> list[str]:
        lines = []
        if not is_full and not self.is_tile:
            lines.append("is_inside = offset < n")
        elif not is_full:
            lines += ["is_row = row < rows", "is_column = column < columns"]
            lines.append("is_inside = is_row & is_column")
        for k in self.inputs:
            steps = self.variant.steps[k]
            if any(steps):
                offset = self._offset(k)
                place = f"{self.pointers[k]} + {offset}" if offset else self.pointers[k]
                mask = "" if is_full or not offset else f", mask={self._mask(k)}, other=0"
                lines.append(f"{self.values[k]} = {self._load(k, place, mask)}")
        arguments = [self.values[k] for k in self.inputs]
        arguments += map(self.body.count_name, self.body.counts())
        lines.append(f"{', '.join(self.outs)} = _elements({', '.join(arguments)})")
        first = len(self.loop.inputs)
        for k, (out, pointer) in enumerate(zip(self.outs, self.out_pointers, strict=True)):
            if k in self.sums:
                lines.append(self._accumulate(self.results[k], self.sums[k], out, is_full))
            else:
                operand = first + k
                mask = "" if is_full else ", mask=is_inside"
                lines.append(f"tl.store({pointer} + {self._offset(operand)}, {out}{mask})")
        return lines

    def _accumulate(self, result: Result, total: str, value: str, is_full: bool) -> str:
        if not is_full:
            value = f"tl.where(is_inside, {value}, {_COMBINE[result.combine][1]})"
        if result.combine in ("sum", "prod"):
            return f"{total} {'+' if result.combine == 'sum' else '*'}= {value}"
        function = "maximum" if result.combine == "amax" else "minimum"
        return f"{total} = tl.{function}({total}, {value}, propagate_nan=tl.PropagateNan.ALL)"

    # What is reduced

    def _closing(self) -> list[str]:
        if not self.sums:
            return []
        if not self.variant.is_split:
            return [line for k in self.sums for line in self._finished(k, self._part(k), "")]
        partials = self._parameter("partials_ptr", "partials")
        counters = self._parameter("arrived_ptr", "arrived")
        lines: list[str] = []
        for number, pattern in enumerate(self.variant.patterns):
            suffix = str(number) if number else ""
            group, part, parts, span = (f"{n}{suffix}" for n in ("group", "part", "parts", "span"))
            lanes, lane = self._lanes(pattern)
            place, groups = self._mixed(pattern, is_kept=True)
            own, others = self._mixed(pattern, is_kept=False)
            lines += [f"{part} = {own}", f"{parts} = {others}"]
            before = ""
            if groups != "1":
                lines.append(f"{group} = {place}")
                before = f"{group} * {parts} + "
            members = [k for k in self.sums if self.variant.kept[k] == pattern]
            factors = [n for n in (groups, parts, lanes) if n not in ("", "1")]
            if len(factors) == 1:
                span = parts
            elif len(members) > 1 or number + 1 < len(self.variant.patterns):
                lines.append(f"{span} = {' * '.join(factors)}")
            finals = []
            for order, k in enumerate(members):
                at = f"({before}{part}) * {lanes} + {lane}" if lanes else f"{before}{part}"
                times = f"{order} * {span}" if order > 1 else span
                origin = f"{partials} + {times}" if order else partials
                lines.append(f"tl.store({origin} + {at}, {self._part(k)})")
                finals += [f"# {self.outs[k]}"] if len(self.sums) > 1 else []
                finals += self._total(k, origin, before, parts, lanes)
            counter = f"{counters} + {group}" if before else counters
            lines += [
                "# The program that arrives last adds up the parts, always in the same order.",
                "tl.debug_barrier()",
                f"if tl.atomic_add({counter}, 1) == {parts} - 1:",
                *(f"    {line}" for line in finals),
                f"    tl.store({counter}, 0)",
            ]
            if number + 1 < len(self.variant.patterns):
                times = f"{len(members)} * {span}" if len(members) > 1 else span
                lines += [f"{partials} += {times}", f"{counters} += {groups}"]
        return lines

    def _part(self, k: int) -> str:
        """What a program contributes, reduced over its block."""
        total, combine = self.sums[k], self.results[k].combine
        if not self.is_tile:
            return self._reduced(total, combine, "0")
        row, column = self.variant.kept[k][-2:]
        if row and column:
            return total
        if row or column:
            return self._reduced(total, combine, "1" if row else "0")
        return self._reduced(self._reduced(total, combine, "1"), combine, "0")

    def _reduced(self, value: str, combine: str, axis: str) -> str:
        if combine == "sum":
            return f"tl.sum({value}, {axis})"
        return f"tl.reduce({value}, {axis}, {_COMBINER[combine]})"

    def _mixed(self, pattern: Sequence[bool], is_kept: bool) -> tuple[str, str]:
        """The place of this program among those that keep, or reduce, the dims; their number."""
        if not self.is_tile:
            return ("0", "1") if is_kept else ("program", "programs")
        batch = self.variant.dims - 2
        digits = [(f"index{dim}", self._size(dim)) for dim in range(batch)]
        digits += [("row_program", "row_programs"), ("column_program", "column_programs")]
        chosen = [d for d, kept in zip(digits, pattern, strict=True) if kept == is_kept]
        place, number = "0", "1"
        for index, size in chosen:
            place = index if place == "0" else f"{_tight(place)} * {size} + {index}"
            number = size if number == "1" else f"{number} * {size}"
        return place, number

    def _size(self, dim: int) -> str:
        name = f"size{dim}"
        if name not in self.names:
            self._parameter(name, "size", dim)
        return name

    def _lanes(self, pattern: Sequence[bool]) -> tuple[str, str]:
        """How many numbers of a result a program holds, and their places."""
        row, column = pattern[-2:] if self.is_tile else (False, False)
        rows, columns = "tl.arange(0, ROWS)", "tl.arange(0, COLUMNS)"
        if row and column:
            return "(ROWS * COLUMNS)", f"{rows}[:, None] * COLUMNS + {columns}[None, :]"
        if row:
            return "ROWS", rows
        return ("COLUMNS", columns) if column else ("", "")

    def _total(self, k: int, origin: str, before: str, parts: str, lanes: str) -> list[str]:
        """The lines that bring the parts of a result together."""
        result = self.results[k]
        identity = _COMBINE[result.combine][1]
        shape = f"[PARTS, {lanes}]" if lanes else "[PARTS]"
        arange = "tl.arange(0, PARTS)" + ("[:, None]" if lanes else "")
        at = f"{before}later"
        if lanes:
            at = f"({at}) * {lanes} + tl.arange(0, {lanes})[None, :]"
        load = f"tl.load({origin} + {at}, mask=later < {parts}, other={identity}"
        return [
            f"total = tl.full({shape}, {identity}, {self.real})",
            f"for first in range(0, {parts}, PARTS):",
            f"    later = first + {arange}",
            f'    value = {load}, cache_modifier=".cg")',
            f"    {self._accumulate(result, 'total', 'value', True)}",
            *self._finished(k, self._reduced("total", result.combine, "0"), lanes),
        ]

    def _finished(self, k: int, value: str, lanes: str) -> list[str]:
        """The lines that store a result."""
        result = self.results[k]
        pointer = self.out_pointers[k]
        if result.over is not None:
            value = TritonBody.quotient(
                self.body, Text(value), Text(f"tl.cast(over{k}, {self.real})")
            ).text
        row, column = self.variant.kept[k][-2:] if self.is_tile else (False, False)
        if not (row or column):
            return [f"tl.store({pointer}, {value})"]
        operand = len(self.loop.inputs) + k
        lines, parts, masks = [], [], []
        for axis, dim, is_kept in (("row", -2, row), ("column", -1, column)):
            if not is_kept:
                continue
            index = f"tl.arange(0, {axis.upper()}S)"
            if row and column:
                lane = f"tl.arange(0, {lanes})"
                index = f"{lane} {'//' if axis == 'row' else '%'} COLUMNS"
            lines.append(f"{axis}_index = {axis}_start + {index}")
            step = self.variant.steps[operand][dim]
            stride = self.strides.get((operand, self.variant.dims + dim))
            parts.append(f"{axis}_index" if step == ONE else f"{axis}_index * {stride}")
            masks.append(
                f"({axis}_index < {axis}s)" if row and column else f"{axis}_index < {axis}s"
            )
        place = " + ".join([pointer, *parts])
        inside = f"({masks[0]}) & ({masks[1]})" if masks[1:] else masks[0]
        return [*lines, f"tl.store({place}, {value}, mask={inside})"]


def _tight(text: str) -> str:
    return text if text.isidentifier() else f"({text})"


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


# Functions that bring two numbers together, for what is no sum.
_COMBINER = {"prod": "_multiplied", "amax": "_larger", "amin": "_smaller"}
_COMBINERS = {
    "prod": "a * b",
    "amax": "tl.maximum(a, b, propagate_nan=tl.PropagateNan.ALL)",
    "amin": "tl.minimum(a, b, propagate_nan=tl.PropagateNan.ALL)",
}

_NUMBERED = ("index", "size", "over", "group", "part", "parts", "span")

# Names that kernels use themselves.
_LOCAL = frozenset(
    {
        "program", "programs", "rest", "row", "column", "rows", "columns", "n", "start", "offset",
        "row_program", "column_program", "row_programs", "column_programs", "row_start",
        "column_start", "is_row", "is_column", "is_inside", "total", "value", "later", "first",
        "row_index", "column_index", "partials_ptr", "arrived_ptr", "group", "part", "parts",
        "span",
    }
)  # fmt: skip
