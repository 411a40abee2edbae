"""The kernels that symop is measured against compute the same."""

import pytest
import torch

from benchmarks.swiglu_kernels import swiglu
from tests.interpreted.cases import CASES, compare, drawn


@pytest.mark.parametrize("n", [1, 77, 1000, 8000, 9000])
def test_swiglu_by_hand(n):
    values = [v.requires_grad_() for v in drawn("e6", [(n,), (n,)], torch.float32)]
    wide = [v.detach().double().requires_grad_() for v in values]
    found, expected = swiglu(*values), CASES["e6"][1](*wide)
    compare(found, expected, torch.float32)
    seed = torch.linspace(-1, 1, n, dtype=torch.float32, device=found.device)
    gradients = torch.autograd.grad(found, values, seed)
    for a, b in zip(gradients, torch.autograd.grad(expected, wide, seed.double()), strict=True):
        compare(a, b, torch.float32)
