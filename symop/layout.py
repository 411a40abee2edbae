"""Logical lines of Python laid out as the usual formatter does it, at 88 columns."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Sequence

from symop.python_text import syntax_tree

WIDTH = 88


def laid_out(line: str) -> list[str]:
    """A logical line, with its indentation, as one or several physical lines."""
    if len(line) <= WIDTH:
        return [line]
    pad = " " * (len(line) - len(line.lstrip(" ")))
    text = line.lstrip(" ")
    if text.startswith("def "):
        head, rest = text.split("(", 1)
        inner, _, tail = rest.rpartition(")")
        return _bracketed(f"{pad}{head}(", _parameters(inner), f"{pad}){tail}", pad)
    if text.startswith("if "):
        return _parenthesized(f"{pad}if (", text[3:-1], f"{pad}):", pad)
    for word in ("return ", "raise "):
        if text.startswith(word):
            return _value(f"{pad}{word}", text[len(word) :], pad)
    node = syntax_tree(text).body[0]
    if isinstance(node, ast.Expr):
        return _value(pad, text, pad)
    if isinstance(node, ast.AugAssign):
        start = node.value.col_offset
        return _value(f"{pad}{text[:start]}", text[start:], pad)
    assert isinstance(node, ast.Assign), text
    value = text[node.value.col_offset :]
    target = text[: text.index(" = ")]
    first = node.targets[0]
    opening = f"{pad}{target} = {value.partition('(')[0]}("
    is_call = isinstance(node.value, ast.Call)
    if isinstance(first, ast.Tuple) and (not is_call or len(opening) > WIDTH):
        names = [ast.unparse(element) for element in first.elts]
        last = f"{pad}) = "
        fits = not is_call or len(last) + len(value) <= WIDTH
        after = [last + value] if fits else _value(last, value, pad)
        return [*_exploded(f"{pad}(", names, after[0], pad), *after[1:]]
    return _value(f"{pad}{target} = ", value, pad)


def _value(head: str, text: str, pad: str) -> list[str]:
    """What stands right of an assignment or return, broken in the way of its kind."""
    node = syntax_tree(text, mode="eval").body
    if isinstance(node, ast.Tuple):
        items = [_segment(text, element, 0) for element in node.elts]
        return _exploded(f"{head}(", items, f"{pad})", pad)
    calls = _chain(text, node)
    if len(calls) > 2:
        inner = [text] if len(pad) + 4 + len(text) <= WIDTH else calls
        return [f"{head}(", *(f"{pad}    {part}" for part in inner), f"{pad})"]
    if isinstance(node, ast.Call):
        function = text[: node.func.end_col_offset]
        if len(head) + len(function) + 1 > WIDTH and len(calls) == 2 and "(" in calls[0]:
            method, argument = calls[0][:-1].split("(", 1)
            return [f"{head}{method}(", f"{pad}    {argument}", f"{pad}){calls[1]}"]
        inside = len(function) + 1
        items = [_segment(text, argument, inside) for argument in node.args]
        items += [f"{k.arg}={_segment(text, k.value, inside)}" for k in node.keywords]
        return _bracketed(f"{head}{function}(", items, f"{pad})", pad)
    return _parenthesized(f"{head}(", text, f"{pad})", pad)


def _chain(text: str, node: ast.expr) -> list[str]:
    """The links of a chain of method calls: (x + y), .sum(0), .squeeze(1)."""
    links: list[str] = []
    end = len(text)
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        start = node.func.end_col_offset or 0
        start -= len(node.func.attr) + 1
        links.insert(0, text[start:end])
        end, node = start, node.func.value
    if not text[:end].endswith(")") and links:
        # A name stays together with its first method.
        return [text[:end] + links[0], *links[1:]]
    return [text[:end], *links]


def _segment(text: str, node: ast.expr, first: int) -> str:
    start, end = node.col_offset, node.end_col_offset or len(text)
    # The tree drops parentheses around an element; they belong to it.
    while start > first and text[start - 1] == "(" and text[end : end + 1] == ")":
        start, end = start - 1, end + 1
    return text[start:end]


def _bracketed(head: str, items: Sequence[str], tail: str, pad: str) -> list[str]:
    """Arguments on one line of their own, or one a line."""
    inside = f"{pad}    {', '.join(items)}"
    if len(inside) <= WIDTH:
        return [head, inside, tail]
    return _exploded(head, items, tail, pad)


def _exploded(head: str, items: Sequence[str], tail: str, pad: str) -> list[str]:
    lines = []
    for item in items:
        parts = [item]
        if len(pad) + 5 + len(item) > WIDTH:
            parts = item.replace(" if ", "\nif ").replace(" else ", "\nelse ").split("\n")
        for part in parts:
            fits = len(pad) + 4 + len(part) <= WIDTH
            lines += [f"{pad}    {piece}" for piece in ([part] if fits else _at_operators(part))]
        lines[-1] += ","
    return [head, *lines, tail]


def _parenthesized(head: str, text: str, tail: str, pad: str) -> list[str]:
    """An expression in parentheses, on one line or broken at its weakest operators."""
    if len(pad) + 4 + len(text) <= WIDTH:
        return [head, f"{pad}    {text}", tail]
    return [head, *(f"{pad}    {part}" for part in _at_operators(text)), tail]


def _at_operators(text: str) -> list[str]:
    """The operands of the weakest operators of an expression, each behind its operator."""
    for words in ((" or ",), (" + ", " - "), (" * ", " / ")):
        parts, depth, start = [], 0, 0
        for position, char in enumerate(text):
            depth += (char in "([") - (char in ")]")
            if depth == 0 and any(text.startswith(word, position) for word in words):
                parts.append(text[start:position])
                start = position + 1
        if parts:
            return [*parts, text[start:]]
    return [text]


def _parameters(text: str) -> list[str]:
    """The parameters of a signature; brackets in annotations hold no comma of theirs."""
    return text.split(", ")


def docstring_lines(lines: Sequence[str]) -> list[str]:
    """Formulas as lines of a docstring, long ones broken at spaces."""
    wrapped: list[str] = []
    for line in lines:
        wrapped += textwrap.wrap(
            line,
            WIDTH,
            subsequent_indent="    ",
            break_long_words=False,
            break_on_hyphens=False,
        ) or [""]
    return wrapped
