"""op.check: that it holds for what is right, and that planted faults make it fail."""

from __future__ import annotations

import dataclasses
import math

import mpmath as mp
import pytest
import torch

import symop
from symop import samples, stencils
from symop.checking import STEPS, _missing, check, check_file
from symop.errors import CallError, FileError
from symop.gradient_checks import gradient_check
from symop.parsing import parse
from symop.stencils import work
from symop.torch_names import torch_function

HOLDING = [
    "0.5*(5*x**3-3*x)",
    "w*x + b",
    "sqrt(x - y)",
    "relu(x) + abs(y)",
    "where(m, x, y)**2",
    "floor(x)*y",
    "h = tanh(x*y); h, h*x".replace("h, h*x", "z = h*x + y"),
    "softmax(x, -1)*w",
    "logsumexp(x)",
    "sum((a + b*x - y)**2)",
    "lgamma(x)",
    "sigmoid(x)*y",
]


def by_quantity(report, dtype="float64"):
    return {a.quantity: a for a in report.accuracies if a.dtype == dtype}


@pytest.mark.parametrize("formula", HOLDING)
def test_right_formulas_hold(formula):
    op = symop.compile(formula)
    report = check(op)
    assert report, str(report)
    assert report.is_accurate, str(report)
    assert report.checks
    real = [a for a in op.args if a != "m"]
    expected = set(op.outputs) | {f"d {o} / d {a}" for o in op.outputs for a in real}
    for dtype in ("float64", "float32", "bfloat16", "float16"):
        measured = set(by_quantity(report, dtype))
        # Second derivatives that are zero everywhere are left out.
        assert measured >= expected
        assert all(q.startswith("d2 ") for q in measured - expected)
    assert all(a.points > 0 for a in report.accuracies)


def test_examples_cover_one_shape_broadcasting_and_no_dims():
    shapes = [c.example for c in check(symop.compile("w*x + b")).checks]
    assert shapes == ["w (5,), x (5,), b (5,)", "w (2, 1), x (3,), b 0-d", "w 0-d, x 0-d, b 0-d"]


def test_an_op_checks_itself():
    assert symop.compile("x*exp(y)").check()


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_errors_are_those_of_the_definition(dtype):
    x = torch.tensor([0.1, 0.7, -1.3, 2.9], dtype=torch.float32).double()
    report = check(symop.compile("exp(x)"), (x,))
    digits = {torch.float64: 53, torch.float32: 24}[dtype]
    expected = []
    with mp.workdps(50):
        for value in x.to(dtype):
            true = mp.exp(mp.mpf(value.item()))
            unit = mp.mpf(2) ** (math.floor(mp.log(true, 2)) - digits + 1)
            expected.append(float(abs(mp.mpf(torch.exp(value).item()) - true) / unit))
    measured = by_quantity(report, str(dtype).removeprefix("torch."))["out"]
    assert measured.worst == pytest.approx(max(expected), rel=1e-9)
    assert measured.median == pytest.approx(sorted(expected)[1], rel=1e-9)
    assert measured.points == 4
    assert measured.lost == 0


def test_lost_digits_are_seen_and_do_not_fail():
    # Near x = 1e-6 the difference keeps about 4 digits in float64; the condition number is 1.
    report = check(symop.compile("u = 1 + x**2; u - 1"), (torch.tensor([1e-6, 2e-6]),))
    assert by_quantity(report)["out"].share > 1e3
    assert not report.is_accurate


def test_ill_conditioned_values_are_within_the_bound():
    # Rounding x and y once moves x - y as much as this.
    y = torch.tensor([1 - 2**-40, 1 + 2**-39], dtype=torch.float64)
    near = torch.ones(2), y
    report = check(symop.compile("exp(x) - exp(y)"), near)
    value = by_quantity(report)["out"]
    assert value.worst > 100
    assert value.share <= 1


def test_a_finite_value_that_overflows_inside_is_lost():
    report = check(symop.compile("x**300/x**299"), (torch.tensor(100.0),))
    assert by_quantity(report)["out"].lost == 1
    assert not report
    assert "DOES NOT HOLD" in str(report)


def test_gradcheck_at_a_kink_fails_and_says_why():
    report = check(symop.compile("relu(x)"), (torch.zeros(2),))
    assert not report
    assert "Jacobian mismatch" in report.checks[0].first
    assert "Jacobian mismatch" in str(report)
    # Either one-sided slope is a convention, so the oracle finds nothing wrong.
    assert by_quantity(report)["d out / d x"].worst == 0


def planted(tmp_path, formula, old, new):
    """The report on a file whose code, not its docstring, was changed."""
    symop.generate(formula, name="planted", tests=False).write(tmp_path)
    path = tmp_path / "planted.py"
    documentation, code = path.read_text().split("import functools", 1)
    assert old in code
    path.write_text(f"{documentation}import functools{code.replace(old, new)}")
    return check_file(path)


