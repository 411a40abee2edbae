"""Frames: the symbolic shape of a value, when not even the ranks of the arguments are known.

A frame is a sorted tuple of atoms. An atom is the name of an argument, or a pair
`(frame, dims)`: that frame with those dims made 1 by a reduction. Broadcasting is the
union of frames; the frame of a scalar is empty.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TypeAlias

Atom: TypeAlias = "str | tuple[Frame, tuple[int, ...]]"
Frame: TypeAlias = "tuple[Atom, ...]"

SCALAR: Frame = ()


def of_argument(name: str) -> Frame:
    """The frame of an argument."""
    return (name,)


@lru_cache(maxsize=65536)
def covers(frame: Frame, other: Frame) -> bool:
    """Whether `other` broadcasts into `frame` without enlarging it."""
    return all(
        atom in frame or (isinstance(atom, tuple) and covers(frame, atom[0])) for atom in other
    )


@lru_cache(maxsize=65536)
def _join(a: Frame, b: Frame) -> Frame:
    union = {*a, *b}
    named = [atom for atom in union if isinstance(atom, str)]
    shrunk = [atom for atom in union if not isinstance(atom, str)]
    # A reduced atom adds nothing beside the whole of the frame that it came from.
    kept = [atom for atom in shrunk if not covers(tuple(union - {atom}), atom[0])]
    return (*sorted(named), *sorted(kept, key=repr))


def join(frames: Iterable[Frame]) -> Frame:
    """The frame that the given frames broadcast to."""
    result: Frame = SCALAR
    for frame in frames:
        if frame != result:
            result = _join(result, frame) if result else frame
    return result


def reduced(frame: Frame, dims: tuple[int, ...] | None) -> Frame:
    """The frame after a reduction that keeps its dims as size 1; over all dims, a scalar."""
    if dims is None or frame == SCALAR:
        return SCALAR
    return ((frame, dims),)


def arguments(frame: Frame) -> set[str]:
    """The names of the arguments whose shapes decide a frame."""
    names: set[str] = set()
    for atom in frame:
        names |= {atom} if isinstance(atom, str) else arguments(atom[0])
    return names


def renamed(frame: Frame, names: dict[str, Frame]) -> Frame:
    """The frame with each argument replaced by a frame, as when an op is called in a formula."""
    return join(
        names[atom] if isinstance(atom, str) else reduced(renamed(atom[0], names), atom[1])
        for atom in frame
    )


def has_reduction(frame: Frame) -> bool:
    """Whether some axis of the frame was made 1 by a reduction."""
    return any(isinstance(atom, tuple) for atom in frame)


def dropped_dims(frame: Frame) -> tuple[int, ...] | None:
    """The dims that an output drops, or None when that depends on the ranks at run time.

    An axis is dropped when a reduction made it 1 and no other operand brings it.
    """
    if not has_reduction(frame):
        return ()
    if len(frame) == 1 and isinstance(frame[0], tuple):
        inner, dims = frame[0]
        before = dropped_dims(inner)
        if before == ():
            return tuple(dims)
        negative = before is not None and all(d < 0 for d in (*before, *dims))
        return tuple(sorted({*before, *dims})) if before is not None and negative else None
    # Operands of different rank line up at the right, so only negative dims mean the same axis.
    once = [atom[1] for atom in frame if isinstance(atom, tuple) and not has_reduction(atom[0])]
    if len(once) == len(frame) and len(set(once)) == 1 and all(d < 0 for d in once[0]):
        return once[0]
    return None
