"""Ops that leave their process or thread: pickles, copies, workers, races, killed writers."""

from __future__ import annotations

import ast
import copy
import gc
import importlib.util
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

import symop
from symop.python_text import syntax_tree
from tests import goldens
from tests.sampling import one_in

ROOT = Path(__file__).parent.parent
FORMULA = "tanh(a*x)*x**2 + b"
OP = symop.compile(FORMULA, name="tanh_square")


@symop.op
def squashed(x: Tensor, scale: Tensor) -> Tensor:
    return torch.tanh(x * scale) + torch.nn.functional.softplus(x)


class Model(nn.Module):
    """A model that holds an op, a derived op, and an op as a module."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(0.5, dtype=torch.float64))
        self.activation = OP
        self.slope = OP.d("x")
        self.shift = symop.compile("x + c").module(c=torch.tensor(0.25, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        """A number for each x."""
        return self.shift(self.activation(self.weight, x, 1.0) + self.slope(1.0, x, 0.0))


def points() -> Tensor:
    return torch.linspace(-1, 1, 5, dtype=torch.float64, requires_grad=True)


def orders(function: Callable[[Tensor], Tensor], count: int = 4) -> list[Tensor]:
    """The value and its derivatives."""
    x = points()
    found = [function(x)]
    for _ in range(count):
        found += torch.autograd.grad(found[-1].sum(), x, create_graph=True)
    return [value.detach() for value in found]


def same(ours: list[Tensor], theirs: list[Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


def python(code: str, *arguments: object) -> str:
    """What a fresh process prints."""
    command = [sys.executable, "-W", "error", "-c", code, *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120,
                          check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


# Pickles and copies


def test_ops_come_back_from_pickles_the_same():
    two = symop.compile("t = exp(x)\np = t*t\nq = t*w")
    for op in (OP, OP.d("x", 2), OP.vjp, two, squashed, symop.compile("sum(x**2, -1)")):
        again = pickle.loads(pickle.dumps(op))
        assert (again.name, again.args, again.outputs) == (op.name, op.args, op.outputs)
        assert again.source == op.source
        assert again.function is op.function, "the same module is loaded once"
    assert same(orders(lambda x: squashed(x, 2.0)),
                orders(lambda x: pickle.loads(pickle.dumps(squashed))(x, 2.0)))  # fmt: skip


@pytest.mark.parametrize("package", one_in(2, ["cloudpickle", "pickle"]))
def test_a_fresh_process_gets_the_same_values(package, tmp_path):
    dumps = pytest.importorskip(package).dumps
    model = Model()
    path = tmp_path / "op.pickle"
    path.write_bytes(dumps({"op": OP, "model": model, "squashed": squashed}))
    out = python(_READ, path, tmp_path / "out.pt")
    assert out == ""
    found = torch.load(tmp_path / "out.pt")
    assert same(found["op"], orders(lambda x: OP(2.0, x, 1.0)))
    assert same(found["model"], orders(model))
    assert same(found["squashed"], orders(lambda x: squashed(x, 2.0)))


_READ = """
import pickle, sys, torch
from tests.test_processes import orders
with open(sys.argv[1], "rb") as file:
    held = pickle.load(file)
