"""Fits sin with the third Legendre polynomial, `y = a + b*P3(c + d*x)`, in five ways.

The polynomial is one formula. It is used as an op, as its autograd Function, and as a class in a
generated file; then the whole model is one op, and then the whole loss is one. All of them find
the same coefficients.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path

import torch
from drawing import draw_fit
from generated.legendre_p3 import LegendreP3
from torch import Tensor

import symop

LEARNING_RATE = 5e-6
STEPS = 2000

# (step, loss) of the same fit with a Function written by hand, in float32.
REFERENCE_LOSSES = {99: 209.958, 499: 50.9785, 999: 14.8779, 1999: 8.94364}
REFERENCE_B, REFERENCE_D = -2.20853, 0.255486
# float32 and float64 losses differ by 5e-6 on the way, so the order of a sum may change as much.
TOLERANCE = 1e-5

Loss = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]


def losses_of_the_model() -> dict[str, Loss]:
    """The loss as a function of (a, b, c, d, x, y), by the way it is written."""
    p3 = symop.compile("0.5*(5*x**3-3*x)", name="legendre_p3")
    model = symop.compile("a + b*P3(c + d*x)", functions={"P3": p3})
    loss = symop.compile("sum((a + b*legendre(3, c + d*x) - y)**2)")
    return {
        "op": lambda a, b, c, d, x, y: (a + b * p3(c + d * x) - y).pow(2).sum(),
        "op.function.apply": lambda a, b, c, d, x, y: (
            (a + b * p3.function.apply(c + d * x) - y).pow(2).sum()
        ),
        "generated class": lambda a, b, c, d, x, y: (
            (a + b * LegendreP3.apply(c + d * x) - y).pow(2).sum()
        ),
        "model as one op": lambda a, b, c, d, x, y: (model(a, b, c, d, x) - y).pow(2).sum(),
        "loss as one op": loss,
    }


def fit(loss_of: Loss, x: Tensor, y: Tensor, steps: int) -> tuple[list[float], list[float]]:
    """Gradient descent from (0, -1, 0, 0.3): the coefficients and the loss of every step."""
    coefficients = [torch.tensor(v, requires_grad=True) for v in (0.0, -1.0, 0.0, 0.3)]
    losses = []
    for _ in range(steps):
        loss = loss_of(*coefficients, x, y)
        losses.append(loss.item())
        loss.backward()
        with torch.no_grad():
            for value in coefficients:
                value -= LEARNING_RATE * value.grad
                value.grad = None
    return [value.item() for value in coefficients], losses


def check(coefficients: list[float], losses: list[float]) -> None:
    """Compares a fit with the reference, as far as it went."""
    for step, expected in REFERENCE_LOSSES.items():
        if step < len(losses):
            assert math.isclose(losses[step], expected, rel_tol=TOLERANCE), (step, losses[step])
    a, b, c, d = coefficients
    # sin and P3 are odd, so the even coefficients stay zero but for the rounding of the sums.
    assert abs(a) < 1e-7
    assert abs(c) < 1e-7
    if len(losses) == STEPS:
        assert math.isclose(b, REFERENCE_B, rel_tol=TOLERANCE), b
        assert math.isclose(d, REFERENCE_D, rel_tol=TOLERANCE), d


def main(steps: int = STEPS, out: Path | None = None) -> dict[str, list[float]]:
    """Fits sin in every way; returns the coefficients (a, b, c, d) of each."""
    x = torch.linspace(-math.pi, math.pi, 2000)
    y = torch.sin(x)
    results, histories = {}, {}
    for way, loss_of in losses_of_the_model().items():
        results[way], histories[way] = fit(loss_of, x, y, steps)
        if len(results) == 1:
            for step in range(99, steps, 100):
                print(step, histories[way][step])
            print()
        a, b, c, d = results[way]
        print(f"{way:18} y = {a:.3g} + {b:.6g} * P3({c:.3g} + {d:.6g} x)")
        check(results[way], histories[way])

    if out is not None:
        a, b, c, d = results["loss as one op"]
        fitted = a + b * symop.compile("legendre(3, x)")(c + d * x)
        path = draw_fit(
            out / "s1_legendre.png",
            title=f"sin(x) by {b:.4f} P3({d:.4f} x)",
            x=x.numpy(),
            target=y.numpy(),
            fits={"a + b P3(c + d x)": fitted.numpy()},
            losses={"gradient descent": histories["loss as one op"]},
        )
        print(f"\nThe fit is drawn in {path}")
    return results


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--out", type=Path, default=Path(), help="folder of the picture")
    arguments = parser.parse_args()
    main(arguments.steps, arguments.out)
