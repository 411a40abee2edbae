"""Python functions of torch operations, traced into formulas."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional as F

import symop

D = torch.float64
P3 = symop.compile("0.5*(5*x**3-3*x)", name="p3")
CONSTANT = torch.ones(3)
SCALE = 0.1


def branches(x):
    if x.sum() > 0:
        return x
    return -x


FUNCTIONS = [
    lambda x: x * torch.tanh(F.softplus(x)),
    lambda x, w: torch.where(x > 0, x * w, x.sin()),
    lambda x: x / x.sum(-1, keepdim=True),
    lambda x: x.sum(-1),
    lambda x: x.sum(-1, keepdim=True),
    lambda x: x.mean(-1) - x.amax(-1),
    lambda x: F.gelu(x, approximate="tanh") + F.leaky_relu(x, 0.1) + F.elu(x, alpha=1.5),
    lambda x: x.clamp(min=0) + torch.clamp(x, -0.2, 0.2) + torch.clamp(x, max=0.1),
    lambda x: torch.softmax(x, dim=-1) + F.log_softmax(x, -1),
    lambda x: x.pow(2).mean(),
    lambda x: 1 / (1 + (-x).exp()),
    lambda x: (x, x * 2),
    lambda x, y: P3(x) * y + math.pi,
    lambda x: torch.std(x, dim=-1, unbiased=False) + torch.var(x, -1, correction=2),
    lambda x: 2**x - (x * x) ** 0.5 + abs(x) - x % 3,
    lambda x: F.softplus(x, beta=2) * torch.special.expit(x) * SCALE,
    lambda x: torch.sum(x, dim=(0, 1)),
    lambda x: torch.linalg.vector_norm(x, dim=-1) + torch.logsumexp(x, dim=-1),
    lambda x, w: torch.maximum(x, w) + torch.atan2(x, w) - x.square().sqrt(),
    lambda x: F.relu(x, inplace=False) + F.hardtanh(x, -0.1, 0.1),
    lambda x: torch.where((x > -0.1) & ~(x > 0.2), x, 0.0),
]


@pytest.mark.parametrize("index", range(len(FUNCTIONS)))
def test_value_and_gradient_are_those_of_the_function(index):
    function = FUNCTIONS[index]
    op = symop.compile(function)
    generator = torch.Generator().manual_seed(index)
    inputs = [
        (torch.rand(2, 3, dtype=D, generator=generator) - 0.3).requires_grad_() for _ in op.args
    ]
    ours, theirs = op(*inputs), function(*inputs)
    ours = ours if isinstance(ours, tuple) else (ours,)
    theirs = theirs if isinstance(theirs, tuple) else (theirs,)
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-15)
    found = torch.autograd.grad(sum((a * a).sum() for a in ours), inputs)
    expected = torch.autograd.grad(sum((b * b).sum() for b in theirs), inputs)
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-11, atol=1e-14)


def test_the_decorator():
    @symop.op
    def scaled(x, s):
        return P3(x) * s

    assert (scaled.name, scaled.args) == ("scaled", ("x", "s"))
    assert scaled(2.0, 3.0) == 51

    @symop.op(name="other")
    def again(x):
        return x * 2

    assert again.name == "other"


def test_masks_and_named_outputs():
    op = symop.compile(lambda m, x: {"kept": torch.where(m, x, 0), "twice": x * 2})
    assert op.outputs == ("kept", "twice")
    kept, twice = op(torch.tensor([True, False]), torch.tensor([3.0, 4.0]))
    assert kept.tolist() == [3, 0]
    assert twice.tolist() == [6, 8]


def test_exact_numbers():
    assert "1/10" in repr(symop.compile(lambda x: x * 0.1))


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (branches, rf"line \d+ of .*{__name__.rsplit('.', maxsplit=1)[-1]}.*torch.where"),
        (lambda x: x / x.sum(-1), "keepdim=True"),
        (lambda x: torch.cumsum(x, 0), "cumsum is not known"),
        (lambda x: x + CONSTANT, "make it an argument"),
        (lambda x: x.float(), "cast"),
        (lambda *x: x[0], "must have a name"),
        (lambda x: x[0], "getitem is not known"),
        (lambda x: torch.linalg.vector_norm(x, ord=1), "2-norm"),
        (lambda x: x + 1j, "complex"),
    ],
)
def test_refusals(function, message):
    with pytest.raises(symop.FormulaError, match=message):
        symop.compile(function)
