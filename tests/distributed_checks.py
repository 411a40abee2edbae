"""What tests/test_distributed.py runs in every process of a group: ops on DTensors.

`python -m tests.distributed_checks RANK WORLD STORE RESULTS` joins the group and writes, one
line a check, what became of it. All processes run the same checks in the same order.
"""

from __future__ import annotations

import copy
import importlib.util
import json
import sys
import traceback
import warnings
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import (
    DTensor,
    Partial,
    Placement,
    Replicate,
    Shard,
    distribute_module,
    distribute_tensor,
)  # fmt: skip
from torch.distributed.tensor.debug import CommDebugMode
from torch.distributed.tensor.parallel import (
    ColwiseParallel,
    RowwiseParallel,
    parallelize_module,
)  # fmt: skip

import symop
from tests import goldens

D = torch.float64
S0, S1, R, P = Shard(0), Shard(1), Replicate(), Partial()
LIMIT = timedelta(seconds=60)

# name -> formula, arguments as (shape, placement), placements of the outputs, and of the
# gradients. A number stands for itself; "mask" as a third item makes a condition.
ROW, EVEN, ODD = (4,), (8, 4), (7, 3)
ELEMENTWISE: dict[str, tuple[str, list[Any], list[Placement], list[Placement]]] = {
    "one argument": ("0.5*(5*x**3-3*x)", [(EVEN, S0)], [S0], [S0]),
    "second dim": ("0.5*(5*x**3-3*x)", [(EVEN, S1)], [S1], [S1]),
    "replicated": ("0.5*(5*x**3-3*x)", [(EVEN, R)], [R], [R]),
    "broadcast row": ("w*x + b", [(EVEN, S0), (EVEN, S0), (ROW, R)], [S0], [S0, S0, P]),
    "broadcast scalars": ("w*x + b", [((), R), (EVEN, S0), ((), R)], [S0], [P, S0, P]),
    "broadcast column": ("w*x + b", [((8, 1), S0), (EVEN, S0), (ROW, R)], [S0], [S0, S0, P]),
    "sharded row": ("w*x + b", [(EVEN, S1), (EVEN, S1), (ROW, S0)], [S1], [S1, S1, S0]),
    "uneven": ("w*x + b", [(ODD, S0), (ODD, S0), ((3,), R)], [S0], [S0, S0, P]),
    "numbers": ("w*x + b", [2.0, (EVEN, S0), 1], [S0], [S0]),
    "number first": ("where(a > 0, maximum(x, a), 3) + a**x", [2.0, (EVEN, S0)], [S0], [S0]),
    "activations": ("gelu(x)*silu(w) + softplus(x)", [(EVEN, S0)] * 2, [S0], [S0, S0]),
    "kinks": ("maximum(x, b) + relu(x)", [(EVEN, S0), (ROW, R)], [S0], [S0, P]),
    "constants": ("where(x > 0, 1, 0)*w + atan2(x, 2)", [(EVEN, S0)] * 2, [S0], [S0, S0]),
    "mask": (
        "where(m, w*x, b)", [(EVEN, S0, "mask"), (EVEN, S0), (EVEN, S0), (ROW, R)], [S0],
        [S0, S0, P],
    ),
    "two outputs": (
        "h = w*x; y = exp(h) + b; z = h - b*b", [(EVEN, S0), (EVEN, S0), (ROW, R)], [S0, S0],
        [S0, S0, P],
    ),
    "cancelled": ("x/x + 0*b", [(EVEN, S0), (ROW, R)], [S0], [S0, R]),
}  # fmt: skip

