"""symop: formulas as finished PyTorch operators, with gradients of every order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from symop.errors import (
    BuildError,
    CacheError,
    CallError,
    CheckError,
    DerivativeError,
    FileError,
    FormulaError,
    NamingError,
    SymopError,
)

if TYPE_CHECKING:
    from symop.api import compile, generate, op
    from symop.operators import Op

__version__ = "0.1.0"

__all__ = [
    "BuildError",
    "CacheError",
    "CallError",
    "CheckError",
    "DerivativeError",
    "FileError",
    "FormulaError",
    "NamingError",
    "Op",
    "SymopError",
    "compile",
    "generate",
    "op",
]


def __getattr__(name: str) -> Any:
    # torch and sympy take seconds to import; `symop --help` must not wait for them.
    if name in ("compile", "generate", "op"):
        from symop import api

        return getattr(api, name)
    if name == "Op":
        from symop.operators import Op

        return Op
    raise AttributeError(f"module 'symop' has no attribute {name!r}")
