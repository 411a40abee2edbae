"""Modules that carry loops in C: what they compute, how they build it, and what they leave."""

from __future__ import annotations

import importlib.util
import itertools
import os
import shutil
import stat
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
import torch
from torch.autograd import forward_ad
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.checkpoint import checkpoint

import symop
from symop.functions import table
from symop.rereading import reread
from tests.goldens import path
from tests.sampling import one_in
from tests.test_generated_tests import run as run_test
from tests.test_kernels import assert_same_bits
from tests.transforms import OPS, carrying, outcome

CARRIED = {
    "legendre": "0.5*(5*x**3-3*x)",
    "affine": "w*x + b",
    "swiglu": "x*sigmoid(x)*b",
    "fit": "sum((a + b*x + c*x**2 - y)**2)",
    "mse": "mean((x - y)**2)",
    "branches": "where(x > y, x*y, exp(y) - x)",
    "partly": "where(m, x*w, 0) + w",
    "two": "p = sin(w)*x; q = x + w**2",
    "saved": "exp(x + y)",
    "names": "out0*x + x_in*step - count*R + for_",
}
SUMS = {"fit", "mse"}
DTYPES = [torch.float32, torch.float64, torch.bfloat16, torch.float16]
needs_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
pytestmark = needs_compiler


def loaded(text, name="carried_module"):
    spec = importlib.util.spec_from_loader(name, loader=None)
    module = importlib.util.module_from_spec(spec)
    exec(compile(text, f"<{name}>", "exec"), module.__dict__)
    return module


@cache
def module_of(name, backends=("torch", "cpu")):
    files = symop.generate(CARRIED[name], name="f", backends=backends, tests=False)
    return loaded(files.files["f.py"])


@cache
def arguments_of(name):
    return symop.compile(CARRIED[name], name="f").program.arguments


def drawn(name, dtype, shape=(37, 29), uniform=(), seed=0):
    """Arguments of one shape, those named `uniform` of one element."""
    generator = torch.Generator().manual_seed(seed)
    values = []
    for argument in arguments_of(name):
        size = () if argument.name in uniform else shape
        value = torch.randn(size, generator=generator, dtype=torch.float64).to(dtype)
        values.append(value > 0 if argument.is_mask else value.requires_grad_())
    return values


def results(function, values, seed=7):
    """Outputs and gradients."""
    outputs = function(*values)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    generator = torch.Generator().manual_seed(seed)
    real = [v for v in values if v.requires_grad]
    seeds = [torch.randn(o.shape, generator=generator, dtype=torch.float64).to(o.dtype)
             for o in outputs]  # fmt: skip
    return [*outputs, *torch.autograd.grad(outputs, real, seeds)]


class Calls:
    """Counts what the loops of a module return."""

    def __init__(self, module, monkeypatch):
        self.found = []
        run = module._fused

        def counted(*values):
            result = run(*values)
            self.found.append((values[0], result is not None))
            return result

        monkeypatch.setattr(module, "_fused", counted)


def uniforms(name):
    """Which arguments have one element: none, each alone, all but one, all."""
    names = [a.name for a in arguments_of(name)]
    yield ()
    yield from ((n,) for n in names[:3])
    yield from (tuple(m for m in names if m != n) for n in names[:3])
    yield tuple(names)


@pytest.mark.parametrize("name", CARRIED)
def test_loops_compute_what_operations_do(name, monkeypatch):
    loops, plain = module_of(name), module_of(name, ("torch",))
    calls = Calls(loops, monkeypatch)
    for uniform in uniforms(name):
        for shape in ((1,), (7,), (64,), (5, 7, 3), (8192,), (3, 4096), (40000,)):
            values = drawn(name, torch.float64, shape, uniform)
            found, expected = results(loops.f, values), results(plain.f, values)
            for a, b in zip(found, expected, strict=True):
                assert a.shape == b.shape
                # Sums of at most 40,000 terms of about the same size, in two orders.
                scale = float(b.detach().abs().max())
                torch.testing.assert_close(a, b, rtol=1e-13, atol=2e-13 * scale)
    assert calls.found
    assert all(served for _, served in calls.found)
    assert {kernel for kernel, _ in calls.found} == {"FORWARD", "GRADIENT"}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", CARRIED)
