"""From a Python function of torch operations to a program, traced with torch.fx.

The function runs once on proxies, which record the calls as a graph; the graph is then read
like any formula. What cannot be read is refused with the line of the call.
"""

from __future__ import annotations

import inspect
import math
import operator
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from numbers import Integral, Real
from typing import Any

import torch
from torch import fx
from torch.nn import functional

from symop import reductions
from symop.formulas import formula_lines
from symop.frames import SCALAR, dropped_dims, has_reduction, join
from symop.functions import nearest, table
from symop.names import unused
from symop.operations import Operations
from symop.parsing import expand
from symop.plain import plain
from symop.program import REDUCTIONS, Program, without_dead_nodes
from symop.recording import Tracer, with_globals
from symop.scope import Scope
from symop.syntax import Source

_KEEP = "use keepdim=True there"

# torch's other names of the same operations.
_SYNONYMS = {
    "subtract": "sub", "multiply": "mul", "divide": "div", "true_divide": "div",
    "truediv": "div", "floor_divide": "floordiv", "negative": "neg", "positive": "pos",
    "mod": "remainder", "less": "lt", "less_equal": "le", "greater": "gt",
    "greater_equal": "ge", "not_equal": "ne", "and_": "and", "logical_and": "and",
    "bitwise_and": "and", "or_": "or", "logical_or": "or", "bitwise_or": "or",
    "logical_xor": "xor", "bitwise_xor": "xor", "invert": "not", "logical_not": "not",
    "bitwise_not": "not", "clip": "clamp", "contiguous": "pos", "clone": "pos",
    "multigammaln": "mvlgamma",
}  # fmt: skip
_COMPARISONS = frozenset({"lt", "le", "gt", "ge", "eq", "ne"})
_LOGICAL = frozenset({"and", "or", "xor"})
_CASTS = frozenset(
    {"float", "double", "half", "bfloat16", "to", "type", "type_as", "int", "long", "short",
     "bool", "cpu", "cuda", "float_power"}
)  # fmt: skip
_SHAPES = frozenset(
    {"reshape", "view", "unsqueeze", "squeeze", "transpose", "permute", "flatten", "cat", "stack",
     "expand", "expand_as", "broadcast_to", "repeat", "getitem", "matmul", "mm", "bmm", "einsum",
     "dot", "linear", "t", "movedim", "flip", "roll", "chunk", "split", "size", "dim"}
)  # fmt: skip


# How torch declares its functions, where it is not (input) or (input, other). The parameters
# in _OPTIONS select what symop has no other form of; the others are those of the table.
def _signatures() -> dict[str, Callable[..., None]]:
    return {
        "addcmul": lambda input, tensor1, tensor2, *, value=1: None,
        "addcdiv": lambda input, tensor1, tensor2, *, value=1: None,
        "celu": lambda input, alpha=1, inplace=False: None,
        "clamp_max": lambda input, max: None,
        "clamp_min": lambda input, min: None,
        "elu": lambda input, alpha=1, inplace=False: None,
        "hardshrink": lambda input, lambd=0.5: None,
        "hardsigmoid": lambda input, inplace=False: None,
        "hardswish": lambda input, inplace=False: None,
        "hardtanh": lambda input, min_val=-1, max_val=1, inplace=False: None,
        "heaviside": lambda input, values: None,
        "leaky_relu": lambda input, negative_slope=0.01, inplace=False: None,
        "lerp": lambda input, end, weight: None,
        "logit": lambda input, eps=None: None,
        "mish": lambda input, inplace=False: None,
        "mvlgamma": lambda input, p: None,
        "polygamma": lambda n, input: None,
        "pow": lambda input, exponent: None,
        "relu": lambda input, inplace=False: None,
        "relu6": lambda input, inplace=False: None,
        "round": lambda input, *, decimals=0: None,
        "selu": lambda input, inplace=False: None,
        "silu": lambda input, inplace=False: None,
        "softplus": lambda input, beta=1, threshold=20: None,
        "softshrink": lambda input, lambd=0.5: None,
        "threshold": lambda input, threshold, value, inplace=False: None,
        **{
            name: lambda input, n: None
            for name, function in table().items()
            if function.parameters == ("x", "n")
        },
    }


