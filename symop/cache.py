"""The folder in which compiled files are kept between processes, and the rules for it.

What lies there is loaded as machine code, so only its owner may write to it. Files appear by
renaming, complete or not at all; whoever writes holds a lock, which the system takes back from a
process that is killed.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from symop.errors import CacheError

try:
    import fcntl
except ImportError:  # Windows, where nothing is compiled
    fcntl = None  # type: ignore[assignment]

_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def folder() -> Path:
    """Where compiled files are kept; the folder may not exist yet.

    `$SYMOP_CACHE`, or `symop` in the user's folder for caches: `$XDG_CACHE_HOME` or `~/.cache`,
    `~/Library/Caches` on macOS, `%LOCALAPPDATA%` on Windows.
    """
    given = os.environ.get("SYMOP_CACHE")
    if given:
        return Path(given).expanduser().absolute()
    if sys.platform == "darwin":
        caches = Path("~/Library/Caches")
    elif sys.platform == "win32":
        caches = Path(os.environ.get("LOCALAPPDATA") or "~/AppData/Local")
    else:
        caches = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
    return caches.expanduser().absolute() / "symop"


def checked(path: Path) -> Path:
    """The path, if only its owner can change what lies there.

    Args:
        path: a file or a folder; a link must be ours, and so must what it leads to.

    Raises:
        CacheError: it is missing, belongs to somebody else, or others may write to it.
    """
    try:
        found = [path.lstat(), path.stat()]
    except OSError as error:
        raise CacheError(f"{path} cannot be used as a cache ({error.strerror})") from error
    if not hasattr(os, "getuid"):
        return path
    if any(entry.st_uid != os.getuid() for entry in found):
        raise CacheError(f"{path} belongs to another user; code from there is not loaded. Set "
                         "SYMOP_CACHE to a folder of your own")  # fmt: skip
    if found[1].st_mode & _OTHERS:
        raise CacheError(f"{path} can be written to by others; code from there is not loaded. "
                         "`chmod go-w` on it repairs that")  # fmt: skip
    return path


def prepared() -> Path:
    """The folder, made if it was missing, with rights for the owner alone.

    Raises:
        CacheError: it cannot be made or written to, or is not ours alone.
    """
    path = folder()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CacheError(f"{path} cannot be made ({error.strerror}); set SYMOP_CACHE to a folder "
                         "that can be written to") from error  # fmt: skip
    if not path.is_dir():
        raise CacheError(f"{path} is not a folder")
    checked(path)
    if not os.access(path, os.W_OK | os.X_OK):
        raise CacheError(f"{path} cannot be written to; set SYMOP_CACHE to a folder that can")
    return path


# What symop and the modules that it writes put there; nothing else is counted or removed.
_OURS = ("kernel-*.so", "kernel-*.sum", "kernel-*.lock", "symop_host-*", ".kernel-*.tmp",
         ".symop_host-*.tmp", "generate-*.lock", "generated-*.json", ".generated-*.tmp",
         "loop-*.so", "loop-*.sum", "tuned-*.json", "tuned.lock", ".tuned-*.tmp")  # fmt: skip
# Folders in which generated modules compile; one is left behind by a process that was killed.
_BUILDING = ".build-*"


def files() -> list[Path]:
    """The files that symop, and the modules that it writes, keep in the folder."""
    patterns = (*_OURS, f"{_BUILDING}/*")
    return sorted(p for pattern in patterns for p in folder().glob(pattern) if p.is_file())


def clear() -> int:
    """Remove the files that `files` gives; how many they were.

    A process that has loaded one of them goes on with it; a generated module that compiles just
    then goes on with the operations of torch.

    Raises:
        CacheError: the folder is not ours alone, or a file cannot be removed.
    """
    found = files()
    if found:
        checked(folder())
    for path in found:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise CacheError(f"{path} cannot be removed ({error.strerror})") from error
    for path in folder().glob(_BUILDING):
        # What lies there and is no file is none of ours.
        with contextlib.suppress(OSError):
            path.rmdir()
    return len(found)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file beside `path` to write to, which takes its place when the block ends well.

    Raises:
        CacheError: there is no space, or no right to write.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
        os.close(handle)
    except OSError as error:
        raise CacheError(f"{path} cannot be written ({error.strerror})") from error
    temporary = Path(name)
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        if isinstance(error, CacheError):
            raise
        raise CacheError(f"{path} cannot be written ({error.strerror})") from error
    finally:
        temporary.unlink(missing_ok=True)


def write(path: Path, content: bytes) -> None:
    """Write a file that others see whole or not at all.

    Raises:
        CacheError: there is no space, or no right to write.
    """
    with replacing(path) as temporary:
        temporary.write_bytes(content)


@contextlib.contextmanager
def lock(path: Path, timeout: float | None = None) -> Iterator[bool]:
    """Hold a lock while the block runs; whether it was had.

    Args:
        path: a file of its own for the lock; it is made, and stays.
        timeout: seconds to wait for whoever holds it; None waits as long as it takes.

    Raises:
        CacheError: the file cannot be made, or the file system has no locks.
    """
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise CacheError(f"{path} cannot be made ({error.strerror})") from error
    try:
        try:
            is_had = _locked(handle, timeout)
        except OSError as error:
            raise CacheError(f"{path} cannot be locked ({error.strerror})") from error
        yield is_had
    finally:
        # Closing gives the lock back, as does the end of the process, however it comes.
        os.close(handle)


def _locked(handle: int, timeout: float | None) -> bool:
    if fcntl is None:
        return True
    if timeout is None:
        fcntl.flock(handle, fcntl.LOCK_EX)
        return True
    end = time.monotonic() + timeout
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= end:
                return False
            time.sleep(0.02)