def test_loops_in_every_dtype(name, dtype):
    values = drawn(name, dtype, (70, 130))
    found = results(module_of(name).f, values)
    exact = [v if v.dtype == torch.bool else v.detach().double().requires_grad_() for v in values]
    expected = results(module_of(name, ("torch",)).f, exact)
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == dtype
        scale = float(b.detach().abs().max())
        eps = torch.finfo(dtype).eps
        # The arithmetic, the rounding of the result, and that of an output that a gradient reads.
        torch.testing.assert_close(a.double(), b, rtol=4 * eps, atol=4 * eps * scale)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", sorted(set(CARRIED) - SUMS))
def test_bits_do_not_depend_on_position_or_size(name, dtype):
    f = module_of(name).f
    values = [v.detach() for v in drawn(name, dtype, (1100,))]

    def tuples(outputs):
        return outputs if isinstance(outputs, tuple) else (outputs,)

    whole = tuples(f(*values))
    for start, size in itertools.product((0, 1, 5, 63, 64, 700), (1, 7, 64, 65, 300)):
        part = tuples(f(*(v[start : start + size] for v in values)))
        for a, b in zip(part, whole, strict=True):
            assert_same_bits(a, b[start : start + size])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", ["legendre", "affine", "swiglu", "branches", "saved"])
def test_bits_are_those_of_kernels_in_process(name, dtype):
    op = symop.compile(CARRIED[name], backend="cpu")
    values = [v.detach() for v in drawn(name, dtype, (1000,))]
    assert_same_bits(module_of(name).f(*values), op(*values))


@pytest.mark.parametrize("name", ["fit", "affine", "mse"])
def test_bits_do_not_depend_on_threads(name):
    uniform = {"fit": ("a", "b", "c"), "affine": ("w", "b"), "mse": ()}[name]
    values = drawn(name, torch.float32, (300001,), uniform)
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3, 5):
            torch.set_num_threads(threads)
            found.append(results(module_of(name).f, values))
    finally:
        torch.set_num_threads(before)
    for others in found[1:]:
        for a, b in zip(found[0], others, strict=True):
            assert_same_bits(a, b)


@pytest.mark.parametrize("size", [0.1, 0.3, 0.7])
def test_a_long_sum_of_float32_keeps_its_digits(size):
    # Equal terms are rounded in one direction. Each partial sum holds at most 129 of them a lane;
    # these are added in doubles.
    x = torch.full((1_000_001,), size)
    found = module_of("mse").f(x, torch.zeros_like(x)).double()
    exact = (x.double() ** 2).mean()
    assert abs(found - exact) <= 130 * 2**-24 * exact


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_large_arguments_of_the_sine(dtype):
    x = torch.linspace(-3, 3, 1000, dtype=dtype)
    x[17], x[400], x[999] = 1e20, -3e9, 1e30
    named = {"x": torch.ones((), dtype=dtype), "w": x}
    found, _ = module_of("two").f(*(named[a.name] for a in arguments_of("two")))
    torch.testing.assert_close(found, torch.sin(x))


def test_points_that_are_no_ordinary_numbers():
    points = [0.0, -0.0, float("inf"), -float("inf"), float("nan"), 5e-324, 1e-310, 1e308, -1e308]
    for name in ("legendre", "swiglu", "branches", "saved"):
        count = len(arguments_of(name))
        for dtype in (torch.float64, torch.float32):
            x = torch.tensor(points).to(dtype)
            values = [x, *[x.flip(0)] * (count - 1)]
            found = module_of(name).f(*values)
            expected = module_of(name, ("torch",)).f(*values)
            torch.testing.assert_close(found, expected, equal_nan=True)


@pytest.mark.parametrize("name", ["affine", "swiglu", "partly", "fit"])
def test_one_gradient_alone(name):
    loops, plain = module_of(name), module_of(name, ("torch",))
    for k, argument in enumerate(arguments_of(name)):
        if argument.is_mask:
            continue
        values = [v.detach() for v in drawn(name, torch.float64)]
        values[k].requires_grad_()
        for a, b in zip(results(loops.f, values), results(plain.f, values), strict=True):
            torch.testing.assert_close(a, b)


