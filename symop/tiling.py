"""How a loop over tensors of given layouts is cut into blocks for a GPU.

Dims are merged wherever the strides of all operands allow it. What is left is one dim, which is
cut into blocks, or several: the last two are cut into tiles, and every place in the others has
tiles of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import gcd, prod

from symop.backends.triton_variant import ANY, NONE, ONE, Variant
from symop.layouts import LoopLayout
from symop.loops import Loop
from symop.lowering import BUILT_IN
from symop.program import LEAVES, needed

_WARPS = 4
_THREADS = 32 * _WARPS
# Registers that the values of a thread may take, of the 128 that leave room for four blocks.
_REGISTERS = 96
# What is live at once in a body is at most about as much as this, and more for each function
# after the first, and for each sum.
_NAMES, _FUNCTION, _SUM = 8, 4, 2
# Programs that share a reduction: enough to fill a large device several times.
_PROGRAMS = 1024
# Steps that one program makes at most; a sum goes through that many additions, then a tree.
_STEPS = 64
_WIDEST = 16
# The side of a tile whose operands go in different directions.
_TURNED = 32
_INT32 = 2**31 - 2**16
_SIDES = ("BLOCK", "ROWS", "COLUMNS")
# Where kernels are timed: halves of the block that is chosen otherwise, and warps; that one first.
_TRIED = ((2, _WARPS), (4, 4), (1, 4), (4, 8), (8, 8), (1, 2))
_SIZES = {"float32": 4, "float64": 8, "float16": 2, "bfloat16": 2}


@dataclass(frozen=True)
class Tiling:
    """One loop as a kernel runs it.

    variant: what the kernel is made for.
    sizes: of the merged dims.
    strides: of each operand, inputs and then wanted results, along them.
    programs: how many there are, by kind: "rows", "columns".
    grid: how many there are.
    constants: the sizes of blocks and units, by name.
    partials: how many numbers the programs leave to the last one.
    arrived: how many counters it takes.
    warps: of one program, of 32 threads each.
    """

    variant: Variant
    sizes: tuple[int, ...]
    strides: tuple[tuple[int, ...], ...]
    programs: dict[str, int]
    grid: int
    constants: dict[str, int]
    partials: int
    arrived: int
    warps: int = _WARPS

    @property
    def block(self) -> str:
        """The block and the warps, as a name."""
        sides = [str(n) for side, n in self.constants.items() if side in _SIDES]
        return f"{'x'.join(sides)}, {self.warps} warps"


def tiling(
    loop: Loop, layout: LoopLayout, wanted: Sequence[int], dtype: str, *, is_precise: bool = False
) -> Tiling:
    """The tiling of a loop that has elements.

    Args:
        loop: the loop.
        layout: its shape and strides.
        wanted: the positions of the results that are computed.
        dtype: the dtype of the tensors.
        is_precise: whether everything is evaluated in float64.
    """
    return _tilings(loop, layout, wanted, dtype, is_precise, _TRIED[:1])[0]


def candidates(
    loop: Loop, layout: LoopLayout, wanted: Sequence[int], dtype: str, *, is_precise: bool = False
) -> tuple[Tiling, ...]:
    """Tilings to choose from by timing them, that of `tiling` first.

    Args:
        loop: the loop.
        layout: its shape and strides.
        wanted: the positions of the results that are computed.
        dtype: the dtype of the tensors.
        is_precise: whether everything is evaluated in float64.
    """
    found: dict[str, Tiling] = {}
    for made in _tilings(loop, layout, wanted, dtype, is_precise, _TRIED):
        found.setdefault(made.block, made)
    return tuple(found.values())


def _tilings(
    loop: Loop, layout: LoopLayout, wanted: Sequence[int], dtype: str, is_precise: bool,
    tried: Sequence[tuple[int, int]],
) -> list[Tiling]:  # fmt: skip
    first = len(loop.inputs)
    alive = needed(loop.nodes, [loop.results[k].node for k in wanted])
    pairs = enumerate(loop.nodes)
    read = {str(n.value) for k, n in pairs if alive[k] and n.op in ("argument", "mask")}
    rows = [
        layout.strides[k] if a.name in read else (0,) * len(layout.shape)
        for k, a in enumerate(loop.inputs)
    ]
    rows += [layout.strides[first + k] for k in wanted]
    sizes, strides = _merged(layout.shape, rows)
    if not sizes:
        sizes, strides = (1,), (((0,),) * first + ((1,),) * len(wanted))
    steps = _steps(strides)
    is_large = prod(sizes) >= _INT32 or any(
        sum((n - 1) * s for n, s in zip(sizes, row, strict=True)) >= _INT32 for row in strides
    )
    variant = Variant(dtype, tuple(wanted), steps, is_precise, is_large)
    kept = [n for k, n in enumerate(loop.nodes) if alive[k] and n.op not in LEAVES]
    functions = sum(n.op not in BUILT_IN for n in kept)
    wide = sum(any(row) for row in strides[:first])
    sums = sum(not all(row) for row in variant.kept)
    live = wide + min(len(kept), _NAMES) + _FUNCTION * max(functions - 1, 0) + _SUM * sums
    block = _block(variant, live)
    order = _order(variant, sizes, block)
    sizes = tuple(sizes[k] for k in order)
    strides = tuple(tuple(row[k] for k in order) for row in strides)
    variant = replace(variant, steps=_steps(strides))
    cut = _flat if len(sizes) == 1 else _tiled
    return [
        replace(cut(variant, sizes, strides, block * halves // 2), warps=warps)
        for halves, warps in tried
    ]


def _merged(
    shape: Sequence[int], rows: Sequence[Sequence[int]]
) -> tuple[tuple[int, ...], tuple[tuple[int, ...], ...]]:
    """The dims of an iteration, the slowest first, as few as the strides allow."""
    by_steps = sorted(rows, key=lambda row: -sum(map(bool, row)))

    def pace(dim: int) -> int:
        return -next((row[dim] for row in by_steps if row[dim]), 0)

    order = sorted((dim for dim, n in enumerate(shape) if n != 1), key=pace)
    merged: list[tuple[int, tuple[int, ...]]] = []
    for dim in order:
        size, strides = shape[dim], tuple(row[dim] for row in rows)
        if merged and merged[-1][1] == tuple(s * size for s in strides):
            merged[-1] = merged[-1][0] * size, strides
        else:
            merged.append((size, strides))
    sizes = tuple(size for size, _ in merged)
    return sizes, tuple(tuple(strides[k] for _, strides in merged) for k in range(len(rows)))


def _steps(strides: Sequence[Sequence[int]]) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(NONE if not s else ONE if s == 1 else ANY for s in row) for row in strides)


def _order(variant: Variant, sizes: Sequence[int], block: int) -> list[int]:
    """The order of the dims, in which one that all results are reduced over comes to be the rows.

    A program then goes along it; otherwise each would leave a whole tile to the last one.
    """
    *batch, _, columns = range(-len(sizes), 0) if len(sizes) > 2 else (0, 0)
    found = [dim for dim in batch if not any(kept[dim] for kept in variant.patterns)]
    order = list(range(len(sizes)))
    if not variant.patterns or variant.along or not found:
        return order
    dim = max(found, key=lambda dim: sizes[dim])
    # Not where tiles would have few elements.
    if _power(sizes[dim]) * _power(sizes[columns]) >= block:
        order.insert(-1, order.pop(dim))
    return order


def _block(variant: Variant, live: int) -> int:
    """Elements of a block: the widest access for each thread, twice where registers allow."""
    words = 2 if variant.is_double else 1
    each = _WIDEST // _SIZES[variant.dtype]
    if live * words * each * 2 <= _REGISTERS:
        each *= 2
    return _THREADS * each


def _flat(
    variant: Variant, sizes: tuple[int, ...], strides: tuple[tuple[int, ...], ...], block: int
) -> Tiling:
    blocks = -(-sizes[0] // block)
    programs = blocks
    if variant.patterns:
        programs = min(blocks, max(_PROGRAMS, -(-blocks // _STEPS)))
        # A few steps of one program take less time than a second one that waits for it.
        programs = 1 if blocks <= 4 else programs
    is_split = bool(variant.patterns) and programs > 1
    constants = {"BLOCK": block}
    if is_split:
        constants["PARTS"] = min(_power(programs), 1024)
    count = sum(not all(kept) for kept in variant.kept)
    return Tiling(
        _with_split(variant, is_split), sizes, strides, {}, programs, constants,
        count * programs if is_split else 0, int(is_split),
    )  # fmt: skip


def _tiled(
    variant: Variant, sizes: tuple[int, ...], strides: tuple[tuple[int, ...], ...], block: int
) -> Tiling:
    *batch, rows, columns = sizes
    along = variant.along
    is_turned = any(row[-2:] == (ONE, ANY) for row in variant.steps)
    # A row that is read by all of them is read once for each row of a tile, by all threads.
    row_wide = _THREADS * _WIDEST // _SIZES[variant.dtype]
    widest = (
        32 if is_turned else block if along == "columns" else 128 if along == "rows" else row_wide
    )
    column_block = min(_power(columns), widest)
    least = 1 if along == "columns" else 4
    row_block = min(_power(rows), max(block // column_block, least))
    column_block = min(_power(columns), max(block // row_block, column_block))
    programs = {"rows": -(-rows // row_block), "columns": -(-columns // column_block)}
    if along:
        others = prod(batch) * programs["columns" if along == "rows" else "rows"]
        steps = programs[along]
        fewest = max(_PROGRAMS // others, -(-steps // _STEPS), 1)
        programs[along] = 1 if steps <= 4 else min(steps, fewest)
    digits = [*batch, programs["rows"], programs["columns"]]
    grid = prod(digits)
    partials = arrived = 0
    parts: dict[str, int] = {}
    for number, pattern in enumerate(variant.patterns):
        groups = prod(n for n, kept in zip(digits, pattern, strict=True) if kept)
        lanes = (row_block if pattern[-2] else 1) * (column_block if pattern[-1] else 1)
        parts[f"PARTS{number or ''}"] = min(_power(grid // groups), max(2048 // lanes, 1))
        partials += variant.kept.count(pattern) * grid * lanes
        arrived += groups
    is_split = any(
        prod(n for n, kept in zip(digits, pattern, strict=True) if not kept) > 1
        for pattern in variant.patterns
    )
    unit = gcd(_WIDEST, *(s for row in strides for s in row if s > 1))
    constants = {
        "ROWS": row_block, "COLUMNS": column_block, "STRIDE_UNIT": unit,
        "COLUMN_UNIT": gcd(_WIDEST, columns),
    }  # fmt: skip
    if is_split:
        constants |= parts
    return Tiling(
        _with_split(variant, is_split), sizes, strides, programs, grid, constants,
        partials if is_split else 0, arrived if is_split else 0,
    )  # fmt: skip


def _with_split(variant: Variant, is_split: bool) -> Variant:
    return Variant(
        variant.dtype, variant.wanted, variant.steps, variant.is_precise, variant.is_large,
        is_split,
    )  # fmt: skip


def _power(n: int) -> int:
    """The smallest power of two that is not less."""
    return 1 << max(n - 1, 0).bit_length()
