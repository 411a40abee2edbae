"""An op on fused kernels: what hosts ask for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.nn import Parameter

from symop.compiler import Formula
from symop.derivative_names import cotangent_names
from symop.derived import derived
from symop.frames import SCALAR
from symop.loading import Generated
from symop.names import spelled
from symop.orders import closed
from symop.planning import Plan
from symop.program import Builder, Output, Program, with_operands
from symop.routines import Prepared, Routines, with_read_arguments

_KINDS = frozenset({Tensor, Parameter})
# What kernels compute with.
DTYPES = frozenset({torch.float32, torch.float64, torch.float16, torch.bfloat16})


class Fused:
    """The routines of an op.

    Args:
        formula: the formula.
        generated: its generated module, which does whatever kernels cannot do.
        kernels: what a backend makes of the formula.
        device: the type of the device that the kernels run on.
        make: gives the op of a formula, for derivatives of the gradient; without it they are
            those of the module.
    """

    def __init__(
        self,
        formula: Formula,
        generated: Generated,
        kernels: Routines,
        device: str = "cpu",
        make: Callable[[Formula], Callable[..., Any]] | None = None,
    ) -> None:
        plan = formula.plan
        self.formula = formula
        self.device = device
        self.make = make
        self._next: dict[int, tuple[tuple[str, ...], Callable[..., Any]]] = {}
        self.plan = plan
        self.name = formula.name
        self.generated = generated
        self.names = tuple(a.name for a in plan.program.arguments)
        self.masks = tuple(k for k, a in enumerate(plan.program.arguments) if a.is_mask)
        self.outputs = tuple(o.name for o in plan.program.outputs)
        self.cotangents = tuple(cotangent_names(plan.program)[name] for name in self.outputs)
        self.places = tuple(self.names.index(name) for name in plan.wanted)
        self.saved = tuple(
            (0, self.names.index(n)) if n in self.names else (1, self.outputs.index(n))
            for n in plan.saved
        )
        self.kernels = kernels
        self.forward = self.kernels.routine(plan.program, self.names, takes_all=True)
        self._gradients: dict[int, Prepared | None] = {}
        self._losses: dict[int, Prepared | None] = {}

    def takes(self, values: Sequence[Any], masks: Sequence[int]) -> bool:
        """Whether the kernels may read these values."""
        return are_plain(values, masks, self.device)

    def gradient(self, needs: int) -> Prepared | None:
        """The routine of the gradients whose bits are set, in the order of `plan.wanted`.

        Its values are what was saved, then the cotangents.
        """
        if needs not in self._gradients:
            chosen = tuple(o for k, o in enumerate(self.plan.gradient.outputs) if needs >> k & 1)
            program = replace(self.plan.gradient, outputs=chosen)
            values = (*self.plan.saved, *self.cotangents)
            self._gradients[needs] = self.kernels.routine(program, values)
        return self._gradients[needs]

    def kept(self, needs: int) -> tuple[int, ...]:
        """The places of the saved values that gradients need."""
        wanted = {k for k in range(len(self.places)) if needs >> k & 1}
        return tuple(k for k, uses in enumerate(self.plan.uses) if uses & wanted)

    def loss(self, scalars: int) -> Prepared | None:
        """The value together with the gradients of 0-d arguments, for a cotangent of one.

        None where that takes more than one loop, or the op is no scalar of its arguments.
        """
        if scalars not in self._losses:
            program = _with_gradients(self.plan, scalars)
            made = None
            if program is not None:
                numbers = [o.name for o in program.outputs[1:]]
                made = self.kernels.routine(program, self.names, takes_all=True, numbers=numbers)
            self._losses[scalars] = made if made and len(made.data[5]) == 1 else None
        return self._losses[scalars]

    def next_order(
        self, needs: int, shapes: Sequence[Sequence[int]], *values: Tensor | None
    ) -> tuple[Tensor | None, ...]:
        """Gradients that can be differentiated further, by an op of their own where that serves.

        Args:
            needs: the wanted gradients, as bits.
            shapes: the shapes of the arguments.
            values: what was saved, then the cotangents.
        """
        real = [v for v in values if v is not None and v.dtype != torch.bool]
        if self.make is None or not self.plan.second or not self.takes(real, ()):
            return self.by_operations(needs, shapes, *values)
        if needs not in self._next:
            self._next[needs] = self._gradient_op(needs)
        names, op = self._next[needs]
        known = dict(zip((*self.plan.saved, *self.cotangents), values, strict=True))
        given = []
        for name in names:
            value = known.get(name)
            if value is None:
                # Only its shape counts; it takes no memory.
                value = real[-1].new_zeros(()).expand(torch.Size(shapes[self.names.index(name)]))
            given.append(value)
        found = op(*given)
        return found if isinstance(found, tuple) else (found,)

    def _gradient_op(self, needs: int) -> tuple[tuple[str, ...], Callable[..., Any]]:
        assert self.make is not None
        gradient = self.plan.gradient
        chosen = tuple(o for k, o in enumerate(gradient.outputs) if needs >> k & 1)
        program = closed(with_read_arguments(replace(gradient, outputs=chosen)))
        name = f"{self.name}_backward"
        made = derived(name, program, self.formula)
        return tuple(a.name for a in program.arguments), self.make(made)

    def by_operations(
        self, needs: int, shapes: Sequence[Sequence[int]], *values: Tensor | None
    ) -> tuple[Tensor | None, ...]:
        """Gradients by the generated module, which can be differentiated further.

        Args:
            needs: the wanted gradients, as bits.
            shapes: the shapes of the arguments.
            values: what was saved, then the cotangents.
        """
        asked = [p for k, p in enumerate(self.places) if needs >> k & 1]
        flags = tuple(k in asked for k in range(len(self.names)))
        context = _Context(tuple(values[: len(self.saved)]), self.shape(shapes), flags)
        self.generated.load()
        found = self.generated.function.backward(context, *values[len(self.saved) :])
        found = found if isinstance(found, tuple) else (found,)
        return tuple(found[p] for p in asked)

    def shape(self, shapes: Sequence[Sequence[int]]) -> SimpleNamespace:
        """The shapes of the arguments, as the generated module keeps them."""
        pairs = zip(self.names, shapes, strict=True)
        return SimpleNamespace(**{spelled(n): torch.Size(s) for n, s in pairs})


class _Context:
    """What the backward of a generated module reads of its ctx."""

    def __init__(self, saved: tuple[Any, ...], shape: Any, needs: tuple[bool, ...]) -> None:
        self.saved_tensors = saved
        self.shape = shape
        self.needs_input_grad = needs


def _with_gradients(plan: Plan, scalars: int) -> Program | None:
    """The value and some gradients as one program."""
    program = plan.program
    if len(program.outputs) != 1 or program.outputs[0].frame != SCALAR:
        return None
    build = Builder(program.nodes)
    value = program.outputs[0]
    cotangent = cotangent_names(program)[value.name]
    known = {value.name: value.node, cotangent: build.constant(1)}
    place: list[int] = []
    for node in plan.gradient.nodes:
        if node.op in ("argument", "mask") and node.value in known:
            place.append(known[str(node.value)])
        else:
            place.append(build.put(with_operands(node, tuple(place[o] for o in node.operands))))
    gradients = tuple(
        Output(o.name, place[o.node], o.frame)
        for k, o in enumerate(plan.gradient.outputs)
        if scalars >> k & 1
    )
    return Program(program.arguments, tuple(build.nodes), (value, *gradients))


def are_plain(values: Sequence[Any], masks: Sequence[int], device: str = "cpu") -> bool:
    """Whether kernels may read these values: dense on one device, and nothing watches them.

    Args:
        values: what an op was called with.
        masks: the places of those that are truth values.
        device: the type of the device.
    """
    kind = place = None
    for k, value in enumerate(values):
        if type(value) not in _KINDS:
            return False
        if place is None:
            place = value.device
            if place.type != device:
                return False
        elif value.device != place:
            return False
        if value.layout != torch.strided or value.is_neg():
            return False
        if not torch._C._has_storage(value):
            return False  # a batch of gradients, which vmap holds elsewhere
        if k in masks:
            if value.dtype != torch.bool:
                return False
        elif value.dtype not in DTYPES or kind not in (None, value.dtype):
            return False
        else:
            kind = value.dtype
    return kind is not None and not is_watched()


# Looked up once: every call of an op asks them.
_transforms = torch._C._are_functorch_transforms_active
_dispatching = torch._C._len_torch_dispatch_stack
_functions = torch._C._len_torch_function_stack
_tracing = torch._C._get_tracing_state


def is_watched() -> bool:
    """Whether a transform, a mode or a tracer would not see what kernels do."""
    return bool(
        _transforms()
        or _dispatching()
        or _functions()
        or forward_ad._current_level >= 0
        or _tracing() is not None
    )
