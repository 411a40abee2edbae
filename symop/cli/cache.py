"""`symop cache`: the folder of compiled kernels."""

from __future__ import annotations

from typing import Any

import click

from symop.cli.options import json_option, quiet_option
from symop.cli.output import say, say_json
from symop.cli.program import Command
from symop.errors import SymopError


@click.command(
    cls=Command,
    short_help="The folder of compiled kernels.",
    help="""Show, fill or empty the folder of compiled kernels.

    CPU kernels are compiled when they are first needed and kept in $SYMOP_CACHE, or in the
    user's folder for caches. The host, which calls them from autograd, is compiled once for a
    version of torch, in the background; until then kernels are called from Python. The loops in
    C that generated modules carry are compiled into the same folder. What `symop generate --from`
    wrote is kept there too, so that it need not be made again.
    """,
)
@click.option("--clear", is_flag=True, help="Remove what is there.")
@click.option("--build", is_flag=True, help="Compile the C++ host now, which takes half a minute.")
@json_option("What is there")
@quiet_option
def command(clear: bool, build: bool, as_json: bool, quiet: bool) -> None:
    """Show, fill or empty the folder."""
    from symop import cache, native_host

    done: dict[str, Any] = {}
    if clear:
        done["removed"] = cache.clear()
    if build:
        done["host"] = str(native_host.build())
    if not done:
        done = _found()
    if as_json:
        say_json(done)
    elif not quiet:
        say(_text(done))


def _found() -> dict[str, Any]:
    """What is in the folder, and what it would be filled with."""
    from symop import building, cache, native_host

    found = cache.files()
    libraries = [p.name for p in found if p.suffix == ".so"]
    try:
        compiler = " ".join(building.compiler())
    except SymopError as error:
        compiler = f"none; {error}"
    return {
        "folder": str(cache.folder()),
        "kernels": sum(name.startswith("kernel-") for name in libraries),
        "loops": sum(name.startswith("loop-") for name in libraries),
        "generated": sum(p.name.startswith("generated-") for p in found),
        "size": sum(p.stat().st_size for p in found),
        "host": "built" if native_host.load() else "not built (symop cache --build)",
        "compiler": compiler,
    }


def _text(done: dict[str, Any]) -> str:
    from symop import cache

    lines = dict(done)
    if "removed" in lines:
        lines["removed"] = f"{lines['removed']} files removed from {cache.folder()}"
    if "size" in lines:
        lines["size"] = f"{lines['size'] / 1e6:.1f} MB"
    width = max(map(len, lines)) + 2
    return "\n".join(f"{name + ':':<{width}}{value}" for name, value in lines.items())
