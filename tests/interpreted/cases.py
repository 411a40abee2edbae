"""Formulas, the same as plain PyTorch, and what their kernels are held against."""

from __future__ import annotations

import torch

import symop
from symop.triton_kernels import is_interpreted

# The type of the device on which arguments are drawn; the fixture `device` sets it.
DEVICE = "cpu"

LEGENDRE = lambda z: 0.5 * (5 * z**3 - 3 * z)  # noqa: E731

# By name: the formula, the same in PyTorch.
CASES = {
    "e1": ("0.5*(5*x**3-3*x)", lambda x: LEGENDRE(x)),
    "e2": ("w*x + b", lambda w, x, b: w * x + b),
    "e3": ("a + b*legendre(3, c + d*x)", lambda a, b, c, d, x: a + b * LEGENDRE(c + d * x)),
    "e4": ("0.5*x*(1 + erf(x/sqrt(2)))", lambda x: torch.nn.functional.gelu(x)),
    "e5": ("x*tanh(softplus(x))", lambda x: torch.nn.functional.mish(x)),
    "e6": ("a*sigmoid(a)*b", lambda a, b: torch.nn.functional.silu(a) * b),
    "e7": (
        "sum((a + b*x + c*x**2 + d*x**3 - y)**2)",
        lambda a, b, x, c, d, y: ((a + b * x + c * x**2 + d * x**3 - y) ** 2).sum(),
    ),
    "masked": ("where(m, x*w, w)", lambda m, x, w: torch.where(m, x * w, w)),
    "chosen": (
        "where((x > y) and (not (y > w)), 0.1, 0.7)*x*y*w",
        lambda x, y, w: (0.7 - 0.6 * ((x > y) & ~(y > w)).double()) * x * y * w,
    ),
    "two": ("p = x*y; q = x*y + sin(w)", lambda x, y, w: (x * y, x * y + torch.sin(w))),
    # Its series goes on where float32 has no numbers for it.
    "sinc": ("sinc(x)", lambda x: torch.sinc(x)),
    "power": ("x**-2 + x**11 + x**4", lambda x: x**-2 + x**11 + x**4),
    "mean": ("mean((x - y)**2)", lambda x, y: ((x - y) ** 2).mean()),
    "norms": ("sqrt(sum(x**2, -1) + 1)", lambda x: (x**2).sum(-1).add(1).sqrt()),
    "softmax": ("softmax(x, -1)*w", lambda x, w: torch.softmax(x, -1) * w),
    "rms": (
        "x/sqrt(mean(x**2, -1) + 0.01)*w",
        lambda x, w: x / ((x**2).mean(-1, keepdim=True) + 0.01).sqrt() * w,
    ),
    "largest": ("amax(x, -1)*w", lambda x, w: x.amax(-1, keepdim=True) * w),
    "smallest": ("amin(x, 0) + x", lambda x: x.amin(0, keepdim=True) + x),
}


def devices() -> list[str]:
    """The types of devices that kernels run on here."""
    if is_interpreted():
        return ["cpu"]
    return ["cuda"] if torch.cuda.is_available() else []


def op(name: str, **options):
    return symop.compile(CASES[name][0], name=name, backend="triton", **options)


def masks(name: str) -> set[int]:
    made = op(name)
    return {k for k, a in enumerate(made.program.arguments) if a.is_mask}


def drawn(name: str, shapes, dtype, seed: int = 0):
    generator = torch.Generator().manual_seed(seed)
    values = []
    for k, shape in enumerate(shapes):
        value = torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)
        value = value.to(DEVICE)
        values.append(value > 0 if k in masks(name) else value)
    return values


def largest(values) -> float:
    return float(values.detach().nan_to_num().abs().max()) if values.numel() else 0.0


def compare(found, expected, dtype, scale: float | None = None) -> None:
    """Found against expected in float64: to the rounding of the dtype, and that of the sums."""
    expected = expected.detach()
    assert found.shape == expected.shape
    assert found.dtype == dtype
    scale = scale or largest(expected)
    computed = torch.finfo(torch.float64 if dtype == torch.float64 else torch.float32).eps
    # Half a unit of the last place where the result is rounded, and what the terms of sums and
    # products lose, relative to the largest result.
    near = 0.51 * torch.finfo(dtype).eps
    torch.testing.assert_close(
        found.detach().double(), expected, rtol=near, atol=40 * computed * scale + 1e-300,
        equal_nan=True,
    )  # fmt: skip


def agree(name: str, values, *, seed_like=None, order: int = 1, **options) -> None:
    """Hold value, gradients and, of order 2, their gradients against float64 autograd.

    Args:
        name: of the case.
        values: what the op is called with.
        seed_like: gives the cotangent for an output, of its shape; drawn otherwise.
        order: of derivatives.
        options: for the op.
    """
    dtype = next(v.dtype for v in values if v.dtype != torch.bool)
    own = [v if v.dtype == torch.bool else v.detach().requires_grad_() for v in values]
    wide = [v if v.dtype == torch.bool else v.detach().double().requires_grad_() for v in values]
    results, expected = _tuple(op(name, **options)(*own)), _tuple(CASES[name][1](*wide))
    for a, b in zip(results, expected, strict=True):
        compare(a, b, dtype)
    generator = torch.Generator().manual_seed(5)
    drawn_seeds = [torch.randn(e.shape, generator=generator, dtype=torch.float64) for e in expected]
    placed = [s.to(DEVICE, dtype) for s in drawn_seeds]
    seeds = [seed_like(s) if seed_like else s for s in placed]
    wide_seeds = [s.double() for s in seeds]
    if order == 2:
        seeds = [s.detach().requires_grad_() for s in seeds]
        wide_seeds = [s.detach().requires_grad_() for s in wide_seeds]
    inputs = [v for v in own if v.requires_grad]
    wide_inputs = [v for v in wide if v.requires_grad]
    found = torch.autograd.grad(results, inputs, seeds, create_graph=order == 2)
    known = torch.autograd.grad(expected, wide_inputs, wide_seeds, create_graph=order == 2)
    scale = max(map(largest, known))
    for a, b in zip(found, known, strict=True):
        compare(a, b, dtype, scale)
    if order == 2:
        ones = [torch.ones_like(k) for k in known]
        again = torch.autograd.grad(found, [*inputs, *seeds], ones_like(found), allow_unused=True)
        truth = torch.autograd.grad(known, [*wide_inputs, *wide_seeds], ones, allow_unused=True)
        scale = max(largest(t) for t in truth if t is not None)
        for a, b in zip(again, truth, strict=True):
            if b is None or a is None:
                assert a is None or not a.any()
                assert b is None or not b.any()
            else:
                compare(a, b, dtype, scale)


def ones_like(values):
    return [torch.ones_like(v) for v in values]


def _tuple(values):
    return values if isinstance(values, tuple) else (values,)
