"""Loops that add up, in fewer operations: the same sums, in exact arithmetic."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest
import torch

import symop
from symop.backends.cpu import routine
from symop.compiler import formula
from symop.summed import Summed
from symop.summing import ONE, summing

FIT = "sum((a + b*x + c*x**2 + d*x**3 - y)**2)"
WAVE = "a + b*legendre(3, c + d*x)"


def exact(nodes, values, counts):
    """Every node in fractions; functions are replaced by others, of fractions."""
    found = []
    for node in nodes:
        given = [found[operand] for operand in node.operands]
        match node.op:
            case "argument":
                found.append(values[node.value])
            case "constant":
                found.append(node.value)
            case "count":
                found.append(counts[node.source, node.target])
            case "add":
                found.append(given[0] + given[1])
            case "sub":
                found.append(given[0] - given[1])
            case "mul":
                found.append(given[0] * given[1])
            case "div":
                found.append(given[0] / given[1])
            case "neg":
                found.append(-given[0])
            case "ipow":
                found.append(given[0] ** node.value)
            case _:
                found.append(sum(Fraction(k + 2) * g for k, g in enumerate(given)) + 1)
    return found


def gradient_loops(text, fixed=()):
    """The loops of the gradients of a formula by its arguments but the fixed ones."""
    plan = formula(text).plan
    made = routine(plan.gradient)
    assert made is not None
    for loop in made.loops:
        wanted = [k for k, r in enumerate(loop.results) if not r.slot.endswith(tuple(fixed))]
        yield loop, wanted


TEXTS = {
    FIT: ("x", "y"),
    WAVE: ("x",),
    "a*x**5 - b*x**4 + c*x - d": ("x",),
    "(x**2 - 3*x**4 + x**6)*w/4": ("x",),
    "w*(1 - x)**3 + 0.001*u*x": ("x",),
    "mean((w*x + b - y)**2)": ("x", "y"),
    "mean(-w*x/3 + 1000*b*x**2)": ("x",),
    "sum(exp(w*x + x**3 - 2*x**2 + 1))": ("x",),
    "w*x*y*(y**2 - 1) + v*x*(1 - y**2)": ("x", "y"),
    "sum(w*x**2 + w*x**3*y + v*x**7)": ("x", "y"),
    "(c + k*x - 3*k*x**2)/(2*w)": ("x",),
    "w*(1 - x**2 - x**4) + v*(2 - x**3 - x)": ("x",),
}


@pytest.mark.parametrize("text", TEXTS)
def test_sums_are_the_same_in_exact_arithmetic(text):
    chance = random.Random(0)
    for loop, wanted in gradient_loops(text, TEXTS[text]):
        names = [argument.name for argument in loop.inputs]
        for single in ([], ["w", "b"], [n for n in names if n not in ("x", "y")], names):
            made, factors = summing(loop, wanted, single)
            for _ in range(4):
                values = {n: Fraction(chance.randint(1, 40), chance.randint(1, 9)) for n in names}
                counts = {count: Fraction(7) for count in loop.counts}
                before, after = (exact(k.nodes, values, counts) for k in (loop, made))
                for k, factor in zip(wanted, factors, strict=True):
                    number = factor.number * Fraction(7) ** (len(factor.above) - len(factor.below))
                    assert number * after[made.results[k].node] == before[loop.results[k].node]


@pytest.mark.parametrize(
    ("text", "fixed", "before", "after"),
    [(WAVE, ("x",), 24, 18), (FIT, ("x", "y"), 22, 19)],
)
def test_polynomials_take_fewer_operations(text, fixed, before, after):
    for loop, wanted in gradient_loops(text, fixed):
        single = frozenset(a.name for a in loop.inputs if a.name not in ("x", "y", "grad_out"))
        made, _ = summing(loop, wanted, single)
        costs = [
            Summed(k.nodes, tuple(k.results[w].node for w in wanted), single).cost()
            for k in (loop, made)
        ]
        assert costs == [before, after]


@pytest.mark.parametrize("text", ["w*(x**3 - 3*x) + 0.1*w*x**2", "2*w*x**3"])
def test_what_is_stored_beside_a_sum_has_the_same_bits_as_elsewhere(text):
    op = symop.compile(text, backend="cpu")
    x = torch.linspace(-2, 2, 1000, requires_grad=True)
    number = torch.tensor(1.7, requires_grad=True)
    everywhere = torch.full((1000,), 1.7, requires_grad=True)
    cotangent = torch.linspace(1, 2, 1000)
    beside, _ = torch.autograd.grad(op(number, x), (number, x), cotangent)[::-1]
    alone, _ = torch.autograd.grad(op(everywhere, x), (everywhere, x), cotangent)[::-1]
    assert torch.equal(beside, alone)


def test_numbers_that_could_leave_the_range_stay_with_the_elements():
    made = routine(formula("sum(1e-30*w*x + 2*w*y)").plan.gradient)
    for loop in made.loops:
        for k in range(len(loop.results)):
            _, factors = summing(loop, [k], ["w"])
            assert factors == (ONE,) or Fraction(1, 256) <= abs(factors[0].number) <= 256
    w = torch.tensor(2.0, requires_grad=True)
    op = symop.compile("sum(1e-30*w*x)", backend="cpu")
    x = torch.full((1000,), 3e37)
    (gradient,) = torch.autograd.grad(op(w, x), w)
    # A rounding of 1e-30, one of each product, and those of a sum of equal numbers, which
    # tests/test_kernels.py bounds.
    torch.testing.assert_close(
        gradient.double(), x.double().sum() * 1e-30, rtol=2**-20 + 2**-23, atol=0
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("text", TEXTS)
def test_gradients_of_numbers_are_those_of_operations(text, dtype):
    op = symop.compile(text, backend="cpu")
    plain = symop.compile(text, backend="torch")
    for size in (1, 31, 64, 1000, 70_000):
        generator = torch.Generator().manual_seed(size)
        values = [
            torch.rand((size,) if n in ("x", "y") else (), generator=generator, dtype=dtype)
            for n in op.args
        ]
        numbers = [v.requires_grad_() for v in values if not v.ndim]
        found = torch.autograd.grad(op(*values).sum(), numbers)
        apart = [v.detach().double().expand(size).clone() for v in values]
        wide = [w.requires_grad_() for w, v in zip(apart, values, strict=True) if not v.ndim]
        terms = torch.autograd.grad(plain(*apart).sum(), wide)
        # A term is made of a few that are below ten, each of which loses some roundings.
        for value, term in zip(found, terms, strict=True):
            bound = 8 * torch.finfo(dtype).eps * float(term.abs().sum() + size)
            assert abs(value.double() - term.sum()) <= bound


def test_kinks_lie_where_they_lie_without_sums():
    polynomial = symop.compile("x**3 - 3*x**2 + 7*x", backend="cpu")
    op = symop.compile("maximum(x**3 - 3*x**2 + 7*x + b, 0)", backend="cpu")
    for point in torch.linspace(-2, 2, 41):
        x = point.expand(2).clone()
        b = (-polynomial(x)[0]).requires_grad_()
        # Where both are equal, each gets half of the gradient.
        (gradient,) = torch.autograd.grad(op(x, b).sum(), b)
        assert gradient == 1
