"""Write docs/functions.md: every function of the table, its gradients at joints, its accuracy.

python -m benchmarks.functions          # prints the page
python -m benchmarks.functions --write  # writes docs/functions.md
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

import symop
from benchmarks import pages
from benchmarks.machine import machine
from symop.derivatives import elementwise_derivatives
from symop.functions import Function, table
from symop.oracle import exact_at
from symop.samples import Samples
from symop.tallies import BOUND, Tally
from symop.torch_names import torch_function

PAGE = Path(__file__).parent.parent / "docs" / "functions.md"
# Where rounding the input moves the number by more than this many of its ULP, a root is near.
ROOT = 16
# Points beyond the usual ones, of either sign.
FAR = 8
# What a parameter that must be a literal number is in the figures.
LITERALS = {"k": "2", "n": "3", "p": "2", "m": "1"}

DOMAINS = {
    **dict.fromkeys(("log", "log2", "log10", "rsqrt"), "x > 0"),
    **dict.fromkeys(("sqrt",), "x >= 0"),
    **dict.fromkeys(("asin", "acos"), "-1 <= x <= 1"),
    **dict.fromkeys(("atanh", "erfinv"), "-1 < x < 1"),
    **dict.fromkeys(("logit", "ndtri"), "0 < x < 1"),
    **dict.fromkeys(("gamma", "lgamma", "digamma", "polygamma"), "x not 0, -1, -2, ..."),
    **dict.fromkeys(("reciprocal", "coth", "csch"), "x not 0"),
    **dict.fromkeys(("tan", "sec"), "x not pi/2 + k*pi"),
    **dict.fromkeys(("cot", "csc"), "x not k*pi"),
    **dict.fromkeys(
        ("bessely", "besselk", "bessel_y0", "bessel_y1", "modified_bessel_k0", "modified_bessel_k1",
         "scaled_modified_bessel_k0", "scaled_modified_bessel_k1", "E1", "expint", "Ci",
         "log1mexp", "yn"), "x > 0",
    ),
    "Ei": "x not 0", "acosh": "x >= 1", "log1p": "x > -1", "lambertw": "x >= -1/e",
    "zeta": "x > 1, q > 0", "entr": "x >= 0", "xlogy": "y > 0", "xlog1py": "y > -1",
    "logsubexp": "x > y", "pow": "x > 0, or y an integer", "multigammaln": "a > (p - 1)/2",
    "float_power": "x > 0, or the exponent an integer",
}  # fmt: skip

# Ties and corners of functions of several arguments.
CORNERS: tuple[tuple[str, tuple[float, ...]], ...] = (
    ("maximum(x, y)", (1.0, 1.0)), ("minimum(x, y)", (1.0, 1.0)), ("fmax(x, y)", (1.0, 1.0)),
    ("fmin(x, y)", (1.0, 1.0)), ("clamp(x, a, b)", (0.0, 0.0, 1.0)),
    ("clamp(x, a, b)", (1.0, 0.0, 1.0)), ("hypot(x, y)", (0.0, 0.0)), ("atan2(x, y)", (0.0, 0.0)),
    ("atan2(x, y)", (1e-200, 1e-200)), ("pow(x, y)", (0.0, 2.0)), ("pow(x, y)", (0.0, 0.0)),
    ("pow(x, y)", (0.0, -1.0)), ("pow(x, y)", (-1.0, 2.0)), ("xlogy(x, y)", (0.0, 0.0)),
    ("logaddexp(x, y)", (math.inf, math.inf)), ("logaddexp(x, y)", (-math.inf, -math.inf)),
    ("copysign(x, y)", (0.0, 1.0)), ("fmod(x, y)", (4.0, 2.0)), ("remainder(x, y)", (4.0, 2.0)),
    ("heaviside(x, y)", (0.0, 0.3)), ("sqrt(x**2)", (0.0,)), ("sqrt(x**2 + y**2)", (0.0, 0.0)),
    ("x*log(x)", (0.0,)), ("sqrt(x)", (-1.0,)), ("silu(x)", (-math.inf,)),
    ("gelu(x)", (-math.inf,)), ("sigmoid(x)", (40.0,)), ("tanh(x)", (20.0,)),
)  # fmt: skip

INTRODUCTION = """# Functions

Written by `python -m benchmarks.functions --write` from the function table. Beside these a formula
may have `+ - * / **`, comparisons, `and or not`, `where`, `a if c else b`, `Piecewise`, and the
reductions sum, mean, prod, amax, amin, softmax, log_softmax, logsumexp, norm, var and std.

