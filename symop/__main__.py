"""The command `symop`, which is also `python -m symop`."""

from __future__ import annotations

import os
import sys
import sysconfig
from contextlib import suppress


def main() -> None:
    """Run the command line."""
    _forget_current_folder()
    for stream in (sys.stdout, sys.stderr):
        # A terminal without Unicode shows escapes; it must not end the program.
        with suppress(AttributeError, ValueError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    from symop.cli import run

    run()


def _forget_current_folder() -> None:
    """Keep a torch.py of the folder that the user stands in from being imported."""
    with suppress(OSError):
        here = os.path.realpath(os.getcwd())  # noqa: PTH109 (pathlib is slow to import)
        installed = {os.path.realpath(path) for path in sysconfig.get_paths().values()}
        if here not in installed:
            sys.path[:] = [p for p in sys.path if p and os.path.realpath(p) != here]
    # Of a folder that is gone, nothing can be imported.
    sys.path[:] = [p for p in sys.path if p]


if __name__ == "__main__":
    main()
