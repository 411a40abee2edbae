"""The gradient checks of torch, of both orders and of forward mode, at one example."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

_MAX_SLOW_MODE = 40
# Second order takes a pass for every argument and pair of results; of more, some are moved.
MAX_ARGUMENTS = 16


@dataclass(frozen=True)
class GradientCheck:
    """The gradient checks at one example: empty texts, or what torch found wrong.

    example: the shapes of the arguments.
    first: gradcheck.
    second: gradgradcheck, forward over reverse included.
    forward: gradcheck of forward mode.
    """

    example: str
    first: str
    second: str
    forward: str

    def __bool__(self) -> bool:
        return not (self.first or self.second or self.forward)


def gradient_check(
    function: Callable[..., Any], names: Sequence[str], values: Sequence[torch.Tensor]
) -> GradientCheck:
    """Check the gradients of a function at the values of its arguments, by their names.

    Of more than 16 arguments, the gradients by every second, third or further one are checked.
    """
    real = [k for k, v in enumerate(values) if v.is_floating_point()]
    chosen = {real[k] for k in moved(len(real))}

    def prepared() -> tuple[torch.Tensor, ...]:
        return tuple(
            v.detach().clone().requires_grad_(k in chosen) if v.is_floating_point() else v
            for k, v in enumerate(values)
        )

    shapes = ", ".join(
        f"{n} {tuple(v.shape)}".replace(" ()", " 0-d") for n, v in zip(names, values, strict=True)
    )
    if not any(v.is_floating_point() and v.numel() for v in values):
        return GradientCheck(shapes, "", "", "")
    fast: dict[str, Any] = {"fast_mode": sum(values[k].numel() for k in chosen) > _MAX_SLOW_MODE}
    forward = {"check_forward_ad": True, "check_backward_ad": False}
    gradcheck, gradgradcheck = torch.autograd.gradcheck, torch.autograd.gradgradcheck
    return GradientCheck(
        shapes,
        _failure(lambda: gradcheck(function, prepared(), **fast)),
        _failure(lambda: gradgradcheck(function, prepared(), check_fwd_over_rev=True, **fast)),
        _failure(
            lambda: gradcheck(function, prepared(), check_undefined_grad=False, **forward, **fast)
        ),
    )


def moved(count: int) -> range:
    """Which of so many arguments the gradients are checked by."""
    return range(0, count, max(1, -(-count // MAX_ARGUMENTS)))


def _failure(run: Callable[[], bool]) -> str:
    """What a check found wrong, in one line; empty when it holds."""
    try:
        # torch's own forward mode warns of what torch itself uses.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            run()
    except Exception as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        kind = "" if isinstance(error, RuntimeError) else f"{type(error).__name__}: "
        return f"{kind}{' '.join(lines)[:160]}" or type(error).__name__
    return ""
