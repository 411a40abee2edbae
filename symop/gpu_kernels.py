"""What is compiled for a GPU: a kernel as text, and the kind of GPU."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from symop.errors import InspectionError


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


def warp_size(target: Target) -> int:
    """The threads of a warp: 64 on AMD up to gfx9, otherwise 32."""
    return 64 if str(target.arch).startswith("gfx9") else 32
