"""Ops inside larger compiled and packaged programs."""

import re

import pytest
import torch

import symop

pytestmark = pytest.mark.filterwarnings(
    "ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning"
)


@pytest.fixture(autouse=True)
def _fresh():
    torch._dynamo.reset()


def _parameters(seed: int = 0) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [
        torch.randn(8, generator=generator, dtype=torch.float64).requires_grad_() for _ in range(3)
    ]


def _residual_by_hand(x, a, w, b):
    """The loss of u'' = -u, u(0) = 0, u'(0) = 1, with derivatives by autograd."""

    def u(x):
        return (a * torch.sin(w * x + b)).sum(-1)

    def slope(y, x):
        return torch.autograd.grad(y.sum(), x, create_graph=True)[0]

    x = x.detach().requires_grad_()
    start = torch.zeros(1, 1, dtype=x.dtype, requires_grad=True)
    second = slope(slope(u(x), x), x)[:, 0]
    return ((second + u(x)) ** 2).mean() + u(start) ** 2 + (slope(u(start), start).sum() - 1) ** 2


@pytest.mark.parametrize("backend", ["aot_eager", "inductor"])
def test_a_training_step_asks_for_derivatives(backend):
    u = symop.compile("a*sin(w*x + b)", args=("x", "a", "w", "b"))

    @torch.compile(fullgraph=True, backend=backend)
    def step(x, *values):
        residual = (u.d("x", 2)(x, *values) + u(x, *values)).sum(-1)
        start = x.new_zeros(1, 1)
        slope = u.d("x")(start, *values).sum()
        return (residual**2).mean() + u(start, *values).sum() ** 2 + (slope - 1) ** 2

    x = torch.linspace(0, 6, 64, dtype=torch.float64)[:, None]
    values = _parameters()
    loss, expected = step(x, *values), _residual_by_hand(x, *values)
    torch.testing.assert_close(loss, expected.squeeze())
    found, true = (torch.autograd.grad(v.sum(), values) for v in (loss, expected))
    torch.testing.assert_close(found, true, rtol=1e-9, atol=1e-11)

    optimizer = torch.optim.Adam(values, lr=0.05)
    for _ in range(300):
        optimizer.zero_grad()
        loss = step(x, *values)
        loss.backward()
        optimizer.step()
    # That it trains at all: wrong derivatives would lead to another function.
    torch.testing.assert_close(u(x, *values).sum(-1), torch.sin(x[:, 0]), rtol=0, atol=0.05)


def test_a_compiled_function_asks_for_vjp_and_jvp():
    op = symop.compile("a*sin(w*x)", args=("x", "a", "w"))
    x, a, w = _parameters()

    def both(x, a, w):
        return op.vjp(x, a, w, torch.ones_like(x)), op.jvp(x, a, w, x, a, w)

    found = torch.compile(both, fullgraph=True, backend="aot_eager")(x, a, w)
    torch.testing.assert_close(found, both(x, a, w))


def test_a_derivative_that_does_not_exist_is_named_when_compiled():
    op = symop.compile("sin(x)")
    with pytest.raises(Exception, match="op has no derivative by 'q'"):
        torch.compile(lambda x: op.d("q")(x), fullgraph=True, backend="eager")(torch.ones(2))


def test_derivatives_are_made_once():
    op = symop.compile("sin(x)*y")
    assert op.d("x", 2) is op.d("x", 2)
    assert op.d("x", 2) is not op.d("x")
    assert op.vjp is op.vjp
    assert op.jvp is op.jvp


def test_inductor_fuses_an_op_with_its_neighbours():
    from torch._inductor.utils import run_and_get_code

    op = symop.compile("x*sigmoid(w*x)")
    x, w = torch.randn(64, 32), torch.randn(32)
    compiled = torch.compile(lambda x, w: torch.relu(op(x + 1, w)) * 2, fullgraph=True)
    result, (code,) = run_and_get_code(compiled, x, w)
    torch.testing.assert_close(result, torch.relu(op(x + 1, w)) * 2)
    assert len(re.findall(r"void +kernel\(", code)) == 1


def test_a_value_that_outlived_its_transform_stays_differentiable():
    op = symop.compile("x**3")
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    kept = []
    torch.func.grad(lambda x: (kept.append(x), x.sum())[1])(x)
    (slope,) = torch.autograd.grad(op(kept[0]).sum(), x)
    torch.testing.assert_close(slope, 3 * x.detach() ** 2)


@pytest.mark.slow
def test_a_module_is_packaged_ahead_of_time(tmp_path):
    class Gate(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.w = torch.nn.Parameter(torch.ones(3))
            self.op = symop.compile("w*x**2 + sigmoid(x)", args=("w", "x"))

        def forward(self, x):
            return self.op(self.w, x)

    gate = Gate()
    rows = torch.export.Dim("rows", min=2, max=100)
    program = torch.export.export(gate, (torch.randn(4, 3),), dynamic_shapes=({0: rows},))
    package = torch._inductor.aoti_compile_and_package(
        program, package_path=str(tmp_path / "gate.pt2")
    )
    loaded = torch._inductor.aoti_load_package(package)
    x = torch.randn(7, 3)
    torch.testing.assert_close(loaded(x), gate(x))
