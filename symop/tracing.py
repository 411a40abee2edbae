"""From a Python function of torch operations to a program, traced with torch.fx."""

from __future__ import annotations

import inspect
import math
import operator
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import torch
from torch import fx

from symop import reductions
from symop.errors import FormulaError, Problem
from symop.formulas import formula_lines
from symop.frames import Frame
from symop.functions import nearest, table
from symop.operations import Operations
from symop.parsing import expand
from symop.program import Program
from symop.scope import Scope
from symop.syntax import Source

_ARITHMETIC = {
    "add": "add", "sub": "sub", "subtract": "sub", "mul": "mul", "multiply": "mul",
    "div": "div", "divide": "div", "true_divide": "div", "truediv": "div",
}  # fmt: skip
_COMPARISONS = {"lt": "lt", "less": "lt", "le": "le", "less_equal": "le", "gt": "gt",
                "greater": "gt", "ge": "ge", "greater_equal": "ge", "eq": "eq", "ne": "ne",
                "not_equal": "ne"}  # fmt: skip
_LOGICAL = {"and_": "and", "logical_and": "and", "or_": "or", "logical_or": "or"}
_NEGATIONS = frozenset({"invert", "logical_not", "bitwise_not"})
_CASTS = frozenset({"float", "double", "half", "bfloat16", "to", "type", "int", "long"})
_MODULES = ("torch", "_operator", "math", "builtins")


@dataclass(frozen=True)
class _Value:
    """A traced value; `dropped` when torch has taken reduced axes out of its shape."""

    node: int
    dropped: bool = False


def trace(
    function: Callable[..., Any],
    *,
    args: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
    functions: Mapping[str, Program],
) -> tuple[Program, tuple[str, ...]]:
    """The program of a Python function, and its text.

    Args:
        function: a function of tensors; its parameters are the arguments.
        args: another order of the arguments.
        outputs: names of the outputs, for a function that returns several.
        functions: unused; ops that the function calls are met as themselves.

    Raises:
        FormulaError: the function branches on an argument, or calls what no formula may.
    """
    del functions
    graph = _graph(function)
    scope = Scope()
    reader = _GraphReader(scope, Source(""), function)
    parameters = [node.name for node in graph.nodes if node.op == "placeholder"]
    for name in args if args is not None else parameters:
        scope.declare(name)
    returned = reader.run(graph)
    items = _named(returned, outputs, reader)
    for name, value in items.items():
        scope.bind(name, value.node, reader.source, None)
    reader.source.check()
    order = list(args) if args is not None else parameters
    program = scope.program(reader.source, args=order, outputs=list(items), keepdims=True)
    kept = tuple(replace(output, dropped=items[output.name].dropped) for output in program.outputs)
    program = replace(program, outputs=kept)
    return program, tuple(formula_lines(program))


def _graph(function: Callable[..., Any]) -> fx.Graph:
    kinds = {p.kind for p in inspect.signature(function).parameters.values()}
    if kinds & {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}:
        raise _refusal(function, "takes *args or **kwargs; each argument must have a name")
    try:
        return fx.Tracer().trace(function)
    except fx.proxy.TraceError as error:
        raise _refusal(function, _where(function, error) + _CONTROL) from error
    except (TypeError, ValueError, NotImplementedError) as error:
        raise _refusal(function, f"{_where(function, error)}cannot be traced: {error}") from error


_CONTROL = "branches or loops on an argument; write torch.where(condition, a, b)"


def _refusal(function: Callable[..., Any], message: str) -> FormulaError:
    name = getattr(function, "__name__", "the function")
    return FormulaError([Problem(f"{name}: {message}")])


def _where(function: Callable[..., Any], error: BaseException) -> str:
    code = getattr(function, "__code__", None)
    frames = traceback.extract_tb(error.__traceback__)
    lines = [f for f in frames if code is not None and f.filename == code.co_filename]
    return f"line {lines[-1].lineno} of {lines[-1].filename} " if lines else ""


def _named(returned: Any, outputs: Sequence[str] | None, reader: _GraphReader) -> dict[str, _Value]:
    if isinstance(returned, dict):
        pairs = {str(name): value for name, value in returned.items()}
    elif isinstance(returned, tuple | list) and len(returned) > 1:
        names = outputs or [f"out{k}" for k in range(len(returned))]
        pairs = dict(zip(names, returned, strict=True))
    else:
        single = returned[0] if isinstance(returned, tuple | list) else returned
        pairs = {(outputs or ["out"])[0]: single}
    return {name: reader.value(value) for name, value in pairs.items()}


