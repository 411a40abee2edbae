"""torch's own function for a whole formula, where there is one."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import torch

from symop.functions import table
from symop.program import Program
from symop.python_text import syntax_tree

# Names that torch has for something else, or that are no function of tensors there.
_OTHER = frozenset({"where", "norm", "gamma", "d", "stop", "root"})
# Functions of the table that bear other names in torch, and what they need besides.
_RENAMED: dict[str, tuple[str, dict[str, Any]]] = {
    "softplus1": ("softplus", {}),
    "gelu_tanh": ("gelu", {"approximate": "tanh"}),
    "normal_cdf": ("ndtr", {}),
}


def torch_function(program: Program, text: Sequence[str]) -> Callable[..., Any] | None:
    """What torch computes the formula with in one call, from its arguments in order.

    Args:
        program: the formula.
        text: its lines, `name = expression`.
    """
    if len(program.outputs) != 1:
        return None
    names = [a.name for a in program.arguments]
    return _written(names, text) or _rewritten(program, names)


def _written(names: Sequence[str], text: Sequence[str]) -> Callable[..., Any] | None:
    """From a text that is one call."""
    if len(text) != 1:
        return None
    try:
        call = syntax_tree(text[0].partition(" = ")[2], mode="eval").body
    except SyntaxError:
        # The text of a very long formula is shortened.
        return None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.keywords:
        return None
    places: list[Any] = []
    for operand in call.args:
        match operand:
            case ast.Name(id=name) if name in names:
                places.append(names.index(name))
            case ast.Constant(value=value):
                places.append((value,))
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
                places.append((-value,))
            case _:
                return None
    return _calling(call.func.id, places, len(names))


def _rewritten(program: Program, names: Sequence[str]) -> Callable[..., Any] | None:
    """From a program that is one function of its arguments, as rewriting leaves it."""
    node = program.nodes[program.outputs[0].node]
    operands = [program.nodes[o] for o in node.operands]
    if node.op not in table() or any(o.op not in ("argument", "constant") for o in operands):
        return None
    places: list[Any] = [
        names.index(str(o.value)) if o.op == "argument" else (float(o.value or 0),)
        for o in operands
    ]
    return _calling(node.op, places, len(names))


def _calling(name: str, places: Sequence[Any], count: int) -> Callable[..., Any] | None:
    """The call with arguments at their places; tuples hold numbers."""
    if {p for p in places if isinstance(p, int)} != set(range(count)):
        return None
    record = table().get(name)
    known = [name] if record is None else [name, record.name, *record.aliases]
    for candidate in known:
        renamed, options = _RENAMED.get(candidate, (candidate, {}))
        for home in (torch, torch.special, torch.nn.functional):
            function = getattr(home, renamed, None)
            if candidate in _OTHER or not callable(function) or inspect.isclass(function):
                continue
            return _Call(function, tuple(places), options)
    return None


class _Call:
    def __init__(
        self, function: Callable[..., Any], places: Sequence[Any], options: dict[str, Any]
    ) -> None:
        self.function, self.places, self.options = function, places, options

    def __call__(self, *values: Any) -> Any:
        given = (p[0] if isinstance(p, tuple) else values[p] for p in self.places)
        return self.function(*given, **self.options)
