"""Modules that carry kernels for the GPU, where there is none, and what Triton makes of them.

What the kernels compute is in `tests/interpreted/test_carried.py`.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import warnings

import pytest
import torch

import symop
from symop.rereading import reread
from tests.sampling import one_in

triton = pytest.importorskip("triton")

WITH_TRITON = ("torch", "triton")
ALL = ("torch", "cpu", "triton")
SWIGLU = "a*sigmoid(a)*b"
without_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")


def load(folder, formula, backends=WITH_TRITON):
    (path,) = symop.generate(formula, name="f", backends=backends, tests=False).write(folder)
    spec = importlib.util.spec_from_file_location("module_with_kernels", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@without_gpu
def test_without_a_gpu_operations_serve_and_one_message_says_so(tmp_path):
    f = load(tmp_path, SWIGLU).f
    a, b = torch.randn(2, 9, dtype=torch.float64).requires_grad_()
    with pytest.warns(RuntimeWarning, match="kernels for the GPU give way.*no GPU") as caught:
        result = f(a, b)
    assert len(caught) == 1
    torch.testing.assert_close(result, torch.nn.functional.silu(a) * b)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert torch.autograd.gradcheck(f, (a.detach().requires_grad_(), b.detach()))


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
def test_loops_in_c_serve_the_cpu_and_nothing_is_said(tmp_path):
    module = load(tmp_path, SWIGLU, ALL)
    a, b = torch.randn(2, 900)
    with torch.no_grad():
        assert module._fused_forward(a, b) is not None
        found = module.f(a, b)
    plain = load(tmp_path, SWIGLU, ("torch", "cpu"))
    assert torch.equal(found, plain.f(a, b))
    assert not module._faults
    assert not module._kernel_faults


@pytest.mark.parametrize("backends", [WITH_TRITON, ALL])
@pytest.mark.parametrize("precision", ["standard", "high"])
def test_a_module_is_read_again(tmp_path, backends, precision):
    made = symop.generate(SWIGLU, name="f", backends=backends, precision=precision, tests=False)
    (written,) = made.write(tmp_path)
    assert reread(written).is_current


@pytest.mark.parametrize(
    ("formula", "backends", "interpret"),
    [
        (SWIGLU, WITH_TRITON, "0"),
        pytest.param(SWIGLU, ALL, "1", marks=pytest.mark.slow),
        ("mean((w*x - y)**2)", WITH_TRITON, "1"),
    ],
)
def test_a_generated_test_passes(tmp_path, formula, backends, interpret):
    symop.generate(formula, name="f", backends=backends).write(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rs", "-W", "error", "-p", "no:cacheprovider",
         "--rootdir", str(tmp_path), "-c", os.devnull, str(tmp_path)],
        env={**os.environ, "TRITON_INTERPRET": interpret}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    skipped = re.findall(r"^SKIPPED .*: (.*)", done.stdout, re.MULTILINE)
    if interpret == "1":
        reasons = ["kernels run on the CPU"] * ("cpu" in backends)
        reasons += ["the interpreter of Triton lacks libdevice"] * (formula == SWIGLU)
        assert [why.partition(",")[0] for why in skipped] == reasons
    for command in (["check"], ["format", "--check"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--isolated", "--no-cache", str(tmp_path)]
        assert subprocess.run(ruff, check=False, capture_output=True).returncode == 0


def test_a_module_runs_where_triton_cannot_be_imported(tmp_path):
    """Its own test passes, by the operations; the module says so."""
    symop.generate(SWIGLU, name="f", backends=WITH_TRITON).write(tmp_path)
    # A module that stands before the real one and cannot be imported.
    (tmp_path / "triton.py").write_text("raise ModuleNotFoundError('no triton', name='triton')")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rs", "-W", "error", "-p", "no:cacheprovider",
         "--rootdir", str(tmp_path), "-c", os.devnull, str(tmp_path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    assert "Triton is not installed" in done.stdout


@pytest.mark.parametrize(
    ("formula", "why"),
    [
        ("softmax(x, -1)", "amax is no sum"),
        ("zeta(0.5, x)*y", "zeta has no form in Triton"),
        ("x/sqrt(mean(x**2, -1))", "more than one pass"),
    ],
)
def test_what_takes_more_than_a_kernel_is_refused(formula, why):
    with pytest.raises(symop.CallError, match=f"^f: no module of backend triton .*{why}"):
        symop.generate(formula, name="f", backends=WITH_TRITON)
    assert "_KERNELS" not in symop.generate(formula, name="f", backends=("auto",)).files["f.py"]


# What Triton makes of kernels

ELEMENTS = {torch.float32: "fp32", torch.bfloat16: "bf16", torch.float64: "fp64"}
# By name: the formula, what is one element, and how many operands of full size the value and the
# gradients read and write.
COMPILED = {
    "legendre": ("0.5*(5*x**3-3*x)", (), (1, 1), (2, 1)),
    "affine": ("w*x + 0.1*b", ("w", "b"), (1, 1), (2, 1)),
    "swiglu": (SWIGLU, (), (2, 1), (3, 2)),
    "mish": ("x*tanh(softplus(x))", (), (1, 1), (2, 1)),
    "chosen": (
        "where((x > y) and (not (y > w)), 0.1, 0.7)*x*y*w",
        ("y", "w"),
        (1, 1),
        (2, 1),
    ),
    "fit": ("mean((a + b*x + c*x**2 - y)**2)", ("a", "b", "c", "out"), (2, 0), (2, 2)),
}


@pytest.fixture(scope="module")
def modules(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kernels")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRITON_CACHE_DIR", str(folder / "cache"))
        yield {name: load(folder / name, formula) for name, (formula, *_) in COMPILED.items()}


def assembly(module, kernel, dtype, uniform, target):
    """The PTX, or the assembly of AMD, of a kernel for tensors of a dtype."""
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    function, size, _ = module._KERNELS[kernel]
    tl, is_double = triton.language, dtype == torch.float64
    constants = {"real": tl.float64 if is_double else tl.float32, "BLOCK": size // dtype.itemsize}
    kinds = {"n": "i32", "partials_ptr": "*fp64" if is_double else "*fp32", "arrived_ptr": "*i32"}
    for name in function.arg_names:
        operand, _, what = name.rpartition("_")
        is_one = operand.removeprefix("grad_") in uniform
        if what == "step":
            constants[name] = int(not is_one)
        elif what == "how":
            constants[name] = "sum" if is_one else "store"
        elif what == "ptr":
            kinds.setdefault(name, f"*{ELEMENTS[dtype]}")
    if "sum" not in constants.values():
        constants |= {"partials_ptr": None, "arrived_ptr": None}
    kinds |= dict.fromkeys(constants, "constexpr")
    signature = {name: kinds[name] for name in function.arg_names}
    constants = {name: value for name, value in constants.items() if name in signature}
    aligned = {
        (k,): [["tt.divisibility", 16]]
        for k, kind in enumerate(signature.values())
        if kind.startswith("*")
    }
    source = ASTSource(function, signature, constants, aligned)
    made = triton.compile(source, target=GPUTarget(*target), options={"enable_fp_fusion": False})
    return made.asm["ptx" if target[0] == "cuda" else "amdgcn"]


def wide(ptx, kind):
    """The bytes that 128 threads move by accesses of 16 bytes."""
    found = re.findall(rf"\b{kind}\.global\S*\.v(\d)\.b(\d+)", ptx)
    return sum(128 * 16 for count, bits in found if int(count) * int(bits) == 128)


@pytest.mark.parametrize("dtype", ELEMENTS)
@pytest.mark.parametrize("name", one_in(2, COMPILED))
def test_full_blocks_are_read_and_written_by_16_bytes(name, dtype, modules):
    _, uniform, *moved = COMPILED[name]
    for kernel, (reads, writes) in zip(("FORWARD", "GRADIENT"), moved, strict=True):
        ptx = assembly(modules[name], kernel, dtype, uniform, ("cuda", 90, 32))
        size = modules[name]._KERNELS[kernel][1]
        assert (wide(ptx, "ld"), wide(ptx, "st")) == (reads * size, writes * size)
        assert dtype == torch.float64 or ".f64" not in ptx


@pytest.mark.parametrize("target", [("cuda", 80, 32), ("cuda", 100, 32), ("hip", "gfx942", 64)])
def test_kernels_compile_for_other_gpus(target, modules):
    for name, (_, uniform, *_) in COMPILED.items():
        for kernel in ("FORWARD", "GRADIENT"):
            assert assembly(modules[name], kernel, torch.float32, uniform, target)