torch.save({
    "op": orders(lambda x: held["op"](2.0, x, 1.0)),
    "model": orders(held["model"]),
    "squashed": orders(lambda x: held["squashed"](x, 2.0)),
}, sys.argv[2])
"""


def test_cloudpickle_takes_functions_that_hold_ops(tmp_path):
    cloudpickle = pytest.importorskip("cloudpickle")
    gain = symop.compile("a*x**3", name="gain")
    path = tmp_path / "function.pickle"
    path.write_bytes(cloudpickle.dumps(lambda x: gain(2.0, x) + gain.d("x")(1.0, x)))
    out = python("import pickle, sys, torch\n"
                 "with open(sys.argv[1], 'rb') as file: f = pickle.load(file)\n"
                 "print(f(torch.tensor(3.0)).item())", path)  # fmt: skip
    assert float(out) == 2 * 27 + 27


def test_copies_of_a_model_share_its_ops():
    model = Model()
    for other in (copy.deepcopy(model), copy.copy(model), pickle.loads(pickle.dumps(model))):
        assert same(orders(other), orders(model))
    other = copy.deepcopy(model)
    assert other.activation is model.activation
    assert other.weight is not model.weight
    assert copy.copy(OP) is OP


def test_an_op_made_again_does_not_grow():
    # The class of the gradient is given its higher orders once, however often it is found again.
    gradient = vars(sys.modules[OP.function.__module__])["TanhSquareBackward"]
    before = gradient.backward
    for _ in range(3):
        symop.compile(FORMULA, name="tanh_square")
        pickle.loads(pickle.dumps(OP))
    assert gradient.backward is before


# Workers


class Values(Dataset):
    """Samples that workers compute with ops, gradients among them."""

    def __init__(self) -> None:
        self.op = OP
        self.model = Model()

    def __len__(self) -> int:
        return 6

    def __getitem__(self, index: int) -> Tensor:
        x = torch.tensor(index / 4, dtype=torch.float64, requires_grad=True)
        (slope,) = torch.autograd.grad(self.op(2.0, x, 1.0), x, create_graph=True)
        (second,) = torch.autograd.grad(slope, x, create_graph=True)
        (third,) = torch.autograd.grad(second, x)
        # Compiled in the worker, not there when it was started.
        late = symop.compile(f"x*{index + 2}", name="late")
        return torch.stack([slope, second, third, self.model(x), late(x)]).detach()


@pytest.mark.parametrize("method", one_in(2, ["fork", "spawn"]))
# Python warns of forks in a process with threads, which torch always has.
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_workers_compute_what_this_process_computes(method):
    if method not in torch.multiprocessing.get_all_start_methods():
        pytest.skip(f"no {method} here")
    dataset = Values()
    loader = DataLoader(dataset, batch_size=3, num_workers=2, multiprocessing_context=method,
                        timeout=100)  # fmt: skip
    found = torch.cat(list(loader))
    assert torch.equal(found, torch.stack([dataset[k] for k in range(len(dataset))]))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_fork_during_a_load_can_load():
    out = python("""
import os, sys, threading, time, warnings
warnings.simplefilter("ignore")
import symop
from symop import loading, api
from tests.sampling import one_in
held, done = threading.Event(), threading.Event()
def load_slowly():
    loading.load("slow", "", lambda module: (held.set(), done.wait(60)))
thread = threading.Thread(target=load_slowly)
thread.start()
held.wait(60)
child = os.fork()
if child == 0:
    print(symop.compile("x + 1")(2.0).item(), flush=True)
    os._exit(0)
end = time.monotonic() + 30
while os.waitpid(child, os.WNOHANG) == (0, 0):
    if time.monotonic() > end:
        os.kill(child, 9)
        print("the child hangs")
        break
    time.sleep(0.01)
