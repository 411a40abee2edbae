"""Polynomials that minimise the largest weighted error, with coefficients of a given format."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import mpmath
from mpmath import mp, mpf

# From this degree on a polynomial is evaluated in two chains.
SPLIT = 8
ZERO = mpf(0)

Real = Callable[[mpf], mpf]


@dataclass(frozen=True)
class Fit:
    """A polynomial, sum of c_k x**k, that replaces a target on an interval.

    function: the name of the C function that evaluates it.
    target: the function replaced.
    interval: where.
    degree: of the polynomial.
    weight: what the error is multiplied by before its largest value is minimised.
    fixed: the first coefficients, where they are to be kept as they are, or what computes them.
    kind: "float", "double": the format of the coefficients and of the evaluation.
    exact: how many further coefficients are rounded one by one, the rest fitted anew each time.
    middle: half of the points lie below it, on an interval from 0 to far out.
    """

    function: str
    target: Real
    interval: tuple[float | str, float | str]
    degree: int
    weight: Real | None = None
    fixed: Sequence[str] | Callable[[], Sequence[str]] = ()
    kind: str = "double"
    exact: int = 3
    middle: str = ""


def rounded(value: mpf, kind: str) -> float:
    """The nearest number of a format, to nearest even."""
    number = float(value)
    return struct.unpack("f", struct.pack("f", number))[0] if kind == "float" else number


def points(low: mpf, high: mpf, count: int, center: mpf = ZERO) -> list[mpf]:
    """Chebyshev points of an interval, its ends included, in ascending order.

    With a center c they are those of (x - c)/(x + c): half of them from 0 to c.
    """
    if center:
        ts = points((low - center) / (low + center), (high - center) / (high + center), count)
        return [center * (1 + t) / (1 - t) for t in ts]
    middle, half = (low + high) / 2, (high - low) / 2
    return [middle - half * mp.cos(mp.pi * k / (count - 1)) for k in range(count)]


def minimax(
    xs: Sequence[mpf], values: Sequence[mpf], weights: Sequence[mpf], first: int, degree: int
) -> tuple[list[mpf], mpf]:
    """The coefficients of x**first to x**degree by Remez exchange on a grid, and the error.

    The quotient by x**first is fitted, and the weight takes |x|**first: about 0 the powers from a
    first one on are no Chebyshev system, and errors need not alternate.
    """
    count = degree - first + 1
    if first:
        kept = [k for k, x in enumerate(xs) if abs(x) > mpf("1e-9")]
        values = [values[k] / xs[k] ** first for k in kept]
        weights = [weights[k] * abs(xs[k]) ** first for k in kept]
        xs = [xs[k] for k in kept]
    references = [round(k * (len(xs) - 1) / count) for k in range(count + 1)]
    powers = [[x**p for p in range(count)] for x in xs]
    coefficients: list[mpf] = []
    for _ in range(30):
        matrix = mpmath.matrix(count + 1, count + 1)
        right = mpmath.matrix(count + 1, 1)
        for row, k in enumerate(references):
            for column in range(count):
                matrix[row, column] = powers[k][column] * weights[k]
            matrix[row, count] = (-1) ** row
            right[row] = values[k] * weights[k]
        solution = mp.lu_solve(matrix, right)
        coefficients = [solution[k] for k in range(count)]
        errors = [
            (mp.fdot(coefficients, p) - v) * w
            for p, v, w in zip(powers, values, weights, strict=True)
        ]
        found = _extrema(errors, count + 1)
        largest = max(abs(e) for e in errors)
        if largest <= abs(solution[count]) * mpf("1.001") or found == references:
            break
        references = found
    return coefficients, largest


def _extrema(errors: Sequence[mpf], count: int) -> list[int]:
    """The places of `count` extrema of alternating sign, the largest among neighbours of a sign."""
    runs: list[int] = []
    for k, error in enumerate(errors):
        if runs and (errors[runs[-1]] > 0) == (error > 0):
            if abs(error) > abs(errors[runs[-1]]):
                runs[-1] = k
        else:
            runs.append(k)
    while len(runs) > count:
        if len(runs) - count == 1:
            del runs[0 if abs(errors[runs[0]]) < abs(errors[runs[-1]]) else -1]
            continue
        # Two neighbours leave together, so that signs still alternate.
        smallest = min(range(len(runs)), key=lambda i: abs(errors[runs[i]]))
        if smallest in (0, len(runs) - 1):
            del runs[smallest]
        else:
            nearer = min((smallest - 1, smallest + 1), key=lambda i: abs(errors[runs[i]]))
            for i in sorted((smallest, nearer), reverse=True):
                del runs[i]
    if len(runs) < count:
        raise ValueError(f"{len(runs)} extrema found of {count}: raise the degree's grid")
    return runs


def divisor(
    target: Real, weight: Real, interval: tuple[str, str], degrees: tuple[int, int], middle: str
) -> list[mpf]:
    """The coefficients of q where p/q is a target to nearly the least weighted error, q(0) = 1.

    Least squares of p - q*target, weighted by the last q and, as C. L. Lawson does, by the last
    errors. The p that belongs to q, once that is rounded, is a `Fit` of its own, of q*target.

    Args:
        target: the function.
        weight: what the error is multiplied by.
        interval: where, from 0 on.
        degrees: those of p and q.
        middle: half of the points lie below it.
    """
    over, below = degrees
    low, high = map(mpf, interval)
    xs = points(low, high, 8 * (over + below + 2), mpf(middle))
    values, weights = [target(x) for x in xs], [weight(x) for x in xs]
    lawson = [mpf(1)] * len(xs)
    sizes = [(1 + x / mpf(middle)) ** below for x in xs]
    q = [mpf(1)]
    with mp.workprec(2 * mp.prec):
        for turn in range(10):
            rows, right = [], []
            for k, (x, value) in enumerate(zip(xs, values, strict=True)):
                scale = mp.sqrt(lawson[k]) * weights[k] / sizes[k]
                upper = [scale * x**power for power in range(over + 1)]
                rows.append(upper + [-scale * value * x**power for power in range(1, below + 1)])
                right.append(scale * value)
            matrix, column = mpmath.matrix(rows), mpmath.matrix(right)
            solution = list(mp.lu_solve(matrix.T * matrix, matrix.T * column))
            p, q = solution[over::-1], [mpf(1), *solution[over + 1 :]]
            sizes = [mp.polyval(q[::-1], x) for x in xs]
            errors = [
                abs(mp.polyval(p, x) / sizes[k] - values[k]) * weights[k] for k, x in enumerate(xs)
            ]
            if turn >= 3:
                total = mp.fdot(lawson, errors) / len(xs)
                lawson = [w * e / total for w, e in zip(lawson, errors, strict=True)]
    return q


def coefficients(fit: Fit, grid: int = 24) -> tuple[list[float], float]:
    """The rounded coefficients from x**0 on, and the largest weighted error they leave."""
    low, high = (mpf(mp.mpmathify(end)) for end in fit.interval)
    xs = points(low, high, max(200, grid * (fit.degree + 1)), mpf(fit.middle or 0))
    weights = [fit.weight(x) if fit.weight else mpf(1) for x in xs]
    values = [fit.target(x) for x in xs]
    fixed = fit.fixed() if callable(fit.fixed) else fit.fixed
    known = [float.fromhex(c) for c in fixed]
    left = [v - mp.polyval(known[::-1] or [0], x) for x, v in zip(xs, values, strict=True)]
    for power in range(len(known), fit.degree + 1):
        rest, _ = minimax(xs, left, weights, power, fit.degree)
        if power >= len(fixed) + fit.exact:
            known += [rounded(c, fit.kind) for c in rest]
            break
        known.append(rounded(rest[0], fit.kind))
        left = [v - known[-1] * x**power for x, v in zip(xs, left, strict=True)]
    error = max(
        abs((mp.polyval(known[::-1], x) - v) * w)
        for x, v, w in zip(xs, values, weights, strict=True)
    )
    return known, float(error)


def evaluation(fit: Fit, known: Sequence[float], error: float) -> str:
    """The C function that evaluates a fit by Horner's scheme.

    From degree 8 on the even and the odd powers apart, which halves the chain of dependent
    operations; but the first two coefficients last, for there roundings count most.
    """
    real, fused, suffix = ("float", "FMAF", "f") if fit.kind == "float" else ("double", "FMA", "")
    numbers = [f"{c.hex()}{suffix}" for c in known]
    lines = [
        f"/* Largest weighted error {error:.2g}; by benchmarks.vector_coefficients. */",
        f"SYMOP_INLINE {real} {fit.function}({real} x) {{",
    ]

    def chain(name: str, terms: Sequence[str], argument: str) -> None:
        lines.append(f"    {real} {name} = {terms[-1]};")
        lines.extend(f"    {name} = {fused}({name}, {argument}, {t});" for t in terms[-2::-1])

    if fit.degree < SPLIT:
        chain("p", numbers, "x")
    else:
        lines.append(f"    {real} z = x * x;")
        chain("p", numbers[2::2], "z")
        chain("q", numbers[3::2], "z")
        lines.append(f"    p = {fused}(q, x, p);")
        lines.extend(f"    p = {fused}(p, x, {number});" for number in numbers[1::-1])
    lines.append("    return p;")
    return "\n".join([*lines, "}"])
