"""Where a program of a kernel stands: its block or tile, and the places of operands in it."""

from __future__ import annotations

from collections.abc import Sequence

from symop.backends.triton_operands import Operands
from symop.backends.triton_variant import ANY, ONE


class Places:
    """The places of a kernel.

    size: the name of the size of the last dim.

    Args:
        operands: the operands, whose sizes and strides it asks for.
    """

    def __init__(self, operands: Operands) -> None:
        self.operands = operands
        self.variant = operands.variant
        self.is_tile = operands.is_tile
        self.size = "columns" if self.is_tile else "n"

    def program(self) -> list[str]:
        """The lines that say which program this is, and where operands begin for it."""
        own = self.operands
        own.parameter(self.size, "size", self.variant.dims - 1)
        program = "tl.program_id(0)" + (".to(tl.int64)" if self.variant.is_large else "")
        if not self.is_tile:
            own.stride_parameters()
            if self.variant.along and self.variant.is_split:
                return [f"program = {program}", "programs = tl.num_programs(0)"]
            return [f"program = {program}"]
        own.parameter("rows", "size", self.variant.dims - 2)
        own.parameter("row_programs", "programs", "rows")
        own.parameter("column_programs", "programs", "columns")
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
                    size = own.size(dim)
                    lines += [f"index{dim} = rest % {size}", f"rest = rest // {size}"]
                else:
                    lines.append("index0 = rest")
        own.stride_parameters()
        lines.append("# Sizes and strides come in units, so that it is known what divides them.")
        lines.append("columns = columns * COLUMN_UNIT")
        lines += [f"{name} = {name} * STRIDE_UNIT" for name in own.strides.values()]
        for operand, pointer in own.addressed():
            steps = self.variant.steps[operand]
            parts = [
                f"index{dim} * {own.strides[operand, dim]}" if steps[dim] == ANY else f"index{dim}"
                for dim in range(batch)
                if steps[dim]
            ]
            if parts:
                lines.append(f"{pointer} += {' + '.join(parts)}")
        return lines

    def blocks(self) -> tuple[list[str], str, list[str]]:
        """What stands before the loop over blocks, the loop, and what stands in it first."""
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

    def is_full(self) -> str:
        """The condition that a block has all its elements."""
        if not self.is_tile:
            return "start + BLOCK <= n"
        return "(row_start + ROWS <= rows) & (column_start + COLUMNS <= columns)"

    def masks(self) -> list[str]:
        """The lines that say which elements of a block there are."""
        if not self.is_tile:
            return ["is_inside = offset < n"]
        return [
            "is_row = row < rows",
            "is_column = column < columns",
            "is_inside = is_row & is_column",
        ]

    def mask(self, operand: int) -> str:
        """The name of the mask of an operand."""
        if not self.is_tile:
            return "is_inside"
        row, column = self.variant.steps[operand][-2:]
        return "is_inside" if row and column else "is_row" if row else "is_column"

    def offset(self, operand: int) -> str:
        """The places of an operand in a block; nothing where it is one element."""
        steps = self.variant.steps[operand][-2:]
        axes = ("row", "column") if self.is_tile else ("offset",)
        first = self.variant.dims - len(steps)
        parts = [
            axis if step == ONE else f"{axis} * {self.operands.strides[operand, first + dim]}"
            for dim, (axis, step) in enumerate(zip(axes, steps, strict=True))
            if step
        ]
        return " + ".join(parts)

    def mixed(self, pattern: Sequence[bool], *, is_kept: bool) -> tuple[str, str]:
        """The place of this program among those that keep, or reduce, the dims; their number."""
        if not self.is_tile:
            return ("0", "1") if is_kept else ("program", "programs")
        batch = self.variant.dims - 2
        digits = [(f"index{dim}", self.operands.size(dim)) for dim in range(batch)]
        digits += [("row_program", "row_programs"), ("column_program", "column_programs")]
        chosen = [d for d, kept in zip(digits, pattern, strict=True) if kept == is_kept]
        place, number = "0", "1"
        for index, size in chosen:
            place = index if place == "0" else f"{_tight(place)} * {size} + {index}"
            number = size if number == "1" else f"{number} * {size}"
        return place, number

    def lanes(self, pattern: Sequence[bool]) -> tuple[str, str]:
        """How many numbers of a result a program holds, and their places."""
        row, column = pattern[-2:] if self.is_tile else (False, False)
        rows, columns = "tl.arange(0, ROWS)", "tl.arange(0, COLUMNS)"
        if row and column:
            return "(ROWS * COLUMNS)", f"{rows}[:, None] * COLUMNS + {columns}[None, :]"
        if row:
            return "ROWS", rows
        return ("COLUMNS", columns) if column else ("", "")


def _tight(text: str) -> str:
    return text if text.isidentifier() else f"({text})"
