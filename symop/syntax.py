"""From text to the syntax tree of a formula: bounds, allowed characters, one statement a line.

Nothing is evaluated here; `ast.parse` only builds a tree. What comes out is a list of
statements and a `Source` that places problems in the text as the user wrote it.
"""

from __future__ import annotations

import ast
import keyword
import warnings
from dataclasses import dataclass, field

from symop.errors import FormulaError, Problem
from symop.names import keyword_problem
from symop.python_text import syntax_tree

MAX_CHARACTERS = 80_000
MAX_NODES = 60_000
MAX_PROBLEMS = 10

_WORDS = frozenset({"and", "or", "not", "if", "else", "True", "None"})
_POWER = "powers are written x**2"
_PRODUCT = "multiplication is written *"
_HINTS = {
    "^": _POWER,
    "!": "factorials are not supported",
    "\N{GREEK SMALL LETTER PI}": "write pi",
    "\N{MULTIPLICATION SIGN}": _PRODUCT,
    "\N{MIDDLE DOT}": _PRODUCT,
    "\N{MINUS SIGN}": "write a minus sign as -",
    "\N{SUPERSCRIPT TWO}": _POWER,
    "\N{SUPERSCRIPT THREE}": _POWER,
}


_KINDS = {
    "JoinedStr": "an f-string", "Lambda": "a lambda", "Attribute": "an attribute access",
    "Subscript": "an index", "Dict": "a dict", "Set": "a set", "List": "a list",
    "Tuple": "a tuple (give several outputs as lines of name = expression)",
    "GeneratorExp": "a generator", "ListComp": "a comprehension", "Call": "a call",
    "Import": "an import", "ImportFrom": "an import", "FunctionDef": "a def",
    "NamedExpr": "an assignment inside an expression", "Assign": "this assignment",
    "AugAssign": "an augmented assignment", "Starred": "a starred value",
    "Await": "await", "Yield": "yield", "YieldFrom": "yield",
}  # fmt: skip


@dataclass
class Source:
    """The text of a formula, and the problems found in it so far."""

    text: str
    problems: list[Problem] = field(default_factory=list)
    indents: tuple[int, ...] = ()

    def report(self, message: str, node: ast.AST | None = None) -> None:
        """Add a problem at a node of the syntax tree."""
        line = getattr(node, "lineno", None)
        if line is None or not 1 <= line <= len(self.indents):
            self._add(Problem(message))
            return
        column = getattr(node, "col_offset", 0)
        same_line = getattr(node, "end_lineno", line) == line
        length = getattr(node, "end_col_offset", column + 1) - column if same_line else 1
        self._add(Problem(message, line, column + self.indents[line - 1], length))

    def report_at(self, message: str, line: int, column: int) -> None:
        """Add a problem at a place in the text as it was given; both count from 1 and 0."""
        self._add(Problem(message, line, column))

    def _add(self, problem: Problem) -> None:
        if problem not in self.problems:
            self.problems.append(problem)
        if len(self.problems) >= MAX_PROBLEMS:
            self.check()

    def check(self) -> None:
        """Raise when problems were found."""
        if self.problems:
            raise FormulaError(self.problems, self.text)


def parse_text(text: str) -> tuple[Source, list[ast.stmt]]:
    """The statements of a formula or program.

    Raises:
        FormulaError: the text is not a sequence of expressions and assignments, or too large.
    """
    source = Source(text)
    if len(text) > MAX_CHARACTERS:
        message = f"a formula of {len(text)} characters; at most {MAX_CHARACTERS} are accepted"
        raise FormulaError([Problem(message)])
    _check_characters(source)
    lines = text.replace("\r\n", "\n").split("\n")
    source.indents = tuple(len(line) - len(line.lstrip(" \t")) for line in lines)
    stripped = "\n".join(line.lstrip(" \t") for line in lines)
    tree = _tree(source, stripped)
    size = sum(1 for _ in ast.walk(tree))
    if size > MAX_NODES:
        message = f"a formula of {size} parts; at most {MAX_NODES} are accepted"
        raise FormulaError([Problem(message)])
    if not tree.body:
        raise FormulaError([Problem("the formula is empty; write an expression such as w*x + b")])
    return source, tree.body


def _check_characters(source: Source) -> None:
    for number, line in enumerate(source.text.replace("\r\n", "\n").split("\n"), 1):
        for column, char in enumerate(line):
            if char == "\t" or (char.isascii() and char.isprintable()):
                continue
            hint = _HINTS.get(char, "formulas are written in ASCII")
            source.report_at(
                f"the character {char!a} cannot stand in a formula: {hint}", number, column
            )
            break
    source.check()


def _tree(source: Source, text: str) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return syntax_tree(text)
    except SyntaxError as error:
        line = min(max(error.lineno or 1, 1), len(source.indents))
        column = max((error.offset or 1) - 1, 0)
        raw = text.split("\n")[line - 1]
        source.report_at(_explain(error, raw, column), line, column + source.indents[line - 1])
        source.check()
    except (RecursionError, MemoryError, ValueError):
        pass
    raise FormulaError(
        [Problem("the formula is nested too deeply; split it into lines of name = expression")]
    )


def _explain(error: SyntaxError, line: str, column: int) -> str:
    for char in "!^":
        if char in line[column : column + 2]:
            return f"{char!r} cannot stand here: {_HINTS[char]}"
    for word in line.replace("(", " ").replace("*", " ").split():
        name = word.strip("+-/),;=")
        if keyword.iskeyword(name) and name not in _WORDS:
            return keyword_problem(name)
    detail = (error.msg or "invalid syntax").split(". Perhaps")[0]
    return f"this is not an expression: {detail}"


def described(node: ast.AST) -> str:
    """What a part of a syntax tree is, in words."""
    if isinstance(node, ast.Constant):
        return f"{ascii(node.value)[:40]}"
    return _KINDS.get(type(node).__name__, f"this ({type(node).__name__})")
