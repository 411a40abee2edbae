"""Every example runs and meets the reference results that it asserts itself."""

from __future__ import annotations

import importlib
import math
import sys
from pathlib import Path
from types import ModuleType

import pytest

import symop

EXAMPLES = Path(__file__).parent.parent / "examples"
SEEDS = sorted(path.stem for path in EXAMPLES.glob("s[0-9]_*.py"))
SCRIPTS = [*SEEDS, "fit_constants"]


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch):
    """Imports an example as a script sees it: with the folder of examples on the path."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(EXAMPLES)

    def load(name: str) -> ModuleType:
        return importlib.import_module(name)

    yield load
    # The names are not in a package of their own; none of them may stay behind.
    for name in set(sys.modules) - before:
        if str(EXAMPLES) in str(getattr(sys.modules[name], "__file__", None)):
            del sys.modules[name]


def is_png(path: Path) -> bool:
    return path.read_bytes().startswith(b"\x89PNG")


def test_each_seed_has_an_example() -> None:
    assert [name[:2] for name in SEEDS] == [f"s{n}" for n in range(1, 8)]


@pytest.mark.parametrize("name", SCRIPTS)
def test_example_has_main_and_docstring(example, name: str) -> None:
    module = example(name)
    assert callable(module.main)
    assert module.__doc__


def test_legendre_fit_reaches_the_reference_in_every_way(example, tmp_path: Path) -> None:
    results = example("s1_legendre").main(out=tmp_path)
    assert len(results) == 5
    assert is_png(tmp_path / "s1_legendre.png")


def test_multiply_add(example) -> None:
    gradients = example("s2_multiply_add").main(show=False)
    assert gradients["w1"] == -1.5


def test_line(example) -> None:
    assert example("s3_line").main().keys() == {"w", "x", "b"}


def test_linear_regression(example) -> None:
    weight, bias, loss = example("s4_linear_regression").main(device="cpu")
    assert math.isclose(weight, 2, abs_tol=1e-3)
    assert math.isclose(bias, 1, abs_tol=5e-3)
    assert loss < 1e-5


def test_cubic_fit(example, tmp_path: Path) -> None:
    results = example("s5_cubic").main(out=tmp_path)
    assert len(results) == 5
    assert is_png(tmp_path / "s5_cubic.png")


def test_in_place_modification(example) -> None:
    assert example("s6_in_place").main().keys() == {"saved", "leaf before", "leaf after", "out"}


def test_template_names_every_piece_of_the_file(example, capsys) -> None:
    titles = example("s7_template").main()
    assert any(title.startswith("LegendreP3:") for title in titles)
    assert "class LegendreP3Backward" in capsys.readouterr().out


def test_constants_are_found(example) -> None:
    assert example("fit_constants").main().keys() == {"a", "k", "w", "p"}


def test_generated_files_are_what_symop_writes(example) -> None:
    generate = example("generate")
    for name, formula in generate.FORMULAS.items():
        assert symop.generate(formula, name=name).differences(generate.FOLDER) == ""


@pytest.mark.slow
@pytest.mark.parametrize("name", SCRIPTS)
def test_example_runs_as_a_script(name: str, tmp_path: Path) -> None:
    import subprocess

    subprocess.run([sys.executable, EXAMPLES / f"{name}.py"], cwd=tmp_path, check=True)
