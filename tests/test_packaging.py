"""The wheel: it holds the templates, and renders from them without the source tree."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from symop.rendering import template_folder

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        source.mkdir(exist_ok=True)
        (source / name).write_bytes((ROOT / name).read_bytes())
    for path in [
        *ROOT.glob("symop/**/*.py"),
        *ROOT.glob("symop/py.typed"),
        *ROOT.glob("templates/*"),
    ]:
        target = source / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    # Without isolation, so that nothing is downloaded while tests run.
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    result = subprocess.run([*build, str(source)], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    (found,) = folder.glob("*.whl")
    return found


def test_the_wheel_holds_every_template(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    for kind in ("*.j2", "host*"):
        assert {f"symop/templates/{p.name}" for p in template_folder().glob(kind)} <= names
    assert "symop/templates/host.cpp" in names
    assert {"symop/py.typed", "symop/backends/torch.py"} <= names
    assert wheel.name.startswith("symop_torch-")


def test_an_unpacked_wheel_renders(wheel, tmp_path):
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    code = (
        "import symop, symop.rendering as r\n"
        "assert r.template_folder().parent.name == 'symop', r.template_folder()\n"
        "print(symop.compile('w*x + b').source)"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=tmp_path, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert "class OpBackward" in result.stdout
