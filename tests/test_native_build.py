"""Building and loading the host: once, by one process, with errors that say what is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from symop import cache, native_host
from symop.errors import BuildError, CacheError

ROOT = Path(__file__).parent.parent

# A module that compiles in no time, in the place of the host.
SMALL = """
#include <Python.h>
static PyModuleDef definition = {PyModuleDef_HEAD_INIT, "symop_host", nullptr, -1, nullptr};
PyMODINIT_FUNC PyInit_symop_host() { return PyModule_Create(&definition); }
"""


@pytest.fixture
def sources(tmp_path, monkeypatch):
    """A folder of sources of the small module, and an empty cache."""
    folder = tmp_path / "sources"
    folder.mkdir()
    (folder / "host.cpp").write_text(SMALL)
    monkeypatch.setattr(native_host, "template_folder", lambda: folder)
    monkeypatch.setenv("SYMOP_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("CXX", raising=False)
    return folder


def test_it_is_built_once_and_loaded(sources, capsys):
    assert native_host.load() is None
    path = native_host.build(verbose=True)
    assert "host.cpp" in capsys.readouterr().out
    before = path.stat().st_mtime_ns
    assert native_host.build(verbose=True) == path
    assert capsys.readouterr().out == ""
    assert path.stat().st_mtime_ns == before
    module = native_host.load()
    assert module.__name__ == "symop_host"
    assert native_host.load() is module
    assert {p.suffix for p in path.parent.iterdir()} == {".so", ".lock"}


@pytest.mark.parametrize("change", ["source", "torch"])
def test_what_it_was_made_of_decides_where_it_lies(sources, monkeypatch, change):
    before = native_host.build()
    if change == "source":
        (sources / "host_more.h").write_text("// more")
    else:
        monkeypatch.setattr(torch, "__version__", "2.0.0")
    assert native_host.load() is None
    assert native_host.build() != before


def test_no_compiler_is_needed_to_load(sources, monkeypatch):
    native_host.build()
    forget(monkeypatch)
    monkeypatch.setenv("PATH", "")
    assert native_host.load() is not None


def test_without_a_compiler_the_error_says_so(sources, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(BuildError, match=r"no C\+\+ compiler was found"):
        native_host.build()
    monkeypatch.setenv("CXX", "/nowhere/c++")
    with pytest.raises(BuildError, match=r"/nowhere/c\+\+ cannot be run"):
        native_host.build()


def test_the_message_of_the_compiler_is_shown(sources):
    (sources / "host.cpp").write_text("#error this is the fault\n")
    with pytest.raises(BuildError, match="this is the fault"):
        native_host.build()
    folder = Path(os.environ["SYMOP_CACHE"])
    assert {p.suffix for p in folder.iterdir()} == {".lock"}


def test_an_extension_that_cannot_be_loaded_is_an_error(sources):
    (sources / "host.cpp").write_text("int nothing;\n")
    with pytest.raises(BuildError, match="built, but cannot be loaded"):
        native_host.build()
    with pytest.raises(BuildError, match="built, but cannot be loaded"):
        native_host.build()


def test_missing_headers_are_named(sources, monkeypatch):
    monkeypatch.setattr("sysconfig.get_path", lambda name: "/nowhere")
    with pytest.raises(BuildError, match=r"/nowhere/Python.h is missing.*python3-dev"):
        native_host.build()


def forget(monkeypatch):
    """As in a process that has loaded nothing yet."""
    monkeypatch.setattr(native_host, "_loaded", {})


def test_a_file_that_is_no_extension_is_replaced(sources):
    path = native_host._path(cache.prepared())
    cache.write(path, b"half a file")
    assert native_host.load() is None
    assert native_host.build() == path
    assert native_host.load() is not None


@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_others_can_write_to_is_not_loaded(sources, monkeypatch, what):
    path = native_host.build()
    forget(monkeypatch)
    (path if what == "file" else path.parent).chmod(0o777)
    assert native_host.load() is None
    if what == "folder":
        with pytest.raises(CacheError):
            native_host.build()
        assert not native_host.start_build()


@pytest.fixture
def package(tmp_path):
    """The environment of processes that have a symop whose host is the small module."""
    site = tmp_path / "site"
    shutil.copytree(ROOT / "symop", site / "symop", ignore=shutil.ignore_patterns("__pycache__"))
    (site / "symop" / "templates").mkdir()
    (site / "symop" / "templates" / "host.cpp").write_text(SMALL)
    log = tmp_path / "log"
    compiler = tmp_path / "compiler"
    lines = ["#!/bin/sh", f"echo run >> {log}", f"nice > {log}.nice", "sleep 1", 'exec c++ "$@"']
    compiler.write_text("\n".join(lines) + "\n")
    compiler.chmod(0o755)
    environment = {**os.environ, "PYTHONPATH": str(site), "CXX": str(compiler),
                   "SYMOP_CACHE": str(tmp_path / "cache")}  # fmt: skip
    return tmp_path, environment, log


def built(folder, timeout=120):
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        found = list((folder / "cache").glob("*.so"))
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("nothing was built")


def test_processes_at_once_compile_once(package):
    folder, environment, log = package
    code = "from symop import native_host as n; n.build(); assert n.load() is not None"
    builders = [subprocess.Popen([sys.executable, "-c", code], env=environment, cwd=folder)
                for _ in range(2)]  # fmt: skip
    assert [builder.wait() for builder in builders] == [0, 0]
    assert log.read_text() == "run\n"


def test_a_build_in_the_background_outlives_who_started_it(package):
    folder, environment, log = package
    code = "from symop import native_host as n; print(n.start_build(), n.start_build(), n.load())"

    def run():
        command = [sys.executable, "-W", "error", "-c", code]
        return subprocess.run(
            command, env=environment, cwd=folder, capture_output=True, text=True, check=True
        )

    first = run()
    assert first.stdout == "True False None\n"
    assert first.stderr == ""
    assert len(built(folder)) == 1
    assert log.read_text() == "run\n"
    assert int(Path(f"{log}.nice").read_text()) == 19
    assert run().stdout.startswith("False False <module 'symop_host'")


@pytest.mark.slow
def test_a_build_that_failed_is_not_started_again_by_itself(package):
    folder, environment, log = package
    source = folder / "site" / "symop" / "templates" / "host.cpp"
    source.write_text("#error a fault\n")
    code = "from symop import native_host as n; print(n.start_build())"
    run = [sys.executable, "-c", code]
    assert subprocess.check_output(run, env=environment, cwd=folder, text=True) == "True\n"
    end = time.monotonic() + 120
    while not (failed := list((folder / "cache").glob("*.failed"))):
        assert time.monotonic() < end
        time.sleep(0.05)
    assert "a fault" in failed[0].read_text()
    assert subprocess.check_output(run, env=environment, cwd=folder, text=True) == "False\n"
    assert log.read_text() == "run\n"
