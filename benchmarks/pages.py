"""The command line of a script that writes a page of the documentation."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path


def main(description: str | None, text: Callable[[], str], page: Path) -> None:
    """Print a page, or write it where --write is given.

    Args:
        description: the docstring of the script.
        text: makes the page.
        page: its file.
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", action="store_true", help=f"write docs/{page.name}")
    # Help, and options that are not known, before what takes long.
    is_written = parser.parse_args().write
    made = text()
    if is_written:
        page.write_text(made, encoding="utf-8")
    else:
        print(made, end="" if made.endswith("\n") else "\n")
