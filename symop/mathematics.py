"""Formulas and derivatives as LaTeX and MathML."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sympy
from sympy.core.function import AppliedUndef

from symop.derivative_names import cotangent_names
from symop.errors import CallError
from symop.program import Program
from symop.symbolic import expressions, gradients

# A factor before a function or a word, and a word before a factor.
_BEFORE_WORD = re.compile(
    r"(?<=[\w})]) (?=\\(?:operatorname|mathrm|log|exp|a?(?:sin|cos|tan)h?|sec|csc|cot)\b)"
)
_AFTER_WORD = re.compile(r"(\\mathrm\{[^{}]*\}) (?=[\w(]|\\(?!vee|wedge|neq|leq|geq|,))")
_SPACE = "http://www.w3.org/1998/Math/MathML"
# What sympy would set as a product of letters: `out`, `grad_{out}`.
_WORD = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{2,}")


@dataclass(frozen=True)
class Equation:
    """Two sides, in LaTeX."""

    left: str
    right: str


def formula_equations(program: Program) -> list[Equation]:
    """The outputs of a program, one equation each."""
    return [Equation(symbol(name), latex(e)) for name, e in expressions(program).items()]


def gradient_equations(program: Program) -> list[Equation]:
    """The derivatives of a program: partial ones, or those of a loss L behind a reduction."""
    cotangents = cotangent_names(program)
    found = []
    for (output, argument), value in gradients(program).items():
        names = {str(s) for s in getattr(value, "free_symbols", ())}
        above = "L" if cotangents[output] in names else symbol(output)
        slope = rf"\frac{{\partial {above}}}{{\partial {symbol(argument)}}}"
        found.append(Equation(slope, latex(value)))
    return found


def aligned(equations: Iterable[Equation]) -> str:
    """Equations below each other, aligned at their signs."""
    lines = " \\\\\n".join(f"{e.left} &= {e.right}" for e in equations)
    return f"\\begin{{aligned}}\n{lines}\n\\end{{aligned}}"


def symbol(name: str) -> str:
    """A name in LaTeX: one letter and its index as such, a word upright."""
    text = str(sympy.latex(sympy.Symbol(name)))
    if not _WORD.search(text):
        return text
    return rf"\mathrm{{{name.replace('_', chr(92) + '_')}}}"


def latex(expression: Any) -> str:
    """A sympy expression in LaTeX, with names as `symbol` writes them.

    The dims of a reduction stand below its name.
    """
    if not isinstance(expression, sympy.Basic):
        return str(expression)
    shown: dict[Any, str] = {}

    def stand_in(call: Any) -> Any:
        # sympy takes a call with dims for one that does not commute, and orders factors by it.
        text = _reduction(call, shown)
        found = sympy.Symbol(f"z{len(shown)} {call.func}")
        shown[found] = text
        return found

    return _latex(expression.replace(_has_dims, stand_in), shown)


def _has_dims(expression: Any) -> bool:
    is_call = isinstance(expression, AppliedUndef)
    return is_call and any(isinstance(a, sympy.Tuple) for a in expression.args)


def _reduction(call: Any, shown: Mapping[Any, str]) -> str:
    dims = [a for a in call.args if isinstance(a, sympy.Tuple)]
    values = ", ".join(_latex(a, shown) for a in call.args if a not in dims)
    below = ",".join(str(d) for group in dims for d in group)
    name = str(call.func).replace("_", r"\_")
    head = rf"\operatorname{{{name}}}" + (f"_{{{below}}}" if below else "")
    return rf"{head}\left({values}\right)"


def _latex(expression: Any, shown: Mapping[Any, str]) -> str:
    names = {s: symbol(s.name) for s in expression.free_symbols if s not in shown}
    return str(sympy.latex(expression, symbol_names={**names, **shown}))


def mathml(equations: Sequence[Equation]) -> str:
    """Equations below each other as one element of MathML, aligned at their signs.

    Raises:
        CallError: docutils, which translates LaTeX, is not installed.
    """
    rows = "".join(
        f'<mtr><mtd style="text-align: right">{_element(e.left)}</mtd><mtd><mo>=</mo></mtd>'
        f'<mtd style="text-align: left">{_element(e.right)}</mtd></mtr>'
        for e in equations
    )
    # Fractions in a table would be set as small as in a line of text.
    table = f'<mtable displaystyle="true">{rows}</mtable>'
    return f'<math xmlns="{_SPACE}" display="block">{table}</math>'


def _element(text: str) -> str:
    """One side of an equation in MathML.

    docutils loses the rows of a table that follow one with cases, so sides are translated alone.
    """
    try:
        from docutils.utils.math.latex2mathml import tex2mathml
    except ImportError as error:
        raise CallError("MathML is made with docutils, which is not installed; "
                        "`pip install docutils` installs it") from error  # fmt: skip
    element = str(tex2mathml(spaced(text), as_block=True))
    inner = element[element.index(">") + 1 : element.rindex("</math>")]
    # The one entity that HTML knows and XML does not.
    return f"<mrow>{inner}</mrow>".replace("&ApplyFunction;", "&#x2061;")


def spaced(text: str) -> str:
    """LaTeX with the thin spaces beside words that TeX makes by itself."""
    return _BEFORE_WORD.sub(r"\\, ", _AFTER_WORD.sub(r"\1\\, ", text))
