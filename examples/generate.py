"""Writes examples/generated: the modules and tests of the formulas that the examples use.

`python examples/generate.py` writes them; with `--check` nothing is written, and the exit status
is 1 with a diff when a file is not what symop would write.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent / "generated"

FORMULAS = {
    "legendre_p3": "0.5*(5*x**3-3*x)",
    "multiply_add": "w*x + b",
    "legendre_fit_loss": "sum((a + b*legendre(3, c + d*x) - y)**2)",
    "mean_squared_error": "mean((prediction - target)**2)",
    "cubic_loss": "sum((a + b*x + c*x**2 + d*x**3 - y)**2)",
}


def main(check: bool = False) -> int:
    """Writes or checks the files of every formula; returns the exit status."""
    status = 0
    for name, formula in FORMULAS.items():
        command = [sys.executable, "-m", "symop", "generate", formula, "--name", name]
        options = ["--out", str(FOLDER), *(["--check"] if check else [])]
        status = max(status, subprocess.run([*command, *options]).returncode)
    return status


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, compare")
    sys.exit(main(parser.parse_args().check))
