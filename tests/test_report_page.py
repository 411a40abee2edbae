"""symop report: one page that needs nothing else, and what stands on it."""

from __future__ import annotations

import re
import sys
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest
from click.testing import CliRunner

import symop
from symop import report_page
from symop.benchmarking import Timing
from symop.cli import app
from symop.errors import CallError, FileError
from symop.transform_checks import TRANSFORMS, transform_checks

pytest.importorskip("matplotlib")
pytest.importorskip("docutils")

VOID = {"meta", "br", "img", "link", "input", "hr"}


class Page(HTMLParser):
    """A page whose elements must be closed in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.attributes, self.text = [], [], [], ""
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def text():
    op = symop.compile("where(x < 1, x*exp(x), 1)", name="gate")
    return report_page.report_html(op, benchmark=False)


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


def test_everything_stands_on_the_page(page):
    for title in ("Formula", "Gradients", "Plots", "Accuracy", "Transforms", "Speed", "Code"):
        assert title in page.text
    assert "gate(x)" in page.text
    assert "The op holds" in page.text
    assert page.tags.count("math") == 2
    assert page.tags.count("svg") == 1
    assert "class GateBackward(torch.autograd.Function)" in page.text
    assert "/* out of gate, float32 */" in page.text
    assert "Times were not measured." in page.text
    for name in TRANSFORMS:
        assert name in page.text


def test_nothing_is_loaded_from_elsewhere(page, text):
    for name, value in page.attributes:
        if name in ("src", "href", "xlink:href", "action", "data", "poster", "srcset"):
            assert value.startswith(("#", "data:")), (name, value)
    assert not {"script", "link", "iframe", "object", "img"} & set(page.tags)
    outside = re.findall(r"url\((?!#)[^)]*\)|@import", text)
    assert not outside


def test_kernels_for_the_gpu_are_shown_folded(text):
    shown = re.findall(r"<details><summary>(GPU kernel[^<]*)</summary><pre><code>(.*?)</code>",
                       text, re.DOTALL)  # fmt: skip
    assert [title for title, _ in shown] == ["GPU kernel, forward", "GPU kernel, backward"]
    for _, code in shown:
        assert "@triton.jit\ndef gate_" in code
        assert "tl.store(" in code


def test_launches_of_a_pass_are_counted():
    titles = [s.title for s in report_page._gpu_kernels(symop.compile("sum(exp(x), 1)*w"))]
    assert titles[:2] == [
        "GPU kernel, forward, launch 1 of 2",
        "GPU kernel, forward, launch 2 of 2",
    ]
    assert titles[-1].startswith("GPU kernel, backward, launch")


def test_a_function_without_a_kernel_has_none_on_the_page():
    assert report_page._gpu_kernels(symop.compile("zeta(0.5, x)")) == ()


def test_light_and_dark_and_narrow(text):
    assert "prefers-color-scheme: dark" in text
    assert 'name="viewport"' in text


def test_plots_and_formulas_are_well_formed(text):
    for element in ("svg", "math"):
        for part in re.findall(rf"<{element}.*?</{element}>", text, re.DOTALL):
            ET.fromstring(part)


def test_text_is_escaped(text):
    assert "x &lt; 1" in text
    assert "where(x < 1" not in text


def test_a_hostile_text_does_not_become_markup(monkeypatch):
    op = symop.compile("x**2", name="square")
    evil = "<img src=x onerror=alert(1)>"
    monkeypatch.setattr(type(op), "text", (evil,))
    monkeypatch.setattr(report_page, "show_text", lambda *_, **__: evil)
    monkeypatch.setattr(report_page, "_versions", lambda: evil)
    page = Page(report_page.report_html(op, benchmark=False))
    assert "img" not in page.tags
    assert page.text.count(evil) >= 3


def test_the_page_is_the_same_every_time(text):
    op = symop.compile("where(x < 1, x*exp(x), 1)", name="gate")
    assert report_page.report_html(op, benchmark=False) == text


def test_two_arguments_have_curves_and_a_map():
    plots, note = report_page._plots(symop.compile("x*y"))
    assert [p.count("<image") > 0 for p in plots] == [False, False, True]
    assert not note


def test_an_op_with_reductions_says_what_it_lacks():
    op = symop.compile("softmax(x, -1)")
    page = Page(report_page.report_html(op))
    assert "has no plot" in page.text
    assert "Only elementwise formulas are timed here." in page.text
    assert "loop 3 of 3" in page.text


def test_bars_are_as_long_as_times():
    times = {"1,000 elements": {"symop": Timing(1e-5, 0.0), "eager": Timing(4e-3, 0.0)}}
    ((title, bars),) = report_page._groups(times)
    assert title == "1,000 elements"
    assert [(b.time, b.ratio) for b in bars] == [("10.0 µs", "1.00"), ("4.00 ms", "400.00")]
    assert [b.share for b in bars] == [0.2, 100.0]


def test_a_busy_machine_is_named():
    op = symop.compile("x**2")
    quiet, busy = ({"10": {"symop": Timing(1.0, spread)}} for spread in (0.01, 0.9))
    assert report_page._benchmark_note(op, True, quiet, 0.0) == ""
    assert "not to be relied on" in report_page._benchmark_note(op, True, busy, 0.0)
    assert "load average" in report_page._benchmark_note(op, True, quiet, 1e3)


def test_every_way_is_timed(monkeypatch):
    monkeypatch.setattr(report_page, "_SIZES", (10,))
    page = Page(report_page.report_html(symop.compile("where(m, x, a*x)")))
    for way in ("symop", "Function by hand", "eager torch"):
        assert way in page.text


def test_a_file_is_written(tmp_path):
    path = tmp_path / "deep" / "square.html"
    report_page.write_report(symop.compile("x**2"), path, benchmark=False)
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")
    with pytest.raises(FileError, match="that ends in"):
        report_page.write_report(symop.compile("x**2"), tmp_path, benchmark=False)
    with pytest.raises(FileError, match="cannot be written"):
        report_page.write_report(symop.compile("x**2"), path / "below.html", benchmark=False)


def test_the_command_writes_a_page(tmp_path):
    path = tmp_path / "square.html"
    arguments = ["report", "x**2", "--name", "square", "-o", str(path), "--no-benchmark"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert result.stdout.strip() == str(path)
    assert "square(x)" in path.read_text(encoding="utf-8")


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "symop.drawing", None)
    with pytest.raises(CallError, match=r"pip install .*docutils"):
        report_page.report_html(symop.compile("x**2"), benchmark=False)


def test_a_wrong_gradient_shows_in_the_transforms(monkeypatch):
    op = symop.compile("x**3")
    assert all(transform_checks(op))
    monkeypatch.setattr(op.function, "backward", staticmethod(lambda ctx, grad: 2 * grad))
    found = {c.name: c.fault for c in transform_checks(op)}
    assert found["forward"] == found["forward mode"] == ""
    assert found["backward"] == found["vmap of grad"] == found["checkpoint"] == "differs"
