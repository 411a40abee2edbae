"""Python functions of torch operations, traced into formulas; torch itself is the oracle."""

from __future__ import annotations

import inspect
import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.overrides import handle_torch_function, has_torch_function_unary

import symop

D = torch.float64
P3 = symop.compile("0.5*(5*x**3-3*x)", name="p3")
BOTH = symop.compile({"total": "sum(x*y, -1)", "product": "x*y"}, name="both")
ROOT = symop.compile("sqrt(mean(x**2))", name="root_mean")
GATED = symop.compile("where(m, x, 0)", name="gated")
CONSTANT = torch.ones(3)
SCALE = 0.1


def compare(function, *inputs):
    """The op of a function has its values, shapes and gradients."""
    op = symop.compile(function)
    theirs = function(*inputs)
    ours = op(*inputs)
    if isinstance(theirs, dict):
        assert op.outputs == tuple(theirs)
        theirs = tuple(theirs.values())
    ours = ours if isinstance(ours, tuple) else (ours,)
    theirs = tuple(theirs) if isinstance(theirs, tuple | list) else (theirs,)
    assert [t.shape for t in ours] == [t.shape for t in theirs]
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)
    weights = [torch.rand(t.shape, dtype=D) + 0.5 for t in theirs]
    real = [t for t in inputs if t.requires_grad]
    found, expected = (
        torch.autograd.grad(
            sum((w * t * t).sum() for w, t in zip(weights, results, strict=True)),
            real, allow_unused=True,
        )
        for results in (ours, theirs)
    )  # fmt: skip
    for a, b in zip(found, expected, strict=True):
        zero = torch.zeros((), dtype=D)
        a, b = (zero if g is None else g for g in (a, b))
        torch.testing.assert_close(a, b.expand_as(a), rtol=1e-9, atol=1e-11)


def inputs_of(function, low=-1.7, high=1.9, shape=(2, 3)):
    count = len(inspect.signature(function).parameters)
    generator = torch.Generator().manual_seed(7)
    return [
        (low + (high - low) * torch.rand(shape, dtype=D, generator=generator)).requires_grad_()
        for _ in range(count)
    ]


