"""`w*x + b` on 2x2 tensors, then on shapes that broadcast: gradients keep the arguments' shapes."""

from __future__ import annotations

import torch
from torch import Tensor

import symop


def gradients_of(w: Tensor, x: Tensor, b: Tensor) -> dict[str, Tensor]:
    """The gradients of the sum of `w*x + b`."""
    line = symop.compile("w*x + b", name="line")
    arguments = {"w": w, "x": x, "b": b}
    for value in arguments.values():
        value.requires_grad_()
    out = line(w, x, b)
    out.backward(torch.ones_like(out))
    return {name: value.grad for name, value in arguments.items()}


def main() -> dict[str, Tensor]:
    """Prints the gradients and checks them; returns those of the 2x2 tensors."""
    w = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    x = torch.tensor([[5.0, 6.0], [7.0, 8.0]])
    b = torch.tensor([[9.0, 10.0], [11.0, 12.0]])
    square = gradients_of(w, x, b)
    for name, grad in square.items():
        print(f"grad_{name} = {grad}")
    assert torch.equal(square["w"], x)
    assert torch.equal(square["x"], w)
    assert torch.equal(square["b"], torch.ones(2, 2))

    # w is a row and b a single number: their gradients are summed over what they were spread to.
    row, number = torch.tensor([1.0, 2.0]), torch.tensor(0.5)
    x = x.detach().clone()
    broadcast = gradients_of(row, x, number)
    print("\nwith w of shape (2,) and b of shape ():")
    for name, grad in broadcast.items():
        print(f"grad_{name} = {grad}")
    assert torch.equal(broadcast["w"], x.sum(0))
    assert torch.equal(broadcast["x"], row.expand(2, 2))
    assert torch.equal(broadcast["b"], torch.tensor(4.0))
    return square


if __name__ == "__main__":
    main()