def layouts(values):
    """The same numbers as no loop reads them."""
    yield [v.t().contiguous().t() for v in values]
    yield [torch.stack((v, v), -1)[..., 0] for v in values]
    yield [values[0], *(v[:1] for v in values[1:])]
    yield [values[0][:1].expand(4, 1, *values[0].shape[1:]), *values[1:]]
    yield [v[:0] for v in values]


def test_other_layouts_are_left_to_operations(monkeypatch):
    module, plain = module_of("affine"), module_of("affine", ("torch",))
    calls = Calls(module, monkeypatch)
    for values in layouts([v.detach() for v in drawn("affine", torch.float64)]):
        ready = [v.detach().requires_grad_() for v in values]
        for a, b in zip(results(module.f, ready), results(plain.f, ready), strict=True):
            assert torch.equal(a, b)
    assert not any(served for _, served in calls.found)


def test_stretched_cotangents_are_one_element(monkeypatch):
    module = module_of("affine")
    calls = Calls(module, monkeypatch)
    w, x, b = drawn("affine", torch.float64)
    module.f(w, x, b).sum().backward()
    assert torch.equal(w.grad, x)
    assert calls.found == [("FORWARD", True), ("GRADIENT", True)]


class Seen(torch.Tensor):
    """A subclass that notes which operations are applied to it."""

    names: list = []  # noqa: RUF012

    @classmethod
    def __torch_function__(cls, function, types, values=(), named=None):
        cls.names.append(function.__name__)
        return super().__torch_function__(function, types, values, named or {})


class Counting(TorchDispatchMode):
    """A mode that counts operations."""

    count = 0

    def __torch_dispatch__(self, function, types, values=(), named=None):
        self.count += 1
        return function(*values, **(named or {}))


def test_what_watches_operations_sees_them(monkeypatch):
    module = module_of("legendre")
    calls = Calls(module, monkeypatch)
    x = torch.randn(9)
    expected = module_of("legendre", ("torch",)).f(x)
    Seen.names.clear()
    module.f(x.as_subclass(Seen))
    assert "pow" in Seen.names or "__pow__" in Seen.names
    with Counting() as mode:
        assert torch.equal(module.f(x), expected)
    assert mode.count > 2
    with torch.device("meta"):
        assert torch.equal(module.f(x), expected)
    negative = torch._neg_view(x)
    assert negative.is_neg()
    assert negative.is_contiguous()
    assert torch.equal(module.f(negative), -expected)
    assert not any(served for _, served in calls.found)
    assert len(calls.found) == 4


def test_tangents_of_gradients_without_a_graph():
    module = module_of("legendre")
    x = torch.randn(9, dtype=torch.float64).requires_grad_()
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(x, torch.ones_like(x))
        (grad,) = torch.autograd.grad(module.f(dual).sum(), dual)
        tangent = forward_ad.unpack_dual(grad).tangent
    torch.testing.assert_close(tangent, 15 * x.detach())


def test_a_stretched_argument_has_a_gradient_of_its_shape():
    module = module_of("legendre")
    x = torch.randn(1).expand(9).requires_grad_()
    out = module.f(x)
    assert out.shape == (9,)
    (grad,) = torch.autograd.grad(out.sum(), x)
    torch.testing.assert_close(grad, 7.5 * x.detach() ** 2 - 1.5)


def test_a_condition_of_another_dtype_is_left_to_operations():
    module = module_of("partly")
    names = [a.name for a in arguments_of("partly")]
    values = {"m": torch.ones(9), "x": torch.ones(9), "w": torch.ones(9)}
    with torch.no_grad():
        assert module._fused_forward(*(values[n] for n in names)) is None
        assert module._fused_forward(*(values[n].bool() for n in names)) is None
        values["m"] = values["m"].bool()
        assert module._fused_forward(*(values[n] for n in names)) is not None


def test_in_place_change_of_what_is_saved():
    module = module_of("swiglu")
    x, b = drawn("swiglu", torch.float64)
    out = module.f(x, b)
    x.detach().zero_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        out.sum().backward()


