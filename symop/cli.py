"""The command line: generate, show and check, over the functions that Python has too.

torch and sympy are imported by the commands, not here: `symop --help` does not wait for them.
"""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from typer.core import TyperCommand

from symop.errors import CallError, SymopError

if TYPE_CHECKING:
    from symop.operators import Op

# What standard input may hold; a longer formula is refused by the parser anyway.
_MAX_INPUT = 1_000_000
_DIFFERS, _REFUSED = 1, 2
_EXIT_CODES = (
    "Exit codes: 0 all is well; 1 a file is not what would be written (generate --check), or a "
    "check does not hold (check); 2 the formula, a name, a file or an option is refused, and "
    "standard error says why."
)

app = typer.Typer(
    name="symop",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    epilog=_EXIT_CODES,
)


class _Command(TyperCommand):
    """A command whose formula may begin with a minus sign; -o is its only short option."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        settings = dict(kwargs.pop("context_settings", None) or {})
        kwargs["context_settings"] = settings | {"ignore_unknown_options": True}
        super().__init__(*args, **kwargs)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        known = [option for p in self.get_params(ctx) for option in (*p.opts, *p.secondary_opts)]
        for arg in args[: args.index("--") if "--" in args else None]:
            name = arg.partition("=")[0]
            if re.fullmatch(r"--[A-Za-z][A-Za-z-]*", name) and name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                hint = f"; did you mean {near[0]}?" if near else ""
                ctx.fail(f"No such option: {name}{hint}")
        return list(super().parse_args(ctx, args))


FormulaText = Annotated[
    str,
    typer.Argument(
        metavar="FORMULA",
        help="A formula, or lines of `name = expression` (a ; also ends a line); - reads them "
        "from standard input.",
        show_default=False,
    ),
]
ArgumentNames = Annotated[
    str | None,
    typer.Option("--args", metavar="w,x,b", help="The order of the arguments.", show_default=False),
]
OutputNames = Annotated[
    str | None,
    typer.Option(
        "--outputs",
        metavar="h,y",
        help="The names of the outputs, instead of those that no later line uses.",
        show_default=False,
    ),
]


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import PackageNotFoundError, version

        import symop

        try:
            torch = version("torch")
        except PackageNotFoundError:
            torch = "not installed"
        python = ".".join(map(str, sys.version_info[:3]))
        typer.echo(f"symop {symop.__version__}, torch {torch}, Python {python}")
        raise typer.Exit


@app.callback()
def _symop(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_print_version,
            is_eager=True,
            help="Print the versions of symop, torch and Python.",
        ),
    ] = False,
) -> None:
    """Formulas to finished PyTorch operators: gradients of every order, source to own."""


@app.command(cls=_Command, epilog=_EXIT_CODES)
def generate(
    formula: FormulaText,
    name: Annotated[
        str,
        typer.Option(
            help="The name of the op and of its files, in lower snake case.", show_default=False
        ),
    ],
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="The folder of the module.", show_default=False)
    ],
    tests: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="The folder of the test; else beside the module.",
            show_default=False,
        ),
    ] = None,
    backend: Annotated[
        str,
        typer.Option(
            metavar="torch|torch,cpu|auto",
            help="What the module carries: torch operations, and with cpu fused loops in C; auto "
            "carries loops where the formula has them.",
        ),
    ] = "torch",
    args: ArgumentNames = None,
    outputs: OutputNames = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Write nothing; exit 1 with a diff when a file differs."),
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replace files that symop did not write.")
    ] = False,
    no_tests: Annotated[bool, typer.Option("--no-tests", help="Write no test.")] = False,
    precision: Annotated[
        str,
        typer.Option(metavar="standard|high", help="high evaluates in float64 and rounds once."),
    ] = "standard",
) -> None:
    """Write NAME.py, a module that needs only torch, and test_NAME.py, which proves it."""
    with _refusals():
        if no_tests and tests is not None:
            raise CallError("--tests names a folder for the test and --no-tests forbids it; "
                            "one of the two is accepted")  # fmt: skip
        import symop

        files = symop.generate(
            _text(formula),
            name=name,
            args=_names(args),
            outputs=_names(outputs),
            backends=_names(backend) or (),
            tests=not no_tests,
            precision=precision,
        )
        if files.note:
            typer.echo(f"symop: {files.note}", err=True)
        if check:
            difference = files.differences(out, tests)
            if difference:
                _print_difference(difference)
                raise typer.Exit(_DIFFERS)
            return
        for path in files.write(out, tests_folder=tests, force=force):
            typer.echo(str(path))


@app.command(cls=_Command, epilog=_EXIT_CODES)
def show(
    formula: FormulaText,
    args: ArgumentNames = None,
    outputs: OutputNames = None,
    latex: Annotated[bool, typer.Option("--latex", help="Formula and gradients as LaTeX.")] = False,
    source: Annotated[bool, typer.Option("--source", help="The generated module.")] = False,
    steps: Annotated[
        bool, typer.Option("--steps", help="The chain rule, statement by statement.")
    ] = False,
) -> None:
    """Print a formula, its gradients, what is saved for them and why, and operation counts."""
    with _refusals():
        if latex + source + steps > 1:
            raise CallError("--latex, --source and --steps print different things; "
                            "one of them is accepted")  # fmt: skip
        from symop.showing import show_text

        op = _compiled(formula, args, outputs)
        if source:
            _print(op.source)
        else:
            _print(show_text(op, latex=latex, steps=steps, unicode=_has_unicode()))


@app.command(cls=_Command, epilog=_EXIT_CODES)
def check(
    formula: Annotated[
        str,
        typer.Argument(
            metavar="FORMULA|FILE",
            help="A formula, - for standard input, or a module that symop generated, which is "
            "imported and held against the formula in its docstring.",
            show_default=False,
        ),
    ],
    args: ArgumentNames = None,
    outputs: OutputNames = None,
) -> None:
    """Check gradients of both orders, forward mode, and accuracy in ULP against mpmath."""
    with _refusals():
        from symop import checking

        if formula.strip().endswith(".py"):
            if args is not None or outputs is not None:
                raise CallError("--args and --outputs belong to a formula; a file has its own")
            report = checking.check_file(Path(formula.strip()))
        else:
            report = checking.check(_compiled(formula, args, outputs))
        _print(str(report))
        if not report:
            raise typer.Exit(_DIFFERS)


@app.command(cls=_Command, epilog=_EXIT_CODES)
def plot(
    formula: FormulaText,
    out: Annotated[
        Path,
        typer.Option(
            "-o",
            "--out",
            metavar="FILE",
            help="The picture: .png, .svg or .pdf.",
            show_default=False,
        ),
    ],
    at: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="Fix an argument; one is left to plot along, or two for a map.",
            show_default=False,
        ),
    ] = None,
    low: Annotated[float, typer.Option("--from", metavar="X", help="Where it begins.")] = -10.0,
    high: Annotated[float, typer.Option("--to", metavar="X", help="Where it ends.")] = 10.0,
    args: ArgumentNames = None,
    outputs: OutputNames = None,
) -> None:
    """Draw values, derivatives and errors in ULP along one argument, or over two as maps."""
    with _refusals():
        from symop import plotting

        op = _compiled(formula, args, outputs)
        fixed = dict(map(_fixed, at or ()))
        over = {name: (low, high) for name in op.args if name not in fixed}
        plotting.plot(op, out, plotting.region_of(op, fixed, over))
        typer.echo(str(out))


def _fixed(text: str) -> tuple[str, float]:
    """The name and the value of an argument that was fixed."""
    name, _, value = text.partition("=")
    try:
        return name.strip(), float(value)
    except ValueError as error:
        raise CallError(f"--at {text}: name=value with a number is expected") from error


def run() -> None:
    """Run the command line and leave with its exit code."""
    app()


@app.command(epilog=_EXIT_CODES)
def cache(
    clear: Annotated[bool, typer.Option("--clear", help="Remove what is there.")] = False,
    build: Annotated[
        bool, typer.Option("--build", help="Compile the C++ host now, which takes half a minute.")
    ] = False,
) -> None:
    """Show, fill or empty the folder of compiled kernels.

    CPU kernels are compiled when they are first needed and kept in $SYMOP_CACHE, or in the
    user's folder for caches. The host, which calls them from autograd, is compiled once for a
    version of torch, in the background; until then kernels are called from Python.
    """
    from symop import building, native_host
    from symop import cache as files

    with _refusals():
        if clear:
            _print(f"{files.clear()} files removed from {files.folder()}")
        if build:
            _print(f"host: {native_host.build()}")
        if clear or build:
            return
        found = files.files()
        kernels = [
            path for path in found if path.name.startswith("kernel") and path.suffix == ".so"
        ]
        size = sum(path.stat().st_size for path in found)
        host = "built" if native_host.load() else "not built (symop cache --build)"
        try:
            compiler = building.compiler()
        except SymopError as error:
            compiler = f"none; {error}"
        lines = {
            "folder": files.folder(),
            "kernels": len(kernels),
            "size": f"{size / 1e6:.1f} MB",
            "host": host,
            "compiler": compiler,
        }
        _print("\n".join(f"{name + ':':<11}{value}" for name, value in lines.items()))


def _compiled(formula: str, args: str | None, outputs: str | None) -> Op:
    import symop

    return symop.compile(_text(formula), args=_names(args), outputs=_names(outputs))


def _text(formula: str) -> str:
    """The text of a formula, from standard input for "-"."""
    if formula != "-":
        return formula
    data = typer.get_binary_stream("stdin").read(_MAX_INPUT)
    return data.decode("utf-8-sig", "replace")


def _names(text: str | None) -> list[str] | None:
    return None if text is None else [part.strip() for part in text.split(",") if part.strip()]


@contextmanager
def _refusals() -> Iterator[None]:
    """Print what symop refuses, without a traceback."""
    try:
        yield
    except SymopError as error:
        _refuse(str(error))
    except BrokenPipeError:
        raise
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        _refuse(f"{place}{error.strerror or error}; a path that can be read is expected")


def _refuse(message: str) -> NoReturn:
    from rich.console import Console
    from rich.text import Text

    console = Console(stderr=True, soft_wrap=True, highlight=False, emoji=False)
    # Text, not markup: a formula may hold brackets.
    console.print(Text.assemble(("symop: ", "bold red"), _printable(message)))
    raise typer.Exit(_REFUSED)


def _printable(text: str) -> str:
    """The text without the characters that would steer a terminal."""
    return "".join(c if c in "\n\t" or c.isprintable() else ascii(c)[1:-1] for c in text)


def _print(text: str) -> None:
    typer.echo(text.rstrip("\n"))


def _print_difference(text: str) -> None:
    from rich.console import Console
    from rich.text import Text

    styles = {"+": "green", "-": "red", "@": "cyan"}
    console = Console(soft_wrap=True, highlight=False, emoji=False)
    if not console.is_terminal:
        typer.echo(text, nl=False)
        return
    for line in text.splitlines():
        console.print(Text(line, styles.get(line[:1], "")))


def _has_unicode() -> bool:
    """Whether standard output can show mathematics."""
    try:
        "∂²·√πΣ≤≠".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
