"""What is public is documented, and the examples in docstrings run."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

import symop

REFERENCE = (Path(__file__).parent.parent / "docs/reference/python.md").read_text(encoding="utf-8")
MODULES = sorted(
    m.name for m in pkgutil.walk_packages(symop.__path__, "symop.") if "__main__" not in m.name
)
# What the reference shows: everything that is exported, and what exported functions return.
SHOWN = re.findall(r"auto\w+:: (\S+)", REFERENCE)


def resolved(path):
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def members(cls):
    """The public methods and properties of a class, as a user sees them."""
    return {
        f"{cls.__name__}.{name}": member
        for name, member in vars(cls).items()
        if (not name.startswith("_") or name == "__call__")
        and (inspect.isfunction(member) or hasattr(member, "__get__"))
        # torch asks for it, nobody calls it.
        and name != "extra_repr"
    }


PUBLIC = {path.removeprefix("symop."): resolved(path) for path in SHOWN}
CLASSES = [v for v in PUBLIC.values() if isinstance(v, type) and not issubclass(v, Exception)]
MEMBERS = {name: member for cls in CLASSES for name, member in members(cls).items()}


def docstring(member):
    return inspect.getdoc(getattr(member, "fget", None) or getattr(member, "func", member)) or ""


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    module = importlib.import_module(name)
    failed, _ = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    assert not failed


def test_the_reference_shows_what_is_exported():
    assert {f"symop.{name}" for name in symop.__all__} <= set(SHOWN)


@pytest.mark.parametrize("name", [*PUBLIC, *MEMBERS])
def test_public_names_have_an_example(name):
    text = docstring({**PUBLIC, **MEMBERS}[name])
    assert re.search(r"Example:\n    >>> (import|from) ", text), name


@pytest.mark.parametrize("name", [*PUBLIC, *MEMBERS])
def test_arguments_results_and_errors_are_described(name):
    member = {**PUBLIC, **MEMBERS}[name]
    if not inspect.isfunction(member):
        return
    text = docstring(member)
    parameters = [p for p in inspect.signature(member).parameters if p != "self"]
    assert "Returns:" in text
    assert "Raises:" in text
    for parameter in parameters:
        assert f"    {parameter}: " in text, f"{name} says nothing about {parameter}"


def test_a_name_without_an_example_is_seen():
    class Bare:
        def method(self):
            """One line."""

        @property
        def value(self):
            """Another."""

    assert list(members(Bare)) == ["Bare.method", "Bare.value"]
