"""C text as a shared library, built once and kept."""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
from pathlib import Path

from symop.errors import SymopError

FLAGS = (
    "-std=gnu11", "-O3", "-march=native", "-mprefer-vector-width=512", "-fno-math-errno",
    "-fno-trapping-math", "-ffp-contract=off", "-fopenmp", "-fPIC", "-shared",
    "-fvisibility=hidden", "-fno-semantic-interposition",
)  # fmt: skip


class BuildError(SymopError):
    """A kernel could not be built."""


_FOLDER = Path(tempfile.gettempdir()) / "symop-standin"


def shared_library(text: str) -> Path:
    """The library of a C text."""
    _FOLDER.mkdir(exist_ok=True)
    key = hashlib.sha256("\0".join([text, *FLAGS]).encode()).hexdigest()[:24]
    target = _FOLDER / f"{key}.so"
    if not target.exists():
        source = _FOLDER / f"{key}.c"
        source.write_text(text)
        command = ["cc", *FLAGS, str(source), "-o", f"{target}.new", "-lm"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BuildError(f"the compiler refused a kernel:\n{done.stderr}")
        Path(f"{target}.new").rename(target)
    return target