def test_a_generated_file_holds(tmp_path):
    symop.generate("y = w*x + l; z = y*output + softmax(x, -1)", name="two", tests=False).write(
        tmp_path
    )
    report = check_file(tmp_path / "two.py")
    assert report, str(report)
    assert report.name == "two"
    assert report.notes == ("the file is what symop writes for its formula",)
    assert {"z", "d z / d l", "d z / d output"} <= set(by_quantity(report))


@pytest.mark.parametrize(
    ("formula", "old", "new"),
    [
        ("0.5*(5*x**3-3*x)", "7.5 * x**2 - 1.5", "7.5 * x**2 - 1.6"),
        # Gradcheck allows a relative error of 0.001, and does not see this.
        ("0.5*(5*x**3-3*x)", "7.5 * x**2", "7.50075 * x**2"),
        # Nor the sign of what is below its absolute tolerance.
        ("y*1e-7*exp(x)", "1e-07", "-1e-07"),
        ("0.5*(5*x**3-3*x)", "2.5 * x**3", "2.5005 * x**3"),
    ],
)
def test_a_planted_fault_is_found(tmp_path, formula, old, new):
    report = planted(tmp_path, formula, old, new)
    assert not report, str(report)
    assert any("differs from what symop writes" in note for note in report.notes)


def test_a_fault_that_only_the_accuracy_shows(tmp_path):
    report = planted(tmp_path, "x**2*y", "2 * grad_out", "2.0001 * grad_out")
    assert all(c.first == "" for c in report.checks)
    wrong = [a.quantity for a in report.accuracies if a.is_wrong]
    assert "d out / d x" in wrong
    assert "d out / d y" not in wrong
    assert "wrong beyond rounding" in str(report)
    assert not report


def test_a_file_without_a_formula_has_its_gradients_checked_only(tmp_path):
    symop.generate("x**2*y", name="planted", tests=False).write(tmp_path)
    path = tmp_path / "planted.py"
    path.write_text(path.read_text().replace("planted: out = x**2*y", "planted: a square", 1))
    report = check_file(path)
    assert report
    assert report.accuracies == ()
    assert "accuracy was not measured" in report.notes[0]


