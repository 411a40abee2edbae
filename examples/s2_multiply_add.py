"""Multiply-add as one op: what it saves, gradcheck, and two layers of it with the chain rule."""

from __future__ import annotations

import subprocess
import sys

import torch
from torch.autograd import gradcheck

import symop

TWO_LAYERS = "h = w1*x + b1; y = w2*h + b2"


def two_layers_by_hand(w1: float, x: float, w2: float) -> dict[str, float]:
    """The chain rule through h: dy/dh = w2, times the gradients of the first layer."""
    return {"w1": w2 * x, "x": w2 * w1, "b1": w2}


def main(show: bool = True) -> dict[str, float]:
    """Runs the example; returns the gradients of y through both layers."""
    op = symop.compile("w*x + b", name="multiply_add")
    print("arguments:", op.args)
    print("saved for backward:", op.saved)
    # b is added, so no gradient needs its value.
    assert op.args == ("w", "x", "b")
    assert set(op.saved) == {"w", "x"}

    torch.manual_seed(0)
    w, x, b = (torch.randn(1, dtype=torch.float64, requires_grad=True) for _ in range(3))
    passed = gradcheck(op, (w, x, b), eps=1e-6)
    print("gradcheck:", passed)
    assert passed

    # Two layers: the gradient of the second arrives at the first as its grad_output.
    names = ("w1", "x", "b1", "w2", "b2")
    values = (2.0, 3.0, 1.0, -0.5, 4.0)
    tensors = {n: torch.tensor(v, requires_grad=True) for n, v in zip(names, values, strict=True)}
    h = op(tensors["w1"], tensors["x"], tensors["b1"])
    y = op(tensors["w2"], h, tensors["b2"])
    y.backward()
    gradients = {name: tensor.grad.item() for name, tensor in tensors.items()}
    print("\ntwo ops, one after the other:", gradients)
    for name, expected in two_layers_by_hand(2.0, 3.0, -0.5).items():
        assert gradients[name] == expected, name
    assert gradients["w2"] == h.item()
    assert gradients["b2"] == 1.0

    # The same two layers as one op; sympy multiplies the chain rule out.
    both = symop.compile(TWO_LAYERS)
    assert both.args == names
    for tensor in tensors.values():
        tensor.grad = None
    both(*tensors.values()).backward()
    for name, tensor in tensors.items():
        assert tensor.grad.item() == gradients[name], name
    print("one op of two lines gives the same; its gradients are")
    for name in names:
        print(f"    dy/d{name} = {both.gradients['y', name]}")

    if show:
        print(f'\n$ symop show "{TWO_LAYERS}" --steps', flush=True)
        command = [sys.executable, "-m", "symop", "show", TWO_LAYERS, "--steps"]
        subprocess.run(command, check=True)
    return gradients


if __name__ == "__main__":
    main()
