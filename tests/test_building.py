"""Kernels where things go wrong: compilers, caches, processes, memory."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

import symop
from symop import building, cache
from symop.errors import BuildError

ROOT = Path(__file__).parent.parent
FORMULA = "x*exp(-x) + 0.5"


def script(text, *, environment=(), count=1, timeout=120):
    """Runs a script in processes of its own, all at once; gives their outputs."""
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "SYMOP_HOST": "python", **dict(environment)}
    running = [
        subprocess.Popen([sys.executable, "-c", textwrap.dedent(text)], env=variables,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(count)
    ]  # fmt: skip
    found = [process.communicate(timeout=timeout)[0] for process in running]
    assert [process.returncode for process in running] == [0] * count, found
    return found


# An exponential, a product and a sum round some 4 times; 1e-14 is 45 roundings.
CALL = f"""
    import sys, warnings
    import torch, symop
    op = symop.compile("{FORMULA}", backend="cpu")
    x = torch.linspace(-2, 2, 1000, dtype=torch.float64)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        again = symop.compile("{FORMULA} + 1", backend="cpu")
        right = torch.allclose(op(x), x*torch.exp(-x) + 0.5, rtol=1e-14)
        right = right and torch.allclose(again(x), x*torch.exp(-x) + 1.5, rtol=1e-14)
    print(right, len(caught), *[w.message for w in caught])
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A cache of its own."""
    monkeypatch.setenv("SYMOP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SYMOP_HOST", "python")
    return tmp_path / "cache"


def test_without_a_compiler_operations_run_after_one_warning(tmp_path):
    environment = {"CC": "/nowhere/cc", "SYMOP_CACHE": str(tmp_path / "cache")}
    (said,) = script(CALL, environment=environment)
    assert said.startswith("True 1 ")
    assert "/nowhere/cc" in said


def test_a_compiler_that_crashes_is_shown(tmp_path):
    broken = tmp_path / "cc"
    broken.write_text("#!/bin/sh\necho 'internal compiler error' >&2\nkill -SEGV $$\n")
    broken.chmod(0o755)
    (said,) = script(CALL, environment={"CC": str(broken), "SYMOP_CACHE": str(tmp_path / "c")})
    assert said.startswith("True 1 ")
    assert "internal compiler error" in said


def test_an_error_of_the_compiler_shows_its_line(folder):
    with pytest.raises(BuildError) as refused:
        building.loaded("int symop_kernel(void) { return mistake; }\n")
    assert "mistake" in str(refused.value)
    assert "kernel.c:1" in str(refused.value)


COMPILERS = {
    "wrote nothing": ("true", "ended with 0, and wrote nothing"),
    "wrote no library": ("echo text > kernel.so", "cannot be loaded"),
    "says what is no text": ("printf '\\377 is wrong' >&2; exit 1", "\ufffd is wrong"),
}


@pytest.mark.parametrize("kind", COMPILERS)
def test_a_compiler_that_makes_no_library_is_shown(folder, kind):
    commands, message = COMPILERS[kind]
    broken = folder.parent / "cc"
    broken.write_text(f"#!/bin/sh\n{commands}\n")
    broken.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CC", str(broken))
        op = symop.compile("3.25*x + 3", backend="cpu")
        with pytest.warns(RuntimeWarning, match=message):
            assert op(torch.ones(2)).tolist() == [6.25, 6.25]


def test_the_compiler_may_come_with_options(folder, monkeypatch):
    monkeypatch.setenv("CC", "cc -DGIVEN=17")
    text = '__attribute__((visibility("default"))) int symop_given(void) { return GIVEN; }\n'
    assert building.loaded(text).symop_given() == 17


def test_a_full_temporary_folder_is_one_warning(folder, monkeypatch):
    def full(self, *args, **kwargs):
        raise OSError(28, "No space left on device")

    op = symop.compile("4.25*x + 3", backend="cpu")
    monkeypatch.setattr(building.Path, "write_text", full)
    with pytest.warns(RuntimeWarning, match="No space left on device.* TMPDIR"):
        assert op(torch.ones(2)).tolist() == [7.25, 7.25]


@pytest.mark.skipif(
    not hasattr(os, "ST_NOEXEC"), reason="only Linux tells whether files of a folder may be run"
)
def test_a_folder_without_execution_costs_only_the_keeping(folder, monkeypatch):
    found = os.statvfs(folder.parent)
    monkeypatch.setattr(
        building.os, "statvfs", lambda path: SimpleNamespace(f_flag=found.f_flag | os.ST_NOEXEC)
    )
    assert symop.compile("5.25*x + 3", backend="cpu")(torch.ones(2)).tolist() == [8.25, 8.25]
    assert not list(folder.glob("*.so"))


def test_a_file_system_without_locks_costs_only_the_keeping(folder, monkeypatch):
    def flock(handle, how):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(cache.fcntl, "flock", flock)
    assert symop.compile("6.25*x + 3", backend="cpu")(torch.ones(2)).tolist() == [9.25, 9.25]
    assert not list(folder.glob("*.so"))


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_to_costs_only_the_keeping(tmp_path):
    (tmp_path / "cache").mkdir(mode=0o500)
    (said,) = script(CALL, environment={"SYMOP_CACHE": str(tmp_path / "cache")})
    assert said.startswith("True 0")


def test_a_folder_that_is_none_costs_only_the_keeping(tmp_path):
    (tmp_path / "cache").write_text("a file")
    (said,) = script(CALL, environment={"SYMOP_CACHE": str(tmp_path / "cache")})
    assert said.startswith("True 0")
    assert (tmp_path / "cache").read_text() == "a file"


def test_a_folder_that_others_can_write_to_is_not_used(tmp_path):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache").chmod(0o777)
    (said,) = script(CALL, environment={"SYMOP_CACHE": str(tmp_path / "cache")})
    assert said.startswith("True 0")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_full_disk_costs_only_the_keeping(folder, monkeypatch):
    make = cache.tempfile.mkstemp

    def full(**where):
        if where["dir"] == folder:
            raise OSError(28, "No space left on device")
        return make(**where)

    monkeypatch.setattr(cache.tempfile, "mkstemp", full)
    op = symop.compile("7.5*x + 3", backend="cpu")
    assert op(torch.ones(2)).tolist() == [10.5, 10.5]
    assert not list(folder.glob("*.so"))


@pytest.mark.parametrize("content", [b"", b"garbage", b"\x7fELF" + b"\0" * 200])
def test_a_library_that_was_changed_is_built_anew(folder, content):
    text = f"int symop_test_{len(content)}(void) {{ return 17; }}\n".replace("int", (
        '__attribute__((visibility("default"))) int'), 1)  # fmt: skip
    building.loaded(text)
    (path,) = folder.glob("*.so")
    whole = path.read_bytes()
    path.unlink()
    path.write_bytes(content)
    assert getattr(building.loaded(text), f"symop_test_{len(content)}")() == 17
    assert path.read_bytes()[:4] == whole[:4]


def test_a_library_of_somebody_else_is_not_loaded(folder, monkeypatch):
    text = '__attribute__((visibility("default"))) int symop_own(void) { return 1; }\n'
    building.loaded(text)
    (path,) = folder.glob("*.so")
    path.chmod(0o777)
    assert not building._is_whole(path)


@pytest.mark.parametrize("count", [3, pytest.param(8, marks=pytest.mark.slow)])
def test_processes_that_start_at_once_share_the_work(tmp_path, count):
    environment = {"SYMOP_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"}
    said = script(CALL, environment=environment, count=count)
    assert {line.split()[0] for line in said} == {"True"}
    libraries = list((tmp_path / "cache").glob("*.so"))
    assert len(libraries) == 3  # two kernels, and what drives them
    assert not list((tmp_path / "cache").glob(".*.tmp"))


def test_a_process_killed_while_it_compiles_leaves_nothing_behind(tmp_path):
    slow = tmp_path / "cc"
    slow.write_text("#!/bin/sh\nsleep 60\n")
    slow.chmod(0o755)
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "CC": str(slow), "SYMOP_HOST": "python",
                 "SYMOP_CACHE": str(tmp_path / "cache")}  # fmt: skip
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(CALL)], env=variables,
                               start_new_session=True)  # fmt: skip
    deadline = time.monotonic() + 60
    while not list((tmp_path / "cache").glob("*.lock")) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    (said,) = script(CALL, environment={"SYMOP_CACHE": str(tmp_path / "cache")})
    assert said.startswith("True 0")


@pytest.mark.parametrize("size", [10, 200_000])
def test_a_forked_process_goes_on(size):
    # The threads of the parent do not exist in the child.
    text = f"""
        import os, signal
        import torch, symop
        op = symop.compile("x*exp(x)", backend="cpu")
        loss = symop.compile("sum(x**2)", backend="cpu")
        torch.set_num_threads(2)
        x = torch.linspace(0, 1, {size}, requires_grad=True)
        before = op(x).detach(), loss(x).detach()
        child = os.fork()
        if child == 0:
            signal.alarm(30)
            after = op(x).detach(), loss(x).detach()
            loss(x).backward()
            # torch itself would wait for its threads when it compares.
            torch.set_num_threads(1)
            os._exit(0 if all(map(torch.equal, before, after)) else 1)
        print(os.waitpid(child, 0)[1])
    """
    assert script(text) == ["0\n"]


def test_what_is_saved_may_not_change_before_backward(host):
    op = symop.compile("w*x + b", backend="cpu")
    w, x, b = (torch.randn(4, requires_grad=True) for _ in range(3))
    inner = x * 1
    out = op(w, inner, b * 1)
    with torch.no_grad():
        inner.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        out.sum().backward()
    other = b * 1
    out = op(w, x, other)
    with torch.no_grad():
        other.add_(1)
    out.sum().backward()


def test_too_little_memory_is_an_error(host):
    text = """
        import resource, torch, symop
        op = symop.compile("x*exp(x)", backend="cpu")
        op(torch.ones(10))
        x = torch.ones(1).expand(2**36)
        resource.setrlimit(resource.RLIMIT_AS, (2**34, 2**34))
        try:
            op(x)
        except RuntimeError as error:
            print("memory" in str(error))
        print(op(torch.zeros(3)).tolist())
    """
    assert script(text) == ["True\n[0.0, 0.0, 0.0]\n"]