ELEMENTWISE = {
    # Operators
    "operators": lambda x, y: -x + y * 3 - x / (4 + y) + +x,
    "reflected": lambda x: 1 / (3 + x) - (2 - x) * 2**x,
    "floor and mod": lambda x, y: x % 3 + 5 % (y.detach() + 3) + x.detach() // 0.7,
    "abs": lambda x: abs(x) + x.abs() + torch.absolute(x) + x.__abs__(),
    "pi": lambda x: torch.sin(math.pi * x) - x * -math.pi,
    "numpy numbers": lambda x: x * np.float64(0.1) + x * np.int64(2),
    "closed-over number": lambda x: x * SCALE,
    # Arithmetic by name
    "add alpha": lambda x, y: torch.add(x, y, alpha=2) + x.sub(y, alpha=0.5) + torch.rsub(x, y),
    "rsub number": lambda x: torch.rsub(x, 2, alpha=3),
    "products": lambda x, y: torch.mul(x, y) + x.multiply(2) + torch.div(x, y + 3) + x.divide(3),
    "true_divide": lambda x: torch.true_divide(x, 3) + x.neg() + torch.positive(x),
    "rounding_mode": lambda x: torch.div(x, 0.3, rounding_mode="floor") * x
    + x.div(0.3, rounding_mode="trunc"),
    "floor_divide": lambda x: torch.floor_divide(x.detach(), 0.3) * x,
    "keywords": lambda x, y: torch.add(input=x, other=y) + torch.pow(input=x, exponent=2),
    "addcmul": lambda x, y, z: torch.addcmul(x, y, z, value=0.3) + x.addcdiv(y, z + 3),
    "lerp": lambda x, y: torch.lerp(x, y, 0.3) + x.lerp(y, 0.8),
    "clone and contiguous": lambda x: x.clone().contiguous() * 2,
    # Powers
    "powers": lambda x: x**2 + x.pow(3) + torch.pow(x, 4) + torch.square(x) + x**-1 + x**2.0,
    "float power": lambda x: (x * x) ** 0.3 + (x * x).pow(-0.5),
    "number to a power": lambda x: torch.pow(2, x) + 1.5**x,
    "power": lambda x, y: (x * x + 0.1) ** y,
    # Conditions
    "where": lambda x, y: torch.where(x > 0, x * y, torch.sin(x)),
    "where method": lambda x, y: x.where(x > 0.5, y) + x.masked_fill(x < y, 2.5),
    "where number": lambda x: torch.where(x >= 0.3, x, 0.0) + torch.where(x != 0, 1, x),
    "logic": lambda x, y: torch.where((x > 0) & ~(y > 0.2) | (x < -1), x, y),
    "xor": lambda x, y: torch.where((x > 0) ^ (y > 0), x * x, y),
    "logical functions": lambda x, y: torch.where(
        torch.logical_and(x > 0, torch.logical_not(y.lt(0))), x, torch.where(y.ge(x), x * y, y)
    ),
    "logical xor": lambda x, y: torch.where((x > 0).logical_xor(torch.gt(y, 0)), x * x, y),
    "comparisons": lambda x, y: torch.where(torch.le(x, y), x, 2 * x)
    + torch.where(torch.eq(x, y) | torch.ne(x, y), x, 0) + torch.where(x.isnan(), 1, x),
    "like": lambda x: torch.where(x > 0, x, torch.zeros_like(x)) + torch.full_like(x, 2.5),
    "only like": lambda x: torch.ones_like(x) + 0 * x,
    # Extrema
    "clamp": lambda x: x.clamp(min=0) + torch.clamp(x, -0.2, 0.2) + torch.clamp(x, max=0.1),
    "clip": lambda x, y: torch.clip(x, y, y + 0.4) + x.clamp_min(0.2) + x.clamp_max(max=0.3),
    "extrema": lambda x, y: torch.maximum(x, y) * torch.min(x, y) + torch.fmax(x, y) - x.max(y),
    # Activations
    "mish by hand": lambda x: x * torch.tanh(F.softplus(x)),
    "gelu": lambda x: F.gelu(x) + F.gelu(x, approximate="tanh"),
    "softplus": lambda x: F.softplus(x, beta=2) + F.softplus(x, 3, 20),
    "leaky_relu": lambda x: F.leaky_relu(x, 0.1) + F.leaky_relu(x) + F.leaky_relu(x, 0.2, False),
    "elu": lambda x: F.elu(x, alpha=1.5) + F.elu(x, 0.5) + F.celu(x, alpha=2.0) + F.selu(x),
    "relu": lambda x: F.relu(x, inplace=False) + x.relu() + torch.relu(x) + F.relu6(4 * x),
    "gates": lambda x: F.silu(x) + F.mish(x) + torch.sigmoid(x) + torch.special.expit(x),
    "hard": lambda x: F.hardtanh(x, -0.1, 0.1) + F.hardtanh(x, max_val=0.5),
    "shrink": lambda x: F.hardshrink(x, 0.3) + F.softshrink(x, lambd=0.2) + F.tanhshrink(x),
    "threshold": lambda x: F.threshold(x, 0.1, -2.0) + F.logsigmoid(x) + F.softsign(x),
    "modules": lambda x: nn.GELU("tanh")(x) + nn.Softplus(beta=3)(x) + nn.ELU(0.3)(x),
    # Functions
    "exponentials": lambda x: torch.exp(x) + x.expm1() + torch.exp2(x) + torch.special.exp2(x),
    "trigonometry": lambda x, y: x.sin() + torch.cos(x) + torch.tan(x) + torch.atan2(x, y),
    "hyperbolics": lambda x: x.sinh() + torch.cosh(x) + x.arctan() + torch.asinh(x) + x.sinc(),
    "rounding": lambda x: x.round() * x + torch.floor(x) + torch.ceil(x) + x.trunc() + x.frac(),
    "signs": lambda x, y: torch.sign(x) * y + torch.copysign(x, y) * x.sgn(),
    "heaviside": lambda x, y: torch.heaviside(x.detach(), y.detach()) * y,
    "hypot": lambda x, y: torch.hypot(x, y) + torch.logaddexp(x, y) + torch.fmod(x, 0.7),
    "errors": lambda x: torch.erf(x) + x.erfc() + torch.special.erfcx(x) + torch.special.ndtr(x),
    "orders": lambda x: torch.polygamma(3, x * x + 1) + (x * x + 1).polygamma(2)
    + torch.special.zeta(3, x * x + 1) + torch.mvlgamma(x * x + 3, 2),
    "degrees": lambda x: torch.deg2rad(x) + x.rad2deg() + torch.special.i0(x) + x.ldexp(x),
    "detach": lambda x: x * x.detach() + torch.detach(x.exp()) * x,
}  # fmt: skip


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_elementwise(name):
    function = ELEMENTWISE[name]
    compare(function, *inputs_of(function))


