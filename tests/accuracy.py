"""Errors in units in the last place, against mpmath: what the accuracy gate measures.

The exact values come from the formula as it was written, without rewrites and stable forms,
in a precision that is raised until two evaluations agree.
"""

from __future__ import annotations

import json
import math
import random
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import mpmath as mp
import numpy as np
import torch

import symop
from symop.differentiation import vjp
from symop.evaluation import evaluate
from symop.parsing import parse

DATA = Path(__file__).parent / "data"
PRECISIONS = (200, 800, 3200, 12800)
DTYPES = {
    "float32": torch.float32, "float64": torch.float64,
    "bfloat16": torch.bfloat16, "float16": torch.float16,
}  # fmt: skip
# Bits of the significand, smallest and largest exponent of a normal number.
FORMATS = {
    "float32": (24, -126, 127), "float64": (53, -1022, 1023),
    "bfloat16": (8, -126, 127), "float16": (11, -14, 15),
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A formula to measure.

    domain: by argument, the range (low, high), or a named set of points of the whole format.
    constraint: a further condition on the arguments, as text.
    op: torch's own op for it, as text over the arguments, if there is one.
    best: the error of the best form known, of value and gradient, by dtype.
    """

    name: str
    formula: str
    domain: dict
    constraint: str | None = None
    op: str | None = None
    best: dict | None = None

    @property
    def args(self):
        return parse(self.formula).arguments


@dataclass(frozen=True)
class Result:
    """The errors of one output of one case.

    worst: the largest error in ULP, and where.
    limit: the bound there, and the largest ratio of error and bound.
    lost: points without a finite value where the true one is finite.
    """

    worst: float
    ratio: float
    lost: int
    place: tuple
    median: float
    high: float


def cases():
    """The 64 common formulas, over the whole range of the format."""
    entries = json.loads((DATA / "accuracy_cases.json").read_text())
    return [Case(e.get("name", e["formula"]), e["formula"], e["domain"], None, e["op"], e["best"])
            for e in entries]  # fmt: skip


# Published formulas that torch computes whole.
_OPS = {
    "nmse_s35": "torch.expm1(a*x)", "logexp": "F.softplus(x)", "hyp_asinh": "torch.asinh(x)",
    "hyp_acosh": "torch.acosh(x)", "hyp_atanh": "torch.atanh(x)",
    "logistic_garg": "torch.tanh(x)", "nguyen11": "torch.pow(x1, x2)", "mish": "F.mish(x)",
    "gelu_tanh": "F.gelu(x, approximate='tanh')", "silu": "F.silu(x)", "selu": "F.selu(x)",
}  # fmt: skip


def published():
    """The 88 published formulas over their domains."""
    entries = json.loads((DATA / "expressions.json").read_text())["entries"]
    return [Case(e["name"], e["expr"], e["domain"], e["constraint"], _OPS.get(e["name"]))
            for e in entries]  # fmt: skip


def further():
    """Formulas of our own: activations, losses, divergences, physics, removable singularities."""
    entries = json.loads((DATA / "further_cases.json").read_text())
    return [Case(e["formula"], e["formula"], e["domain"]) for e in entries]


def sample(case, dtype, count, seed=0):
    """Points of a case: exact numbers of the dtype, one list an argument."""
    generator = random.Random(f"{case.name} {seed}")
    names = [a.name for a in case.args]
    points = []
    tries = 0
    while len(points) < count and tries < 100 * count:
        tries += 1
        quarter = len(points) % 4
        point = {n: _draw(case.domain[n], dtype, quarter, generator) for n in names}
        rounded = {n: torch.tensor(v, dtype=torch.float64).to(DTYPES[dtype]).item()
                   for n, v in point.items()}  # fmt: skip
        if not all(_inside(case.domain[n], v) for n, v in rounded.items()):
            continue
        if case.constraint and not eval(case.constraint, {"__builtins__": {}}, rounded):
            continue
        points.append(rounded)
    return {n: [p[n] for p in points] for n in names}


def _draw(domain, dtype, quarter, generator):
    _, low_exponent, high_exponent = FORMATS[dtype]
    if isinstance(domain, list):
        low, high = domain
        if low > 0 and high / low > 1e3:
            return math.exp(generator.uniform(math.log(low), math.log(high)))
        return generator.uniform(low, high)
    kind, *limit = domain.split()
    reach = min(float(limit[0]) if limit else math.inf, 2.0 ** (0.9 * high_exponent))
    tiny = 2.0 ** (0.9 * low_exponent)
    sign = generator.choice((-1, 1)) if kind in ("real", "open") else 1
    if kind in ("open", "unit", "above"):
        # (-1, 1), (0, 1) and (1, inf): near the inner end, near 0, and in the middle.
        end = 2.0 ** -generator.uniform(1, FORMATS[dtype][0] - 1)
        middle = generator.random()
        if kind == "above":
            outer = math.exp(generator.uniform(0, math.log(reach)))
            return (1 + middle, 1 + end, outer, 1 + 9 * middle)[quarter]
        small = math.exp(generator.uniform(math.log(tiny), 0))
        return sign * (middle, small, 1 - end, middle)[quarter]
    if quarter == 0:
        size = generator.uniform(0, 5)
    elif quarter == 1:
        size = math.exp(generator.uniform(math.log(tiny), 0))
    elif quarter == 2:
        size = math.exp(generator.uniform(0, math.log(reach)))
    else:
        size = generator.uniform(0, min(1.1 * math.log(2) * high_exponent, reach))
    return sign * size


def _inside(domain, value):
    if isinstance(domain, list):
        return domain[0] <= value <= domain[1]
    kind = domain.split()[0]
    return {
        "real": value != 0, "positive": value > 0, "open": 0 < abs(value) < 1,
        "unit": 0 < value < 1, "above": value > 1,
    }[kind] and math.isfinite(value)  # fmt: skip


class Exact:
    """The true value and gradients of a formula."""

    def __init__(self, formula):
        self.program = parse(formula)
        self.derived = vjp(self.program)
        self.names = [a.name for a in self.program.arguments]
        self.outputs = ["value", *(o.of for o in self.derived.outputs)]

    def _at(self, point, precision):
        with mp.workprec(precision):
            values = {n: np.array([v], dtype=object) for n, v in point.items()}
            grad = {a.name: np.array([mp.mpf(1)], dtype=object) for a in self.derived.arguments
                    if a.name not in point}  # fmt: skip
            try:
                out = [evaluate(self.program, values)[0]]
                out += evaluate(self.derived, {**values, **grad})
            except (ValueError, ZeroDivisionError, OverflowError, TypeError):
                return None
            return [a.flat[0] for a in out]

    def _extra(self, point):
        # A 1 must not swallow the fourth power of a tiny number, which the slope of a quotient by
        # x**2 hangs on, nor exp(-x) squared, beside it.
        return max(5 * abs(int(mp.mag(v))) + 4 * min(int(abs(v)), 800) for v in point.values())

    def __call__(self, point):
        """The outputs, each correct to 70 bits; None where it has no finite real value."""
        before = None
        for precision in PRECISIONS:
            now = self._at(point, precision + self._extra(point))
            if before is not None and now is not None and all(map(_agree, before, now)):
                return [v if mp.isfinite(v) else None for v in now]
            before = now
        return [None] * len(self.outputs)

    def terms(self, point, index):
        """The last sum of an output, as it was written, with its terms taken absolutely."""
        program, output = (self.program, 0) if index == 0 else (self.derived, index - 1)
        nodes = program.nodes
        grad = {a.name: 1 for a in self.derived.arguments if a.name not in point}
        values = {n: np.array([mp.mpf(v)], dtype=object) for n, v in {**point, **grad}.items()}
        sums = ("add", "sub", "neg", "sum")

        def size(at):
            part = replace(program, outputs=(replace(program.outputs[output], node=at),))
            value = evaluate(part, {a.name: values[a.name] for a in part.arguments})[0].flat[0]
            return abs(value) if mp.isfinite(value) else mp.mpf(0)

        def visit(at):
            node = nodes[at]
            if node.op in sums:
                return sum(visit(operand) for operand in node.operands)
            if node.op in ("mul", "div"):
                a, b = node.operands
                if node.op == "mul" and nodes[b].op in sums and nodes[a].op not in sums:
                    a, b = b, a
                return visit(a) * size(b) if node.op == "mul" else visit(a) / size(b)
            return size(at)

        with mp.workprec(PRECISIONS[1] + self._extra(point)):
            return visit(program.outputs[output].node)

    def condition(self, point, index):
        """By how much, relatively, one output moves with relative moves of the arguments."""
        total = mp.mpf(0)
        crosses = False
        precision = PRECISIONS[2] + self._extra(point)
        with mp.workprec(precision):
            here = self._at(point, precision)[index]
            for name in self.names:
                for size in (mp.mpf(2) ** -200, mp.mpf(1) / 16, -mp.mpf(1) / 16):
                    moved = self._at({**point, name: point[name] * (1 + size)}, precision)
                    if moved is None or not mp.isfinite(moved[index]):
                        continue
                    if abs(size) < 0.01:
                        total += abs(moved[index] - here) / size
                    else:
                        crosses |= bool(moved[index] * here <= 0)
        return total, crosses


def _agree(a, b):
    if not (mp.isfinite(a) and mp.isfinite(b)):
        return mp.isnan(a) == mp.isnan(b) and (mp.isnan(a) or a == b)
    return a == b or abs(a - b) <= abs(b) * mp.mpf(2) ** -70


@lru_cache(maxsize=512)
def exact(formula):
    return Exact(formula)


@lru_cache(maxsize=100000)
def _truth(formula, point):
    reference = exact(formula)
    return reference({n: mp.mpf(v) for n, v in zip(reference.names, point, strict=True)})


def ulp(value, dtype):
    """The distance of numbers of the dtype near a value."""
    bits, low, _ = FORMATS[dtype]
    return mp.mpf(2) ** (max(int(mp.mag(value)) - 1, low) - bits + 1)


def evaluated(function, points, dtype):
    """The value and the gradients of a function of tensors."""
    inputs = [torch.tensor(v, dtype=DTYPES[dtype], requires_grad=True) for v in points.values()]
    value = function(*inputs)
    grads = torch.autograd.grad(value.sum(), inputs, allow_unused=True)
    zero = torch.zeros(len(inputs[0]))
    return [t.detach().double().expand(len(zero)).tolist() if t is not None else zero.tolist()
            for t in (value, *grads)]  # fmt: skip


def errors(case, points, dtype, got):
    """For each output the errors in ULP by point; inf where a finite value was lost."""
    _, low, high = FORMATS[dtype]
    rows = [[] for _ in got]
    for place, point in enumerate(zip(*points.values(), strict=True)):
        for index, true in enumerate(_truth(case.formula, point)):
            value = got[index][place]
            error = None
            if true is not None and abs(true) < mp.mpf(2) ** high * (2 - mp.mpf(2) ** -8):
                if not math.isfinite(value):
                    error = math.inf
                elif abs(true) >= mp.mpf(2) ** low:
                    error = float(abs(mp.mpf(value) - true) / ulp(true, dtype))
            rows[index].append(error)
    return rows


def torch_op(case):
    """The op of torch, as a function of the arguments."""
    if case.op is None:
        return None
    names = ", ".join(a.name for a in case.args)
    scope = {"torch": torch, "F": torch.nn.functional}
    return eval(f"lambda {names}: {case.op}", scope)


def limit(case, dtype, index, point, others):
    """The bound of the gate for one output at one point, in ULP.

    others: the largest error of torch's own op, if there is one.
    """
    if dtype in ("bfloat16", "float16"):
        least = 0.51
    elif others is not None:
        least = max(4.0, 1.5 * others)
    else:
        least = 4.0
    reference = exact(case.formula)
    exact_point = {n: mp.mpf(v) for n, v in zip(reference.names, point, strict=True)}
    moves, crosses = reference.condition(exact_point, index)
    true = _truth(case.formula, point)[index]
    bits = FORMATS[dtype][0]
    input_rounding = float(4 * moves * mp.mpf(2) ** -(bits - 1) / 2 / ulp(true, dtype))
    if crosses or moves > 8 * abs(true):
        # Near a root, which is one of the last sum; the tail of exp(-x) has no such sum.
        terms = reference.terms(exact_point, index)
        if crosses or terms > 8 * abs(true):
            last = float(4 * (terms + moves) * mp.mpf(2) ** (1 - bits) / 2 / ulp(true, dtype))
            return max(least, last)
    if dtype in ("bfloat16", "float16"):
        return least
    if others is not None:
        return least
    best = (case.best or {}).get(dtype, [None, None])[min(index, 1)]
    if best is not None:
        input_rounding = min(input_rounding, max(4.0, 2 * best))
    return max(least, input_rounding)


def measure(case, dtype, count, function=None, seed=0):
    """The result of every output of a case, by its name."""
    points = sample(case, dtype, count, seed)
    op = function or symop.compile(case.formula)
    rows = errors(case, points, dtype, evaluated(op, points, dtype))
    own = torch_op(case)
    others = [None] * len(rows)
    if own is not None and dtype in ("float32", "float64"):
        theirs = errors(case, points, dtype, evaluated(own, points, dtype))
        others = [max((e for e in row if e not in (None, math.inf)), default=0.0) for row in theirs]
    listed = list(zip(*points.values(), strict=True))
    results = {}
    for index, (name, row) in enumerate(zip(exact(case.formula).outputs, rows, strict=True)):
        finite = sorted(e for e in row if e not in (None, math.inf))
        ratio, place = 0.0, ()
        easy = 0.51 if dtype in ("bfloat16", "float16") else 4.0
        for point, error in zip(listed, row, strict=True):
            if error is None or error == math.inf:
                continue
            bound = easy if error <= easy else limit(case, dtype, index, point, others[index])
            if error / bound > ratio:
                ratio, place = error / bound, point
        results[name] = Result(
            worst=finite[-1] if finite else 0.0, ratio=ratio, lost=row.count(math.inf),
            place=place or (listed[row.index(math.inf)] if math.inf in row else ()),
            median=finite[len(finite) // 2] if finite else 0.0,
            high=finite[int(0.99 * (len(finite) - 1))] if finite else 0.0,
        )  # fmt: skip
    return results
