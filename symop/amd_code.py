"""The code of AMD's GPUs: the assembly that LLVM writes says everything."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from symop.assembly import Assembled, Instruction, located, number
from symop.gpu_kernels import KernelText, Target

_GCN = re.compile(r"^\s+([a-z]\w+)\b(?!:)")
_GCN_ACCESS = re.compile(r"^\s+(?:global|flat|buffer)_(load|store|atomic)_(\w+)")
_GCN_WIDTHS = {"byte": 1, "ubyte": 1, "sbyte": 1, "short": 2, "ushort": 2, "sshort": 2}


def assembled(asm: Mapping[str, Any], kernel: KernelText, target: Target, shared: int) -> Assembled:
    """What Triton compiled, as LLVM writes it; the same for every target."""
    text = asm["amdgcn"]
    return Assembled(
        ttir=asm["ttir"],
        accesses=located(text, _GCN_ACCESS, _gcn_access),
        instructions=tuple(_gcn(text, kernel.entry)),
        text=text,
        registers=number(r"\.vgpr_count:\s+(\d+)", text),
        # Scalar registers go to lanes of vector registers; where they do not, the stack shows it.
        spills=number(r"\.vgpr_spill_count:\s+(\d+)", text),
        stack=number(r"\.private_segment_fixed_size:\s+(\d+)", text),
        shared=shared,
    )


def _gcn_access(match: re.Match[str]) -> tuple[str, int]:
    kind = match[2]
    if bits := re.match(r"b(\d+)", kind):
        return match[1], int(bits[1]) // 8
    if many := re.match(r"dwordx(\d)", kind):
        return match[1], 4 * int(many[1])
    return match[1], next((w for name, w in _GCN_WIDTHS.items() if kind.startswith(name)), 4)


def _gcn(text: str, entry: str) -> Iterator[Instruction]:
    is_inside = False
    for row in text.splitlines():
        if row.startswith(f"{entry}:"):
            is_inside = True
        elif row.startswith(".Lfunc_end"):
            is_inside = False
        elif is_inside and (match := _GCN.match(row)):
            access = _GCN_ACCESS.match(row)
            what, width = _gcn_access(access) if access else ("", 0)
            yield Instruction(what, width, "_f64" in match[1])
