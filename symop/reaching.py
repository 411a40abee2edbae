"""Which numbers of an evaluation reach its results: those of a branch not taken do not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from symop.evaluation import Array
from symop.program import Program


def reaching(program: Program, results: Sequence[Array]) -> Iterator[tuple[int, Any]]:
    """The numbers that some output depends on, each with its place in the array of its node.

    The place of what has no dimensions is -1. The result of `where` depends on its condition and
    on the branch that was taken; what another operation computes, on all its operands.

    Args:
        program: the program.
        results: what `with_steps` of it gives.
    """
    steps = results[len(program.outputs) :]
    for node, array, lives in zip(program.nodes, steps, _lives(program, steps), strict=True):
        if not node.is_condition:
            for place in np.flatnonzero(lives):
                yield (int(place) if array.ndim else -1), array.flat[place]


def _lives(program: Program, steps: Sequence[Array]) -> list[Any]:
    """For each node, at which places something depends on it."""
    lives = [np.zeros(array.shape, dtype=bool) for array in steps]
    for output in program.outputs:
        lives[output.node][...] = True
    for k in reversed(range(len(steps))):
        node = program.nodes[k]
        if not lives[k].any():
            continue
        parts = [lives[k]] * len(node.operands)
        if node.op == "where":
            taken = steps[node.operands[0]].astype(bool)
            parts = [lives[k], lives[k] & taken, lives[k] & ~taken]
        elif node.source is not None:
            parts = [np.array(True)] * len(node.operands)
        for operand, part in zip(node.operands, parts, strict=True):
            lives[operand] |= _gathered(part, lives[operand].shape)
    return lives


def _gathered(part: Any, shape: tuple[int, ...]) -> Any:
    """Where an operand of a shape is needed, when its broadcast is needed at some places."""
    full = np.broadcast_to(part, np.broadcast_shapes(part.shape, shape))
    padded = (1,) * (full.ndim - len(shape)) + shape
    axes = tuple(k for k, n in enumerate(padded) if n == 1)
    return full.any(axis=axes, keepdims=True).reshape(shape)
