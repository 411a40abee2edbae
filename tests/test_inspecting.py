"""Kernels compiled for GPUs that are not there: what they move, hold and compute."""

from __future__ import annotations

import json

import pytest
import torch

import symop
from symop.backends.triton_math import options
from symop.errors import InspectionError
from symop.gpu_code import compiled
from symop.gpu_kernels import KernelText, parsed_target
from symop.inspecting import inspected, report
from symop.inspection import as_json, table

pytest.importorskip("triton")

TARGETS = ("cuda:80", "cuda:90", "cuda:100", "hip:gfx942")
ROWS = {"x": (1000, 1000), "w": (1000,), "b": (1000,)}


def scalars(names: str) -> dict[str, tuple[int, ...]]:
    return dict.fromkeys(names, ())


# The formulas of issue 6: text, shapes, and the arguments with gradients.
FORMULAS = {
    "E1": ("0.5*(5*x**3-3*x)", {}, None),
    "E2": ("w*x + b", {}, None),
    "E2 0-d": ("w*x + b", scalars("wb"), None),
    "E2 row": ("w*x + b", ROWS, None),
    "E3": ("a + b*legendre(3, c + d*x)", scalars("abcd"), "abcd"),
    "E4": ("0.5*x*(1 + erf(x/sqrt(2)))", {}, None),
    "E5": ("x*tanh(log(1 + exp(x)))", {}, None),
    "E6": ("a*sigmoid(a)*b", {}, None),
    "E7": ("sum((a + b*x + c*x**2 + d*x**3 - y)**2)", scalars("abcd"), "abcd"),
}
# What each program reads again of what broadcasts, at most, in bytes per element and operand.
AGAIN = 1
QUICK = {("E1", "cuda:90"), ("E7", "cuda:90"), ("E2 row", "cuda:90"), ("E1", "hip:gfx942")}
CASES = [
    pytest.param(
        name, target, id=f"{name}-{target}",
        marks=[] if (name, target) in QUICK else [pytest.mark.slow],
    )
    for target in TARGETS
    for name in FORMULAS
]  # fmt: skip


@pytest.mark.parametrize(("name", "target"), CASES)
def test_kernels_move_the_least_and_compute_in_registers(name, target):
    text, shapes, wanted = FORMULAS[name]
    found = inspected(symop.compile(text), target, shapes=shapes, wanted=wanted)
    # One launch forward and one backward, or one for both.
    assert [row.pass_ for row in found.rows] in (["forward", "backward"], ["value and gradients"])
    for row in found.rows:
        code = row.code
        assert (code.loaded, code.stored) == (row.least_loaded, row.least_stored), row.pass_
        assert code.again <= AGAIN * len([s for s in shapes.values() if len(s) == 1]), row.pass_
        assert code.accesses
        assert code.narrowest == 16, (row.pass_, code.accesses)
        # What assembly says is what the machine does.
        counts = {(what, width): count for what, width, count in code.widths}
        for access in code.accesses:
            assert counts.get((access.what, access.width)), (row.pass_, access, code.widths)
        assert (code.spills, code.stack, code.float64) == (0, 0, 0), row.pass_
        # What is reduced has the one that counts the programs.
        assert code.atomics == any(row.name.count(f"grad_{n}") for n in shapes if n in "abcdw")


def test_sums_over_different_dims_are_finished_in_registers():
    shapes = {"a": (), "x": (4096, 1024), "b": (1024,)}
    found = inspected(symop.compile("a*x + b"), "cuda:90", shapes=shapes)
    backward = found.rows[1].code
    assert (backward.loaded, backward.stored, backward.narrowest) == (8, 4, 16)
    assert (backward.atomics, backward.spills, backward.stack) == (2, 0, 0)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
@pytest.mark.parametrize("name", ["E1", "E6", "E7"])
def test_kernels_of_other_dtypes_move_the_least(name, dtype):
    text, shapes, wanted = FORMULAS[name]
    found = inspected(symop.compile(text), "cuda:90", shapes=shapes, wanted=wanted, dtype=dtype)
    for row in found.rows:
        assert row.code.loaded == row.least_loaded
        assert row.code.stored == row.least_stored
        assert row.least_loaded % dtype.itemsize == 0
        assert row.code.narrowest == 16
        assert row.code.spills == 0
        assert (row.code.float64 > 0) == (dtype == torch.float64)


