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


def text(name: str) -> str:
    """The module that symop writes today."""
    return symop.compile(FORMULAS[name], name=name).source


def path(name: str) -> Path:
    """Where the golden module lies."""
    return FOLDER / name / "torch.py"


def main() -> None:
    """Record every golden module."""
    for name in FORMULAS:
        path(name).parent.mkdir(parents=True, exist_ok=True)
        path(name).write_text(text(name))


if __name__ == "__main__":
    main()
