"""What tests of several files share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from symop import native_host

# Most tests are about what is written; those about kernels ask for them by name.
os.environ.setdefault("SYMOP_BACKEND", "torch")

# Kernels are kept from run to run, and never among those of the user.
_CACHE = Path(__file__).parent.parent / ".pytest_cache" / "symop"
_CACHE.mkdir(mode=0o700, parents=True, exist_ok=True)
os.environ["SYMOP_CACHE"] = str(_CACHE)


@pytest.fixture(scope="session")
def host():
    """The host of the CPU backend, built when it is not there yet."""
    native_host.build()
    return native_host.load()
