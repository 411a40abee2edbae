"""The group of all commands, and what every command has: its exit code, its refusals, its help."""

from __future__ import annotations

import difflib
import importlib
import re
import signal
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NoReturn

import click

from symop.cli.output import refuse
from symop.errors import CheckError, SymopError

DIFFERS, REFUSED, FAULT, INTERRUPTED = 1, 2, 3, 130
EXIT_CODES = (
    "\b\n"
    "Exit codes:\n"
    "    0  all is well\n"
    "    1  a file is not what would be written (generate --check),\n"
    "       or a check does not hold (check)\n"
    "    2  a formula, a name, a file or an option is refused;\n"
    "       standard error says why\n"
    "    3  a fault in symop itself\n"
    "  130  interrupted from the keyboard"
)
_LONG_OPTION = re.compile(r"--[A-Za-z][A-Za-z-]*")


class Command(click.Command):
    """A command whose help ends with the exit codes; its function returns one, or nothing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"epilog": EXIT_CODES, **kwargs})


class FormulaCommand(Command):
    """A command whose formula may begin with a minus sign."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        settings = {"ignore_unknown_options": True, **kwargs.pop("context_settings", {})}
        super().__init__(*args, context_settings=settings, **kwargs)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Refuse long options that do not exist; what else begins with a minus is a formula."""
        known = [o for p in self.get_params(ctx) for o in (*p.opts, *p.secondary_opts)]
        for arg in args[: args.index("--") if "--" in args else None]:
            name = arg.partition("=")[0]
            if _LONG_OPTION.fullmatch(name) and name not in known:
                raise click.NoSuchOption(
                    name, possibilities=difflib.get_close_matches(name, known, n=1), ctx=ctx
                )
        return super().parse_args(ctx, args)


class Program(click.Group):
    """Commands that are imported when they are asked for, and the exit codes of all of them.

    names: the commands, each a module of that name in this package whose `command` it is.
    summary: the first line of the help.
    notes: what follows it.
    """

    def __init__(self, names: Sequence[str], *, summary: str, notes: Sequence[str]) -> None:
        version = click.Option(
            ["--version"], is_flag=True, is_eager=True, expose_value=False, callback=_version,
            help="Print the versions of symop, Python, torch, triton and the compiler.",
        )  # fmt: skip
        super().__init__(
            "symop", params=[version], help="\n\n".join((summary, *notes)), epilog=EXIT_CODES,
            no_args_is_help=True,
        )  # fmt: skip
        self.names = tuple(names)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names in the order of the help."""
        return list(self.names)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name."""
        if cmd_name not in self.names:
            return None
        command = importlib.import_module(f"symop.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is asked for; one that does not exist is refused with what is near."""
        name = args[0]
        if name not in self.names and not name.startswith("-"):
            raise click.NoSuchCommand(name, possibilities=self.names, ctx=ctx)
        return super().resolve_command(ctx, args)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> NoReturn:
        """Run a command line; leave with one of the documented exit codes."""
        with suppress(ValueError, AttributeError):
            # So that what is half written is removed on the way out.
            signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
        try:
            code = super().main(args, "symop", complete_var, standalone_mode=False, **extra)
        except click.exceptions.NoArgsIsHelpError as error:
            # The help is all that is to be said.
            click.echo(error.format_message(), err=True)
            sys.exit(REFUSED)
        except click.ClickException as error:
            context = error.ctx if isinstance(error, click.UsageError) else None
            command = context.command_path if context else "symop"
            refuse(error.format_message(), f"`{command} --help` says what is accepted")
            sys.exit(REFUSED)
        except (click.Abort, KeyboardInterrupt):
            sys.exit(INTERRUPTED)
        except CheckError as error:
            refuse(str(error), f"this is a fault in symop; {_REPORT}")
            sys.exit(FAULT)
        except SymopError as error:
            refuse(str(error))
            sys.exit(REFUSED)
        except SystemExit as error:
            # click leaves with 1 when whoever read the output has closed it, as `head` does.
            sys.exit(0 if error.code == 1 else error.code)
        except OSError as error:
            place = f"{error.filename}: " if error.filename else ""
            refuse(f"{place}{error.strerror or error}; a path that can be used is expected")
            sys.exit(REFUSED)
        except Exception:
            traceback.print_exc()
            refuse(f"a fault in symop; {_REPORT}")
            sys.exit(FAULT)
        sys.exit(code if isinstance(code, int) else 0)


_REPORT = "please report it with the formula and the output of `symop --version`"


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from symop.cli.versions import version_lines

        click.echo("\n".join(version_lines()))
        ctx.exit()
