"""The host of the CPU backend: a C++ extension that runs ops whose loops are C kernels.

It is built once for a version of torch and of Python, into the cache. In: the C++ sources beside
the templates. Out: a module with the class `Host`.
"""

from __future__ import annotations

import hashlib
import importlib.machinery
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from symop import cache
from symop.errors import BuildError, CacheError
from symop.rendering import template_folder

_MODULE = "symop_host"
# Headers of torch need C++20 from 2.13 on; the host itself uses it too.
_FLAGS = (
    "-std=c++20", "-O2", "-fPIC", "-shared", "-fvisibility=hidden", "-w",
    "-DAT_PER_OPERATOR_HEADERS",
)  # fmt: skip
# kMaxArguments and kMaxResults of templates/host_routine.h, whose sets are bits of a word.
MOST_ARGUMENTS, MOST_RESULTS = 62, 31
_lock = threading.Lock()
_loaded: dict[Path, ModuleType] = {}
_started = False


def takes(data: tuple[Any, ...]) -> bool:
    """Whether a routine is not too large for the host.

    Args:
        data: the routine as tuples.
    """
    count, _, tensors, outputs, _, loops, _ = data
    return (
        max(count, len(tensors)) <= MOST_ARGUMENTS
        and len(outputs) <= MOST_RESULTS
        and all(len(inputs) <= MOST_ARGUMENTS and len(results) <= MOST_RESULTS
                for _, _, inputs, results, _ in loops)
    )  # fmt: skip


def load() -> ModuleType | None:
    """The host, if it was built for this torch and this Python and can be loaded; else None.

    No compiler is needed for it, and none is run.
    """
    path = _path(cache.folder())
    with _lock:
        if path not in _loaded:
            try:
                _loaded[path] = _imported(path)
            except (CacheError, ImportError):
                return None  # not remembered: a build may be on its way
        return _loaded[path]


def build(verbose: bool = False) -> Path:
    """Compile the host, unless that was done before; takes a quarter of a minute.

    Args:
        verbose: print the command of the compiler.

    Returns:
        The path of the extension.

    Raises:
        BuildError: there is no C++ compiler, headers are missing, or the compiler failed.
        CacheError: the cache cannot be written to.
    """
    path = _path(cache.prepared())
    with cache.lock(path.with_suffix(".lock")):
        _compile(path, verbose)
    return path


def start_build() -> bool:
    """Compile the host in a process of its own that outlives this one, with low priority.

    Returns:
        Whether a build was started: not if there is one already, the host is there, an earlier
        build has failed, or the cache cannot be used.
    """
    global _started
    try:
        path = _path(cache.prepared())
        with cache.lock(path.with_suffix(".lock"), timeout=0) as free:
            if _started or not free or load() is not None or _failure(path).exists():
                return False
    except CacheError:
        return False
    if sys.platform == "win32" or not sys.executable:
        return False
    _started = True
    nothing = os.open(os.devnull, os.O_RDWR)
    try:
        os.posix_spawn(
            sys.executable,
            [sys.executable, "-c", "from symop.native_host import _background; _background()"],
            {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            file_actions=[(os.POSIX_SPAWN_DUP2, nothing, stream) for stream in range(3)],
            setsid=True,
        )
    except OSError:
        return False  # the system has no room for another process
    finally:
        os.close(nothing)
    return True


def _background() -> None:
    """What the process of `start_build` does; of several that start at once, one."""
    os.nice(19)
    path = _path(cache.prepared())
    with cache.lock(path.with_suffix(".lock"), timeout=0) as free:
        if free:
            try:
                _compile(path, verbose=False)
            except BuildError as error:
                # Without this every process would try again.
                cache.write(_failure(path), str(error).encode())


def _failure(path: Path) -> Path:
    return path.with_suffix(".failed")


def _path(folder: Path) -> Path:
    """Where the host for this torch, this Python and this system lies."""
    digest = hashlib.sha256()
    for source in _sources():
        digest.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    parts = (
        torch.__version__,
        str(torch._C._GLIBCXX_USE_CXX11_ABI),
        sysconfig.get_config_var("SOABI") or sys.version,
        sysconfig.get_platform(),
        *platform.libc_ver(),
        *_FLAGS,
    )
    digest.update("\0".join(parts).encode())
    return folder / f"{_MODULE}-{digest.hexdigest()[:24]}.so"


def _sources() -> list[Path]:
    here = template_folder()
    return sorted([*here.glob("host*.cpp"), *here.glob("host*.h")])


def _imported(path: Path) -> ModuleType:
    cache.checked(path.parent)
    cache.checked(path)
    loader = importlib.machinery.ExtensionFileLoader(_MODULE, str(path))
    spec = importlib.util.spec_from_file_location(_MODULE, path, loader=loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def _compile(path: Path, verbose: bool) -> None:
    if load() is not None:
        return  # a file that cannot be loaded is replaced
    headers, libraries = (Path(torch.__file__).parent / name for name in ("include", "lib"))
    folders = (
        headers,
        headers / "torch" / "csrc" / "api" / "include",
        Path(sysconfig.get_path("include")),
    )
    for header in (folders[1] / "torch" / "version.h", folders[2] / "Python.h"):
        if not header.exists():
            raise BuildError(f"{header} is missing, which the host is compiled against; on Debian "
                             "Python.h comes with the package python3-dev")  # fmt: skip
    with cache.replacing(path) as temporary:
        command = [
            *_compiler(),
            *_FLAGS,
            f"-D_GLIBCXX_USE_CXX11_ABI={int(torch._C._GLIBCXX_USE_CXX11_ABI)}",
            *(f"-isystem{folder}" for folder in folders),
            str(template_folder() / "host.cpp"),
            f"-L{libraries}",
            *("-ltorch_python", "-ltorch_cpu", "-lc10"),
            *(["-undefined", "dynamic_lookup"] if sys.platform == "darwin" else []),
            "-o",
            str(temporary),
        ]
        if verbose:
            print(*command)
        try:
            result = subprocess.run(
                command, capture_output=True, text=True, errors="replace", check=False
            )
        except OSError as error:
            raise BuildError(f"{command[0]} cannot be run ({error.strerror})") from error
        if result.returncode != 0:
            raise BuildError(f"{command[0]} failed on the host of the CPU backend:\n{result.stderr}"
                             f"{' '.join(command)}")  # fmt: skip
        temporary.chmod(0o700)
    if load() is None:
        # Such as a folder from which nothing may be executed.
        try:
            _imported(path)
        except (CacheError, ImportError) as error:
            raise BuildError(f"the host was built, but cannot be loaded: {error}") from error
    _failure(path).unlink(missing_ok=True)


def _compiler() -> list[str]:
    given = os.environ.get("CXX", "").split()
    if given:
        return given
    for name in ("c++", "g++", "clang++"):
        found = shutil.which(name)
        if found:
            return [found]
    raise BuildError("no C++ compiler was found (c++, g++, clang++); install one or name it in CXX")
