"""The errors of symop; they say what was found, where, and what would be accepted."""

from __future__ import annotations

import html
import traceback
from dataclasses import dataclass
from pathlib import Path

# Of a deep stack, the calls that are nearest to the formula.
_FRAMES = 3


@dataclass(frozen=True)
class Problem:
    """One fault in a formula: what is wrong, and the piece of text it is about."""

    message: str
    line: int | None = None
    column: int | None = None
    length: int = 1


class SymopError(Exception):
    """Base class of every error that symop raises.

    Example:
        >>> import symop
        >>> try:
        ...     symop.compile('x +')
        ... except symop.SymopError as error:
        ...     type(error).__name__
        'FormulaError'
    """


class FormulaError(SymopError, ValueError):
    """A formula was refused; its message points at every fault that was found.

    Attributes:
        problems: the faults; each has a message, and line, column and length where they are known.
        source: the text of the formula.

    Example:
        >>> import symop
        >>> symop.compile('x + sni(x)')
        Traceback (most recent call last):
            ...
        symop.errors.FormulaError: unknown function sni; did you mean sin, sgn, psi?
            x + sni(x)
                ^^^^^^
    """

    def __init__(self, problems: list[Problem], source: str = "") -> None:
        self.problems = tuple(problems)
        self.source = source
        super().__init__("\n".join(_report(problem, source) for problem in self.problems))

    def _repr_html_(self) -> str:
        """The message for a notebook, in which the caret stands under the fault."""
        return f"<pre>{html.escape(f'{type(self).__name__}: {self}')}</pre>"

    def _render_traceback_(self) -> list[str]:
        """What IPython prints: where the user's own code was, and the message.

        The frames of symop and of the notebook say nothing about a fault in a formula.
        """
        own = Path(__file__).parent
        frames = traceback.extract_tb(self.__traceback__)
        places = [
            f"{f.filename}:{f.lineno} in {f.name}" for f in frames
            if own not in Path(f.filename).parents and "IPython" not in Path(f.filename).parts
        ]  # fmt: skip
        return [*places[-_FRAMES:], *f"{type(self).__name__}: {self}".splitlines()]


class Undefined(FormulaError):
    """A definition has no value for the constants that stand in it; callers say whose it is."""

    def __init__(self, message: str) -> None:
        super().__init__([Problem(message)])


class NamingError(SymopError, ValueError):
    """The name of an op, an argument or a file cannot be used.

    Example:
        >>> import symop
        >>> symop.compile('x**2', name='Square')
        Traceback (most recent call last):
            ...
        symop.errors.NamingError: ...
    """


class CallError(SymopError, ValueError):
    """An op was called with values that it does not take.

    Example:
        >>> import symop
        >>> symop.compile('w*x + b')(1.0, 2.0)
        Traceback (most recent call last):
            ...
        symop.errors.CallError: op takes w, x, b; b was not given
    """


class DerivativeError(SymopError, ValueError):
    """A derivative was asked for that the op does not have.

    Example:
        >>> import symop
        >>> symop.compile('sum(x)').d('x')
        Traceback (most recent call last):
            ...
        symop.errors.DerivativeError: op has reductions and no elementwise derivative; ...
    """


class FileError(SymopError, ValueError):
    """A file was not written, because that would lose or hide something.

    Example:
        >>> import pathlib, symop, tempfile
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> _ = (folder / "square.py").write_text("mine")
        >>> symop.generate("x**2", name="square").write(folder)
        Traceback (most recent call last):
            ...
        symop.errors.FileError: ...square.py was not written by symop ...
    """


class CacheError(SymopError, OSError):
    """The folder of compiled files cannot be used: missing rights, no space, or not ours alone.

    Example:
        >>> import os, unittest.mock
        >>> from symop import cache
        >>> with unittest.mock.patch.dict(os.environ, SYMOP_CACHE=os.devnull):
        ...     cache.prepared()
        Traceback (most recent call last):
            ...
        symop.errors.CacheError: ...
    """


class BuildError(SymopError):
    """A C or C++ compiler is missing, or refused what symop gave it.

    Example:
        >>> import os, unittest.mock
        >>> from symop import building
        >>> with unittest.mock.patch.dict(os.environ, CC="no-such-compiler"):
        ...     building.compiler()
        Traceback (most recent call last):
            ...
        symop.errors.BuildError: ...
    """


class InspectionError(SymopError, ValueError):
    """Machine code cannot be shown: no such target, no Triton, or no kernel that compiles.

    Example:
        >>> import symop
        >>> from symop.inspecting import inspected
        >>> inspected(symop.compile('x**2'), 'cuda:1')
        Traceback (most recent call last):
            ...
        symop.errors.InspectionError: no target of GPU code: 'cuda:1'. ...
    """


class CheckError(SymopError):
    """A generated gradient disagrees with the reference: a fault in symop itself.

    Example:
        >>> import symop
        >>> issubclass(symop.CheckError, ValueError)  # no value that a caller gives is at fault
        False
    """


def _report(problem: Problem, source: str) -> str:
    if problem.line is None or problem.column is None:
        return problem.message
    lines = source.split("\n")
    if not 1 <= problem.line <= len(lines):
        return problem.message
    text = lines[problem.line - 1]
    # A long line is shown as a window around the fault; what cannot be printed safely is escaped.
    start = max(0, problem.column - 60)
    window = text[start : start + 100]
    shown = "".join(c if c.isascii() and c.isprintable() else "?" for c in window)
    caret = " " * (problem.column - start) + "^" * max(
        1, min(problem.length, 100 - (problem.column - start))
    )
    where = f" (line {problem.line})" if len(lines) > 1 else ""
    return f"{problem.message}{where}\n    {shown}\n    {caret}"
