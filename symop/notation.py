"""Formulas on the screen: signs for operators, and blocks of sympy's pretty printer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import sympy
from sympy.printing.pretty.pretty import PrettyPrinter
from sympy.printing.pretty.stringpict import prettyForm

from symop.derivative_names import cotangent_names
from symop.program import Program
from symop.symbolic import gradients, statement_expressions

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_SIGNS = {
    "**": "**", "*": "·", "<=": "≤", ">=": "≥", "!=": "≠", "pi": "π", "sum(": "Σ(", "sqrt(": "√(",
}  # fmt: skip
_SPELLED = re.compile(
    r"\*\*(?:\((?P<signed>-\d+)\)|(?P<power>\d+)(?![\w.(]))"
    r"|\*\*|\*|<=|>=|!=|\bpi\b(?!\()|(?<![\w.])(?:sum|sqrt)\("
)
# What subscripts make no better: grad_x, learning_rate, and dims.
_RAW = re.compile(r"\w*_\w*[A-Za-z]\w*|[-(\d].*")
# What is larger is no picture any more.
_MAX_CHARACTERS, _MAX_NODES, _MAX_DERIVATIVES = 240, 40, 8


def with_signs(text: str) -> str:
    """A formula in symop's language, with the signs of mathematics for its operators."""

    def sign(match: re.Match[str]) -> str:
        power = match["signed"] or match["power"]
        return power.translate(_SUPERSCRIPTS) if power else _SIGNS[match[0]]

    return _SPELLED.sub(sign, text)


def pretty_lines(program: Program, texts: Iterable[str], width: int) -> Iterator[str]:
    """The statements of a program as blocks of mathematics.

    Args:
        program: what `texts` are the lines of.
        texts: one line `name = expression` a statement; it is kept, with signs, where a block
            would be wider than `width`, or be a puzzle.
        width: columns.
    """
    for (name, expression), text in zip(statement_expressions(program), texts, strict=True):
        is_short = isinstance(expression, sympy.Basic) and len(text) < _MAX_CHARACTERS
        block = _block(_PRINTER._print(sympy.Symbol(name)), expression) if is_short else []
        if block and max(map(len, block)) <= width:
            yield from block
        else:
            yield with_signs(text)


def derivative_lines(program: Program, width: int) -> list[str]:
    """The derivatives of a program as blocks of mathematics, empty where they would be puzzles.

    Partial derivatives, or those of a loss L behind a reduction.

    Args:
        program: the formula.
        width: columns.
    """
    count = len(program.arguments) * len(program.outputs)
    if count > _MAX_DERIVATIVES or len(program.nodes) > _MAX_NODES:
        return []
    cotangents = cotangent_names(program)
    lines: list[str] = []
    for (output, argument), value in gradients(program).items():
        if not isinstance(value, sympy.Basic) or value.count_ops() > _MAX_NODES:
            return []
        is_loss = cotangents[output] in {s.name for s in value.free_symbols}
        above, below = (prettyForm(f"∂{'L' if is_loss else output}"), prettyForm(f"∂{argument}"))
        block = _block(above / below, value, order=None)
        if max(map(len, block)) > width:
            return []
        lines += [*block, ""]
    return lines[:-1]


def _block(left: Any, expression: Any, order: str | None = "none") -> list[str]:
    """An equation, the sign of equality at the height of the middle line."""
    form = _Printer({**_SETTINGS, "order": order})._print(expression)
    whole = prettyForm(*prettyForm(*left.right(" = ")).right(form))
    return [line.rstrip() for line in str(whole).split("\n")]


class _Printer(PrettyPrinter):  # type: ignore[misc]
    """sympy's pretty printer, with words as they are written and dims without brackets."""

    def _print_Symbol(self, e: Any, bold_name: bool = False) -> Any:
        if _RAW.fullmatch(e.name):
            return prettyForm(e.name)
        return super()._print_Symbol(e, bold_name)

    def _print_Tuple(self, e: Any) -> Any:
        return self._print(e[0]) if len(e) == 1 else super()._print_tuple(e)


_SETTINGS = {"use_unicode": True, "wrap_line": False}
_PRINTER = _Printer(_SETTINGS)
