"""What a kernel of Triton does for full blocks, apart from scalars and from the rest of a block."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from math import prod

from symop.errors import InspectionError
from symop.gpu_kernels import KernelText
from symop.python_text import syntax_tree

_BYTES = {"f16": 2, "bf16": 2, "f32": 4, "f64": 8, "i1": 1, "i8": 1, "i16": 2, "i32": 4, "i64": 8}
_POINTERS = re.compile(r": (?:tensor<((?:\d+x)+))?!tt\.ptr<(\w+)>")


def full_blocks(kernel: KernelText) -> tuple[KernelText, frozenset[int]]:
    """The kernel without what it does for the rest of a block, and the lines of its blocks.

    A condition both of whose branches access memory is that of a full block, the first branch.
    The lines keep their numbers.
    """
    function = _function(kernel)
    lines = kernel.source.splitlines()
    kept: set[int] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.If) and _accesses(node.body) and _accesses(node.orelse):
            indent = " " * node.col_offset
            lines[node.lineno - 1] = f"{indent}if True:"
            first = _end(node.body) + 1
            for place in range(first, _end(node.orelse) + 1):
                lines[place - 1] = ""
            kept |= set(range(node.lineno, first))
    if not kept:
        kept = set(range(function.lineno, _end(function.body) + 1))
    return replace(kernel, source="\n".join(lines) + "\n"), frozenset(kept)


def _function(kernel: KernelText) -> ast.FunctionDef:
    for node in syntax_tree(kernel.source).body:
        if isinstance(node, ast.FunctionDef) and node.name == kernel.entry:
            return node
    raise InspectionError(f"the source has no kernel {kernel.entry}")


def _accesses(body: Sequence[ast.stmt]) -> bool:
    return any(
        isinstance(node, ast.Attribute) and node.attr in ("load", "store")
        for statement in body
        for node in ast.walk(statement)
    )


def _end(body: Sequence[ast.stmt]) -> int:
    return body[-1].end_lineno or body[-1].lineno


def traffic(ttir: str, elements: int) -> Counter[str]:
    """The bytes that a program moves, by kind.

    load, store: of a block. again: of smaller blocks, which broadcast. once: of anything else. A
    program that goes through several blocks does so in a loop. What stands under a condition is
    done by the last program only, and not counted.
    """
    found: list[tuple[str, int, int, bool]] = []
    stack: list[str] = []
    for line in ttir.splitlines():
        access = re.search(r"\btt\.(load|store)\b", line)
        match = _POINTERS.search(line)
        if access and match and "scf.if" not in stack:
            number = prod(int(size) for size in (match[1] or "").split("x") if size)
            size = number * _BYTES[match[2]]
            found.append((access[1], number if match[1] else 0, size, "scf.for" in stack))
        opened = re.search(r"\bscf\.(?:for|if|while)\b", line)
        closes = line.count("}") - line.count("{")
        if closes < 0:
            stack += [opened[0] if opened else ""] * -closes
        else:
            del stack[len(stack) - closes :]
    has_loop = any(number == elements and is_inside for _, number, _, is_inside in found)
    totals: Counter[str] = Counter()
    for what, number, size, is_inside in found:
        if number == elements and is_inside == has_loop:
            totals[what] += size
        elif number and what == "load" and is_inside == has_loop:
            totals["again"] += size
        else:
            totals["once"] += size
    return totals


def pointers(kernel: KernelText) -> dict[tuple[str, int], str]:
    """For the lines that load or store, the parameter that the place starts from."""
    names = {name for name, _ in kernel.signature}
    found = {}
    for node in ast.walk(_function(kernel)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if node.func.attr in ("load", "store"):
            inner = [n.id for n in ast.walk(node.args[0]) if isinstance(n, ast.Name)]
            place = next((name for name in inner if name in names), "")
            for line in range(node.lineno, (node.end_lineno or node.lineno) + 1):
                found[node.func.attr, line] = place
    return found
