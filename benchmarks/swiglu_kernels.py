"""SwiGLU as libraries of kernels write it by hand: one row a program, the gate computed again.

The way of Liger-Kernel's swiglu: a block as wide as a row, masks everywhere, float32 inside.
"""

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

# Rows that a flat tensor is seen as, the widest that divides it; else it is one row.
WIDTHS = (8000, 1000)


@triton.jit  # type: ignore[untyped-decorator]
def _forward(a_ptr, b_ptr, out_ptr, columns, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def]
    start = tl.program_id(0).to(tl.int64) * columns
    column = tl.arange(0, BLOCK)
    mask = column < columns
    a = tl.load(a_ptr + start + column, mask=mask, other=0).to(tl.float32)
    b = tl.load(b_ptr + start + column, mask=mask, other=0)
    gate = (a * tl.sigmoid(a)).to(b.dtype)
    tl.store(out_ptr + start + column, gate * b, mask=mask)


@triton.jit  # type: ignore[untyped-decorator]
def _backward(  # type: ignore[no-untyped-def]
    grad_ptr, a_ptr, b_ptr, grad_a_ptr, grad_b_ptr, columns, BLOCK: tl.constexpr
):
    start = tl.program_id(0).to(tl.int64) * columns
    column = tl.arange(0, BLOCK)
    mask = column < columns
    grad = tl.load(grad_ptr + start + column, mask=mask, other=0)
    a = tl.load(a_ptr + start + column, mask=mask, other=0).to(tl.float32)
    b = tl.load(b_ptr + start + column, mask=mask, other=0)
    sigmoid = tl.sigmoid(a)
    gate = a * sigmoid
    tl.store(grad_b_ptr + start + column, grad * gate, mask=mask)
    slope = gate * (1 - sigmoid) + sigmoid
    tl.store(grad_a_ptr + start + column, grad * slope * b, mask=mask)


def _rows(count: int) -> tuple[int, int]:
    columns = next((w for w in WIDTHS if count % w == 0), count)
    return count // columns, columns


def _launch(kernel: Any, *tensors: Tensor) -> None:
    rows, columns = _rows(tensors[0].numel())
    block = triton.next_power_of_2(columns)
    warps = 4 if block < 2048 else 8 if block < 8192 else 16
    kernel[(rows,)](*tensors, columns, BLOCK=block, num_warps=warps)


class _SwiGLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
        out = torch.empty_like(a)
        _launch(_forward, a, b, out)
        ctx.save_for_backward(a, b)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        a, b = ctx.saved_tensors
        grad_a, grad_b = torch.empty_like(a), torch.empty_like(b)
        _launch(_backward, grad.contiguous(), a, b, grad_a, grad_b)
        return grad_a, grad_b


def swiglu(a: Tensor, b: Tensor) -> Tensor:
    """silu(a)*b of contiguous tensors of one shape and dtype."""
    result: Tensor = _SwiGLU.apply(a, b)  # type: ignore[no-untyped-call]
    return result