@pytest.mark.parametrize(
    "text", ["", "def f(x): return x\n", '"""x: generated by symop."""\n', "def f(:\n"]
)
def test_files_that_symop_did_not_write_are_refused_and_not_run(tmp_path, text):
    path = tmp_path / "other.py"
    path.write_text(text + "raise SystemError('was run')\n" * ("(:" not in text))
    with pytest.raises(FileError, match="generated"):
        check_file(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(FileError, match="cannot be read"):
        check_file(tmp_path / "none.py")


def test_examples_may_be_numbers_and_single_tensors():
    op = symop.compile("x**2")
    assert (
        check(op, 3.0, (torch.ones(2, 3, dtype=torch.float16),), [2]).checks[2].example == "x 0-d"
    )


@pytest.mark.parametrize(
    ("example", "said"),
    [
        ((torch.ones(2),), "one for each"),
        ((torch.ones(2), "x"), "str"),
        ((torch.ones(2), torch.ones(2) * 1j), "complex"),
        ((torch.ones(3000), torch.ones(1)), "3001 elements"),
        ((torch.ones(2), torch.ones(3)), "do not broadcast"),
    ],
)
def test_examples_that_are_no_call_are_refused(example, said):
    with pytest.raises(CallError, match=said):
        check(symop.compile("x*y"), example)


def test_large_examples_of_reductions_are_measured_by_value():
    report = check(symop.compile("softmax(x, -1)"), (torch.linspace(-1, 1, 100).reshape(4, 25),))
    assert report
    assert set(by_quantity(report)) == {"out"}
    assert by_quantity(report)["out"].points == 100
    assert "only the values" in report.notes[0]


def test_a_check_leaves_the_random_numbers_of_the_caller_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    check(symop.compile("x*y"))
    assert torch.equal(torch.rand(3), expected)


def test_a_check_gives_the_same_report_again():
    op = symop.compile("tanh(x)/y")
    assert check(op) == check(op)


def test_a_report_is_a_table():
    report = check(symop.compile("w*x + b", name="affine"))
    lines = str(report).splitlines()
    assert repr(report) == str(report).rstrip()  # what a session shows
    assert lines[0] == "affine holds"
    header = next(line for line in lines if "median" in line)
    row = next(line for line in lines if "float32" in line and " d out / d w " in line)
    assert len(header) == len(row)
    with pytest.raises(dataclasses.FrozenInstanceError):
        report.name = "other"


def computed(monkeypatch, formula):
    """How many numbers the oracle computes in a check."""
    count = [0]
    real = stencils.operation

    def counted(node):
        function = real(node)

        def call(*values):
            count[0] += 1
            return function(*values)

        return call

    monkeypatch.setattr(stencils, "operation", counted)
    check(symop.compile(formula, backend="torch"))
    return count[0]


# Those of slow references take a tenth of a millisecond each, others a hundredth.
@pytest.mark.parametrize(
    ("formula", "most"),
    [
        ("0.5*(5*x**3-3*x)", 8_000),
        ("log_ndtr(x)", 2_000),
        ("gelu(x)", 2_000),
        ("log(1 - erf(x))", 5_000),
        ("x*erfcx(y)", 6_000),
    ],
)
def test_a_check_of_a_simple_op_computes_few_numbers(formula, most, monkeypatch):
    assert 200 < computed(monkeypatch, formula) < most


MANY = " + ".join(f"x{i}*sin(y{i})" for i in range(150))


def test_a_large_formula_is_tried_at_few_points():
    op = symop.compile(MANY, backend="torch")
    chosen = samples.Samples(op.program)
    assert chosen.is_large
    points = len(chosen.ordinary())
    assert 1 <= points <= 12
    assert points * work(op.program, 2) < 800_000
    assert len(list(chosen._steps())) == 4
    small = samples.Samples(symop.compile("x*sin(y)").program)
    assert not small.is_large
    assert len(small.ordinary()) > 40


def test_a_formula_that_is_shown_shortened_has_no_name_in_torch():
    formula = symop.compile(MANY, backend="torch")._formula
    assert "parts" in formula.text[0]
    assert torch_function(formula.program, formula.text) is None


def test_gradients_by_some_of_many_arguments_are_checked():
    moving = []

    def function(*values):
        moving.append(sum(v.requires_grad for v in values))
        return sum(v * v for v in values)

    values = [torch.rand(2, dtype=torch.float64) for _ in range(40)]
    assert gradient_check(function, [f"x{k}" for k in range(40)], values)
    assert max(moving) == 14
    chosen = samples.Samples(parse(" + ".join(f"x{k}" for k in range(20))))
    (note,) = _missing(chosen.program, chosen, [{}])
    assert note == "gradients were checked by 10 of 20 arguments"


def test_a_check_tells_what_it_does():
    told = []
    check(symop.compile("x*y"), told=told.append)
    dtypes = ["float64", "float32", "bfloat16", "float16"]
    assert [name for name in told if name] == ["points", "gradients", *dtypes]
    assert told.count("") == STEPS


def test_second_derivatives_are_measured_mixed_ones_too():
    report = check(symop.compile("sin(x)*exp(y)"))
    assert report
    second = {q for q in by_quantity(report) if q.startswith("d2 ")}
    assert second == {"d2 out / d x2", "d2 out / d y2", "d2 out / d x d y"}
    reduced = by_quantity(check(symop.compile("logsumexp(x)")))
    assert reduced["d2 out / d x d all"].points == 6


@pytest.mark.parametrize(
    ("formula", "old", "new", "quantity"),
    [
        ("x**3*y", "2 * x * t1 * t3", "2.0001 * x * t1 * t3", "d2 out / d x2"),
        ("sum(x**3*y)", "2 * x * t1 * t3", "2.0001 * x * t1 * t3", "d2 out / d x d all"),
    ],
)
def test_a_fault_of_second_order_is_found(tmp_path, formula, old, new, quantity):
    report = planted(tmp_path, formula, old, new)
    assert not report
    assert all(c.first == "" for c in report.checks)
    wrong = [a.quantity for a in report.accuracies if a.is_wrong]
    assert quantity in wrong
    assert set(wrong) <= {quantity, "d2 out / d x d y", "d2 out / d y d all"}


def test_what_is_lost_at_edges_is_told_and_does_not_fail():
    report = check(symop.compile("x**4/(x**2 + y**2)"))
    assert report, str(report)
    edges = by_quantity(report)["out"].edges
    assert edges.lost > 0
    # x**4 overflows where the quotient does not.
    assert "x = 1.2" in edges.at
    assert f"not finite at {edges.at}" in str(report)


def test_edges_are_zeros_subnormal_tiny_huge_and_infinite_arguments():
    report = by_quantity(check(symop.compile("exp(-abs(x))*y")))
    assert report["out"].edges.points > 20
    assert report["out"].edges.worst < 4
    infinite = by_quantity(check(symop.compile("atan(x)")))["out"].edges
    assert infinite.points == 16
    assert infinite.worst < 1


def test_the_function_of_torch_stands_beside_ours():
    report = by_quantity(check(symop.compile("tanh(x)")))
    theirs = report["d out / d x"].torch
    # torch takes the slope from the rounded output, which loses all digits far out.
    assert theirs.worst > 20 > 4 > report["d out / d x"].worst
    assert report["out"].torch.worst == report["out"].worst
    assert "torch 99 %" in str(check(symop.compile("tanh(x)")))
    assert by_quantity(check(symop.compile("x*y")))["out"].torch is None


def test_half_precision_is_rounded_once():
    report = check(symop.compile("tanh(x)*exp(y)"))
    for dtype in ("bfloat16", "float16"):
        assert all(a.worst < 0.51 for a in by_quantity(report, dtype).values())
