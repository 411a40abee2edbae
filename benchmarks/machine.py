"""The machine and the versions that figures belong to."""

from __future__ import annotations

import platform
from pathlib import Path

import mpmath
import torch


def machine() -> str:
    """One line about the processor and the versions."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = info.read_text().splitlines()
        models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        model = models[0] if models else model
    python = platform.python_version()
    return f"{model}; torch {torch.__version__}, mpmath {mpmath.__version__}, Python {python}"