def test_masks_are_bytes():
    found = inspected(symop.compile("where(m and (x < y), x, y)"), "cuda:90", wanted=["x"])
    assert [row.least_loaded for row in found.rows] == [9, 13]
    assert [row.code.loaded for row in found.rows] == [9, 13]


def test_numbers_are_no_blocks():
    found = inspected(symop.compile("1/(1 + exp(-a))"), "cuda:90", shapes={"a": ()}, wanted=[])
    (row,) = found.rows
    assert row.least_loaded == row.code.loaded == 0


def test_gradients_that_read_no_number_take_no_kernel():
    found = inspected(symop.compile("ceil(x)"), "cuda:90")
    assert [row.pass_ for row in found.rows] == ["forward"]


@pytest.mark.parametrize("formula", ["digamma(x)", pytest.param("i1(x)", marks=pytest.mark.slow)])
def test_functions_of_our_own_stay_in_registers_and_float32(formula):
    found = inspected(symop.compile(formula), "cuda:80")
    for row in found.rows:
        # The slope of digamma has a sine and a cosine, for which libdevice has a table.
        is_sine = (formula, row.pass_) == ("digamma(x)", "backward")
        assert (row.code.spills, row.code.stack) == (0, 32 if is_sine else 0)
        assert row.code.float64 == (24 if is_sine else 0)


HEAD = """
import triton
import triton.language as tl
from triton.language.extra import libdevice

"""
BY_HAND = (
    HEAD
    + """
@triton.jit
def product(a_ptr, x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    start = tl.program_id(0) * BLOCK
    offset = start + tl.arange(0, BLOCK)
    a = tl.load(a_ptr)
    if start + BLOCK <= n:
        x = tl.load(x_ptr + offset)
        tl.store(y_ptr + offset, a * x)
    else:
        x = tl.load(x_ptr + offset, mask=offset < n, other=0)
        tl.store(y_ptr + offset, a * x, mask=offset < n)
"""
)
SUM = (
    HEAD
    + """
@triton.jit
def total(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    sums = tl.zeros([BLOCK], tl.float32)
    for start in range(tl.program_id(0) * BLOCK, n, tl.num_programs(0) * BLOCK):
        offset = start + tl.arange(0, BLOCK)
        sums += tl.load(x_ptr + offset, mask=offset < n, other=0)
    tl.store(y_ptr + tl.program_id(0), tl.sum(sums, 0))
"""
)


def by_hand(source: str = BY_HAND, aligned: tuple[str, ...] = ("a_ptr", "x_ptr", "y_ptr")):
    signature = (
        ("a_ptr", "*fp32"), ("x_ptr", "*fp32"), ("y_ptr", "*fp32"), ("n", "i32"),
        ("BLOCK", "constexpr"),
    )  # fmt: skip
    return KernelText(
        source, "product", signature, (("BLOCK", 1024),), aligned, 1024,
        whole=("x_ptr", "y_ptr"), options=tuple(options("cuda").items()),
    )  # fmt: skip


def test_the_code_of_a_kernel_by_hand_is_read():
    code = compiled(by_hand(), parsed_target("cuda:90"))
    assert (code.loaded, code.stored, code.again, code.once) == (4, 4, 0, 4)
    assert [(a.what, a.width, a.pointer) for a in code.accesses] == [
        ("load", 16, "x_ptr"), ("load", 16, "x_ptr"), ("store", 16, "y_ptr"),
        ("store", 16, "y_ptr"),
    ]  # fmt: skip
    assert {(what, width): n for what, width, n in code.widths} == {
        ("load", 4): 1, ("load", 16): 2, ("store", 16): 2,
    }  # fmt: skip
    assert 1 < code.instructions < 8
    assert 0 < code.registers <= 32


