"""The names of cotangents, gradients and tangents: grad_x, d_x, and what gives way to them."""

from __future__ import annotations

from collections.abc import Iterator

from symop.names import unused
from symop.program import Program


def cotangent_names(program: Program) -> dict[str, str]:
    """The names of the cotangents of the outputs: grad_<output>, when that is free."""
    taken = {argument.name for argument in program.arguments}
    return beside("grad", taken, (output.name for output in program.outputs))


def gradient_names(program: Program) -> dict[str, str]:
    """The names of the gradients of the arguments: grad_<argument>, when that is free."""
    taken = {argument.name for argument in program.arguments}
    taken |= set(cotangent_names(program).values())
    return beside("grad", taken, (a.name for a in program.arguments if not a.is_mask))


def tangent_names(program: Program) -> dict[str, str]:
    """The names of the tangents of the arguments: d_<argument>, when that is free."""
    taken = {argument.name for argument in program.arguments}
    return beside("d", taken, (a.name for a in program.arguments if not a.is_mask))


def beside(prefix: str, taken: set[str], names: Iterator[str]) -> dict[str, str]:
    """The names with a prefix, numbered where they are taken."""
    taken = set(taken)
    result = {}
    for name in names:
        result[name] = unused(f"{prefix}_{name}", taken)
        taken.add(result[name])
    return result
