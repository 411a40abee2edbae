"""Programs evaluated in arbitrary precision with mpmath: the oracle, and constants.

Nothing of the stable forms or of the derivatives is used here: functions are evaluated by
their references, so that an error in either shows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from math import prod
from typing import Any

import mpmath as mp
import numpy as np

from symop.frames import Frame
from symop.functions import table
from symop.program import Node, Output, Program

Array = np.ndarray[Any, np.dtype[np.object_]]

_LARGEST = mp.mpf(2) ** 1024
_CONSTANT_BITS = 240
# The precision that sizes are estimated in, and the farthest that counts.
_ROUGH, _FARTHEST = 53, 2200


def _div(a: Any, b: Any) -> Any:
    if b == 0:
        return mp.nan if a == 0 or mp.isnan(a) else mp.inf * mp.sign(a)
    return a / b


def _ipow(a: Any, n: int) -> Any:
    if a == 0 and n < 0:
        return mp.inf
    return mp.mpf(1) if n == 0 else a**n


_OPERATIONS: dict[str, Callable[..., Any]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": _div,
    "neg": lambda a: -a,
    "stop": lambda a: a,
    # Of a scalar, a reduction is the scalar.
    **{name: lambda a: a for name in ("sum", "prod", "amax", "amin")},
    "where": lambda c, a, b: a if c else b,
    "lt": lambda a, b: bool(a < b),
    "le": lambda a, b: bool(a <= b),
    "gt": lambda a, b: bool(a > b),
    "ge": lambda a, b: bool(a >= b),
    "eq": lambda a, b: bool(a == b),
    "ne": lambda a, b: bool(a != b),
    "and": lambda a, b: a and b,
    "or": lambda a, b: a or b,
    "not": lambda a: not a,
}


def operation(node: Node) -> Callable[..., Any]:
    """The function of mpmath numbers that an elementwise node stands for."""
    if node.op == "ipow":
        exponent = int(node.value or 0)
        return lambda a: _ipow(a, exponent)
    if node.op in _OPERATIONS:
        return _OPERATIONS[node.op]
    reference = table()[node.op].reference
    assert reference is not None, f"{node.op} has no reference"
    return reference


def number(value: Fraction) -> Any:
    """A fraction as an mpmath number of the current precision."""
    return mp.mpf(value.numerator) / value.denominator


def evaluate(program: Program, values: Mapping[str, Array]) -> list[Array]:
    """The outputs for arrays of mpmath numbers, in the current precision of mpmath."""
    shapes = {name: value.shape for name, value in values.items()}

    def shape(frame: Frame) -> tuple[int, ...]:
        parts = []
        for atom in frame:
            if isinstance(atom, str):
                parts.append(shapes[atom])
            else:
                inner = shape(atom[0])
                dims = {d % len(inner) for d in atom[1]} if inner else set()
                parts.append(tuple(1 if i in dims else n for i, n in enumerate(inner)))
        return np.broadcast_shapes(*parts)

    results: list[Array] = []
    for node in program.nodes:
        operands = [results[operand] for operand in node.operands]
        results.append(_node(node, operands, values, shape))
    outputs = []
    for output in program.outputs:
        value = np.broadcast_to(results[output.node], shape(output.frame))
        outputs.append(_dropped(value, output.frame, shapes) if output.dropped else value)
    return outputs


def reach(program: Program, values: Mapping[str, Array]) -> int:
    """How many binary orders lie between 1 and the farthest number of an evaluation.

    Beside a 1, a number of 1e-300 takes a thousand bits more than one of 0.1, and a formula
    that cancels takes them several times. What is farther than the squares of float64 is below
    or beyond all that can be measured. 0 where the formula has no real value.
    """
    try:
        with mp.workprec(_ROUGH):
            results = evaluate(with_steps(program), values)
    except (ArithmeticError, ValueError, TypeError, NotImplementedError):
        return 0
    steps = zip(program.nodes, results[len(program.outputs) :], strict=True)
    numbers = [v for node, array in steps if not node.is_condition for v in array.flat]
    sizes = [abs(int(mp.mag(v))) for v in numbers if v and mp.isfinite(v)]
    return min(max(sizes, default=0), _FARTHEST)


@lru_cache(maxsize=512)
def with_steps(program: Program) -> Program:
    """The program with every node as an output, after its own and in the order of the nodes."""
    steps = (Output(f"_{k}", k, node.frame) for k, node in enumerate(program.nodes))
    return replace(program, outputs=(*program.outputs, *steps))


def _node(
    node: Node,
    operands: Sequence[Array],
    values: Mapping[str, Array],
    shape: Callable[[Frame], tuple[int, ...]],
) -> Array:
    match node.op:
        case "argument" | "mask":
            return np.asarray(values[str(node.value)], dtype=object)
        case "constant":
            assert isinstance(node.value, Fraction)
            return _array(number(node.value))
        case "pi":
            return _array(+mp.pi)
        case "count":
            count = prod(shape(node.source or ())) // max(prod(shape(node.target or ())), 1)
            return _array(mp.mpf(count))
        case "sum" | "prod" | "amax" | "amin":
            full = np.broadcast_to(operands[0], shape(node.source or ()))
            return _reduce(node.op, full, shape(node.frame))
        case "prod_others":
            return _prod_others(operands, shape(node.source or ()), node.dims)
    function = operation(node)
    broadcast = np.broadcast_arrays(*operands)
    flat = [function(*parts) for parts in zip(*(a.flat for a in broadcast), strict=True)]
    return _filled(flat, broadcast[0].shape)


def _array(value: Any) -> Array:
    return _filled([value], ())


def _filled(flat: Sequence[Any], shape: tuple[int, ...]) -> Array:
    result: Array = np.empty(len(flat), dtype=object)
    result[:] = flat
    return result.reshape(shape)


_COMBINE: dict[str, Callable[[Any, Any], Any]] = {
    "sum": lambda a, b: a + b,
    "prod": lambda a, b: a * b,
    "amax": lambda a, b: a if a >= b or mp.isnan(a) else b,
    "amin": lambda a, b: a if a <= b or mp.isnan(a) else b,
}


def _reduce(op: str, full: Array, target: tuple[int, ...]) -> Array:
    padded = (1,) * (full.ndim - len(target)) + target
    first = {"sum": mp.mpf(0), "prod": mp.mpf(1)}
    result: Array = np.empty(padded, dtype=object)
    result.fill(first.get(op))
    for index in np.ndindex(*full.shape):
        place = tuple(0 if n == 1 else i for i, n in zip(index, padded, strict=True))
        value = full[index]
        result[place] = value if result[place] is None else _COMBINE[op](result[place], value)
    return result.reshape(target)


def _prod_others(
    operands: Sequence[Array], shape: tuple[int, ...], dims: tuple[int, ...] | None
) -> Array:
    """Sum over distinct others i1..ik of v1[i1]...vk[ik] times the product of the rest."""
    e, *vectors = [np.broadcast_to(operand, shape) for operand in operands]
    axes = set(range(len(shape))) if dims is None else {d % len(shape) for d in dims if shape}
    result: Array = np.empty(shape, dtype=object)
    for index in np.ndindex(*shape):
        group = [
            other
            for other in np.ndindex(*shape)
            if other != index and all(i in axes or other[i] == index[i] for i in range(len(shape)))
        ]
        # Coefficients of products of v's, by the set of v's, in the algebra with v*v = 0.
        sums: dict[int, Any] = {0: mp.mpf(1)}
        for other in group:
            updated: dict[int, Any] = {}
            for members, total in sums.items():
                updated[members] = updated.get(members, 0) + total * e[other]
                for k, vector in enumerate(vectors):
                    if not members >> k & 1:
                        with_k = members | 1 << k
                        updated[with_k] = updated.get(with_k, 0) + total * vector[other]
            sums = updated
        result[index] = sums.get((1 << len(vectors)) - 1, mp.mpf(0))
    return result


def _dropped(value: Array, frame: Frame, shapes: Mapping[str, tuple[int, ...]]) -> Array:
    live = live_axes(frame, {name: len(shape) for name, shape in shapes.items()})
    return value.reshape(tuple(n for n, alive in zip(value.shape, live, strict=True) if alive))


def live_axes(frame: Frame, ranks: Mapping[str, int]) -> list[bool]:
    """Which axes of a frame some operand brings; the others were made 1 by reductions."""
    columns: list[bool] = []
    for atom in frame:
        if isinstance(atom, str):
            axes = [True] * ranks[atom]
        else:
            axes = live_axes(atom[0], ranks)
            for dim in atom[1]:
                if axes:
                    axes[dim % len(axes)] = False
        longer, shorter = sorted((columns, axes), key=len, reverse=True)
        start = len(longer) - len(shorter)
        columns = longer[:start] + [a or b for a, b in zip(longer[start:], shorter, strict=True)]
    return columns


def constant(nodes: Sequence[Node], index: int) -> Any:
    """The value of a node that depends on no argument, as an mpmath number."""
    memo: dict[int, Any] = {}

    def visit(i: int) -> Any:
        if i not in memo:
            node = nodes[i]
            if node.op == "constant":
                assert isinstance(node.value, Fraction)
                memo[i] = number(node.value)
            elif node.op == "pi":
                memo[i] = +mp.pi
            else:
                memo[i] = operation(node)(*(visit(operand) for operand in node.operands))
        return memo[i]

    with mp.workprec(_CONSTANT_BITS):
        return visit(index)


def constant_problem(nodes: Sequence[Node], index: int) -> str | None:
    """Why a constant cannot stand in a formula, None when it can."""
    try:
        value = constant(nodes, index)
    except (ValueError, ZeroDivisionError, OverflowError, ArithmeticError):
        return f"{nodes[index].op} of these constants is no finite number"
    if isinstance(value, bool):
        return None
    if isinstance(value, mp.mpc) or not mp.isfinite(value):
        return f"{nodes[index].op} of these constants is no finite real number"
    if abs(value) >= _LARGEST:
        return f"{nodes[index].op} of these constants is too large for float64"
    return None
