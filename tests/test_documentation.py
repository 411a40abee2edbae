"""The python blocks of the documentation run, page by page, and print what they say."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from sybil import Sybil
from sybil.parsers.myst import PythonCodeBlockParser, SkipParser

DOCS = Path(__file__).parent.parent / "docs"
READER = Sybil(parsers=[SkipParser(), PythonCodeBlockParser()], patterns=["*.md"])
PAGES = sorted(p.relative_to(DOCS).as_posix() for p in DOCS.rglob("*.md"))


def run(page):
    torch.manual_seed(0)
    examples = list(READER.parse(page).examples())
    for example in examples:
        example.evaluate()
    return len(examples)


@pytest.mark.parametrize("page", [p for p in PAGES if "```python" in (DOCS / p).read_text()])
def test_blocks_run(page):
    assert run(DOCS / page)


def test_a_wrong_block_is_seen(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("```python\nx = 1\n```\n\n```python\n>>> x\n2\n```\n")
    with pytest.raises(Exception, match="did not evaluate as expected"):
        run(page)
    page.write_text("```python\nassert False\n```\n")
    with pytest.raises(AssertionError):
        run(page)