_OPTIONS: dict[str, Any] = {"inplace": False, "decimals": 0, "eps": None}


@dataclass(frozen=True)
class _Value:
    """A traced value; `dropped` when torch has taken the reduced axes out of its shape."""

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
        function: a function of tensors; all its parameters, in order, are the arguments.
        args: another order of the arguments.
        outputs: names of the outputs, for a function that returns no dict of them.
        functions: programs that the function may call by name; ops are met as themselves.

    Raises:
        FormulaError: the function branches on an argument, or calls what no formula may.
    """
    tracer = Tracer(function)
    parameters = tracer.parameters()
    returned = tracer.run(with_globals(function, functions, tracer))
    scope = Scope()
    for name in args if args is not None else parameters:
        scope.declare(name)
    reader = _GraphReader(scope, Source(""), tracer)
    for node in tracer.graph.nodes:
        if node.op != "placeholder":
            reader.read(node)
    reader.place = tracer.who
    items = reader.outputs(returned, outputs, parameters)
    for name, value in items.items():
        scope.bind(name, value.node, reader.source, None)
    reader.source.check()
    order = list(args) if args is not None else parameters
    program = scope.program(reader.source, args=order, outputs=list(items), keepdims=True)
    kept = tuple(replace(o, dropped=items[o.name].dropped) for o in program.outputs)
    program = replace(program, outputs=kept)
    return program, tuple(formula_lines(plain(program)))


@cache
def _targets() -> dict[int, str]:
    """The name of each function that can be read, by identity: names can be anyone's."""
    known = {n for n, f in table().items() if not f.internal} | reductions.NAMES | set(_SYNONYMS)
    known |= set(_SYNONYMS.values()) | _COMPARISONS | _CASTS | _SHAPES | set(_HANDLERS)
    # Both Python's abs and operator.abs are met.
    found = {id(abs): "abs", id(round): "round"}
    for module in (operator, functional, torch.special, torch):
        for name in known:
            function = getattr(module, name, None)
            if callable(function) and not isinstance(function, type):
                found[id(function)] = _SYNONYMS.get(name, name)
    found[id(torch.linalg.vector_norm)] = "vector_norm"
    found[id(torch.linalg.norm)] = "linalg_norm"
    return found


