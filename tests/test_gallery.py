"""docs/gallery is what its formulas and figures give."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("matplotlib")

from benchmarks import gallery
from benchmarks.gallery_ops import OPS

FIGURES = gallery.load()


@pytest.mark.parametrize("name", OPS)
def test_pages_are_what_would_be_written(name):
    path = gallery.FOLDER / f"{name}.md"
    assert path.read_text(encoding="utf-8") == gallery.page(name, FIGURES["ops"][name])


def numbers(svg):
    return [float(n) for n in re.findall(r"(?<![\w#])-?\d+(?:\.\d+)?", svg)]


def check_picture(name):
    written = (gallery.FOLDER / f"{name}.svg").read_text(encoding="utf-8")
    made = gallery.picture(name, FIGURES["ops"][name])
    shape = r"(?<![\w#])-?\d+(?:\.\d+)?|[0-9a-f]{10}"
    assert re.sub(shape, "#", written) == re.sub(shape, "#", made)
    # Machines differ in the last bit of a curve, and a hundredth of a point may turn on that.
    assert numbers(written) == pytest.approx(numbers(made), abs=0.011)


@pytest.mark.parametrize("name", list(OPS)[::9])
def test_some_plots_are_what_would_be_drawn(name):
    check_picture(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", OPS)
def test_plots_are_what_would_be_drawn(name):
    check_picture(name)


def test_plots_are_small():
    sizes = {p.name: p.stat().st_size for p in gallery.FOLDER.glob("*.svg")}
    assert len(sizes) == len(OPS)
    assert max(sizes.values()) < 60_000


def test_the_index_and_the_folder_hold_the_same_ops():
    assert (gallery.FOLDER / "index.md").read_text(encoding="utf-8") == gallery.index(FIGURES)
    pages = {p.stem for p in gallery.FOLDER.glob("*.md")} - {"index"}
    assert pages == set(OPS) == set(FIGURES["ops"])


def test_every_op_is_as_accurate_as_rounding_allows():
    """No page shows digits that are lost: the median error of every quantity is a few ULP."""
    for name, figures in FIGURES["ops"].items():
        assert figures["accuracy"], name
        for dtype, quantity, median, *_ in figures["accuracy"]:
            assert median < 8, (name, dtype, quantity)


def test_other_formulas_need_other_figures():
    with pytest.raises(SystemExit, match="measure it anew"):
        gallery.page("swish", {**FIGURES["ops"]["swish"], "formula": "x"})


def test_links_lead_to_pages():
    docs = Path(gallery.FOLDER).parent
    for page in docs.rglob("*.md"):
        text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        for link in re.findall(r"\]\(([^)#:]+)\)", text):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_times_are_kept_only_from_a_quiet_machine(monkeypatch, capsys):
    monkeypatch.setattr(gallery, "SIZE", 10)
    monkeypatch.setattr(gallery, "noise", lambda times, load: ["others work too"])
    assert gallery.speed("swish", 0.0) == {}
    assert "no times of swish: others work too" in capsys.readouterr().out
    monkeypatch.setattr(gallery, "noise", lambda times, load: [])
    times = gallery.speed("swish", 0.0)
    assert {mode: len(row) for mode, row in times.items()} == {"forward": 3, "both": 3}
    figures = {k: v for k, v in FIGURES["ops"]["swish"].items() if k != "speed"}
    assert "## Speed" not in gallery.page("swish", figures)
    assert "## Speed" in gallery.page("swish", figures | {"speed": times})
