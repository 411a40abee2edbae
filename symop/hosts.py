"""The backends that run kernels, and how an op begins on each."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from symop import native_host
from symop.compiler import Formula
from symop.errors import CallError
from symop.frames import SCALAR
from symop.fused import DTYPES, Fused
from symop.kernels import Kernels
from symop.loading import Generated
from symop.names import class_name
from symop.python_host import PythonHost
from symop.routines import Routines
from symop.triton_host import TritonHost
from symop.triton_kernels import TritonKernels, is_installed, is_interpreted, warn_once

Call = Callable[..., Any]


@dataclass(frozen=True)
class Backend:
    """What runs fused kernels.

    name: as users write it.
    devices: gives the types of devices whose tensors it takes.
    kernels: makes the kernels of a formula.
    host: makes what is called, of the routines and of what takes all other calls.
    """

    name: str
    devices: Callable[[], frozenset[str]]
    kernels: Callable[[Formula], Routines]
    host: Callable[[Fused, Call], Call]

    def begun(
        self, formula: Formula, generated: Generated, device: str, fallback: Call,
        make: Callable[[Formula], Call],
    ) -> Call | None:  # fmt: skip
        """What runs a formula on a device, None where kernels cannot.

        Args:
            formula: the formula.
            generated: its generated module.
            device: the type of the device.
            fallback: what takes the calls that kernels do not take.
            make: gives the op of another formula.
        """
        fused = Fused(formula, generated, self.kernels(formula), device, make)
        return self.host(fused, fallback) if fused.forward is not None else None


def cpu_kernels(formula: Formula) -> Kernels:
    """The kernels of a formula in C."""
    names = [a.name for a in formula.program.arguments]
    return Kernels(formula.name, names, is_precise=formula.precision == "high")


def triton_kernels(formula: Formula) -> TritonKernels:
    """The kernels of a formula in Triton."""
    names = [a.name for a in formula.program.arguments]
    return TritonKernels(
        formula.name, names, formula.text,
        is_precise=formula.precision == "high", is_asked=formula.backend == "triton",
    )  # fmt: skip


def _native(fused: Fused, fallback: Call) -> Call:
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
    host: Call = module.Host(
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


def _on_gpu(fused: Fused, fallback: Call) -> Call:
    return TritonHost(fused, fallback).call


CPU = Backend("cpu", lambda: frozenset({"cpu"}), cpu_kernels, _native)
TRITON = Backend(
    "triton",
    lambda: frozenset({"cpu"} if is_interpreted() else {"cuda"}),
    triton_kernels,
    _on_gpu,
)

# What serves where nothing was chosen, and what each name stands for.
_SERVING = {"torch": (), "cpu": (CPU,), "triton": (TRITON,), "auto": (CPU, TRITON)}

BACKENDS = ("auto", "torch", "cpu", "triton")


def chosen_backend(backend: str) -> str:
    """The backend that is meant: "auto" stands for SYMOP_BACKEND where that is set.

    Raises:
        CallError: there is no backend of that name, or what it needs is missing.
    """
    chosen = os.environ.get("SYMOP_BACKEND", "auto") if backend == "auto" else backend
    if chosen not in BACKENDS:
        raise CallError(f"backend {chosen!r} is not known; {', '.join(BACKENDS)} are")
    if chosen == "triton" and not is_installed():
        raise CallError(
            'backend "triton" needs the package triton, which is not installed; "auto" does '
            "without, and `pip install triton` brings it"
        )
    return chosen


def serving(backend: str, device: str) -> Backend | None:
    """What runs kernels on a type of device, None where plain operations do.

    Args:
        backend: a name that `chosen_backend` gave.
        device: the type of the device.
    """
    found = next((one for one in _SERVING[backend] if device in one.devices()), None)
    if found is TRITON and not is_installed():
        warn_once(
            "the package triton is not installed (`pip install triton`); without it, plain "
            "PyTorch operations run on the GPU"
        )
        return None
    return found


def check_dtypes(formula: Formula, values: Sequence[Any]) -> None:
    """Refuse what kernels cannot take, where kernels of Triton were asked for.

    Raises:
        CallError: a floating tensor is of another dtype than theirs.
    """
    for value in values if formula.backend == "triton" else ():
        if isinstance(value, Tensor) and value.is_floating_point() and value.dtype not in DTYPES:
            raise CallError(
                f"{formula.name}: kernels of Triton take tensors of float16, bfloat16, float32 and "
                f"float64, not of {str(value.dtype).removeprefix('torch.')}"
            )
