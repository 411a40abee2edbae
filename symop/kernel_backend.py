"""What a backend that runs fused kernels says of itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from symop.compiler import Formula
from symop.fused import Fused
from symop.loading import Generated
from symop.routines import Routines

Call = Callable[..., Any]


@dataclass(frozen=True)
class KernelBackend:
    """What runs fused kernels.

    name: as users write it.
    devices: gives the types of devices whose tensors it takes.
    kernels: makes the kernels of a formula.
    host: makes what is called, of the routines and of what takes all other calls.
    missing: says what it needs and is not there, for an error where it was asked for.
    is_ready: whether it can serve a device that it is for; warns where it cannot.
    check: refuses what its kernels cannot take, where it was asked for.
    texts: the title and the text of each kernel of a formula, for a report.
    """

    name: str
    devices: Callable[[], frozenset[str]]
    kernels: Callable[[Formula], Routines]
    host: Callable[[Fused, Call], Call]
    missing: Callable[[], str] = lambda: ""
    is_ready: Callable[[], bool] = lambda: True
    check: Callable[[Formula, Sequence[Any]], None] = lambda formula, values: None
    texts: Callable[[Formula], Sequence[tuple[str, str]]] = lambda formula: ()

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
