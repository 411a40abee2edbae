"""What is public is documented, and the examples in docstrings run."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil

import pytest

import symop
from symop.artifact import Artifact
from symop.modules import OpModule
from symop.report import Report

MODULES = sorted(
    m.name for m in pkgutil.walk_packages(symop.__path__, "symop.") if "__main__" not in m.name
)
ERRORS = [n for n in symop.__all__ if isinstance(getattr(symop, n), type)
          and issubclass(getattr(symop, n), Exception)]  # fmt: skip
FUNCTIONS = {n: getattr(symop, n) for n in symop.__all__ if n not in ERRORS}
# torch's contract is that forward is what a call of a module does.
MEMBERS = {
    f"Op.{name}": member
    for name, member in vars(symop.Op).items()
    if not name.startswith("_") or name == "__call__"
}


def docstring(member):
    return inspect.getdoc(getattr(member, "fget", None) or getattr(member, "func", member)) or ""


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    module = importlib.import_module(name)
    failed, _ = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    assert not failed


@pytest.mark.parametrize("name", [*FUNCTIONS, *MEMBERS])
def test_public_names_have_an_example(name):
    text = docstring({**FUNCTIONS, **MEMBERS}[name])
    assert "Example:\n    >>> import" in text, name


@pytest.mark.parametrize("name", [*FUNCTIONS, *MEMBERS])
def test_arguments_results_and_errors_are_described(name):
    member = {**FUNCTIONS, **MEMBERS}[name]
    if not inspect.isfunction(member):
        return
    text = docstring(member)
    parameters = [p for p in inspect.signature(member).parameters if p != "self"]
    assert "Returns:" in text
    assert "Raises:" in text
    for parameter in parameters:
        assert f"    {parameter}: " in text, f"{name} says nothing about {parameter}"


@pytest.mark.parametrize("name", ERRORS)
def test_errors_say_when_they_are_raised(name):
    assert len(docstring(getattr(symop, name))) > 40


@pytest.mark.parametrize("cls", [OpModule, Report, Artifact])
def test_what_is_returned_is_described(cls):
    for name, member in vars(cls).items():
        if not name.startswith("_") and (callable(member) or isinstance(member, property)):
            assert docstring(member), f"{cls.__name__}.{name}"
