"""The backends that run fused kernels, and which of them serves: the one list of them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from symop.compiler import Formula
from symop.cpu_backend import CPU
from symop.errors import CallError
from symop.kernel_backend import KernelBackend
from symop.triton_backend import TRITON

# In the order in which "auto" asks them for a device.
KERNEL_BACKENDS = (CPU, TRITON)

# What serves where nothing was chosen, and what each name stands for.
_SERVING: dict[str, tuple[KernelBackend, ...]] = {
    "auto": KERNEL_BACKENDS,
    "torch": (),
    **{backend.name: (backend,) for backend in KERNEL_BACKENDS},
}


def chosen_backend(backend: str) -> str:
    """The backend that is meant: "auto" stands for SYMOP_BACKEND where that is set.

    Raises:
        CallError: there is no backend of that name, or what it needs is missing.
    """
    chosen = os.environ.get("SYMOP_BACKEND", "auto") if backend == "auto" else backend
    if chosen not in _SERVING:
        raise CallError(f"backend {chosen!r} is not known; {', '.join(_SERVING)} are")
    asked = _asked(chosen)
    if asked is not None and (missing := asked.missing()):
        raise CallError(missing)
    return chosen


def _asked(name: str) -> KernelBackend | None:
    """The backend that was asked for by its name."""
    return next((backend for backend in KERNEL_BACKENDS if backend.name == name), None)


def serving(backend: str, device: str) -> KernelBackend | None:
    """What runs kernels on a type of device, None where plain operations do.

    Args:
        backend: a name that `chosen_backend` gave.
        device: the type of the device.
    """
    found = next((one for one in _SERVING[backend] if device in one.devices()), None)
    return found if found is not None and found.is_ready() else None


def check_values(formula: Formula, values: Sequence[Any]) -> None:
    """Refuse what kernels cannot take, where they were asked for.

    Raises:
        CallError: a value is nothing for the kernels of the backend.
    """
    asked = _asked(formula.backend)
    if asked is not None:
        asked.check(formula, values)
