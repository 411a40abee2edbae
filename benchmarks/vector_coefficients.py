"""Write the polynomials of templates/math_*.c anew: the text between `fit NAME` and `end`.

python -m benchmarks.vector_coefficients            # says which texts would change
python -m benchmarks.vector_coefficients --write    # writes them
python -m benchmarks.vector_coefficients --write symop_fit_exp
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from mpmath import mp

from benchmarks.minimax import coefficients, evaluation
from benchmarks.vector_fits import FITS

FOLDER = Path(__file__).parent.parent / "templates"
BLOCK = re.compile(r"(?P<head>/\* fit (?P<name>\w+) \*/\n).*?(?P<tail>/\* end \*/)", re.DOTALL)


def renewed(text: str, wanted: set[str]) -> str:
    """The text of a C file with the polynomials that are wanted fitted anew; all, if none are."""

    def block(match: re.Match[str]) -> str:
        name = match["name"]
        if wanted and name not in wanted:
            return match[0]
        fit = FITS[name]
        known, error = coefficients(fit)
        print(f"{name}: degree {fit.degree}, largest weighted error {error:.3g}")
        return f"{match['head']}{evaluation(fit, known, error)}\n{match['tail']}"

    return BLOCK.sub(block, text)


def main() -> None:
    """Compare, or write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    mp.prec = 200
    for path in sorted(FOLDER.glob("math_*.c")):
        old = path.read_text()
        new = renewed(old, set(options.names))
        if new != old:
            print(f"{path.name}: {'written' if options.write else 'differs'}")
            if options.write:
                path.write_text(new)


if __name__ == "__main__":
    main()
