"""One door for every form of formula: text, sympy, a Python function, several of them."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any

from symop.errors import FormulaError, Problem
from symop.parsing import parse
from symop.program import Program
from symop.python_text import syntax_tree

Lines = tuple[str, ...]

_MAX_SHOWN = 400


def read(
    source: Any,
    *,
    args: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
    functions: Mapping[str, Program],
) -> tuple[Program, Lines]:
    """The program of a formula, and its text as lines `name = expression`.

    Raises:
        FormulaError: the formula is refused.
    """
    if isinstance(source, str):
        program = parse(source, args=args, outputs=outputs, functions=functions)
        return program, _text_lines(source, program)
    items = _items(source)
    if items is not None and all(isinstance(value, str) for value in items.values()):
        program = parse(items, args=args, outputs=outputs, functions=functions)
        return program, tuple(f"{name} = {_normal(text)}" for name, text in items.items())
    if items is not None or _is_sympy(source):
        from symop.sympy_reading import read_sympy

        return read_sympy(items if items is not None else source, args=args, outputs=outputs)
    if callable(source):
        from symop.tracing import trace

        return trace(source, args=args, outputs=outputs, functions=functions)
    kind = type(source).__name__
    raise FormulaError(
        [Problem(f"a formula is text, a sympy expression, a function, or a sequence or dict of "
                 f"these; {kind} was given")]
    )  # fmt: skip


def _items(source: Any) -> dict[str, Any] | None:
    """Several formulas by output name, None when it is one."""
    if isinstance(source, Mapping):
        items = dict(source)
    elif isinstance(source, list | tuple):
        names = ["out"] if len(source) == 1 else [f"out{k}" for k in range(len(source))]
        items = dict(zip(names, source, strict=True))
    else:
        return None
    if not items:
        raise FormulaError([Problem("an empty collection of formulas; one or more are expected")])
    if not all(isinstance(name, str) for name in items):
        raise FormulaError([Problem("the keys of a dict of formulas are the names of its outputs")])
    return items


def _is_sympy(source: Any) -> bool:
    return any(str(base.__module__).startswith("sympy.") for base in type(source).__mro__)


def _text_lines(source: str, program: Program) -> Lines:
    lines = []
    for statement in syntax_tree("\n".join(line.strip() for line in source.split("\n"))).body:
        name = program.outputs[-1].name
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            name = statement.targets[0].id
        value = getattr(statement, "value", statement)
        size = sum(1 for _ in ast.walk(value))
        # A long sum is a deep tree, which Python cannot print back.
        text = f"... ({size} parts)" if size > _MAX_SHOWN else _tight(ast.unparse(value))
        lines.append(f"{name} = {text}")
    return tuple(lines)


def _normal(text: str) -> str:
    return _tight(ast.unparse(syntax_tree(text.strip(), mode="eval")))


def _tight(text: str) -> str:
    """Python's own spelling of a formula, with products and powers set tight."""
    return text.replace(" ** ", "**").replace(" * ", "*").replace(" / ", "/")
