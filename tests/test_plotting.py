"""symop plot and op.plot: what is drawn, what is refused, and the same file every time."""

from __future__ import annotations

import math
import sys
import xml.etree.ElementTree as ET

import pytest
import torch
from click.testing import CliRunner

import symop
from symop.cli import app
from symop.errors import CallError, FileError
from symop.plotting import errors_over, plot, region_of

pytest.importorskip("matplotlib")

from symop import drawing


def invoke(*arguments):
    return CliRunner().invoke(app, ["plot", *arguments])


def test_a_picture_is_written(tmp_path):
    path = tmp_path / "deep" / "p3.png"
    result = invoke("0.5*(5*x**3-3*x)", "-o", str(path), "--from", "-1", "--to", "1")
    assert result.exit_code == 0, result.output
    assert path.read_bytes().startswith(b"\x89PNG")
    assert result.stdout.strip() == str(path)


def test_other_arguments_are_fixed(tmp_path):
    path = tmp_path / "wave.svg"
    result = invoke("-a*sin(k*x) + where(m, 1, 0)", "-o", str(path), "--at", "a=2", "--at", "k=0.5",
                    "--at", "m=1")  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "<svg" in path.read_text()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["a*b*x", "-o", "f.png"], "--at name=value"),
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


def test_a_value_and_a_range_for_one_argument_are_refused():
    with pytest.raises(CallError, match="both a value and a range"):
        symop.compile("a*x").plot(at={"a": 1.0}, over={"a": (0, 1)})


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.delitem(sys.modules, "symop.drawing")
    monkeypatch.delattr(symop, "drawing")
    with pytest.raises(CallError, match="pip install matplotlib"):
        symop.compile("x**2").plot()


def test_an_unknown_format_is_refused(tmp_path):
    with pytest.raises(FileError, match=r"\.png"):
        symop.compile("x**2").plot(tmp_path / "f.nothing")


def test_the_errors_are_those_of_the_op():
    op = symop.compile("log(1 + exp(x))")
    series = errors_over(op, region_of(op, {}, {"x": (-40, 40)}), torch.float32, 80)
    assert [s.quantity for s in series] == [(0, ()), (0, (0,))]
    assert all(e < 4 for s in series for e in s.errors)


def test_what_the_dtype_cannot_hold_is_no_error():
    op = symop.compile("exp(x)")
    region = region_of(op, {}, {"x": (80, 100)})
    errors = errors_over(op, region, torch.float32, 40)[0].errors
    assert not math.isnan(errors[0])
    assert math.isnan(errors[-1])


@pytest.mark.parametrize(
    ("formula", "names"),
    [
        ("sin(x)", ["out", "∂out/∂x", "∂²out/∂x²"]),
        ("u = a*sin(x); v = a*x", ["u", "∂u/∂x", "∂²u/∂x²", "v", "∂v/∂x", "∂²v/∂x²", "∂u/∂a"]),
    ],
)
def test_curves_are_values_and_derivatives(formula, names):
    op = symop.compile(formula)
    at = {"a": 2.0} if "a" in op.args else {}
    figure = op.plot(at=at, over={"x": (-1, 1)})
    lines = {line.get_label(): line for line in figure.axes[0].get_lines()}
    assert list(lines)[: len(names)] == names
    a = at.get("a", 1.0)
    x, slope = lines[names[1]].get_data()
    assert slope == pytest.approx([a * math.cos(v) for v in x])
    assert lines[names[2]].get_ydata() == pytest.approx([-a * math.sin(v) for v in x])


def test_curves_are_told_apart_without_colours():
    figure = symop.compile("a*sin(b*x + c)").plot(at={"a": 1, "b": 2, "c": 3})
    for axes in figure.axes:
        drawn = [line for line in axes.get_lines() if not line.get_label().startswith("_")]
        styles = [(line.get_linestyle(), line._dash_pattern, line.get_marker()) for line in drawn]
        assert len(set(map(str, styles))) == len(drawn) > 2


def test_two_arguments_make_maps():
    op = symop.compile("x**2*y")
    figure = op.plot(over={"x": (0, 2), "y": (0, 1)})
    images = {a.get_title(): a.images[0] for a in figure.axes if a.images}
    assert list(images) == ["out", "∂out/∂x", "∂out/∂y", "∂²out/∂x∂y", "∂²out/∂x²",
                            "largest error in ULP, float32"]  # fmt: skip
    values = images["∂out/∂x"].get_array()
    # Rows go up along y, columns along x.
    assert values[-1, 0] == 0
    assert values[-1, -1] == pytest.approx(4)
    assert values[0, -1] == 0
    assert tuple(images["out"].get_extent()) == (0, 2, 0, 1)


def test_ranges_end_at_the_domain():
    op = symop.compile("log(x) + y")
    assert region_of(op, {"y": 0.0}).ranges[0][0] > 0
    assert region_of(op, {"x": 1.0}).ranges == ((-5.0, 5.0),)


def test_poles_do_not_flatten_the_picture():
    low, high = drawing._limits([[1 / (k - 50) if k != 50 else 1e300 for k in range(101)]])
    assert -20 < low < high < 20


def test_svg_is_the_same_every_time_and_well_formed(tmp_path):
    op = symop.compile("x*tanh(x)")
    texts = [drawing.svg(op.plot()) for _ in range(2)]
    assert texts[0] == texts[1]
    ET.fromstring(texts[0])
    for name in ("a.svg", "b.svg"):
        op.plot(tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_the_title_is_the_formula():
    figure = plot(op := symop.compile("x**2 + 1"), None, region_of(op, {}))
    assert figure.get_suptitle() == "out = x**2 + 1"
