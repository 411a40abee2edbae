"""Which kernels a call launches, and what is refused."""

import pytest
import torch
from triton import knobs
from triton.runtime import interpreter

import symop
from symop import triton_kernels
from symop.errors import BuildError
from tests.interpreted.cases import CASES, drawn, op

SCALAR = ()
ONE_LAUNCH = {
    "e1": [(300,)],
    "e2": [(40,), (70, 40), (40,)],
    "e3": [SCALAR, SCALAR, SCALAR, SCALAR, (5000,)],
    "e4": [(300,)],
    "e5": [(300,)],
    "e6": [(300,), (300,)],
    "e7": [SCALAR, SCALAR, (5000,), SCALAR, SCALAR, (5000,)],
}


@pytest.fixture
def launches(device, monkeypatch):
    """The names of the kernels that were launched."""
    names = []
    if device != "cpu":

        def told(metadata):
            names.append(metadata.get()["name"])

        knobs.runtime.launch_enter_hook.add(told)
        yield names
        knobs.runtime.launch_enter_hook.remove(told)
        return
    run = interpreter.GridExecutor.__call__

    def counted(self, *args, **named):
        names.append(self.fn.__name__)
        return run(self, *args, **named)

    monkeypatch.setattr(interpreter.GridExecutor, "__call__", counted)
    yield names


@pytest.mark.parametrize("name", ONE_LAUNCH)
def test_one_launch_forward_and_one_backward(name, launches):
    values = [v.requires_grad_() for v in drawn(name, ONE_LAUNCH[name], torch.float32)]
    result = op(name)(*values)
    assert len(launches) == 1
    torch.autograd.grad(result, values, torch.ones_like(result))
    assert len(launches) == 2


def test_only_the_gradients_that_are_needed(launches):
    w, x, b = drawn("e2", ONE_LAUNCH["e2"], torch.float32)
    op("e2")(w, x.requires_grad_(), b).sum().backward()
    assert launches == ["e2_out", "e2_grad_x"]


def test_a_fit_of_numbers_alone_computes_their_gradients_with_the_loss(launches):
    values = drawn("e7", ONE_LAUNCH["e7"], torch.float32)
    for k in (0, 1, 3, 4):
        values[k].requires_grad_()
    op("e7")(*values).backward()
    assert len(launches) == 1


def test_cotangents_of_no_memory_are_read_as_one_number(launches, device):
    x = torch.randn(300, device=device, requires_grad=True)
    op("e1")(x).sum().backward()
    assert len(launches) == 2
    torch.testing.assert_close(x.grad, 7.5 * x.detach() ** 2 - 1.5)


def test_numbers_and_mixed_dtypes_come_as_tensors_of_one_dtype(launches, device):
    x = torch.randn(30, device=device)
    torch.testing.assert_close(op("e2")(2, x, 1.5), 2 * x + 1.5)
    assert op("e2")(x.double(), x, x.half()).dtype == torch.float64
    assert len(launches) == 2


def test_transforms_take_operations(launches, device):
    x = torch.randn(3, 30, device=device)
    torch.testing.assert_close(torch.func.vmap(op("e1"))(x), CASES["e1"][1](x))
    torch.func.jvp(op("e1"), (x,), (x,))
    assert not launches


def test_empty_tensors_launch_nothing(launches):
    values = [v.requires_grad_() for v in drawn("e2", [(40,), (0, 40), ()], torch.float32)]
    op("e2")(*values).sum().backward()
    assert not launches
    assert [v.grad.tolist() for v in values] == [[0.0] * 40, [], 0.0]


def test_extrema_of_nothing_are_refused_as_operations_refuse_them(device):
    with pytest.raises((symop.SymopError, RuntimeError, IndexError)):
        symop.compile("amax(x)", backend="triton")(torch.empty(0, device=device))


def test_what_triton_lacks_is_an_error_where_it_was_asked_for(device):
    asked = symop.compile("prod(x, 0)", name="lacking", backend="triton")
    x = torch.rand(3, device=device, requires_grad=True)
    with pytest.raises(BuildError, match="lacking: the gradient of prod"):
        asked(x).backward()


def test_a_kernel_that_is_refused_is_shown(device, monkeypatch):
    def broken(made):
        def run(*arguments, **options):
            raise ValueError("no such instruction")

        return {(1,): run}

    monkeypatch.setattr(triton_kernels, "function_of", broken)
    with pytest.raises(BuildError) as error:
        symop.compile("x*x*3", name="shown", backend="triton")(torch.ones(4, device=device))
    for part in ("x*x*3", "shown_out", "no such instruction", "@triton.jit", "tl.store"):
        assert part in str(error.value)


