"""What tests of several files share."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from symop import hosts, native_host, triton_kernels
from tests import native_kernels

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


@pytest.fixture(scope="session")
def native_folder(tmp_path_factory, host):
    """Where the kernels of tests/native_kernels.py are compiled, for a host that is there."""
    return tmp_path_factory.mktemp("kernels")


@pytest.fixture
def legendre(native_folder):
    return native_kernels.legendre(native_folder)


@pytest.fixture
def multiply_add(native_folder):
    return native_kernels.multiply_add(native_folder)


_KEPT = []


@pytest.fixture
def gpu(monkeypatch, tmp_path):
    """A GPU for Triton that is not there, and takes tensors of the CPU for its own."""
    pytest.importorskip("triton")
    from tests.idle_driver import idle_driver

    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    here = replace(hosts.TRITON, devices=lambda: frozenset({"cpu"}))
    monkeypatch.setitem(hosts._SERVING, "triton", (here,))
    # A kernel that was compiled keeps the driver that it was compiled for, and asks the driver of
    # the day when it is deleted.
    functions = {}
    _KEPT.append(functions)
    monkeypatch.setattr(triton_kernels, "_functions", functions)
    with idle_driver() as driver:
        yield driver