def test_elementwise_functions_for_which_torch_rounds_a_sixth_to_float32():
    op = symop.compile(lambda x: F.hardsigmoid(x) + F.hardswish(2 * x))
    (x,) = inputs_of(lambda x: x, shape=(50,))
    theirs = F.hardsigmoid(x) + F.hardswish(2 * x)
    torch.testing.assert_close(op(x), theirs, rtol=1e-6, atol=1e-6)
    found, expected = (torch.autograd.grad(t.sum(), x)[0] for t in (op(x), theirs))
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6)


POSITIVE = {
    "logarithms": lambda x: x.log() + torch.log2(x) + torch.log10(x) + x.log1p() + x.logit(),
    "roots": lambda x: x.sqrt() + torch.rsqrt(x) + x.reciprocal() + torch.xlogy(x, 1 + x),
    "inverses": lambda x: x.asin() + torch.arccos(x) + x.atanh() + torch.acosh(1 + x),
    "gamma": lambda x: x.lgamma() + torch.digamma(x) + torch.special.psi(x) + torch.erfinv(x),
    "special": lambda x: torch.special.entr(x) + torch.special.xlog1py(x, x)
    + torch.special.log_ndtr(x) + torch.special.ndtri(x),
}  # fmt: skip


@pytest.mark.parametrize("name", POSITIVE)
def test_elementwise_of_positive_values(name):
    function = POSITIVE[name]
    compare(function, *inputs_of(function, 0.05, 0.95))


def test_polynomials_that_torch_cannot_differentiate():
    op = symop.compile(lambda x: torch.special.legendre_polynomial_p(x, 3))
    x = torch.linspace(-1, 1, 7, dtype=D, requires_grad=True)
    torch.testing.assert_close(op(x), torch.special.legendre_polynomial_p(x, 3))
    (slope,) = torch.autograd.grad(op(x).sum(), x)
    torch.testing.assert_close(slope, (15 * x**2 - 3) / 2)


REDUCTIONS = {
    "all": lambda x: x.sum() + torch.mean(x) * x.prod() - x.amax() + torch.max(x) - x.min(),
    "last": lambda x: x.sum(-1),
    "last kept": lambda x: x.sum(-1, keepdim=True),
    "first": lambda x: torch.mean(x, 0) * 2,
    "both": lambda x: (torch.sum(x, dim=(0, 1)), x.sum((-1, -2))),
    "axis": lambda x: torch.sum(x, axis=1, keepdims=True),
    "same axis": lambda x: x.mean(-1) - x.amax(-1) * torch.exp(x.amin(-1)) + x.sum(),
    "two arguments": lambda x, y: torch.sum(x, -1) - y.square().sum(-1),
    "kept in formulas": lambda x: x / x.sum(-1, keepdim=True) + x.mean(0, keepdim=True),
    "kept only": lambda x: x.sum(-1, keepdim=True) * x.sum(0, keepdim=True),
    "of a dropped value": lambda x: (x.sum(-1) ** 2).mean(),
    "prod": lambda x: x.prod(0) + torch.prod(x, 0),
    "softmax": lambda x: torch.softmax(x, dim=-1) + F.log_softmax(x, -1) * x.softmax(0),
    "softmin": lambda x: F.softmin(x, dim=1),
    "logsumexp": lambda x: (torch.logsumexp(x, dim=-1), x.logsumexp((1,))),
    "std": lambda x: torch.std(x, dim=-1, unbiased=False) + torch.var(x, -1, correction=0),
    "variance": lambda x: x.var() + x.std(False) + torch.var(x, 1, False, True).sum(),
    "norm": lambda x: torch.linalg.vector_norm(x, dim=-1) + x.norm(2, -1) + torch.norm(x, dim=-1),
    "norm of all": lambda x: x.norm() + torch.linalg.norm(x) + torch.linalg.vector_norm(x),
    "norms": lambda x: x.norm(1) + torch.linalg.vector_norm(x, math.inf)
    + torch.linalg.vector_norm(x, ord=-math.inf) + torch.linalg.norm(x, 1, dim=0).sum(),
    "rms norm": lambda x, w: x / torch.sqrt(x.square().mean(-1, keepdim=True) + 1e-6) * w,
    "several": lambda x, y: (x * y, x.sum(-1), (x - y).abs().mean()),
    "list": lambda x, y: [x * y, x + y],
    "named": lambda x, y: {"product": x * y, "loss": (x - y).square().mean()},
    "shift": lambda x: x - x.amax(-1, keepdim=True).detach(),
    "like a row": lambda x: torch.zeros_like(x.sum(-1)) + x.sum(-1),
}  # fmt: skip


