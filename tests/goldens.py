"""Golden modules: what symop writes for a set of formulas, recorded as real files.

`python -m tests.goldens` (or `make goldens`) records them anew.
"""

from __future__ import annotations

from pathlib import Path

import symop

FOLDER = Path(__file__).parent / "golden"

FORMULAS = {
    "legendre_p3": "0.5*(5*x**3-3*x)",
    "multiply_add": "w*x + b",
    "rms_norm": "x/sqrt(mean(x**2, -1) + eps)*w",
    "softmax_last": "softmax(x, -1)",
    "swiglu": "a*sigmoid(a)*b",
    "masked_loss": "mean(where(mask, (x - y)**2, 0))",
    "two_outputs": "t = exp(x)\np = t*t\nq = t*w",
    "saved_output": "exp(a + b)",
    "row_sum_scaled": "sum(x, -1)*k",
    "product": "prod(x, -1)",
    "huber": "where(abs(r) < delta, r**2/2, delta*(abs(r) - delta/2))",
}

# Recorded with fused loops in C too.
CARRYING = ("legendre_p3", "swiglu", "masked_loss")

# Recorded with kernels for the GPU too.
KERNELS = ("legendre_p3", "swiglu")

# What is recorded: names and backends.
RECORDED = (
    *((name, "torch") for name in FORMULAS),
    *((name, "cpu") for name in CARRYING),
    *((name, "triton") for name in KERNELS),
)


def text(name: str, backend: str = "torch") -> str:
    """The module that symop writes today."""
    if backend == "torch":
        return symop.compile(FORMULAS[name], name=name).source
    made = symop.generate(FORMULAS[name], name=name, backends=("torch", backend), tests=False)
    return str(made.files[f"{name}.py"])


def path(name: str, backend: str = "torch") -> Path:
    """Where the golden module lies."""
    return FOLDER / name / f"{backend}.py"


def main() -> None:
    """Record every golden module."""
    for name, backend in RECORDED:
        path(name, backend).parent.mkdir(parents=True, exist_ok=True)
        path(name, backend).write_text(text(name, backend))


if __name__ == "__main__":
    main()