class _GraphReader(Operations):
    """Builds a program from the nodes of a graph."""

    def __init__(self, scope: Scope, source: Source, tracer: Tracer) -> None:
        super().__init__(scope, source)
        self.tracer = tracer
        self.place = tracer.who
        self.values: dict[fx.Node, _Value | list[_Value]] = {}

    def expanded(self, text: str, values: Mapping[str, int]) -> int:
        """The node of a formula of the function table, its names standing for nodes."""
        return expand(self.builder, text, values)

    def refuse(self, message: str, place: Any = None) -> int:
        """Report a problem at the call that is being read; a stand-in for the value."""
        return super().refuse(f"{self.place}: {message}", None)

    def refused(self, message: str) -> _Value:
        """Report a problem; a stand-in for the value."""
        return _Value(self.refuse(message))

    def outputs(
        self, returned: Any, names: Sequence[str] | None, parameters: list[str]
    ) -> dict[str, _Value]:
        """The values that the function returned, by name."""
        if isinstance(returned, dict):
            if not all(isinstance(name, str) for name in returned):
                self.refuse("the keys of the dict that it returns are the names of its outputs")
            items = {str(name): value for name, value in returned.items()}
            unknown = [name for name in names or () if name not in items]
            if unknown:
                self.refuse(f"outputs: {unknown[0]} is not in the dict that it returns")
                return {}
            items = {name: items[name] for name in names or items}
        else:
            several = list(returned) if isinstance(returned, tuple | list) else [returned]
            default = [f"out{k}" for k in range(len(several))] if len(several) != 1 else ["out"]
            chosen = list(names) if names else [unused(n, set(parameters)) for n in default]
            if len(chosen) != len(several):
                self.refuse(f"outputs: {len(several)} values are returned, not {len(chosen)}")
            items = dict(zip(chosen, several, strict=False))
        if not items:
            self.refuse("it returns nothing; a tensor, a tuple or a dict of them is expected")
        return {name: self._output(value) for name, value in items.items()}

    def _output(self, value: Any) -> _Value:
        if not isinstance(value, fx.Proxy):
            return self.refused(f"it returns a {type(value).__name__}; a tensor is expected")
        found = self.number(value.node)
        has_axes = has_reduction(self.builder.frame(found.node))
        return replace(found, dropped=found.dropped and has_axes)

    # Operands

    def number(self, item: Any) -> _Value:
        """An operand as a real value: a traced one, or a number."""
        if isinstance(item, fx.Node):
            value = self._traced(item, is_mask=False)
            if self.builder.nodes[value.node].is_condition:
                hint = "write torch.where(condition, 1.0, 0.0)"
                return self.refused(f"a condition is used as a number; {hint}")
            return value
        if isinstance(item, Integral) and not isinstance(item, bool):
            return _Value(self.bounded(Fraction(int(item)), None))
        if isinstance(item, Fraction):
            return _Value(self.bounded(item, None))
        if isinstance(item, Real) and not isinstance(item, bool):
            number = float(item)
            if not math.isfinite(number):
                return self.refused(f"{number} is no finite number")
            if abs(number) == math.pi:
                pi = self.builder.apply("pi")
                return _Value(pi if number > 0 else self.negated(pi))
            return _Value(self.builder.constant(Fraction(repr(number))))
        return self.refused(f"{ascii(item)[:40]} stands where a tensor or a number is expected")

    def condition(self, item: Any) -> _Value:
        """An operand as a condition: a comparison, or a mask."""
        if not isinstance(item, fx.Node):
            return self._no_condition()
        value = self._traced(item, is_mask=True)
        return value if self.builder.nodes[value.node].is_condition else self._no_condition()

    def _no_condition(self) -> _Value:
        self.refuse("a number stands where a condition is expected; compare it, as in x > 0")
        zero = self.builder.constant(0)
        return _Value(self.builder.apply("eq", zero, zero))

    def _traced(self, item: fx.Node, is_mask: bool) -> _Value:
        if item.op == "placeholder":
            name = str(item.target)
            known = self.scope.lookup(name)
            return _Value(self.scope.argument(name, is_mask) if known is None else known)
        value = self.values[item]
        if isinstance(value, list):
            return self.refused("an op with several outputs is used as one value; unpack it")
        return value

    def together(self, operands: Sequence[_Value]) -> bool:
        """Whether the result of an elementwise operation lacks axes that were reduced.

        A value that lacks axes lines up with another only where that lacks the same ones.
        """
        shaped = [v for v in operands if self.builder.frame(v.node) != SCALAR]
        if not any(v.dropped for v in shaped):
            return False
        frames = {self.builder.frame(v.node) for v in shaped}
        aligned = len(frames) == 1 or dropped_dims(join(frames)) is not None
        if not aligned or not all(v.dropped for v in shaped):
            self.refuse(f"a reduction that drops its axis meets a tensor of another shape; {_KEEP}")
        return True

    def combined(self, index: int, *operands: _Value) -> _Value:
        """The result of an elementwise operation on the operands."""
        return _Value(index, self.together(operands))

    # Calls

    def read(self, node: fx.Node) -> None:
        """Read a call."""
        self.place = f"{self.tracer.who}{self.tracer.places[node]}"
        program = getattr(node.target, "program", None)
        if isinstance(program, Program):
            self.values[node] = self._op(node, program)
            return
        outputs = self.values.get(node.all_input_nodes[0]) if node.all_input_nodes else None
        if node.target is operator.getitem and isinstance(outputs, list):
            self.values[node] = self._item(outputs, node.args[1])
        else:
            self.values[node] = self._call(node)

    def _item(self, values: list[_Value], place: Any) -> _Value:
        if type(place) is int and -len(values) <= place < len(values):
            return values[int(place)]
        return self.refused(f"the op has {len(values)} outputs; there is no {ascii(place)[:20]}")

    def _op(self, node: fx.Node, program: Program) -> _Value | list[_Value]:
        """The outputs of an op, put in place of the call."""
        names = [a.name for a in program.arguments]
        given = dict(zip(names, node.args, strict=False)) | node.kwargs
        if set(given) != set(names) or len(node.args) + len(node.kwargs) != len(names):
            called = getattr(node.target, "__name__", "the op")
            return self.refused(f"{called} takes {len(names)} arguments ({', '.join(names)})")
        if any(a.dropped for a in program.arguments):
            return self.refused("an op of gradients of a reduction cannot be called here")
        operands = [
            self.condition(given[a.name]) if a.is_mask else self.number(given[a.name])
            for a in program.arguments
        ]
        lacking = self.together(operands)
        reduces = any(n.op in REDUCTIONS and n.frame != SCALAR for n in program.nodes)
        if lacking and reduces:
            self.refuse(f"an op that reduces meets a value whose axis was dropped; {_KEEP}")
        values = {a.name: v.node for a, v in zip(program.arguments, operands, strict=True)}
        kept = any(has_reduction(self.builder.frame(v.node)) for v in operands) and not lacking
        results = []
        for output in program.outputs:
            if output.dropped and kept:
                self.refuse("an op that drops axes is called with a value that keeps others as 1")
            single = without_dead_nodes(replace(program, outputs=(output,)))
            inlined = self.scope.inline(single, values)
            results.append(_Value(inlined, lacking or output.dropped))
        return results if len(results) > 1 else results[0]

    def _call(self, node: fx.Node) -> _Value:
        if node.op == "call_method":
            method = str(node.target)
            name = _SYNONYMS.get(method, method) if hasattr(torch.Tensor, method) else None
        else:
            name = _targets().get(id(node.target))
        written = node.target if isinstance(node.target, str) else _written(node.target)
        if node.target is getattr:
            return self.refused(f".{node.args[1]} cannot be read; formulas know no shapes")
        if name in _CASTS:
            return self.refused(
                f"{written} changes the dtype or device; an op computes in the dtype of its "
                f"arguments, so leave it out (for a condition, torch.where(condition, 1.0, 0.0))"
            )
        if name in _SHAPES:
            return self.refused(f"{written}: formulas are elementwise, with reductions")
        if node.op == "call_method" and written.endswith("_") and not written.endswith("__"):
            return self.refused(f"{written} works in place; write y = y + 1, not y.add_(1)")
        if name is None or not (name in _HANDLERS or self._in_table(name)):
            return self._unknown(written)
        arguments = node.args
        if name in ("polygamma", "where") and node.op == "call_method":
            # x.polygamma(n) is polygamma(n, x), and x.where(c, y) is where(c, x, y).
            arguments = (*arguments[1:2], arguments[0], *arguments[2:])
        named = {_SPELLED.get(key, key): value for key, value in node.kwargs.items()}
        if named.get("out", node) is None:
            del named["out"]
        return self._bound(name, arguments, named)

    @staticmethod
    def _in_table(name: str) -> bool:
        return name in table() and not table()[name].internal

    def _bound(self, name: str, arguments: Sequence[Any], named: Mapping[str, Any]) -> _Value:
        """Match the operands to the parameters that torch declares, and read the call."""
        handler = _HANDLERS.get(name)
        declared = handler or _declared(name)
        signature = inspect.signature(declared)
        before: tuple[Any, ...] = (self, name) if handler else ()
        try:
            bound = signature.bind(*before, *arguments, **named)
        except TypeError as error:
            return self.refused(f"{name}: {error}; that is not known to formulas")
        if handler:
            return handler(*bound.args, **bound.kwargs)
        bound.apply_defaults()
        given = dict(bound.arguments)
        fixed = {**_OPTIONS, "threshold": 20} if name == "softplus" else _OPTIONS
        for option in [key for key in given if key in fixed]:
            if given.pop(option) != fixed[option]:
                return self.refused(f"{name}: {option} can only be {fixed[option]} in a formula")
        operands = [self.number(value) for value in given.values()]
        return self.combined(self.call_table(name, [v.node for v in operands], None), *operands)

    def _unknown(self, name: str) -> _Value:
        close = nearest(name, tuple(reductions.NAMES))
        hint = f"; did you mean {', '.join(close)}?" if close else ""
        return self.refused(f"{name} is not known to formulas{hint}")

    def _arithmetic(self, name: str, input: Any, other: Any, *, alpha: Any = 1) -> _Value:
        a, b, factor = self.number(input), self.number(other), self.number(alpha)
        if name == "rsub":
            name, a, b = "sub", b, a
        scaled = b.node
        if type(alpha) is not int or alpha != 1:
            scaled = self.arithmetic("mul", factor.node, b.node, None)
        return self.combined(self.arithmetic(name, a.node, scaled, None), a, b)

    def _times(self, name: str, input: Any, other: Any) -> _Value:
        a, b = self.number(input), self.number(other)
        return self.combined(self.arithmetic(name, a.node, b.node, None), a, b)

    def _divide(self, name: str, input: Any, other: Any, *, rounding_mode: Any = None) -> _Value:
        a, b = self.number(input), self.number(other)
        quotient = self.arithmetic("div", a.node, b.node, None)
        mode = "floor" if name == "floordiv" else rounding_mode
        if mode not in (None, "floor", "trunc"):
            return self.refused(f"div: rounding_mode is None, floor or trunc, not {mode!a}")
        return self.combined(self.call_table(mode, [quotient], None) if mode else quotient, a, b)

    def _power(self, name: str, input: Any, exponent: Any) -> _Value:
        a, b = self.number(input), self.number(exponent)
        return self.combined(self.power(a.node, b.node, None), a, b)

    def _unary(self, name: str, input: Any, *, memory_format: Any = None) -> _Value:
        value = self.number(input)
        if name == "pos":
            return value
        apply = self.negated if name == "neg" else lambda node: self.builder.apply("stop", node)
        return replace(value, node=apply(value.node))

    def _compare(self, name: str, input: Any, other: Any) -> _Value:
        a, b = self.number(input), self.number(other)
        return self.combined(self.builder.apply(name, a.node, b.node), a, b)

    def _isnan(self, name: str, input: Any) -> _Value:
        return self._compare("ne", input, input)

    def _logic(self, name: str, input: Any, other: Any) -> _Value:
        a, b = self.condition(input), self.condition(other)
        apply = self.builder.apply
        if name == "xor":
            either, both = apply("or", a.node, b.node), apply("and", a.node, b.node)
            return self.combined(apply("and", either, apply("not", both)), a, b)
        return self.combined(apply(name, a.node, b.node), a, b)

    def _not(self, name: str, input: Any) -> _Value:
        value = self.condition(input)
        return replace(value, node=self.builder.apply("not", value.node))

    def _choose(self, condition: Any, a: Any, b: Any) -> _Value:
        test, first, second = self.condition(condition), self.number(a), self.number(b)
        chosen = self.where(test.node, first.node, second.node)
        return self.combined(chosen, test, first, second)

    def _where(self, name: str, condition: Any, input: Any, other: Any) -> _Value:
        return self._choose(condition, input, other)

    def _masked_fill(self, name: str, input: Any, mask: Any, value: Any) -> _Value:
        return self._choose(mask, value, input)

    def _filled(self, name: str, input: Any, fill_value: Any = None) -> _Value:
        """A value everywhere, in the shape of another tensor."""
        like = self.number(input)
        filling = {"zeros_like": 0, "ones_like": 1}.get(name, fill_value)
        value = self.number(filling).node
        same = self.builder.apply("eq", like.node, like.node)
        return replace(like, node=self.builder.apply("where", same, value, value))

    def _clamp(self, name: str, input: Any, min: Any = None, max: Any = None) -> _Value:
        if min is None and max is None:
            return self.refused("clamp: a bound, min or max, is expected")
        operands = [self.number(v) for v in (input, min, max) if v is not None]
        which = "clamp" if len(operands) == 3 else "clamp_min" if max is None else "clamp_max"
        return self.combined(self.call_table(which, [v.node for v in operands], None), *operands)

    def _gelu(self, name: str, input: Any, approximate: Any = "none") -> _Value:
        if approximate not in ("none", "tanh"):
            return self.refused(f"gelu: approximate is none or tanh, not {ascii(approximate)[:20]}")
        value = self.number(input)
        chosen = "gelu" if approximate == "none" else "gelu_tanh"
        return replace(value, node=self.call_table(chosen, [value.node], None))

    def _prelu(self, name: str, input: Any, weight: Any) -> _Value:
        return self.refused("prelu lays its weight along dim 1; write torch.where(x > 0, x, w*x)")

    # Reductions

    def _extremum(self, name: str, input: Any, other: Any = None) -> _Value:
        if other is None:
            return self._reduced({"max": "amax", "min": "amin"}[name], input)
        if not isinstance(other, fx.Node):
            return self.refused(f"{name} over a dim gives indices too; write torch.a{name}")
        a, b = self.number(input), self.number(other)
        which = {"max": "maximum", "min": "minimum"}[name]
        return self.combined(self.call_table(which, [a.node, b.node], None), a, b)

    def _reduced(
        self, name: str, input: Any, dim: Any = None, keepdim: Any = False, dtype: Any = None
    ) -> _Value:
        if dtype is not None:
            return self.refused(f"{name}: dtype cannot be chosen; cast the arguments of the op")
        return self._reduction(name, self.number(input), dim, keepdim)

    def _softmax(
        self, name: str, input: Any, dim: Any = None, _stacklevel: Any = 3, dtype: Any = None
    ) -> _Value:
        if dim is None or _stacklevel != 3 or dtype is not None:
            return self.refused(f"{name} takes dim, and no dtype")
        value = self.number(input)
        if name == "softmin":
            value, name = replace(value, node=self.negated(value.node)), "softmax"
        return self._reduction(name, value, dim, True)

    def _variance(
        self, name: str, input: Any, dim: Any = None, unbiased: Any = True, keepdim: Any = False,
        *, correction: Any = None,
    ) -> _Value:  # fmt: skip
        if type(dim) is bool:
            dim, unbiased = None, dim
        if type(unbiased) is not bool or type(correction) not in (int, types.NoneType):
            return self.refused(f"{name}: unbiased is True or False, correction an integer")
        divisor = int(unbiased) if correction is None else correction
        return self._reduction(name, self.number(input), dim, keepdim, divisor)

    def _norm(
        self, name: str, input: Any, p: Any = "fro", dim: Any = None, keepdim: Any = False,
        dtype: Any = None,
    ) -> _Value:  # fmt: skip
        matrix = name == "linalg_norm" and p is not None and type(dim) is not int
        if dtype is not None or matrix or (type(p) in (str, bool) and p != "fro"):
            return self.refused(f"{name}: only norms of vectors are accepted, and no dtype")
        value = self.number(input)
        if p in (2, "fro", None):
            return self._reduction("norm", value, dim, keepdim)
        which = {1: "sum", math.inf: "amax", -math.inf: "amin"}.get(p)
        if which is None:
            return self.refused(f"{name}: the order is 1, 2, inf or -inf, not {ascii(p)[:20]}")
        size = replace(value, node=self.call_table("abs", [value.node], None))
        return self._reduction(which, size, dim, keepdim)

    def _vector_norm(
        self, name: str, x: Any, ord: Any = 2, dim: Any = None, keepdim: Any = False,
        *, dtype: Any = None,
    ) -> _Value:  # fmt: skip
        return self._norm(name, x, ord, dim, keepdim, dtype)

    def _linalg_norm(
        self, name: str, A: Any, ord: Any = None, dim: Any = None, keepdim: Any = False,
        *, dtype: Any = None,
    ) -> _Value:  # fmt: skip
        return self._norm(name, A, ord, dim, keepdim, dtype)

    def _reduction(
        self, name: str, value: _Value, dim: Any, keepdim: Any, correction: int = 1
    ) -> _Value:
        dims = () if dim is None else tuple(dim) if isinstance(dim, tuple | list) else (dim,)
        if not all(type(d) is int and -64 <= d < 64 for d in dims) or len(set(dims)) != len(dims):
            return self.refused(f"{name}: dims are different integers, as in dim=-1")
        if type(keepdim) is not bool:
            return self.refused(f"{name}: keepdim is True or False")
        keeps_shape = name in ("softmax", "log_softmax")
        if not dims and keepdim:
            return self.refused(f"{name} over all dims gives a single value; leave keepdim out")
        frame = self.builder.frame(value.node)
        if dims and frame != SCALAR and value.dropped:
            self.refuse(f"{name} counts dims where an axis was dropped; {_KEEP}, or name all dims")
        if dims and has_reduction(frame) and not keepdim:
            self.refuse(f"{name} drops an axis of a value that keeps others as 1; {_KEEP} too")
        result = self.reduce(name, value.node, dims or None, correction)
        return _Value(result, bool(dims) and not keepdim and not keeps_shape)


