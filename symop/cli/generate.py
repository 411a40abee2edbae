"""`symop generate`: modules and tests, of one formula or of a file of ops."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from symop.cli.options import (
    FORMULA_HELP,
    json_option,
    names,
    naming_options,
    quiet_option,
    text_of,
)
from symop.cli.output import note, progress, say, say_difference, say_json
from symop.cli.program import DIFFERS, FormulaCommand
from symop.errors import CallError

_FOLDER = click.Path(path_type=Path)
_FILES_OF_OPS = ("ops.toml", "pyproject.toml")


@click.command(
    cls=FormulaCommand,
    short_help="Modules that need only torch, and their tests.",
    help=f"""Write NAME.py, a module that needs only torch, and test_NAME.py, which proves it.

    {FORMULA_HELP}

    With --from, the same for every op of a file: `symop init` writes one with comments. Only
    files that are not what they should be are written, and none where a formula is refused. Files
    of ops that the file no longer has stay; the command to remove them is printed.

    \b
    Examples:
      symop generate "w*x + b" --name affine --out ops --tests tests
      symop generate --from ops.toml --jobs 4
      symop generate --from pyproject.toml --check
    """,
)
@click.argument("formula", metavar="[FORMULA]", required=False)
@click.option(
    "--from", "source", metavar="FILE", type=_FOLDER,
    help="A file of ops: ops.toml, or pyproject.toml with [tool.symop.ops].",
)  # fmt: skip
@click.option("--name", help="The name of the op and of its files, in lower snake case.")
@click.option("--out", metavar="DIR", type=_FOLDER, help="The folder of the module.")
@click.option(
    "--tests", metavar="DIR", type=_FOLDER, help="The folder of the test; else beside the module."
)
@click.option("--no-tests", is_flag=True, help="Write no test.")
@click.option(
    "--backend", metavar="torch|torch,cpu|torch,triton|auto",
    help="What the module carries: torch operations, with cpu fused loops in C, and with triton "
    "fused kernels for the GPU; auto carries those that the formula has.  [default: torch]",
)  # fmt: skip
@click.option(
    "--precision", metavar="standard|high",
    help="high evaluates in float64 and rounds once.  [default: standard]",
)  # fmt: skip
@naming_options
@click.option("--check", is_flag=True, help="Write nothing; exit 1 with a diff when files differ.")
@click.option("--force", is_flag=True, help="Replace files that symop did not write.")
@click.option(
    "--jobs", metavar="N", type=click.IntRange(1, 256), default=1, show_default=True,
    help="How many processes make the files of a file of ops.",
)  # fmt: skip
@json_option("The state of each file, with --check")
@quiet_option
def command(
    formula: str | None,
    source: Path | None,
    check: bool,
    force: bool,
    jobs: int,
    as_json: bool,
    quiet: bool,
    **options: Any,
) -> int:
    """Write files, or compare them."""
    _check_usage(formula, source, options, as_json=as_json, check=check)
    if source is not None:
        return _batch(source, check=check, force=force, jobs=jobs, as_json=as_json, quiet=quiet)
    assert formula is not None
    import symop
    from symop import files

    made = symop.generate(
        text_of(formula),
        name=options["name"],
        args=names(options["args"]),
        outputs=names(options["outputs"]),
        backends=names(options["backend"] or "torch") or (),
        tests=not options["no_tests"],
        precision=options["precision"] or "standard",
    )
    if made.note and not quiet:
        note(made.note)
    placed = made.placed(options["out"], options["tests"])
    if check:
        return _compare(placed, as_json=as_json, quiet=quiet)
    files.write(placed, force=force)
    if not quiet:
        say("\n".join(map(str, placed)))
    return 0


def _check_usage(
    formula: str | None,
    source: Path | None,
    options: Mapping[str, Any],
    *,
    as_json: bool,
    check: bool,
) -> None:
    """Refuse options that do not go together, and say which would."""
    if as_json and not check:
        raise CallError("--json says how files differ; it goes with --check")
    if source is not None:
        given = [f"--{k.replace('_', '-')}" for k, value in options.items() if value]
        given += ["FORMULA"] if formula is not None else []
        if given:
            raise CallError(f"{', '.join(given)} cannot be given with --from; {source} says it "
                            "for each op")  # fmt: skip
        return
    if formula is None:
        here = [f"`symop generate --from {name}`" for name in _FILES_OF_OPS if _holds_ops(name)]
        advice = " or ".join(here) or "`symop init` writes a file of ops for --from"
        raise click.UsageError(f"Missing argument 'FORMULA', or option '--from'. {advice}.")
    for name in ("name", "out"):
        if options[name] is None:
            raise click.UsageError(f"Missing option '--{name}', which a FORMULA needs.")
    if options["no_tests"] and options["tests"] is not None:
        raise CallError("--tests names a folder for the test and --no-tests forbids it; "
                        "one of the two is accepted")  # fmt: skip


def _holds_ops(name: str) -> bool:
    """Whether a file of the current folder is there and is one of ops."""
    try:
        content = Path(name).read_bytes()
    except OSError:
        return False
    return name == "ops.toml" or b"[tool.symop" in content


def _batch(source: Path, *, check: bool, force: bool, jobs: int, as_json: bool, quiet: bool) -> int:
    """All ops of a file."""
    from symop import batch
    from symop.ops_file import read_ops

    ops = read_ops(source)
    with progress("generating", len(ops.entries), quiet=quiet) as advance:
        results = batch.made(ops, jobs=jobs, done=lambda _: advance())
    for result in results:
        if result.note and not quiet:
            note(result.note)
    placed = {_near(p): text for result in results for p, text in result.placed.items()}
    left = [_near(path) for path in batch.left_behind(ops, results)]
    if left and not quiet:
        note(_left_text(source, left))
    if check:
        return _compare(placed, left, as_json=as_json, quiet=quiet)
    written = batch.write(ops, placed, force=force)
    if not quiet:
        count = len(ops.entries)
        lines = [*map(str, written), f"{count} op{'s' * (count != 1)}, {len(placed)} files, "
                 f"{len(written)} written"]  # fmt: skip
        say("\n".join(lines))
    return 0


def _left_text(source: Path, left: Sequence[Path]) -> str:
    """What is said of files that no op makes any more; they may be those of another command."""
    return (
        f"files of symop that no op of {source} makes: {len(left)}. Where nothing else makes or "
        f"imports them, this removes them:\nrm {shlex.join(map(str, left))}"
    )


def _near(path: Path) -> Path:
    """A path as somebody who stands in the current folder would write it."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _compare(
    placed: Mapping[Path, str], left: Sequence[Path] = (), *, as_json: bool, quiet: bool
) -> int:
    """Print how files differ from what would be written, and leave with 1 where they do."""
    from symop import files

    found = files.differences(placed)
    if as_json:
        states = [
            {"path": str(path), "state": _state(path, found), "diff": found.get(path, "")}
            for path in placed
        ]
        states += [{"path": str(path), "state": "left behind", "diff": ""} for path in left]
        say_json({"current": not found, "files": states})
    elif not quiet:
        say_difference("".join(found.values()))
        if found:
            note(f"{len(found)} of {len(placed)} files are not what would be written; the same "
                 "command without --check writes them")  # fmt: skip
    return DIFFERS if found else 0


def _state(path: Path, differences: Mapping[Path, str]) -> str:
    if path not in differences:
        return "current"
    return "differs" if path.exists() else "missing"
