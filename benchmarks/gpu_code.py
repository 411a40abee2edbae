"""Machine code of kernels beside that of Inductor, without a GPU, for the table in docs.

python -m benchmarks.gpu_code          # prints the table
python -m benchmarks.gpu_code --write  # puts it into docs/gpu_code.md
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import triton

import symop
from benchmarks import pages
from benchmarks.cpu import CASES as CPU_CASES
from benchmarks.cpu import Case
from benchmarks.inductor_code import Launch, launches
from symop.gpu_code import Code, compiled
from symop.gpu_kernels import Target, parsed_target
from symop.inspecting import inspected
from symop.inspection import cells, columns

PAGE = Path(__file__).parent.parent / "docs" / "gpu_code.md"
TARGETS = ("cuda:80", "cuda:90", "cuda:100", "hip:gfx942")
# A size that nothing divides, and one that is a power of two.
ODD, EVEN = 2**24 + 43, 2**24
ROWS, COLUMNS = 4099, 4096


# The expressions of the page about the CPU that are named by numbers.
CASES = {name: case for name, case in CPU_CASES.items() if name.startswith("E")}


@dataclass(frozen=True)
class Sum:
    """What the launches of one pass come to, by element of the largest."""

    launches: int
    bytes: float
    narrowest: int
    registers: int
    instructions: float


def added(codes: Sequence[tuple[Code, int]], elements: int) -> Sum:
    """The sum over launches, each with the number of elements that it goes through."""
    return Sum(
        launches=len(codes),
        bytes=sum((c.loaded + c.stored + c.again) * n for c, n in codes) / elements,
        narrowest=min((c.narrowest for c, n in codes if c.narrowest and n > elements // 8)),
        registers=max(c.registers for c, _ in codes),
        instructions=sum(c.instructions * n for c, n in codes) / elements,
    )


def shape(case: Case, name: str, size: int) -> tuple[int, ...]:
    """The shape of an argument."""
    if name in case.scalars:
        return ()
    if case.rows:
        return (COLUMNS,) if name in case.rows else (ROWS, COLUMNS)
    return (size,)


def by_symop(case: Case, target: str, size: int) -> dict[str, Sum]:
    """What the kernels of symop come to, by pass."""
    op = symop.compile(case.formula)
    shapes = {name: shape(case, name, size) for name in op.args}
    wanted = [name for name in op.args if name not in case.fixed]
    found = inspected(op, target, shapes=shapes, wanted=wanted)
    passes: dict[str, list[tuple[Code, int]]] = {}
    for row in found.rows:
        passes.setdefault(row.pass_, []).append((row.code, size))
    return {name: added(codes, size) for name, codes in passes.items()}


def by_inductor(case: Case, target: Target, size: int) -> dict[str, Sum]:
    """What the kernels of Inductor come to: forward, and all gradients from the arguments."""
    op = symop.compile(case.formula)
    shapes = [shape(case, name, size) for name in op.args]
    places = [k for k, name in enumerate(op.args) if name not in case.fixed]
    total = math.prod(max(shapes, key=math.prod))

    def gradients(*values: torch.Tensor) -> Any:
        given = [v.detach().requires_grad_(k in places) for k, v in enumerate(values[:-1])]
        result = case.plain(*given)
        found = torch.autograd.grad(result, [given[k] for k in places], values[-1])
        return (result, *found) if not result.dim() else found

    is_loss = "sum(" in case.formula
    out = () if is_loss else max(shapes, key=math.prod)
    made = {
        "value and gradients" if is_loss else "backward": launches(
            gradients, [*shapes, out], torch.float32
        )
    }
    if not is_loss:
        made["forward"] = launches(case.plain, shapes, torch.float32)

    def code(launch: Launch) -> tuple[Code, int]:
        return compiled(launch.text, target), launch.elements

    return {name: added(list(map(code, found)), total) for name, found in made.items()}


def beside() -> list[str]:
    """The table of both, a pass a line."""
    target = parsed_target("cuda:90")
    lines = [
        "| formula | pass | launches | bytes per element | access, bytes | registers | "
        "instructions |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, case in CASES.items():
        ours = by_symop(case, "cuda:90", ODD)
        odd = by_inductor(case, target, ODD)
        even = odd if case.rows else by_inductor(case, target, EVEN)
        for pass_, own in ours.items():
            other, easy = odd[pass_], even[pass_]
            lines.append(
                f"| {name} | {pass_} | {own.launches}, {other.launches} | {own.bytes:.3g}, "
                f"{other.bytes:.3g} | {own.narrowest}, {other.narrowest} ({easy.narrowest}) | "
                f"{own.registers}, {other.registers} | {own.instructions:.0f}, "
                f"{other.instructions:.0f} |"
            )
            print(lines[-1], flush=True)
    return lines


def everywhere() -> list[str]:
    """The tables of the kernels on every target."""
    lines = []
    for target in TARGETS:
        lines += ["", f"### {target}", "", f"| formula | {' | '.join(columns())} |"]
        lines.append("|---" * (len(columns()) + 1) + "|")
        for name, case in CASES.items():
            op = symop.compile(case.formula)
            shapes = {arg: shape(case, arg, ODD) for arg in op.args}
            wanted = [arg for arg in op.args if arg not in case.fixed]
            for row in inspected(op, target, shapes=shapes, wanted=wanted).rows:
                lines.append(f"| {name} | {' | '.join(cells(row))} |")
                print(target, lines[-1], flush=True)
    return lines


def page() -> str:
    """The page of docs."""
    return "\n".join(
        [
            "# Machine code of Triton kernels",
            "",
            "Written by `python -m benchmarks.gpu_code --write`, on a machine without a GPU: "
            "kernels are compiled by ptxas and by LLVM and read, not run. `symop inspect FORMULA "
            "--target cuda:90` prints the same for any formula.",
            "",
            f"float32; {ODD:,} elements, a number that nothing divides; matrices of {ROWS:,} by "
            f"{COLUMNS:,} for rows. torch {torch.__version__}, triton {triton.__version__}.",
            "",
            "## Beside Inductor, on cuda:90",
            "",
            "In each cell symop, then Inductor (torch.compile in its default mode, its first "
            "configuration). Backward is all gradients from the arguments and the gradient of the "
            "output. Bytes are those that blocks load and store, temporaries included; the "
            "narrowest access of blocks is also given for 2**24 elements, in brackets. Registers "
            "are the most of any kernel; instructions are static, per element, with code that is "
            "rarely reached.",
            "",
            *beside(),
            "",
            "## On all targets",
            "",
            "B/el are bytes per element; least is what the tensors of full size take; again is "
            "what is read once more of what broadcasts, from a cache.",
            *everywhere(),
            "",
        ]
    )


if __name__ == "__main__":
    pages.main(__doc__, page, PAGE)
