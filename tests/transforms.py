"""What PyTorch can do with an operator: each transform as a function of the operator.

A transform takes a function of tensors and arguments for it, and returns what it measures, a
tree of tensors. Applied to an op and to the plain torch expression of the same formula it must
give the same. `python -m tests.transforms` writes the matrix in docs/transforms.md.
"""

from __future__ import annotations

import contextlib
import copy
import importlib.util
import pickle
import sys
import tempfile
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch.autograd import forward_ad
from torch.func import grad, hessian, jacfwd, jacrev, jvp, linearize, vjp, vmap
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils._pytree import tree_leaves, tree_map
from torch.utils.checkpoint import checkpoint

import symop

DOCUMENT = Path(__file__).parent.parent / "docs" / "transforms.md"

# Ops


@dataclass(frozen=True)
class Case:
    """An op: its formula, the plain torch expression, and shapes of arguments."""

    name: str
    formula: str
    plain: Callable[..., Any]
    shapes: tuple[tuple[int, ...], ...]
    options: tuple[tuple[str, Any], ...] = ()
    values: Callable[[list[torch.Tensor]], list[torch.Tensor]] = lambda values: values

    def inputs(self, dtype: torch.dtype = torch.float64) -> tuple[torch.Tensor, ...]:
        """Arguments, the same in every call."""
        generator = torch.Generator().manual_seed(1)
        drawn = [torch.randn(s, generator=generator, dtype=dtype) for s in self.shapes]
        return tuple(self.values(drawn))

    def compiled(self) -> Callable[..., Any]:
        """The op of symop.compile."""
        return symop.compile(self.formula, name=self.name, **self._made())

    def generated(self, folder: Path, backends: Sequence[str] = ("torch",)) -> Callable[..., Any]:
        """The function of a generated file."""
        files = symop.generate(
            self.formula, name=self.name, tests=False, backends=backends, **self._made()
        )
        files.write(folder)
        spec = importlib.util.spec_from_file_location(self.name, folder / f"{self.name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        # What pickles or loads a function finds it by the name of its module.
        sys.modules[self.name] = module
        spec.loader.exec_module(module)
        return getattr(module, self.name)

    def _made(self) -> dict[str, Any]:
        return {key: value() if callable(value) else value for key, value in self.options}


def _p3(x: torch.Tensor) -> torch.Tensor:
    return 0.5 * (5 * x**3 - 3 * x)


def _rms_norm(x: torch.Tensor, w: torch.Tensor, eps: torch.Tensor) -> torch.Tensor:
    return x / torch.sqrt((x**2).mean(-1, keepdim=True) + eps) * w


def _program(x: torch.Tensor, a: torch.Tensor) -> torch.Tensor:
    h = torch.tanh(a * x)
    k = torch.sigmoid(h + x)
    return h * k + torch.exp(-k)


def _tied(values: list[torch.Tensor]) -> list[torch.Tensor]:
    a, b = values
    return [a, torch.where(torch.arange(3) == 1, a[0, 1], b)]


def _positive(values: list[torch.Tensor]) -> list[torch.Tensor]:
    return [v.abs() + 0.2 for v in values]


OPS = (
    Case("p3", "0.5*(5*x**3 - 3*x)", _p3, ((4, 3),)),
    Case("multiply_add", "w*x + b", lambda w, x, b: w * x + b, ((3,), (4, 3), ())),
    Case("polar", "r = hypot(x, y); a = atan2(y, x)",
         lambda x, y: (torch.hypot(x, y), torch.atan2(y, x)), ((4, 3), (4, 3))),
    Case("gate", "h = tanh(a*x)\nk = sigmoid(h + x)\nh*k + exp(-k)", _program, ((4, 3), (3,)),
         (("args", ("x", "a")),)),
    Case("leaky", "Piecewise((x**2, x > 0), (a*x, True))",
         lambda x, a: torch.where(x > 0, x**2, a * x), ((4, 3), ())),
    Case("fit_loss", "mean((a + b*x + c*x**2 - y)**2)",
         lambda a, b, x, c, y: ((a + b * x + c * x**2 - y) ** 2).mean(),
         ((), (), (4, 3), (), (4, 3))),
    Case("rms_norm", "x / sqrt(mean(x**2, -1) + eps) * w",
         lambda x, eps, w: _rms_norm(x, w, eps), ((4, 3), (), (3,)),
         values=lambda v: [v[0], v[1].abs(), v[2]]),
    Case("gelu_op", "gelu(x)", F.gelu, ((4, 3),)),
    Case("xlogy_op", "xlogy(x, y)", torch.xlogy, ((4, 3), (4, 3)), values=_positive),
    Case("maximum_op", "maximum(x, y)", torch.maximum, ((4, 3), (3,)), values=_tied),
    Case("caller", "P3(w*x) + w", lambda w, x: _p3(w * x) + w, ((3,), (4, 3)),
         (("functions", lambda: {"P3": symop.compile("0.5*(5*x**3 - 3*x)")}),)),
    Case("unused", "x**3", lambda x, u: x**3, ((4, 3), ()), (("args", ("x", "u")),)),
)  # fmt: skip

# Transforms

Function = Callable[..., Any]
Tensors = Sequence[torch.Tensor]


def scalar(result: Any) -> torch.Tensor:
    """A number that depends on every output, and not linearly."""
    return sum((k + 1.5) * (o + o * o).sum() for k, o in enumerate(tree_leaves(result)))


def loss(f: Function) -> Function:
    """The function as one that returns a number."""
    return lambda *values: scalar(f(*values))


def leaves(values: Tensors) -> list[torch.Tensor]:
    """The values as leaves that require grad."""
    return [v.detach().clone().requires_grad_() for v in values]


def gradients(f: Function, values: Tensors, **options: Any) -> Any:
    """The gradients by all values; zeros where there is none."""
    return torch.autograd.grad(
        loss(f)(*values), values, allow_unused=True, materialize_grads=True, **options
    )


def everything(values: Tensors) -> tuple[int, ...]:
    """All argument numbers."""
    return tuple(range(len(values)))


def tangents(values: Tensors) -> tuple[torch.Tensor, ...]:
    """A direction."""
    return tuple(torch.cos(v + k) for k, v in enumerate(values))


def directional(f: Function) -> Function:
    """The derivative along the direction, by torch.func.jvp."""
    return lambda *values: jvp(f, values, tangents([v.detach() for v in values]))[1]


def backward(f: Function, values: Tensors) -> Any:
    return gradients(f, leaves(values))


def double_backward(f: Function, values: Tensors) -> Any:
    xs = leaves(values)
    first = gradients(f, xs, create_graph=True)
    return torch.autograd.grad(scalar(first), xs, materialize_grads=True, allow_unused=True)


def triple_backward(f: Function, values: Tensors) -> Any:
    xs = leaves(values)
    more = {"create_graph": True, "allow_unused": True, "materialize_grads": True}
    first = gradients(f, xs, create_graph=True)
    second = torch.autograd.grad(scalar(first), xs, **more)
    return torch.autograd.grad(scalar(second), xs, allow_unused=True, materialize_grads=True)


def forward_mode(f: Function, values: Tensors) -> Any:
    with forward_ad.dual_level():
        result = f(*map(forward_ad.make_dual, values, tangents(values)))
        return tree_map(lambda o: forward_ad.unpack_dual(o).tangent, result)


def forward_over_reverse(f: Function, values: Tensors) -> Any:
    with forward_ad.dual_level():
        xs = leaves(values)
        duals = list(map(forward_ad.make_dual, xs, tangents(values)))
        found = gradients(f, duals, create_graph=True)
        parts = [forward_ad.unpack_dual(g).tangent for g in found]
        return [torch.zeros_like(x) if p is None else p for p, x in zip(parts, xs, strict=True)]


def batched_backward(f: Function, values: Tensors) -> Any:
    xs = leaves(values)
    outputs = tree_leaves(f(*xs))
    seeds = [torch.stack([torch.ones_like(o), torch.cos(o.detach())]) for o in outputs]
    return torch.autograd.grad(
        outputs, xs, seeds, is_grads_batched=True, allow_unused=True, materialize_grads=True
    )


def autograd_functional(f: Function, values: Tensors) -> Any:
    v = tangents(values)
    return (
        torch.autograd.functional.hvp(loss(f), tuple(values), v),
        torch.autograd.functional.jacobian(loss(f), tuple(values), vectorize=True),
    )


def func_vjp(f: Function, values: Tensors) -> Any:
    result, pull = vjp(f, *values)
    return pull(tree_map(torch.cos, result))


def jvp_over_vjp(f: Function, values: Tensors) -> Any:
    first = grad(loss(f), argnums=everything(values))
    return jvp(first, tuple(values), tangents(values))


def vjp_over_jvp(f: Function, values: Tensors) -> Any:
    return grad(loss(directional(f)), argnums=everything(values))(*values)


def _batch(values: Tensors, dims: Sequence[int | None]) -> list[torch.Tensor]:
    """The values with a batch of two at the given dims."""
    return [
        v if d is None else torch.stack([v, v * 0.5 + 0.1], dim=d)
        for v, d in zip(values, dims, strict=True)
    ]


def _in_dims(values: Tensors) -> list[tuple[int | None, ...]]:
    """Ways to batch the values: all, each alone, and last dims."""
    n = len(values)
    alone = [tuple(0 if k == i else None for k in range(n)) for i in range(n)]
    return [(0,) * n, *alone, tuple(v.dim() for v in values)]


def vmap_in_dims(f: Function, values: Tensors) -> Any:
    return [vmap(f, in_dims=d)(*_batch(values, d)) for d in _in_dims(values)]


def vmap_nested(f: Function, values: Tensors) -> Any:
    n = len(values)
    outer, inner = (0,) * n, (-1,) * n
    return vmap(vmap(f, in_dims=inner), in_dims=outer)(*_batch(_batch(values, inner), outer))


def vmap_grad(f: Function, values: Tensors) -> Any:
    first = grad(loss(f), argnums=everything(values))
    return [vmap(first, in_dims=d)(*_batch(values, d)) for d in _in_dims(values)]


def grad_vmap(f: Function, values: Tensors) -> Any:
    d = (0,) * len(values)
    return grad(loss(vmap(f)), argnums=everything(values))(*_batch(values, d))


def vmap_hessian(f: Function, values: Tensors) -> Any:
    return vmap(hessian(loss(f)))(*_batch(values, (0,) * len(values)))


def linearized(f: Function, values: Tensors) -> Any:
    result, push = linearize(f, *values)
    return result, push(*tangents(values))


def compiled(f: Function, **options: Any) -> Function:
    """The function under torch.compile, in one graph."""
    torch._dynamo.reset()
    return torch.compile(f, fullgraph=True, **{"backend": "aot_eager", **options})


def compile_dynamic(f: Function, values: Tensors) -> Any:
    """Three sizes, of which only the first may compile."""
    g = compiled(f, dynamic=True)
    results = []
    for size in (5, 7, 11):
        xs = [v[:1].expand(size, *v.shape[1:]) if v.dim() == 2 else v for v in values]
        with torch._dynamo.config.patch(error_on_recompile=size > 5):
            results.append(gradients(g, leaves(xs)))
    return results


def compile_of(transform: Callable[[Function, Tensors], Function]) -> Any:
    """A transform of torch.func inside torch.compile."""

    def run(f: Function, values: Tensors) -> Any:
        return compiled(lambda *xs: transform(f, xs))(*values)

    return run


def compiled_autograd(f: Function, values: Tensors) -> Any:
    xs = leaves(values)
    torch._dynamo.reset()
    with torch._dynamo.compiled_autograd._enable(torch.compile(backend="eager", fullgraph=True)):
        return gradients(f, xs)


class _Model(torch.nn.Module):
    def __init__(self, f: Function) -> None:
        super().__init__()
        self.f = f

    def forward(self, *values: torch.Tensor) -> Any:
        return tree_map(lambda o: o * 2, self.f(*values))


def export(f: Function, values: Tensors, **options: Any) -> Any:
    program = torch.export.export(_Model(f), tuple(values), **options)
    return program.module()(*values)


def export_trained(f: Function, values: Tensors) -> Any:
    program = torch.export.export(_Model(f), tuple(leaves(values)))
    return gradients(program.module(), leaves(values))


def traced_fx(f: Function, values: Tensors) -> Any:
    first = grad(loss(f), argnums=everything(values))
    return make_fx(first, tracing_mode="symbolic")(*values)(*values), make_fx(f)(*values)(*values)


def jit_trace(f: Function, values: Tensors) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return torch.jit.trace(f, tuple(values))(*values)


def checkpointed(f: Function, values: Tensors) -> Any:
    return [
        gradients(lambda *xs: checkpoint(f, *xs, use_reentrant=False), leaves(values)),
        reentrant(f, values),
    ]


def reentrant(f: Function, values: Tensors) -> Any:
    xs = leaves(values)
    loss(lambda *v: checkpoint(f, *v, use_reentrant=True))(*xs).backward()
    return [torch.zeros_like(x) if x.grad is None else x.grad for x in xs]


def saved_hooks(f: Function, values: Tensors) -> Any:
    with torch.autograd.graph.save_on_cpu():
        first = backward(f, values)
    pack, unpack = (lambda t: t.numpy(), torch.from_numpy)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: pack(t.detach()), unpack):
        return first, backward(f, values)


