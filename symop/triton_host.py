"""The host of the Triton backend: for tensors like those of the last call, one check in C."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import torch

from symop.fused import Fused, is_watched
from symop.layouts import Refused
from symop.python_host import PythonHost
from symop.triton_kernels import TritonKernels
from symop.triton_launching import Run, TritonLauncher

_MOST = 256
# What torch.compile checks the arguments of compiled functions with: class, dispatch keys (device
# type, layout, negation and others), dtype, device, sizes, strides, and the need of a gradient.
_GUARDS = getattr(torch._C._dynamo.guards, "TensorGuards", None)

Check = Callable[..., bool]
# Tells tensors like those that were met; what runs for them; whether one of them needs a gradient.
Known = tuple[Check, Run, bool]


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
        self.known: dict[Any, Known] = {}
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
        self.known[key] = check(values), run, any(v.requires_grad for v in values)
        return results[0] if len(results) == 1 else tuple(results)


def check(values: Sequence[torch.Tensor]) -> Check:
    """What tells tensors like these from others."""
    if _GUARDS is None:
        return _unlike
    made: Check = _GUARDS(*values, dynamic_dims_sizes=None, dynamic_dims_strides=None).check
    return made


def _unlike(*values: Any) -> bool:
    return False


@cache
def _caller(arity: int) -> Callable[..., Callable[..., Any]]:
    """Makes the call of an op of so many arguments, in text without loops.

    Tensors like those of the last call are told by their check, others by a look-up. A check sees
    modes of this thread that the key does not: where it fails for its own key, it is made anew.
    """
    names = [f"v{k}" for k in range(arity)]
    listed = ", ".join(names)
    key = ", ".join(
        f"{v}.__class__, {v}.dtype, {v}.device, {v}.shape, {v}.stride(), {v}.layout, "
        f"{v}.requires_grad"
        for v in names
    )
    text = _TEXT.format(
        listed=listed, key=key,
        needs=" or ".join(f"{v}.requires_grad" for v in names),
        negative=" or ".join(f"{v}.is_neg()" for v in names),
    )  # fmt: skip
    space: dict[str, Any] = {
        "is_grad_enabled": torch.is_grad_enabled, "is_watched": is_watched, "Refused": Refused,
        "check": check, "unlike": _unlike,
    }  # fmt: skip
    exec(text, space)
    made: Callable[..., Callable[..., Any]] = space["made"]
    return made


_TEXT = """
def made(known, host, met):
    latest = unlike, None, False

    def call(*values):
        nonlocal latest
        is_like, run, has_grad = latest
        try:
            if is_like(*values):
                is_ours = not (has_grad and is_grad_enabled() or is_watched())
            else:
                {listed}, = values
                is_ours = not (is_grad_enabled() and ({needs}) or {negative} or is_watched())
                if is_ours:
                    key = ({key})
                    found = known.get(key)
                    if found is None:
                        run = None
                    else:
                        if found is latest:
                            found = known[key] = check(values), *found[1:]
                        latest = found
                        run = found[1]
        except (AttributeError, RuntimeError, TypeError, ValueError):
            return host(*values)
        if not is_ours:
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
