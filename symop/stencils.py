"""An elementwise program at a point and around it, each node once for what it depends on.

A sum of many products moves by every argument, each of the products by its own: evaluated as
arrays over all offsets, a formula of 300 arguments would cost 300 times what it does here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any

import mpmath as mp

from symop.evaluation import number, operation
from symop.program import Program

# What is added to arguments, as pairs (place of the argument, number of steps).
Offset = tuple[tuple[int, int], ...]


@lru_cache(maxsize=64)
def dependencies(program: Program) -> tuple[frozenset[int], ...]:
    """The places of the arguments that each node depends on."""
    places = {a.name: k for k, a in enumerate(program.arguments)}
    found: list[frozenset[int]] = []
    for node in program.nodes:
        if node.op in ("argument", "mask"):
            found.append(frozenset({places[str(node.value)]}))
        else:
            found.append(frozenset().union(*(found[o] for o in node.operands)))
    return tuple(found)


def values_around(
    program: Program,
    point: Sequence[Any],
    steps: Mapping[int, Any],
    offsets: Sequence[Offset],
) -> list[dict[Offset, Any]]:
    """The outputs at a point with each of some offsets, in the current precision of mpmath.

    Args:
        program: an elementwise program.
        point: its arguments, numbers and truth values.
        steps: for places of arguments, the length of a step.
        offsets: how many steps are taken, by the places of arguments.

    Raises:
        ArithmeticError, ValueError, TypeError, NotImplementedError: as the references do.
    """
    depends = dependencies(program)
    values: list[dict[Offset, Any]] = []
    for node, mine in zip(program.nodes, depends, strict=True):
        distinct = dict.fromkeys(_restricted(offset, mine) for offset in offsets)
        if node.op in ("argument", "mask"):
            (place,) = mine
            values.append({o: _moved(point, steps, place, o) for o in distinct})
        elif not node.operands:
            value = node.value
            values.append({(): number(value) if isinstance(value, Fraction) else +mp.pi})
        else:
            function, operands = operation(node), [(values[o], depends[o]) for o in node.operands]
            values.append({o: function(*_parts(operands, mine, o)) for o in distinct})
    return [
        {o: _real(values[output.node][_restricted(o, depends[output.node])]) for o in offsets}
        for output in program.outputs
    ]


def work(program: Program, order: int) -> int:
    """How many numbers `values_around` computes for unmixed derivatives up to an order."""
    return sum(1 + (4 if order else 0) * len(mine) for mine in dependencies(program))


def _restricted(offset: Offset, places: frozenset[int]) -> Offset:
    return tuple(part for part in offset if part[0] in places)


def _moved(point: Sequence[Any], steps: Mapping[int, Any], place: int, offset: Offset) -> Any:
    return point[place] + offset[0][1] * steps[place] if offset else point[place]


def _parts(
    operands: Sequence[tuple[dict[Offset, Any], frozenset[int]]],
    mine: frozenset[int],
    offset: Offset,
) -> Iterator[Any]:
    for values, places in operands:
        yield values[offset if places == mine else _restricted(offset, places)]


def _real(value: Any) -> Any:
    return mp.nan if isinstance(value, mp.mpc) else value
