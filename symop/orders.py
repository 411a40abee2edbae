"""The orders above the second, made when they are first needed.

A generated module holds an operator and its gradient; what the gradient's own backward does
is left to plain PyTorch operations, whose derivatives autograd can take, but not safely at
kinks and singular points. In Python that backward is replaced, while a further derivative is
being recorded, by the operator of the next order, which is a generated one again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import torch

from symop.frames import Frame, arguments, of_argument
from symop.names import spelled
from symop.planning import Plan
from symop.program import Argument, Program


def extend(gradient: Any, plan: Plan, make: Callable[[Program], Any]) -> None:
    """Let the gradient class of a loaded module continue with generated operators.

    Args:
        gradient: the `...Backward` class of the module.
        plan: the plan that the module was printed from.
        make: makes the op of the gradients of a program.
    """
    order = [a.name for a in plan.program.arguments]
    names = [a.name for a in plan.gradient.arguments]
    plain = gradient.backward

    @cache
    def next_order(given: tuple[int, ...]) -> Any:
        outputs = tuple(plan.gradient.outputs[k] for k in given)
        return make(closed(replace(plan.gradient, outputs=outputs)))

    def backward(ctx: Any, *grads: Any) -> Any:
        if torch.compiler.is_compiling() or not torch.is_grad_enabled():
            return plain(ctx, *grads)
        asked = [grads[order.index(n)] for n in plan.wanted] if len(order) > 1 else grads
        given = tuple(k for k, grad in enumerate(asked) if grad is not None)
        if not given:
            return plain(ctx, *grads)
        op = next_order(given)
        cotangents = [asked[k] for k in given]
        results = op(*_values(ctx, op, plan, cotangents), *cotangents)
        results = results if isinstance(results, tuple) else (results,)
        found = {o.of: value for o, value in zip(op.program.outputs, results, strict=True)}
        needs = ctx.needs_input_grad
        wanted = [found.get(n) if need else None
                  for n, need in zip(names, needs, strict=False)]  # fmt: skip
        return (*wanted, *[None] * (len(needs) - len(wanted)))

    gradient.backward = staticmethod(backward)


def closed(program: Program) -> Program:
    """The program with an argument for each one that only its shapes speak of."""
    named = {a.name for a in program.arguments}
    atoms: set[str] = set()
    for frame in [n.frame for n in program.nodes] + [o.frame for o in program.outputs]:
        atoms |= arguments(frame)
    for node in program.nodes:
        atoms |= arguments(node.source or ()) | arguments(node.target or ())
    missing = [Argument(name, of_argument(name)) for name in sorted(atoms - named)]
    return replace(program, arguments=(*program.arguments, *missing))


def _values(ctx: Any, op: Any, plan: Plan, cotangents: list[Any]) -> list[Any]:
    """What the op of the next order is called with, before its cotangents.

    An argument that is known by its shape alone, or that no wanted part reads, is given as an
    empty tensor of that shape that takes no memory.
    """
    saved = dict(zip(plan.kept, ctx.saved_tensors, strict=True))
    shapes = vars(ctx.shape) if hasattr(ctx, "shape") else {}
    # What only gradients that were not asked for would need was not saved.
    there = {name: value for name, value in saved.items() if value is not None}
    sizes = {a.frame: there[a.name].shape for a in plan.gradient.arguments if a.name in there}
    sizes |= {
        of_argument(n): shapes[spelled(n)] for n in _names(op.program) if spelled(n) in shapes
    }
    values = []
    for argument in op.program.arguments[: len(op.args) - len(cotangents)]:
        value = saved.get(argument.name)
        if value is None:
            size = _size(argument.frame, sizes)
            if argument.dropped:
                # Axes that only reductions brought are those where sizes of 2 give a 1.
                axes = _size(
                    argument.frame, {f: torch.Size([2] * len(n)) for f, n in sizes.items()}
                )
                size = torch.Size(n for n, axis in zip(size, axes, strict=True) if axis == 2)
            value = cotangents[0].new_zeros(()).expand(size)
        values.append(value)
    return values


def _names(program: Program) -> set[str]:
    return {name for a in program.arguments for name in (a.name, *arguments(a.frame))}


def _size(frame: Frame, sizes: Mapping[Frame, torch.Size]) -> torch.Size:
    """The shape of a frame; an atom that no shape is known of does not bear on the results."""
    if frame in sizes:
        return sizes[frame]
    if len(frame) == 1 and isinstance(frame[0], tuple):
        inner, dims = frame[0]
        size = _size(inner, sizes)
        reduced = {d % len(size) for d in dims} if size else set()
        return torch.Size(1 if k in reduced else n for k, n in enumerate(size))
    if len(frame) < 2:
        return torch.Size()
    parts = [_size((atom,), sizes) for atom in frame]
    together: torch.Size = torch.broadcast_shapes(*parts)  # type: ignore[no-untyped-call]
    return together