# The same with reductions; None where torch chooses among right placements.
REDUCTIONS: dict[str, tuple[str, list[Any], Any, Any]] = {
    "sum over shards": ("sum((w*x - b)**2)", [(EVEN, S0), (EVEN, S0), (ROW, R)], [P], None),
    "sum of one dim": ("sum(w*x, 0)", [(EVEN, S0)] * 2, [P], [S0, S0]),
    "sum within shards": ("sum(w*x, -1)", [(EVEN, S0)] * 2, [S0], [S0, S0]),
    "mean over shards": ("mean((w*x)**2)", [(EVEN, S0)] * 2, [Partial("avg")], [S0, S0]),
    "mean of uneven shards": ("mean((w*x)**2)", [(ODD, S0)] * 2, None, [S0, S0]),
    "softmax within shards": ("softmax(x, -1)*w", [(EVEN, S0)] * 2, [S0], [S0, S0]),
    "softmax over shards": ("softmax(x, 0)*w", [(EVEN, S0)] * 2, [S0], None),
    "logsumexp": ("logsumexp(x, 0)", [(ODD, S0)], None, None),
    "amax over shards": ("amax(x, 0)*w", [(EVEN, S0)] * 2, [S0], None),
    "rms norm": (
        "x/sqrt(mean(x**2, -1) + eps)*w", [(EVEN, S0), 1e-3, (ROW, R)], [S0], [S0, P],
    ),
    "rms norm over shards": (
        "x/sqrt(mean(x**2, -1) + eps)*w", [(EVEN, S1), 1e-3, (ROW, S0)], [S1], None,
    ),
    "prod over shards": ("prod(x, 0)", [(ODD, S0)], None, None),
    "norm": ("norm(x)", [(EVEN, S0)], None, [S0]),
}  # fmt: skip


def full(value: Any) -> Any:
    """The whole tensor."""
    return value.full_tensor() if isinstance(value, DTensor) else value


def collectives(mode: CommDebugMode) -> dict[str, int]:
    """The collectives that ran, by name."""
    return {str(name): count for name, count in mode.get_comm_counts().items() if count}


def as_tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def made(arguments: list[Any], mesh: DeviceMesh) -> tuple[list[Any], list[Any]]:
    """The arguments twice: whole, and distributed."""
    generator = torch.Generator().manual_seed(0)
    whole: list[Any] = []
    parts: list[Any] = []
    for argument in arguments:
        if not isinstance(argument, tuple):
            whole.append(argument)
            parts.append(argument)
            continue
        shape, placement, *kind = argument
        value = torch.randn(shape, dtype=D, generator=generator)
        value = value > 0 if kind else value
        placements = placement if isinstance(placement, list) else [placement] * mesh.ndim
        part = distribute_tensor(value, mesh, placements)
        whole.append(value if kind else value.requires_grad_())
        parts.append(part if kind else part.requires_grad_())
    return whole, parts


def leaves(values: list[Any]) -> list[Any]:
    return [v for v in values if isinstance(v, Tensor) and v.requires_grad]


def gradients(outputs: Any, arguments: list[Any], orders: int) -> list[list[Any]]:
    """Gradients of sums of squares, order by order; those of nothing are left out."""
    found = []
    for _ in range(orders):
        total = sum((o**2).sum() for o in outputs)
        if not total.requires_grad:
            break
        grads = torch.autograd.grad(total, arguments, create_graph=True, allow_unused=True)
        found.append(list(grads))
        outputs = [g for g in grads if g is not None]
    return found


