"""A module of kernels, one for each function that Triton spells, and its run under the interpreter.

Run as a program with TRITON_INTERPRET=1, for Triton reads that when it is imported.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from symop.backends.triton_math import SPELLED, call, definitions, imports
from symop.functions import table

ROOT = Path(__file__).parent.parent
_HEADER = "import triton\nimport triton.language as tl\n"


def arity(name: str) -> int:
    return len(table()[name].parameters)


def kernel(name: str, is_double: bool) -> str:
    """The text of a kernel that stores a function of its inputs."""
    inputs = [f"x{k}" for k in range(arity(name))]
    loads = "".join(f"    {x} = tl.load({x}_in + i)\n" for x in inputs)
    pointers = "".join(f"{x}_in, " for x in inputs)
    return (
        f"@triton.jit\n"
        f"def {name}_{'double' if is_double else 'float'}({pointers}y, BLOCK: tl.constexpr):\n"
        f"    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)\n{loads}"
        f"    tl.store(y + i, {call(name, inputs, is_double)})\n"
    )


def module(names: frozenset[str] = SPELLED) -> str:
    """The text of a module of kernels."""
    kernels = [kernel(name, kind) for name in sorted(names) for kind in (False, True)]
    head = _HEADER + "\n".join(imports(names))
    return "\n\n\n".join([head, *definitions(names), *kernels])


def under_interpreter(*arguments: str) -> None:
    """Run Python with the interpreter on."""
    paths = os.pathsep.join([str(ROOT), *sys.path])
    environment = {**os.environ, "TRITON_INTERPRET": "1", "PYTHONPATH": paths}
    subprocess.run([sys.executable, *arguments], check=True, env=environment, cwd=ROOT)


def interpreted(folder: Path, arrays: dict[str, list[np.ndarray]]) -> dict[str, np.ndarray]:
    """The values of functions at points, by the name of the function and its type."""
    (folder / "kernels.py").write_text(module())
    given = {f"{key}:{k}": x for key, xs in arrays.items() for k, x in enumerate(xs)}
    np.savez(folder / "given.npz", **given)
    under_interpreter("-m", "tests.triton_functions", str(folder))
    with np.load(folder / "found.npz") as found:
        return dict(found)


def main(folder: Path) -> None:
    import torch

    from symop import triton_interpreter

    triton_interpreter.install()
    sys.path.insert(0, str(folder))
    import kernels  # type: ignore[import-not-found]

    found = {}
    given = np.load(folder / "given.npz")
    for key in sorted({entry.partition(":")[0] for entry in given.files}):
        count = sum(entry.partition(":")[0] == key for entry in given.files)
        inputs = [torch.from_numpy(given[f"{key}:{k}"]) for k in range(count)]
        size = len(inputs[0])
        block = 1 << max(size - 1, 1).bit_length()
        padded = [torch.nn.functional.pad(x, (0, block - size), value=1.0) for x in inputs]
        result = torch.empty_like(padded[0])
        with np.errstate(all="ignore"):
            getattr(kernels, key)[(1,)](*padded, result, BLOCK=block)
        found[key] = result[:size].numpy()
    np.savez(folder / "found.npz", **found)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