def test_faults_of_a_kernel_show():
    target = parsed_target("cuda:90")
    unaligned = compiled(by_hand(aligned=("a_ptr", "y_ptr")), target)
    assert unaligned.narrowest == 4
    full = BY_HAND.partition("    else:")[0]
    masked = full.replace("    if start + BLOCK <= n:\n    ", "").replace("        tl.", "    tl.")
    masked = masked.replace("+ offset)", "+ offset, mask=offset < n)")
    masked = masked.replace("a * x)", "a * x, mask=offset < n)")
    assert compiled(by_hand(masked), target).narrowest == 4
    twice = BY_HAND.replace("a * x)", "a * x + tl.load(y_ptr + offset))", 1)
    assert compiled(by_hand(twice), target).loaded == 8
    wide = BY_HAND.replace("a * x)", "(a * x.to(tl.float64) + 0.1).to(tl.float32))", 1)
    assert compiled(by_hand(wide), target).float64 > 0
    table_of_sines = BY_HAND.replace("a * x)", "a * libdevice.sin(x))", 1)
    read = compiled(by_hand(table_of_sines), target)
    assert (read.loaded, read.narrowest) == (4, 16)
    assert read.instructions > 50


def test_a_loop_counts_by_the_block():
    signature = (("x_ptr", "*fp32"), ("y_ptr", "*fp32"), ("n", "i32"), ("BLOCK", "constexpr"))
    kernel = KernelText(
        SUM, "total", signature, (("BLOCK", 1024),), ("x_ptr", "y_ptr", "n"), 1024,
        whole=("x_ptr",),
    )  # fmt: skip
    code = compiled(kernel, parsed_target("cuda:90"))
    assert (code.loaded, code.stored, code.once, code.narrowest) == (4, 0, 4, 16)
    assert code.shared > 0


@pytest.mark.parametrize("text", ["", "cuda", "cuda:9", "gfx942", "hip:90", "cuda:90a", "rocm:1"])
def test_targets_that_are_none_are_refused(text):
    with pytest.raises(InspectionError, match=r"cuda:80, cuda:90"):
        parsed_target(text)


def test_what_cannot_be_inspected_is_refused():
    op = symop.compile("x*zeta(2.5, x)")
    with pytest.raises(InspectionError, match="function zeta has no form in Triton"):
        inspected(op, "cuda:90")
    op = symop.compile("w*x")
    with pytest.raises(InspectionError, match="no argument y; there are w, x"):
        inspected(op, "cuda:90", shapes={"y": (3,)})
    with pytest.raises(InspectionError, match="no argument with a gradient y"):
        inspected(op, "cuda:90", wanted=["y"])
    with pytest.raises(InspectionError, match=r"not in torch\.int32"):
        inspected(op, "cuda:90", dtype=torch.int32)
    with pytest.raises(InspectionError, match="NAME=4096x1024"):
        report(op, "cuda:90", shapes=["x:3"])
    with pytest.raises(InspectionError, match="no dtype 'floating'"):
        report(op, "cuda:90", dtype="floating")
    broken = by_hand(BY_HAND.replace("a * x)", "a * missing)", 1))
    with pytest.raises(InspectionError, match="product does not compile for cuda:90"):
        compiled(broken, parsed_target("cuda:90"))


def test_shapes_that_do_not_broadcast_are_refused():
    with pytest.raises(InspectionError, match=r"w \(3,\), x \(4,\); give each argument a shape"):
        report(symop.compile("w*x", args=["w", "x"]), "cuda:90", shapes=["w=3", "x=4"])


@pytest.mark.parametrize("formula", ["x*exp(x)", "sum(x)"])
def test_a_table_without_kernels_says_why(formula):
    op = symop.compile(formula)
    assert "no element to compute" in report(op, "cuda:90", shapes=["x=3x0"])
    assert json.loads(report(op, "cuda:90", shapes=["x=0"], is_json=True))["kernels"] == []


def test_the_report_is_a_table_with_the_code_or_for_machines():
    op = symop.compile("w*x", name="scaled")
    found = inspected(op, "cuda:90", wanted=["x"], shapes={"w": ()})
    lines = table(found).splitlines()
    assert lines[0].startswith("scaled on cuda:90, float32")
    assert len(lines) == 2 + len(found.rows) == 4
    read = json.loads(as_json(found))
    assert [kernel["pass"] for kernel in read["kernels"]] == ["forward", "backward"]
    assert read["kernels"][0]["loaded"] == 4
    code = report(op, "cuda:90", wanted="x", shapes=["w="], is_asm=True)
    assert code.startswith(table(found))
    assert "LDG.E.128" in code
    assert "@triton.jit" in code
    assert json.loads(report(op, "cuda:90", wanted="x", shapes=["w="], is_json=True)) == read
