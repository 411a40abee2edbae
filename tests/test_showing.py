"""What `symop show` prints; the printed gradients are run as Python and held against autograd."""

from __future__ import annotations

import pytest
import torch

import symop
from symop.notation import with_signs
from symop.showing import describe, latex_text, show_text, steps_text

TWO_LAYERS = "h = w1*x + b1; y = w2*h + b2"
CUBIC = "y = a + b*x + c*x**2 + d*x**3; loss = sum((y - t)**2)"
PROGRAMS = [
    "0.5*(5*x**3-3*x)",
    "w*x + b",
    TWO_LAYERS,
    "h = x*x; k = h*x; h + k*h",
    "u = exp(x); v = u*x*exp(z)*exp(w); v + u",
    "h = tanh(a*x); z = where(h > 0, h*b, h/b); out = z*z",
    "t = x*y; grad_t = t*x; out = grad_t + t",
    "h = sin(x); y = h",
]
PLAIN = {
    name: getattr(torch, name) for name in ("exp", "sin", "cos", "tanh", "sqrt", "where", "cosh")
}


def section(text, title):
    lines = text.splitlines()
    start = next(k for k, line in enumerate(lines) if line.startswith(title)) + 1
    taken = []
    for line in lines[start:]:
        if not line.startswith(" "):
            break
        taken.append(line.strip())
    return taken


def backward_lines(text):
    lines = text.partition("\nbackward")[2].partition("\n\n")[0].splitlines()
    # Below the title and two lines that explain it.
    return [line.strip() for line in lines[3:] if not line.strip().startswith("through ")]


def tensors(op):
    generator = torch.Generator().manual_seed(3)
    return {
        a: torch.rand(4, generator=generator, dtype=torch.float64).requires_grad_() + 0
        for a in op.args
    }


def run(lines, names):
    for line in lines:
        exec(line, names)
    return names


def autograd(op, formula, values, seed):
    """The gradients by torch, of the formula run as Python."""
    names = dict(PLAIN)
    names.update(values)
    lines = [line.strip() for line in formula.split(";")]
    if " = " not in lines[-1]:
        lines[-1] = f"{op.outputs[-1]} = {lines[-1]}"
    run(lines, names)
    result = names[op.outputs[-1]]
    return torch.autograd.grad(result, list(values.values()), seed), names


@pytest.mark.parametrize("formula", PROGRAMS)
@pytest.mark.parametrize("steps", [True, False])
def test_the_printed_gradients_are_those_of_autograd(formula, steps):
    op = symop.compile(formula)
    text = steps_text(op) if steps else show_text(op)
    values = tensors(op)
    seed = torch.tensor([0.3, -1.0, 2.0, 0.7], dtype=torch.float64)
    expected, names = autograd(op, formula, values, seed)
    lines = backward_lines(text) if steps else section(text, "gradients")
    first = section_title(text, "backward" if steps else "gradients").split()[-1]
    names.update({first: seed, "sum": lambda v: v})
    run(lines, names)
    taken = {"t": "grad_t_1"} if "grad_t =" in formula else {}
    for argument, right in zip(op.args, expected, strict=True):
        found = names[taken.get(argument, f"grad_{argument}")]
        torch.testing.assert_close(found, right, rtol=1e-12, atol=1e-12)


def section_title(text, start):
    return next(line for line in text.splitlines() if line.startswith(start))


def test_two_layers_answer_the_tutorial():
    text = steps_text(symop.compile(TWO_LAYERS))
    assert section(text, "forward") == ["h = w1*x + b1", "y = w2*h + b2"]
    lines = text.partition("backward, from grad_y\n")[2].splitlines()
    assert [line.strip() for line in lines[2 : lines.index("")]] == [
        "through y = w2*h + b2",
        "grad_w2 = grad_y*h",
        "grad_b2 = grad_y",
        "grad_h = grad_y*w2",
        "through h = w1*x + b1",
        "grad_w1 = grad_h*x",
        "grad_x = grad_h*w1",
        "grad_b1 = grad_h",
    ]


