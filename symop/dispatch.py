"""Which path a call of an op takes: fused kernels where they serve, plain operations elsewhere."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from symop import native_host
from symop.compiler import Formula
from symop.errors import CallError
from symop.frames import SCALAR
from symop.fused import Fused, PythonHost
from symop.names import class_name

BACKENDS = ("auto", "torch", "cpu")


def chosen_backend(backend: str) -> str:
    """The backend that is meant: "auto" stands for SYMOP_BACKEND where that is set.

    Raises:
        CallError: there is no backend of that name.
    """
    chosen = os.environ.get("SYMOP_BACKEND", "auto") if backend == "auto" else backend
    if chosen not in BACKENDS:
        raise CallError(f"backend {chosen!r} is not known; {', '.join(BACKENDS)} are")
    return chosen


class Dispatch:
    """Runs an op, on kernels that are made when they are first needed.

    Args:
        formula: the formula.
        module: its generated module.
    """

    def __init__(self, formula: Formula, module: ModuleType) -> None:
        self.formula = formula
        self.module = module
        self.plain: Callable[..., Any] = getattr(module, formula.name)
        self.host: Callable[..., Any] = self.plain
        self._lock = threading.Lock()
        self._begun = False

    def __call__(self, *values: Any) -> Any:
        """The value of the op."""
        if not self._begun and any(isinstance(v, Tensor) and v.device.type == "cpu" for v in values):
            self._begin()
        return self.host(*values)

    def _begin(self) -> None:
        with self._lock:
            if self._begun:
                return
            fused = Fused(self.formula, self.module)
            if fused.forward is not None:
                self.host = _host(fused, self._fallback)
            self._begun = True

    def _fallback(self, *values: Any) -> Any:
        """Values of mixed kinds, once they are tensors of one dtype; the rest by operations."""
        if not torch._C._are_functorch_transforms_active():
            masks = {k for k, a in enumerate(self.formula.program.arguments) if a.is_mask}
            real = [v for k, v in enumerate(values) if k not in masks]
            made = self.module._operands(*real)
            if made is not real and any(a is not b for a, b in zip(made, real, strict=True)):
                rest = iter(made)
                return self.host(*(v if k in masks else next(rest) for k, v in enumerate(values)))
        return self.plain(*values)


def _host(fused: Fused, fallback: Callable[..., Any]) -> Callable[..., Any]:
    """The C++ host where it was built; until then Python serves, and the build goes on beside."""
    module = native_host.load()
    if module is None:
        native_host.start_build()
        return PythonHost(fused, fallback)
    assert fused.forward is not None

    def gradient(needs: int) -> tuple[Any, ...] | None:
        made = fused.gradient(needs)
        return made and (made.data, made.inputs, fused.kept(needs))

    def loss(scalars: int, _needs: int) -> Any:
        made = fused.loss(scalars)
        return made and made.data

    one = fused.plan.program.outputs
    host: Callable[..., Any] = module.Host(
        forward=fused.forward.data,
        saved=fused.saved,
        gradient=gradient,
        wanted=fused.places,
        kernels=fused.kernels,
        fallback=fallback,
        next_order=fused.by_operations,
        name=class_name(fused.name),
        n_args=len(fused.names),
        masks=fused.masks,
        scalar_loss=loss if len(one) == 1 and one[0].frame == SCALAR else None,
    )
    return host
