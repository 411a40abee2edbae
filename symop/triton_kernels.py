"""The kernels of an op in Triton: texts, made functions when they are first needed."""

from __future__ import annotations

import hashlib
import linecache
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from symop import triton_interpreter
from symop.backends.triton import Kernel, kernel, lack, routine
from symop.backends.triton_variant import Variant
from symop.errors import BuildError
from symop.layouts import LoopLayout
from symop.loops import Result
from symop.program import Program
from symop.routines import Prepared, Routines
from symop.tiling import Tiling, candidates, tiling
from symop.warned import warn_once


def is_installed() -> bool:
    """Whether the package triton is there."""
    return find_spec("triton") is not None


def is_interpreted() -> bool:
    """Whether kernels run in the interpreter of Triton, on the CPU."""
    return os.environ.get("TRITON_INTERPRET", "0").lower() in ("1", "true", "on", "y", "yes")


@dataclass(frozen=True)
class Launchable:
    """A kernel for one layout of its operands.

    kernel: its text, and what it is called with.
    function: what `triton.jit` made of it.
    tiling: how the loop is cut.
    about: what it computes, for errors.
    is_asked: whether it is an error that Triton refuses it.
    """

    kernel: Kernel
    function: Any
    tiling: Tiling
    about: str
    is_asked: bool


class TritonKernels(Routines):
    """The kernels of one op, forward and gradient, all dtypes and layouts.

    Args:
        name: the name of the op.
        shapes: the arguments whose shapes decide the frames, in the order of a call.
        text: the formula, as lines.
        is_precise: whether everything is evaluated in float64.
        is_asked: whether what kernels cannot do is an error.
    """

    def __init__(
        self, name: str, shapes: Sequence[str], text: Sequence[str], *, is_precise: bool = False,
        is_asked: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(name, shapes, routine, is_precise=is_precise)
        self.text = tuple(text)
        self.is_asked = is_asked
        self._made: dict[tuple[int, Variant], tuple[Kernel, Any]] = {}

    def routine(
        self, program: Program, values: Sequence[str], *, takes_all: bool = False,
        numbers: Sequence[str] = (),
    ) -> Prepared | None:  # fmt: skip
        """The routine of a program, None where Triton lacks an operation of it.

        Raises:
            BuildError: it lacks one, and backend triton was asked for.
        """
        made = super().routine(program, values, takes_all=takes_all, numbers=numbers)
        if made is None:
            fault = f"{self.name}: {lack(program)}; plain PyTorch operations serve every formula"
            if self.is_asked:
                raise BuildError(fault)
            warn_once(f"{fault}, and run instead")
        return made

    def launchable(self, loop: LoopLayout, wanted: Sequence[int], dtype: str) -> Launchable:
        """The kernel of a loop that has elements.

        Args:
            loop: its layout.
            wanted: the positions of the results that are computed.
            dtype: the dtype of the tensors.
        """
        _, body = self._loops[loop.code]
        cut = tiling(body, loop, wanted, dtype, is_precise=self.is_precise)
        return self._launchable(loop.code, cut)

    def candidates(
        self, loop: LoopLayout, wanted: Sequence[int], dtype: str
    ) -> tuple[Launchable, ...]:
        """The kernels of a loop that differ in their blocks, that of `launchable` first.

        Args:
            loop: its layout.
            wanted: the positions of the results that are computed.
            dtype: the dtype of the tensors.
        """
        _, body = self._loops[loop.code]
        cuts = candidates(body, loop, wanted, dtype, is_precise=self.is_precise)
        return tuple(self._launchable(loop.code, cut) for cut in cuts)

    def _launchable(self, code: int, cut: Tiling) -> Launchable:
        made, body = self._loops[code]
        key = code, cut.variant
        with self._lock:
            if key not in self._made:
                text = kernel(self.name, made, body, cut.variant)
                self._made[key] = text, function_of(text)
            text, function = self._made[key]
        return Launchable(text, function, cut, "; ".join(self.text), self.is_asked)

    def results(self, code: int) -> tuple[Result, ...]:
        """What a loop leaves behind."""
        return self._loops[code][1].results


_functions: dict[str, Any] = {}
_lock = threading.Lock()


def function_of(made: Kernel) -> Any:
    """The function that `triton.jit` makes of a kernel; one for all kernels of one text."""
    if is_interpreted():
        triton_interpreter.install()
    digest = hashlib.sha256(made.text.encode()).hexdigest()[:16]
    with _lock:
        if digest not in _functions:
            # Triton reads the source of functions, which linecache has for files that are none.
            file = f"<symop triton {made.entry} {digest}>"
            lines = made.text.splitlines(keepends=True)
            linecache.cache[file] = len(made.text), None, lines, file
            space: dict[str, Any] = {"__name__": f"symop_triton_{digest}"}
            exec(compile(made.text, file, "exec"), space)
            _functions[digest] = space[made.entry]
        return _functions[digest]
