"""Kernels of Triton, run: under its interpreter, or on the GPU where there is one.

`tests/test_triton.py` runs these files in processes of their own, with the interpreter on before
triton is imported; by hand it is `TRITON_INTERPRET=1 python -m pytest tests/interpreted`. On a
machine with a GPU, `python -m pytest tests/interpreted` runs the same on the device.
"""

from __future__ import annotations

import pytest

from tests.interpreted import cases

DEVICES = cases.devices()
collect_ignore_glob = [] if DEVICES else ["test_*.py"]


@pytest.fixture(params=DEVICES, autouse=True)
def device(request, monkeypatch):
    """The type of the device on which tensors are drawn."""
    monkeypatch.setattr(cases, "DEVICE", request.param)
    return request.param
