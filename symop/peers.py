"""What an op is timed against: the same formula in plain torch, by hand, compiled, and in JAX."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from symop.loading import load
from symop.reference import reference_text

if TYPE_CHECKING:
    from symop.operators import Op

PEERS = ("eager", "function", "compile", "autotune", "jax")


def installed() -> tuple[str, ...]:
    """The peers that this environment has, without the one that takes minutes."""
    names = tuple(name for name in PEERS if name != "autotune")
    return names if importlib.util.find_spec("jax") else names[:-1]


def eager(op: Op) -> Callable[..., Any]:
    """The formula as somebody would write it in torch; autograd keeps what it needs."""
    module = load(op.name, reference_text(op.written))
    reference: Callable[..., list[torch.Tensor]] = module.reference
    if len(op.outputs) > 1:
        return lambda *values: tuple(reference(*values))
    return lambda *values: reference(*values)[0]


def by_hand(op: Op) -> Callable[..., Any]:
    """The Function of a tutorial: saves its inputs, and computes gradients with operations."""
    module = load(op.name, replace(op._formula, backend="torch", carries=()).module_text)
    function: Callable[..., Any] = getattr(module, op.name)
    return function


def compiled(function: Callable[..., Any], *, mode: str | None = None) -> Callable[..., Any]:
    """The function under torch.compile, for one shape."""
    return torch.compile(function, fullgraph=True, dynamic=False, mode=mode)


def peers(
    op: Op, wanted: Sequence[str], plain: Callable[..., Any] | None = None
) -> dict[str, Callable[..., Any]]:
    """The op and what it is compared with, without JAX, which has tensors of its own.

    Args:
        op: what `symop.compile` returned.
        wanted: names of PEERS.
        plain: the formula in torch, where it is not to be made of the op.
    """
    plain = plain or eager(op)
    makers: dict[str, Callable[[], Callable[..., Any]]] = {
        "eager": lambda: plain,
        "function": lambda: by_hand(op),
        "compile": lambda: compiled(plain),
        "autotune": lambda: compiled(plain, mode="max-autotune-no-cudagraphs"),
    }
    return {"symop": op} | {name: make() for name, make in makers.items() if name in wanted}


def arguments(
    op: Op,
    ranges: Sequence[tuple[float, float]],
    elements: int,
    dtype: torch.dtype,
    *,
    scalars: Sequence[str] = (),
    fixed: Sequence[str] = (),
) -> list[torch.Tensor]:
    """Values to call an op with, the same each time.

    Args:
        op: what is called.
        ranges: from where to where each argument goes.
        elements: how many each has.
        dtype: of all that are numbers.
        scalars: the arguments of one element.
        fixed: the arguments that need no gradient.
    """
    generator = torch.Generator().manual_seed(0)
    values = []
    for argument, (low, high) in zip(op.program.arguments, ranges, strict=True):
        shape = () if argument.name in scalars else (elements,)
        drawn = torch.rand(shape, generator=generator, dtype=torch.float64)
        if argument.is_mask:
            values.append(drawn < 0.5)
            continue
        # Not at the very ends, where some functions are infinite.
        value = (low + (high - low) * (0.05 + 0.9 * drawn)).to(dtype)
        values.append(value.requires_grad_(argument.name not in fixed))
    return values
