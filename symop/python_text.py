"""Python text as a tree.

CPython up to 3.11.7 counts the depth of a tree in one place for all threads (CPython issue
106905), so that two threads that parse at once can fail with "AST constructor recursion depth
mismatch". symop parses one text at a time, and again where a thread of somebody else interfered.
"""

from __future__ import annotations

import ast
import os
import threading
from typing import Literal, overload

_ATTEMPTS = 5
# Reentrant: a finalizer that runs while a tree is built may parse in the same thread.
_parsing = threading.RLock()


@overload
def syntax_tree(text: str, mode: Literal["exec"] = "exec") -> ast.Module: ...
@overload
def syntax_tree(text: str, mode: Literal["eval"]) -> ast.Expression: ...


def syntax_tree(text: str, mode: Literal["exec", "eval"] = "exec") -> ast.Module | ast.Expression:
    """What `ast.parse` gives, in any number of threads.

    Raises:
        SyntaxError: the text is not Python; further errors are those of `ast.parse`.

    Examples:
        >>> from symop.python_text import syntax_tree
        >>> type(syntax_tree("w*x + b", mode="eval").body).__name__
        'BinOp'
    """
    with _parsing:
        for _ in range(_ATTEMPTS - 1):
            try:
                return _parsed(text, mode)
            except SystemError:
                continue
        return _parsed(text, mode)


def _parsed(text: str, mode: str) -> ast.Module | ast.Expression:
    tree = ast.parse(text, mode=mode)
    assert isinstance(tree, ast.Module | ast.Expression)
    return tree


def _renew_lock() -> None:
    """In a child process, where the thread that held the lock does not exist."""
    global _parsing
    _parsing = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)
