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

ENTRIES = json.loads((Path(__file__).parent / "data" / "expressions.json").read_text())["entries"]
POINTS = 20

# Where the plain formula loses its digits in float64 (relative error above 1e-10), which the
# stable forms are to mend; everything else must agree.
LOSES_DIGITS = {
    "nmse_3_1", "nmse_3_4", "nmse_3_5", "nmse_3_6", "nmse_p331", "nmse_p333", "nmse_p336",
    "nmse_p42_neg", "nmse_3_8", "nmse_3_10", "nmse_p342", "nmse_p344", "nmse_s311", "nmse_p345",
    "nmse_p337", "nmse_p346", "logexp", "hyp_asinh", "mish", "gelu_tanh", "serf", "bce_logits",
    "relativistic_ke", "weibull_cdf", "kl_bernoulli", "bose_einstein", "lennard_jones", "logcosh",
    "hyp_acosh", "gamma_ratio", "III.9.52", "fermi_dirac",
}  # fmt: skip


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
    assert set(op.args) == set(entry["variables"])
    points = [sample(entry, generator) for _ in range(POINTS)]
    inputs = [
        torch.tensor([p[n] for p in points], dtype=torch.float64, requires_grad=True)
        for n in op.args
    ]
    value = op(*inputs)
    gradients = torch.autograd.grad(value.sum(), inputs)
    with mp.workdps(60):
        exact = {n: np.array([mp.mpf(p[n]) for p in points], dtype=object) for n in op.args}

        def f(values):
            return evaluate(op.program, values)[0]

        worst = max(errors(value.detach(), f(exact)))
        for name, gradient in zip(op.args, gradients, strict=True):
            step = np.array([mp.mpf(10) ** -25 * max(abs(v), 1) for v in exact[name]], dtype=object)
            above = f({**exact, name: exact[name] + step})
            below = f({**exact, name: exact[name] - step})
            worst = max(worst, *errors(gradient, (above - below) / (2 * step)))
    if entry["name"] not in LOSES_DIGITS:
        assert worst < 1e-10
