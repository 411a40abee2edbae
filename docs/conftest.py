"""The python blocks of the documentation run as tests, each page in a namespace of its own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
from sybil import Sybil
from sybil.parsers.myst import PythonCodeBlockParser, SkipParser

os.environ.setdefault("SYMOP_BACKEND", "torch")
_CACHE = Path(__file__).parent.parent / ".pytest_cache" / "symop"
_CACHE.mkdir(mode=0o700, parents=True, exist_ok=True)
os.environ["SYMOP_CACHE"] = str(_CACHE)


def _seed(namespace: dict[str, Any]) -> None:
    torch.manual_seed(0)


pytest_collect_file = Sybil(
    parsers=[SkipParser(), PythonCodeBlockParser()], patterns=["*.md"], setup=_seed
).pytest()
