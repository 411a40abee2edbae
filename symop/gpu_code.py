"""Kernels of Triton compiled for a GPU that need not be there, and their machine code read.

For NVIDIA the code is that of ptxas, as nvdisasm prints it; for AMD the assembly that LLVM writes.
Assembly says which line of the kernel an instruction comes from, which tells the accesses of blocks
from those of scalars and of tables of libdevice. For NVIDIA that is PTX.
"""

from __future__ import annotations

import ast
import hashlib
import linecache
import os
import re
import subprocess
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import prod
from pathlib import Path
from typing import Any

from symop.errors import InspectionError
from symop.python_text import syntax_tree


@dataclass(frozen=True)
class KernelText:
    """A kernel as text, and what it is compiled for.

    source: a module that imports triton itself.
    entry: the name of the kernel in it.
    signature: for each parameter its name and type in Triton's spelling (`*fp32`, `i32`,
        `constexpr`).
    constants: the values of the constexpr parameters.
    divisible: the parameters that are known to be divisible by 16.
    elements: how many elements a program has in a block; for one that goes through several
        blocks, in one of these.
    whole: the pointers to tensors that each element reads or writes a place of; those to what
        broadcasts, to partial sums and to numbers are not among them. None: all.
    num_warps: the warps of a program.
    options: options of Triton's compiler (`triton_math.options`).
    """

    source: str
    entry: str
    signature: tuple[tuple[str, str], ...]
    constants: tuple[tuple[str, int], ...]
    divisible: tuple[str, ...]
    elements: int
    whole: tuple[str, ...] | None = None
    num_warps: int = 4
    options: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class Target:
    """A kind of GPU: cuda and a compute capability, or hip and an architecture of AMD."""

    kind: str
    arch: int | str

    def __str__(self) -> str:
        """As on the command line, cuda:90."""
        return f"{self.kind}:{self.arch}"


@dataclass(frozen=True)
class Access:
    """An instruction that accesses global memory.

    what: load, store or atomic.
    width: the bytes of a thread.
    line: the line of the source that it comes from.
    pointer: the parameter that it starts from.
    """

    what: str
    width: int
    line: int
    pointer: str = ""


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


_TARGET = re.compile(r"cuda:(?P<capability>\d{2,3})|hip:(?P<arch>gfx[0-9a-f]{3,4})")


def parsed_target(text: str) -> Target:
    """The target that a text names.

    Raises:
        InspectionError: it names none.
    """
    match = _TARGET.fullmatch(text)
    if match is None:
        raise InspectionError(
            f"no target of GPU code: {text!r}. Targets are cuda:80, cuda:90, cuda:100 (cuda and "
            "the compute capability without its point) and hip:gfx942 (hip and the architecture)"
        )
    capability = match["capability"]
    return Target("cuda", int(capability)) if capability else Target("hip", match["arch"])


def compiled(kernel: KernelText, target: Target) -> Code:
    """The machine code of a kernel on a target.

    Raises:
        InspectionError: Triton is missing or interprets, or the kernel does not compile.
    """
    whole = _assembled(kernel, target)
    full, lines = _full_blocks(kernel)
    way = whole if full == kernel else _assembled(full, target)
    traffic = _traffic(way.ttir, kernel.elements)
    pointers = _pointers(full)
    reader = _READERS[target.kind]
    instructions = reader(way.text, kernel.entry)
    threads = kernel.num_warps * warp_size(target)
    counts = Counter((i.what, i.width) for i in instructions if i.what)
    return Code(
        target=target,
        registers=whole.registers,
        spills=whole.spills,
        stack=whole.stack,
        shared=whole.shared,
        loaded=traffic["load"] / kernel.elements,
        stored=traffic["store"] / kernel.elements,
        again=traffic["again"] / kernel.elements,
        once=traffic["once"],
        accesses=tuple(
            replace(access, pointer=pointers[access.what, access.line])
            for access in way.accesses
            if access.line in lines
            and (access.what, access.line) in pointers
            and (kernel.whole is None or pointers[access.what, access.line] in kernel.whole)
        ),
        widths=tuple((what, width, counts[what, width]) for what, width in sorted(counts)),
        instructions=len(instructions) * threads / kernel.elements,
        float64=sum(i.is_float64 for i in instructions),
        atomics=sum(i.what == "atomic" for i in instructions),
        text=whole.text,
    )


