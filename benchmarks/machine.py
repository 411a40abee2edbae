"""The machine and the versions that figures belong to."""

from __future__ import annotations

import platform

import mpmath
import torch

from symop.benchmarking import processor


def machine() -> str:
    """One line about the processor and the versions."""
    python = platform.python_version()
    return f"{processor()}; torch {torch.__version__}, mpmath {mpmath.__version__}, Python {python}"
