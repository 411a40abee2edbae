"""Logarithms and shares of sums of exponentials over dims, against mpmath."""

from __future__ import annotations

import mpmath as mp
import pytest
import torch

import symop

ROWS = [
    [1000.0, 1001.0, 3.0],
    [-2000.0, -2000.0, -2001.0],
    [1e-9, 2e-9, -2e-9],
    [0.5, -700.0, 0.25],
    [-0.0, 5e-324, 88.8],
]


def _logs(row):
    return [mp.mpf(v) for v in row]


def _lse(row):
    return mp.log(mp.fsum(mp.exp(v) for v in _logs(row)))


def _share(row, k):
    return mp.exp(row[k]) / mp.fsum(mp.exp(v) for v in _logs(row))


# By formula: the values of a row, and the gradients of their sum weighted by 1, 2, 3.
SUMS = {
    "log(sum(exp(x), -1))": lambda r: [_lse(r)],
    "log(mean(exp(x), -1))": lambda r: [_lse(r) - mp.log(3)],
    "log(2*sum(exp(-x), -1))": lambda r: [_lse([-v for v in r]) + mp.log(2)],
    "log(1 + sum(exp(x), -1))": lambda r: [_lse([*r, 0])],
    "log(sum(exp(x)*exp(2*x), -1))": lambda r: [_lse([3 * mp.mpf(v) for v in r])],
    "exp(x)/sum(exp(x), -1)": lambda r: [_share(r, k) for k in range(3)],
    "log(exp(x)/sum(exp(x), -1))": lambda r: [v - _lse(r) for v in _logs(r)],
    "log(softmax(x, -1))": lambda r: [v - _lse(r) for v in _logs(r)],
    "-sum(0.5*log(exp(x)/sum(exp(x), -1)), -1)": lambda r: [
        mp.fsum(_lse(r) - v for v in _logs(r)) / 2
    ],
    "exp(x)/(1 + sum(exp(x), -1))": lambda r: [_share([*r, 0], k) for k in range(3)],
}


@pytest.mark.parametrize("formula", SUMS)
def test_values_over_a_dim(formula):
    found = symop.compile(formula)(torch.tensor(ROWS, dtype=torch.float64))
    for row, values in zip(ROWS, found.reshape(len(ROWS), -1).tolist(), strict=True):
        with mp.workdps(1200):
            exact = SUMS[formula](row)
            size = max(abs(mp.mpf(v)) for v in row)
            for value, true in zip(values, exact, strict=True):
                # What the rounding of the exponents costs, beside 4 ULP.
                costs = size if "exp(x)/" in formula and "log" not in formula else 0
                # The logarithm of a share near 1 is the difference of numbers of about 1.
                scale = max(abs(true), 1) if "log(exp" in formula or "softmax" in formula else 0
                allowed = max(abs(true), scale) * (4 + 2 * costs) * mp.mpf(2) ** -52
                assert abs(value - true) <= max(allowed, mp.mpf(10) ** -307), (row, value, true)


@pytest.mark.parametrize("formula", ["log(sum(exp(x), -1))", "log(mean(exp(x), -1))"])
def test_gradients_are_shares(formula):
    x = torch.tensor(ROWS, dtype=torch.float64, requires_grad=True)
    symop.compile(formula)(x).sum().backward()
    for row, grads in zip(ROWS, x.grad.tolist(), strict=True):
        with mp.workdps(1200):
            for k, grad in enumerate(grads):
                true = _share(row, k)
                allowed = abs(true) * (4 + max(map(abs, row))) * mp.mpf(2) ** -52
                assert abs(grad - true) <= max(allowed, mp.mpf(10) ** -307), (row, grad, true)


def test_all_dims_and_infinities():
    inf = float("inf")
    assert symop.compile("log(sum(exp(x)))")(torch.tensor([-inf, -inf])).item() == -inf
    assert symop.compile("log(mean(exp(x)))")(torch.tensor([inf, 1.0])).item() == inf
    assert symop.compile("log(mean(exp(x)))")(torch.tensor([900.0, 900.0])).item() == 900.0


def test_a_maximum_is_taken_once():
    written = symop.compile("logsumexp(x, -1)").source
    assert symop.compile("log(sum(exp(x), -1))").source.count("amax") == written.count("amax")