def test_names_of_kernels_are_free_for_arguments(device):
    names = ["n", "row", "x_ptr", "program", "start", "offset", "BLOCK", "index0", "tl", "total"]
    made = symop.compile(" + ".join(f"{n}*{k + 1}" for k, n in enumerate(names)),
                         name="named", backend="triton")  # fmt: skip
    values = [
        torch.full((3, 4), float(k), device=device, requires_grad=True) for k in range(len(names))
    ]
    result = made(*values)
    result.sum().backward()
    assert result.unique().tolist() == [sum(k * (k + 1) for k in range(len(names)))]
    assert [v.grad.unique().item() for v in values] == [k + 1 for k in range(len(names))]


def test_sums_are_the_same_every_time():
    values = drawn("e7", [(), (), (9000,), (), (), (9000,)], torch.float32)
    assert len({op("e7")(*values).item() for _ in range(3)}) == 1


REAL, HALF, TINY = torch.ones(3), torch.ones(3, dtype=torch.float16), torch.float8_e4m3fn
WRONG = {
    "none": ((), {}),
    "few": ((REAL, REAL), {}),
    "many": ((REAL, REAL, REAL, REAL), {}),
    "few by name": ((REAL,), {"b": REAL}),
    "unknown": ((REAL, REAL), {"c": REAL}),
    "twice": ((REAL, REAL, REAL), {"b": REAL}),
    "text": ((REAL, REAL, "1"), {}),
    "nothing": ((REAL, None, REAL), {}),
    "complex": ((REAL, REAL.to(torch.complex64), HALF), {}),
    "complex number": ((REAL, REAL, 1j), {}),
    "float8": ((REAL, REAL, REAL.to(TINY)), {}),
    "float8 only": ((REAL.to(TINY),) * 3, {}),
    "devices": ((REAL, REAL, REAL.to("meta")), {}),
    "shapes": ((REAL, REAL, torch.ones(4)), {}),
    "shapes and dtypes": ((REAL, HALF, torch.ones(4)), {}),
}


def fault(backend, place, given, named):
    def moved(value):
        is_here = isinstance(value, torch.Tensor) and value.device.type == "cpu"
        return value.to(place) if is_here else value

    op = symop.compile("w*x + b", name="called", backend=backend)
    with pytest.raises(symop.CallError) as error:
        op(*map(moved, given), **{name: moved(value) for name, value in named.items()})
    return str(error.value)


@pytest.mark.parametrize("needs", [False, True])
@pytest.mark.parametrize("case", WRONG)
def test_wrong_calls_are_refused_alike_on_every_backend(case, needs, device):
    given, named = WRONG[case]
    if needs:
        given = [v.clone().requires_grad_() if v is REAL else v for v in given]
    of_operations = fault("torch", device, given, named)
    assert of_operations.startswith("called")
    assert fault("triton", device, given, named) == of_operations
    assert fault("cpu", "cpu", given, named) == of_operations.replace(f"on {device}", "on cpu")


def test_wrong_calls_after_a_right_one_are_refused(device):
    op = symop.compile("w*x + b", name="called", backend="triton")
    x = torch.ones(3, device=device)
    op(x, x, x)
    for values in ((), (x,), (x, x), (x, x, x, x)):
        with pytest.raises(symop.CallError, match="called takes w, x, b"):
            op(*values)


@pytest.mark.parametrize("kind", [torch.int64, torch.bool, torch.uint8])
def test_integers_are_computed_in_the_type_of_the_others(kind, device):
    x = torch.tensor([0.5, 2.0, 3.0], device=device)
    n = torch.tensor([1, 0, 1], device=device).to(kind)
    for values in ((n, x, x), (n, n, n)):
        found, known = (symop.compile("w*x + b", backend=b)(*values) for b in ("triton", "torch"))
        assert found.dtype == known.dtype
        torch.testing.assert_close(found, known)


@pytest.mark.parametrize("dim", [1, 3, -2])
def test_dims_that_do_not_exist_are_refused_as_operations_refuse_them(dim, device):
    x = torch.ones(3, device=device)
    with pytest.raises(IndexError, match="Dimension out of range"):
        symop.compile(f"sum(x, {dim})", backend="triton")(x)


@pytest.mark.parametrize("formula", ["amax(x, -1) - amin(x, -1)", "abs(x)", "where(m, x, 2*x)"])
def test_gradients_that_read_no_number(formula, device):
    made = [symop.compile(formula, backend=b) for b in ("triton", "torch")]
    x = torch.linspace(-1, 2, 12, device=device).view(3, 4).requires_grad_()
    values = [x, x.detach() > 0] if "m" in made[0].args else [x]
    values = [values[("x", "m").index(name)] for name in made[0].args]
    found = []
    for called in made:
        result = called(*values)
        (first,) = torch.autograd.grad(result, x, result, create_graph=True)
        found.append(torch.autograd.grad((first * first).sum(), x, allow_unused=True)[0])
    known = [torch.zeros_like(x) if v is None else v for v in found]
    torch.testing.assert_close(*known)
