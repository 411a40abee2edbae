"""The Triton backend: kernels for GPUs, and the host that launches them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from symop.compiler import Formula
from symop.errors import CallError
from symop.fused import DTYPES, Fused
from symop.kernel_backend import Call, KernelBackend
from symop.triton_host import TritonHost
from symop.triton_kernels import TritonKernels, is_installed, is_interpreted
from symop.warned import warn_once


def triton_kernels(formula: Formula) -> TritonKernels:
    """The kernels of a formula in Triton."""
    names = [a.name for a in formula.program.arguments]
    return TritonKernels(
        formula.name, names, formula.text,
        is_precise=formula.precision == "high", is_asked=formula.backend == "triton",
    )  # fmt: skip


def _host(fused: Fused, fallback: Call) -> Call:
    return TritonHost(fused, fallback).call


def _missing() -> str:
    if is_installed():
        return ""
    return (
        'backend "triton" needs the package triton, which is not installed; "auto" does '
        "without, and `pip install triton` brings it"
    )


def _is_ready() -> bool:
    if not is_installed():
        warn_once(
            "the package triton is not installed (`pip install triton`); without it, plain "
            "PyTorch operations run on the GPU"
        )
        return False
    return True


def _check(formula: Formula, values: Sequence[Any]) -> None:
    """Refuse floating tensors of another dtype than kernels have."""
    for value in values:
        if isinstance(value, Tensor) and value.is_floating_point() and value.dtype not in DTYPES:
            raise CallError(
                f"{formula.name}: kernels of Triton take tensors of float16, bfloat16, float32 and "
                f"float64, not of {str(value.dtype).removeprefix('torch.')}"
            )


TRITON = KernelBackend(
    "triton",
    lambda: frozenset({"cpu"} if is_interpreted() else {"cuda"}),
    triton_kernels,
    _host,
    missing=_missing,
    is_ready=_is_ready,
    check=_check,
)
