"""Random formulas against torch autograd of the plain formula, in float64."""

from __future__ import annotations

import pytest
import torch
from hypothesis import HealthCheck, assume, example, given, settings

import symop
from tests.strategies import ARGUMENTS, formulas, plain

PROFILE = settings(
    max_examples=12, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip
SWEEP = settings(PROFILE, max_examples=1500, derandomize=False)


def arguments() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(7)
    return {
        name: (torch.randn(shape, dtype=torch.float64, generator=generator) * 0.8).requires_grad_()
        for name, shape in ARGUMENTS.items()
    }


def gradients(value, inputs, weights):
    found = torch.autograd.grad(value, inputs, weights, create_graph=True, allow_unused=True)
    return [torch.zeros_like(i) if g is None else g for g, i in zip(found, inputs, strict=True)]


def agree(ours, theirs, what, text):
    # Both sides round; where terms cancel, the error is relative to the largest element.
    scale = max(1.0, theirs.abs().max().item())
    assert ours.shape == theirs.shape, (what, text)
    error = (ours - theirs).abs().max().item()
    assert error <= 1e-9 * scale, (what, text, error, scale)


def reject(is_by_design, error):
    if not is_by_design:
        raise error
    assume(False)


def compare(text):
    values = arguments()
    try:
        op = symop.compile(text)
    except symop.FormulaError as error:
        # A tower of constants may overflow, which is refused by design.
        reject("too large for float64" in str(error), error)
    inputs = [values[name] for name in op.args]
    ours, theirs = op(*inputs), plain(text, values)
    if not torch.isfinite(theirs).all() or theirs.abs().max() > 1e12:
        return
    agree(ours, theirs, "value", text)
    weights = torch.linspace(0.5, 1.5, ours.numel(), dtype=torch.float64).reshape(ours.shape)
    weights.requires_grad_()
    first, expected = gradients(ours, inputs, weights), gradients(theirs, inputs, weights)
    if not all(torch.isfinite(e).all() and e.abs().max() < 1e12 for e in expected):
        return
    for name, a, b in zip(op.args, first, expected, strict=True):
        agree(a, b, f"gradient of {name}", text)
    ours = sum((g * g).sum() for g in first)
    theirs = sum((g * g).sum() for g in expected)
    if not theirs.requires_grad:
        return
    second = gradients(ours, [*inputs, weights], torch.ones_like(ours))
    expected = gradients(theirs, [*inputs, weights], torch.ones_like(theirs))
    if not all(torch.isfinite(e).all() and e.abs().max() < 1e12 for e in expected):
        return
    for name, a, b in zip([*op.args, "weights"], second, expected, strict=True):
        agree(a, b, f"second gradient of {name}", text)


@PROFILE
@given(formulas(reductions=False))
@example("x*w + (where((x) > (b), x, b))*tanh(x + b)")
def test_elementwise_formulas_agree_with_autograd(text):
    compare(text)


@PROFILE
@given(formulas(reductions=True))
@example("x*w + (softmax(sum(x), -1))*tanh(x + b)")
@example("x*w + (prod(0.5*(v)))*tanh(x + b)")
def test_formulas_with_reductions_agree_with_autograd(text):
    compare(text)


@pytest.mark.slow
@SWEEP
@given(formulas(reductions=True))
def test_sweep_of_formulas(text):
    compare(text)
