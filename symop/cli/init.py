"""`symop init`: a file of ops with comments, and the files of its first op."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from symop.cli.options import quiet_option
from symop.cli.output import say
from symop.cli.program import Command
from symop.errors import FileError, SymopError


@dataclass(frozen=True)
class _First:
    """The variables of templates/ops.toml.j2."""

    name: str = "gated"
    formula: str = "x*sigmoid(k*x)"
    out: str = "ops"
    tests: str = "tests"


@click.command(
    cls=Command,
    short_help="An ops.toml with comments, and its first files.",
    help="""Write ops.toml with comments, and the module and the test of its first op.

    DIR is the folder of the project, else the current one.
    """,
)
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Replace an ops.toml, and files of its first op.")
@quiet_option
def command(folder: Path, force: bool, quiet: bool) -> None:
    """Write the first files of a project."""
    from symop import batch, files
    from symop.ops_file import read_ops
    from symop.rendering import render

    path = folder / "ops.toml"
    if (path.exists() or path.is_symlink()) and not force:
        raise FileError(f"{path} is there already and is left as it is; `symop generate --from "
                        f"{path}` writes its ops, and --force replaces it")  # fmt: skip
    files.write({path: render("ops.toml.j2", _First())}, force=True)
    try:
        ops = read_ops(path)
        (result,) = batch.made(ops)
        written = batch.write(ops, result.placed, force=force)
    except SymopError:
        # All or nothing: a second try would be refused for the ops.toml of the first.
        path.unlink()
        raise
    if quiet:
        return
    root = folder.resolve()
    say("\n".join(str(p) for p in (path, *(folder / p.relative_to(root) for p in written))))
    say(f"\nNext: edit {path}, then")
    say(f"  symop generate --from {path}\n  python -m pytest {folder / _First.tests}")
