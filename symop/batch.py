"""Many ops at once: the files of a file of ops, made by several processes and kept.

What was made is kept in the cache under the digest of everything that it depends on, so that only
ops that changed are made again, and a check of files that are up to date does not import torch.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from multiprocessing import active_children, get_context, parent_process
from pathlib import Path
from typing import Any

from symop import cache, files
from symop.errors import CacheError, CheckError, FileError, SymopError
from symop.ops_file import Entry, OpsFile
from symop.rendering import template_folder

# What a generated text depends on beside symop.
_PACKAGES = ("torch", "sympy", "mpmath", "numpy", "jinja2")


@dataclass(frozen=True)
class Made:
    """The files of one op.

    placed: the texts by their paths.
    note: why its module carries no fused loops, where they were to be carried if possible.
    """

    name: str
    placed: Mapping[Path, str]
    note: str = ""


@dataclass(frozen=True)
class _Task:
    """What a process needs to make the files of an op: picklable, and the digest of itself."""

    entry: Entry
    needed: tuple[Entry, ...]


@dataclass(frozen=True)
class _Refusal:
    """Why the files of an op cannot be made.

    is_fault: what symop would write disagrees with the formula.
    """

    message: str
    is_fault: bool


def made(ops: OpsFile, *, jobs: int = 1, done: Callable[[str], object] = str) -> list[Made]:
    """The files of all ops of a file, as text.

    Args:
        ops: what `read_ops` returned.
        jobs: how many processes make them.
        done: called with the name of an op when its files are made.

    Raises:
        FileError: formulas are refused; the message has all of them.
        CheckError: what symop would write for one disagrees with it; a fault in symop.
    """
    tasks = {name: _Task(e, tuple(ops.needed_by(name))) for name, e in ops.entries.items()}
    keys = {name: _key(task) for name, task in tasks.items()}
    found: dict[str, Made] = {}
    for name, task in tasks.items():
        kept = _kept(keys[name], task.entry)
        if kept is not None:
            found[name] = kept
            done(name)
    refused: dict[str, _Refusal] = {}
    for name, result in _results({n: t for n, t in tasks.items() if n not in found}, jobs):
        if isinstance(result, _Refusal):
            refused[name] = result
        else:
            found[name] = result
            _keep(keys[name], result)
        done(name)
    if refused:
        said = "\n".join(
            f"{ops.path}: ops.{name}: {refused[name].message}" for name in tasks if name in refused
        )
        raise (CheckError if any(r.is_fault for r in refused.values()) else FileError)(said)
    return [found[name] for name in tasks]


def write(ops: OpsFile, placed: Mapping[Path, str], *, force: bool = False) -> list[Path]:
    """Write files that are not what they should be; the paths of those that were written.

    Runs side by side take turns, so that a module and its test are of one run.

    Raises:
        FileError: a file stands in the way that symop did not write; nothing is written.
    """
    with _turn(ops.path):
        return files.write(placed, force=force)


def left_behind(ops: OpsFile, results: Sequence[Made]) -> list[Path]:
    """The files beside those of the ops that symop wrote once, and that no op of the file makes.

    Args:
        ops: what `read_ops` returned.
        results: what `made` returned for it.
    """
    entries = ops.entries.values()
    folders = [folder for e in entries for folder in (e.folder, e.tests_folder) if folder]
    return files.left_behind(folders, [path for made in results for path in made.placed])


@contextmanager
def _turn(path: Path) -> Iterator[None]:
    """Wait until no other run writes the files of the same file of ops."""
    name = hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:16]
    try:
        lock = cache.prepared() / f"generate-{name}.lock"
    except CacheError:
        # Each file is still replaced whole.
        yield
        return
    with cache.lock(lock):
        yield


def _results(tasks: Mapping[str, _Task], jobs: int) -> Iterator[tuple[str, Made | _Refusal]]:
    """The files of each op, or why it is refused, as they come."""
    if min(jobs, len(tasks)) <= 1:
        for name, task in tasks.items():
            yield name, _make(task)
        return
    # A process that is forked from one with threads, as torch has, may hang.
    count = min(jobs, len(tasks))
    others = set(active_children())
    with ProcessPoolExecutor(count, get_context("spawn"), _end_with_parent) as pool:
        try:
            with _without_interrupts():
                running = {pool.submit(_make, task): name for name, task in tasks.items()}
            for future in as_completed(running):
                yield running[future], future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            # What they make now, nobody waits for.
            for process in set(active_children()) - others:
                process.terminate()
            raise


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Ignore Ctrl-C, and let processes that are started ignore it: the terminal tells all of them.

    The one that started them ends them; each would print where it was interrupted.
    """
    try:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    except ValueError:
        # Only the main thread has a say in signals.
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _end_with_parent() -> None:
    """End this process when the one that started it is killed, and cannot say so."""
    parent = parent_process()
    assert parent is not None

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _make(task: _Task) -> Made | _Refusal:
    """The files of an op, or why it is refused."""
    from symop import api

    known: dict[str, Any] = {}
    entry = task.entry
    try:
        for other in task.needed:
            known[other.name] = api.compile(
                other.formula, args=other.args, outputs=other.outputs, name=other.name,
                functions={n: known[n] for n in other.calls}, backend="torch",
            )  # fmt: skip
        made = api.generate(
            entry.formula, name=entry.name, args=entry.args, outputs=entry.outputs,
            functions={n: known[n] for n in entry.calls}, backends=entry.backends,
            tests=entry.tests_folder is not None, precision=entry.precision,
        )  # fmt: skip
    except SymopError as error:
        return _Refusal(str(error), isinstance(error, CheckError))
    return Made(entry.name, made.placed(entry.folder, entry.tests_folder), made.note)


# What was made before


def _key(task: _Task) -> str:
    """The digest of everything that the files of an op depend on."""
    entry = task.entry
    between = os.path.relpath(entry.tests_folder or entry.folder, entry.folder)
    parts = [
        {k: v for k, v in asdict(e).items() if k not in ("folder", "tests_folder")}
        for e in (entry, *task.needed)
    ]
    text = json.dumps([parts, between, entry.tests_folder is None, _symop()], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


_known: list[str] = []


def _symop() -> str:
    """The digest of symop itself, and of the versions of what it works with."""
    if not _known:
        digest = hashlib.sha256(sys.version.encode())
        for package in _PACKAGES:
            with suppress(PackageNotFoundError):
                digest.update(f"{package} {version(package)}".encode())
        sources = [*Path(__file__).parent.rglob("*.py"), *template_folder().glob("*.*")]
        for path in sorted(sources):
            digest.update(path.name.encode() + path.read_bytes())
        _known.append(digest.hexdigest())
    return _known[0]


def _kept(key: str, entry: Entry) -> Made | None:
    """What was made of an op before, None where that is not known."""
    with suppress(CacheError, OSError, ValueError, KeyError, TypeError):
        path = cache.checked(cache.folder() / f"generated-{key}.json")
        cache.checked(path.parent)
        found = json.loads(path.read_text(encoding="utf-8"))
        folders = {f"{entry.name}.py": entry.folder}
        if entry.tests_folder is not None:
            folders[f"test_{entry.name}.py"] = entry.tests_folder
        placed = {folder / file: str(found["files"][file]) for file, folder in folders.items()}
        return Made(entry.name, placed, str(found["note"]))
    return None


def _keep(key: str, result: Made) -> None:
    texts = {path.name: text for path, text in result.placed.items()}
    content = json.dumps({"files": texts, "note": result.note})
    with suppress(CacheError):
        cache.write(cache.prepared() / f"generated-{key}.json", content.encode())
