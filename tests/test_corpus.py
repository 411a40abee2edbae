"""Published formulas over their domains, in float64, against mpmath."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path

import mpmath as mp
import numpy as np
import pytest
import torch

import symop
from symop.evaluation import evaluate
from symop.parsing import parse

ENTRIES = json.loads((Path(__file__).parent / "data" / "expressions.json").read_text())["entries"]
POINTS = 20


def sample(entry, generator):
    while True:
        point = {}
        for name in entry["variables"]:
            low, high = entry["domain"][name]
            if low > 0 and high / low > 1e3:
                point[name] = math.exp(generator.uniform(math.log(low), math.log(high)))
            else:
                point[name] = generator.uniform(low, high)
        if entry["constraint"] is None or eval(entry["constraint"], {"__builtins__": {}}, point):
            return point


def errors(got, expected):
    for g, e in zip(got.tolist(), expected.flat, strict=True):
        e = float(e)
        assert math.isfinite(g) or not math.isfinite(e), (g, e)
        yield abs(g - e) / abs(e) if e else abs(g)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: e["name"])
def test_value_and_gradients(entry):
    generator = random.Random(entry["name"])
    op = symop.compile(entry["expr"])
    written = parse(entry["expr"])
    assert set(op.args) == set(entry["variables"])
    points = [sample(entry, generator) for _ in range(POINTS)]
    inputs = [
        torch.tensor([p[n] for p in points], dtype=torch.float64, requires_grad=True)
        for n in op.args
    ]
    value = op(*inputs)
    gradients = torch.autograd.grad(value.sum(), inputs)
    with mp.workdps(120):
        exact = {n: np.array([mp.mpf(p[n]) for p in points], dtype=object) for n in op.args}

        def f(values):
            return evaluate(written, values)[0]

        worst = max(errors(value.detach(), f(exact)))
        for name, gradient in zip(op.args, gradients, strict=True):
            step = np.array([mp.mpf(10) ** -25 * max(abs(v), 1) for v in exact[name]], dtype=object)
            above = f({**exact, name: exact[name] + step})
            below = f({**exact, name: exact[name] - step})
            worst = max(worst, *errors(gradient, (above - below) / (2 * step)))
    assert worst < 1e-10
