"""Special functions and their derivatives of two orders, in ULP, against mpmath."""

from __future__ import annotations

import time

import pytest
import torch

import symop
from symop.errors import FormulaError
from tests.sampling import one_in

ACCURATE = [
    "besselj(0, x)", "besselj(1, x)", "besselj(2, x)", "besselj(7, x)", "bessely(0, x)",
    "bessely(1, x)", "bessely(3, x)", "besseli(2, x)", "besseli(8, x)", "besselk(0, x)",
    "polygamma(1, x)", "polygamma(4, x)", "lgamma(x)",
    "besselk(3, x)", "jn(0, x)", "jn(1, x)", "jn(3, x)", "yn(0, x)", "yn(2, x)",
    "i0e(x)", "i1e(x)", "scaled_modified_bessel_k0(x)", "scaled_modified_bessel_k1(x)",
    "E1(x)", "expint(0, x)", "expint(3, x)", "Ei(x)", "Si(x)", "Ci(x)", "fresnels(x)",
    "fresnelc(x)", "airyai(x)", "airyaiprime(x)", "airybi(x)", "airybiprime(x)", "lambertw(x)",
    "log1pexp(x)", "erfcx(x)", "log_ndtr(x)", "logit(x)",
]  # fmt: skip


@pytest.mark.parametrize("formula", one_in(6, ACCURATE))
def test_values_and_derivatives_are_within_the_bound(formula):
    start = time.perf_counter()
    report = symop.compile(formula).check()
    assert report, str(report)
    for accuracy in report.accuracies:
        # Twice what the oracle aims at: 8 ULP, or 8 times what rounding the input does; for i0e
        # and i1e 16, since one series serves from zero to infinity.
        bound = 4 if formula in ("i0e(x)", "i1e(x)") else 2
        theirs = accuracy.torch.worst if accuracy.torch else 0
        assert accuracy.share <= bound or accuracy.worst <= 1.5 * theirs, str(report)
        assert accuracy.edges.lost == 0, str(report)
    assert time.perf_counter() - start < 30


@pytest.mark.parametrize(
    ("name", "formula"),
    [("bessel_j0", "besselj(0, x)"), ("bessel_y1", "bessely(1, x)"),
     ("modified_bessel_k1", "besselk(1, x)"), ("modified_bessel_i1", "besseli(1, x)")],
)  # fmt: skip
def test_names_of_torch_and_of_sympy_are_the_same(name, formula):
    x = torch.linspace(0.3, 9, 7, dtype=torch.float64)
    found, expected = symop.compile(f"{name}(x)")(x), symop.compile(formula)(x)
    torch.testing.assert_close(found, expected, rtol=1e-13, atol=0)


def test_negative_orders_are_reflected():
    x = torch.linspace(-9, 9, 7, dtype=torch.float64)
    assert torch.equal(symop.compile("besselj(-3, x)")(x), -symop.compile("besselj(3, x)")(x))
    assert torch.equal(symop.compile("besseli(-3, x)")(x), symop.compile("besseli(3, x)")(x))


@pytest.mark.parametrize("formula", ["besselj(31, x)", "jn(-1, x)", "besselj(x, 2)", "yn(1/2, x)"])
def test_orders_are_bounded_integers(formula):
    with pytest.raises(FormulaError, match=r"order|number written out|integer"):
        symop.compile(formula)


def test_limits_and_domains():
    inf = torch.tensor([0.0, torch.inf, -1.0], dtype=torch.float64)
    for formula, zero, end, negative in (
        ("bessely(0, x)", -torch.inf, 0, torch.nan), ("bessely(4, x)", -torch.inf, 0, torch.nan),
        ("besselk(4, x)", torch.inf, 0, torch.nan), ("besselj(0, x)", 1, 0, 0.7651976865579666),
        ("jn(2, x)", 0, 0, 0.06203505201137386),
    ):  # fmt: skip
        expected = torch.tensor([zero, end, negative], dtype=torch.float64)
        found = symop.compile(formula)(inf)
        torch.testing.assert_close(found, expected, rtol=1e-14, atol=0, equal_nan=True)
