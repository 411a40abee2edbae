"""What is read of assembly and machine code, whoever's GPU they are of."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

_LOC = re.compile(r"^\s+\.loc\s+\d+ (\d+)")


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
class Instruction:
    """An instruction; of one that accesses global memory, what and how many bytes of a thread."""

    what: str
    width: int
    is_float64: bool


@dataclass(frozen=True)
class Assembled:
    """A kernel as a compiler left it.

    ttir: Triton's own representation.
    accesses: to global memory, in assembly.
    instructions: those of the machine code.
    text: the code.
    registers, spills, stack, shared: see `gpu_code.Code`.
    """

    ttir: str
    accesses: tuple[Access, ...]
    instructions: tuple[Instruction, ...]
    text: str
    registers: int
    spills: int
    stack: int
    shared: int


def number(pattern: str, text: str) -> int:
    """The largest number that a pattern finds; 0 if none."""
    return max((int(digits) for digits in re.findall(pattern, text)), default=0)


def located(
    text: str, pattern: re.Pattern[str], read: Callable[[re.Match[str]], tuple[str, int]]
) -> tuple[Access, ...]:
    """The accesses that a pattern finds, and the lines that they come from."""
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
