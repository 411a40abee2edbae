"""The derivatives of a function of tensors by autograd, by quantity."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from symop.oracle import Quantity, pairs_of

_Function = Callable[..., Any]


def elementwise_derivatives(
    function: _Function, inputs: Sequence[torch.Tensor], order: int
) -> dict[Quantity, list[float]]:
    """The outputs of an elementwise function and their derivatives, number by number.

    Args:
        function: takes the inputs and gives a tensor or several.
        inputs: tensors of one shape; masks are not differentiated by.
        order: 0, 1 or 2.
    """
    places = [i for i, v in enumerate(inputs) if v.is_floating_point()]
    leaves = [v.detach().clone().requires_grad_(v.is_floating_point()) for v in inputs]
    results = function(*leaves)
    outputs = results if isinstance(results, tuple) else (results,)
    found: dict[Quantity, list[float]] = {}
    by = [leaves[i] for i in places]
    for k, output in enumerate(outputs):
        found[k, ()] = numbers_of(output)
        first = gradients(output, by, second=order == 2) if order else []
        for i, gradient in zip(places, first, strict=False):
            found[k, (i,)] = numbers_of(gradient)
        if order < 2:
            continue
        for a, b in pairs_of(len(places)):
            (second,) = gradients(first[a], [by[b]])
            found[k, (places[a], places[b])] = numbers_of(second)
    return found


def gradients(
    value: torch.Tensor,
    leaves: Sequence[torch.Tensor],
    weight: torch.Tensor | None = None,
    *,
    second: bool = False,
) -> list[torch.Tensor]:
    """The gradients of a value, zeros where it does not depend on a leaf."""
    if not value.requires_grad or not leaves:
        return [torch.zeros_like(leaf) for leaf in leaves]
    weight = torch.ones_like(value) if weight is None else weight
    found = torch.autograd.grad(
        value, list(leaves), weight, retain_graph=True, create_graph=second, allow_unused=True
    )
    return [torch.zeros_like(v) if g is None else g for g, v in zip(found, leaves, strict=True)]


def numbers_of(tensor: torch.Tensor) -> list[float]:
    """The elements as numbers of float64."""
    numbers: list[float] = tensor.detach().cpu().double().flatten().tolist()
    return numbers
