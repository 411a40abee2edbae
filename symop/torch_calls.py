"""The calls of torch that are formulas: which operations of a program each stands for."""

from __future__ import annotations

import math
import types
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from torch import fx

from symop.frames import SCALAR, has_reduction
from symop.torch_signatures import COMPARISONS, LOGICAL
from symop.traced_operands import KEEP, Operands, Traced


class Calls(Operands):
    """Reads calls whose operands stand where torch declares its parameters."""

    def _arithmetic(self, name: str, input: Any, other: Any, *, alpha: Any = 1) -> Traced:
        a, b, factor = self.number(input), self.number(other), self.number(alpha)
        if name == "rsub":
            name, a, b = "sub", b, a
        scaled = b.node
        if type(alpha) is not int or alpha != 1:
            scaled = self.arithmetic("mul", factor.node, b.node, None)
        return self.combined(self.arithmetic(name, a.node, scaled, None), a, b)

    def _times(self, name: str, input: Any, other: Any) -> Traced:
        a, b = self.number(input), self.number(other)
        return self.combined(self.arithmetic(name, a.node, b.node, None), a, b)

    def _divide(self, name: str, input: Any, other: Any, *, rounding_mode: Any = None) -> Traced:
        a, b = self.number(input), self.number(other)
        quotient = self.arithmetic("div", a.node, b.node, None)
        mode = "floor" if name == "floordiv" else rounding_mode
        if mode not in (None, "floor", "trunc"):
            return self.refused(f"div: rounding_mode is None, floor or trunc, not {mode!a}")
        return self.combined(self.call_table(mode, [quotient], None) if mode else quotient, a, b)

    def _power(self, name: str, input: Any, exponent: Any) -> Traced:
        a, b = self.number(input), self.number(exponent)
        return self.combined(self.power(a.node, b.node, None), a, b)

    def _unary(self, name: str, input: Any, *, memory_format: Any = None) -> Traced:
        value = self.number(input)
        if name == "pos":
            return value
        apply = self.negated if name == "neg" else lambda node: self.builder.apply("stop", node)
        return replace(value, node=apply(value.node))

    def _compare(self, name: str, input: Any, other: Any) -> Traced:
        a, b = self.number(input), self.number(other)
        return self.combined(self.builder.apply(name, a.node, b.node), a, b)

    def _isnan(self, name: str, input: Any) -> Traced:
        return self._compare("ne", input, input)

    def _logic(self, name: str, input: Any, other: Any) -> Traced:
        a, b = self.condition(input), self.condition(other)
        apply = self.builder.apply
        if name == "xor":
            either, both = apply("or", a.node, b.node), apply("and", a.node, b.node)
            return self.combined(apply("and", either, apply("not", both)), a, b)
        return self.combined(apply(name, a.node, b.node), a, b)

    def _not(self, name: str, input: Any) -> Traced:
        value = self.condition(input)
        return replace(value, node=self.builder.apply("not", value.node))

    def _choose(self, condition: Any, a: Any, b: Any) -> Traced:
        test, first, second = self.condition(condition), self.number(a), self.number(b)
        chosen = self.where(test.node, first.node, second.node)
        return self.combined(chosen, test, first, second)

    def _where(self, name: str, condition: Any, input: Any, other: Any) -> Traced:
        return self._choose(condition, input, other)

    def _masked_fill(self, name: str, input: Any, mask: Any, value: Any) -> Traced:
        return self._choose(mask, value, input)

    def _filled(self, name: str, input: Any, fill_value: Any = None) -> Traced:
        """A value everywhere, in the shape of another tensor."""
        like = self.number(input)
        filling = {"zeros_like": 0, "ones_like": 1}.get(name, fill_value)
        value = self.number(filling).node
        same = self.builder.apply("eq", like.node, like.node)
        return replace(like, node=self.builder.apply("where", same, value, value))

    def _clamp(self, name: str, input: Any, min: Any = None, max: Any = None) -> Traced:
        if min is None and max is None:
            return self.refused("clamp: a bound, min or max, is expected")
        operands = [self.number(v) for v in (input, min, max) if v is not None]
        which = "clamp" if len(operands) == 3 else "clamp_min" if max is None else "clamp_max"
        return self.combined(self.call_table(which, [v.node for v in operands], None), *operands)

    def _gelu(self, name: str, input: Any, approximate: Any = "none") -> Traced:
        if approximate not in ("none", "tanh"):
            return self.refused(f"gelu: approximate is none or tanh, not {ascii(approximate)[:20]}")
        value = self.number(input)
        chosen = "gelu" if approximate == "none" else "gelu_tanh"
        return replace(value, node=self.call_table(chosen, [value.node], None))

    def _prelu(self, name: str, input: Any, weight: Any) -> Traced:
        return self.refused("prelu lays its weight along dim 1; write torch.where(x > 0, x, w*x)")

    # Reductions

    def _extremum(self, name: str, input: Any, other: Any = None) -> Traced:
        if other is None:
            return self._reduced({"max": "amax", "min": "amin"}[name], input)
        if not isinstance(other, fx.Node):
            return self.refused(f"{name} over a dim gives indices too; write torch.a{name}")
        a, b = self.number(input), self.number(other)
        which = {"max": "maximum", "min": "minimum"}[name]
        return self.combined(self.call_table(which, [a.node, b.node], None), a, b)

    def _reduced(
        self, name: str, input: Any, dim: Any = None, keepdim: Any = False, dtype: Any = None
    ) -> Traced:
        if dtype is not None:
            return self.refused(f"{name}: dtype cannot be chosen; cast the arguments of the op")
        return self._reduction(name, self.number(input), dim, keepdim)

    def _softmax(
        self, name: str, input: Any, dim: Any = None, _stacklevel: Any = 3, dtype: Any = None
    ) -> Traced:
        if dim is None or _stacklevel != 3 or dtype is not None:
            return self.refused(f"{name} takes dim, and no dtype")
        value = self.number(input)
        if name == "softmin":
            value, name = replace(value, node=self.negated(value.node)), "softmax"
        return self._reduction(name, value, dim, True)

    def _variance(
        self, name: str, input: Any, dim: Any = None, unbiased: Any = True, keepdim: Any = False,
        *, correction: Any = None,
    ) -> Traced:  # fmt: skip
        if type(dim) is bool:
            dim, unbiased = None, dim
        if type(unbiased) is not bool or type(correction) not in (int, types.NoneType):
            return self.refused(f"{name}: unbiased is True or False, correction an integer")
        divisor = int(unbiased) if correction is None else correction
        return self._reduction(name, self.number(input), dim, keepdim, divisor)

    def _norm(
        self, name: str, input: Any, p: Any = "fro", dim: Any = None, keepdim: Any = False,
        dtype: Any = None,
    ) -> Traced:  # fmt: skip
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
    ) -> Traced:  # fmt: skip
        return self._norm(name, x, ord, dim, keepdim, dtype)

    def _linalg_norm(
        self, name: str, A: Any, ord: Any = None, dim: Any = None, keepdim: Any = False,
        *, dtype: Any = None,
    ) -> Traced:  # fmt: skip
        return self._norm(name, A, ord, dim, keepdim, dtype)

    def _reduction(
        self, name: str, value: Traced, dim: Any, keepdim: Any, correction: int = 1
    ) -> Traced:
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
            self.refuse(f"{name} counts dims where an axis was dropped; {KEEP}, or name all dims")
        if dims and has_reduction(frame) and not keepdim:
            self.refuse(f"{name} drops an axis of a value that keeps others as 1; {KEEP} too")
        result = self.reduce(name, value.node, dims or None, correction)
        return Traced(result, bool(dims) and not keepdim and not keeps_shape)


