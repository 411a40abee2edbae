"""Kernels of Triton compiled for a GPU that need not be there, and their machine code read.

Assembly says which line of the kernel an instruction comes from, which tells the accesses of blocks
from those of scalars and of tables of libdevice.
"""

from __future__ import annotations

import hashlib
import linecache
import warnings
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from symop import amd_code, nvidia_code
from symop.assembly import Access, Assembled
from symop.errors import InspectionError
from symop.full_blocks import full_blocks, pointers, traffic
from symop.gpu_kernels import KernelText, Target, warp_size

_READERS = {"cuda": nvidia_code.assembled, "hip": amd_code.assembled}


@dataclass(frozen=True)
class Code:
    """The machine code of a kernel.

    registers: per thread; for AMD those of vectors.
    spills: bytes of registers kept in memory, stores and loads together; for AMD, registers.
    stack: bytes per thread, arrays of libdevice included.
    shared: bytes per program.
    loaded, stored: bytes per element that full blocks access of tensors as large as they are.
    again: bytes per element that they load of what broadcasts, mostly from a cache.
    once: bytes per program that are accessed beside the blocks, scalars and partial sums.
    accesses: those of full blocks to whole tensors, in assembly.
    widths: (what, width, count) of all accesses to global memory on that way, in machine code.
    instructions: per element on the way of full blocks, written once each: what is jumped over
        counts, what is repeated does not.
    float64: how many instructions compute in float64 on that way.
    atomics: how many there are.
    text: the code.
    """

    target: Target
    registers: int
    spills: int
    stack: int
    shared: int
    loaded: float
    stored: float
    again: float
    once: int
    accesses: tuple[Access, ...]
    widths: tuple[tuple[str, int, int], ...]
    instructions: float
    float64: int
    atomics: int
    text: str

    @property
    def narrowest(self) -> int:
        """The least bytes that a thread accesses at once in full blocks; 0 without any."""
        return min((access.width for access in self.accesses), default=0)


def compiled(kernel: KernelText, target: Target) -> Code:
    """The machine code of a kernel on a target.

    Raises:
        InspectionError: Triton is missing or interprets, or the kernel does not compile.
    """
    whole = _assembled(kernel, target)
    full, lines = full_blocks(kernel)
    way = whole if full == kernel else _assembled(full, target)
    moved = traffic(way.ttir, kernel.elements)
    places = pointers(full)
    instructions = way.instructions
    threads = kernel.num_warps * warp_size(target)
    counts = Counter((i.what, i.width) for i in instructions if i.what)
    return Code(
        target=target,
        registers=whole.registers,
        spills=whole.spills,
        stack=whole.stack,
        shared=whole.shared,
        loaded=moved["load"] / kernel.elements,
        stored=moved["store"] / kernel.elements,
        again=moved["again"] / kernel.elements,
        once=moved["once"],
        accesses=tuple(
            replace(access, pointer=places[access.what, access.line])
            for access in way.accesses
            if access.line in lines
            and (access.what, access.line) in places
            and (kernel.whole is None or places[access.what, access.line] in kernel.whole)
        ),
        widths=tuple((what, width, counts[what, width]) for what, width in sorted(counts)),
        instructions=len(instructions) * threads / kernel.elements,
        float64=sum(i.is_float64 for i in instructions),
        atomics=sum(i.what == "atomic" for i in instructions),
        text=whole.text,
    )


@cache
def _assembled(kernel: KernelText, target: Target) -> Assembled:
    try:
        import triton
        from triton.backends.compiler import GPUTarget
        from triton.compiler import ASTSource
    except ImportError as error:
        raise InspectionError("Triton is needed to compile kernels, and not installed") from error
    if triton.knobs.runtime.interpret:
        raise InspectionError("kernels are not compiled under TRITON_INTERPRET=1; unset it")
    names = [name for name, _ in kernel.signature]
    attributes = {(names.index(n),): [["tt.divisibility", 16]] for n in kernel.divisible}
    source = ASTSource(_loaded(kernel), dict(kernel.signature), dict(kernel.constants), attributes)
    options = {"num_warps": kernel.num_warps, **dict(kernel.options)}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = triton.compile(
                source,
                target=GPUTarget(target.kind, target.arch, warp_size(target)),
                options=options,
            )
    except Exception as error:
        raise InspectionError(
            f"{kernel.entry} does not compile for {target}: {error}\n{kernel.source}"
        ) from error
    asm: Mapping[str, Any] = made.asm
    shared = int(made.metadata.shared)
    return _READERS[target.kind](asm, kernel, target, shared)


def _loaded(kernel: KernelText) -> Any:
    """The kernel as a function of Triton, which asks for its source by the name of its file."""
    digest = hashlib.sha256(kernel.source.encode()).hexdigest()[:16]
    file = f"<kernel {kernel.entry} {digest}>"
    lines = kernel.source.splitlines(keepends=True)
    linecache.cache[file] = (len(kernel.source), None, lines, file)
    scope: dict[str, Any] = {"__name__": f"symop_kernel_{digest}"}
    exec(compile(kernel.source, file, "exec"), scope)
    return scope[kernel.entry]