# What full blocks do


def _full_blocks(kernel: KernelText) -> tuple[KernelText, frozenset[int]]:
    """The kernel without what it does for the rest of a block, and the lines of its blocks.

    A condition both of whose branches access memory is that of a full block, the first branch.
    The lines keep their numbers.
    """
    function = _function(kernel)
    lines = kernel.source.splitlines()
    kept: set[int] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.If) and _accesses(node.body) and _accesses(node.orelse):
            indent = " " * node.col_offset
            lines[node.lineno - 1] = f"{indent}if True:"
            first = _end(node.body) + 1
            for place in range(first, _end(node.orelse) + 1):
                lines[place - 1] = ""
            kept |= set(range(node.lineno, first))
    if not kept:
        kept = set(range(function.lineno, _end(function.body) + 1))
    return replace(kernel, source="\n".join(lines) + "\n"), frozenset(kept)


def _function(kernel: KernelText) -> ast.FunctionDef:
    for node in syntax_tree(kernel.source).body:
        if isinstance(node, ast.FunctionDef) and node.name == kernel.entry:
            return node
    raise InspectionError(f"the source has no kernel {kernel.entry}")


def _accesses(body: Sequence[ast.stmt]) -> bool:
    return any(
        isinstance(node, ast.Attribute) and node.attr in ("load", "store")
        for statement in body
        for node in ast.walk(statement)
    )


def _end(body: Sequence[ast.stmt]) -> int:
    return body[-1].end_lineno or body[-1].lineno


_BYTES = {"f16": 2, "bf16": 2, "f32": 4, "f64": 8, "i1": 1, "i8": 1, "i16": 2, "i32": 4, "i64": 8}
_POINTERS = re.compile(r": (?:tensor<((?:\d+x)+))?!tt\.ptr<(\w+)>")


def _traffic(ttir: str, elements: int) -> Counter[str]:
    """The bytes that a program moves, by kind.

    load, store: of a block. again: of smaller blocks, which broadcast. once: of anything else. A
    program that goes through several blocks does so in a loop. What stands under a condition is
    done by the last program only, and not counted.
    """
    found: list[tuple[str, int, int, bool]] = []
    stack: list[str] = []
    for line in ttir.splitlines():
        access = re.search(r"\btt\.(load|store)\b", line)
        match = _POINTERS.search(line)
        if access and match and "scf.if" not in stack:
            number = prod(int(size) for size in (match[1] or "").split("x") if size)
            size = number * _BYTES[match[2]]
            found.append((access[1], number if match[1] else 0, size, "scf.for" in stack))
        opened = re.search(r"\bscf\.(?:for|if|while)\b", line)
        closes = line.count("}") - line.count("{")
        if closes < 0:
            stack += [opened[0] if opened else ""] * -closes
        else:
            del stack[len(stack) - closes :]
    has_loop = any(number == elements and is_inside for _, number, _, is_inside in found)
    totals: Counter[str] = Counter()
    for what, number, size, is_inside in found:
        if number == elements and is_inside == has_loop:
            totals[what] += size
        elif number and what == "load" and is_inside == has_loop:
            totals["again"] += size
        else:
            totals["once"] += size
    return totals