_SPELLED = {"self": "input", "axis": "dim", "keepdims": "keepdim"}

_HANDLERS: dict[str, Callable[..., _Value]] = {
    **dict.fromkeys(("add", "sub", "rsub"), _GraphReader._arithmetic),
    **dict.fromkeys(("sum", "mean", "prod", "amax", "amin", "logsumexp"), _GraphReader._reduced),
    **dict.fromkeys(("softmax", "log_softmax", "softmin"), _GraphReader._softmax),
    **dict.fromkeys(("neg", "pos", "detach"), _GraphReader._unary),
    **dict.fromkeys(("zeros_like", "ones_like", "full_like"), _GraphReader._filled),
    **dict.fromkeys(("max", "min"), _GraphReader._extremum),
    **dict.fromkeys(("var", "std"), _GraphReader._variance),
    **dict.fromkeys(("div", "floordiv"), _GraphReader._divide),
    **dict.fromkeys(_COMPARISONS, _GraphReader._compare),
    **dict.fromkeys(_LOGICAL, _GraphReader._logic),
    "mul": _GraphReader._times,
    "pow": _GraphReader._power,
    "isnan": _GraphReader._isnan,
    "not": _GraphReader._not,
    "where": _GraphReader._where,
    "masked_fill": _GraphReader._masked_fill,
    "clamp": _GraphReader._clamp,
    "gelu": _GraphReader._gelu,
    "prelu": _GraphReader._prelu,
    "norm": _GraphReader._norm,
    "vector_norm": _GraphReader._vector_norm,
    "linalg_norm": _GraphReader._linalg_norm,
}


@cache
def _declared(name: str) -> Callable[..., None]:
    """A function with the parameters that torch declares."""
    if name in _signatures():
        return _signatures()[name]
    if len(table()[name].parameters) == 1:
        return lambda input: None
    return lambda input, other: None


def _written(target: Any) -> str:
    """The name of a function as the user knows it."""
    return ascii(getattr(target, "__name__", type(target).__name__))[1:-1][:80]
