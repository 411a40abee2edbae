"""Golden modules: compared byte for byte, imported, run, and linted."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import symop
from symop.functions import table
from symop.names import class_name
from tests.goldens import FOLDER, FORMULAS, RECORDED, path, text
from tests.test_language import HOSTILE


def load(name, backend="torch"):
    spec = importlib.util.spec_from_file_location(f"golden_{name}", path(name, backend))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("name", "backend"), RECORDED)
def test_the_module_is_what_was_recorded(name, backend):
    recorded = path(name, backend).read_text()
    assert recorded == text(name, backend), "record it anew with `make goldens`"


def test_nothing_else_was_recorded():
    assert {(p.parent.name, p.stem) for p in FOLDER.glob("*/*.py")} == set(RECORDED)


# Without a GPU, kernels say that they give way.
@pytest.mark.filterwarnings("ignore:.*kernels for the GPU give way:RuntimeWarning")
@pytest.mark.parametrize(("name", "backend"), RECORDED)
def test_the_recorded_module_runs_without_symop(name, backend):
    module = load(name, backend)
    assert module.__all__ == [class_name(name), name]
    assert "symop" not in {line.split()[1] for line in path(name, backend).read_text().split("\n")
                           if line.startswith(("import ", "from "))}  # fmt: skip
    op = symop.compile(FORMULAS[name])
    generator = torch.Generator().manual_seed(1)
    inputs = []
    for argument in op.program.arguments:
        value = torch.rand(2, 3, dtype=torch.float64, generator=generator) + 0.2
        inputs.append(value > 0.6 if argument.is_mask else value.requires_grad_())
    function = getattr(module, name)
    ours = function(*inputs)
    ours = ours if isinstance(ours, tuple) else (ours,)
    theirs = op(*inputs)
    theirs = theirs if isinstance(theirs, tuple) else (theirs,)
    if backend == "torch":
        assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))
    torch.testing.assert_close(ours, theirs, rtol=1e-14, atol=0)
    real = [value for value in inputs if value.requires_grad]
    assert torch.autograd.gradcheck(function, inputs, check_forward_ad=True)
    assert torch.autograd.gradgradcheck(function, inputs)
    assert real


def test_lines_of_the_simplest_modules():
    assert len(text("legendre_p3").splitlines()) <= 130
    assert len(text("multiply_add").splitlines()) <= 160
    assert "return grad_out * (7.5 * x**2 - 1.5)" in text("legendre_p3")


def write_modules(folder: Path, every: int) -> None:
    """Write a module for functions, and for formulas with awkward names and layouts."""
    formulas = dict(FORMULAS)
    for name, function in [*table().items()][::every]:
        if not function.internal:
            values = ["3" if p in function.literals else p for p in function.parameters]
            formulas[f"f_{name.lower()}_{name[0].isupper():d}"] = f"{name}({', '.join(values)})"
    formulas["ambiguous"] = "l*O + I"
    formulas["reserved"] = "torch*math + ctx/shape - needs*grad_out"
    formulas["long_names"] = (
        "learning_rate_of_the_first_layer*momentum_coefficient_value + gradient_scaling_factor_x"
    )
    formulas["many_arguments"] = "+".join(f"a{i}*b{i}" for i in range(20))
    formulas["deep"] = "\n".join(
        f"hidden_state_number_{i} = tanh(weight_matrix_{i}*{before} + bias_vector_{i})"
        for i, before in enumerate(["x", *(f"hidden_state_number_{k}" for k in range(5))])
    )
    for name, formula in formulas.items():
        (folder / f"{name}.py").write_text(symop.compile(formula, name=name).source)
        made = symop.generate(formula, name=name, backends=("auto",), tests=False)
        if not made.note:
            (folder / f"{name}_all.py").write_text(made.module)
            for backend in made.carries:
                made = symop.generate(formula, name=name, backends=("torch", backend), tests=False)
                (folder / f"{name}_{backend}.py").write_text(made.module)


@pytest.mark.parametrize("every", [4, pytest.param(1, marks=pytest.mark.slow)])
def test_every_module_is_formatted_and_linted(tmp_path, every):
    write_modules(tmp_path, every)
    ruff = [sys.executable, "-m", "ruff"]
    for arguments in (["format", "--check"], ["check"]):
        result = subprocess.run(
            [*ruff, *arguments, "--isolated", "--no-cache", str(tmp_path)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert result.returncode == 0, result.stdout[-3000:] + result.stderr


def test_the_same_bytes_in_processes_with_other_hashes(tmp_path):
    code = (
        "from tests.goldens import FORMULAS, text\n"
        "import sys; sys.stdout.write(''.join(text(name) for name in FORMULAS))"
    )
    outputs = set()
    for seed in ("0", "1"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        result = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, check=True
        )
        outputs.add(result.stdout)
    assert outputs == {"".join(text(name) for name in FORMULAS).encode()}


@pytest.mark.parametrize(
    "entry", [e for e in HOSTILE["entries"] if e["target"] == "doc"], ids=lambda e: e["id"]
)
def test_comments_of_users_never_reach_a_module(entry):
    # A comment is dropped, or refused when it has characters that editors hide.
    try:
        source = symop.compile("x*x  # " + entry["input"]).source
    except symop.FormulaError:
        return
    assert source == symop.compile("x*x").source
