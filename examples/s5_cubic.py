"""Fits sin with `y = a + b*x + c*x**2 + d*x**3`: gradients by hand, by autograd, by one formula.

The tutorial writes the gradients of the loss three times: for NumPy, for torch tensors, and not
at all with autograd. Here one formula gives the loss and prints what was written by hand.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from drawing import draw_fit

import symop

LEARNING_RATE = 1e-6
STEPS = 2000
STEPS_TO_THE_OPTIMUM = 6000

# Least squares: a = c = 0, because sin is odd.
OPTIMUM_B, OPTIMUM_D, OPTIMUM_LOSS = 0.856741, -0.0933304, 8.81716
LOSS_AFTER_2000_STEPS = 9.01376
# Half a unit in the last digit of the figures above; float64 does not add to it.
TOLERANCE = 1e-6

Fit = tuple[list[float], list[float]]
cubic = symop.compile("a + b*x + c*x**2 + d*x**3", name="cubic")
cubic_loss = symop.compile("sum((a + b*x + c*x**2 + d*x**3 - y)**2)", name="cubic_loss")


def fit_with_numpy(steps: int) -> Fit:
    """NumPy, every gradient written by hand."""
    x = np.linspace(-math.pi, math.pi, 2000)
    y = np.sin(x)
    a = b = c = d = 0.0
    losses = []
    for _ in range(steps):
        y_pred = a + b * x + c * x**2 + d * x**3
        losses.append(float(np.square(y_pred - y).sum()))
        grad_y_pred = 2.0 * (y_pred - y)
        a -= LEARNING_RATE * grad_y_pred.sum()
        b -= LEARNING_RATE * (grad_y_pred * x).sum()
        c -= LEARNING_RATE * (grad_y_pred * x**2).sum()
        d -= LEARNING_RATE * (grad_y_pred * x**3).sum()
    return [float(a), float(b), float(c), float(d)], losses


def fit_with_tensors(steps: int) -> Fit:
    """The same with torch tensors."""
    x = torch.linspace(-math.pi, math.pi, 2000, dtype=torch.float64)
    y = torch.sin(x)
    a, b, c, d = (torch.zeros((), dtype=torch.float64) for _ in range(4))
    losses = []
    for _ in range(steps):
        y_pred = a + b * x + c * x**2 + d * x**3
        losses.append((y_pred - y).pow(2).sum().item())
        grad_y_pred = 2.0 * (y_pred - y)
        a -= LEARNING_RATE * grad_y_pred.sum()
        b -= LEARNING_RATE * (grad_y_pred * x).sum()
        c -= LEARNING_RATE * (grad_y_pred * x**2).sum()
        d -= LEARNING_RATE * (grad_y_pred * x**3).sum()
    return [a.item(), b.item(), c.item(), d.item()], losses


def fit_with_backward(loss_of: Callable[..., torch.Tensor], steps: int) -> Fit:
    """Autograd on `loss_of(a, b, x, c, d, y)`, the order in which the formula names them."""
    x = torch.linspace(-math.pi, math.pi, 2000, dtype=torch.float64)
    y = torch.sin(x)
    a, b, c, d = (torch.zeros((), dtype=torch.float64, requires_grad=True) for _ in range(4))
    losses = []
    for _ in range(steps):
        loss = loss_of(a, b, x, c, d, y)
        losses.append(loss.item())
        loss.backward()
        with torch.no_grad():
            for value in (a, b, c, d):
                value -= LEARNING_RATE * value.grad
                value.grad = None
    return [a.item(), b.item(), c.item(), d.item()], losses


def fits(steps: int) -> dict[str, Fit]:
    """The fit in every way, after as many steps."""
    return {
        "NumPy, by hand": fit_with_numpy(steps),
        "tensors, by hand": fit_with_tensors(steps),
        "autograd": fit_with_backward(
            lambda a, b, x, c, d, y: (a + b * x + c * x**2 + d * x**3 - y).pow(2).sum(), steps
        ),
        "cubic as an op": fit_with_backward(
            lambda a, b, x, c, d, y: (cubic(a, b, x, c, d) - y).pow(2).sum(), steps
        ),
        "loss as one op": fit_with_backward(cubic_loss, steps),
    }


def show_gradients() -> None:
    """Prints the gradients that the tutorial writes by hand, as symop derives them."""
    print("y_pred =", cubic.expressions["out"])
    for name in ("a", "b", "c", "d"):
        print(f"    grad_{name} = sum of grad_y_pred * ({cubic.gradients['out', name]})")
    print("loss =", cubic_loss.expressions["out"])
    for name in ("a", "b", "c", "d"):
        print(f"    grad_{name} = {cubic_loss.gradients['out', name]}")


def main(
    steps: int = STEPS, long_steps: int = STEPS_TO_THE_OPTIMUM, out: Path | None = None
) -> dict[str, list[float]]:
    """Fits in every way, then on to the optimum; returns the coefficients (a, b, c, d) of each."""
    assert cubic_loss.args == ("a", "b", "x", "c", "d", "y")
    show_gradients()

    results = fits(steps)
    print(f"\nafter {steps} steps:")
    for way, ((a, b, c, d), losses) in results.items():
        print(
            f"{way:17} y = {a:.3g} + {b:.6g} x + {c:.3g} x^2 + {d:.6g} x^3, loss {losses[-1]:.6g}"
        )
        assert abs(a) < 1e-9
        assert abs(c) < 1e-9
        # The ways differ in the order of float64 sums only.
        by_hand = results["NumPy, by hand"][0]
        assert np.allclose([a, b, c, d], by_hand, rtol=1e-9, atol=1e-9), way
        if steps == STEPS:
            assert math.isclose(losses[-1], LOSS_AFTER_2000_STEPS, rel_tol=TOLERANCE)

    (a, b, c, d), losses = fit_with_backward(cubic_loss, long_steps)
    print(f"loss as one op, {long_steps} steps: b = {b:.6g}, d = {d:.6g}, loss {losses[-1]:.6g}")
    if long_steps == STEPS_TO_THE_OPTIMUM:
        assert math.isclose(losses[-1], OPTIMUM_LOSS, rel_tol=TOLERANCE)
        # The loss is flat at the optimum: 1e-6 of it are some 1e-5 of the coefficients.
        assert math.isclose(b, OPTIMUM_B, rel_tol=1e-5)
        assert math.isclose(d, OPTIMUM_D, rel_tol=1e-5)

    if out is not None:
        x = np.linspace(-math.pi, math.pi, 2000)
        path = draw_fit(
            out / "s5_cubic.png",
            title=f"sin(x) by {b:.4f} x - {abs(d):.4f} x³",
            x=x,
            target=np.sin(x),
            fits={f"{long_steps} steps": a + b * x + c * x**2 + d * x**3},
            losses={"gradient descent": losses},
            floor=("least squares", OPTIMUM_LOSS),
        )
        print(f"\nThe fit is drawn in {path}")
    return {way: coefficients for way, (coefficients, _) in results.items()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--long-steps", type=int, default=STEPS_TO_THE_OPTIMUM)
    parser.add_argument("--out", type=Path, default=Path(), help="folder of the picture")
    arguments = parser.parse_args()
    main(arguments.steps, arguments.long_steps, arguments.out)
