"""A GPU for Triton that is not there: kernels are compiled for it, and launches only counted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


class _Utils:
    def load_binary(self, *arguments: Any) -> tuple[int, ...]:
        return 0, 0, 32, 0, 1024

    def unload_module(self, *arguments: Any) -> None:
        pass

    def get_device_properties(self, device: int) -> dict[str, int]:
        return {
            "max_shared_mem": 232448, "multiprocessor_count": 132, "warpSize": 32,
            "max_num_regs": 65536,
        }  # fmt: skip


class IdleDriver:
    """A driver of one device, sm_90, that keeps what it is asked to launch.

    launches: the arguments of each launch: grid, stream and all the rest.
    stream: the current one.
    """

    utils = _Utils()

    def __init__(self) -> None:
        self.launches: list[tuple[Any, ...]] = []
        self.stream = 7
        driver = self

        class Launcher:
            def __init__(self, *made: Any) -> None:
                pass

            def __call__(self, *arguments: Any) -> None:
                driver.launches.append(arguments)

        self.launcher_cls = Launcher

    def get_current_target(self) -> Any:
        from triton.backends.compiler import GPUTarget

        return GPUTarget("cuda", 90, 32)

    def get_current_device(self) -> int:
        return 0

    def get_current_stream(self, device: int) -> int:
        return self.stream

    def get_active_torch_device(self) -> torch.device:
        return torch.device("cpu")


@contextmanager
def idle_driver() -> Iterator[IdleDriver]:
    """Triton with that driver, which takes tensors of the CPU for those of its device."""
    from triton.runtime import driver

    made, before = IdleDriver(), driver._active
    driver.set_active(made)
    try:
        yield made
    finally:
        driver._active = before