Gradients at joints, kinks, ties and bounds are torch's. Where torch has NaN, the gradient is 0, the
one-sided limit, or what torch has for the function that masks the case (`hypot` as
`torch.linalg.vector_norm`); the second table has the corners. No NaN of a branch that is not taken
enters a gradient.
"""
GUIDE = """Domain: where the value is a real number; all reals where nothing is said. At joints: the
gradient by the first argument at the special points of the function, torch's beside it where it
differs (the other arguments are as in the figures). ULP: the largest error of the value / of the
first derivatives at points of the range, away from roots, where no formula is right to the last
digits.
"""


def spelling(function: Function) -> str:
    """How a function is called, what may be left out in brackets."""
    names = list(function.parameters)
    first = len(names) - len(function.defaults)
    shown = [n if k < first else f"{n}={function.defaults[k - first]}" for k, n in enumerate(names)]
    return f"{function.name}({', '.join(shown)})"


def call(function: Function) -> str:
    """A call of a function by its own parameters, literal ones written out, others left out."""
    needed = function.parameters[: len(function.parameters) - len(function.defaults)]
    values = [LITERALS.get(p, "3") if p in function.literals else p for p in needed]
    return f"{function.name}({', '.join(values)})"


def gradients(op: Callable[..., Any], values: tuple[float, ...]) -> list[float] | None:
    """The gradients at a point in float64, None where the op refuses it."""
    inputs = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in values]
    try:
        found = torch.autograd.grad(op(*inputs), inputs, allow_unused=True)
    except (RuntimeError, TypeError, ValueError, NotImplementedError):
        return None
    return [0.0 if g is None else g.item() for g in found]


def beside(own: float, theirs: float | None) -> str:
    """A number, and torch's where it is another."""
    same = theirs is None or own == theirs or (own != own and theirs != theirs)
    near = theirs is not None and math.isclose(own, theirs, rel_tol=1e-6)
    return _number(own) if same or near else f"{_number(own)} (torch {_number(theirs or 0.0)})"


def _number(value: float) -> str:
    return "NaN" if value != value else f"{value + 0.0:.4g}"


def joints(function: Function, op: symop.operators.Op, others: tuple[float, ...]) -> str:
    """The gradients by the first argument at the special points of a function."""
    known = torch_function(op.program, op.text)
    parts = []
    for point in function.special:
        own = gradients(op, (point, *others))
        theirs = gradients(known, (point, *others)) if known is not None else None
        if own is not None:
            parts.append(f"{point:g}: {beside(own[0], theirs[0] if theirs else None)}")
    return "; ".join(parts)


def points_of(samples: Samples) -> list[tuple[Any, ...]]:
    """Points of the samples, and farther ones in the first argument."""
    ordinary = samples.ordinary()
    source = random.Random(0)
    far = [sign * source.uniform(3, 30) for sign in (1, -1) for _ in range(FAR)]
    return [*ordinary, *((x, *ordinary[0][1:]) for x in far)]


def accuracy(
    op: symop.operators.Op, drawn: list[tuple[Any, ...]], dtype: torch.dtype
) -> tuple[str, list[float]]:
    """The largest errors of the value and of first derivatives away from roots, and where from."""
    columns = [torch.tensor(c, dtype=torch.float64).to(dtype) for c in zip(*drawn, strict=True)]
    points = list(zip(*(c.tolist() for c in columns), strict=True))
    exact = [exact_at(op.written, point, 1) for point in points]
    found = elementwise_derivatives(op, columns, 1)
    worst = {0: 0.0, 1: 0.0}
    used = set()
    for (k, by), numbers in found.items():
        tally = Tally(dtype, op.name)
        for number, point, quantities in zip(numbers, points, exact, strict=True):
            right = quantities.get((k, by))
            if right is None or not tally.is_held(right) or right.low != right.high:
                continue
            if right.low and right.spread * tally.eps > ROOT * tally.unit(right.low):
                continue
            error = tally.error(number, right)[0]
            if error > BOUND:
                again = exact_at(op.written, point, 1, 2)[k, by]
                if not again.agrees(right):
                    # Differences see a 0 as what their step leaves of it.
                    continue
            used.add(point[0])
            worst[len(by)] = max(worst[len(by)], error)
    return f"{figure(worst[0])} / {figure(worst[1])}", sorted(used)


def figure(error: float) -> str:
    """An error as it stands in the table."""
    return "lost" if math.isinf(error) else f"{error:.1f}" if error < 1000 else f"{error:.0e}"


def row(function: Function) -> list[str]:
    """The cells of a function."""
    op = symop.compile(call(function))
    samples = Samples(op.written, op.program)
    others = tuple(samples.ordinary()[0][1:])
    aliases = ", ".join(f"`{a}`" for a in function.aliases)
    drawn = points_of(samples)
    single, _ = accuracy(op, drawn, torch.float32)
    double, used = accuracy(op, drawn, torch.float64)
    return [
        f"`{spelling(function)}`", aliases, DOMAINS.get(function.name, ""),
        joints(function, op, others), f"{used[0]:.2g} to {used[-1]:.2g}", single, double,
    ]  # fmt: skip


def corner(formula: str, point: tuple[float, ...]) -> list[str]:
    """The cells of a corner."""
    op = symop.compile(formula)
    known = torch_function(op.program, op.text)
    own = gradients(op, point) or []
    theirs = gradients(known, point) if known is not None else None
    texts = [
        ", ".join(f"{n} = {v:g}" for n, v in zip(op.args, point, strict=True)),
        ", ".join(map(_number, own)), ", ".join(map(_number, theirs)) if theirs else "-",
    ]  # fmt: skip
    return [f"`{formula}`", *texts]


def markdown(head: list[str], rows: list[list[str]]) -> str:
    """A table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines) + "\n"


def page() -> str:
    """The text of the page."""
    torch.manual_seed(0)
    public = {f.name: f for f in table().values() if not f.internal}
    rows = [row(public[name]) for name in sorted(public, key=str.lower)]
    head = ["function", "also", "domain", "gradient at joints", "measured in", "float32 ULP",
            "float64 ULP"]  # fmt: skip
    corners = markdown(["formula", "at", "gradients", "torch"], [corner(*c) for c in CORNERS])
    return "\n".join([INTRODUCTION, GUIDE, f"{machine()}.\n", markdown(head, rows),
                      "## Corners\n", corners])  # fmt: skip


if __name__ == "__main__":
    pages.main(__doc__, page, PAGE)
