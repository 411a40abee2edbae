"""C text as a shared library, built when first needed and kept for every later process."""

from __future__ import annotations

import atexit
import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
from functools import cache as remembered
from pathlib import Path
from typing import Any

from symop import cache
from symop.errors import BuildError, CacheError

# No contraction: what is fused is written as such, so that every variant of a kernel rounds alike.
# No threading of jumps: it copies what follows a choice into both branches before the loop is
# vectorised, where both are computed; up to four times as much, and of numbers that vanish.
# No copies of a loop for choices that all elements share: some of them are not vectorised.
FLAGS = (
    "-std=gnu11", "-O3", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off",
    "-fno-thread-jumps", "-fno-unswitch-loops", "-fPIC", "-shared", "-fvisibility=hidden",
)  # fmt: skip
_LOCAL_FLAGS = {"x86_64": ("-march=native", "-mprefer-vector-width=512"),
                "AMD64": ("-march=native", "-mprefer-vector-width=512"),
                "aarch64": ("-mcpu=native",), "arm64": ("-mcpu=native",)}  # fmt: skip
# Set for file systems from which nothing may be executed; only Linux tells.
_NOEXEC = getattr(os, "ST_NOEXEC", 0)
_loading = threading.Lock()


def loaded(text: str) -> Any:
    """The shared library of a C text.

    Raises:
        BuildError: there is no C compiler, or it refused the text; the message is the compiler's,
            with the line of the text that it is about.
    """
    with _loading:
        path = _library(text)
        try:
            return ctypes.CDLL(str(path))
        except OSError:
            # Not a library of this machine any more; what replaces it is.
            path.unlink(missing_ok=True)
        path = _library(text)
        try:
            return ctypes.CDLL(str(path))
        except OSError as error:
            # Without the path of the library, which is another one each time.
            problem = str(error).rpartition(": ")[2]
            what = f"what {' '.join(compiler())} wrote cannot be loaded ({problem})"
            raise BuildError(what) from error


def _library(text: str) -> Path:
    key = hashlib.sha256("\0".join([text, *_conditions()]).encode()).hexdigest()[:32]
    try:
        folder = cache.prepared()
        if os.statvfs(folder).f_flag & _NOEXEC:
            raise CacheError(f"no library in {folder} may be loaded")
        path = folder / f"kernel-{key}.so"
        if _is_whole(path):
            return path
        # Sixteen locks are enough for builds side by side, and are never taken away.
        with cache.lock(folder / f"kernel-{key[0]}.lock"):
            if not _is_whole(path):
                _build(text, path)
        return path
    except CacheError:
        path = _own_folder() / f"kernel-{key}.so"
        try:
            if not path.exists():
                _build(text, path)
        except CacheError as error:
            raise BuildError(str(error)) from error
        return path


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _is_whole(path: Path) -> bool:
    """Whether a library is there, ours alone, and what the compiler once wrote."""
    try:
        cache.checked(path)
        return path.with_suffix(".sum").read_text() == _digest(path)
    except (CacheError, OSError):
        return False


def _build(text: str, path: Path) -> None:
    try:
        content = _compiled(text)
    except OSError as error:
        raise BuildError(f"there is no folder to compile in ({error}); TMPDIR names one") from error
    cache.write(path.with_suffix(".sum"), hashlib.sha256(content).hexdigest().encode())
    with cache.replacing(path) as temporary:
        temporary.write_bytes(content)
        temporary.chmod(0o700)


def _compiled(text: str) -> bytes:
    """What the compiler makes of a C text."""
    with tempfile.TemporaryDirectory(prefix="symop-") as folder:
        # Names without a folder: what the compiler says is the same each time.
        (Path(folder) / "kernel.c").write_text(text)
        command = [*compiler(), *flags(), "kernel.c", "-o", "kernel.so", "-lm"]
        done = _run(command, folder)
        if done.returncode and "-fopenmp" in command:
            # A compiler without OpenMP, as Apple's: one thread.
            command.remove("-fopenmp")
            retried = _run(command, folder)
            done = retried if retried.returncode == 0 else done
        library = Path(folder) / "kernel.so"
        if done.returncode or not library.is_file():
            said = done.stderr.strip() or f"it ended with {done.returncode}, and wrote nothing"
            raise BuildError(f"{' '.join(command)}\nfailed:\n{said}")
        return library.read_bytes()


def _run(command: list[str], folder: str) -> Any:
    try:
        return subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except OSError as error:
        raise BuildError(f"{command[0]} cannot be run ({error.strerror})") from error


def compiler() -> list[str]:
    """The command of the C compiler: its path, and the options that CC gives it.

    Raises:
        BuildError: there is none.
    """
    given = os.environ.get("CC", "")
    for name, *options in [given.split()] if given.strip() else [["cc"], ["gcc"], ["clang"]]:
        found = shutil.which(name)
        if found:
            return [found, *options]
    raise BuildError(
        f"CC is {given!r}, which cannot be run" if given.strip()
        else "no C compiler was found (cc, gcc, clang); install one or name it in CC"
    )  # fmt: skip


def flags() -> tuple[str, ...]:
    """The flags that kernels are compiled with on this machine."""
    return (*FLAGS, *_LOCAL_FLAGS.get(platform.machine(), ()), "-fopenmp")


def _conditions() -> list[str]:
    """What a library depends on beside its text: the compiler, its flags, the processor."""
    command = compiler()
    found = Path(command[0]).stat()
    return [*command, str(found.st_size), str(found.st_mtime_ns), *flags(), _processor()]


@remembered
def _processor() -> str:
    """The instructions that the processor has, as far as the system tells."""
    if sys.platform == "linux":
        try:
            with Path("/proc/cpuinfo").open() as lines:
                for line in lines:
                    if line.startswith(("flags", "Features")):
                        return line
        except OSError:
            pass
    return platform.processor() + platform.machine()


@remembered
def _own_folder() -> Path:
    """A folder of this process, where the cache cannot be used."""
    try:
        folder = Path(tempfile.mkdtemp(prefix="symop-"))
    except OSError as error:
        raise BuildError(f"there is no folder to compile in ({error}); TMPDIR names one") from error
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
