"""What is wrong with the values of a call, when torch has refused them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeGuard

import torch

from symop.program import Program

# What formulas are computed in.
DTYPES = frozenset({torch.float32, torch.float64, torch.float16, torch.bfloat16})


def problem_of(program: Program, values: Sequence[Any]) -> str | None:
    """The first fault of the values, naming the argument; None when none is known."""
    pairs = list(zip((a.name for a in program.arguments), values, strict=True))
    for name, value in pairs:
        if not isinstance(value, torch.Tensor | int | float):
            kind = type(value).__name__
            return f"{name} is a {kind}; a tensor or a number is expected"
        if isinstance(value, torch.Tensor) and value.is_complex():
            return f"{name} is complex ({value.dtype}); formulas are real"
        if isinstance(value, torch.Tensor) and value.is_quantized:
            return f"{name} is quantized ({value.dtype}); {name}.dequantize() is accepted"
        if isinstance(value, torch.Tensor) and value.is_nested:
            return f"{name} is a nested tensor, which torch cannot compute this formula with"
        if isinstance(value, torch.Tensor) and value.layout is not torch.strided:
            return f"{name} has the layout {value.layout}; a dense tensor is expected"
        if is_narrow(value):
            return dtype_problem(name, value.dtype)
    tensors = [(n, v) for n, v in pairs if isinstance(v, torch.Tensor)]
    for name, value in tensors[1:]:
        first, other = tensors[0]
        if value.device != other.device and value.dim() and other.dim():
            return f"{name} is on {value.device}, {first} on {other.device}; one device is expected"
    # torch takes 0-d tensors for replicated, and no other plain tensor beside a DTensor.
    spread = [n for n, v in tensors if hasattr(v, "device_mesh")]
    plain = [(n, v) for n, v in tensors if not hasattr(v, "device_mesh") and v.dim()]
    if spread and plain:
        name, value = plain[0]
        return (
            f"{name} is a plain tensor of shape {tuple(value.shape)}, {spread[0]} a DTensor; "
            "torch.distributed.tensor.distribute_tensor makes it one"
        )
    # A cotangent or tangent has the shape of the value that it belongs to.
    primal = {a.name for a in program.arguments if a.frame == (a.name,)}
    shaped = [(n, v) for n, v in tensors if n in primal]
    try:
        torch.broadcast_shapes(*(value.shape for _, value in shaped))  # type: ignore[no-untyped-call]
    except RuntimeError:
        shapes = ", ".join(f"{name} {tuple(value.shape)}" for name, value in shaped)
        return f"the shapes do not broadcast: {shapes}"
    return None


def is_narrow(value: Any) -> TypeGuard[torch.Tensor]:
    """Whether a value is a floating tensor of a dtype that formulas are not computed in: float8."""
    is_real = isinstance(value, torch.Tensor) and value.is_floating_point()
    return is_real and value.dtype not in DTYPES


def dtype_problem(name: str, dtype: torch.dtype) -> str:
    """What is wrong with an argument of a floating dtype that formulas are not computed in."""
    kind = str(dtype).removeprefix("torch.")
    return f"{name} is {kind}; float16, bfloat16, float32 and float64 are computed in"
