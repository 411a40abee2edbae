"""Generated tests pass for what symop writes, and fail for every fault planted in it."""

from __future__ import annotations

import ast
import copy
import itertools
import sys
import warnings
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
import torch

import symop

FORMULAS = {
    "legendre_p3": "0.5*(5*x**3-3*x)",
    "multiply_add": "w*x + b",
    "sigmoid_tail": "y*sigmoid(-x)",
    "tiny": "1e-7*x**2",
    "exp_sum": "exp(a + b)",
    "squared_loss": "mean((prediction - target)**2)",
    "rows": "softmax(x, -1)",
    "branches": "where(x > 1.5, x**2, 3*x - 1)",
    "root": "x**2.5",
    "row_sums": "sum(x, -1)*k",
    # Of ten points two are tame; at the others of the second float32 overflows.
    "steep": "x**36 + sin(36*x)",
    "steeper": "x**100 + sin(100*x)",
    "pair": "y = x*exp(z)\nw = x + 2*z",
}
QUICK = ("legendre_p3", "multiply_add", "sigmoid_tail", "tiny", "branches", "row_sums")

FACTOR = 1.0001


def run(module_text: str, test_text: str, name: str) -> str | None:
    """The name of the first test that fails for a module, None when all pass."""
    module, test = ModuleType(name), ModuleType(f"test_{name}")
    before = sys.modules.get(name)
    sys.modules[name] = module
    try:
        exec(compile(module_text, f"<{name}>", "exec"), module.__dict__)
        exec(compile(test_text, f"<test_{name}>", "exec"), test.__dict__)
        for label, call in _calls(test):
            try:
                call()
            except (Exception, pytest.fail.Exception):
                return label
    finally:
        del sys.modules[name]
        if before is not None:
            sys.modules[name] = before
    return None


def _calls(test: ModuleType) -> Iterator[tuple[str, Any]]:
    """The tests of a module, one for each set of parameters."""
    for label, function in vars(test).items():
        if not label.startswith("test_"):
            continue
        marks = [m for m in getattr(function, "pytestmark", ()) if m.name == "parametrize"]
        if not marks:
            yield label, function
            continue
        names, values = marks[0].args
        for value in values:
            named = (
                {names: value} if isinstance(names, str) else dict(zip(names, value, strict=True))
            )
            yield label, lambda f=function, n=named: f(**n)


class Plant(ast.NodeTransformer):
    """Plants one fault, at the place of that number; `planted` says what it was."""

    def __init__(self, place: int) -> None:
        self.place = place
        self.count = -1
        self.planted: str | None = None
        self.in_class = False
        self.zeros: set[str] = set()
        self.even: list[ast.expr] = []

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        # What is added to zeros first is the sum: to drop the zeros changes nothing.
        match node:
            case ast.Assign(
                targets=[ast.Name(target)], value=ast.Call(func=ast.Attribute(attr="zeros_like"))
            ):
                self.zeros.add(target)
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        # The sign of what an even function is of makes no difference.
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("cos", "cosh", "abs"):
            self.even += node.args
        # max(numel, 1) keeps an empty tensor from dividing by zero.
        if isinstance(node.func, ast.Name) and node.func.id == "max":
            node.args[:-1] = [self.visit(argument) for argument in node.args[:-1]]
            return node
        return self.generic_visit(node)

    def visit_Tuple(self, node: ast.Tuple) -> ast.AST:
        # The dims and axes of a shape are numbers, but no coefficients.
        if all(isinstance(e, ast.Constant | ast.UnaryOp) for e in node.elts):
            return node
        return self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        self.in_class = True
        self.generic_visit(node)
        self.in_class = False
        return node

    def _alternatives(self, node: ast.expr) -> list[ast.expr]:
        def scaled(value: ast.expr) -> ast.expr:
            return ast.BinOp(value, ast.Mult(), ast.Constant(FACTOR))

        match node:
            case ast.Constant(value=bool()):
                return []
            case ast.Constant(value=int() | float()) if node.value:
                return [ast.Constant(node.value * FACTOR)]
            case ast.BinOp(op=ast.Add() | ast.Sub(), left=left, right=right):
                other = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
                alone = right if isinstance(node.op, ast.Add) else ast.UnaryOp(ast.USub(), right)
                if isinstance(left, ast.Name) and left.id in self.zeros:
                    self.zeros.discard(left.id)
                    return [ast.BinOp(left, other, right), left]
                return [ast.BinOp(left, other, right), left, alone]
            case ast.BinOp(op=ast.Mult() | ast.Div()):
                opposite = [] if node in self.even else [ast.UnaryOp(ast.USub(), node)]
                return [scaled(node), *opposite]
            case ast.UnaryOp(op=ast.USub(), operand=operand) if not isinstance(
                operand, ast.Constant
            ):
                return [operand]
        return []

    def generic_visit(self, node: ast.AST) -> ast.AST:
        if self.in_class and isinstance(node, ast.expr) and not _is_annotation(node):
            for alternative in self._alternatives(node):
                self.count += 1
                if self.count == self.place:
                    self.planted = (
                        f"line {node.lineno}: {ast.unparse(node)} -> {ast.unparse(alternative)}"
                    )
                    return alternative
        return super().generic_visit(node)


def _is_annotation(node: ast.expr) -> bool:
    """Tensor | None is no arithmetic."""
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr)


def mutants(text: str) -> Iterator[tuple[str, str]]:
    """What was planted, and the text with it, for every place."""
    tree = ast.parse(text)
    for place in itertools.count():
        plant = Plant(place)
        changed = ast.fix_missing_locations(plant.visit(copy.deepcopy(tree)))
        if plant.planted is None:
            return
        yield plant.planted, ast.unparse(changed)


def survivors(name: str, formula: str) -> list[str]:
    module, test = symop.generate(formula, name=name).files.values()
    assert run(module, test, name) is None, "without a fault the test passes"
    return [planted for planted, text in mutants(module) if run(text, test, name) is None]


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """What torch deprecates in its own forward mode is ignored, as generated tests do."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".torch.jit", DeprecationWarning)
        yield


@pytest.mark.parametrize("name", FORMULAS)
def test_generated_test_passes(name: str) -> None:
    module, test = symop.generate(FORMULAS[name], name=name).files.values()
    assert run(module, test, name) is None


@pytest.mark.parametrize("name", FORMULAS)
def test_generated_test_passes_in_another_default_dtype(name: str) -> None:
    module, test = symop.generate(FORMULAS[name], name=name).files.values()
    torch.set_default_dtype(torch.float64)
    try:
        assert run(module, test, name) is None
    finally:
        torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("name", QUICK)
def test_every_planted_fault_is_found(name: str) -> None:
    assert survivors(name, FORMULAS[name]) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMULAS)
def test_every_planted_fault_is_found_in_all(name: str) -> None:
    assert survivors(name, FORMULAS[name]) == []
