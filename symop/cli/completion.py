"""`symop completion`: the script that completes commands and options in a shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from symop.cli.output import say
from symop.cli.program import Command
from symop.errors import CallError

SHELLS = ("bash", "zsh", "fish")


@click.command(
    cls=Command,
    short_help="The script that completes commands in a shell.",
    help="""Print the script that completes commands and options in a shell.

    \b
    bash: symop completion bash > ~/.local/share/bash-completion/completions/symop
    zsh:  symop completion zsh > ~/.zfunc/_symop
          with `fpath+=~/.zfunc` before `compinit` in ~/.zshrc
    fish: symop completion fish > ~/.config/fish/completions/symop.fish

    It is there in the next shell that is opened.
    """,
)
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> None:
    """Print a script for a shell."""
    from symop.cli import app

    found = get_completion_class(shell)
    if found is None:
        raise CallError(f"{shell} cannot be completed; {', '.join(SHELLS)} can")
    say(found(app, {}, "symop", "_SYMOP_COMPLETE").source())
