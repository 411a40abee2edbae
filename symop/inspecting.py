"""The kernels of an op on a GPU that need not be there: what they move, hold and compute."""

from __future__ import annotations

import ast
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from symop.backends.triton import Kernel, kernel, lack
from symop.backends.triton import routine as triton_routine
from symop.backends.triton_math import options
from symop.errors import InspectionError
from symop.fused import Fused
from symop.gpu_code import Code, KernelText, Target, compiled, parsed_target, warp_size
from symop.layouts import Layout, LoopLayout, layout
from symop.loops import Loop, Routine
from symop.program import Program
from symop.python_text import syntax_tree
from symop.routines import Prepared, Routines
from symop.tiling import Tiling, tiling

if TYPE_CHECKING:
    from symop.operators import Op

# What arguments without a shape have: a size that nothing divides, as most sizes are.
_SIZE = 2**24 + 43
_POINTERS = {
    torch.float16: "*fp16", torch.bfloat16: "*bf16", torch.float32: "*fp32",
    torch.float64: "*fp64", torch.bool: "*i1",
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One kernel.

    pass_: forward, backward, or "value and gradients" of a loss.
    name: the results that it writes.
    least_loaded, least_stored: the bytes per element of the tensors that it has to read and write
        an element of for each of its own.
    kernel: its text and what it is compiled for.
    code: its machine code.
    """

    pass_: str
    name: str
    least_loaded: int
    least_stored: int
    kernel: KernelText
    code: Code


@dataclass(frozen=True)
class Inspection:
    """The kernels of an op on a target."""

    op: str
    target: Target
    dtype: str
    rows: tuple[Row, ...]

    def __str__(self) -> str:
        """As a table."""
        return table(self)


def inspected(
    op: Op,
    target: str,
    *,
    shapes: Mapping[str, Sequence[int]] | None = None,
    dtype: torch.dtype = torch.float32,
    wanted: Iterable[str] | None = None,
) -> Inspection:
    """The kernels of an op, compiled for a GPU that need not be there.

    Args:
        op: what `symop.compile` returned.
        target: cuda:80, cuda:90, cuda:100, hip:gfx942 ...
        shapes: of the arguments, by name; one not named has one dim of many elements.
        dtype: of the arguments: float16, bfloat16, float32 or float64.
        wanted: the arguments whose gradients are computed; all of them by default.

    Returns:
        A row for each kernel: bytes and instructions per element, registers, and its machine code.

    Raises:
        InspectionError: the target or an argument is none, Triton is missing, or kernels cannot
            do the formula.

    Example:
        >>> import symop
        >>> from symop.inspecting import inspected
        >>> found = inspected(symop.compile("x*w"), "cuda:90", wanted=["x"])  # doctest: +SKIP
        >>> found.rows[0].code.narrowest  # doctest: +SKIP
        16
    """
    return _Inspector(op, parsed_target(target), dict(shapes or {}), dtype, wanted).run()


class _Inspector:
    def __init__(
        self, op: Op, target: Target, shapes: dict[str, Sequence[int]], dtype: torch.dtype,
        wanted: Iterable[str] | None,
    ) -> None:  # fmt: skip
        formula = op._formula
        _known(shapes, op.args, "argument")
        if dtype not in _POINTERS or dtype == torch.bool:
            raise InspectionError(f"kernels compute in float16 to float64, not in {dtype}")
        self.op = op
        self.target = target
        self.dtype = dtype
        self.is_precise = formula.precision == "high"
        self.kernels = _Routines(op.name, op.args, triton_routine, is_precise=self.is_precise)
        self.fused = Fused(formula, op._generated, self.kernels, "cuda")
        self.values = [
            torch.empty(
                tuple(shapes.get(a.name, (_SIZE,))),
                dtype=torch.bool if a.is_mask else dtype,
                device="meta",
            )
            for a in op.program.arguments
        ]
        self.shapes = [value.shape for value in self.values]
        gradients = self.fused.plan.wanted
        chosen = tuple(gradients if wanted is None else wanted)
        _known(chosen, gradients, "argument with a gradient")
        self.needs = sum(1 << k for k, name in enumerate(gradients) if name in chosen)

    def run(self) -> Inspection:
        scalars = sum(
            1 << k for k, place in enumerate(self.fused.places) if not self.values[place].dim()
        )
        rows: list[Row] = []
        both = self.fused.loss(self.needs) if self.needs and self.needs & ~scalars == 0 else None
        if both is not None:
            rows += self._rows("value and gradients", both, self.values, first_number=1)
        else:
            rows += self._rows("forward", self.fused.forward, self.values)
            if self.needs:
                rows += self._rows("backward", self.fused.gradient(self.needs), self._saved())
        return Inspection(
            self.op.name, self.target, str(self.dtype).removeprefix("torch."), tuple(rows)
        )

    def _saved(self) -> list[Tensor]:
        """What backward has: what was saved, then the cotangents, which are like the outputs."""
        forward = self._prepared(self.fused.forward, self.op.program)
        made = self._layout(forward, self.values)
        outputs = [
            torch.empty_strided(r.shape, r.strides, dtype=r.dtype, device="meta")
            for r in made.results[: made.outputs]
        ]
        sources = (self.values, outputs)
        return [sources[kind][place] for kind, place in self.fused.saved] + outputs

    def _prepared(self, prepared: Prepared | None, program: Program) -> Prepared:
        if prepared is None:
            raise InspectionError(
                f"{self.op.name} has no kernels: {lack(program)}; plain PyTorch operations run"
            )
        return prepared

    def _layout(
        self, prepared: Prepared, values: Sequence[Tensor], first_number: int | None = None
    ) -> Layout:
        return layout(
            prepared.data, [values[k] for k in prepared.inputs], self.shapes, first_number
        )

    def _rows(
        self, pass_: str, prepared: Prepared | None, values: Sequence[Tensor], *,
        first_number: int | None = None,
    ) -> Iterable[Row]:  # fmt: skip
        program = self.fused.plan.gradient if pass_ == "backward" else self.op.program
        made = self._layout(self._prepared(prepared, program), values, first_number)
        for loop in made.loops:
            wanted = made.wanted(loop)
            if wanted and 0 not in loop.shape:
                yield self._row(pass_, made, loop, wanted)

    def _row(self, pass_: str, made: Layout, loop: LoopLayout, wanted: list[int]) -> Row:
        routine, body = self.kernels.loop(loop.code)
        dtype = str(self.dtype).removeprefix("torch.")
        cut = tiling(body, loop, wanted, dtype, is_precise=self.is_precise)
        printed = kernel(self.op.name, routine, body, cut.variant)
        text = _text(printed, cut, made, loop, self.target)
        whole = _whole(made, loop, printed, cut)
        kinds = dict(zip(_parameters(printed), printed.parameters, strict=False))
        least = Counter[str]()
        for parameter, size in whole.items():
            least[str(kinds[parameter][0])] += size
        text = replace(text, whole=tuple(whole))
        name = ", ".join(body.results[k].slot for k in wanted)
        return Row(pass_, name, least["input"], least["result"], text, compiled(text, self.target))


class _Routines(Routines):
    def loop(self, code: int) -> tuple[Routine, Loop]:
        """A loop, and the routine that it is of."""
        return self._loops[code]


def _known(names: Iterable[str], known: Sequence[str], what: str) -> None:
    for name in names:
        if name not in known:
            raise InspectionError(f"no {what} {name}; there are {', '.join(known) or 'none'}")


def _whole(made: Layout, loop: LoopLayout, printed: Kernel, cut: Tiling) -> dict[str, int]:
    """The parameters of tensors as large as the loop, and their bytes per element."""
    found = {}
    for name, (kind, *which) in zip(_parameters(printed), printed.parameters, strict=False):
        if kind in ("input", "result"):
            slot, row = _slot(loop, cut, kind, int(which[0]))
            strides = loop.strides[row]
            if all(s or n == 1 for n, s in zip(loop.shape, strides, strict=True)):
                found[name] = _dtype(made, slot).itemsize
    return found


def _slot(loop: LoopLayout, cut: Tiling, kind: str | int, place: int) -> tuple[int, int]:
    """The slot of an operand, and its place among the strides of the loop."""
    if kind == "input":
        return loop.inputs[place], place
    own = cut.variant.wanted[place]
    return loop.results[own], len(loop.inputs) + own


def _dtype(made: Layout, slot: int) -> torch.dtype:
    if slot >= made.tensors:
        return made.results[slot - made.tensors].dtype
    return made.dtype


def _text(
    printed: Kernel, cut: Tiling, made: Layout, loop: LoopLayout, target: Target
) -> KernelText:
    """A kernel as the host would have it compiled: numbers that are 1 are constants."""
    signature: list[tuple[str, str]] = []
    constants: dict[str, int] = {}
    divisible: list[str] = []
    names = _parameters(printed)
    for name, (kind, *which) in zip(names, printed.parameters, strict=False):
        if kind in ("input", "result"):
            slot, _ = _slot(loop, cut, kind, int(which[0]))
            signature.append((name, _POINTERS[_dtype(made, slot)]))
            divisible.append(name)
        elif kind in ("partials", "arrived"):
            real = "*i32" if kind == "arrived" else _POINTERS[made.real]
            signature.append((name, real))
            divisible.append(name)
        else:
            value = _value(kind, which, cut, loop)
            if value == 1:
                constants[name] = 1
            elif value % 16 == 0:
                divisible.append(name)
            number = "i64" if value >= 2**31 else "i32"
            signature.append((name, "constexpr" if value == 1 else number))
    for name in printed.constants:
        signature.append((name, "constexpr"))
        constants[name] = cut.constants[name]
    block = cut.constants.get("BLOCK") or cut.constants["ROWS"] * cut.constants["COLUMNS"]
    return KernelText(
        source=printed.text,
        entry=printed.entry,
        signature=tuple(signature),
        constants=tuple(constants.items()),
        divisible=tuple(divisible),
        elements=block,
        num_warps=cut.warps * 32 // warp_size(target),
        options=tuple(options(target.kind).items()),
    )


def _value(kind: str | int, which: Sequence[str | int], cut: Tiling, loop: LoopLayout) -> int:
    """A number that a kernel is launched with."""
    match kind:
        case "count":
            return loop.counts[int(which[0])]
        case "size":
            dim = int(which[0])
            is_columns = len(cut.sizes) > 1 and dim == len(cut.sizes) - 1
            return cut.sizes[dim] // (cut.constants["COLUMN_UNIT"] if is_columns else 1)
        case "stride":
            stride = cut.strides[int(which[0])][int(which[1])]
            return stride // cut.constants.get("STRIDE_UNIT", 1)
        case _:
            return cut.programs[str(which[0])]


def _parameters(printed: Kernel) -> list[str]:
    functions = {
        n.name: n for n in syntax_tree(printed.text).body if isinstance(n, ast.FunctionDef)
    }
    return [a.arg for a in functions[printed.entry].args.args]


# What is shown

_COLUMNS = (
    "pass", "results", "B/el loaded", "least", "B/el stored", "least", "again", "width",
    "registers", "spills", "stack", "instr/el", "float64", "atomics",
)  # fmt: skip


def columns() -> tuple[str, ...]:
    """The heads of the columns of the table."""
    return _COLUMNS


def cells(row: Row) -> tuple[str, ...]:
    """What the table says of a kernel."""
    code = row.code
    return (
        row.pass_, row.name, f"{code.loaded:.4g}", str(row.least_loaded),
        f"{code.stored:.4g}", str(row.least_stored), f"{code.again:.4g}", str(code.narrowest),
        str(code.registers), str(code.spills), str(code.stack), f"{code.instructions:.1f}",
        str(code.float64), str(code.atomics),
    )  # fmt: skip


def table(found: Inspection) -> str:
    """The kernels as a table, a line each."""
    rows = [_COLUMNS, *(cells(row) for row in found.rows)]
    widths = [max(len(row[k]) for row in rows) for k in range(len(_COLUMNS))]
    lines = [
        "  ".join(
            text.ljust(width) if k < 2 else text.rjust(width)
            for k, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    head = f"{found.op} on {found.target}, {found.dtype}: bytes and instructions per element"
    return "\n".join([head, *lines])


def as_json(found: Inspection) -> str:
    """The kernels for machines."""
    rows = [
        {
            "pass": row.pass_, "results": row.name, "entry": row.kernel.entry,
            "loaded": row.code.loaded, "least_loaded": row.least_loaded,
            "stored": row.code.stored, "least_stored": row.least_stored,
            "again": row.code.again, "once": row.code.once, "narrowest": row.code.narrowest,
            "widths": [list(entry) for entry in row.code.widths],
            "registers": row.code.registers, "spills": row.code.spills,
            "stack": row.code.stack, "shared": row.code.shared,
            "instructions": row.code.instructions, "float64": row.code.float64,
            "atomics": row.code.atomics, "elements": row.kernel.elements,
            "num_warps": row.kernel.num_warps,
        }
        for row in found.rows
    ]  # fmt: skip
    head = {"op": found.op, "target": str(found.target), "dtype": found.dtype}
    return json.dumps({**head, "kernels": rows}, indent=2)


def report(
    op: Op,
    target: str,
    *,
    shapes: Iterable[str] = (),
    dtype: str = "float32",
    wanted: str | None = None,
    is_asm: bool = False,
    is_json: bool = False,
) -> str:
    """What `symop inspect` prints.

    Args:
        op: the op.
        target: see `inspected`.
        shapes: texts `NAME=4096x1024`; `NAME=` is a 0-d tensor.
        dtype: the name of the dtype.
        wanted: names of arguments, with commas between them.
        is_asm: whether the machine code follows the table.
        is_json: whether the table is for machines.

    Raises:
        InspectionError: see `inspected`; or a shape or dtype is none.
    """
    kind = getattr(torch, dtype, None)
    if not isinstance(kind, torch.dtype):
        raise InspectionError(f"no dtype {dtype!r}; there are float16, bfloat16, float32, float64")
    found = inspected(
        op,
        target,
        shapes=dict(map(_shape, shapes)),
        dtype=kind,
        wanted=None if wanted is None else [name for name in wanted.split(",") if name],
    )
    text = as_json(found) if is_json else table(found)
    if not is_asm:
        return text
    codes = [f"{row.pass_}: {row.name}\n{row.kernel.source}\n{row.code.text}" for row in found.rows]
    return "\n\n".join([text, *codes])


def _shape(text: str) -> tuple[str, tuple[int, ...]]:
    name, sign, sizes = text.partition("=")
    parts = sizes.split("x") if sizes else []
    if not sign or not name or not all(part.isdecimal() for part in parts):
        raise InspectionError(f"no shape: {text!r}; write NAME=4096x1024, or NAME= for one number")
    return name, tuple(map(int, parts))
