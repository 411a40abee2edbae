"""How torch names and declares the functions that formulas know."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from symop.functions import table

# torch's other names of the same operations.
SYNONYMS = {
    "subtract": "sub", "multiply": "mul", "divide": "div", "true_divide": "div",
    "truediv": "div", "floor_divide": "floordiv", "negative": "neg", "positive": "pos",
    "mod": "remainder", "less": "lt", "less_equal": "le", "greater": "gt",
    "greater_equal": "ge", "not_equal": "ne", "and_": "and", "logical_and": "and",
    "bitwise_and": "and", "or_": "or", "logical_or": "or", "bitwise_or": "or",
    "logical_xor": "xor", "bitwise_xor": "xor", "invert": "not", "logical_not": "not",
    "bitwise_not": "not", "clip": "clamp", "contiguous": "pos", "clone": "pos",
    "multigammaln": "mvlgamma",
}  # fmt: skip
COMPARISONS = frozenset({"lt", "le", "gt", "ge", "eq", "ne"})
LOGICAL = frozenset({"and", "or", "xor"})
CASTS = frozenset(
    {"float", "double", "half", "bfloat16", "to", "type", "type_as", "int", "long", "short",
     "bool", "cpu", "cuda", "float_power"}
)  # fmt: skip
SHAPES = frozenset(
    {"reshape", "view", "unsqueeze", "squeeze", "transpose", "permute", "flatten", "cat", "stack",
     "expand", "expand_as", "broadcast_to", "repeat", "getitem", "matmul", "mm", "bmm", "einsum",
     "dot", "linear", "t", "movedim", "flip", "roll", "chunk", "split", "size", "dim"}
)  # fmt: skip


# How torch declares its functions, where it is not (input) or (input, other). The parameters
# in OPTIONS select what symop has no other form of; the others are those of the table.
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


OPTIONS: dict[str, Any] = {"inplace": False, "decimals": 0, "eps": None}


SPELLED = {"self": "input", "axis": "dim", "keepdims": "keepdim"}


@cache
def declared(name: str) -> Callable[..., None]:
    """A function with the parameters that torch declares."""
    if name in _signatures():
        return _signatures()[name]
    if len(table()[name].parameters) == 1:
        return lambda input: None
    return lambda input, other: None
