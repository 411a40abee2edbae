"""Many ops at once: what is made, kept and written, by several processes, and killed on the way."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

import symop
from symop import batch, cache
from symop.cli import app
from symop.errors import CheckError, FileError
from symop.ops_file import read_ops

ROOT = Path(__file__).parent.parent
OPS = """
out = "ops"
tests = "tests"
[ops]
square = "x*x"
fourth = "square(square(x))"
[ops.affine]
formula = "w*x + b"
args = ["x", "w", "b"]
tests = false
"""
FILES = ["ops.toml", "ops/affine.py", "ops/fourth.py", "ops/square.py", "tests/test_fourth.py",
         "tests/test_square.py"]  # fmt: skip


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.setenv("SYMOP_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "ops.toml").write_text(OPS)
    monkeypatch.chdir(folder)
    return folder


def generate(*options):
    return CliRunner().invoke(app, ["generate", "--from", "ops.toml", *options])


def files_in(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def started(folder, *options, **variables):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    command = [sys.executable, "-m", "symop", "generate", "--from", "ops.toml", *options]
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, start_new_session=True)  # fmt: skip


def test_files_are_those_of_generate(project):
    result = generate()
    assert result.exit_code == 0, result.output
    assert files_in(project) == FILES
    square = symop.compile("x*x", name="square")
    fourth = symop.generate("square(square(x))", name="fourth", functions={"square": square})
    placed = fourth.placed(project / "ops", project / "tests")
    assert {p: p.read_text() for p in placed} == placed
    affine = symop.generate("w*x + b", name="affine", args=("x", "w", "b"), tests=False)
    assert (project / "ops" / "affine.py").read_text() == affine.module
    assert result.stdout.splitlines() == [
        "ops/square.py", "tests/test_square.py", "ops/fourth.py", "tests/test_fourth.py",
        "ops/affine.py", "3 ops, 5 files, 5 written",
    ]  # fmt: skip


def test_only_what_changed_is_made_and_written(project, monkeypatch):
    assert generate().exit_code == 0
    before = {name: (project / name).stat().st_mtime_ns for name in FILES}
    made = []
    plain = batch._make
    monkeypatch.setattr(batch, "_make", lambda task: made.append(task.entry.name) or plain(task))
    assert generate().stdout == "3 ops, 5 files, 0 written\n"
    assert made == []
    text = OPS.replace('square = "x*x"', 'square = "x*x*x"')
    (project / "ops.toml").write_text(text)
    assert generate().exit_code == 0
    # What calls an op changes with it.
    assert made == ["square", "fourth"]
    after = {name: (project / name).stat().st_mtime_ns for name in FILES}
    assert {name for name in FILES if after[name] != before[name]} == {
        "ops.toml", "ops/square.py", "tests/test_square.py", "ops/fourth.py", "tests/test_fourth.py"
    }  # fmt: skip


def test_a_file_that_was_changed_by_hand_is_written_again(project):
    assert generate().exit_code == 0
    path = project / "ops" / "square.py"
    text = path.read_text()
    path.write_text(text.replace("x * x", "x + x"))
    assert generate().stdout == "ops/square.py\n3 ops, 5 files, 1 written\n"
    assert path.read_text() == text


def test_check_writes_nothing_and_tells_the_difference(project):
    missing = generate("--check")
    assert missing.exit_code == 1
    assert files_in(project) == ["ops.toml"]
    assert "--- /dev/null\n+++ ops/square.py\n" in missing.stdout
    assert "5 of 5 files" in missing.stderr
    generate()
    same = generate("--check")
    assert (same.exit_code, same.output) == (0, "")
    path = project / "ops" / "affine.py"
    changed = path.read_text().replace("w * x", "x * w")
    path.write_text(changed)
    other = generate("--check")
    assert other.exit_code == 1
    assert other.stdout.startswith("--- ops/affine.py\n+++ ops/affine.py\n@@")
    assert "square" not in other.stdout
    assert path.read_text() == changed
    quiet = generate("--check", "--quiet")
    assert (quiet.exit_code, quiet.output) == (1, "")


def test_check_as_json(project):
    generate()
    (project / "ops" / "square.py").unlink()
    result = generate("--check", "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert found["current"] is False
    states = {entry["path"]: entry["state"] for entry in found["files"]}
    assert states.pop("ops/square.py") == "missing"
    assert set(states.values()) == {"current"}


LEFT = ["ops/square.py", "tests/test_square.py"]


@pytest.fixture
def smaller(project):
    """A project whose file has lost an op, with files that look like those of it and are not."""
    generate()
    text = OPS.replace('square = "x*x"\n', "").replace("square(square(x))", "x**4")
    (project / "ops.toml").write_text(text)
    ops = project / "ops"
    written = (ops / "square.py").read_text()
    (ops / "renamed.py").write_text(written)
    (ops / "square.txt").write_text(written)
    (ops / "mine.py").write_text('"""What is generated by symop."""\n')
    (ops / "damaged.py").write_bytes(b"\xff\n")
    (ops / "link.py").symlink_to(ops / "square.py")
    (ops / "below").mkdir()
    (ops / "below" / "square.py").write_text(written)
    (project / "square.py").write_text(written)
    return project


def test_files_of_ops_that_are_gone_are_named_and_kept(smaller):
    result = generate()
    assert result.exit_code == 0, result.output
    assert "files of symop that no op of ops.toml makes: 2. " in result.stderr
    command = result.stderr.splitlines()[-1]
    assert shlex.split(command) == ["rm", *LEFT]
    assert all((smaller / path).exists() for path in LEFT)
    quiet = generate("--quiet")
    assert (quiet.exit_code, quiet.output) == (0, "")
    subprocess.run(command, shell=True, check=True)
    assert generate().stderr == ""


def test_a_check_names_files_of_ops_that_are_gone_and_does_not_fail_for_them(smaller):
    assert generate().exit_code == 0
    result = generate("--check")
    assert result.exit_code == 0
    assert "no op of ops.toml makes: 2. " in result.stderr
    found = json.loads(generate("--check", "--json").stdout)
    assert found["current"] is True
    assert [f["path"] for f in found["files"] if f["state"] == "left behind"] == LEFT


def test_a_project_without_leftovers_says_nothing_of_them(project):
    assert generate().stderr == ""
    assert generate("--check").stderr == ""


def test_a_check_of_current_files_does_not_import_torch(project):
    generate()
    script = (
        "import sys\nfrom symop.cli import app\n"
        "try:\n    app(['generate', '--from', 'ops.toml', '--check'])\n"
        "except SystemExit as error:\n    print(error.code, 'torch' in sys.modules)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    found = subprocess.run([sys.executable, "-c", script], env=environment, cwd=project,
                           capture_output=True, text=True, check=True)  # fmt: skip
    assert found.stdout == "0 False\n"


def test_a_refused_formula_is_named_and_nothing_is_written(project):
    text = OPS + '[ops.wrong]\nformula = "sine(x)"\n[ops.other]\nformula = "x +"\n'
    (project / "ops.toml").write_text(text)
    result = generate()
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "ops.toml: ops.wrong: unknown function sine" in result.stderr
    assert "\n    sine(x)\n    ^" in result.stderr
    assert "ops.toml: ops.other: " in result.stderr
    assert files_in(project) == ["ops.toml"]


def test_a_file_of_someone_else_stops_everything(project):
    (project / "ops").mkdir()
    (project / "ops" / "affine.py").write_text("mine = 1\n")
    result = generate()
    assert result.exit_code == 2
    assert "not written by symop" in result.stderr
    assert files_in(project) == ["ops.toml", "ops/affine.py"]
    assert generate("--force").exit_code == 0
    assert "class Affine" in (project / "ops" / "affine.py").read_text()


def test_without_a_cache_everything_is_made_each_time(project, monkeypatch):
    monkeypatch.setenv("SYMOP_CACHE", "/dev/null/none")
    assert generate().exit_code == 0
    assert generate().stdout == "3 ops, 5 files, 0 written\n"


@pytest.mark.parametrize("damage", [b"", b"{}", b"\xff", b'{"files": 3, "note": ""}'])
def test_what_is_kept_and_damaged_is_made_again(project, damage):
    generate()
    kept = list(cache.folder().glob("generated-*.json"))
    assert len(kept) == 3
    for path in kept:
        path.write_bytes(damage)
    assert generate("--check").exit_code == 0


def test_what_others_could_have_written_is_not_read(project):
    generate()
    for path in cache.folder().glob("generated-*.json"):
        found = json.loads(path.read_text())
        found["files"] = dict.fromkeys(found["files"], "planted")
        path.write_text(json.dumps(found))
        path.chmod(0o666)
    assert generate("--check").exit_code == 0


def test_another_symop_makes_everything_anew(project, monkeypatch):
    ops = read_ops(project / "ops.toml")
    task = batch._Task(ops.entries["square"], ())
    before = batch._key(task)
    monkeypatch.setattr(batch, "_known", ["another digest"])
    assert batch._key(task) != before


def test_keys_tell_apart_what_gives_other_files(project):
    def keys(text):
        (project / "ops.toml").write_text(text)
        ops = read_ops(project / "ops.toml")
        return {n: batch._key(batch._Task(e, tuple(ops.needed_by(n))))
                for n, e in ops.entries.items()}  # fmt: skip

    base = keys(OPS)
    for old, new, changed in [
        ('"x*x"', '"x*x "', {"square", "fourth"}),
        ('tests = "tests"', 'tests = "other/tests"', {"square", "fourth"}),
        ('["x", "w", "b"]', '["w", "x", "b"]', {"affine"}),
        ("tests = false", 'precision = "high"\ntests = false', {"affine"}),
    ]:
        found = keys(OPS.replace(old, new))
        assert {name for name in base if found[name] != base[name]} == changed
    assert keys(OPS) == base


def test_several_processes_give_the_same(project):
    done = started(project, "--jobs", "2")
    assert done.wait(120) == 0, done.stderr.read()
    done.communicate()
    many = {name: (project / name).read_text() for name in FILES}
    cache.clear()
    assert generate("--check").exit_code == 0
    assert {name: (project / name).read_text() for name in FILES} == many


def test_two_runs_at_once_leave_whole_files(project):
    runs = [started(project, "--jobs", "2") for _ in range(2)]
    for run in runs:
        out, error = run.communicate(timeout=180)
        assert run.returncode == 0, error
        assert "3 ops, 5 files" in out
    assert files_in(project) == FILES
    assert generate("--check").exit_code == 0


@pytest.mark.parametrize(
    "number",
    [
        signal.SIGKILL,
        pytest.param(signal.SIGTERM, marks=pytest.mark.slow),
        pytest.param(signal.SIGINT, marks=pytest.mark.slow),
    ],
)
def test_a_run_that_is_killed_leaves_whole_files_and_no_process(project, number):
    lines = [f'op_{k} = "{k}*x + sin(x)"' for k in range(2, 40)]
    (project / "ops.toml").write_text("[ops]\n" + "\n".join(lines))
    run = started(project, "--jobs", "2")
    end = time.monotonic() + 100
    while not list(cache.folder().glob("generated-*.json")) and time.monotonic() < end:
        time.sleep(0.02)
    workers = children(run.pid)
    assert workers
    if number == signal.SIGINT:
        # A terminal tells every process that it runs in front of the others.
        os.killpg(run.pid, number)
    else:
        run.send_signal(number)
    out, error = run.communicate(timeout=20)
    assert "Traceback" not in error
    assert run.returncode == {signal.SIGTERM: 143, signal.SIGKILL: -9, signal.SIGINT: 130}[number]
    assert "written" not in out
    assert files_in(project) == ["ops.toml"]
    end = time.monotonic() + 60
    while any(map(is_running, workers)) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(map(is_running, workers))
    assert generate().exit_code == 0
    assert generate("--check").exit_code == 0


def children(pid):
    found = Path(f"/proc/{pid}/task/{pid}/children")
    if not found.exists():
        pytest.skip("the system does not tell which processes a process started")
    return [int(text) for text in found.read_text().split()]


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def test_a_fault_of_symop_itself_has_an_exit_code_of_its_own(project, monkeypatch):
    def fail(*_, **__):
        raise CheckError("off by 2")

    monkeypatch.setattr("symop.artifact.test_view", fail)
    result = generate()
    assert result.exit_code == 3
    assert "ops.square: off by 2" in result.stderr
    assert "please report it" in result.stderr


def test_refusals_of_several_processes(project):
    (project / "ops.toml").write_text('[ops]\na = "sine(x)"\nb = "cosine(x)"\nc = "x*x"\n')
    with pytest.raises(FileError) as caught:
        batch.made(read_ops(project / "ops.toml"), jobs=2)
    assert "ops.a: unknown function sine" in str(caught.value)
    assert "ops.b: unknown function cosine" in str(caught.value)
