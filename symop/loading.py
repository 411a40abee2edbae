"""Generated text as a running module; the text stands in linecache, so tracebacks show it."""

from __future__ import annotations

import hashlib
import linecache
import sys
import threading
from types import ModuleType

_PACKAGE = "symop_generated"
_lock = threading.Lock()


def load(name: str, text: str) -> ModuleType:
    """The module of a text; the same text is loaded once in a process."""
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    full_name = f"{_PACKAGE}.{name}_{digest}"
    with _lock:
        module = sys.modules.get(full_name)
        if module is not None:
            return module
        file_name = f"<symop {name} {digest}>"
        module = ModuleType(full_name)
        module.__file__ = file_name
        linecache.cache[file_name] = (len(text), None, text.splitlines(keepends=True), file_name)
        exec(compile(text, file_name, "exec"), module.__dict__)
        sys.modules[full_name] = module
        return module
