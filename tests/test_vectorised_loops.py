"""The loops of kernels become vector instructions, for every formula whose functions can."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import replace
from functools import cache

import pytest

from symop.backends.cpu import Variant, kernel_source, routine
from symop.backends.vector_math import FUNCTIONS
from symop.building import compiler, flags
from symop.compiler import formula
from symop.program import Program, without_dead_nodes
from tests.accuracy import cases, published

FORMULAS = list(dict.fromkeys(case.formula for case in (*cases(), *published())))
# Where selections meet: guards of removable singularities, several of them nested.
SOME = [
    "x**3/(exp(x)-1)", "x/(exp(x)-1)", "log(1-erf(x))", "log(cosh(x))", "x/(1+exp(-x))",
    "sqrt(x**2+y**2)", "log(1 + exp(x)) - x*y", "(x - sin(x))/(x - tan(x))",
]  # fmt: skip
VERSION = subprocess.run([compiler(), "--version"], capture_output=True, text=True).stdout

pytestmark = pytest.mark.skipif("Free Software" not in VERSION, reason="reads what gcc reports")


@cache
def programs(text: str) -> tuple[Program, ...]:
    plan = formula(text, backend="cpu").plan
    gradient = without_dead_nodes(plan.gradient)
    read = {n.value for n in gradient.nodes if n.op in ("argument", "mask")}
    arguments = tuple(a for a in gradient.arguments if a.name in read)
    return plan.program, replace(gradient, arguments=arguments)


def kernels(program: Program, dtype: str) -> list[str]:
    """The C texts of the loops whose functions are all vectorised."""
    made = routine(program)
    texts = []
    for loop in made.loops if made else ():
        called = [FUNCTIONS[n.op] for n in loop.nodes if n.op in FUNCTIONS]
        if all(function.is_vectorised for function in called):
            wanted = tuple(range(len(loop.results)))
            nothing = (False,) * len(loop.inputs), (False,) * len(loop.results)
            texts.append(kernel_source("f", made, loop, Variant(dtype, *nothing, wanted)))
    return texts


def plain_loops(text: str, folder) -> list[str]:
    """The loops of a kernel that are marked for vectors and became none, by their first line."""
    path = folder / "kernel.c"
    path.write_text(text)
    kept = [flag for flag in flags() if flag != "-shared"]
    command = [compiler(), *kept, "-fopt-info-vec-optimized", "-S", str(path), "-o", os.devnull]
    report = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    lines = text.splitlines()
    marked = [k + 2 for k, line in enumerate(lines) if "#pragma omp simd" in line]
    assert marked
    # The report names a line of the loop, from its mark on.
    found = {
        max(start for start in marked if start - 1 <= int(m[1]))
        for m in re.finditer(r"kernel\.c:(\d+):\d+: optimized: loop vectorized", report)
    }
    return [lines[start - 1] for start in marked if start not in found]


@pytest.mark.parametrize("text", SOME)
def test_loops_become_vector_instructions(text, tmp_path):
    for program in programs(text):
        for kernel in kernels(program, "float32"):
            assert not plain_loops(kernel, tmp_path), kernel


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
@pytest.mark.parametrize("text", FORMULAS)
def test_every_loop_becomes_vector_instructions(text, dtype, tmp_path):
    for program in programs(text):
        for kernel in kernels(program, dtype):
            assert not plain_loops(kernel, tmp_path), kernel


def test_a_loop_that_stays_plain_is_told(tmp_path):
    text = kernels(programs("exp(x)-1")[0], "float32")[0]
    call = text.rindex("symop_expm1f(")
    assert plain_loops(text[:call] + text[call:].replace("symop_expm1f", "lgammaf"), tmp_path)


def test_formulas_have_loops():
    counts = [len(kernels(program, "float32")) for text in SOME for program in programs(text)]
    assert all(counts)