def compare(
    function: Callable[..., Any], arguments: list[Any], placements: Any, grad_placements: Any,
    mesh: DeviceMesh, *, is_elementwise: bool, orders: int = 3,
) -> None:  # fmt: skip
    """Value and gradients of distributed arguments against those of whole ones."""
    whole, parts = made(arguments, mesh)
    expected = as_tuple(function(*whole))
    with CommDebugMode() as forward:
        outputs = as_tuple(function(*parts))
    if placements is not None:
        assert [o.placements for o in outputs] == [(p,) * mesh.ndim for p in placements]
    if is_elementwise:
        assert collectives(forward) == {}, collectives(forward)
    for ours, theirs in zip(outputs, expected, strict=True):
        torch.testing.assert_close(full(ours), theirs)
    if is_elementwise:
        # Nor does the backward of an elementwise op: partial sums stay partial.
        cotangents = [torch.ones_like(o) for o in outputs]
        with CommDebugMode() as backward:
            first = torch.autograd.grad(
                outputs, leaves(parts), cotangents, retain_graph=True, allow_unused=True
            )
        assert collectives(backward) == {}, collectives(backward)
        assert all(g is None or isinstance(g, DTensor) for g in first)
    ours = gradients(outputs, leaves(parts), orders)
    theirs = gradients(expected, leaves(whole), orders)
    if grad_placements is not None:
        assert [g.placements for g in ours[0]] == [(p,) * mesh.ndim for p in grad_placements]
    assert len(ours) == len(theirs)
    for some, others in zip(ours, theirs, strict=True):
        for a, b in zip(some, others, strict=True):
            assert (a is None) == (b is None)
            if b is not None:
                assert a.shape == b.shape
                torch.testing.assert_close(full(a), b)


def elementwise(mesh: DeviceMesh) -> None:
    """Placements stay, nothing is sent, and gradients of what broadcasts are partial sums."""
    for name, (formula, arguments, placements, grads) in ELEMENTWISE.items():
        try:
            compare(symop.compile(formula), arguments, placements, grads, mesh, is_elementwise=True)
        except Exception as error:
            raise AssertionError(f"elementwise: {name}") from error


def reductions(mesh: DeviceMesh) -> None:
    """Reductions over a sharded dim are partial, or right after what torch redistributes."""
    for name, (formula, arguments, placements, grads) in REDUCTIONS.items():
        orders = 2 if "prod" in name else 3
        try:
            compare(symop.compile(formula), arguments, placements, grads, mesh,
                    is_elementwise=False, orders=orders)  # fmt: skip
        except Exception as error:
            raise AssertionError(f"reductions: {name}") from error


def files(mesh: DeviceMesh) -> None:
    """The modules that `symop generate` writes do the same; the text imports no symop."""
    arguments = {
        "legendre_p3": [(EVEN, S0)],
        "multiply_add": [(EVEN, S0), (EVEN, S0), (ROW, R)],
        "two_outputs": [(EVEN, S0), (ROW, R)],
        "masked_loss": [(EVEN, S0, "mask"), (EVEN, S0), (EVEN, S0)],
        "rms_norm": [(EVEN, S0), 1e-3, (ROW, R)],
        "softmax_last": [(EVEN, S0)],
        "swiglu": [(EVEN, S0), (EVEN, S0)],
        "huber": [(EVEN, S0), 1.0],
    }
    for name, given in arguments.items():
        spec = importlib.util.spec_from_file_location(f"file_{name}", goldens.path(name))
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        compare(getattr(module, name), given, None, None, mesh,
                is_elementwise=name != "masked_loss", orders=2)  # fmt: skip


def unused_outputs(mesh: DeviceMesh) -> None:
    """Of several outputs, or gradients, those that go nowhere are zeros, and DTensors."""
    op = symop.compile("p = exp(x)*w; q = w*x + b")
    whole, parts = made([(EVEN, S0), (EVEN, S0), (ROW, R)], mesh)
    for k in (0, 1):
        mine = gradients([op(*parts)[k]], parts, 3)
        other = gradients([op(*whole)[k]], whole, 3)
        for some, others in zip(mine, other, strict=True):
            for a, b in zip(some, others, strict=True):
                torch.testing.assert_close(full(a), b)
    for k in range(3):
        mine = gradients([gradients(op(*parts), parts, 1)[0][k]], parts, 1)[0]
        other = gradients([gradients(op(*whole), whole, 1)[0][k]], whole, 1)[0]
        for a, b in zip(mine, other, strict=True):
            assert (a is None) == (b is None)
            if b is not None:
                torch.testing.assert_close(full(a), b)


