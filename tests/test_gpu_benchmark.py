"""The benchmark of the GPU without one: every part runs, and nothing is taken for a figure."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.interpreted import cases

pytest.importorskip("triton")

from benchmarks import gpu, gpu_timing
from benchmarks.gpu_page import PEERS, Cells, Setting, missed, page
from symop.benchmarking import working

ROOT = Path(__file__).parent.parent
HERE = Setting("a device", "1", "torch 0")


def dry_run(*options: str) -> str:
    environment = {k: v for k, v in os.environ.items() if k != "PYTEST_ADDOPTS"}
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.gpu", "--dry-run", *options],
        env=environment, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-4000:]
    assert not gpu.PAGE.exists() or "dry run" not in gpu.PAGE.read_text()
    return run.stdout


@pytest.mark.slow
def test_a_dry_run_goes_from_tests_to_the_page():
    kept = gpu.CELLS.read_bytes() if gpu.CELLS.exists() else None
    said = dry_run("--cases", "E1", "E6 swiglu", "--dtypes", "float32")
    assert "1 passed" in said
    assert "(dry run, interpreter)" in said
    table = said[said.index("### E6 swiglu") :]
    cells = [line.split(" | ") for line in table.splitlines() if "| float32 |" in line]
    assert [c[0] for c in cells] == ["| both", "| forward"]
    for column, peer in enumerate(PEERS, start=5):
        assert bool(cells[1][column].strip(" |")) == (peer not in ("compile", "autotune"))
    assert (gpu.CELLS.read_bytes() if gpu.CELLS.exists() else None) == kept


@pytest.mark.slow
def test_a_dry_run_beside_the_compiler():
    said = dry_run("--no-tests", "--cases", "E1", "--dtypes", "float32", "--peers", "compile",
                   "autotune")  # fmt: skip
    cells = [line.split(" | ") for line in said.splitlines() if line.startswith("| both | float32")]
    assert cells[-1][6].strip()
    assert cells[-1][7].strip()


def test_without_a_gpu_it_says_that_it_skips(monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert gpu.main([]) == 0
    assert "no GPU" in capsys.readouterr().out


def test_kernels_that_are_wrong_are_not_measured(monkeypatch, capsys):
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    monkeypatch.setattr(gpu, "agreed", lambda place, chosen: False)
    monkeypatch.setattr(gpu, "measure", lambda *given: pytest.fail("measured"))
    assert gpu.main(["--dry-run"]) == 1
    assert "nothing was measured" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("interpreted", "available", "expected"),
    [("1", False, ["cpu"]), ("1", True, ["cpu"]), ("0", True, ["cuda"]), ("0", False, [])],
)
def test_the_suite_runs_on_the_device_that_is_there(interpreted, available, expected, monkeypatch):
    monkeypatch.setenv("TRITON_INTERPRET", interpreted)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: available)
    assert cases.devices() == expected


FAST = {"bytes": 100.0, "symop": 1.0, "eager": 2.0, "compile": 1.1, "one op": 1.0}


@pytest.mark.parametrize(
    ("key", "change", "found"),
    [
        ("E1|float32|16000000|forward", {}, None),
        ("E1|float32|16000000|forward", {"bytes": 91.0}, "0.91 of the bandwidth"),
        ("E1|float32|1000000|forward", {"bytes": 91.0}, None),
        ("E1|float32|10000|both", {"autotune": 0.5}, "2.00 times as long as autotune"),
        ("E1|float32|1000|forward", {"one op": 0.5}, "2.00 times one operation"),
        ("E1|float32|1000|both", {"one op": 0.5}, None),
        ("E1|float32|1000|both", {"eager": 0.8}, "1.25 times as long as eager"),
    ],
)
def test_what_is_asked_and_not_reached_is_said(key, change, found):
    lines = missed(Cells(HERE, 100.0, {key: FAST | change}))
    assert len(lines) == (found is not None)
    assert found is None or found in lines[0]
    assert (found or "- nothing") in page(Cells(HERE, 100.0, {key: FAST | change}))


def test_cells_of_another_device_are_not_mixed_in(tmp_path, capsys):
    path = tmp_path / "gpu.json"
    cells = Cells(HERE, 100.0, {"E1|float32|1000|both": FAST})
    path.write_text(gpu.json.dumps(cells.data()))
    assert gpu.loaded(path, HERE) == cells
    assert gpu.loaded(path, Setting("another", "1", "torch 0")).found == {}
    assert "measured anew" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "mode", "tensors"),
    [
        ("E1", "forward", 2),  # x, out
        ("E1", "both", 5),  # and x, the gradients of out and of x
        ("E2", "both", 4 + 2 + 1 + 3),  # saved are w and x
        ("E3", "both", 2 + 1 + 1),  # x is read again, and has no gradient
        ("E7 loss", "both", 2),  # one launch
    ],
)
def test_the_least_bytes_of_a_mode(name, mode, tensors):
    case = gpu.CASES[name]
    op = gpu.symop.compile(case.formula, backend="torch")
    values = gpu_timing.arguments(case, op.args, 10_000, torch.float32, "cpu")
    with torch.no_grad():
        found = gpu_timing.least_bytes(op, values, op(*values), mode)
    assert found == pytest.approx(tensors * 40_000, abs=100)


def test_peers_that_fail_are_left_out(capsys):
    def greedy():
        raise torch.OutOfMemoryError("no memory\nfor this")

    found = working({"a": lambda: lambda: 1, "b": greedy, "c": lambda: greedy}, gpu_timing.left_out)
    assert list(found) == ["a"]
    assert "b is left out: OutOfMemoryError: no memory\n" in capsys.readouterr().out
    with pytest.raises(torch.OutOfMemoryError):
        working({"symop": greedy}, gpu_timing.left_out)


PLACE = gpu_timing.Place("cpu", 1, gpu_timing.wall, 16, 1, 0.0)


def test_what_is_asked_for_is_measured_first_and_kept_at_once(monkeypatch, tmp_path, capsys):
    options = gpu.parsed(["--cases", "E1", "E2", "--modes", "forward", "--dtypes", "float32"])
    measured = []

    def cell(place, name, op, dtype, n, mode, peers):
        measured.append((n, name))
        if (n, name) == (1000, "E2"):
            raise RuntimeError("an illegal instruction")
        return FAST

    monkeypatch.setattr(gpu, "cell", cell)
    path, shown = tmp_path / "gpu.json", tmp_path / "gpu.md"
    is_whole = gpu.measure(PLACE, options, Cells(HERE), gpu.keeping(path, shown))
    assert not is_whole
    assert (
        "E2|float32|1000|forward: RuntimeError: an illegal instruction" in capsys.readouterr().out
    )
    assert measured[:4] == [(16_000_000, "E1"), (16_000_000, "E2"), (1000, "E1"), (1000, "E2")]
    assert len(measured) == 2 * len(gpu.SIZES)
    assert "| forward | float32 | 16,000,000 |" in shown.read_text()
    # Taken up again, it measures what is missing, and ends in time.
    del measured[:]
    cells = gpu.loaded(path, HERE)
    gpu.measure(PLACE, options, cells, gpu.keeping(path, shown))
    assert measured == [(1000, "E2")]
    options.minutes = 1e-9
    gpu.measure(PLACE, options, cells, gpu.keeping(path, shown))
    assert measured == [(1000, "E2")]
    assert "minutes are over" in capsys.readouterr().out
