"""What `symop --version` prints: symop, and what it found to work with."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version

import symop
from symop.errors import SymopError


def version_lines() -> Iterator[str]:
    """One line a part, without importing torch."""
    python = ".".join(map(str, sys.version_info[:3]))
    yield f"symop {symop.__version__}, torch {_found('torch')}, Python {python}"
    yield f"triton: {_found('triton')}"
    yield f"compiler: {_compiler()}"


def _found(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _compiler() -> str:
    from symop import building

    try:
        return _first_line(building.compiler())
    except SymopError as error:
        return f"none; {error}"


def _first_line(command: list[str]) -> str:
    """What a compiler says about itself."""
    path = " ".join(command)
    with suppress(OSError, subprocess.SubprocessError):
        said = subprocess.run(
            [*command, "--version"], capture_output=True, text=True, timeout=10, check=False,
            stdin=subprocess.DEVNULL,
        ).stdout.partition("\n")[0]  # fmt: skip
        return f"{path} ({said.strip()})"
    return path
