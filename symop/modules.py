"""Ops as `nn.Module`s: some arguments become Parameters or buffers, the others stay arguments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from symop.errors import CallError


class OpModule(nn.Module):
    """An op with constants of its own; made by `Op.module`.

    Parameters and buffers have the names of the arguments that they stand for, in `state_dict`
    and as attributes. `forward` takes the other arguments, in the order of the op or by name.

    Example:
        >>> import symop
        >>> line = symop.compile("w*x + b").module(w=2.0, b=1.0)
        >>> [(name, tuple(p.shape)) for name, p in line.named_parameters()]
        [('w', ()), ('b', ())]
    """

    def __init__(self, op: Any, constants: Mapping[str, Any]) -> None:
        super().__init__()
        self._op = op
        self._constants = tuple(n for n in op.args if n in constants)
        unknown = [n for n in constants if n not in op.args]
        if unknown:
            raise CallError(f"{op.name} has no argument {unknown[0]}; it takes {_listed(op.args)}")
        masks = {a.name for a in op.program.arguments if a.is_mask}
        for name in self._constants:
            if hasattr(self, name):
                raise CallError(
                    f"{op.name}: nn.Module has an attribute {name!r} of its own, which no constant "
                    "can replace; give the argument another name in the formula"
                )
            self._register(name, constants[name], is_mask=name in masks)

    def _register(self, name: str, value: Any, *, is_mask: bool) -> None:
        where = f"{self._op.name}: {name}"
        if not isinstance(value, Tensor | int | float) or isinstance(value, bool):
            raise CallError(
                f"{where} is a {type(value).__name__}; a number, a tensor or a Parameter makes a "
                "Parameter, torch.nn.Buffer(tensor) a buffer"
            )
        if isinstance(value, Tensor) and value.is_complex():
            raise CallError(f"{where} is complex ({value.dtype}); formulas are real")
        if isinstance(value, nn.Buffer):
            self.register_buffer(name, value, persistent=getattr(value, "persistent", True))
            return
        if is_mask:
            raise CallError(f"{where} is a condition and cannot be trained; give it as "
                            "torch.nn.Buffer(tensor)")  # fmt: skip
        if isinstance(value, nn.Parameter):
            self.register_parameter(name, value)
            return
        if not isinstance(value, Tensor):
            value = torch.tensor(float(value))
        if not value.is_floating_point():
            raise CallError(
                f"{where} is of {value.dtype}, which has no gradient; a floating tensor makes a "
                "Parameter, torch.nn.Buffer(tensor) a buffer"
            )
        if not value.is_leaf:
            raise CallError(
                f"{where} was computed from tensors that require gradients, which training a copy "
                f"of it would not reach; give {name}.detach(), or pass it to the op in each call"
            )
        # A copy: training must not change the tensor that the user still holds.
        self.register_parameter(name, nn.Parameter(value.detach().clone()))

    def forward(self, *values: Any, **named: Any) -> Any:
        """The value of the op, for the arguments that are no constants.

        Args:
            values: numbers or tensors whose shapes broadcast with those of the constants.
            named: the same by the names of arguments.

        Returns:
            A tensor, or a tuple of one for each output, as the op returns, in the dtype that torch
            gives to operations between arguments and constants.

        Raises:
            CallError: a value is missing, given twice, or for a name that takes none.

        Example:
            >>> import symop, torch
            >>> line = symop.compile("w*x + b").module(w=2.0, b=1.0)
            >>> line(torch.tensor([0.0, 1.0])).tolist()
            [1.0, 3.0]
        """
        free = [n for n in self._op.args if n not in self._constants]
        fixed = [n for n in named if n in self._constants]
        if fixed:
            raise CallError(f"{self._op.name}: {fixed[0]} is a constant of this module; a call "
                            f"takes {_listed(free)}")  # fmt: skip
        if len(values) > len(free):
            raise CallError(f"{self._op.name}: this module takes {_listed(free)}; "
                            f"{len(values)} values were given")  # fmt: skip
        if named or len(values) < len(free):
            given = dict(zip(free, values, strict=False))
            twice = [n for n in named if n in given]
            if twice:
                raise CallError(f"{self._op.name}: {twice[0]} was given by position and by name")
            constants = {n: getattr(self, n) for n in self._constants}
            return self._op(**given, **named, **constants)
        if not self._constants:
            return self._op(*values)
        places = {n: k for k, n in enumerate(free)}
        ordered = [values[places[n]] if n in places else getattr(self, n) for n in self._op.args]
        return self._op(*ordered)

    def extra_repr(self) -> str:
        """The formula, what is trainable, and what a call takes."""
        sorts: dict[str, list[str]] = {"trainable": [], "frozen": [], "buffer": []}
        for name in self._constants:
            value = getattr(self, name)
            fixed = "frozen" if name in self._parameters else "buffer"
            sort = "trainable" if value.requires_grad else fixed
            sorts[sort].append(f"{name} {tuple(value.shape)}")
        free = [n for n in self._op.args if n not in self._constants]
        lines = [*self._op.text, *(f"{s}: {_listed(names)}" for s, names in sorts.items() if names)]
        return "\n".join([*lines, f"arguments: {_listed(free)}"])


def _listed(names: Any) -> str:
    return ", ".join(names) or "none"