def retained(f: Function, values: Tensors) -> Any:
    xs = leaves(values)
    value = loss(f)(*xs)
    value.backward(retain_graph=True)
    value.backward()
    return [torch.zeros_like(x) if x.grad is None else x.grad for x in xs]


def anomaly(f: Function, values: Tensors) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        with torch.autograd.detect_anomaly(), torch.autograd.set_multithreading_enabled(False):
            return backward(f, values)


def autocast(f: Function, values: Tensors) -> Any:
    """Autocast must change nothing inside an op, whose reference is not cast either."""
    is_plain = not hasattr(f, "op_of_symop")
    singles = [v.float() for v in values]
    with torch.autocast("cpu", torch.bfloat16, enabled=not is_plain):
        result = f(*singles)
    return result, backward(f, singles)


def grad_scaler(f: Function, values: Tensors) -> Any:
    xs = leaves([v.float() for v in values])
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    optimizer = torch.optim.SGD(xs, lr=0.01)
    scaler.scale(loss(f)(*xs)).backward()
    scaler.step(optimizer)
    scaler.update()
    return [x.detach() for x in xs]


def meta(f: Function, values: Tensors) -> Any:
    xs = [v.to("meta").requires_grad_() for v in values]
    result = f(*xs)
    return tree_map(lambda t: torch.zeros(t.shape), (result, gradients(f, xs)))


