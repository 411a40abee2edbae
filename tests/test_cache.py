"""The folder of compiled files: whose it is, what appears in it, and who may write."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from symop import cache
from symop.errors import CacheError

ROOT = Path(__file__).parent.parent

pytestmark = pytest.mark.skipif(os.name == "nt", reason="rights of files are those of POSIX")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder for the cache that is not there yet."""
    path = tmp_path / "above" / "cache"
    monkeypatch.setenv("SYMOP_CACHE", str(path))
    return path


def test_the_folder_is_that_of_the_environment_or_the_platform(place, monkeypatch, tmp_path):
    assert cache.folder() == place
    monkeypatch.delenv("SYMOP_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    assert cache.folder() == tmp_path / "symop"
    monkeypatch.setattr(sys, "platform", "win32")
    assert cache.folder() == tmp_path / "symop"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert cache.folder() == Path.home() / "Library" / "Caches" / "symop"
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache.folder() == Path.home() / ".cache" / "symop"


def test_asking_for_the_folder_makes_nothing(place):
    cache.folder()
    assert not place.exists()


def test_a_missing_folder_is_made_for_its_owner_alone(place):
    before = os.umask(0)
    try:
        assert cache.prepared() == place
    finally:
        os.umask(before)
    assert place.stat().st_mode & 0o777 == 0o700
    assert cache.prepared() == place


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777, 0o1777])
def test_a_folder_that_others_can_write_to_is_refused(place, mode):
    place.mkdir(parents=True)
    place.chmod(mode)
    with pytest.raises(CacheError, match="can be written to by others"):
        cache.prepared()


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o700])
def test_a_folder_that_others_can_read_is_used(place, mode):
    place.mkdir(parents=True)
    place.chmod(mode)
    assert cache.prepared() == place


def test_a_folder_of_another_user_is_refused(place, monkeypatch):
    place.mkdir(parents=True)
    owner = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: owner + 1)
    with pytest.raises(CacheError, match="belongs to another user"):
        cache.prepared()


def test_a_link_is_held_to_what_it_leads_to(place, tmp_path):
    target = tmp_path / "target"
    target.mkdir(mode=0o700)
    place.parent.mkdir()
    place.symlink_to(target)
    assert cache.prepared() == place
    target.chmod(0o777)
    with pytest.raises(CacheError, match="can be written to by others"):
        cache.prepared()


def test_a_link_of_another_user_is_refused(place, tmp_path, monkeypatch):
    target = tmp_path / "target"
    target.mkdir(mode=0o700)
    place.parent.mkdir()
    place.symlink_to(target)
    other = os.stat_result((*place.lstat()[:4], os.getuid() + 1, *place.lstat()[5:]))
    monkeypatch.setattr(Path, "lstat", lambda self: other)
    with pytest.raises(CacheError, match="belongs to another user"):
        cache.prepared()


def test_a_link_to_nothing_is_refused(place, tmp_path):
    place.parent.mkdir()
    place.symlink_to(tmp_path / "nowhere")
    with pytest.raises(CacheError):
        cache.prepared()


def test_a_file_in_the_place_of_the_folder_is_refused(place):
    place.parent.mkdir()
    place.write_text("")
    with pytest.raises(CacheError, match="cannot be made"):
        cache.prepared()


def test_a_folder_that_cannot_be_made_is_an_error(place, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", fail)
    with pytest.raises(CacheError, match=r"Read-only file system.*SYMOP_CACHE"):
        cache.prepared()


def test_a_folder_without_the_right_to_write_is_an_error(place, monkeypatch):
    place.mkdir(parents=True, mode=0o500)
    monkeypatch.setattr(os, "access", lambda *args: False)  # root may write anywhere
    with pytest.raises(CacheError, match="cannot be written to"):
        cache.prepared()


@pytest.mark.parametrize("mode", [0o666, 0o664])
def test_a_file_that_others_can_write_to_is_refused(tmp_path, mode):
    path = tmp_path / "file"
    path.write_text("")
    path.chmod(0o644)
    assert cache.checked(path) == path
    path.chmod(mode)
    with pytest.raises(CacheError, match="can be written to by others"):
        cache.checked(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(CacheError, match="No such file"):
        cache.checked(tmp_path / "file")


def test_writing_replaces_the_whole_file(tmp_path):
    path = tmp_path / "file"
    cache.write(path, b"before")
    with path.open("rb") as reader:
        cache.write(path, b"after")
        assert reader.read() == b"before"
    assert path.read_bytes() == b"after"
    assert path.stat().st_mode & 0o077 == 0
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("step", ["make", "write", "rename"])
def test_a_full_disk_leaves_what_was_there(tmp_path, monkeypatch, step):
    def fail(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "file"
    cache.write(path, b"before")
    where, name = {"make": (tempfile, "mkstemp"), "write": (Path, "write_bytes"),
                   "rename": (Path, "replace")}[step]  # fmt: skip
    monkeypatch.setattr(where, name, fail)
    with pytest.raises(CacheError, match="No space left"):
        cache.write(path, b"after")
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_while_writing_leaves_nothing_behind(tmp_path):
    class Stop(Exception):
        pass

    with pytest.raises(Stop), cache.replacing(tmp_path / "file") as temporary:  # noqa: PT012
        temporary.write_bytes(b"half")
        raise Stop
    assert list(tmp_path.iterdir()) == []


HOLD = """
import sys, time
from pathlib import Path
from symop import cache
with cache.lock(Path(sys.argv[1])) as free:
    assert free
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """A lock and the process that holds it."""
    path = tmp_path / "lock"
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert process.stdout.readline() == "held\n"
    yield path, process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_lock_is_held_by_one_process(holder):
    path, _ = holder
    start = time.monotonic()
    with cache.lock(path, timeout=0.2) as free:
        assert not free
    assert 0.2 <= time.monotonic() - start < 30
    with cache.lock(path, timeout=0) as free:
        assert not free


def test_a_killed_process_gives_its_lock_back(holder):
    path, process = holder
    process.send_signal(signal.SIGKILL)
    process.wait()
    with cache.lock(path, timeout=10) as free:
        assert free


def test_a_lock_is_given_back_at_the_end_of_the_block(tmp_path):
    path = tmp_path / "lock"
    for _ in range(2):
        with cache.lock(path, timeout=0) as free:
            assert free
    with pytest.raises(ValueError, match="stop"), cache.lock(path):
        raise ValueError("stop")
    with cache.lock(path, timeout=0) as free:
        assert free


def test_a_lock_that_cannot_be_made_is_an_error(tmp_path):
    with pytest.raises(CacheError, match="cannot be made"), cache.lock(tmp_path / "no" / "lock"):
        pass


def test_writers_at_once_leave_one_whole_file(tmp_path):
    path = tmp_path / "file"
    write = (
        "import sys; from pathlib import Path; from symop import cache\n"
        "for _ in range(200): cache.write(Path(sys.argv[1]), sys.argv[2].encode() * 10000)"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", write, str(path), letter],
                         env={**os.environ, "PYTHONPATH": str(ROOT)})
        for letter in "ab"
    ]  # fmt: skip
    while any(writer.poll() is None for writer in writers):
        if path.exists():
            content = path.read_bytes()
            assert content in (b"a" * 10000, b"b" * 10000)
    assert [writer.returncode for writer in writers] == [0, 0]
    assert list(tmp_path.iterdir()) == [path]
