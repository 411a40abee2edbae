"""What tests of several files share."""

from __future__ import annotations

import os

import pytest

from symop import native_host
from symop.errors import BuildError


@pytest.fixture(scope="session")
def host(request):
    """The host of the CPU backend, built into the cache of pytest when it is not there yet."""
    folder = request.config.cache.mkdir("symop")
    folder.chmod(0o700)
    before = os.environ.get("SYMOP_CACHE")
    os.environ["SYMOP_CACHE"] = str(folder)
    try:
        native_host.build()
        yield native_host.load()
    except BuildError as error:
        pytest.skip(str(error))
    finally:
        if before is None:
            del os.environ["SYMOP_CACHE"]
        else:
            os.environ["SYMOP_CACHE"] = before
