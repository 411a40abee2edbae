"""The CPU backend: kernels in C, and the host that calls them."""

from __future__ import annotations

import os
from typing import Any

from symop import native_host
from symop.backends import cpu
from symop.backends.c_kernel import Variant
from symop.compiler import Formula
from symop.frames import SCALAR
from symop.fused import Fused
from symop.kernel_backend import Call, KernelBackend
from symop.kernels import Kernels
from symop.names import class_name
from symop.program import Program
from symop.python_host import PythonHost


def cpu_kernels(formula: Formula) -> Kernels:
    """The kernels of a formula in C."""
    names = [a.name for a in formula.program.arguments]
    return Kernels(formula.name, names, is_precise=formula.precision == "high")


def _native(fused: Fused, fallback: Call) -> Call:
    """The C++ host where it was built; until then Python serves, and the build goes on beside."""
    if os.environ.get("SYMOP_HOST") == "python":
        return PythonHost(fused, fallback)
    module = native_host.load()
    if module is None:
        native_host.start_build()
        return PythonHost(fused, fallback)
    assert fused.forward is not None
    # All gradients may be asked for at once.
    is_large = len(fused.names) > native_host.MOST_RESULTS
    if is_large or not native_host.takes(fused.forward.data):
        return PythonHost(fused, fallback)

    def gradient(needs: int) -> tuple[Any, ...] | None:
        made = fused.gradient(needs)
        if made is None or not native_host.takes(made.data):
            return None
        return made.data, made.inputs, fused.kept(needs)

    def loss(scalars: int, _needs: int) -> Any:
        made = fused.loss(scalars)
        return made.data if made is not None and native_host.takes(made.data) else None

    one = fused.plan.program.outputs
    host: Call = module.Host(
        forward=fused.forward.data,
        saved=fused.saved,
        gradient=gradient,
        wanted=fused.places,
        kernels=fused.kernels,
        fallback=fallback,
        next_order=fused.next_order,
        name=class_name(fused.name),
        n_args=len(fused.names),
        masks=fused.masks,
        scalar_loss=loss if len(one) == 1 and one[0].frame == SCALAR else None,
    )
    return host


def _texts(formula: Formula) -> list[tuple[str, str]]:
    """The kernels for float32 tensors of one shape."""
    parts: list[tuple[str, Program]] = [
        ("forward", formula.program), ("gradients", formula.plan.gradient),
    ]  # fmt: skip
    found = []
    for part, program in parts:
        made = cpu.routine(program)
        if made is None:
            continue
        for number, loop in enumerate(made.loops, 1):
            results = len(loop.results)
            variant = Variant(
                "float32", (False,) * len(loop.inputs), (False,) * results, tuple(range(results))
            )
            place = f", loop {number} of {len(made.loops)}" if len(made.loops) > 1 else ""
            text = cpu.kernel_source(formula.name, made, loop, variant)
            found.append((f"CPU kernel, {part}{place}", text))
    return found


CPU = KernelBackend("cpu", lambda: frozenset({"cpu"}), cpu_kernels, _native, texts=_texts)
