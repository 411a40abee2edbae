"""The tests in tests/interpreted, in processes with the interpreter of Triton on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("triton")

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "tests" / "interpreted"
FILES = sorted(FOLDER.glob("test_*.py"))


# The oldest Triton that is allowed, where `make oldest-triton` has put it.
OLDEST = ROOT / "build" / "triton-3.6.0"


def under_interpreter(path: Path, mark: str, triton: Path | None = None) -> None:
    run(path, mark, triton, TRITON_INTERPRET="1")


def run(path: Path, mark: str, triton: Path | None = None, **variables: str) -> None:
    environment = {**os.environ, **variables}
    if triton:
        environment["PYTHONPATH"] = os.pathsep.join([str(triton), str(ROOT)])
        asked = [sys.executable, "-c", "import triton; print(triton.__version__)"]
        version = subprocess.check_output(asked, env=environment, cwd=ROOT, text=True).strip()
        assert triton.name == f"triton-{version}"
    environment.pop("PYTEST_ADDOPTS", None)
    made = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", mark, str(path)],
        env=environment, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    nothing = 5  # no test of that mark in this file
    assert made.returncode in (0, nothing), made.stdout[-8000:] + made.stderr[-2000:]


def test_under_the_interpreter():
    # In one process: each takes seconds to import torch.
    under_interpreter(FOLDER, "not slow")


@pytest.mark.slow
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_longer_under_the_interpreter(path):
    under_interpreter(path, "slow")


@pytest.mark.slow
@pytest.mark.skipif(not OLDEST.exists(), reason="`make oldest-triton` puts Triton 3.6 there")
def test_under_the_interpreter_of_the_oldest_triton():
    under_interpreter(FOLDER, "not slow", OLDEST)


@pytest.mark.slow
@pytest.mark.skipif(not OLDEST.exists(), reason="`make oldest-triton` puts Triton 3.6 there")
@pytest.mark.parametrize("path", ["test_inspecting.py", "test_triton_math.py"])
def test_with_the_compiler_of_the_oldest_triton(path):
    run(ROOT / "tests" / path, "not slow", OLDEST)
