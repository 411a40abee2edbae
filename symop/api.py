"""The functions that users call: compile, op, generate."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, overload

from symop.carried import CARRIED, passes
from symop.compiler import formula
from symop.errors import CallError
from symop.hosts import chosen_backend
from symop.operators import Op
from symop.program import Program

# What generated modules can be made of.
_BACKENDS = ("auto", "torch", *CARRIED)


def compile(
    source: Any,
    *,
    args: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
    name: str | None = None,
    functions: Mapping[str, Op] | None = None,
    backend: str = "auto",
    precision: str = "standard",
) -> Op:
    """Make a differentiable PyTorch operator of a formula.

    Args:
        source: text such as "w*x + b", a program of lines `name = expression`, a sympy
            expression, a Python function of torch operations, or a sequence or dict of these.
        args: the order of the arguments; may name arguments that the formula never uses.
        outputs: the names of the outputs, instead of those that no later line uses.
        name: the name of the op, in lower snake case.
        functions: ops that the formula calls, by the names that it calls them.
        backend: "auto" runs fused kernels where they serve and PyTorch operations elsewhere, as
            "cpu" does on the CPU and "triton" on the GPU; "torch" runs operations only. The
            variable SYMOP_BACKEND sets what "auto" stands for. Kernels are built when they are
            first needed.
        precision: "standard", or "high" to evaluate everything in float64 and to round once to
            the dtype of the arguments: for float32 where accuracy matters more than speed.

    Returns:
        The op.

    Raises:
        FormulaError: the formula is refused; the message points into it.
        NamingError: the name cannot be that of an op.

    Example:
        >>> import symop, torch
        >>> affine = symop.compile("w*x + b")
        >>> affine.args, affine.saved
        (('w', 'x', 'b'), ('w', 'x'))
        >>> affine(2.0, torch.tensor([1.0, 2.0]), b=1)
        tensor([3., 5.])
    """
    return Op(
        formula(
            source, args=args, outputs=outputs, name=name, functions=_programs(functions or {}),
            precision=precision, backend=chosen_backend(backend),
        )
    )  # fmt: skip


def _programs(functions: Mapping[str, Any]) -> dict[str, Program]:
    for name, function in functions.items():
        if not isinstance(function, Op):
            raise CallError(f"functions: {name} must be an op, not {type(function).__name__}")
    return {name: function.program for name, function in functions.items()}


@overload
def op(function: Callable[..., Any]) -> Op: ...
@overload
def op(*, name: str | None = None, backend: str = "auto") -> Callable[[Callable[..., Any]], Op]: ...


def op(
    function: Callable[..., Any] | None = None, *, name: str | None = None, backend: str = "auto"
) -> Any:
    """Make an op of a Python function of torch operations, as a decorator.

    The function may call the ops that its own namespace holds.

    Args:
        function: what it does with tensors; it is called once, with stand-ins for them.
        name: the name of the op, if not that of the function.
        backend: as in `compile`.

    Returns:
        The op, or a decorator that makes it where only options were given.

    Raises:
        FormulaError: the function does what no formula can say; the message names it.
        NamingError: the name cannot be that of an op.

    Example:
        >>> import symop, torch
        >>> @symop.op
        ... def scaled_tanh(x, scale):
        ...     return scale * torch.tanh(x)
        >>> scaled_tanh.args
        ('x', 'scale')
    """

    def decorate(target: Callable[..., Any]) -> Op:
        known = inspect.getclosurevars(target)
        held = {**known.globals, **known.nonlocals}
        ops = {key: value for key, value in held.items() if isinstance(value, Op)}
        return compile(target, name=name, functions=ops, backend=backend)

    return decorate if function is None else decorate(function)


def generate(
    source: Any,
    *,
    name: str,
    args: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
    functions: Mapping[str, Op] | None = None,
    backends: Sequence[str] = ("torch",),
    tests: bool = True,
    precision: str = "standard",
) -> Any:
    """Generate the files of an op: a module, and a test that proves it.

    Args:
        source: a formula, in any form that `compile` takes.
        name: the name of the op and of its file, in lower snake case.
        args: as in `compile`.
        outputs: as in `compile`.
        functions: as in `compile`.
        backends: what the module carries: "torch", its operations, and beside them "cpu", fused
            loops in C that it compiles when they are first needed, and "triton", fused kernels
            for the GPU. "auto" carries those that the formula has.
        tests: whether a test is generated too.
        precision: as in `compile`.

    Returns:
        The files as text, `.files`; `.write(folder)` writes them.

    Raises:
        FormulaError: the formula is refused.
        NamingError: the name cannot be that of a file and an op.
        CallError: a backend is not known, or "cpu" or "triton" is asked for and the formula takes
            more than one loop, or something that C or Triton lacks.

    Example:
        >>> import symop
        >>> list(symop.generate("w*x + b", name="multiply_add").files)
        ['multiply_add.py', 'test_multiply_add.py']
    """
    from symop.artifact import artifact

    for backend in backends:
        if backend not in _BACKENDS:
            raise CallError(f"backend {backend!r} is not known; {', '.join(_BACKENDS)} are")
    if "torch" not in backends and "auto" not in backends:
        both = ",".join(["torch", *(b for b in CARRIED if b in backends)])
        raise CallError("a module is made of the operations of torch, which serve where loops in "
                        f"C and kernels do not; backends {both} carries both")  # fmt: skip
    programs = _programs(functions or {})
    read = formula(
        source, args=args, outputs=outputs, name=name, functions=programs, precision=precision
    )
    carries = [backend for backend in CARRIED if backend in backends]
    note = ""
    if "auto" in backends and not carries:
        for backend in CARRIED:
            try:
                passes(read.name, read.plan, backend)
            except CallError as error:
                note = note or str(error)
            else:
                carries.append(backend)
    return replace(artifact(replace(read, carries=tuple(carries)), tests=tests), note=note)
