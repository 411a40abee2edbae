"""Generated text as a running module, when it is first needed.

The text stands in linecache, so tracebacks show it.
"""

from __future__ import annotations

import hashlib
import linecache
import os
import sys
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

from symop.names import class_name

_PACKAGE = "symop_generated"
_lock = threading.Lock()


def load(
    name: str, text: str, prepare: Callable[[ModuleType], None] = lambda module: None
) -> ModuleType:
    """The module of a text; the same text is loaded, and prepared, once in a process.

    Args:
        name: the name of the op.
        text: the text of its module.
        prepare: is called with the new module before anyone else can see it.
    """
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
        prepare(module)
        sys.modules[full_name] = module
        return module


class Generated:
    """The generated module of an op, printed and loaded when something first asks for it.

    An op that runs on kernels may never need it, and printing it takes longer than the kernels do.

    Args:
        name: the name of the op.
        make: gives the module.

    Attributes:
        load: must be called before the others are read. torch.compile runs it while it traces.
        module: the module.
        call: its operator.
        function: its `torch.autograd.Function`.
    """

    module: ModuleType
    call: Callable[..., Any]
    function: Any

    def __init__(self, name: str, make: Callable[[], ModuleType]) -> None:
        def load() -> None:
            if "function" in vars(self):
                return
            self.module = make()
            self.call = getattr(self.module, name)
            self.function = getattr(self.module, class_name(name))

        # What is loaded while a function is traced is not part of that function.
        load._dynamo_marked_constant = True  # type: ignore[attr-defined]
        self.load = load


def _renew_lock() -> None:
    # A process forked while another thread was loading would wait for that thread for ever.
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)