@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions(name):
    function = REDUCTIONS[name]
    compare(function, *inputs_of(function))


def test_a_kept_axis_and_leading_shapes():
    inputs = inputs_of(REDUCTIONS["two arguments"], shape=(4, 2, 3))
    compare(REDUCTIONS["two arguments"], inputs[0], inputs[1][0])
    compare(REDUCTIONS["last kept"], inputs[0])


CALLS = {
    "an op": lambda x, y: P3(x) * y + P3(x=y),
    "an op with a number": lambda x: BOTH(2.0, x)[1],
    "unpacked": lambda x, y: BOTH(x, y)[0] + BOTH(y, x)[-2],
    "a full reduction": lambda x: x / ROOT(x) + ROOT(x.exp()),
    "an elementwise op of rows": lambda x: P3(x.mean(-1)) + x.mean(-1),
    "the whole of rows": lambda x: ROOT(x.mean(-1)),
    "a condition": lambda x, y: GATED(x > y, x),
}


@pytest.mark.parametrize("name", CALLS)
def test_ops_are_inlined(name):
    function = CALLS[name]
    compare(function, *inputs_of(function))


def test_outputs_of_an_op_are_unpacked():
    def function(x, y):
        total, product = BOTH(x, y)
        return total, product

    compare(function, *inputs_of(function))


def test_the_decorator():
    @symop.op
    def scaled(x, s):
        return P3(x) * s

    assert (scaled.name, scaled.args) == ("scaled", ("x", "s"))
    assert scaled(2.0, 3.0) == 51

    @symop.op(name="other")
    def again(x):
        return x * 2

    assert again.name == "other"


def test_functions_are_put_into_the_namespace():
    op = symop.compile(lambda x: cubic(x) + 1, functions={"cubic": P3})  # noqa: F821
    assert op(2.0) == 18


def test_arguments_are_the_parameters_in_order():
    assert symop.compile(lambda b, a: a - b).args == ("b", "a")
    assert symop.compile(lambda b, a: a - b, args=("a", "b")).args == ("a", "b")
    assert symop.compile(lambda input, *, max: input * max).args == ("input", "max")
    assert symop.compile(P3_method().cubic).args == ("x",)
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    unused = symop.compile(lambda x, y: x * 2)
    unused(x, 3.0).sum().backward()
    assert unused.args == ("x", "y")
    assert x.grad.tolist() == [2, 2]


class P3_method:
    def cubic(self, x):
        return P3(x)


def test_masks_and_named_outputs():
    op = symop.compile(lambda m, x: {"kept": torch.where(~m, x, 0), "twice": x * 2})
    assert op.outputs == ("kept", "twice")
    kept, twice = op(torch.tensor([True, False]), torch.tensor([3.0, 4.0]))
    assert kept.tolist() == [0, 4]
    assert twice.tolist() == [6, 8]
    chosen = symop.compile(lambda x: {"a": x, "b": x * 2}, outputs=("b",))
    assert (chosen.outputs, chosen(2.0)) == (("b",), 4)
    assert symop.compile(lambda x: (x + 1, x * 2), outputs=("h", "k")).outputs == ("h", "k")
    assert symop.compile(lambda x: (x + 1, x * 2)).outputs == ("out0", "out1")
    assert symop.compile(lambda x: [x + 1]).outputs == ("out",)


def test_numbers_are_exact():
    program = symop.compile(lambda x: x * 0.1 + math.pi - np.float64(0.3)).program
    constants = {node.value for node in program.nodes if node.op == "constant"}
    assert constants == {Fraction(1, 10), Fraction(3, 10)}
    assert any(node.op == "pi" for node in program.nodes)


