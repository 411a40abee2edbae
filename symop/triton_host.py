"""The host of the Triton backend: for tensors like those of an earlier call, one look-up."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import torch

from symop.fused import Fused, is_watched
from symop.layouts import Refused
from symop.python_host import PythonHost
from symop.triton_kernels import TritonKernels
from symop.triton_launching import TritonLauncher

_MOST = 256


class TritonHost:
    """Runs the routines of an op on a GPU.

    Args:
        fused: the routines.
        fallback: the op on plain operations.
    """

    def __init__(self, fused: Fused, fallback: Callable[..., Any]) -> None:
        assert fused.forward is not None
        self.fused = fused
        self.host = PythonHost(fused, fallback, TritonLauncher)
        assert isinstance(fused.kernels, TritonKernels)
        self.launcher = TritonLauncher(fused.forward.data, fused.kernels)
        self.known: dict[Any, Callable[..., Any]] = {}
        self.call = _caller(len(fused.names))(self.known, self.host, self.met)

    def met(self, key: Any, *values: Any) -> Any:
        """The value for tensors unlike those before; the next like them are known."""
        fused = self.fused
        if not fused.takes(values, fused.masks):
            return self.host(*values)
        try:
            run = self.launcher.planned(values, [v.shape for v in values])
            results = run(values)
        except Refused:
            return self.host.fallback(*values)
        if len(self.known) >= _MOST:
            self.known.clear()
        self.known[key] = run
        return results[0] if len(results) == 1 else tuple(results)


@cache
def _caller(arity: int) -> Callable[..., Callable[..., Any]]:
    """Makes the call of an op of so many arguments: one look-up, in text without loops."""
    names = [f"v{k}" for k in range(arity)]
    listed = ", ".join(names)
    key = ", ".join(
        f"{v}.__class__, {v}.dtype, {v}.device, {v}.shape, {v}.stride(), {v}.layout" for v in names
    )
    text = _TEXT.format(
        listed=listed, key=key,
        needs=" or ".join(f"{v}.requires_grad" for v in names),
        negative=" or ".join(f"{v}.is_neg()" for v in names),
    )  # fmt: skip
    space: dict[str, Any] = {
        "is_grad_enabled": torch.is_grad_enabled, "is_watched": is_watched, "Refused": Refused,
    }  # fmt: skip
    exec(text, space)
    made: Callable[..., Callable[..., Any]] = space["made"]
    return made


_TEXT = """
def made(known, host, met):
    def call(*values):
        try:
            {listed}, = values
            if (is_grad_enabled() and ({needs})) or {negative} or is_watched():
                return host(*values)
            key = ({key})
            run = known.get(key)
        except (AttributeError, RuntimeError, TypeError, ValueError):
            return host(*values)
        if run is None:
            return met(key, *values)
        try:
            results = run(values)
        except Refused:
            return host.fallback(*values)
        return results[0] if len(results) == 1 else tuple(results)

    return call
"""
