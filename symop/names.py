"""Which names a user may give to arguments, outputs and ops, and how code spells them."""

from __future__ import annotations

import keyword
import re
import sys

from symop.errors import NamingError

# Names that generated code uses for itself; an argument of such a name is spelled with a
# trailing underscore there.
RESERVED = frozenset(
    {
        "torch", "math", "functools", "types", "pytest", "Tensor", "Any", "ctx", "inputs", "output",
        "outputs", "shapes", "needs", "values", "dtype", "shape", "self", "cls", "apply", "super",
        "forward", "backward", "jvp", "setup_context", "once", "formula", "triton", "tl",
    }
)  # fmt: skip

# Names that linters refuse because they look like digits.
_AMBIGUOUS = frozenset({"l", "O", "I"})

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_OP_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_PACKAGES = frozenset({"torch", "triton", "numpy", "sympy", "symop", "pytest", "jinja2", "mpmath"})
_DEVICES = frozenset(
    {"con", "prn", "aux", "nul", *(f"{d}{n}" for d in ("com", "lpt") for n in range(10))}
)


def argument_problem(name: str) -> str | None:
    """Why a name cannot be that of an argument or output, None when it can."""
    if not isinstance(name, str) or not name.isascii() or not name.isidentifier():
        return f"{ascii(name)[:80]} is no name; names are ASCII letters, digits and underscores"
    if keyword.iskeyword(name):
        return keyword_problem(name)
    if name.startswith("_"):
        return f"{name[:80]}: names with a leading underscore are reserved for generated code"
    if not _NAME.fullmatch(name):
        return f"the name {name[:20]}... has {len(name)} characters; at most 64 are accepted"
    return None


def keyword_problem(name: str) -> str:
    """That a name is a keyword, and what it could be called instead."""
    return f"{name!r} is a keyword of Python and cannot be a name; call it {name[:3]} or {name}_"


def check_op_name(name: str, *, for_file: bool = False) -> str:
    """The name of an op, when it can be one.

    Raises:
        NamingError: the name is refused; the message suggests one that is accepted.
    """
    if not isinstance(name, str) or not _OP_NAME.fullmatch(name):
        suggestion = _suggest(name) if isinstance(name, str) else "my_op"
        raise NamingError(
            f"{ascii(name)[:80]} cannot name an op: lower snake case of at most 64 characters is "
            f"accepted, such as {suggestion}"
        )
    if keyword.iskeyword(name) or keyword.issoftkeyword(name) or name in dir(__builtins__):
        raise NamingError(f"{name!r} is a word of Python; an op can be called {name}_op")
    if for_file and (name in sys.stdlib_module_names or name in _PACKAGES):
        raise NamingError(
            f"a file {name}.py would hide the module {name} for every script beside it; "
            f"the op can be called {name}_op"
        )
    if for_file and name in _DEVICES:
        raise NamingError(f"{name!r} is the name of a device on Windows; use {name}_op")
    return name


def _suggest(name: str) -> str:
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    snake = re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")[:40]
    return snake if _OP_NAME.fullmatch(snake) and not keyword.iskeyword(snake) else "my_op"


def class_name(name: str) -> str:
    """The name of the class of an op: legendre_p3 gives LegendreP3."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def spelled(name: str) -> str:
    """The name as generated code spells it."""
    return f"{name}_" if name in RESERVED or name in _AMBIGUOUS else name


def unused(name: str, taken: set[str] | frozenset[str]) -> str:
    """The name, or the name with a number, whichever is not taken."""
    if name not in taken:
        return name
    number = 1
    while f"{name}_{number}" in taken:
        number += 1
    return f"{name}_{number}"