def test_kept_axes_differ_from_dropped_ones():
    x = torch.rand(2, 3)
    assert symop.compile(lambda x: x.sum(-1, keepdim=True))(x).shape == (2, 1)
    assert symop.compile(lambda x: x.sum(-1))(x).shape == (2,)
    assert symop.compile(lambda x: (x.sum(-1, keepdim=True), x.sum(-1)))(x)[1].shape == (2,)


def branches(x):
    if x.sum() > 0:
        return x
    return -x


def loops(x):
    total = 0
    for row in x:
        total = total + row
    return total


def truncates(x):
    return x * int(x)


def switches(x):
    with torch.no_grad():
        scale = x.amax()
    return x / scale


def exp(x):
    if has_torch_function_unary(x):
        return handle_torch_function(exp, (x,), x)
    return x


def fails(x):
    return {}["missing"]


REFUSED = {
    "branch": (branches, r"branches, line \d+ of .*test_tracing.py: .*torch.where"),
    "and": (lambda x: x > 0 and x, "branches on an argument"),
    "loop": (loops, r"line \d+ of .*loops over an argument"),
    "int": (truncates, r"line \d+ of .*cannot be traced: TypeError.*torch's functions"),
    "len": (lambda x: x / len(x), "len"),
    "math": (lambda x: math.sqrt(x), "torch's functions take"),
    "own error": (fails, r"line \d+ of .*KeyError: 'missing'"),
    "no_grad": (switches, r"line \d+ of .*x.detach\(\)"),
    "rows": (lambda x: x / x.sum(-1), r"line \d+ of .*keepdim=True"),
    "rows and an argument": (lambda x, b: x.sum(-1) + b, "keepdim=True"),
    "kept and dropped": (lambda x: x.sum(-1, keepdim=True) + x.sum(-1), "keepdim=True"),
    "different axes": (lambda x: x.sum(-1) + x.sum(0), "keepdim=True"),
    "counted from both ends": (lambda x, y: x.sum(0) + y.sum(0), "keepdim=True"),
    "rows of rows": (lambda x: x.sum(-1).sum(-1), "keepdim=True"),
    "softmax of rows": (lambda x: x.sum(-1).softmax(-1), "keepdim=True"),
    "mixed": (lambda x: x.sum(-1, keepdim=True).sum(0), "keepdim=True"),
    "all kept": (lambda x: x.sum(dim=None, keepdim=True), "leave keepdim out"),
    "an op of rows": (lambda x: BOTH(x.sum(-1), 2.0)[0], "keepdim=True"),
    "an op that drops": (lambda x: BOTH(x.sum(0, keepdim=True), 2.0)[0], "drops axes"),
    "an op's arguments": (lambda x: P3(x, x), r"p3 takes 1 arguments \(x\)"),
    "an op's outputs": (lambda x: BOTH(x, x) * 2, "unpack it"),
    "an op's third output": (lambda x: BOTH(x, x)[2], "2 outputs"),
    "unknown": (lambda x: torch.cumsum(x, 0), "cumsum is not known"),
    "misspelt": (lambda x: torch.nn.functional.hardsigmoid(x) + x.erfinv_old(), "erfinv"),
    "suggestion": (lambda x: torch.special.gammainc(x, x), "gammainc is not known"),
    "tensor": (lambda x: x + CONSTANT, r"line \d+ of .*make it an argument"),
    "tensor on the left": (lambda x: CONSTANT * x, "make it an argument"),
    "layer": (lambda x: nn.Linear(3, 3)(x), "make it an argument"),
    "cast": (lambda x: x.float(), "float changes the dtype"),
    "to": (lambda x: x.to(torch.float64), "to changes the dtype"),
    "float_power": (lambda x: torch.float_power(x, 2), "changes the dtype"),
    "condition as a number": (lambda x: x * (x > 0), r"torch.where\(condition, 1.0, 0.0\)"),
    "condition returned": (lambda x: x > 0, r"torch.where\(condition"),
    "number as a condition": (lambda x: torch.where(x + 1, x, 0), "compare it"),
    "both": (lambda x: torch.where(x, x, 0), "condition is used as a number"),
    "index": (lambda x: x[0], "getitem: formulas are elementwise"),
    "shape": (lambda x: x / x.shape[0], ".shape cannot be read"),
    "unpacking": (lambda x: [part * 2 for part in (lambda a, b: (a, b))(*x)], "loops over"),
    "matmul": (lambda x: x @ x, "matmul: formulas are elementwise"),
    "in place": (lambda x: x.add_(1), "add_ works in place"),
    "inplace": (lambda x: F.relu(x, inplace=True), "inplace can only be False"),
    "inplace by position": (lambda x: F.leaky_relu(x, 0.1, True), "inplace can only be False"),
    "softplus threshold": (lambda x: F.softplus(x, 1, 5), "threshold can only be 20"),
    "decimals": (lambda x: torch.round(x, decimals=2), "decimals can only be 0"),
    "logit": (lambda x: torch.logit(x, 1e-6), "eps can only be None"),
    "out": (lambda x: torch.exp(x, out=x), "out"),
    "reduction dtype": (lambda x: x.sum(dtype=torch.float32), "dtype cannot be chosen"),
    "softmax dtype": (lambda x: torch.softmax(x, 0, torch.float32), "no dtype"),
    "indices": (lambda x: torch.max(x, dim=-1), "max"),
    "indices by position": (lambda x: x.max(-1), "torch.amax"),
    "dim": (lambda x: x.sum("rows"), "dims are different integers"),
    "dims": (lambda x: x.sum((0, 0)), "dims are different integers"),
    "traced dim": (lambda x, d: x.sum(d), "dims are different integers"),
    "norm order": (lambda x: x.norm(3), "order is 1, 2, inf or -inf"),
    "matrix norm": (lambda x: torch.linalg.norm(x, 2), "norms of vectors"),
    "nuclear norm": (lambda x: torch.norm(x, "nuc"), "norms of vectors"),
    "correction": (lambda x: x.var(correction=0.5), "correction an integer"),
    "gelu": (lambda x: F.gelu(x, approximate="fast"), "approximate is none or tanh"),
    "prelu": (lambda x, w: F.prelu(x, w), r"w\*x"),
    "dropout": (lambda x: F.dropout(x, 0.5), "dropout is not known"),
    "clamp": (lambda x: torch.clamp(x), "a bound"),
    "complex": (lambda x: x + 1j, "complex"),
    "infinite": (lambda x: x * math.inf, "no finite number"),
    "zero": (lambda x: x / 0, "division by zero"),
    "bool": (lambda x: x * True, "tensor or a number"),
    "array": (lambda x: torch.add(x, np.ones(3)), "ndarray"),
    "polygamma": (lambda x, n: torch.polygamma(n, x), "written out"),
    "star": (lambda *x: x[0], "must have a name"),
    "double star": (lambda **x: x["a"], "must have a name"),
    "builtin": (torch.where, "write lambda x"),
    "name": (lambda _x: _x, "leading underscore"),
    "nothing": (lambda x: None, "NoneType"),
    "empty": (lambda x: (), "returns nothing"),
    "number": (lambda x: 3, "returns a int"),
    "nested": (lambda x: (x, (x, x)), "returns a tuple"),
    "keys": (lambda x: {1: x}, "keys of the dict"),
    "same name": (lambda x: {"x": x * 2}, "another name"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name):
    function, message = REFUSED[name]
    with pytest.raises(symop.FormulaError, match=message):
        symop.compile(function)


def test_only_torchs_own_functions_are_known_by_name():
    with pytest.raises(symop.FormulaError, match="exp is not known"):
        symop.compile(lambda x: exp(x) * 2)
    assert symop.compile(lambda x: torch.exp(x))(0.0) == 1


def test_several_problems_are_reported_together():
    with pytest.raises(symop.FormulaError) as caught:
        symop.compile(lambda x: torch.cumsum(x, 0) + x.float() + x[0])
    assert len(caught.value.problems) == 3


def test_outputs_must_fit():
    with pytest.raises(symop.FormulaError, match="2 values are returned, not 1"):
        symop.compile(lambda x: (x, x), outputs=("a",))
    with pytest.raises(symop.FormulaError, match="c is not in the dict"):
        symop.compile(lambda x: {"a": x}, outputs=("c",))


def test_endless_functions_are_stopped():
    def endless(x):
        while True:
            x = x + 1

    with pytest.raises(symop.FormulaError, match="more than 60000 operations"):
        symop.compile(endless)


def test_tracing_leaves_torch_as_it_was():
    before = nn.Module.__call__, math.sqrt, torch.exp
    with pytest.raises(symop.FormulaError):
        symop.compile(branches)
    assert (nn.Module.__call__, math.sqrt, torch.exp) == before
