"""The accuracy gate: value and gradients in ULP against mpmath, in four dtypes.

A few points of every formula run by default, in one dtype of two; many in every dtype with
`make slow`. Every exception has a name and a reason; it is measured all the same, against a bound
of its own.
"""

from __future__ import annotations

import mpmath as mp
import pytest
import torch

import symop
from tests.accuracy import (
    Case,
    cases,
    errors,
    evaluated,
    exact,
    further,
    measure,
    published,
    sample,
)
from tests.sampling import one_in

# By name: how often the bound of the gate is passed at most, and why.
_ERFCX = "torch's erfcx is off by up to 11 ULP"
_ROUNDINGS = "plain arithmetic: the roundings of its own operations add up beyond 4 ULP"
EXCEPTIONS = {
    "nmse_3_1": (1.2, "the gradient has eight operations: 4.2 ULP"),
    "nmse_p345": (1.4, "the derivative of a quotient of two series: nine roundings, 5.3 ULP"),
    "doppler1": (1.3, _ROUNDINGS),
    "carbon_gas": (1.3, _ROUNDINGS),
    "vladislavleva4": (1.3, _ROUNDINGS),
    "jet_engine": (2.5, "the gradient goes through a quotient: two parts cancel to a tenth"),
    "heron": (1.5, _ROUNDINGS),
    "haversine": (3.0, "1 - h near h = 1 is rounded before asin sees it"),
    "gamma_ratio": (2.5, "the exponent of exp is rounded"),
    "student_t_nll": (20.0, "the four terms of the gradient by nu cancel to second order"),
    "sqrt(pi/2)*exp(x**2/2)*erfc(x/sqrt(2))": (1.5, _ERFCX),
    "exp(-x**2/2)/erfc(x/sqrt(2))": (3.0, _ERFCX),
    "(exp(a*t)-exp(b*t))/(a-b)": (1.6, "the gradient by t is a sum of three terms near its root"),
    "(exp(-b*t)-exp(-a*t))*a/(a-b)": (1.5, "the gradient by a is the same near its root"),
    "fermi_dirac": (1e5, "float32: sigmoid is below the normal numbers, its gradient above"),
}

COMMON = {case.name: case for case in cases()}
PUBLISHED = {case.name: case for case in published()}
FURTHER = {case.name: case for case in further()}


def check(case, dtype, count):
    allowed = EXCEPTIONS.get(case.name, (1.0, ""))[0]
    for output, result in measure(case, dtype, count).items():
        assert not result.lost, (output, result)
        assert result.ratio <= allowed, (output, result)


def in_turns(names, dtypes):
    """Each formula in one of the dtypes; `test_every_formula_at_many_points` has them all."""
    return [(name, dtypes[k % len(dtypes)]) for k, name in enumerate(names)]


@pytest.mark.parametrize(
    ("name", "dtype"),
    [*in_turns(COMMON, ["float32", "float64"]), *in_turns(COMMON, ["bfloat16", "float16"])],
)
def test_common_formulas(name, dtype):
    check(COMMON[name], dtype, 12)


@pytest.mark.parametrize("case", one_in(2, in_turns(PUBLISHED, ["float32", "float32", "float64"])))
def test_published_formulas(case):
    name, dtype = case
    check(PUBLISHED[name], dtype, 4)


@pytest.mark.parametrize("name", one_in(2, FURTHER))
def test_further_formulas(name):
    check(FURTHER[name], "float32", 4)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", FURTHER)
def test_further_formulas_at_many_points(name, dtype):
    check(FURTHER[name], dtype, 24)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16", "float16"])
@pytest.mark.parametrize("name", [*COMMON, *PUBLISHED])
def test_every_formula_at_many_points(name, dtype):
    check(COMMON.get(name) or PUBLISHED[name], dtype, 60)


@pytest.mark.slow
def test_few_published_formulas_lose_digits():
    worst = [measure(case, "float32", 25) for case in PUBLISHED.values()]
    values = sum(r["value"].worst > 100 for r in worst)
    gradients = sum(max(v.worst for k, v in r.items() if k != "value") > 100 for r in worst)
    assert values <= 3
    assert gradients <= 8


def high(case):
    return symop.compile(case.formula, precision="high")


@pytest.mark.parametrize("count", [2, pytest.param(25, marks=pytest.mark.slow)])
def test_high_precision_loses_digits_of_hardly_any_published_formula(count):
    worst = [measure(c, "float32", count, high(c)) for c in PUBLISHED.values()]
    assert not any(r.lost for results in worst for r in results.values())
    values = sum(r["value"].worst > 100 for r in worst)
    gradients = sum(max(v.worst for k, v in r.items() if k != "value") > 100 for r in worst)
    assert values <= 1
    assert gradients <= 3