def _pointers(kernel: KernelText) -> dict[tuple[str, int], str]:
    """For the lines that load or store, the parameter that the place starts from."""
    names = {name for name, _ in kernel.signature}
    found = {}
    for node in ast.walk(_function(kernel)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if node.func.attr in ("load", "store"):
            inner = [n.id for n in ast.walk(node.args[0]) if isinstance(n, ast.Name)]
            place = next((name for name in inner if name in names), "")
            for line in range(node.lineno, (node.end_lineno or node.lineno) + 1):
                found[node.func.attr, line] = place
    return found


# Compiling


@dataclass(frozen=True)
class _Assembled:
    ttir: str
    accesses: tuple[Access, ...]
    text: str
    registers: int
    spills: int
    stack: int
    shared: int


@cache
def _assembled(kernel: KernelText, target: Target) -> _Assembled:
    try:
        import triton
        from triton.backends.compiler import GPUTarget
        from triton.compiler import ASTSource
    except ImportError as error:
        raise InspectionError(
            "Triton compiles the kernels, and is not installed; `pip install triton` installs it"
        ) from error
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
    if target.kind == "hip":
        return _of_amd(asm, shared)
    return _of_nvidia(asm, int(target.arch), dict(kernel.options), shared)


def _loaded(kernel: KernelText) -> Any:
    """The kernel as a function of Triton, which asks for its source by the name of its file."""
    digest = hashlib.sha256(kernel.source.encode()).hexdigest()[:16]
    file = f"<kernel {kernel.entry} {digest}>"
    lines = kernel.source.splitlines(keepends=True)
    linecache.cache[file] = (len(kernel.source), None, lines, file)
    scope: dict[str, Any] = {"__name__": f"symop_kernel_{digest}"}
    exec(compile(kernel.source, file, "exec"), scope)
    return scope[kernel.entry]


def warp_size(target: Target) -> int:
    """The threads of a warp: 64 on AMD up to gfx9, otherwise 32."""
    return 64 if str(target.arch).startswith("gfx9") else 32


def _of_nvidia(
    asm: Mapping[str, Any], capability: int, options: Mapping[str, Any], shared: int
) -> _Assembled:
    from triton.backends.nvidia.compiler import get_ptxas, sm_arch_from_capability

    ptxas = Path(get_ptxas(capability).path)
    with tempfile.TemporaryDirectory() as folder:
        text, binary = Path(folder, "kernel.ptx"), Path(folder, "kernel.cubin")
        text.write_text(asm["ptx"])
        binary.write_bytes(asm["cubin"])
        fused = [] if options.get("enable_fp_fusion", True) else ["--fmad=false"]
        arch = f"--gpu-name={sm_arch_from_capability(capability)}"
        said = _run([ptxas, "-v", *fused, arch, text, "-o", os.devnull])
        code = _run([ptxas.with_name("nvdisasm"), "-c", "-g", binary])
    return _Assembled(
        ttir=asm["ttir"],
        accesses=_located(asm["ptx"], _PTX_ACCESS, _ptx_access),
        text=code,
        registers=_number(r"Used (\d+) registers", said),
        spills=sum(_number(rf"(\d+) bytes spill {kind}", said) for kind in ("stores", "loads")),
        stack=_number(r"(\d+) bytes stack frame", said),
        shared=shared,
    )


def _of_amd(asm: Mapping[str, Any], shared: int) -> _Assembled:
    text = asm["amdgcn"]
    spilled = r"\.{}_spill_count:\s+(\d+)"
    return _Assembled(
        ttir=asm["ttir"],
        accesses=_located(text, _GCN_ACCESS, _gcn_access),
        text=text,
        registers=_number(r"\.vgpr_count:\s+(\d+)", text),
        spills=sum(_number(spilled.format(kind), text) for kind in ("vgpr", "sgpr")),
        stack=_number(r"\.private_segment_fixed_size:\s+(\d+)", text),
        shared=shared,
    )


def _run(command: Sequence[str | Path]) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode:
        raise InspectionError(f"{command[0]} failed: {done.stderr.strip()}")
    return done.stdout + done.stderr


def _number(pattern: str, text: str) -> int:
    """The largest number that a pattern finds; 0 if none."""
    return max((int(number) for number in re.findall(pattern, text)), default=0)


# Reading assembly: what accesses memory, and from which line


_LOC = re.compile(r"^\s+\.loc\s+\d+ (\d+)")
# Not tables of libdevice, which are global.nc.
_PTX_ACCESS = re.compile(r"\b(ld|st|atom|red)\.(?:[a-z_]+\.)*global(?!\.nc)([.\w:]*)")
_GCN_ACCESS = re.compile(r"^\s+(?:global|flat|buffer)_(load|store|atomic)_(\w+)")
_WHAT = {"ld": "load", "st": "store", "atom": "atomic", "red": "atomic"}
_GCN_WIDTHS = {"byte": 1, "ubyte": 1, "sbyte": 1, "short": 2, "ushort": 2, "sshort": 2}


def _located(
    text: str, pattern: re.Pattern[str], read: Callable[[re.Match[str]], tuple[str, int]]
) -> tuple[Access, ...]:
    found = []
    line = 0
    is_inline = False
    for row in text.splitlines():
        if "inline asm" in row:
            is_inline = "begin" in row
        elif where := _LOC.match(row):
            # In the code of an access LLVM counts the lines of that code; line 0 is none.
            line = line if is_inline else int(where[1]) or line
        elif match := pattern.search(row):
            found.append(Access(*read(match), line))
    return tuple(found)


def _ptx_access(match: re.Match[str]) -> tuple[str, int]:
    bits = re.search(r"\.[bfus](\d+)\b", match[2])
    many = re.search(r"\.v(\d)\b", match[2])
    width = int(bits[1]) // 8 if bits else 4
    return _WHAT[match[1]], width * (int(many[1]) if many else 1)


def _gcn_access(match: re.Match[str]) -> tuple[str, int]:
    kind = match[2]
    if bits := re.match(r"b(\d+)", kind):
        return match[1], int(bits[1]) // 8
    if many := re.match(r"dwordx(\d)", kind):
        return match[1], 4 * int(many[1])
    return match[1], next((w for name, w in _GCN_WIDTHS.items() if kind.startswith(name)), 4)


# Reading machine code


@dataclass(frozen=True)
class _Instruction:
    what: str
    width: int
    is_float64: bool


_SASS = re.compile(r"^\s*/\*[0-9a-f]+\*/\s+(?:@!?U?P\w+\s+)?([A-Z][A-Z0-9_.]*)")
_SASS_ACCESS = {"LDG": "load", "STG": "store", "ATOMG": "atomic", "ATOM": "atomic", "RED": "atomic"}
_SASS_FLOAT64 = re.compile(r"D(ADD|MUL|FMA|SETP|MMA)|MUFU\..*64H?|[FI]2[FI].*F64")


def _sass(text: str, entry: str) -> list[_Instruction]:
    found = []
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
            found.append(_Instruction(what, _sass_width(name), is_float64))
    return found


def _sass_width(name: str) -> int:
    for part in reversed(name.split(".")):
        if part in ("256", "128", "64"):
            return int(part) // 8
        if part in ("U8", "S8", "U16", "S16"):
            return int(part[1:]) // 8
    return 4


_GCN = re.compile(r"^\s+([a-z]\w+)\b(?!:)")


def _gcn(text: str, entry: str) -> list[_Instruction]:
    found = []
    is_inside = False
    for row in text.splitlines():
        if row.startswith(f"{entry}:"):
            is_inside = True
        elif row.startswith(".Lfunc_end"):
            is_inside = False
        elif is_inside and (match := _GCN.match(row)):
            access = _GCN_ACCESS.match(row)
            what, width = _gcn_access(access) if access else ("", 0)
            found.append(_Instruction(what, width, "_f64" in match[1]))
    return found


_READERS: dict[str, Callable[[str, str], list[_Instruction]]] = {"cuda": _sass, "hip": _gcn}