done.set()
thread.join()
""")
    assert out == "3.0\n"


# Threads


def race(function: Callable[[], Any], count: int = 8) -> list[Any]:
    """What each of several threads gets, when all start at once and are switched often."""
    barrier = threading.Barrier(count)
    found: list[Any] = [None] * count

    def run(place: int) -> None:
        barrier.wait()
        try:
            found[place] = function()
        except BaseException as error:
            found[place] = error

    threads = [threading.Thread(target=run, args=(k,)) for k in range(count)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    for value in found:
        if isinstance(value, BaseException):
            raise value
    return found


def test_threads_that_parse_at_once_do_not_disturb_each_other():
    # Collections run finalizers while a tree is built, and there another thread may go on: the
    # parser of CPython up to 3.11.7 fails then (its issue 106905).
    class Finalized:
        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            sum(range(300))

    def parsed() -> set[str]:
        return {ast.dump(syntax_tree(text)) for _ in range(60) if Finalized()}

    text = "+".join(f"sin(x*{k})**2" for k in range(60))
    thresholds = gc.get_threshold()
    gc.set_threshold(50)
    try:
        assert race(parsed, count=4) == [{ast.dump(syntax_tree(text))}] * 4
    finally:
        gc.set_threshold(*thresholds)


def test_threads_that_compile_the_same_get_the_same():
    for k in range(3):
        ops = race(lambda k=k: symop.compile(f"tanh(a*x)*gelu(x) + {k}*b/x", name="raced"))
        assert len({op.source for op in ops}) == 1
        assert len({op.function for op in ops}) == 1


def test_threads_that_trace_the_same_get_the_same():
    def wave(x: Tensor, y: Tensor) -> Tensor:
        u = torch.tanh(x) * y
        return torch.sin(u) + torch.nn.functional.softplus(u)

    ops = race(lambda: symop.compile(wave))
    assert len({op.source for op in ops}) == 1


def test_threads_that_call_and_differentiate_at_once_agree():
    # Compiled in the race too: nobody has called it, nor made its third order.
    def values() -> list[Tensor]:
        op = symop.compile("exp(-a*x**2)*sin(x) + b", name="fresh")
        return orders(lambda x: op(2.0, x, 3.0))

    found = race(values, count=4)
    assert all(same(other, found[0]) for other in found)
    shared = symop.compile("x**3*exp(y)", name="shared")
    derived = race(lambda: (shared.vjp, shared.jvp, shared.d("x", 2), shared.gradients))
    assert len({tuple(op.source for op in ops[:3]) for ops in derived}) == 1
    assert len({str(ops[3]) for ops in derived}) == 1


# Files


def loaded(path: Path, name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_generated_module_under_two_names_is_harmless():
    first, second = (loaded(goldens.path("multiply_add"), name) for name in ("one", "two"))
    assert first.MultiplyAdd is not second.MultiplyAdd
    x = points()
    both = first.multiply_add(x, second.multiply_add(x, x, 1.0), 2.0)
    plain = x * (x * x + 1) + 2
    for _ in range(3):
        torch.testing.assert_close(both, plain)
        (both,) = torch.autograd.grad(both.sum(), x, create_graph=True)
        (plain,) = torch.autograd.grad(plain.sum(), x, create_graph=True)
    op = symop.compile("w*x + b", name="multiply_add")
    torch.testing.assert_close(op(2.0, first.multiply_add(x, x, x), 0.0), 2 * (x * x + x))


def test_functions_of_a_generated_module_go_through_pickles(tmp_path, monkeypatch):
    symop.generate("a*x**2", name="parabola", tests=False).write(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    import parabola

    try:
        for held in (parabola.parabola, parabola.Parabola):
            assert pickle.loads(pickle.dumps(held)) is held
        assert copy.deepcopy(parabola.parabola) is parabola.parabola
    finally:
        del sys.modules["parabola"]


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="no limit on files here")
def test_a_killed_writer_leaves_nothing_half_written(tmp_path):
    # The system kills the writer in the middle of a file, when that reaches 1000 bytes.
    writer = """
import resource, signal, sys, symop
file = symop.generate("x**3*exp(x)", name="cut")
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
file.write(sys.argv[1])
"""
    before = symop.generate("x**2", name="cut")
    for folder, files in ((tmp_path / "new", {}), (tmp_path / "old", dict(before.files))):
        if files:
            before.write(folder)
        done = subprocess.run([sys.executable, "-c", writer, folder], cwd=ROOT, check=False)
        assert done.returncode == -signal.SIGXFSZ
        # What was being written stays behind under a name that no import and no pytest takes.
        found = {p.name: p.read_text() for p in folder.iterdir() if not p.name.startswith(".")}
        assert found == files


def test_processes_that_write_the_same_files_at_once_all_succeed(tmp_path):
    writer = (
        "import sys, symop\n"
        "file = symop.generate('x**2', name='shared')\n"
        "for _ in range(50):\n"
        "    file.write(sys.argv[1], force=True)\n"
    )
    command = [sys.executable, "-c", writer, str(tmp_path)]
    processes = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE) for _ in range(2)]
    for process in processes:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors.decode()[-2000:]
    files = symop.generate("x**2", name="shared").files
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == dict(files)
