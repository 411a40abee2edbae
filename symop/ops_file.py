"""Files of ops: `ops.toml`, or `[tool.symop]` in pyproject.toml, read and checked.

    out = "src/package/ops"          # the folder of the modules
    tests = "tests/ops"              # the folder of the tests; false writes none

    [ops]
    swiglu = "a*sigmoid(a)*b"

    [ops.legendre_p3]
    formula = "0.5*(5*x**3-3*x)"
    backend = "torch,cpu"

Paths are relative to the file and stay inside its folder. A formula may call other ops of the
same file, in any order without cycles.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from symop.errors import FileError, NamingError
from symop.names import check_op_name

_CALL = re.compile(r"(?<![\w.])([A-Za-z_]\w*)\s*\(")
_MAX_SIZE = 10_000_000
BACKENDS = ("torch", "torch,cpu", "torch,triton", "torch,cpu,triton", "auto")
PRECISIONS = ("standard", "high")


@dataclass(frozen=True)
class Entry:
    """One op of a file.

    args, outputs: as in `symop.compile`; None where the file does not say.
    backends: what its module carries.
    folder: where the module goes.
    tests_folder: where the test goes; None where there is none.
    calls: the ops of the file that the formula calls.
    """

    name: str
    formula: str
    args: tuple[str, ...] | None
    outputs: tuple[str, ...] | None
    backends: tuple[str, ...]
    precision: str
    folder: Path
    tests_folder: Path | None
    calls: tuple[str, ...]


@dataclass(frozen=True)
class OpsFile:
    """The ops of a file, by name, in its order."""

    path: Path
    entries: Mapping[str, Entry]

    def needed_by(self, name: str) -> list[Entry]:
        """The ops that an op calls, directly or not, before those that call them."""
        found: dict[str, Entry] = {}

        def visit(entry: Entry) -> None:
            for called in entry.calls:
                if called not in found:
                    visit(self.entries[called])
                    found[called] = self.entries[called]

        visit(self.entries[name])
        return list(found.values())


def read_ops(path: Path) -> OpsFile:
    """Read a file of ops.

    Raises:
        FileError: the file cannot be read, or something in it is refused; the message names the
            file, the key, what was found and what is accepted, for everything that is refused.
    """
    table, prefix = _table(path)
    reader = _Reader(path, prefix)
    entries = reader.entries(table)
    if not reader.problems:
        reader.check_cycles(entries)
    if reader.problems:
        raise FileError("\n".join(f"{path}: {problem}" for problem in reader.problems))
    return OpsFile(path, entries)


def _table(path: Path) -> tuple[Any, str]:
    """The table of ops in a file, and what stands before its keys."""
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_SIZE + 1)
    except OSError as error:
        raise FileError(f"{path} cannot be read ({error.strerror}); a file of ops is expected, "
                        "which `symop init` writes") from error  # fmt: skip
    if len(data) > _MAX_SIZE:
        raise FileError(f"{path} is larger than {_MAX_SIZE:,} bytes; a file of ops is expected")
    try:
        content = tomllib.loads(data.decode("utf-8-sig").replace("\r\n", "\n"))
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise FileError(f"{path}: byte {data[error.start]:#04x} in line {line} is no UTF-8; TOML "
                        "is text in UTF-8") from error  # fmt: skip
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise FileError(f"{path} is no TOML: {error}") from error
    if path.name != "pyproject.toml":
        return content, ""
    tool = content.get("tool")
    if not isinstance(tool, dict) or "symop" not in tool:
        raise FileError(f"{path} has no table [tool.symop]; one with `out` and [tool.symop.ops] "
                        "is expected")  # fmt: skip
    return tool["symop"], "tool.symop."


class _Reader:
    """Checks a table against what a file of ops may say, and gathers everything it refuses."""

    def __init__(self, path: Path, prefix: str) -> None:
        self.prefix = prefix
        self.root = path.resolve().parent
        self.problems: list[str] = []

    def refuse(self, key: str, found: object, accepted: str) -> None:
        shown = ascii(found)
        shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
        self.problems.append(f"{self.prefix}{key}: {shown} was found; {accepted} is accepted")

    def entries(self, table: Any) -> dict[str, Entry]:
        if not isinstance(table, dict):
            self.refuse("", table, "a table")
            return {}
        self._known(table, (*_SHARED, "ops"), "")
        ops = table.get("ops", {})
        if not isinstance(ops, dict) or not ops:
            self.refuse("ops", ops, 'a table of ops such as cube = "x**3"')
            return {}
        shared = {key: table[key] for key in _SHARED if key in table}
        found = {}
        for name, given in ops.items():
            entry = self._entry(name, given, shared, ops)
            if entry is not None:
                found[name] = entry
        self._check_places(found)
        return found

    def _known(self, table: Mapping[str, Any], known: tuple[str, ...], key: str) -> None:
        for name in table:
            if name not in known:
                *most, last = known
                self.problems.append(
                    f"{self.prefix}{key}{ascii(name)[1:-1]} is not known; {', '.join(most)} and "
                    f"{last} are"
                )

    def _entry(
        self, name: str, given: Any, shared: Mapping[str, Any], ops: Mapping[str, Any]
    ) -> Entry | None:
        before = len(self.problems)
        key = f"ops.{name if name.isidentifier() else ascii(name)}"
        try:
            check_op_name(name, for_file=True)
        except NamingError as error:
            self.problems.append(f"{self.prefix}{key}: {error}")
        if isinstance(given, str):
            given = {"formula": given}
        if not isinstance(given, dict):
            self.refuse(key, given, 'a formula such as "x**3", or a table with one')
            return None
        self._known(given, ("formula", "args", "outputs", *_SHARED), f"{key}.")
        formula = given.get("formula")
        if not isinstance(formula, str) or not formula.strip():
            self.refuse(f"{key}.formula", formula, 'a formula such as "x**3"')
            return None

        def value(option: str) -> tuple[str, Any]:
            """The key that an option was given by, and its value."""
            if option in given:
                return f"{key}.{option}", given[option]
            return option, shared.get(option)

        tests_key, tests = value("tests")
        folder = self._folder(*value("out"))
        entry = Entry(
            name,
            formula,
            self._names(f"{key}.args", given.get("args")),
            self._names(f"{key}.outputs", given.get("outputs")),
            tuple(self._choice(*value("backend"), BACKENDS).split(",")),
            self._choice(*value("precision"), PRECISIONS),
            folder,
            None if tests is False else folder if tests in (None, True)
            else self._folder(tests_key, tests),
            tuple(n for n in dict.fromkeys(_CALL.findall(formula)) if n in ops and n != name),
        )  # fmt: skip
        return entry if len(self.problems) == before else None

    def _names(self, key: str, found: Any) -> tuple[str, ...] | None:
        if found is None:
            return None
        if not isinstance(found, list) or not all(isinstance(n, str) for n in found) or not found:
            self.refuse(key, found, 'a list of names such as ["w", "x"]')
            return None
        return tuple(found)

    def _choice(self, key: str, found: Any, known: tuple[str, ...]) -> str:
        if found is None:
            return known[0]
        text = ",".join(found) if _is_list_of_text(found) else found
        text = text.replace(" ", "") if isinstance(text, str) else ""
        if text in known:
            return text
        *most, last = (f'"{name}"' for name in known)
        self.refuse(key, found, f"{', '.join(most)} or {last}")
        return known[0]

    def _folder(self, key: str, found: Any) -> Path:
        """A folder inside that of the file."""
        accepted = f'a folder inside that of the file ({self.root}), such as "ops",'
        if found is None:
            return self.root
        if not isinstance(found, str) or not found or "\0" in found:
            self.refuse(key, found, accepted)
            return self.root
        try:
            place = (self.root / found).resolve()
            inside = not Path(found).is_absolute() and place.is_relative_to(self.root)
        except (OSError, RuntimeError, ValueError):
            inside = False
        if not inside:
            self.refuse(key, found, accepted)
            return self.root
        return place

    def _check_places(self, entries: Mapping[str, Entry]) -> None:
        """No two files of the same path; names that differ in case only are the same on some."""
        taken: dict[tuple[Path, str], str] = {}
        for entry in entries.values():
            files = [(entry.folder, f"{entry.name}.py")]
            if entry.tests_folder is not None:
                files.append((entry.tests_folder, f"test_{entry.name}.py"))
            for place in files:
                other = taken.setdefault(place, entry.name)
                if other != entry.name:
                    self.problems.append(
                        f"{self.prefix}ops.{entry.name} and {self.prefix}ops.{other} both write "
                        f"{place[0] / place[1]}; names or folders that differ are accepted"
                    )

    def check_cycles(self, entries: Mapping[str, Entry]) -> None:
        """Refuse ops that call each other in a circle."""
        done: set[str] = set()

        def visit(name: str, above: tuple[str, ...]) -> None:
            if name in above:
                circle = " -> ".join((*above[above.index(name) :], name))
                self.problems.append(
                    f"{self.prefix}ops.{name}: {circle} is a circle; ops that call each other in "
                    "one direction are accepted"
                )
            elif name not in done:
                done.add(name)
                for called in entries[name].calls:
                    visit(called, (*above, name))

        for name in entries:
            visit(name, ())


_SHARED = ("out", "tests", "backend", "precision")


def _is_list_of_text(found: Any) -> bool:
    return isinstance(found, list) and all(isinstance(part, str) for part in found)