# By the names that torch gives them.
HANDLERS: dict[str, Callable[..., Traced]] = {
    **dict.fromkeys(("add", "sub", "rsub"), Calls._arithmetic),
    **dict.fromkeys(("sum", "mean", "prod", "amax", "amin", "logsumexp"), Calls._reduced),
    **dict.fromkeys(("softmax", "log_softmax", "softmin"), Calls._softmax),
    **dict.fromkeys(("neg", "pos", "detach"), Calls._unary),
    **dict.fromkeys(("zeros_like", "ones_like", "full_like"), Calls._filled),
    **dict.fromkeys(("max", "min"), Calls._extremum),
    **dict.fromkeys(("var", "std"), Calls._variance),
    **dict.fromkeys(("div", "floordiv"), Calls._divide),
    **dict.fromkeys(COMPARISONS, Calls._compare),
    **dict.fromkeys(LOGICAL, Calls._logic),
    "mul": Calls._times,
    "pow": Calls._power,
    "isnan": Calls._isnan,
    "not": Calls._not,
    "where": Calls._where,
    "masked_fill": Calls._masked_fill,
    "clamp": Calls._clamp,
    "gelu": Calls._gelu,
    "prelu": Calls._prelu,
    "norm": Calls._norm,
    "vector_norm": Calls._vector_norm,
    "linalg_norm": Calls._linalg_norm,
}