def test_the_cubic_prints_the_gradients_of_the_tutorial():
    lines = backward_lines(steps_text(symop.compile(CUBIC)))
    assert "grad_y = 2*grad_loss*(y - t)" in lines
    assert "grad_a = grad_y" in lines
    assert "grad_b = grad_y*x" in lines


def test_conditions_on_numbers_are_not_shown():
    # The gradient of fmin asks whether its second argument is NaN.
    assert "grad_x = grad_out*where(x <= 3, 1, 0)\n" in symop.compile("fmin(x, 3)").source


def test_temporaries_take_no_name_of_another_statement():
    lines = backward_lines(steps_text(symop.compile(CUBIC)))
    assert not [line for line in lines if line.startswith("t = ")]


def test_arguments_that_nothing_flows_to_are_named():
    text = steps_text(symop.compile("x*y", args=("x", "k", "y")))
    assert "the gradient is 0 for k" in text


def test_what_is_saved_names_the_gradients_that_need_it():
    text = show_text(symop.compile("w*x + b"))
    assert section(text, "saved") == ["w  for grad_x", "x  for grad_w"]
    assert section(text, "not saved")[0] == "b    no gradient needs its values"


def test_what_is_computed_again_is_named():
    text = show_text(symop.compile(TWO_LAYERS))
    assert "h   computed again from w1, x, b1" in section(text, "not saved")


def test_nothing_is_saved_for_a_sum():
    assert section(show_text(symop.compile("x + y")), "saved") == ["nothing"]


@pytest.mark.parametrize(
    ("formula", "forward", "backward", "naive", "saved", "kept"),
    [
        # x*y + z: one product a factor.
        ("x*y + z", 2, 2, 2, 2, 2),
        # Backward g*3*x**2: two products and a square; autograd does the same and keeps x.
        ("x**3", 2, 3, 3, 1, 1),
        # exp keeps its result in autograd, symop the argument: exp is done again.
        ("exp(x)", 1, 2, 1, 1, 1),
        # Without powers: three products of three factors, and what autograd keeps: x, x*x.
        ("h = x*x; h*h", 2, None, 6, 1, 2),
    ],
)
def test_operations_are_counted(formula, forward, backward, naive, saved, kept):
    found = describe(symop.compile(formula))
    assert found.fused.forward == forward
    if backward is not None:
        assert found.fused.backward == backward
    assert found.separate.backward == naive
    assert (found.fused.saved, found.separate.saved) == (saved, kept)


def test_signs_replace_operators_and_not_names():
    op = symop.compile("pi*x**2 + sqrt(sum_x)*spi**12 + sum(x**-1)")
    text = with_signs("\n".join(describe(op).formula))
    assert "π·x² + √(sum_x)·spi¹² + Σ(x⁻¹)" in text.replace("x**(-1)", "x⁻¹")
    assert show_text(op).isascii()


@pytest.mark.parametrize("formula", ["x**y", "x**2.5", "x**(y + 1)", "2**x", "(x + y)**2"])
def test_only_whole_powers_are_raised(formula):
    (line,) = map(with_signs, describe(symop.compile(formula)).formula)
    assert ("**" in line) == (formula != "(x + y)**2")


def test_latex_is_balanced_and_names_the_derivative():
    pytest.importorskip("symop.symbolic")
    text = latex_text(symop.compile("0.5*(5*x**3-3*x)"))
    assert text.count("{") == text.count("}")
    assert r"\begin{aligned}" in text
    assert r"\frac{\partial \mathrm{out}}{\partial x} &= " in text


def test_long_programs_are_shown():
    lines = [f"v{k} = v{k - 1}*a + b" for k in range(1, 200)]
    op = symop.compile("\n".join(["v0 = a*b", *lines]))
    assert len(backward_lines(steps_text(op))) > 400
