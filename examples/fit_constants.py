"""Trainable constants of a formula: a damped oscillation, fitted to measurements.

`op.module` makes an `nn.Module` of the op: the constants that are sought are its Parameters, one
that is known is a buffer, and the time stays an argument.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

import symop

TRUTH = {"a": 1.5, "k": 0.35, "w": 2.0, "p": 0.4}
LEVEL = 0.25
STEPS = 30

oscillation = symop.compile("c + a*exp(-k*t)*cos(w*t + p)", name="oscillation")
mean_squared_error = symop.compile("mean((y - measured)**2)", name="mean_squared_error")


def measurements() -> tuple[Tensor, Tensor]:
    """Times, and values with a noise of 0.02."""
    t = torch.linspace(0, 8, 400, dtype=torch.float64)
    noise = torch.randn(400, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    return t, oscillation(t=t, c=LEVEL, **TRUTH) + 0.02 * noise


def make() -> symop.modules.OpModule:
    """The model before the fit."""
    level = nn.Buffer(torch.tensor(LEVEL))
    return oscillation.module(a=1.0, k=0.2, w=1.8, p=0.0, c=level).to(torch.float64)


def fit(model: nn.Module, t: Tensor, measured: Tensor) -> list[float]:
    """Fits the constants; returns the loss of every step."""
    optimizer = torch.optim.LBFGS(model.parameters(), line_search_fn="strong_wolfe")
    losses = []

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = mean_squared_error(model(t), measured)
        loss.backward()
        return loss

    for _ in range(STEPS):
        losses.append(optimizer.step(closure).item())
    return losses


def main() -> dict[str, float]:
    """Fits the constants; returns what was found."""
    t, measured = measurements()
    model = make()
    print(model)
    losses = fit(model, t, measured)
    found = {name: parameter.item() for name, parameter in model.named_parameters()}
    for name, value in found.items():
        print(f"{name} = {value:.4f} (true: {TRUTH[name]})")
    print(f"mean squared error {losses[-1]:.3g}, that of the noise is {0.02**2:.3g}")

    # Nothing but the constants was trained, and a checkpoint holds all of them.
    assert model.c == LEVEL
    again = make()
    again.load_state_dict(model.state_dict())
    assert torch.equal(again(t), model(t))
    # The least squares fit to 400 values of that noise misses by some 0.02/sqrt(400).
    assert all(abs(value - TRUTH[name]) < 0.01 for name, value in found.items()), found
    return found


if __name__ == "__main__":
    main()
