"""precision="high": everything in float64, rounded once."""

from __future__ import annotations

import pytest
import torch
from click.testing import CliRunner

import symop
from symop.checking import check_file
from symop.cli import app
from symop.errors import CallError

# Each loses digits in float32: by cancellation, and in a square that is rounded before exp.
LOSING = ["sqrt(x + 1) - sqrt(x) + x**2", "exp(-x**2/2)*x", "x - x**3/6 - sin(x) + 1"]


def worst(report, dtype):
    return {a.quantity: a.worst for a in report.accuracies if a.dtype == dtype}


@pytest.mark.parametrize("formula", LOSING)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_every_order_is_rounded_once(formula, dtype):
    x = torch.linspace(0.3, 3, 20, dtype=torch.float64)
    found = worst(symop.compile(formula, precision="high").check((x,)), dtype)
    assert set(found) == {"out", "d out / d x", "d2 out / d x2"}
    assert all(error < 0.51 for error in found.values()), found


def test_standard_precision_loses_there():
    x = torch.linspace(0.3, 3, 20, dtype=torch.float64)
    assert worst(symop.compile(LOSING[1]).check((x,)), "float32")["out"] > 1


def test_dtypes_and_masks_stay_what_they_are():
    op = symop.compile("where(m, w*x, x) + sum(w)", precision="high")
    m = torch.tensor([True, False])
    for dtype in (torch.float64, torch.float32, torch.float16):
        w, x = (torch.ones(2, dtype=dtype, requires_grad=True) for _ in range(2))
        result = op(m, w, x)
        gradients = torch.autograd.grad(result.sum(), (w, x))
        assert {result.dtype, *(g.dtype for g in gradients)} == {dtype}


def test_derived_ops_have_the_same_precision():
    op = symop.compile("exp(x)", precision="high")
    for derived in (op.d("x"), op.vjp, op.jvp):
        assert "Everything as float64" in derived.source
    assert "Everything as float64" not in symop.compile("exp(x)").source


def test_generated_files_carry_it_and_check_knows_them(tmp_path):
    symop.generate("exp(-x**2)", name="bell", precision="high").write(tmp_path)
    assert "Everything as float64" in (tmp_path / "bell.py").read_text()
    report = check_file(tmp_path / "bell.py")
    assert report.notes == ("the file is what symop writes for its formula",)
    assert all(error < 0.51 for error in worst(report, "float32").values())


def test_other_precisions_are_refused():
    with pytest.raises(CallError, match=r'"standard" and "high" are'):
        symop.compile("x", precision="double")


def test_the_command_line_has_it(tmp_path):
    arguments = ["generate", "exp(x)", "--name", "bell", "--out", str(tmp_path)]
    result = CliRunner().invoke(app, [*arguments, "--precision", "high"])
    assert result.exit_code == 0, result.output
    assert "Everything as float64" in (tmp_path / "bell.py").read_text()