def test_orders_beyond_the_first_are_operations():
    for name in ("swiglu", "fit", "partly"):
        values = drawn(name, torch.float64, (3, 2))
        assert torch.autograd.gradcheck(module_of(name).f, values, check_forward_ad=True)
        assert torch.autograd.gradgradcheck(module_of(name).f, values)


def test_checkpoint_unpacks_once():
    module = module_of("swiglu")
    x, b = drawn("swiglu", torch.float64)
    expected = results(module.f, [x, b])[1:]
    out = checkpoint(module.f, x, b, use_reentrant=False)
    seed = torch.randn(out.shape, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
    for a, e in zip(torch.autograd.grad(out, [x, b], seed), expected, strict=True):
        assert torch.equal(a, e)


def test_high_precision_rounds_once():
    made = symop.generate(
        "0.5*(5*x**3-3*x)", name="p3", backends=("torch", "cpu"), precision="high", tests=False
    )
    module = loaded(made.files["p3.py"])
    x = torch.randn(1000, generator=torch.Generator().manual_seed(1)).requires_grad_()
    exact = 0.5 * (5 * x.detach().double() ** 3 - 3 * x.detach().double())
    out = module.p3(x)
    assert torch.equal(out, exact.float())
    (grad,) = torch.autograd.grad(out, x, torch.ones_like(out))
    assert torch.equal(grad, (7.5 * x.detach().double() ** 2 - 1.5).float())


TRANSFORMS = (
    "triple backward", "is_grads_batched", "autograd.functional hvp, jacobian",
    "forward over reverse (forward_ad)", "hessian", "jvp of jvp", "vmap of grad",
    "compile, backward", "compiled autograd", "make_fx", "fake tensors",
    "saved-tensor hooks, save_on_cpu", "bfloat16", "strided and expanded",
)  # fmt: skip


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("transform", TRANSFORMS)
def test_carrying_modules_under(transform):
    for case in OPS:
        if case.name in ("p3", "multiply_add", "leaky", "fit_loss"):
            assert outcome(transform, carrying(case), case) == "pass"


def test_a_generated_test_finds_a_fault_in_a_loop():
    files = symop.generate("0.5*(5*x**3-3*x)", name="p3", backends=("torch", "cpu")).files
    module, test = files["p3.py"], files["test_p3.py"]
    assert run_test(module, test, "p3") is None
    for right, wrong, found in (
        ("FUSED(-R(1.5), x,", "FUSED(-R(1.4999), x,", "test_values"),
        ("FUSED(R(7.5), x * x,", "FUSED(R(7.5002), x * x,", "test_gradients"),
    ):
        assert right in module
        assert run_test(module.replace(right, wrong), test, "p3") == found


def test_a_module_is_read_again(tmp_path):
    for precision in ("standard", "high"):
        files = symop.generate(
            "a*sigmoid(a)*b", name="f", backends=("torch", "cpu"), precision=precision, tests=False
        )
        (written,) = files.write(tmp_path)
        assert reread(written).is_current


@pytest.mark.parametrize("compiler", one_in(2, ["cc", "/nonexistent"]))
def test_a_generated_test_passes_with_and_without_a_compiler(tmp_path, compiler):
    made = symop.generate("a*sigmoid(a)*b", name="swiglu", backends=("torch", "cpu"))
    made.write(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider",
         "--rootdir", str(tmp_path), "-c", os.devnull, str(tmp_path)],
        env={**os.environ, "CC": compiler}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    assert ("1 skipped" in done.stdout) == (compiler != "cc")
    for command in (["check"], ["format", "--check"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--isolated", "--no-cache", str(tmp_path)]
        assert subprocess.run(ruff, check=False, capture_output=True).returncode == 0


# Building


def run(code, folder, **environment):
    """Run code beside the golden module of swiglu, where symop cannot be imported."""
    shutil.copy(path("swiglu", "cpu"), folder / "swiglu.py")
    own = {"SYMOP_CACHE": str(folder / "cache"), "PATH": os.environ["PATH"], **environment}
    start = (
        "import sys, warnings; sys.path.insert(0, sys.argv[1]); sys.modules['symop'] = None\n"
        "import torch, swiglu\n"
        "a, b = torch.randn(2, 1000, generator=torch.Generator().manual_seed(1)).unbind()\n"
    )
    return subprocess.run(
        [sys.executable, "-I", "-c", start + code, str(folder)],
        env=own, capture_output=True, text=True, check=False,
    )  # fmt: skip


SERVES = "with torch.no_grad(): assert swiglu._fused_forward(a, b) is not None\n"
FALLS = """
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    for dtype in (torch.float32, torch.float64):
        x, y = a.to(dtype).requires_grad_(), b.to(dtype)
        out = swiglu.swiglu(x, y)
        torch.testing.assert_close(out, torch.nn.functional.silu(x) * y)
        out.sum().backward()
assert len(seen) == 1 and seen[0].category is RuntimeWarning, [str(w.message) for w in seen]
print(seen[0].message)
"""


@pytest.mark.slow
def test_a_module_needs_torch_only(tmp_path):
    done = run(SERVES, tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "cache").glob("*.so"))) == 1
    assert stat.S_IMODE((tmp_path / "cache").stat().st_mode) == 0o700
    # The second process finds what the first one built.
    again = run("swiglu._executed = None\n" + SERVES, tmp_path)
    assert again.returncode == 0, again.stderr


def test_no_compiler_is_one_warning(tmp_path):
    for environment in ({"CC": "/nonexistent"}, {"PATH": ""}):
        done = run(FALLS, tmp_path, **environment)
        assert done.returncode == 0, done.stderr
        assert "no C compiler was found" in done.stdout
    assert "/nonexistent" in run(FALLS, tmp_path, CC="/nonexistent").stdout


def test_a_compiler_error_shows_its_text(tmp_path):
    broken = "swiglu._C = swiglu._C.replace('enum {', 'enun {', 1)\n"
    done = run(broken + FALLS, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "enun" in done.stdout
    assert "error" in done.stdout


@pytest.mark.parametrize("kind", one_in(3, ["open", "file", "linked"]))
def test_a_folder_that_cannot_be_used_gives_way(tmp_path, kind):
    folder = tmp_path / "cache"
    if kind == "file":
        folder.write_text("")
    elif kind == "open":
        folder.mkdir()
        folder.chmod(0o777)
    else:
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "elsewhere").chmod(0o777)
        folder.symlink_to(tmp_path / "elsewhere")
    done = run(SERVES + "print(swiglu._folder())", tmp_path, TMPDIR=str(tmp_path))
    assert done.returncode == 0, done.stderr
    own = Path(done.stdout.strip())
    assert own.name.startswith("symop-")
    assert not own.exists(), "it goes with the process"
    assert kind == "file" or not list(folder.iterdir())


@pytest.mark.skipif(os.name != "posix" or os.getuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_gives_way(tmp_path):
    (tmp_path / "cache").mkdir(mode=0o500)
    done = run(SERVES, tmp_path)
    assert done.returncode == 0, done.stderr
    assert not list((tmp_path / "cache").iterdir())


@pytest.mark.parametrize("fault", one_in(4, ["cut", "other", "open", "no digest"]))
def test_a_file_that_was_tampered_with_is_built_anew(tmp_path, fault):
    assert run(SERVES, tmp_path).returncode == 0
    (library,) = (tmp_path / "cache").glob("*.so")
    content = library.read_bytes()
    if fault == "cut":
        library.write_bytes(content[:1000])
    elif fault == "other":
        library.write_bytes(b"\0" * len(content))
    elif fault == "open":
        library.chmod(0o777)
    else:
        library.with_suffix(".sum").unlink()
    done = run(SERVES, tmp_path)
    assert done.returncode == 0, done.stderr
    assert library.read_bytes() == content
    assert stat.S_IMODE(library.stat().st_mode) == 0o700


def test_processes_at_once(tmp_path):
    shutil.copy(path("swiglu", "cpu"), tmp_path / "swiglu.py")
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import torch, swiglu\n"
        "a = torch.ones(100)\n"
        "with torch.no_grad(): assert swiglu._fused_forward(a, a) is not None\n"
        "assert not swiglu._faults\n"
    )
    environment = {**os.environ, "SYMOP_CACHE": str(tmp_path / "cache")}
    started = [
        subprocess.Popen([sys.executable, "-I", "-c", code, str(tmp_path)], env=environment)
        for _ in range(3)
    ]
    assert [process.wait() for process in started] == [0, 0, 0]
    names = {p.suffix for p in (tmp_path / "cache").iterdir()}
    assert names == {".so", ".sum"}


def test_loops_are_vectorised(tmp_path):
    module = loaded(path("swiglu", "cpu").read_text())
    source = tmp_path / "loop.c"
    source.write_text(module._C)
    lines = module._C.split("\n")
    for kernel in ("FORWARD", "GRADIENT"):
        for dtype in ("FLOAT32", "FLOAT64", "BFLOAT16"):
            command = ["cc", *module._FLAGS.split(), "-march=native", "-Wall", "-Werror",
                       "-fopt-info-vec-optimized", f"-D{kernel}", f"-D{dtype}", "-DHOW0=1",
                       "-DHOW1=2", str(source), "-o", str(tmp_path / "loop.so")]  # fmt: skip
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if "unrecognized" in done.stderr or "unknown" in done.stderr:
                pytest.skip("this compiler does not tell what it vectorises")
            assert done.returncode == 0, done.stderr
            places = [int(p.split(":")[1]) for p in done.stderr.splitlines() if "vectorized" in p]
            assert any("widened(" in lines[k - 1] for k in places), done.stderr


# What is refused


@pytest.mark.parametrize(
    ("formula", "why"),
    [
        ("softmax(x, -1)", "amax is no sum"),
        ("zeta(0.5, x)*y", "zeta has no form in C"),
        ("x/sqrt(mean(x**2, -1))", "more than one pass"),
        ("sum(x, -1)", "pass|dims"),
        ("prod(x)", "prod is no sum"),
        ("sqrt(sum(x**2))", "more than one pass"),
        ("p = x*y; q = exp(x)", "pass|shape"),
    ],
)
def test_what_takes_more_than_a_loop_is_refused(formula, why):
    with pytest.raises(symop.CallError, match=f"^f: .*({why})"):
        symop.generate(formula, name="f", backends=("torch", "cpu"))
    files = symop.generate(formula, name="f", backends=("auto",), tests=False)
    assert "_C = " not in files.files["f.py"]
    assert files.note.startswith("f: ")


def test_backends_of_modules():
    with pytest.raises(symop.CallError, match="torch,cpu carries both"):
        symop.generate("x*y", name="f", backends=("cpu",))
    with pytest.raises(symop.CallError, match="'cuda' is not known"):
        symop.generate("x*y", name="f", backends=("torch", "cuda"))
    auto = symop.generate("x*y", name="f", backends=("auto",), tests=False)
    assert not auto.note
    every = ("torch", "cpu", "triton")
    assert auto.files == symop.generate("x*y", name="f", backends=every, tests=False).files


def check_the_loop_of(name, tmp_path):
    """Compile the C of a function with all warnings; whether modules carry it."""
    function = table()[name]
    values = ["3" if p in function.literals else p for p in function.parameters]
    try:
        made = symop.generate(
            f"{name}({', '.join(values)})", name="f", backends=("torch", "cpu"), tests=False
        )
    except symop.CallError:
        return False
    source = tmp_path / "loop.c"
    source.write_text(loaded(made.files["f.py"])._C)
    for kernel, dtype in itertools.product(("FORWARD", "GRADIENT"), ("FLOAT32", "FLOAT64")):
        hows = [f"-DHOW{k}={2 - k % 2}" for k in range(4)]
        command = ["cc", "-std=gnu11", "-fsyntax-only", "-Wall", "-Werror", f"-D{kernel}",
                   "-Wno-unused-function", "-Wno-unknown-pragmas", f"-D{dtype}", *hows,
                   str(source)]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{name}: {done.stderr}"
    return True


@pytest.mark.parametrize("name", ["i0", "modified_bessel_k1", "erfcx", "lgamma"])
def test_loops_of_functions_that_take_much_compile(name, tmp_path):
    assert check_the_loop_of(name, tmp_path)


@pytest.mark.slow
def test_the_loop_of_every_function_compiles(tmp_path):
    wanted = [name for name, function in table().items() if not function.internal]
    assert sum(check_the_loop_of(name, tmp_path) for name in wanted) > 40
