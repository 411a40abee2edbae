"""The body of the function of a kernel that adds up, in C for one dtype."""

from __future__ import annotations

from collections.abc import Sequence

from symop.backends.c_kernel import KernelBody, Variant
from symop.loops import Count, Loop, Result, Routine
from symop.summing import ONE, Factor, summing


class SumBody(KernelBody):
    """Prints what is added up for one element, one statement a line.

    Where nothing is stored beside the sums, nobody sees the value of an element, and the loop takes
    the form of fewest operations.

    Args:
        routine: what the loop belongs to.
        loop: the loop.
        variant: what it is specialised to.
        anywhere: whether functions are those that are right for arguments of any size.
    """

    def __init__(
        self, routine: Routine, loop: Loop, variant: Variant, *, anywhere: bool = False
    ) -> None:
        self.is_free = all(variant.reduced)
        self.factors: Sequence[Factor] = [ONE] * len(variant.wanted)
        if self.is_free:
            flags = zip(loop.inputs, variant.uniform, strict=True)
            uniform = [argument.name for argument, is_uniform in flags if is_uniform]
            loop, self.factors = summing(loop, variant.wanted, uniform)
        super().__init__(routine, loop, variant, anywhere=anywhere)

    def result_pointer(self, k: int, kind: str, place: str) -> list[str]:
        """Where the elements of a result are, if it is stored."""
        return [] if self.variant.reduced[k] else super().result_pointer(k, kind, place)

    def fetches(self) -> list[str]:
        """The statements that ask for inputs long before they are read."""
        names = [self.names[argument.name] for argument in self.full_inputs()]
        return [f"fetch_ahead({name}_in, LANES * sizeof *{name}_in);" for name in names]

    def accumulator(self, k: int) -> str:
        """The lanes of a sum."""
        return f"sum{k}[i]"

    def combination(self, k: int, result: Result, into: str) -> str:
        """A value with its accumulator, where it is none that pads a block."""
        return f"is_whole || block + i < count ? {super().combination(k, result, into)} : {into}"

    def reduced(self) -> list[int]:
        """The places of the sums among the results."""
        return [k for k, is_reduced in enumerate(self.variant.reduced) if is_reduced]

    def lanes(self) -> list[str]:
        """The names of the lanes."""
        return [f"sum{k}" for k in self.reduced()]

    def flush(self) -> list[str]:
        """The statements that add lanes, in pairs, to doubles."""
        lines = []
        for place, k in enumerate(self.reduced()):
            to, pair = f"lanes[{place} * PAIRS + i]", f"sum{k}[i] + sum{k}[i + PAIRS]"
            factor = self._factor(self.factors[k])
            lines.append(f"{to} = FMA({factor}, {pair}, {to});" if factor else f"{to} += {pair};")
        return lines

    def _factor(self, factor: Factor) -> str:
        if factor == ONE:
            return ""
        times = [f" * {self._number(count)}" for count in factor.above]
        over = [f" / {self._number(count)}" for count in factor.below]
        return f"{float(factor.number)!r}{''.join(times + over)}"

    def _number(self, count: Count) -> str:
        return f"number[{self.loop.counts.index(count)}]"

    def has_counts(self) -> bool:
        """Whether a count of elements is read."""
        return super().has_counts() or any(f.above or f.below for f in self.factors)

    def _is_product(self, index: int) -> bool:
        # What is the same for all elements is computed before the loop.
        return super()._is_product(index) and not (self.is_free and index in self.fixed)