def derived_ops(mesh: DeviceMesh) -> None:
    """Derivatives, and ops of other dtypes."""
    wide = [(EVEN, S0), (EVEN, S0), (ROW, R)]
    affine = symop.compile("w*x + b")
    compare(affine.vjp, [*wide, (EVEN, S0)], [S0, S0, P], None, mesh, is_elementwise=False)
    compare(affine.jvp, [*wide, *wide], [S0], None, mesh, is_elementwise=True)
    second = symop.compile("exp(w*x)").d("x", 2)
    compare(second, wide[:2], [S0], [S0, S0], mesh, is_elementwise=True)
    half = [distribute_tensor(torch.ones(EVEN, dtype=torch.bfloat16), mesh, [S0] * mesh.ndim)
            for _ in range(2)]  # fmt: skip
    assert affine(*half, 1.0).dtype == torch.bfloat16
    assert affine(half[0], 2, 1.0).placements == (S0,) * mesh.ndim
    mixed = affine(half[0].to(D).requires_grad_(), half[1], 1)
    assert mixed.dtype == D
    assert torch.equal(full(mixed), torch.full(EVEN, 2.0, dtype=D))


def partial_arguments(mesh: DeviceMesh) -> None:
    """A partial argument stays partial where the op is linear in it; else torch reduces it."""
    local = torch.linspace(-1, 1, 8, dtype=D)
    part = DTensor.from_local(local, mesh, [P] * mesh.ndim)
    whole = local * mesh.size()
    cube = symop.compile("x**3 - x")
    torch.testing.assert_close(full(cube(part)), cube(whole))
    with CommDebugMode() as mode:
        scaled = symop.compile("a*x")(3.0, part)
    assert scaled.placements == (P,) * mesh.ndim
    assert collectives(mode) == {}
    torch.testing.assert_close(full(scaled), 3 * whole)


def mixed_with_plain(mesh: DeviceMesh) -> None:
    """0-d tensors count as replicated, as in torch; any other plain tensor is refused by name."""
    whole, parts = made([(EVEN, S0)], mesh)
    affine = symop.compile("w*x + b", name="affine")
    w, b = torch.tensor(2.0, dtype=D), torch.tensor(1.0, dtype=D)
    torch.testing.assert_close(full(affine(w, parts[0], b)), affine(w, whole[0], b))
    message = r"affine: b is a plain tensor of shape \(4,\), x a DTensor; "
    with pytest.raises(symop.CallError, match=message):
        affine(w, parts[0], torch.ones(4, dtype=D))


def compiled(mesh: DeviceMesh) -> None:
    """torch.compile(fullgraph=True) of ops on DTensors."""
    cases = {
        "w*x + b": [(EVEN, S0), (EVEN, S0), (ROW, R)],
        "a*gelu(x)": [2.0, (EVEN, S0)],
        "p = exp(x)*w; q = w*x": [(EVEN, S0), (EVEN, S0)],
    }
    for formula, arguments in cases.items():
        torch.compiler.reset()
        op = symop.compile(formula)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            function = torch.compile(op, fullgraph=True, backend="aot_eager")
            whole, parts = made(arguments, mesh)
            ours = as_tuple(function(*parts))
            # torch itself refuses a backward from only some outputs of what it compiled.
            total = sum((o**2).sum() for o in ours)
            grads = torch.autograd.grad(total, leaves(parts), allow_unused=True)
        theirs = as_tuple(op(*whole))
        total = sum((o**2).sum() for o in theirs)
        expected = torch.autograd.grad(total, leaves(whole), allow_unused=True)
        for a, b in zip((*ours, *grads), (*theirs, *expected), strict=True):
            torch.testing.assert_close(full(a), b)


# Models

_norm = symop.compile("x/sqrt(mean(x**2, -1) + eps)*w", name="rms_norm")
_gate = symop.compile("s*x*sigmoid(beta*x)", name="gate")
_loss = symop.compile("mean((y - t)**2)", name="mse")
STEPS = 5


