"""Every formula of the corpora through kernels: digits, and two orders of derivatives."""

import pytest
import torch

import symop
from symop.backends.triton import routine
from symop.compiler import formula
from tests.accuracy import cases, further, measure, published, sample
from tests.interpreted.cases import largest
from tests.test_accuracy import EXCEPTIONS

ALL = {case.name: case for case in (*cases(), *published(), *further())}
FEW = ["mish", "silu", "nmse_s35", "logexp", "doppler1"]


def moved(op, device):
    """The op on a device, for tensors of the CPU."""

    def call(*values):
        found = op(*(value.to(device) for value in values))
        return tuple(v.cpu() for v in found) if isinstance(found, tuple) else found.cpu()

    return call


def check(name, dtype, count, device):
    case = ALL[name]
    allowed = EXCEPTIONS.get(name, (1.0, ""))[0]
    op = symop.compile(case.formula, name="measured", backend="triton")
    for output, result in measure(case, dtype, count, moved(op, device)).items():
        assert not result.lost, (output, result)
        assert result.ratio <= allowed, (output, result)


@pytest.mark.parametrize("name", FEW)
def test_digits_of_some_formulas(name, device):
    check(name, "float32", 8, device)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ALL)
def test_digits_of_every_formula(name, dtype, device):
    check(name, dtype, 24, device)


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_orders_of_every_formula(name, device):
    """Value and two orders in float64, for arguments of one shape.

    Against operations; where these cancel what one rounding keeps, against the kernels in C; where
    all cancel, against what operations say a few roundings of the arguments away, on one side.
    """
    case = ALL[name]
    points = sample(case, "float64", 33)
    backends = ("triton", "torch", "cpu")
    made = [symop.compile(case.formula, name="ordered", backend=b) for b in backends]
    made[0] = moved(made[0], device)
    compared = zip(*(orders(op, points) for op in made), strict=True)
    for k, (found, by_operations, in_c) in enumerate(compared):
        assert (found is None) == (by_operations is None)
        if found is not None:
            is_same = near(found, by_operations) | near(found, in_c)
            if not is_same.all():
                is_same |= within(found, beside(made[1], points, k, +1))
                is_same |= within(found, beside(made[1], points, k, -1))
            assert is_same.all(), (found[~is_same], by_operations[~is_same])


def near(a, b):
    scale = b.abs().nan_to_num(posinf=0.0) * 1e-9 + 1e-12 * min(largest(b), 1e3) + 1e-290
    return ((a - b).abs() <= scale) | (a == b) | (a.isnan() & b.isnan())


def beside(op, points, k, side):
    """What an op says where the arguments are one to eight roundings away, for one of `orders`."""
    moved_by = [1 + side * step * 2.0**-52 for step in range(1, 9)]
    return torch.stack(
        [orders(op, {n: [x * by for x in v] for n, v in points.items()})[k] for by in moved_by]
    )


def within(found, others):
    low, high = others.amin(0), others.amax(0)
    return (found - low >= low - high) & (found - high <= high - low)


def orders(op, points):
    values = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in points.values()]
    result = op(*values)
    first = torch.autograd.grad(result.sum(), values, create_graph=True, allow_unused=True)
    known = [g for g in first if g is not None and g.requires_grad]
    parts = ((k + 1) * g.sum() for k, g in enumerate(known))
    total = sum(parts, torch.zeros((), dtype=torch.float64))
    second = (
        torch.autograd.grad(total, values, allow_unused=True)
        if total.requires_grad
        else [None] * len(values)
    )
    return [None if t is None else t.detach() for t in (result, *first, *second)]


@pytest.mark.slow
def test_every_formula_has_kernels():
    plans = {name: formula(case.formula).plan for name, case in ALL.items()}
    assert not [n for n, p in plans.items() if routine(p.program) is None]
    assert not [n for n, p in plans.items() if routine(p.gradient) is None]
