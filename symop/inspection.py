"""What is known of the kernels of an op on a GPU: the record, and how it is shown."""

from __future__ import annotations

import json
from dataclasses import dataclass

from symop.gpu_code import Code
from symop.gpu_kernels import KernelText, Target


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
    if not found.rows:
        return (
            f"{found.op} on {found.target}, {found.dtype}: no kernel is launched, as with these "
            "shapes there is no element to compute; the results are empty, or what sums, products "
            "and extrema of nothing are"
        )
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
