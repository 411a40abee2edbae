"""Which path a call of an op takes: fused kernels where they serve, plain operations elsewhere."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter

from symop import native_host
from symop.compiler import Formula
from symop.errors import CallError
from symop.frames import SCALAR
from symop.fused import Fused
from symop.names import class_name
from symop.python_host import PythonHost

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


_KINDS = frozenset({Tensor, Parameter, int, float})


class Dispatch:
    """Runs an op on kernels that are made when they are first needed.

    Args:
        formula: the formula.
        module: its generated module.
        plain: the op on plain operations, for whatever it is called with.
        ready: is called with what runs the op from now on.
        make: gives the op of another formula.
    """

    def __init__(
        self, formula: Formula, module: ModuleType, plain: Callable[..., Any],
        ready: Callable[[Callable[..., Any]], None], make: Callable[[Formula], Callable[..., Any]],
    ) -> None:  # fmt: skip
        self._formula = formula
        self._operands = module._operands
        self._module = module
        self._plain = plain
        self._ready = ready
        self._make = make
        self._masks = {k for k, a in enumerate(formula.program.arguments) if a.is_mask}
        self._host: Callable[..., Any] | None = None
        self._lock = threading.Lock()

    def __call__(self, *values: Any) -> Any:
        """The value of the op; the first call with a CPU tensor makes its kernels."""
        if any(type(v) in (Tensor, Parameter) and v.device.type == "cpu" for v in values):
            return self._begun()(*values)
        return self._plain(*values)

    def _begun(self) -> Callable[..., Any]:
        with self._lock:
            if self._host is None:
                fused = Fused(self._formula, self._module, self._make)
                self._host = self._plain
                if fused.forward is not None:
                    self._host = _host(fused, self._fallback)
                self._ready(self._host)
            return self._host

    def _fallback(self, *values: Any, **named: Any) -> Any:
        """What kernels do not take.

        Numbers and mixed dtypes go back to them, as tensors of one dtype; the rest is done by
        operations.
        """
        takes = not named and len(values) == len(self._formula.program.arguments)
        if (
            takes
            and _KINDS.issuperset(map(type, values))
            and not torch._C._are_functorch_transforms_active()
            and not any(isinstance(v, Tensor) and v.is_complex() for v in values)
        ):
            real = [v for k, v in enumerate(values) if k not in self._masks]
            made = self._operands(*real)
            if any(a is not b for a, b in zip(made, real, strict=True)):
                rest = iter(made)
                mixed = (v if k in self._masks else next(rest) for k, v in enumerate(values))
                return self._begun()(*mixed)
        return self._plain(*values, **named)


def _host(fused: Fused, fallback: Callable[..., Any]) -> Callable[..., Any]:
    """The C++ host where it was built; until then Python serves, and the build goes on beside."""
    if os.environ.get("SYMOP_HOST") == "python":
        return PythonHost(fused, fallback)
    module = native_host.load()
    if module is None:
        native_host.start_build()
        return PythonHost(fused, fallback)
    assert fused.forward is not None

    def gradient(needs: int) -> tuple[Any, ...] | None:
        made = fused.gradient(needs)
        return (made.data, made.inputs, fused.kept(needs)) if made else None

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
        next_order=fused.next_order,
        name=class_name(fused.name),
        n_args=len(fused.names),
        masks=fused.masks,
        scalar_loss=loss if len(one) == 1 and one[0].frame == SCALAR else None,
    )
    return host
