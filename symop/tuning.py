"""Which block of a kernel is the fastest on a device: timed once, remembered between processes.

Off unless SYMOP_AUTOTUNE is 1. What is found belongs to a kernel, a device, a version of Triton and
sizes of about so many elements; it lies in the folder for caches.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from symop import cache
from symop.errors import BuildError, CacheError
from symop.layouts import Refused

# Fewer elements take as long as a launch, however they are cut.
LEAST = 1 << 16
# Seconds to wait for a process that times kernels on this machine, which it should do alone.
_PATIENCE = 60.0
# Milliseconds that kernels run before and while they are timed.
_WARMUP, _TIMED = 5, 20

Step = Callable[[Sequence[Tensor]], None]


@dataclass(frozen=True)
class Key:
    """What a choice belongs to.

    kernel: the text of the kernel.
    device: the name of the device.
    triton: the version.
    sizes: a class of sizes, as `size_class` gives it.
    """

    kernel: str
    device: str
    triton: str
    sizes: str

    @property
    def file(self) -> str:
        """The name of the file, which holds all classes of sizes."""
        known = "\n".join((self.device, self.triton, self.kernel))
        return f"tuned-{hashlib.sha256(known.encode()).hexdigest()[:16]}.json"


def is_on() -> bool:
    """Whether SYMOP_AUTOTUNE asks for kernels to be timed."""
    return os.environ.get("SYMOP_AUTOTUNE", "0").lower() in ("1", "true", "on", "yes")


def size_class(sizes: Sequence[int]) -> str:
    """A name that sizes share with those up to four times as large or small, dim by dim."""
    return "x".join(str(n.bit_length() // 2) for n in sizes)


def device_name(device: torch.device) -> str:
    """The name of a GPU."""
    return str(torch.cuda.get_device_name(device))


def milliseconds(run: Callable[[], None]) -> float:
    """The median time of a call on the current stream, with nothing of its data in the L2 cache."""
    from triton.testing import do_bench

    return float(do_bench(run, warmup=_WARMUP, rep=_TIMED, return_mode="median"))


def tuned(
    key: Key, trials: Mapping[str, Step], steps: Mapping[str, Step], is_busy: Callable[[], bool]
) -> Step:
    """What runs the fastest of some kernels that compute the same.

    Args:
        key: what the choice belongs to.
        trials: the kernels by name, to be timed; one that is refused is not chosen.
        steps: the same, to be run; the first serves until there is a choice.
        is_busy: whether nothing can be timed now, because a graph is captured.
    """
    chosen: Step | None = None
    names = tuple(steps)

    def run(values: Sequence[Tensor]) -> None:
        nonlocal chosen
        if chosen is None:
            if is_busy():
                steps[names[0]](values)
                return
            chosen = steps[fastest(key, names, lambda name: _time(trials[name], values))]
        chosen(values)

    return run


def _time(step: Step, values: Sequence[Tensor]) -> float:
    try:
        return milliseconds(lambda: step(values))
    except (BuildError, Refused):
        return float("inf")


_known: dict[Key, str] = {}
_lock = threading.Lock()


def fastest(key: Key, names: Sequence[str], time: Callable[[str], float]) -> str:
    """The name of what takes the least time, as it was found before or is found now.

    Args:
        key: what the choice belongs to.
        names: what there is to choose from; the first where nothing can be timed.
        time: gives the time that one of them takes.
    """
    with _lock:
        if _known.get(key) not in names:
            _known[key] = _found(key, names, time)
        return _known[key]


def _found(key: Key, names: Sequence[str], time: Callable[[str], float]) -> str:
    with contextlib.ExitStack() as stack:
        try:
            folder = cache.prepared()
            is_held = stack.enter_context(cache.lock(folder / "tuned.lock", _PATIENCE))
        except CacheError:
            # Without a folder a choice lives as long as the process.
            return min(names, key=time)
        path = folder / key.file
        choices = _read(path)
        if choices.get(key.sizes) in names:
            return choices[key.sizes]
        if not is_held:
            return names[0]
        best = min(names, key=time)
        content = {"device": key.device, "triton": key.triton, "best": choices | {key.sizes: best}}
        with contextlib.suppress(CacheError):
            cache.write(path, json.dumps(content, indent=1).encode())
        return best


def _read(path: Path) -> dict[str, str]:
    """The choices in a file by class of sizes; none where it is missing or damaged."""
    try:
        best = json.loads(path.read_text())["best"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return {str(k): str(v) for k, v in best.items()} if isinstance(best, dict) else {}
