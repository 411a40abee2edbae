"""The tests in tests/interpreted, each file in a process with the interpreter of Triton on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("triton")

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / "tests" / "interpreted").glob("test_*.py"))


def under_interpreter(path: Path, mark: str) -> None:
    environment = {**os.environ, "TRITON_INTERPRET": "1"}
    environment.pop("PYTEST_ADDOPTS", None)
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", mark, str(path)],
        env=environment, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    nothing = 5  # no test of that mark in this file
    assert run.returncode in (0, nothing), run.stdout[-8000:] + run.stderr[-2000:]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_under_the_interpreter(path):
    under_interpreter(path, "not slow")


@pytest.mark.slow
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_longer_under_the_interpreter(path):
    under_interpreter(path, "slow")
