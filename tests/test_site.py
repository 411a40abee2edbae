"""The documentation: every page is reached, and the site builds without warnings or a network."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(p.relative_to(DOCS).with_suffix("").as_posix() for p in DOCS.rglob("*.md"))


def test_every_page_is_in_a_table_of_contents():
    listed = {"index"}
    for page in DOCS.rglob("*.md"):
        for block in re.findall(r"```\{toctree\}\n(.*?)```", page.read_text(), re.DOTALL):
            names = [n for n in block.split("\n") if n and not n.startswith(":")]
            listed |= {(page.parent / n).resolve().relative_to(DOCS).as_posix() for n in names}
    listed = {name.removesuffix(".md") for name in listed}
    assert set(PAGES) <= listed


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    pytest.importorskip("sphinx")
    pytest.importorskip("furo")
    pytest.importorskip("myst_parser")
    folder = tmp_path_factory.mktemp("site")
    # An address that refuses: whoever asks for a page fails.
    nowhere = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    run = subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", DOCS, folder],
        capture_output=True, text=True, env={**os.environ, **nowhere}, cwd=ROOT,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return folder


@pytest.mark.slow
def test_the_site_builds_and_loads_nothing_from_elsewhere(site):
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > len(PAGES)
    for page in pages:
        text = page.read_text(encoding="utf-8")
        outside = re.findall(r'<(?:script|img|link|iframe|source)[^>]*(?:src|href)="(?:https?:)?//',
                             text)  # fmt: skip
        assert not outside, page
    for sheet in site.rglob("*.css"):
        assert not re.findall(r"url\([\"']?(?:https?:)?//|@import", sheet.read_text()), sheet


@pytest.mark.slow
def test_formulas_are_mathml(site):
    text = (site / "gallery" / "swish.html").read_text(encoding="utf-8")
    assert text.count("<math") == 1
    assert "begin{aligned}" not in text
    assert (site / "_images" / "swish.svg").exists()


@pytest.mark.slow
def test_every_command_has_its_help(site):
    from symop.cli import COMMANDS

    text = (site / "reference" / "commands.html").read_text(encoding="utf-8")
    for name in COMMANDS:
        assert f'<section id="{name}">' in text
        assert f"Usage: symop {name} " in text
