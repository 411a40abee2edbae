"""An op under the transforms of PyTorch, held against autograd of its operations."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch.autograd import forward_ad
from torch.func import grad, hessian, jacfwd, jacrev, jvp, vjp, vmap
from torch.utils._pytree import tree_leaves, tree_map
from torch.utils.checkpoint import checkpoint

from symop.samples import Samples

if TYPE_CHECKING:
    from symop.operators import Op

Function = Callable[..., Any]
Values = Sequence[torch.Tensor]

# Both sides compute in float64, by formulas that differ by roundings.
_RELATIVE, _ABSOLUTE = 1e-8, 1e-10


@dataclass(frozen=True)
class TransformCheck:
    """One transform: its name, and what differs from autograd of operations, empty if nothing."""

    name: str
    fault: str

    def __bool__(self) -> bool:
        return not self.fault


def transform_checks(op: Op) -> tuple[TransformCheck, ...]:
    """The op under each transform, at one example in float64.

    The reference is the forward method of the generated class under the same transform, which is
    operations of torch that autograd knows by itself.
    """
    example = next(iter(Samples(op.written, op.program).examples()), None)
    if example is None:
        return ()
    masks = {n: v for n, v in example.items() if not v.is_floating_point()}
    values = [v for v in example.values() if v.is_floating_point()]
    names = [n for n in example if n not in masks]

    def of(function: Function) -> Function:
        def call(*real: torch.Tensor) -> Any:
            known = {**masks, **dict(zip(names, real, strict=True))}
            return function(*(known[n] for n in op.args))

        return call

    own, plain = of(op), of(op.function.forward)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return tuple(
            TransformCheck(name, _fault(transform, own, plain, values))
            for name, transform in TRANSFORMS.items()
        )


def _fault(transform: Function, own: Function, plain: Function, values: Values) -> str:
    expected = _attempt(transform, plain, values)
    found = _attempt(transform, own, values)
    if isinstance(found, str):
        return "" if found == expected else f"raises {found}"
    if isinstance(expected, str):
        # What autograd of operations cannot do, the op may.
        return ""
    pairs = zip(tree_leaves(found), tree_leaves(expected), strict=True)
    same = all(
        a.shape == b.shape and torch.allclose(a, b, _RELATIVE, _ABSOLUTE, equal_nan=True)
        for a, b in pairs
    )
    return "" if same else "differs"


def _attempt(transform: Function, function: Function, values: Values) -> Any:
    try:
        return tree_map(lambda t: t.detach(), transform(function, [v.clone() for v in values]))
    except Exception as error:
        return type(error).__name__


# Transforms take a function and values for it


def _loss(function: Function) -> Function:
    """A number that depends on every output, and not linearly."""
    return lambda *values: sum(
        (k + 1.5) * (o + o * o).sum() for k, o in enumerate(tree_leaves(function(*values)))
    )


def _leaves(values: Values) -> list[torch.Tensor]:
    return [v.detach().requires_grad_() for v in values]


def _tangents(values: Values) -> tuple[torch.Tensor, ...]:
    return tuple(torch.cos(v.detach() + k) for k, v in enumerate(values))


def _all(values: Values) -> tuple[int, ...]:
    return tuple(range(len(values)))


def _backward(order: int) -> Function:
    def run(function: Function, values: Values) -> Any:
        leaves = _leaves(values)
        found: Any = function(*leaves)
        for k in range(order):
            total = _loss(lambda found=found: found)()
            found = torch.autograd.grad(
                total, leaves, create_graph=k + 1 < order, allow_unused=True,
                materialize_grads=True,
            )  # fmt: skip
        return found

    return run


def _forward_mode(function: Function, values: Values) -> Any:
    with forward_ad.dual_level():
        result = function(*map(forward_ad.make_dual, values, _tangents(values)))
        unpack: Any = forward_ad.unpack_dual
        return tree_map(lambda o: unpack(o).tangent, result)


def _twice(values: Values) -> list[torch.Tensor]:
    return [torch.stack([v, v]) for v in values]


def _checkpointed(function: Function, values: Values) -> Any:
    leaves = _leaves(values)
    result = checkpoint(function, *leaves, use_reentrant=False)
    return torch.autograd.grad(_loss(lambda: result)(), leaves, allow_unused=True,
                               materialize_grads=True)  # fmt: skip


TRANSFORMS: dict[str, Function] = {
    "forward": lambda f, v: f(*v),
    "backward": _backward(1),
    "double backward": _backward(2),
    "triple backward": _backward(3),
    "forward mode": _forward_mode,
    "func.grad": lambda f, v: grad(_loss(f), _all(v))(*v),
    "func.vjp": lambda f, v: vjp(_loss(f), *v)[1](torch.ones((), dtype=torch.float64)),
    "func.jvp": lambda f, v: jvp(f, tuple(v), _tangents(v)),
    "jvp of jvp": lambda f, v: jvp(
        lambda *x: jvp(f, x, _tangents(v))[1], tuple(v), _tangents(v)
    ),
    "jacrev": lambda f, v: jacrev(f, _all(v))(*v),
    "jacfwd": lambda f, v: jacfwd(f, _all(v))(*v),
    "hessian": lambda f, v: hessian(_loss(f), _all(v))(*v),
    "vmap": lambda f, v: vmap(f)(*_twice(v)),
    "vmap of grad": lambda f, v: vmap(grad(_loss(f), _all(v)))(*_twice(v)),
    "checkpoint": _checkpointed,
}  # fmt: skip
