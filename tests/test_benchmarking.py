"""The loop that times calls, what it is run on, and what it says about noise."""

from __future__ import annotations

import pytest
import torch

import symop
from symop import benchmarking
from symop.benchmarking import Timing, key_of, measured, noise, runner
from symop.errors import CallError
from symop.jax_peer import jax_runs
from symop.peers import arguments, by_hand, eager, peers

FORMULAS = [
    "0.5*(5*x**3-3*x)",
    "x*tanh(log(1 + exp(x)))",
    "x/sqrt(mean(x**2, -1) + eps)*w",
    "u = softmax(x*w, -1); out = sum(u*x); most = amax(x)",
    "where(m, x, w) + legendre(3, x)",
]


class Clock:
    """A clock that calls move."""

    def __init__(self, monkeypatch):
        self.now = 0.0
        self.order = []
        monkeypatch.setattr(benchmarking.time, "perf_counter", lambda: self.now)

    def call(self, name, *steps):
        steps = list(steps)

        def run():
            self.order.append(name)
            self.now += steps.pop(0) if len(steps) > 1 else steps[0]

        return run


def test_medians_of_calls_that_take_turns(monkeypatch):
    clock = Clock(monkeypatch)
    found = measured({"a": clock.call("a", 1.0), "b": clock.call("b", 2.0)}, rounds=4)
    assert found == {"a": Timing(1.0, 0.0), "b": Timing(2.0, 0.0)}
    # Four calls of each before anything counts; then turns, each being first as often.
    assert "".join(clock.order) == "aaaabbbb" + "ab" + "ba" + "ab" + "ba"


def test_a_turn_holds_as_many_calls_as_it_has_time_for(monkeypatch):
    clock = Clock(monkeypatch)
    found = measured({"a": clock.call("a", 1e-3)}, rounds=3, seconds=0.0101)
    assert len(clock.order) == 4 + 3 * 10
    assert found["a"].seconds == pytest.approx(1e-3)


def test_the_spread_is_that_of_the_middle_half(monkeypatch):
    clock = Clock(monkeypatch)
    steps = [1.0] * 4 + [1.0, 2.0, 3.0, 4.0, 50.0]
    found = measured({"a": clock.call("a", *steps)}, rounds=5)
    assert found["a"] == Timing(3.0, pytest.approx((4.0 - 2.0) / 3.0))


def test_noise_names_the_load_and_the_spread(monkeypatch):
    monkeypatch.setattr(benchmarking.os, "cpu_count", lambda: 4)
    quiet = {"cell": {"symop": Timing(1.0, 0.05), "eager": Timing(1.0, 0.09)}}
    wide = {"cell": {"symop": Timing(1.0, 0.05), "eager": Timing(1.0, 0.2)}}
    assert noise(quiet, 1.0) == []
    assert noise(quiet, None) == []
    (load,) = noise(quiet, 3.0)
    assert "load average was 3.0 on 4 cores" in load
    (spread,) = noise(wide, 1.0)
    assert "in 1 of 2 times" in spread


def test_keys_are_those_of_the_benchmarks():
    assert key_of("E1", "float32", 1_000_000, 1, "both") == "E1|float32|1000000|1|both"


def test_forward_runs_without_gradients_and_both_gives_them():
    op = symop.compile("w*x + b", backend="torch")
    values = arguments(op, [(0.0, 1.0)] * 3, 5, torch.float64, scalars="w", fixed="x")
    assert [v.shape for v in values] == [(), (5,), (5,)]
    assert [v.requires_grad for v in values] == [True, False, True]
    assert not runner(op, values, "forward")().requires_grad
    by_w, by_b = runner(op, values, "both")()
    torch.testing.assert_close(by_w, values[1].sum())
    torch.testing.assert_close(by_b, torch.ones(5, dtype=torch.float64))


@pytest.mark.parametrize("formula", FORMULAS)
def test_peers_compute_the_same(formula):
    op = symop.compile(formula, backend="torch")
    values = arguments(op, [(0.1, 1.9)] * len(op.args), 6, torch.float64, scalars="w")
    expected = op(*values)
    gradients = runner(op, values, "both")()
    for function in (eager(op), by_hand(op)):
        torch.testing.assert_close(function(*values), expected)
        torch.testing.assert_close(runner(function, values, "both")(), gradients)


def test_peers_are_those_that_are_wanted():
    op = symop.compile("x*y", backend="torch")
    assert list(peers(op, ("compile", "eager", "jax"))) == ["symop", "eager", "compile"]


@pytest.mark.parametrize("formula", FORMULAS)
def test_jax_computes_the_same(formula):
    pytest.importorskip("jax")
    op = symop.compile(formula, backend="torch")
    drawn = arguments(op, [(0.1, 1.9)] * len(op.args), 6, torch.float64, scalars="w")
    # Rows and columns, so that a dim that is lost shows.
    values = [v.detach().reshape(2, 3) if v.dim() else v.detach() for v in drawn]
    values = [v.requires_grad_(d.requires_grad) for v, d in zip(values, drawn, strict=True)]
    runs = jax_runs(op.written, values)

    def close(found, expected):
        torch.testing.assert_close(torch.tensor(found.tolist(), dtype=torch.float64), expected)

    expected = op(*values)
    outputs = expected if isinstance(expected, tuple) else (expected,)
    found = runs["forward"]()
    for mine, theirs in zip(outputs, found if isinstance(found, tuple) else (found,), strict=True):
        close(theirs, mine.detach())
    for mine, theirs in zip(runner(op, values, "both")(), runs["both"]()[1], strict=True):
        close(theirs, mine)


def test_without_jax_that_is_said(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "jax", None)
    op = symop.compile("x*y")
    with pytest.raises(CallError, match="pip install jax"):
        jax_runs(op.written, [torch.ones(2), torch.ones(2)])