# Second derivatives in float64, to 8 ULP.
SECOND = [
    ("softplus(x)", 0.0), ("log(1 + exp(x))", 0.0), ("sigmoid(x)", 40.0), ("tanh(x)", 20.0),
    ("1/(1 + exp(-x))", 40.0), ("sinc(x)", 1e-4), ("sin(x)/x", 1e-4), ("gelu(x)", -12.0),
    ("(exp(x) - exp(-x))/(exp(x) + exp(-x))", 20.0), ("(exp(x) - 1)/x", 1e-9),
    ("x/(exp(x) - 1)", 1e-9), ("log(1 + x)/x", 1e-9), ("silu(x)", -40.0), ("mish(x)", -40.0),
    ("log(cosh(x))", 20.0), ("log(1 - erf(x))", 20.0), ("sqrt(1 + x**2) - 1", 1e5),
    ("1 - log(1 + x)/x", 1e6), ("(exp(x) - 1)/x - 1", -40.0), ("log(sin(x)/x)", 1e-4),
    ("1/(tanh(x)*x) - 1/x**2", 1e-4), ("atan(x) - x/(1 + x**2)", 1e-4), ("x/(3 + x)", 1e6),
]  # fmt: skip
TRUE = {
    "softplus(x)": lambda x: mp.log1p(mp.exp(x)), "sigmoid(x)": lambda x: 1 / (1 + mp.exp(-x)),
    "tanh(x)": mp.tanh, "sinc(x)": lambda x: mp.sin(mp.pi * x) / (mp.pi * x),
    "gelu(x)": lambda x: x * mp.erfc(-x / mp.sqrt(2)) / 2,
    "silu(x)": lambda x: x / (1 + mp.exp(-x)),
    "mish(x)": lambda x: x * mp.tanh(mp.log1p(mp.exp(x))),
    "log(1 + exp(x))": lambda x: mp.log1p(mp.exp(x)),
    "1/(1 + exp(-x))": lambda x: 1 / (1 + mp.exp(-x)),
    "sin(x)/x": lambda x: mp.sin(x) / x,
    "(exp(x) - exp(-x))/(exp(x) + exp(-x))": mp.tanh,
    "(exp(x) - 1)/x": lambda x: mp.expm1(x) / x,
    "x/(exp(x) - 1)": lambda x: x / mp.expm1(x),
    "log(1 + x)/x": lambda x: mp.log1p(x) / x,
    "log(cosh(x))": lambda x: mp.log(mp.cosh(x)),
    "log(1 - erf(x))": lambda x: mp.log(mp.erfc(x)),
    "sqrt(1 + x**2) - 1": lambda x: mp.sqrt(1 + x * x),
    "1 - log(1 + x)/x": lambda x: 1 - mp.log1p(x) / x,
    "(exp(x) - 1)/x - 1": lambda x: mp.expm1(x) / x,
    "log(sin(x)/x)": lambda x: mp.log(mp.sin(x) / x),
    "1/(tanh(x)*x) - 1/x**2": lambda x: mp.coth(x) / x - 1 / x**2,
    "atan(x) - x/(1 + x**2)": lambda x: mp.atan(x) - x / (1 + x * x),
    "x/(3 + x)": lambda x: x / (3 + x),
}  # fmt: skip


@pytest.mark.parametrize("backend", ["torch", "cpu"])
@pytest.mark.parametrize(("formula", "at"), SECOND)
def test_second_derivatives(formula, at, backend):
    op = symop.compile(formula, backend=backend)
    x = torch.tensor(at, dtype=torch.float64, requires_grad=True)
    (first,) = torch.autograd.grad(op(x), x, create_graph=True)
    (second,) = torch.autograd.grad(first, x)
    with mp.workdps(400):
        true = mp.diff(TRUE[formula], mp.mpf(at), 2, h=mp.mpf(10) ** -80)
    assert abs(mp.mpf(second.item()) - true) <= 8 * mp.mpf(2) ** (int(mp.mag(true)) - 53)


def test_the_gate_finds_a_naive_form():
    case = Case("naive", "log(1 + exp(x))", {"x": "real"}, None, "torch.nn.functional.softplus(x)")
    result = measure(case, "float32", 60, function=lambda x: torch.log(1 + torch.exp(x)))
    assert result["value"].ratio > 1e5
    assert result["value"].lost > 0


def test_the_gate_finds_a_lost_gradient():
    case = Case("lost", "1/(1 + exp(-x))", {"x": "real"}, None, None)
    points = sample(case, "float64", 60)
    rows = errors(case, points, "float64", evaluated(torch.sigmoid, points, "float64"))
    assert max(e for e in rows[1] if e is not None) > 1e10


def test_the_oracle_uses_no_rewrite():
    assert {node.op for node in exact("log(1 + exp(x))").program.nodes} >= {"log", "exp"}
