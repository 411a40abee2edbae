"""The loops of kernels become vector instructions, for every formula whose functions can."""

from __future__ import annotations

import os
import re
import subprocess
from collections import Counter
from dataclasses import replace
from functools import cache

import pytest

from symop.backends.c_kernel import Variant
from symop.backends.cpu import kernel_source, routine
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
VERSION = subprocess.run([*compiler(), "--version"], capture_output=True, text=True).stdout

pytestmark = pytest.mark.skipif("Free Software" not in VERSION, reason="reads what gcc reports")


@cache
def programs(text: str) -> tuple[Program, ...]:
    plan = formula(text, backend="cpu").plan
    gradient = without_dead_nodes(plan.gradient)
    read = {n.value for n in gradient.nodes if n.op in ("argument", "mask")}
    arguments = tuple(a for a in gradient.arguments if a.name in read)
    return plan.program, replace(gradient, arguments=arguments)


def kernels(program: Program, dtype: str, uniform: str = "") -> list[str]:
    """The C texts of the loops whose functions are all vectorised.

    uniform: the arguments of one element; their gradients are sums.
    """
    made = routine(program)
    texts = []
    for loop in made.loops if made else ():
        called = [FUNCTIONS[n.op] for n in loop.nodes if n.op in FUNCTIONS]
        if all(function.is_vectorised for function in called):
            wanted = tuple(range(len(loop.results)))
            ones = tuple(a.name in uniform for a in loop.inputs)
            sums = tuple(r.slot.removeprefix("grad_") in uniform for r in loop.results)
            texts.append(kernel_source("f", made, loop, Variant(dtype, ones, sums, wanted)))
    return texts


def plain_loops(text: str, folder) -> list[str]:
    """The loops of a kernel that are marked for vectors and became none, by their first line."""
    path = folder / "kernel.c"
    path.write_text(text)
    kept = [flag for flag in flags() if flag != "-shared"]
    command = [*compiler(), *kept, "-fopt-info-vec-optimized", "-S", str(path), "-o", os.devnull]
    report = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    lines = text.splitlines()
    marked = [k + 2 for k, line in enumerate(lines) if "#pragma omp simd" in line]
    assert marked
    # The report names a line of the loop, from its mark on; the rest of a loop is one more loop,
    # with shorter vectors.
    found: Counter[tuple[int, int]] = Counter()
    for m in re.finditer(r"kernel\.c:(\d+):\d+: optimized: loop vectorized using (\d+)", report):
        found[max(start for start in marked if start - 1 <= int(m[1])), int(m[2])] += 1
    sums = next((k for k, line in enumerate(lines) if "add_up(" in line), len(lines))
    plain = []
    for start in marked:
        copies = max((n for (at, _), n in found.items() if at == start), default=0)
        # Sums are compiled twice, for whole blocks and for those that are not.
        if copies < (2 if start > sums else 1):
            plain.append(lines[start - 1])
    return plain


@pytest.mark.parametrize("text", SOME)
def test_loops_become_vector_instructions(text, tmp_path):
    for program in programs(text):
        for kernel in kernels(program, "float32"):
            assert not plain_loops(kernel, tmp_path), kernel


@pytest.mark.parametrize(
    ("text", "uniform"),
    [
        ("d**2*(sqrt(1 + (x/d)**2) - 1)", "d"),  # the sign of d: a choice that all elements share
        ("4*e*((s/r)**12 - (s/r)**6)", "es"),
        ("where(d > 0, log(d)*x, abs(d)*x**2)", "d"),
    ],
)
def test_choices_that_all_elements_share_leave_vector_instructions(text, uniform, tmp_path):
    for program in programs(text):
        for kernel in kernels(program, "float32", uniform):
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
