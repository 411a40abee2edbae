"""The files of an op, as text and on disk: its module, and the test that proves it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from symop.compiler import Formula
from symop.errors import FileError
from symop.files import differences, write
from symop.names import check_op_name
from symop.planning import Plan
from symop.program import Program
from symop.proofs import test_view
from symop.rendering import render


@dataclass(frozen=True)
class Artifact:
    """The generated files of one op.

    name: the name of the op.
    module: the text of its module.
    plan: what the op computes; the test is made from it.
    written: the formula as it was written; the numbers of the test are its own.
    text: the formula, as lines `name = expression`.
    tests: whether there is a test.
    carries: the backends whose kernels the module carries.
    note: why it lacks some, where they were to be carried if possible.

    Example:
        >>> import symop
        >>> generated = symop.generate("x**2", name="square")
        >>> generated.name, generated.tests
        ('square', True)
    """

    name: str
    module: str
    plan: Plan
    written: Program
    text: tuple[str, ...]
    tests: bool
    carries: tuple[str, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        check_op_name(self.name, for_file=True)

    @property
    def files(self) -> Mapping[str, str]:
        """The texts, by the names of the files.

        Example:
            >>> import symop
            >>> list(symop.generate("x**2", name="square").files)
            ['square.py', 'test_square.py']
        """
        return MappingProxyType(self._texts(None))

    def _texts(self, path: str | None) -> dict[str, str]:
        texts = {f"{self.name}.py": self.module}
        if self.tests:
            view = test_view(
                self.name, self.plan, self.written, self.text, path, carries=self.carries
            )
            texts[f"test_{self.name}.py"] = render("test.py.j2", view)
        return texts

    def placed(
        self,
        folder: str | os.PathLike[str],
        tests_folder: str | os.PathLike[str] | None = None,
    ) -> dict[Path, str]:
        """The texts by the paths that they are written to.

        Args:
            folder: where the module goes.
            tests_folder: where the test goes, if not beside the module.

        Returns:
            The texts; a test finds its module by the way from its folder.

        Raises:
            FileError: the folders are on different drives.

        Example:
            >>> import symop
            >>> placed = symop.generate("x**2", name="square").placed("ops", "tests")
            >>> [path.as_posix() for path in placed]
            ['ops/square.py', 'tests/test_square.py']
        """
        folder, tests_folder = Path(folder), None if tests_folder is None else Path(tests_folder)
        beside = tests_folder is None or _resolved(tests_folder) == _resolved(folder)
        path = None if tests_folder is None or beside else _between(tests_folder, folder)
        placed = {}
        for file, text in self._texts(path).items():
            is_test = file != f"{self.name}.py"
            placed[(tests_folder if is_test and tests_folder else folder) / file] = text
        return placed

    def write(
        self,
        folder: str | os.PathLike[str],
        *,
        tests_folder: str | os.PathLike[str] | None = None,
        force: bool = False,
    ) -> list[Path]:
        """Write the files; those that already are what they should be stay untouched.

        Args:
            folder: where the module goes; it is created when it is not there.
            tests_folder: where the test goes, if not beside the module.
            force: replace files that symop did not write.

        Returns:
            The paths of all files, whether they had to be written or not.

        Raises:
            FileError: a file stands in the way that symop did not write; nothing is written.

        Example:
            >>> import symop, tempfile
            >>> files = symop.generate("x**2", name="square")
            >>> [path.name for path in files.write(tempfile.mkdtemp())]
            ['square.py', 'test_square.py']
        """
        placed = self.placed(folder, tests_folder)
        write(placed, force=force)
        return list(placed)

    def differences(
        self,
        folder: str | os.PathLike[str],
        tests_folder: str | os.PathLike[str] | None = None,
    ) -> str:
        """A unified diff from the files on disk to what would be written; empty when equal.

        Args:
            folder: where the module is.
            tests_folder: where the test is, if not beside the module.

        Returns:
            The text of the diff.

        Raises:
            FileError: the folders are on different drives.

        Example:
            >>> import symop, tempfile
            >>> files, folder = symop.generate("x**2", name="square"), tempfile.mkdtemp()
            >>> bool(files.differences(folder))
            True
            >>> _ = files.write(folder)
            >>> files.differences(folder)
            ''
        """
        return "".join(differences(self.placed(folder, tests_folder)).values())


def artifact(formula: Formula, *, tests: bool) -> Artifact:
    """The files of a formula.

    Raises:
        NamingError: the name of the op cannot be that of a file.
        CallError: it is to carry fused loops and cannot.
        CheckError: no test can be made, because what symop would write disagrees with the
            formula; a fault in symop.
    """
    check_op_name(formula.name, for_file=True)
    result = Artifact(
        formula.name, formula.module_text, formula.plan, formula.written, formula.text, tests,
        formula.carries,
    )  # fmt: skip
    # Whatever is wrong shows here, not when the files are written.
    _ = result.files
    return result


def _resolved(folder: Path) -> Path:
    return folder.resolve()


def _between(start: Path, folder: Path) -> str:
    """The way from one folder to another, written with slashes."""
    try:
        return Path(os.path.relpath(_resolved(folder), _resolved(start))).as_posix()
    except ValueError as error:
        raise FileError(
            f"{start} and {folder} are on different drives; a test finds its module by a relative "
            "path, so both folders must be on one"
        ) from error
