"""What the commands print: text, tables, JSON, refusals and progress; colours where they show."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

_DIFF_STYLES = {"+": "green", "-": "red", "@": "cyan"}


def console(*, err: bool = False) -> Console:
    """A console that wraps nothing and reads no markup: formulas hold brackets."""
    from rich.console import Console

    return Console(stderr=err, soft_wrap=True, highlight=False, emoji=False, markup=False)


def say(text: str) -> None:
    """Print a result."""
    click.echo(text.rstrip("\n"))


def note(text: str) -> None:
    """Print what is no result to standard error."""
    click.echo(f"symop: {printable(text)}", err=True)


def say_json(value: Any) -> None:
    """Print a result for a program; what is no number in JSON, such as inf, is null."""
    click.echo(json.dumps(_finite(value), indent=2, ensure_ascii=False))


def _finite(value: Any) -> Any:
    match value:
        case float():
            return value if math.isfinite(value) else None
        case Mapping():
            return {str(key): _finite(item) for key, item in value.items()}
        case list() | tuple():
            return [_finite(item) for item in value]
    return value


def refuse(message: str, advice: str = "") -> None:
    """Print what is refused and, where that is not in the message, what to do next."""
    from rich.text import Text

    out = console(err=True)
    first, *lines = printable(message).split("\n")
    out.print(Text.assemble(("symop: ", "bold red"), first))
    for line in lines:
        is_caret = not line.strip(" ^") and "^" in line
        out.print(Text(line, "bold red" if is_caret else ""))
    if advice:
        out.print(Text(advice))


def printable(text: str) -> str:
    """The text without the characters that would steer a terminal."""
    return "".join(c if c in "\n\t" or c.isprintable() else ascii(c)[1:-1] for c in text)


def say_difference(text: str) -> None:
    """Print a unified diff."""
    from rich.text import Text

    out = console()
    if not out.is_terminal:
        click.echo(text, nl=False)
        return
    for line in text.splitlines():
        out.print(Text(line, _DIFF_STYLES.get(line[:1], "")))


def say_table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1) -> None:
    """Print a table whose first columns are names and whose other columns are numbers.

    Args:
        columns: the titles.
        rows: the cells, as many as there are titles in each row.
        left: how many columns are names.
    """
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for place, title in enumerate(columns):
        table.add_column(Text(title), justify="left" if place < left else "right", no_wrap=True)
    for row in rows:
        table.add_row(*map(Text, row))
    out = console()
    # A table that is cut to the width of a pipe would lose figures.
    out.print(table, width=max(out.width, out.measure(table).maximum), crop=False)


@contextmanager
def progress(title: str, total: int, *, quiet: bool) -> Iterator[Any]:
    """A bar on standard error, where that is a terminal; the block calls what it gets to advance.

    The function takes the name of what is done next, or "" at the end of one part.
    """
    out = console(err=True)
    if quiet or not out.is_terminal:
        yield lambda name="": None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
               TextColumn("{task.fields[name]}"))  # fmt: skip
    # Drawn when something is done, not by a thread that would disturb what is timed.
    with Progress(*columns, console=out, transient=True, auto_refresh=False) as bar:
        task = bar.add_task(title, total=total, name="")
        yield lambda name="": _advance(bar, task, name)


def _advance(bar: Progress, task: Any, name: str) -> None:
    if name:
        bar.update(task, name=name, refresh=True)
    else:
        bar.update(task, advance=1, refresh=True)


def has_unicode() -> bool:
    """Whether standard output can show mathematics."""
    try:
        "∂²·√πΣ≤≠⎛⎠│─⋅".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
