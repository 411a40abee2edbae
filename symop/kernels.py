"""The kernels of an op in C, built when they are first needed."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from functools import cache
from typing import Any

from symop.backends.c_kernel import DTYPES, Variant
from symop.backends.cpu import kernel_source, routine
from symop.building import loaded
from symop.errors import BuildError
from symop.rendering import template_folder
from symop.routines import Routines
from symop.warned import warn_once

# Address of a kernel, by (loop, dtype, uniform bits, reduced bits, wanted bits).
Key = tuple[int, int, int, int, int]

_KERNEL = ctypes.CFUNCTYPE(
    ctypes.c_int64, ctypes.c_int64, *[ctypes.c_void_p] * 4
)  # fmt: skip


class Kernels(Routines):
    """The kernels of one op, forward and gradient, all dtypes.

    Args:
        name: the name of the op.
        shapes: the arguments whose shapes decide the frames, in the order of a call.
        is_precise: whether everything is evaluated in float64.
    """

    def __init__(self, name: str, shapes: Sequence[str], *, is_precise: bool = False) -> None:
        super().__init__(name, shapes, routine, is_precise=is_precise)
        self._built: dict[Key, int | None] = {}

    def __call__(self, *key: int) -> int | None:
        """The address of a kernel, None where it cannot be made.

        Args:
            key: the place of the loop, the dtype, and as bits the uniform inputs, the reduced
                results and the wanted results.
        """
        place, dtype, uniform, reduced, wanted = key
        key = (place, dtype, uniform, reduced & wanted, wanted)
        with self._lock:
            if key not in self._built:
                self._built[key] = self._build(*key)
            return self._built[key]

    def _build(self, place: int, dtype: int, uniform: int, reduced: int, wanted: int) -> int | None:
        made, loop = self._loops[place]
        chosen = tuple(k for k in range(len(loop.results)) if wanted >> k & 1)
        variant = Variant(
            DTYPES[dtype],
            tuple(bool(uniform >> k & 1) for k in range(len(loop.inputs))),
            tuple(bool(reduced >> k & 1) for k in chosen),
            chosen,
            self.is_precise,
        )
        try:
            text = kernel_source(self.name, made, loop, variant)
            library = loaded(text)
            ctypes.c_void_p.in_dll(library, "symop_driver").value = _driver()
        except BuildError as error:
            # Known before the warning, which may be made an error.
            self._built[place, dtype, uniform, reduced, wanted] = None
            warn_once(
                f"fused CPU kernels cannot be built, plain PyTorch operations run instead: {error}"
            )
            return None
        return ctypes.cast(library.symop_kernel, ctypes.c_void_p).value


# What runs the loops of all kernels, one text in this order.
_DRIVER = ("driver_space", "driver_blocks", "driver_sums", "driver_columns", "driver")


@cache
def _driver() -> int | None:
    """The address of what runs the loops of all kernels."""
    texts = [(template_folder() / f"{name}.c").read_text(encoding="utf-8") for name in _DRIVER]
    library = loaded("\n".join(texts))
    return ctypes.cast(library.symop_drive, ctypes.c_void_p).value


def function_at(address: int) -> Any:
    """The kernel at an address, as something to call."""
    return _KERNEL(address)