def fake(f: Function, values: Tensors) -> Any:
    from torch._subclasses import FakeTensorMode

    with FakeTensorMode() as mode:
        xs = [mode.from_tensor(v).requires_grad_() for v in values]
        shapes = [tuple(t.shape) for t in tree_leaves((f(*xs), gradients(f, xs)))]
    return [torch.zeros(s) for s in shapes]


class _Tagged(torch.Tensor):
    """A subclass that stays one through torch's functions."""


def function_subclass(f: Function, values: Tensors) -> Any:
    xs = [v.as_subclass(_Tagged) for v in leaves(values)]
    result = f(*xs)
    assert all(isinstance(o, _Tagged) for o in tree_leaves(result))
    return gradients(f, xs)


def dispatch_mode(f: Function, values: Tensors) -> Any:
    from torch.utils._python_dispatch import TorchDispatchMode

    class Doubles(TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            return function(*args, **(kwargs or {}))

    with Doubles():
        return f(*values), backward(f, values)


def dispatch_subclass(f: Function, values: Tensors) -> Any:
    from torch.testing._internal.two_tensor import TwoTensor

    pairs = [TwoTensor(v, v * 0.5 + 0.1).requires_grad_() for v in values]
    return [(g.a, g.b) for g in gradients(f, pairs)]


def parameters(f: Function, values: Tensors) -> Any:
    xs = [torch.nn.Parameter(v) for v in values]
    loss(f)(*xs).backward()
    return [torch.zeros_like(x) if x.grad is None else x.grad for x in xs]


def inference(f: Function, values: Tensors) -> Any:
    with torch.inference_mode():
        result = f(*values)
    assert all(o.is_inference() for o in tree_leaves(result))
    with torch.no_grad():
        xs = leaves(values)
        assert not any(o.requires_grad for o in tree_leaves(f(*xs)))
    return tree_map(torch.clone, result)


def deterministic(f: Function, values: Tensors) -> Any:
    torch.use_deterministic_algorithms(True)
    try:
        return backward(f, values), double_backward(f, values)
    finally:
        torch.use_deterministic_algorithms(False)


def copied(f: Function, values: Tensors) -> Any:
    with contextlib.suppress(AttributeError, pickle.PicklingError):
        f = pickle.loads(pickle.dumps(f))
    return backward(copy.deepcopy(_Model(f)), values)


def strided(f: Function, values: Tensors) -> Any:
    xs = [v.t() if v.dim() == 2 else v for v in leaves(values)]
    xs = [x.t().contiguous().t().t() if x.dim() == 2 else x for x in xs]
    wide = [x.repeat(2, 2)[::2, : x.shape[1]] if x.dim() == 2 else x for x in xs]
    results = f(*wide)
    seeds = [torch.ones((), dtype=o.dtype).expand_as(o) for o in tree_leaves(results)]
    return results, torch.autograd.grad(
        tree_leaves(results), wide, seeds, allow_unused=True, materialize_grads=True
    )


def hooks(f: Function, values: Tensors) -> Any:
    xs = leaves(values)
    result = f(*xs)
    for o in tree_leaves(result):
        o.register_hook(lambda g: g * 2)
    for x in xs:
        # The edge to an argument that is not used carries None.
        x.register_hook(lambda g: g if g is None else g + 1)
    scalar(result).backward()
    return [torch.ones_like(x) if x.grad is None else x.grad for x in xs]


def in_place_after(f: Function, values: Tensors) -> Any:
    """Plain operations such as hypot, which save their result, need a copy of it."""
    xs = leaves(values)
    changed = (lambda o: o) if hasattr(f, "op_of_symop") else torch.clone
    result = [changed(o).mul_(2) for o in tree_leaves(f(*xs))]
    return torch.autograd.grad(scalar(result), xs, allow_unused=True, materialize_grads=True)


def low_precision(f: Function, values: Tensors) -> Any:
    """Half precision, whose reference is computed in float32 and rounded once."""
    halves = [v.to(torch.bfloat16) for v in values]
    if hasattr(f, "op_of_symop"):
        return f(*halves), torch.autograd.grad(_sum(f, xs := leaves(halves)), xs, **_ANY)
    xs = leaves([v.float() for v in halves])
    wide = f(*xs), torch.autograd.grad(_sum(f, xs), xs, **_ANY)
    return tree_map(lambda o: o.to(torch.bfloat16), wide)


_ANY: dict[str, Any] = {"allow_unused": True, "materialize_grads": True}


def _sum(f: Function, values: Tensors) -> torch.Tensor:
    # In float32: the cotangents of the op and of its reference are then the same.
    return sum((k + 1.5) * o.float().sum() for k, o in enumerate(tree_leaves(f(*values))))


_ALL = everything

TRANSFORMS: dict[str, Callable[[Function, Tensors], Any]] = {
    "forward": lambda f, v: f(*v),
    "backward": backward,
    "double backward": double_backward,
    "triple backward": triple_backward,
    "is_grads_batched": batched_backward,
    "autograd.functional hvp, jacobian": autograd_functional,
    "forward mode (forward_ad)": forward_mode,
    "forward over reverse (forward_ad)": forward_over_reverse,
    "func.grad": lambda f, v: grad(loss(f), argnums=_ALL(v))(*v),
    "func.vjp": func_vjp,
    "func.jvp": lambda f, v: jvp(f, tuple(v), tangents(v)),
    "jacrev": lambda f, v: jacrev(f, argnums=_ALL(v))(*v),
    "jacfwd": lambda f, v: jacfwd(f, argnums=_ALL(v))(*v),
    "hessian": lambda f, v: hessian(loss(f), argnums=_ALL(v))(*v),
    "jacrev of jacrev": lambda f, v: jacrev(jacrev(f))(*v),
    "jacfwd of jacfwd": lambda f, v: jacfwd(jacfwd(f))(*v),
    "jacrev of jacfwd": lambda f, v: jacrev(jacfwd(f))(*v),
    "jacfwd of hessian": lambda f, v: jacfwd(hessian(loss(f)))(*v),
    "jvp of jvp": lambda f, v: directional(directional(f))(*v),
    "jvp of jvp of jvp": lambda f, v: directional(directional(directional(f)))(*v),
    "jvp over vjp": jvp_over_vjp,
    "vjp over jvp": vjp_over_jvp,
    "vmap, every in_dims": vmap_in_dims,
    "vmap of vmap": vmap_nested,
    "vmap of grad": vmap_grad,
    "grad of vmap": grad_vmap,
    "vmap of hessian": vmap_hessian,
    "vmap of jvp of jvp": lambda f, v: vmap(directional(directional(f)))(*_batch(v, [0] * len(v))),
    "jvp of jvp of vmap": lambda f, v: directional(directional(vmap(f)))(*_batch(v, [0] * len(v))),
    "linearize": linearized,
    "functionalize": lambda f, v: torch.func.functionalize(f)(*v),
    "compile": lambda f, v: compiled(f)(*v),
    "compile, backward": lambda f, v: backward(compiled(f), v),
    "compile, dynamic shapes, one graph": compile_dynamic,
    "compile of vmap": compile_of(lambda f, v: vmap_in_dims(f, v)[0]),
    "compile of grad": compile_of(lambda f, v: grad(loss(f), argnums=_ALL(v))(*v)),
    "compile of jvp": compile_of(lambda f, v: jvp(f, tuple(v), tangents(v))),
    "compile of vmap of grad": compile_of(
        lambda f, v: vmap(grad(loss(f), argnums=_ALL(v)))(*_batch(v, [0] * len(v)))
    ),
    "compile of hessian": compile_of(lambda f, v: hessian(loss(f))(*v)),
    "compile of jvp over vjp": compile_of(jvp_over_vjp),
    "compiled autograd": compiled_autograd,
    "export": export,
    "export, strict": lambda f, v: export(f, v, strict=True),
    "export, trained": export_trained,
    "make_fx": traced_fx,
    "jit.trace": jit_trace,
    "vmap of compile": lambda f, v: vmap(compiled(f))(*_batch(v, [0] * len(v))),
    "checkpoint": checkpointed,
    "saved-tensor hooks, save_on_cpu": saved_hooks,
    "retain_graph": retained,
    "anomaly mode, one thread": anomaly,
    "hooks on tensors": hooks,
    "in-place change of the result": in_place_after,
    "autocast": autocast,
    "GradScaler": grad_scaler,
    "bfloat16": low_precision,
    "meta tensors": meta,
    "fake tensors": fake,
    "subclass with __torch_function__": function_subclass,
    "subclass with __torch_dispatch__": dispatch_subclass,
    "mode with __torch_dispatch__": dispatch_mode,
    "nn.Parameter": parameters,
    "inference_mode, no_grad": inference,
    "deterministic algorithms": deterministic,
    "pickle, deepcopy": copied,
    "strided and expanded": strided,
}


# The matrix


class Cube(torch.autograd.Function):
    """What a person writes by hand, for transforms that no Function can go through."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x):
        return x**3

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 3 * g * x**2


def agree(found: Any, expected: Any) -> bool:
    """Whether two results are the same up to rounding."""
    pairs = list(zip(tree_leaves(found), tree_leaves(expected), strict=True))
    return all(
        (a is None and b is None)
        or (
            a.shape == b.shape
            and a.dtype == b.dtype
            and torch.allclose(a, b, **_tolerance(b.dtype), equal_nan=True)
        )
        for a, b in pairs
    )


def _tolerance(dtype: torch.dtype) -> dict[str, float]:
    size = {torch.float64: 1e-9, torch.float32: 1e-5, torch.bfloat16: 2**-7}[dtype]
    return {"rtol": size, "atol": size / 100}


# What torch refuses for the plain expression too, or for any Function.
REFUSED = ("functionalize", "vmap of compile")


def outcome(name: str, f: Function, case: Case) -> str:
    """Either pass, or an error that torch raises for others too; else what is wrong."""
    transform = TRANSFORMS[name]
    if name not in REFUSED:
        same = agree(transform(f, case.inputs()), transform(case.plain, case.inputs()))
        return "pass" if same else "another result"
    try:
        transform(f, case.inputs())
    except Exception as error:
        for other, values in ((case.plain, case.inputs()), (Cube.apply, OPS[0].inputs())):
            try:
                transform(other, values)
            except Exception as same:
                if type(same) is type(error):
                    return "refused"
        raise
    return "pass"


@cache
def carrying(case: Case) -> Function:
    """The function of a file that carries fused loops."""
    with tempfile.TemporaryDirectory() as folder:
        function = case.generated(Path(folder), ("torch", "cpu"))
    function.op_of_symop = True
    return function


@cache
def both(case: Case) -> tuple[Function, Function]:
    """The op of symop.compile, and the function of the file that symop writes for it."""
    with tempfile.TemporaryDirectory() as folder:
        functions = (case.compiled(), case.generated(Path(folder)))
    for function in functions:
        function.op_of_symop = True
    return functions


@cache
def fused(case: Case) -> Function:
    """The op of symop.compile on fused CPU kernels."""
    function = symop.compile(case.formula, name=case.name, backend="cpu", **case._made())
    function.op_of_symop = True
    return function


def builds(name: str, case: Case) -> tuple[Function, ...]:
    """What a transform is tried on; a compiler sees no kernels, so they are tried once there."""
    is_compiled = name.startswith(("compile ", "compile,", "export", "vmap of compile"))
    return both(case) if is_compiled else (*both(case), fused(case))


def row(name: str, cases: Sequence[Case] = OPS) -> list[str]:
    """The outcomes of one transform for ops; of all builds the worst one."""
    cells = []
    for case in cases:
        found = {outcome(name, f, case) for f in builds(name, case)}
        cells.append("; ".join(sorted(found)))
    return cells


def line(name: str, cells: Sequence[str]) -> str:
    """A row of the table."""
    return f"| {name} | {' | '.join('✓' if cell == 'pass' else cell for cell in cells)} |"


def document(rows: dict[str, list[str]]) -> str:
    """The page."""
    head = [f"| transform | {' | '.join(c.name for c in OPS)} |", "|---" * (len(OPS) + 1) + "|"]
    formulas = [f"| {c.name} | `{c.formula.replace(chr(10), '; ')}` |" for c in OPS]
    return "\n".join(
        [
            "# Ops under the transforms of PyTorch",
            "",
            "Written by `python -m tests.transforms`.",
            "Each cell compares an op with the plain torch expression of the same formula under",
            "the same transform, for the op of `symop.compile` and for the module of",
            "`symop generate`. ✓ is the same result. `refused` is an error that torch raises for",
            "the plain expression or for a hand-written `torch.autograd.Function` as well.",
            "",
            *head,
            *(line(name, cells) for name, cells in rows.items()),
            "",
            "Compiling nested forward mode (`jvp` of `jvp`, `jacfwd` of `hessian`) is left out:",
            "torch.compile fails there for most plain expressions too, and an op raises its error.",
            "",
            "The ops:",
            "",
            "| op | formula |",
            "|---|---|",
            *formulas,
            "",
            "Written by `python -m tests.transforms`; the tests compare every row.",
            "",
        ]
    )


def main() -> None:
    """Write the page."""
    rows = {}
    for name in TRANSFORMS:
        rows[name] = row(name)
        print(line(name, rows[name]), flush=True)
    DOCUMENT.parent.mkdir(exist_ok=True)
    DOCUMENT.write_text(document(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
