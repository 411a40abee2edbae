"""Measure special functions and their derivatives in ULP against mpmath, for the table in docs.

python -m benchmarks.special_functions          # prints the table
python -m benchmarks.special_functions --write  # puts it into docs/special_functions.md
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

import mpmath as mp
import torch

import symop
from symop.derivatives import elementwise_derivatives
from symop.oracle import exact_at
from symop.tallies import Tally

PAGE = Path(__file__).parent.parent / "docs" / "special_functions.md"
BEGIN, END = "<!-- begin: benchmarks/special_functions.py -->", "<!-- end -->"
POINTS = 80
# Where rounding the input moves the number by more than this many of its ULP, a root is near.
ROOT = 16

# Formula and range.
FORMULAS: tuple[tuple[str, float, float], ...] = (
    ("besselj(0, x)", -30, 30), ("besselj(1, x)", -30, 30), ("besselj(2, x)", -30, 30),
    ("besselj(7, x)", -30, 30), ("bessely(0, x)", 0.01, 30), ("bessely(1, x)", 0.01, 30),
    ("bessely(3, x)", 0.1, 30), ("i0(x)", -20, 20), ("i1(x)", -20, 20), ("i0e(x)", -20, 20),
    ("i1e(x)", -20, 20), ("besseli(2, x)", -20, 20), ("besseli(8, x)", -20, 20),
    ("besselk(0, x)", 0.01, 20), ("besselk(1, x)", 0.01, 20), ("besselk(3, x)", 0.1, 20),
    ("scaled_modified_bessel_k0(x)", 0.01, 20), ("scaled_modified_bessel_k1(x)", 0.01, 20),
    ("jn(0, x)", -20, 20), ("jn(1, x)", -20, 20), ("jn(3, x)", -20, 20), ("yn(0, x)", 0.1, 20),
    ("yn(2, x)", 0.1, 20), ("airyai(x)", -15, 8), ("airyaiprime(x)", -15, 8),
    ("airybi(x)", -15, 8), ("airybiprime(x)", -15, 8), ("E1(x)", 0.01, 20),
    ("expint(3, x)", 0.01, 20), ("Ei(x)", -20, 20), ("Si(x)", -20, 20), ("Ci(x)", 0.01, 20),
    ("fresnels(x)", -6, 6), ("fresnelc(x)", -6, 6), ("lambertw(x)", -0.36, 20),
    ("erfcx(x)", -5, 20), ("log_ndtr(x)", -20, 5), ("expit(x)", -20, 20), ("logit(x)", 0.01, 0.99),
    ("log1mexp(x)", 0.01, 20), ("log1pexp(x)", -20, 20), ("lgamma(x)", -4, 20),
    ("digamma(x)", -4, 20), ("polygamma(1, x)", -4, 20), ("polygamma(2, x)", -4, 20),
    ("zeta(3, x)", 0.1, 20),
)  # fmt: skip


def row(formula: str, low: float, high: float) -> list[str]:
    """The largest errors of the value and two derivatives, in float64 and float32."""
    op = symop.compile(formula)
    source = random.Random(formula)
    drawn = [source.uniform(low, high) for _ in range(POINTS)]
    cells = [f"`{formula}`", f"{low:g} to {high:g}"]
    for dtype in (torch.float64, torch.float32):
        x = torch.tensor(drawn, dtype=torch.float64).to(dtype)
        found = elementwise_derivatives(op, [x], 2)
        exact = [exact_at(op.written, (v,), 2) for v in x.tolist()]
        for by in ((), (0,), (0, 0)):
            tally = Tally(dtype, formula)
            away, near = 0.0, 0.0
            for number, quantities in zip(found[0, by], exact, strict=True):
                right = quantities.get((0, by))
                if right is None or not tally.is_held(right) or right.low == 0:
                    continue
                error = tally.error(number, right)[0]
                unit = tally.unit(right.low)
                if right.spread * tally.eps > ROOT * unit:
                    near = max(near, float(error * unit / (tally.eps * right.spread)))
                else:
                    away = max(away, error)
            cells.append(f"{away:.1f} / {near:.1f}")
    return cells


def table() -> str:
    """The table as Markdown."""
    head = ["formula", "range"]
    for dtype in ("float64", "float32"):
        head += [f"{dtype} value", f"{dtype} d", f"{dtype} d2"]
    rows = [head, ["---"] * len(head), *(row(*entry) for entry in FORMULAS)]
    note = f"Largest error at {POINTS} points; torch {torch.__version__}, mpmath {mp.__version__}."
    return "\n".join([note, "", *("| " + " | ".join(r) + " |" for r in rows)])


def main() -> None:
    """Print the table, or write it into the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the page")
    text = table()
    if not parser.parse_args().write:
        print(text)
        return
    page = PAGE.read_text()
    before, _, rest = page.partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")


if __name__ == "__main__":
    main()
