"""Which path a call of an op takes: fused kernels where they serve, plain operations elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter

from symop.compiler import Formula
from symop.hosts import check_values, serving
from symop.loading import Generated

_KINDS = frozenset({Tensor, Parameter, int, float})


class Dispatch:
    """Runs an op on kernels that are made when they are first needed.

    Args:
        formula: the formula.
        generated: its generated module.
        plain: the op on plain operations, for whatever it is called with.
        ready: is called with what runs the op from now on.
        make: gives the op of another formula.
    """

    def __init__(
        self, formula: Formula, generated: Generated, plain: Callable[..., Any],
        ready: Callable[[Callable[..., Any]], None], make: Callable[[Formula], Callable[..., Any]],
    ) -> None:  # fmt: skip
        self._formula = formula
        self._generated = generated
        self._plain = plain
        self._ready = ready
        self._make = make
        self._masks = {k for k, a in enumerate(formula.program.arguments) if a.is_mask}
        self._hosts: dict[str, Callable[..., Any]] = {}
        self._lock = threading.Lock()

    def __call__(self, *values: Any) -> Any:
        """The value of the op; the first call with a tensor on a device makes its kernels."""
        return self._host(values)(*values)

    def _host(self, values: Sequence[Any]) -> Callable[..., Any]:
        """What runs the op on the device of the tensors."""
        types = {v.device.type for v in values if type(v) in (Tensor, Parameter)}
        device = next(iter(types), "") if len(types) == 1 else ""
        host = self._hosts.get(device)
        if host is not None:
            return host
        backend = serving(self._formula.backend, device)
        if backend is None:
            return self._plain
        with self._lock:
            if device not in self._hosts:
                host = backend.begun(
                    self._formula, self._generated, device, partial(self._fallback, device),
                    self._make,
                )  # fmt: skip
                self._hosts[device] = host or self._plain
                self._ready(self._hosts[device] if len(self._hosts) == 1 else self)
        return self._hosts[device]

    def _fallback(self, device: str, /, *values: Any, **named: Any) -> Any:
        """What the kernels on a type of device do not take.

        Numbers and mixed dtypes go back to them, as tensors of one dtype, and tensors on another
        device to the kernels there; the rest is done by operations.
        """
        other = self._host(values)
        if not named and other not in (self._plain, self._hosts.get(device)):
            return other(*values)
        takes = not named and len(values) == len(self._formula.program.arguments)
        if (
            takes
            and _KINDS.issuperset(map(type, values))
            and not torch._C._are_functorch_transforms_active()
            and not any(isinstance(v, Tensor) and v.is_complex() for v in values)
        ):
            check_values(self._formula, values)
            real = [v for k, v in enumerate(values) if k not in self._masks]
            self._generated.load()
            made = self._generated.module._operands(*real)
            if any(a is not b for a, b in zip(made, real, strict=True)):
                rest = iter(made)
                mixed = tuple(v if k in self._masks else next(rest) for k, v in enumerate(values))
                return self._host(mixed)(*mixed)
        return self._plain(*values, **named)
