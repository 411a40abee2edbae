"""What a kernel of Triton is made for."""

from __future__ import annotations

from dataclasses import dataclass

# A step of an operand along a dim: none, one element, or a number known at run time.
NONE, ONE, ANY = 0, 1, 2


@dataclass(frozen=True)
class Variant:
    """What a kernel is made for.

    dtype: the dtype of the tensors.
    wanted: the positions of the results that are computed.
    steps: for each input, then for each wanted result, its step along each dim of the iteration.
        An input without steps is one element; a result without a step along a dim is reduced
        over it. The last dim is that of columns, the one before it that of rows.
    is_precise: whether everything is evaluated in float64.
    is_large: whether places need 64 bits.
    is_split: whether several programs contribute to what is reduced.
    """

    dtype: str
    wanted: tuple[int, ...]
    steps: tuple[tuple[int, ...], ...]
    is_precise: bool = False
    is_large: bool = False
    is_split: bool = False

    @property
    def is_double(self) -> bool:
        """Whether the kernel computes in float64."""
        return self.is_precise or self.dtype == "float64"

    @property
    def is_half(self) -> bool:
        """Whether float32 has more digits than the results will."""
        return not self.is_double and self.dtype in ("float16", "bfloat16")

    @property
    def dims(self) -> int:
        """How many dims the iteration has."""
        return len(self.steps[0])

    @property
    def kept(self) -> tuple[tuple[bool, ...], ...]:
        """For each wanted result, the dims that it keeps."""
        first = len(self.steps) - len(self.wanted)
        return tuple(tuple(map(bool, row)) for row in self.steps[first:])

    @property
    def patterns(self) -> tuple[tuple[bool, ...], ...]:
        """The different ways in which results are reduced."""
        return tuple(dict.fromkeys(kept for kept in self.kept if not all(kept)))

    @property
    def along(self) -> str:
        """Along what a program goes: "rows", "columns", or nothing."""
        for name, dim in (("rows", -2), ("columns", -1)):
            if self.dims + dim >= 0 and self.patterns and not any(p[dim] for p in self.patterns):
                return name
        return ""
