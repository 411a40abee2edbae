"""The kernel of a loop as the host would have it compiled: signature, constants, what is known."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Sequence

import torch

from symop.backends.triton import Kernel
from symop.backends.triton_math import options
from symop.gpu_kernels import KernelText, Target, warp_size
from symop.layouts import Layout, LoopLayout
from symop.loops import Loop
from symop.python_text import syntax_tree
from symop.tiling import Tiling

POINTERS = {
    torch.float16: "*fp16", torch.bfloat16: "*bf16", torch.float32: "*fp32",
    torch.float64: "*fp64", torch.bool: "*i1",
}  # fmt: skip


def kernel_text(
    printed: Kernel, body: Loop, cut: Tiling, made: Layout, loop: LoopLayout, target: Target
) -> KernelText:
    """A kernel as the host would have it compiled: numbers that are 1 are constants.

    Args:
        printed: its text.
        body: the loop that it is of.
        cut: how it runs.
        made: the layout of the routine.
        loop: that of the loop.
        target: the GPU.
    """
    signature: list[tuple[str, str]] = []
    constants: dict[str, int] = {}
    divisible: list[str] = []
    names = _parameters(printed)
    for name, (kind, *which) in zip(names, printed.parameters, strict=False):
        if kind in ("input", "result"):
            signature.append((name, POINTERS[_dtype(body, cut, made, loop, kind, int(which[0]))]))
            divisible.append(name)
        elif kind in ("partials", "arrived"):
            real = "*i32" if kind == "arrived" else POINTERS[made.real]
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
        whole=tuple(_whole(printed, body, cut, made, loop)),
        num_warps=cut.warps * 32 // warp_size(target),
        options=tuple(options(target.kind).items()),
    )


def least_bytes(
    printed: Kernel, body: Loop, cut: Tiling, made: Layout, loop: LoopLayout
) -> Counter[str]:
    """The bytes per element that a kernel has to access, by kind: input and result."""
    kinds = dict(zip(_parameters(printed), printed.parameters, strict=False))
    least = Counter[str]()
    for parameter, size in _whole(printed, body, cut, made, loop).items():
        least[str(kinds[parameter][0])] += size
    return least


def _whole(
    printed: Kernel, body: Loop, cut: Tiling, made: Layout, loop: LoopLayout
) -> dict[str, int]:
    """The parameters of tensors as large as the loop, and their bytes per element."""
    found = {}
    for name, (kind, *which) in zip(_parameters(printed), printed.parameters, strict=False):
        if kind in ("input", "result"):
            place = int(which[0])
            row = place if kind == "input" else len(body.inputs) + cut.variant.wanted[place]
            # What a kernel of one element reads is a number to it.
            is_block = kind == "result" or any(cut.variant.steps[place])
            strides = zip(loop.shape, loop.strides[row], strict=True)
            if is_block and all(step or n == 1 for n, step in strides):
                found[name] = _dtype(body, cut, made, loop, kind, place).itemsize
    return found


def _dtype(
    body: Loop, cut: Tiling, made: Layout, loop: LoopLayout, kind: str | int, place: int
) -> torch.dtype:
    """The dtype of an operand."""
    is_input = kind == "input"
    if is_input and body.inputs[place].is_mask:
        return torch.bool
    slot = loop.inputs[place] if is_input else loop.results[cut.variant.wanted[place]]
    return made.dtype if slot < made.tensors else made.results[slot - made.tensors].dtype


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
