"""The host that runs the routines of an op from Python."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Protocol

import torch
from torch import Size, Tensor
from torch.compiler import is_dynamo_compiling

from symop.fused import Fused
from symop.launching import Launcher
from symop.layouts import Refused
from symop.routines import Data


class Launches(Protocol):
    """Runs one routine, as `symop.launching.Launcher` does."""

    def __call__(
        self, tensors: Sequence[Tensor], shapes: Sequence[Size], numbers: int | None = None
    ) -> list[Tensor]:
        """The outputs."""


@dataclass(frozen=True)
class Needs:
    """What some of the gradients need.

    bits: which they are, as bits in the order of the wanted ones.
    asked: the places of their arguments.
    kept: for each saved value, whether it is an argument or an output and which one; None for
        those that these gradients do not read.
    """

    bits: int
    asked: tuple[int, ...]
    kept: tuple[tuple[int, int] | None, ...]


_MOST = 64


class PythonHost:
    """Runs the routines of an op from Python.

    Args:
        fused: the routines.
        fallback: the op on plain operations.
        launching: makes what runs a routine, of its data and the kernels.
    """

    def __init__(
        self, fused: Fused, fallback: Callable[..., Any],
        launching: Callable[[Data, Any], Launches] = Launcher,
    ) -> None:  # fmt: skip
        assert fused.forward is not None
        self.fused = fused
        self.fallback = fallback
        self.launching = launching
        self.forward = launching(fused.forward.data, fused.kernels)
        self._launchers: dict[Data, Launches] = {}
        self._needs: dict[tuple[bool, ...], Needs] = {}
        self._shapes: dict[tuple[Size, ...], SimpleNamespace] = {}
        self.apply = _function(self).apply

    def __call__(self, *values: Any) -> Any:
        """The value of the op."""
        if not self.fused.takes(values, self.fused.masks):
            return self.fallback(*values)
        try:
            return self.apply(*values)
        except Refused:
            return self.fallback(*values)

    def launcher(self, data: Data) -> Launches:
        """What runs a routine."""
        if data not in self._launchers:
            self._launchers[data] = self.launching(data, self.fused.kernels)
        return self._launchers[data]

    def needs(self, flags: tuple[bool, ...]) -> Needs:
        """What gradients that are wanted by flag need; remembered."""
        found = self._needs.get(flags)
        if found is None:
            fused = self.fused
            bits = sum(1 << k for k, p in enumerate(fused.places) if flags[p])
            kept = fused.kept(bits)
            found = self._needs[flags] = Needs(
                bits,
                tuple(p for p in fused.places if flags[p]),
                tuple(pair if k in kept else None for k, pair in enumerate(fused.saved)),
            )
        return found

    def shape(self, shapes: tuple[Size, ...]) -> SimpleNamespace:
        """The shapes of the arguments by name; remembered."""
        if shapes not in self._shapes:
            if len(self._shapes) >= _MOST:
                self._shapes.clear()
            self._shapes[shapes] = self.fused.shape(shapes)
        return self._shapes[shapes]

    def run_forward(self, ctx: Any, values: Sequence[Tensor], needs: Needs) -> list[Tensor]:
        """The outputs; for a scalar loss, its gradients by numbers are kept beside it."""
        fused = self.fused
        ctx.shapes = shapes = tuple([value.shape for value in values])
        ctx.shape = self.shape(shapes)
        ctx.numbers = {}
        scalars = 0
        for k, p in enumerate(fused.places):
            if needs.bits >> k & 1 and not shapes[p]:
                scalars |= 1 << k
        made = fused.loss(scalars) if scalars else None
        if made is None:
            return self.forward(values, shapes)
        result, *numbers = self.launcher(made.data)(values, shapes, numbers=1)
        bits = [k for k in range(len(fused.places)) if scalars >> k & 1]
        ctx.numbers = dict(zip(bits, numbers, strict=True))
        return [result]

    def run_backward(
        self, ctx: Any, needs: int, saved: Sequence[Tensor | None], grads: Sequence[Tensor]
    ) -> list[Tensor] | None:
        """The gradients whose bits are set, None where kernels do not serve."""
        fused = self.fused
        done = {k: n for k, n in ctx.numbers.items() if needs >> k & 1}
        rest = needs & ~sum(1 << k for k in done)
        made = fused.gradient(rest) if rest else None
        values = (*saved, *grads)
        if rest and made is None:
            return None
        inputs = [v for v in (values[k] for k in made.inputs) if v is not None] if made else []
        real = [v for v in (*inputs, *grads) if v.dtype != torch.bool]
        if (made and len(inputs) < len(made.inputs)) or not fused.takes(real, ()):
            return None
        results: dict[int, Tensor] = {}
        if done:
            # One launch on a GPU, however many they are.
            numbers = [*done.values()]
            scaled = torch._foreach_mul(numbers, grads[0].to(numbers[0].dtype))
            results = {k: s.to(grads[0].dtype) for k, s in zip(done, scaled, strict=True)}
        if made:
            try:
                found = self.launcher(made.data)(inputs, ctx.shapes)
            except Refused:
                return None
            bits = [k for k in range(len(fused.places)) if rest >> k & 1]
            results |= dict(zip(bits, found, strict=True))
        return [results[k] for k in sorted(results)]


def _function(host: PythonHost) -> Any:
    fused = host.fused

    class FusedFunction(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *values: Tensor) -> Any:
            needs = host.needs(ctx.needs_input_grad)
            results = host.run_forward(ctx, values, needs)
            known = (values, results)
            ctx.save_for_backward(*[p and known[p[0]][p[1]] for p in needs.kept])
            return results[0] if len(results) == 1 else tuple(results)

        @staticmethod
        def backward(ctx: Any, *grads: Tensor) -> Any:
            if is_dynamo_compiling():
                # Compiled autograd, which can trace operations, and has a ctx of its own kind.
                fused.generated.load()
                return fused.generated.function.backward(ctx, *grads)
            needs = host.needs(tuple(ctx.needs_input_grad))
            saved = ctx.saved_tensors
            results: Sequence[Tensor | None] | None = None
            if needs.bits and not torch.is_grad_enabled():
                results = host.run_backward(ctx, needs.bits, saved, grads)
            if results is None:
                results = fused.next_order(needs.bits, ctx.shapes, *saved, *grads)
            found: list[Tensor | None] = [None] * len(fused.names)
            for place, result in zip(needs.asked, results, strict=True):
                found[place] = result
            return tuple(found)

    return FusedFunction
