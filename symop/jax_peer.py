"""A formula in JAX: value, and value with gradients, each one compiled function."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import torch

from symop.errors import CallError
from symop.frames import Frame, dropped_dims
from symop.lowering import lower
from symop.program import Node, Program

# Functions of the table that JAX has, by where they are.
_JAX = {
    **{
        name: f"numpy.{name}"
        for name in (
            "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "sin", "cos", "tan",
            "sinh", "cosh", "tanh", "abs", "sign", "floor", "ceil", "round", "trunc", "maximum",
            "minimum", "fmax", "fmin", "hypot", "copysign", "fmod", "remainder", "logaddexp",
            "sinc", "atan2", "asin", "acos", "atan", "asinh", "acosh", "atanh",
        )
    },
    **{
        name: f"scipy.special.{name}"
        for name in (
            "erf", "erfc", "erfinv", "digamma", "i0", "i0e", "i1", "i1e", "xlogy", "xlog1py",
            "entr", "ndtr", "log_ndtr", "ndtri", "logit", "zeta",
        )
    },
    "lgamma": "scipy.special.gammaln", "sigmoid": "nn.sigmoid", "softplus1": "nn.softplus",
    "relu": "nn.relu", "silu": "nn.silu", "mish": "nn.mish", "rsqrt": "lax.rsqrt",
    "root": "numpy.sqrt", "pow": "numpy.power", "where": "numpy.where",
    "add": "numpy.add", "sub": "numpy.subtract", "mul": "numpy.multiply", "div": "numpy.divide",
    "neg": "numpy.negative", "lt": "numpy.less", "le": "numpy.less_equal", "gt": "numpy.greater",
    "ge": "numpy.greater_equal", "eq": "numpy.equal", "ne": "numpy.not_equal",
    "and": "numpy.logical_and", "or": "numpy.logical_or", "not": "numpy.logical_not",
}  # fmt: skip
_REDUCTIONS = {"sum": "sum", "prod": "prod", "amax": "max", "amin": "min"}


def jax_runs(program: Program, values: Sequence[torch.Tensor]) -> dict[str, Callable[[], Any]]:
    """Calls to be timed, by mode, which wait until JAX has computed everything.

    Raises:
        CallError: JAX is not installed, or the formula has an operation that is not in the table.
    """
    try:
        import jax
    except ImportError as error:
        raise CallError("JAX is not installed; pip install jax") from error
    jax.config.update("jax_enable_x64", True)
    lowered = lower(program, frozenset(_JAX))
    function = _function(lowered)
    arrays = [jax.numpy.asarray(v.detach().numpy()) for v in values]
    places = tuple(k for k, v in enumerate(values) if v.requires_grad)
    forward = jax.jit(function)
    ones = jax.tree.map(jax.numpy.ones_like, forward(*arrays))

    @jax.jit  # type: ignore[untyped-decorator, unused-ignore]
    def both(cotangent: Any, *given: Any) -> Any:
        value, pull = jax.vjp(function, *given)
        gradients = pull(cotangent)
        return value, [gradients[k] for k in places]

    return {
        "forward": lambda: jax.block_until_ready(forward(*arrays)),
        "both": lambda: jax.block_until_ready(both(ones, *arrays)),
    }


def _function(program: Program) -> Callable[..., Any]:
    """The program as a function that JAX traces."""

    def function(*given: Any) -> Any:
        names = [a.name for a in program.arguments]
        known = dict(zip(names, given, strict=True))
        values: list[Any] = []
        for node in program.nodes:
            values.append(_value(node, [values[o] for o in node.operands], known))
        outputs = []
        for output in program.outputs:
            value = _broadcast(values[output.node], output.frame, known)
            dims = dropped_dims(output.frame) if output.dropped else ()
            outputs.append(value.squeeze(dims) if dims else value)
        return outputs[0] if len(outputs) == 1 else tuple(outputs)

    return function


def _value(node: Node, operands: Sequence[Any], known: Mapping[str, Any]) -> Any:
    import jax

    match node.op:
        case "argument" | "mask":
            return known[str(node.value)]
        case "constant":
            assert isinstance(node.value, Fraction)
            return float(node.value)
        case "pi":
            return jax.numpy.pi
        case "ipow":
            return jax.lax.integer_pow(operands[0], int(node.value or 0))
        case "stop":
            return jax.lax.stop_gradient(operands[0])
        case "count":
            return _size(node.source or (), known) / _size(node.target or (), known)
    if node.op in _REDUCTIONS and node.source is not None:
        whole = _broadcast(operands[0], node.source, known)
        reduce = getattr(jax.numpy, _REDUCTIONS[node.op])
        return reduce(whole, axis=node.dims, keepdims=node.dims is not None)
    path = _JAX.get(node.op)
    if path is None:
        raise CallError(f"{node.op} is not in the table of what JAX computes")
    found: Any = jax
    for part in path.split("."):
        found = getattr(found, part)
    return found(*operands)


def _shape(frame: Frame, known: Mapping[str, Any]) -> tuple[int, ...]:
    import jax

    shapes: list[tuple[int, ...]] = []
    for atom in frame:
        if isinstance(atom, str):
            shapes.append(known[atom].shape)
            continue
        inner, dims = atom
        shape = list(_shape(inner, known))
        for dim in dims:
            shape[dim] = 1
        shapes.append(tuple(shape))
    return tuple(jax.numpy.broadcast_shapes(*shapes))


def _size(frame: Frame, known: Mapping[str, Any]) -> int:
    size = 1
    for length in _shape(frame, known):
        size *= length
    return size


def _broadcast(value: Any, frame: Frame, known: Mapping[str, Any]) -> Any:
    import jax

    return jax.numpy.broadcast_to(value, _shape(frame, known))