class _GraphReader(Operations):
    """Builds a program from the nodes of an fx graph."""

    def __init__(self, scope: Scope, source: Source, function: Callable[..., Any]) -> None:
        super().__init__(scope, source)
        self.function = function
        self.values: dict[fx.Node, _Value] = {}

    def expanded(self, text: str, values: Mapping[str, int]) -> int:
        """The node of a formula of the function table, its names standing for nodes."""
        return expand(self.builder, text, values)

    def run(self, graph: fx.Graph) -> Any:
        """Read every node; what the function returns."""
        used_as_mask = self._masks(graph)
        for node in graph.nodes:
            match node.op:
                case "placeholder":
                    if node.users:
                        name = node.name
                        problem = None if name.isidentifier() else f"{name} is no name"
                        index = self.scope.argument(name, is_mask=node in used_as_mask)
                        self.values[node] = _Value(self.refuse(problem, None) if problem else index)
                case "call_function" | "call_method":
                    self.values[node] = self.call(node)
                case "output":
                    return node.args[0]
                case _:
                    self.values[node] = _Value(
                        self.refuse(f"{node.target} is a tensor of the surroundings; make it an "
                                    f"argument", None)
                    )  # fmt: skip
        raise AssertionError("a graph has an output")

    def _masks(self, graph: fx.Graph) -> set[fx.Node]:
        """Placeholders that are read as conditions."""
        found: set[fx.Node] = set()
        for node in graph.nodes:
            name = _name(node)
            if name == "where" and node.args:
                found.add(node.args[0])
            elif name in _LOGICAL or name in _NEGATIONS:
                found |= {a for a in node.args if isinstance(a, fx.Node)}
        return {node for node in found if isinstance(node, fx.Node) and node.op == "placeholder"}

    def value(self, item: Any) -> _Value:
        """The value of an operand: a traced one, or a number."""
        if isinstance(item, fx.Node):
            return self.values[item]
        if type(item) is int:
            return _Value(self.bounded(Fraction(item), None))
        if type(item) is float and item == math.pi:
            return _Value(self.builder.apply("pi"))
        if type(item) is float and item - item == 0:
            return _Value(self.builder.constant(Fraction(repr(item))))
        kind = type(item).__name__
        hint = "; make it an argument" if isinstance(item, torch.Tensor) else ""
        return _Value(self.refuse(f"{self._who()}: a {kind} cannot stand in a formula{hint}", None))

    def _who(self) -> str:
        return getattr(self.function, "__name__", "the function")

    def together(self, operands: Sequence[_Value]) -> bool:
        """Whether the result of an elementwise operation lacks axes that were reduced."""
        frames: set[Frame] = {self.builder.frame(v.node) for v in operands}
        dropped = {self.builder.frame(v.node) for v in operands if v.dropped}
        if dropped and len(frames - {()}) > 1:
            self.refuse(
                f"{self._who()}: a reduction that drops its axis is combined with a tensor of "
                f"another shape; use keepdim=True",
                None,
            )
        return bool(dropped)

    def call(self, node: fx.Node) -> _Value:
        """The value of a call."""
        program = getattr(node.target, "program", None)
        if isinstance(program, Program):
            return self._op(node, program)
        name = _name(node)
        module = getattr(node.target, "__module__", None) or "torch"
        if node.op == "call_function" and module.split(".")[0] not in _MODULES:
            return self._unknown(name)
        arguments, named = list(node.args), dict(node.kwargs)
        if name in ("where", "__where"):
            return self._where(arguments, named)
        if name in reductions.NAMES or name in ("vector_norm", "max", "min"):
            return self._reduction(name, arguments, named)
        if name in _CASTS:
            message = f"{self._who()}: the cast {name}() has no derivative of its own; leave it out"
            return _Value(self.refuse(message, None))
        operands = [self.value(a) for a in arguments if not isinstance(a, str | bool | None)]
        if name in _ARITHMETIC and len(operands) == 2 and not named:
            result = self.arithmetic(_ARITHMETIC[name], operands[0].node, operands[1].node, None)
        elif name in _COMPARISONS and len(operands) == 2:
            result = self.builder.apply(_COMPARISONS[name], *(v.node for v in operands))
        elif name in _LOGICAL and len(operands) == 2:
            result = self.builder.apply(_LOGICAL[name], *(v.node for v in operands))
        elif name in _NEGATIONS:
            result = self.builder.apply("not", operands[0].node)
        elif name in ("neg", "negative"):
            result = self.negated(operands[0].node)
        elif name in ("pow", "float_power") and len(operands) == 2:
            result = self.power(operands[0].node, operands[1].node, None)
        elif name in ("rsub", "__rsub__") and len(operands) == 2:
            result = self.arithmetic("sub", operands[1].node, operands[0].node, None)
        elif name in ("mod",):
            result = self.call_table("remainder", [v.node for v in operands], None)
        elif name in ("floordiv", "floor_divide"):
            quotient = self.arithmetic("div", operands[0].node, operands[1].node, None)
            result = self.call_table("floor", [quotient], None)
        else:
            return self._table(name, arguments, named)
        return _Value(result, self.together(operands))

    def _where(self, arguments: list[Any], named: Mapping[str, Any]) -> _Value:
        parts = [*arguments, *(named[k] for k in ("condition", "input", "other") if k in named)]
        if len(parts) != 3:
            return _Value(self.refuse("where takes a condition and two values", None))
        condition, a, b = (self.value(part) for part in parts)
        result = self.where(condition.node, a.node, b.node)
        return _Value(result, self.together([condition, a, b]))

    def _op(self, node: fx.Node, program: Program) -> _Value:
        operands = [self.value(a) for a in node.args]
        names = [a.name for a in program.arguments]
        values = dict(zip(names, (v.node for v in operands), strict=True))
        result = self.call_op(_name(node), program, values, None)
        return _Value(result, self.together(operands))

    def _table(self, name: str, arguments: list[Any], named: dict[str, Any]) -> _Value:
        """A function of the table, torch's keyword arguments as its parameters."""
        named.pop("inplace", None)
        if name == "gelu":
            chosen = arguments.pop() if len(arguments) > 1 else "none"
            name = "gelu_tanh" if named.pop("approximate", chosen) == "tanh" else "gelu"
        if name in ("clamp", "clip"):
            return self._clamp(arguments, named)
        if name not in table() or table()[name].internal:
            return self._unknown(name)
        parameters = table()[name].parameters
        named = {("x" if k in ("input", "self") else k): v for k, v in named.items()}
        unknown = [k for k in named if k not in parameters]
        if unknown:
            return _Value(self.refuse(f"{name} takes no {unknown[0]} in a formula", None))
        given = dict(zip(parameters, arguments, strict=False)) | named
        present = [given[p] for p in parameters if p in given]
        operands = [self.value(v) for v in present]
        result = self.call_table(name, [v.node for v in operands], None)
        return _Value(result, self.together(operands))

    def _clamp(self, arguments: list[Any], named: dict[str, Any]) -> _Value:
        bounds = [*arguments[1:], None, None][:2]
        low, high = named.get("min", bounds[0]), named.get("max", bounds[1])
        operands = [self.value(v) for v in (arguments[0], low, high) if v is not None]
        name = "clamp" if len(operands) == 3 else "clamp_min" if high is None else "clamp_max"
        result = self.call_table(name, [v.node for v in operands], None)
        return _Value(result, self.together(operands))

    def _reduction(self, name: str, arguments: list[Any], named: dict[str, Any]) -> _Value:
        operand = self.value(arguments[0] if arguments else named.pop("input"))
        if operand.dropped:
            message = f"{name} of a value whose axis was dropped; use keepdim=True"
            return _Value(self.refuse(message, None))
        if name in ("max", "min") and len(arguments) > 1:
            return self._table("maximum" if name == "max" else "minimum", arguments, named)
        ours = {"max": "amax", "min": "amin", "vector_norm": "norm"}.get(name, name)
        if ours == "norm" and (named.pop("p", 2) not in (2, "fro") or named.pop("ord", 2) != 2):
            return _Value(self.refuse("norm is the 2-norm in a formula", None))
        unbiased = named.pop("unbiased", True)
        correction = int(named.pop("correction", 1 if unbiased else 0))
        dims = named.pop("dim", arguments[1] if len(arguments) > 1 else None)
        keepdim = named.pop("keepdim", arguments[2] if len(arguments) > 2 else False)
        named.pop("_stacklevel", None)
        if named.pop("dtype", None) is not None or named:
            return _Value(self.refuse(f"{name}: only dim and keepdim are accepted", None))
        axes = None if dims is None else tuple(dims) if isinstance(dims, tuple | list) else (dims,)
        result = self.reduce(ours, operand.node, axes or None, correction)
        shrinks = ours not in ("softmax", "log_softmax")
        return _Value(result, bool(axes) and shrinks and not keepdim)

    def _unknown(self, name: str) -> _Value:
        close = nearest(name, tuple(reductions.NAMES))
        hint = f"; did you mean {', '.join(close)}?" if close else ""
        return _Value(self.refuse(f"{self._who()}: {name} is not known to formulas{hint}", None))


def _name(node: fx.Node) -> str:
    if isinstance(node.target, str):
        return node.target.strip("_") if node.target.startswith("__") else node.target
    if node.target is operator.pow:
        return "pow"
    return (
        str(getattr(node.target, "__name__", node.target))
        .removeprefix("special_")
        .removeprefix("linalg_")
    )
