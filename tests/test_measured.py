"""Figures come from scripts: docs/measured.md names them, and prose has no measured numbers."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
ROW = re.compile(r"^\| \[\]\((\S+)\) \| (.*) \| (.*) \|$", re.MULTILINE)
PAGES = {page: command for page, _, command in ROW.findall((DOCS / "measured.md").read_text())}
WRITTEN = {page: command.strip("`") for page, command in PAGES.items() if command}
# Pages of words; what numbers stand in their tables were not measured.
WORDS = {"how_to/command_line.md"}
FIGURE = re.compile(r"^\|.*\| *[\d.,]*\d *\|", re.MULTILINE)
MEASURED = re.compile(
    r"\d (?:%|ULP\b|[nmuµ]?s\b|seconds?\b|minutes?\b|[kMG]B\b|times (?:faster|slower))"
    r"|\b(?:half|quarter|third|fifth|tenth|twentieth) of an? (?:second|minute)\b|\d%"
)


def prose(text):
    """What a page says outside of its blocks, tables and inline code."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"^\|.*", "", text, flags=re.MULTILINE)
    return re.sub(r"`[^`\n]*`", "", text)


@pytest.mark.parametrize("page", WRITTEN)
def test_a_page_and_its_script_name_each_other(page):
    module = re.match(r"python -m ((?:benchmarks|tests)\.\w+)", WRITTEN[page])[1]
    script = Path(importlib.util.find_spec(module).origin).read_text()
    assert Path(page).name in script or Path(page).parent.name in script
    text = (DOCS / page).read_text()
    assert f"`{WRITTEN[page]}`" in text, f"{page} does not say that {WRITTEN[page]} writes it"


def test_every_page_with_figures_has_a_script():
    for path in DOCS.rglob("*.md"):
        page = path.relative_to(DOCS).as_posix()
        of_gallery = page.startswith("gallery/")
        if FIGURE.search(path.read_text()) and not of_gallery and page not in WORDS:
            assert page in WRITTEN, f"{page} has figures, and docs/measured.md names no script"
    assert "gallery/index.md" in WRITTEN
    assert not FIGURE.search((ROOT / "README.md").read_text())


def test_every_picture_is_one_of_the_gallery():
    for path in (ROOT / "README.md", *DOCS.rglob("*.md")):
        for link in re.findall(r"!\[[^]]*\]\((\S+)\)", path.read_text()):
            picture = (path.parent / link).resolve()
            assert picture.parent == DOCS / "gallery", f"{path}: {link}"
            assert picture.with_suffix(".md").exists()


def test_prose_has_no_measured_numbers():
    pages = {p.relative_to(DOCS).as_posix(): p for p in DOCS.rglob("*.md")}
    typed = [p for name, p in pages.items() if name not in WRITTEN]
    for path in (ROOT / "README.md", ROOT / "ARCHITECTURE.md", *typed):
        found = MEASURED.search(prose(path.read_text(encoding="utf-8")))
        assert not found, f"{path}: {found[0]!r} was typed"


@pytest.mark.parametrize("said", ["takes 4.5 s", "in a tenth of a second", "12 ULP", "40% faster"])
def test_a_typed_number_is_seen(said):
    assert MEASURED.search(prose(f"It {said}.\n"))
