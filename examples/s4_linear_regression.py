"""Autograd basics with an op, then linear regression in an `nn.Module` made of two ops.

The affine step and the mean squared loss are symop ops; parameters, optimizer and device are
torch's as ever.
"""

from __future__ import annotations

import argparse
import warnings

import torch
from torch import Tensor, nn

import symop

LEARNING_RATE = 0.01
EPOCHS = 1000

affine = symop.compile("w*x + b", name="affine")
mean_squared_error = symop.compile("mean((prediction - target)**2)", name="mean_squared_error")


class LinearRegression(nn.Module):
    """`weight*x + bias`, initialised as nn.Linear(1, 1) is."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(1, 1).uniform_(-1, 1))
        self.bias = nn.Parameter(torch.empty(1).uniform_(-1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """The line at x."""
        return affine(self.weight, x, self.bias)


def train(
    model: nn.Module, loss_of: nn.Module | symop.Op, x: Tensor, y: Tensor, epochs: int
) -> list[float]:
    """Plain SGD; returns the loss of every epoch."""
    optimizer = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE)
    losses = []
    for _ in range(epochs):
        optimizer.zero_grad()
        loss = loss_of(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def show_basics() -> None:
    """requires_grad, grad_fn and the gradient of a tensor that is not a leaf."""
    x = torch.tensor(2.0, requires_grad=True)
    cube = symop.compile("x**3", name="cube")
    y = cube(x)
    z = affine(3.0, y, 1.0)
    print("x.requires_grad:", x.requires_grad, " y.requires_grad:", y.requires_grad)
    print("x.grad_fn:", x.grad_fn, " y.grad_fn:", type(y.grad_fn).__name__)
    assert x.grad_fn is None
    assert y.grad_fn is not None
    y.retain_grad()
    z.backward()
    print("dz/dy:", y.grad, " dz/dx:", x.grad)
    assert y.grad == 3.0
    assert x.grad == 3.0 * 3 * 2.0**2

    # Without retain_grad() torch keeps the gradients of leaves only, and says so.
    y = cube(x)
    affine(3.0, y, 1.0).backward()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert y.grad is None
    print("y.grad without retain_grad():", str(caught[0].message).split(". ")[0])

    with torch.no_grad():
        assert not cube(x).requires_grad
    assert not cube(x.detach()).requires_grad


def main(epochs: int = EPOCHS, device: str | None = None) -> tuple[float, float, float]:
    """Trains the model; returns weight, bias and the last loss."""
    show_basics()
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    x = torch.arange(11.0).reshape(-1, 1).to(device)
    y = 2 * x + 1

    torch.manual_seed(0)
    model = LinearRegression().to(device)
    start = torch.tensor([model.weight.item() - 2, model.bias.item() - 1], dtype=torch.float64)
    reference = nn.Linear(1, 1).to(device)
    with torch.no_grad():
        reference.weight.copy_(model.weight)
        reference.bias.copy_(model.bias)

    losses = train(model, mean_squared_error, x, y, epochs)
    expected_losses = train(reference, nn.MSELoss(), x, y, epochs)
    print(f"\ntraining on {device}")
    for epoch in range(99, epochs, 100):
        print(f"epoch {epoch + 1}, loss {losses[epoch]:.3g}")
    weight, bias = model.weight.item(), model.bias.item()
    print(f"weight {weight:.4f}, bias {bias:.4f}, loss {losses[-1]:.3g}")

    # Descent on a square loss is linear: the error shrinks by (1 - lr*H) a step, H the Hessian
    # of the mean over x = 0..10. A few float32 roundings of the predictions (up to 21) add to it.
    hessian = torch.tensor([[70.0, 10.0], [10.0, 2.0]], dtype=torch.float64)
    step = torch.eye(2, dtype=torch.float64) - LEARNING_RATE * hessian
    error = torch.linalg.matrix_power(step, epochs) @ start
    rounding = 4 * 21 * torch.finfo(torch.float32).eps
    assert abs(weight - 2 - error[0]) < rounding, weight
    assert abs(bias - 1 - error[1]) < rounding, bias
    assert abs(weight - reference.weight.item()) < rounding
    assert abs(bias - reference.bias.item()) < rounding
    assert abs(losses[0] - expected_losses[0]) <= 1e-6 * expected_losses[0]
    return weight, bias, losses[-1]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--device", help="cuda when there is one, else cpu")
    arguments = parser.parse_args()
    main(arguments.epochs, arguments.device)
