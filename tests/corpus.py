"""Formulas with their meaning in plain PyTorch, which tests differentiate by autograd."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

T = torch


@dataclass(frozen=True)
class Case:
    """A formula, the same in PyTorch, and the shapes of its arguments."""

    formula: str
    plain: Callable[..., Any]
    shapes: tuple[tuple[int, ...], ...]


def _layer_norm(x, w, b):
    centred = x - x.mean(-1, keepdim=True)
    return centred / T.sqrt((centred**2).mean(-1, keepdim=True) + 0.01) * w + b


def _program(a, b):
    u = a * T.tanh(b)
    return u * T.sigmoid(u) + u * b


def _cross_entropy(x, t):
    z = x - T.amax(x, -1, keepdim=True)
    return (T.log(T.exp(z).sum(-1)) - (t * z).sum(-1)).mean()


CASES = {
    "polynomial": Case("0.5*(5*x**3-3*x)", lambda x: 0.5 * (5 * x**3 - 3 * x), ((5,),)),
    "affine": Case("w*x + b", lambda w, x, b: w * x + b, ((3,), (4, 3), ())),
    "softmax": Case("softmax(x, -1)", lambda x: T.softmax(x, -1), ((3, 4),)),
    "log_softmax": Case("log_softmax(x, -1)", lambda x: T.log_softmax(x, -1), ((3, 4),)),
    "softmax_program": Case(
        "e = exp(x*w); y = e/sum(e, 0)", lambda x, w: T.softmax(x * w, 0), ((3, 4), (4,))
    ),
    "rms_norm": Case(
        "x/sqrt(mean(x**2, -1) + 0.001)*w",
        lambda x, w: x / T.sqrt((x**2).mean(-1, keepdim=True) + 0.001) * w,
        ((4, 5), (5,)),
    ),
    "logsumexp": Case("logsumexp(x, -1)", lambda x: T.logsumexp(x, -1), ((3, 4),)),
    "layer_norm": Case(
        "c = x - mean(x, -1); y = c/sqrt(mean(c**2, -1) + 0.01)*w + b", _layer_norm,
        ((4, 5), (5,), (5,)),
    ),
    "gelu": Case("gelu(x)", lambda x: x * (1 + T.erf(x / 2**0.5)) / 2, ((6,),)),
    "swiglu": Case(
        "x*sigmoid(beta*x)*v", lambda x, beta, v: x * T.sigmoid(beta * x) * v,
        ((4, 3), (3,), (4, 1)),
    ),
    "program": Case("u = a*tanh(b)\ns = u*sigmoid(u)\ny = s + u*b", _program, ((2, 3), (3,))),
    "loss": Case(
        "sum((a + b*x - y)**2)", lambda a, b, x, y: ((a + b * x - y) ** 2).sum(),
        ((), (), (7,), (7,)),
    ),
    "mean_loss": Case(
        "mean((a*x + b - y)**2)", lambda a, x, b, y: ((a * x + b - y) ** 2).mean(),
        ((3,), (4, 3), (), (2, 4, 3)),
    ),
    # The adjoint of w counts the rows of x, although the formula only adds.
    "sum_of_broadcast": Case("sum(x + w)", lambda x, w: (x + w).sum(), ((4, 5), (5,))),
    "cancelled_broadcast": Case(
        "sum(0*x + w**2, 0)*k", lambda x, w, k: (0 * x + w**2).sum(0) * k, ((4, 5), (5,), (5,))
    ),
    "two_outputs": Case(
        "t = exp(x); p = t*t; q = t*w", lambda x, w: (T.exp(x) ** 2, T.exp(x) * w), ((5,), (4, 5))
    ),
    "where": Case(
        "where(x > 0.8, log1p(x)*w, x/(1 + x))",
        lambda x, w: T.where(x > 0.8, T.log1p(x) * w, x / (1 + x)),
        ((6,), (2, 6)),
    ),
    "var": Case("var(x, (0, -1))", lambda x: x.var((0, -1)), ((2, 3, 4),)),
    "var_correction": Case(
        "var(x, (0, -1), correction=0)", lambda x: x.var((0, -1), correction=0), ((2, 3, 4),)
    ),
    "std": Case("std(x*w)", lambda x, w: (x * w).std(), ((3, 4), (4,))),
    "norm": Case("norm(x, -1)*k", lambda x, k: T.linalg.vector_norm(x, dim=-1) * k, ((3, 4), ())),
    "cross_entropy": Case(
        "m = amax(x, -1); z = x - m; loss = mean(log(sum(exp(z), -1)) - sum(t*z, -1))",
        _cross_entropy,
        ((4, 3), (4, 3)),
    ),
    "nested_sums": Case(
        "sum(x*sum(x*w, -1)**2)",
        lambda x, w: (x * (x * w).sum(-1, keepdim=True) ** 2).sum(),
        ((4, 3), (3,)),
    ),
    "prod": Case("prod(x*w, -1)", lambda x, w: T.prod(x * w, -1), ((3, 4), (4,))),
    "prod_all": Case("prod(x)*k", lambda x, k: T.prod(x) * k, ((4,), (2,))),
    "saved_output": Case("exp(a + b)", lambda a, b: T.exp(a + b), ((3,), (4, 3))),
    "axis_kept_by_operand": Case(
        "sum(x, -1)*k", lambda x, k: x.sum(-1, keepdim=True) * k, ((3, 4), (4,))
    ),
    "axis_dropped_beside_scalar": Case("sum(x, -1)*k", lambda x, k: x.sum(-1) * k, ((3, 4), ())),
    "axis_dropped_by_both": Case(
        "sum(x, -1) - sum(y, -1)", lambda x, y: x.sum(-1) - y.sum(-1), ((3, 4), (3, 4))
    ),
    "axes_kept_by_each_other": Case(
        "sum(x, 0) - sum(y, 1)",
        lambda x, y: x.sum(0, keepdim=True) - y.sum(1, keepdim=True),
        ((3, 4), (3, 4)),
    ),
    "power": Case("a**b", lambda a, b: a**b, ((3,), (2, 3))),
    "constant_powers": Case("x**2.5 + 2**x", lambda x: x**2.5 + 2**x, ((3,),)),
    "legendre": Case(
        "legendre(7, x)",
        lambda x: (429 * x**7 - 693 * x**5 + 315 * x**3 - 35 * x) / 16,
        ((5,),),
    ),
    "atan2": Case(
        "atan2(a, b)*hypot(a, b)", lambda a, b: T.atan2(a, b) * T.hypot(a, b), ((3,), (2, 3))
    ),
    "mish": Case("x*tanh(softplus(x))", lambda x: T.nn.functional.mish(x), ((4,),)),
    "cancelled": Case("x/x + 0*y", lambda x, y: x / x + 0 * y, ((3,), (2, 1))),
    "clamp": Case("clamp(x, lo, hi)", lambda x, lo, hi: T.clamp(x, lo, hi), ((2, 4), (), (2, 1))),
    "masked": Case(
        "sum(prod(x, 0)*sum(w*x, 1))",
        lambda x, w: (x.prod(0, keepdim=True) * (w * x).sum(1, keepdim=True)).sum(),
        ((3, 4), (4,)),
    ),
}  # fmt: skip
