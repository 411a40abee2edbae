"""symop plot: what is drawn, and what is refused."""

from __future__ import annotations

import math
import sys

import pytest
import torch
from typer.testing import CliRunner

import symop
from symop.cli import app
from symop.errors import CallError, FileError
from symop.plotting import errors_along, line_of, plot


def invoke(*arguments):
    return CliRunner().invoke(app, ["plot", *arguments])


def test_a_picture_is_written(tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "deep" / "p3.png"
    result = invoke("0.5*(5*x**3-3*x)", "-o", str(path), "--from", "-1", "--to", "1")
    assert result.exit_code == 0, result.output
    assert path.read_bytes().startswith(b"\x89PNG")
    assert result.stdout.strip() == str(path)


def test_other_arguments_are_fixed(tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "wave.svg"
    result = invoke("-a*sin(k*x) + where(m, 1, 0)", "-o", str(path), "--at", "a=2", "--at", "k=0.5",
                    "--at", "m=1")  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "<svg" in path.read_text()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["a*x", "-o", "f.png"], "--at name=value"),
        (["a*x", "-o", "f.png", "--at", "b=1"], "no argument b"),
        (["a*x", "-o", "f.png", "--at", "a"], "name=value"),
        (["x", "-o", "f.png", "--at", "x=1"], "none is left"),
        (["x", "-o", "f.png", "--from", "2", "--to", "1"], "the smaller first"),
        (["where(m, x, 1)", "-o", "f.png", "--at", "x=1"], "is a mask"),
        (["sum(x, -1)", "-o", "f.png"], "reductions"),
    ],
)
def test_what_cannot_be_plotted_is_refused(arguments, reason, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert reason in " ".join(result.stderr.split())
    assert not list(tmp_path.iterdir())


def test_without_matplotlib_the_extra_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    op = symop.compile("x**2")
    with pytest.raises(CallError, match=r"symop-torch\[plot\]"):
        plot(op, tmp_path / "f.png", line_of(op, {}, -1, 1))


def test_an_unknown_format_is_refused(tmp_path):
    pytest.importorskip("matplotlib")
    op = symop.compile("x**2")
    with pytest.raises(FileError, match=r"\.png"):
        plot(op, tmp_path / "f.nothing", line_of(op, {}, -1, 1))


def test_the_errors_are_those_of_the_op():
    op = symop.compile("log(1 + exp(x))")
    line = line_of(op, {}, -40, 40)
    good = errors_along(op, line, torch.float32)
    assert set(good) == {(0, ()), (0, (0,))}
    assert all(e < 4 for errors in good.values() for e in errors)


def test_what_the_dtype_cannot_hold_is_no_error():
    op = symop.compile("exp(x)")
    errors = errors_along(op, line_of(op, {}, 80, 100), torch.float32)[0, ()]
    assert not math.isnan(errors[0])
    assert math.isnan(errors[-1])
