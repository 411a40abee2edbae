"""The bits of an element's value and gradients depend on nothing else, for the whole corpus.

Layout, place, size and number of threads are varied, in four dtypes.
"""

from __future__ import annotations

import pytest
import torch

import symop
from tests.accuracy import DTYPES, cases, published, sample
from tests.test_kernels import assert_same_bits

CASES = list({case.formula: case for case in (*cases(), *published())}.values())
# Worth a second thread, not a whole number of blocks, and a product for a second dim.
ROWS, COLUMNS = 101, 403


def computed(op, values, cotangent):
    """The value, and the gradients of all arguments."""
    leaves = [v.detach().requires_grad_() for v in values]
    out = op(*leaves)
    return [out, *torch.autograd.grad(out, leaves, cotangent)]


@pytest.mark.slow
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", CASES, ids=[case.formula for case in CASES])
def test_bits_of_the_corpus(case, dtype):
    op = symop.compile(case.formula, backend="cpu")
    points = sample(case, dtype, 60)
    if not points[op.args[0]]:
        pytest.skip("no number of this dtype is in the domain")
    kind = DTYPES[dtype]
    size = ROWS * COLUMNS
    values = [torch.tensor(points[name], dtype=torch.float64).to(kind) for name in op.args]
    values = [v.repeat(size // len(v) + 1)[:size].view(ROWS, COLUMNS) for v in values]
    cotangent = torch.linspace(-2, 2, size).to(kind).view(ROWS, COLUMNS)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        whole = computed(op, values, cotangent)
        torch.set_num_threads(2)
        for a, b in zip(whole, computed(op, values, cotangent), strict=True):
            assert_same_bits(a, b)
    finally:
        torch.set_num_threads(before)

    def transposed(v):
        return v.t().contiguous().t()

    def apart(v):
        wide = torch.zeros(ROWS, 2 * COLUMNS + 1, dtype=v.dtype)
        wide[:, 1::2] = v
        return wide[:, 1::2]

    for lay in (transposed, apart):
        found = computed(op, [lay(v) for v in values], lay(cotangent))
        for a, b in zip(whole, found, strict=True):
            assert_same_bits(a, b)
    for start, count in ((0, 1), (7, 1), (1, 63), (5, 64), (64, 65), (129, 1000)):
        part = slice(start, start + count)
        found = computed(op, [v.flatten()[part] for v in values], cotangent.flatten()[part])
        for a, b in zip(whole, found, strict=True):
            assert_same_bits(a.flatten()[part], b)
