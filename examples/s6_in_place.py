"""In-place modification: an op notices when a tensor that it saved was changed, as torch does."""

from __future__ import annotations

from collections.abc import Callable

import torch

import symop


def refusal(error: type[Exception], call: Callable[[], object]) -> str:
    """The message of the error that a call must raise."""
    try:
        call()
    except error as caught:
        return str(caught)
    raise AssertionError(f"expected {error.__name__}")


def main() -> dict[str, str]:
    """Runs the cases; returns the messages of the errors that were met."""
    op = symop.compile("w*x + b", name="multiply_add")
    messages = {}

    # The gradient of w is x. When x changes between forward and backward, that value is gone.
    w = torch.ones(3, requires_grad=True)
    x, b = torch.arange(3.0), torch.zeros(3)
    version = x._version
    y = op(w, x, b)
    x.add_(1)
    print(f"x was saved and changed, version {version} -> {x._version}:")
    messages["saved"] = refusal(RuntimeError, y.sum().backward)
    print("   ", messages["saved"].split(";")[0])
    assert "modified by an inplace operation" in messages["saved"]

    # No gradient needs the value of b, so b may change.
    x = torch.arange(3.0)
    y = op(w, x, b)
    b.add_(1)
    y.sum().backward()
    print("b was not saved and changed: grad_w =", w.grad)
    assert torch.equal(w.grad, x)

    # x is saved for the gradient of w only: where w needs none, x may change too.
    b_leaf = torch.zeros(3, requires_grad=True)
    y = op(w.detach(), x, b_leaf)
    x.add_(1)
    y.sum().backward()
    print("x was changed where only b needs a gradient: grad_b =", b_leaf.grad)
    assert torch.equal(b_leaf.grad, torch.ones(3))

    # A leaf that requires a gradient is torch's to protect, before and after an op.
    a = torch.ones(3, requires_grad=True)
    messages["leaf before"] = refusal(RuntimeError, lambda: a.add_(1))
    y = op(a, torch.arange(3.0), torch.zeros(3))
    messages["leaf after"] = refusal(RuntimeError, lambda: a.add_(1))
    print("a leaf, before and after an op:", messages["leaf after"])
    assert messages["leaf before"] == messages["leaf after"]
    assert "leaf" in messages["leaf after"]
    y.sum().backward()

    # An op has no form that writes into a tensor.
    out = torch.empty(3)
    messages["out"] = refusal(symop.SymopError, lambda: op(w, x, b, out=out))
    print("out=:", messages["out"])
    assert not hasattr(op, "add_")
    return messages


if __name__ == "__main__":
    main()