class Model(nn.Module):
    """Two layers with ops between them; every constant of the ops is trained."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(1)
        self.norm = _norm.module(w=torch.rand(4, dtype=D, generator=generator), eps=nn.Buffer(
            torch.tensor(1e-3, dtype=D)))  # fmt: skip
        self.up = nn.Linear(4, 8, dtype=D)
        # fully_shard takes no 0-d parameters: a constant of one element has the shape (1,).
        self.gate = _gate.module(s=torch.ones(1, dtype=D), beta=torch.rand(8, dtype=D,
                                 generator=generator))  # fmt: skip
        self.down = nn.Linear(8, 2, dtype=D)
        with torch.no_grad():
            for layer in (self.up, self.down):
                for p in layer.parameters():
                    p.copy_(torch.randn(p.shape, dtype=D, generator=generator) / 2)

    def forward(self, x: Tensor) -> Tensor:
        """The output for a batch."""
        return self.down(self.gate(self.up(self.norm(x))))


def data() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(8, 4, dtype=D, generator=generator)
    return x, torch.stack([x.sum(-1).sin(), x.prod(-1)], -1)


def train(model: nn.Module, x: Tensor, t: Tensor, *, penalty: bool = False) -> list[Tensor]:
    """Losses of a few steps; with a penalty on the gradient by the input, double backward."""
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        x = x.detach().requires_grad_(penalty)
        y = model(x)
        loss = _loss(y, t)
        if penalty:
            (slope,) = torch.autograd.grad(y.sum(), x, create_graph=True)
            loss = loss + symop.compile("mean(g**2)")(slope)
        loss.backward()
        optimizer.step()
        losses.append(full(loss.detach()))
    return losses


def data_parallel(mesh: DeviceMesh) -> None:
    """fully_shard: each process has a part of the batch and of every parameter."""
    x, t = data()
    model = Model()
    reference = train(copy.deepcopy(model), x, t)
    for part in (model.up, model.gate, model.norm, model.down, model):
        fully_shard(part, mesh=mesh)
    assert all(isinstance(p, DTensor) for p in model.parameters())
    rows = len(x) // mesh.size()
    mine = slice(dist.get_rank() * rows, (dist.get_rank() + 1) * rows)
    for ours, theirs in zip(train(model, x[mine], t[mine]), reference, strict=True):
        dist.all_reduce(ours)
        torch.testing.assert_close(ours / mesh.size(), theirs, rtol=1e-9, atol=0)
    state = model.state_dict()
    assert set(state) == set(Model().state_dict())


def parallelize(model: Model, mesh: DeviceMesh) -> None:
    """Columns of the first layer, rows of the second; the gate works on shards in between."""

    def shard(name: str, module: nn.Module, mesh: DeviceMesh) -> None:
        beta = nn.Parameter(distribute_tensor(module.beta.detach(), mesh, [S0]))
        module.register_parameter("beta", beta)

    distribute_module(model.norm, mesh)
    distribute_module(model.gate, mesh, shard)
    parallelize_module(model, mesh, {
        "up": ColwiseParallel(use_local_output=False),
        "down": RowwiseParallel(input_layouts=Shard(-1), use_local_output=False),
    })  # fmt: skip


def tensor_parallel(mesh: DeviceMesh) -> None:
    """Training is the same, and the gate sends nothing."""
    for penalty in (False, True):
        x, t = data()
        model = Model()
        reference = train(copy.deepcopy(model), x, t, penalty=penalty)
        parallelize(model, mesh)
        hidden = model.up(distribute_tensor(x, mesh, [R]))
        assert hidden.placements == (Shard(1),)
        with CommDebugMode() as mode:
            gated = model.gate(hidden)
        assert collectives(mode) == {}
        assert gated.placements == (Shard(1),)
        inputs = (distribute_tensor(v, mesh, [R]) for v in (x, t))
        for ours, theirs in zip(train(model, *inputs, penalty=penalty), reference, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=0)


def sharded_batch(mesh: DeviceMesh) -> None:
    """Replicated parameters and a batch in shards: gradients are partial, training is the same."""
    x, t = data()
    model = Model()
    reference = train(copy.deepcopy(model), x, t, penalty=True)
    distribute_module(model, mesh)
    inputs = (distribute_tensor(v, mesh, [S0]) for v in (x, t))
    for ours, theirs in zip(train(model, *inputs, penalty=True), reference, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=0)


def both_parallel(mesh: DeviceMesh) -> None:
    """Tensor parallelism in one dim of the mesh, fully_shard in the other."""
    square = init_device_mesh("cpu", (2, 2), mesh_dim_names=("data", "columns"))
    x, t = data()
    model = Model()
    reference = train(copy.deepcopy(model), x, t)
    parallelize(model, square["columns"])
    for part in (model.up, model.gate, model.norm, model.down, model):
        fully_shard(part, mesh=square["data"])
    place = square["data"].get_local_rank()
    rows = slice(4 * place, 4 * place + 4)
    inputs = (distribute_tensor(v[rows], square["columns"], [R]) for v in (x, t))
    for ours, theirs in zip(train(model, *inputs), reference, strict=True):
        # The two processes of one row have the same loss.
        dist.all_reduce(ours)
        torch.testing.assert_close(ours / 4, theirs, rtol=1e-9, atol=0)


def replicated_modules(mesh: DeviceMesh) -> None:
    """DistributedDataParallel of a model with modules of ops."""
    x, t = data()
    model = Model()
    reference = train(copy.deepcopy(model), x, t)
    rows = len(x) // mesh.size()
    mine = slice(dist.get_rank() * rows, (dist.get_rank() + 1) * rows)
    whole = nn.parallel.DistributedDataParallel(model)
    for ours, theirs in zip(train(whole, x[mine], t[mine]), reference, strict=True):
        dist.all_reduce(ours)
        torch.testing.assert_close(ours / mesh.size(), theirs, rtol=1e-9, atol=0)


def two_mesh_dims(mesh: DeviceMesh) -> None:
    """Rows over one dim of the mesh, columns over the other."""
    square = init_device_mesh("cpu", (2, 2), mesh_dim_names=("rows", "columns"))
    both, row = [S0, S1], [R, S0]
    compare(symop.compile("w*x + b"), [(EVEN, both), (EVEN, both), (ROW, row)], None, None,
            square, is_elementwise=True)  # fmt: skip
    compare(symop.compile("mean((w*x - b)**2)"), [(EVEN, both), (EVEN, both), (ROW, row)], None,
            None, square, is_elementwise=False)  # fmt: skip
    compare(symop.compile("x/sqrt(mean(x**2, -1) + eps)*w"), [(EVEN, both), 1e-3, (ROW, row)],
            None, None, square, is_elementwise=False, orders=2)  # fmt: skip


ALWAYS = (
    elementwise, reductions, files, unused_outputs, derived_ops, partial_arguments,
    mixed_with_plain, data_parallel, replicated_modules, tensor_parallel, sharded_batch,
)  # fmt: skip
CHECKS = {2: (*ALWAYS, compiled), 4: (*ALWAYS, two_mesh_dims, both_parallel)}


def main(rank: int, world: int, store: str, results: str) -> None:
    """Run the checks for groups of this size, and write what became of each."""
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo", init_method=f"file://{store}", rank=rank, world_size=world, timeout=LIMIT
    )
    mesh = init_device_mesh("cpu", (world,))
    with Path(results).open("w") as file:
        for check in CHECKS[world]:
            try:
                check(mesh)
                problem = ""
            except Exception:
                problem = traceback.format_exc()
            file.write(json.dumps({"check": check.__name__, "problem": problem}) + "\n")
            file.flush()
    dist.destroy_process_group()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4])
