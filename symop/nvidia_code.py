"""The code of NVIDIA's GPUs: PTX says where an access comes from, SASS what it became."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from symop.assembly import Assembled, Instruction, located, number
from symop.errors import InspectionError
from symop.gpu_kernels import KernelText, Target

# Not tables of libdevice, which are global.nc.
_PTX_ACCESS = re.compile(r"\b(ld|st|atom|red)\.(?:[a-z_]+\.)*global(?!\.nc)([.\w:]*)")
_WHAT = {"ld": "load", "st": "store", "atom": "atomic", "red": "atomic"}
_SASS = re.compile(r"^\s*/\*[0-9a-f]+\*/\s+(?:@!?U?P\w+\s+)?([A-Z][A-Z0-9_.]*)")
_SASS_ACCESS = {"LDG": "load", "STG": "store", "ATOMG": "atomic", "ATOM": "atomic", "RED": "atomic"}
_SASS_FLOAT64 = re.compile(r"D(ADD|MUL|FMA|SETP|MMA)|MUFU\..*64H?|[FI]2[FI].*F64")


def assembled(asm: Mapping[str, Any], kernel: KernelText, target: Target, shared: int) -> Assembled:
    """What Triton compiled, as ptxas and nvdisasm print it."""
    from triton.backends.nvidia.compiler import get_ptxas, sm_arch_from_capability

    capability = int(target.arch)
    ptxas = Path(get_ptxas(capability).path)
    with tempfile.TemporaryDirectory() as folder:
        text, binary = Path(folder, "kernel.ptx"), Path(folder, "kernel.cubin")
        text.write_text(asm["ptx"])
        binary.write_bytes(asm["cubin"])
        fused = [] if dict(kernel.options).get("enable_fp_fusion", True) else ["--fmad=false"]
        arch = f"--gpu-name={sm_arch_from_capability(capability)}"
        said = _run([ptxas, "-v", *fused, arch, text, "-o", os.devnull])
        code = _run([ptxas.with_name("nvdisasm"), "-c", "-g", binary])
    return Assembled(
        ttir=asm["ttir"],
        accesses=located(asm["ptx"], _PTX_ACCESS, _ptx_access),
        instructions=tuple(_sass(code, kernel.entry)),
        text=code,
        registers=number(r"Used (\d+) registers", said),
        spills=sum(number(rf"(\d+) bytes spill {kind}", said) for kind in ("stores", "loads")),
        stack=number(r"(\d+) bytes stack frame", said),
        shared=shared,
    )


def _run(command: Sequence[str | Path]) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode:
        raise InspectionError(f"{command[0]} failed: {done.stderr.strip()}")
    return done.stdout + done.stderr


def _ptx_access(match: re.Match[str]) -> tuple[str, int]:
    bits = re.search(r"\.[bfus](\d+)\b", match[2])
    many = re.search(r"\.v(\d)\b", match[2])
    width = int(bits[1]) // 8 if bits else 4
    return _WHAT[match[1]], width * (int(many[1]) if many else 1)


def _sass(text: str, entry: str) -> Iterator[Instruction]:
    is_inside = False
    for row in text.splitlines():
        if re.match(r"\s*\.section\s", row):
            is_inside = f".text.{entry}" in row
        elif is_inside and (match := _SASS.match(row)) and match[1] != "NOP":
            name = match[1]
            # Tables of libdevice are constant.
            is_table = ".CONSTANT" in name
            what = "" if is_table else _SASS_ACCESS.get(name.partition(".")[0], "")
            is_float64 = bool(_SASS_FLOAT64.match(name))
            yield Instruction(what, _sass_width(name), is_float64)


def _sass_width(name: str) -> int:
    for part in reversed(name.split(".")):
        if part in ("256", "128", "64"):
            return int(part) // 8
        if part in ("U8", "S8", "U16", "S16"):
            return int(part[1:]) // 8
    return 4
