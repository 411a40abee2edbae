"""Random formulas, and their meaning in plain PyTorch."""

from __future__ import annotations

from typing import Any

import torch
from hypothesis import strategies as st

SMOOTH = ("exp", "sin", "cos", "tanh", "atan", "sigmoid", "softplus", "erf", "asinh", "expm1")
SAFE = {
    # Kept inside their domains for any real argument.
    "log": "log(1.5 + ({0})**2)",
    "sqrt": "sqrt(0.5 + ({0})**2)",
    "log1p": "log1p(({0})**2)",
    "reciprocal": "1/(2 + ({0})**2)",
    "power": "(1.2 + ({0})**2)**1.7",
}
PAIRS = ("({0}) + ({1})", "({0}) - ({1})", "({0})*({1})", "({0})/(1.5 + ({1})**2)",
         "where(({0}) > ({1}), {0}, {1})", "maximum({0}, {1})", "atan2({0}, 3 + ({1})**2)",
         "hypot({0}, 1 + ({1})**2)", "({0}) if ({1}) < 0.3 else -({0})")  # fmt: skip
REDUCE = ("sum({0})", "mean({0})", "amax({0})", "logsumexp({0})", "norm({0})", "prod(0.5*({0}))")
REDUCE_LAST = ("sum({0}, -1)", "mean({0}, -1)", "softmax({0}, -1)", "amax({0}, -1)",
               "log_softmax({0}, -1)", "logsumexp({0}, -1)", "norm({0}, -1)")  # fmt: skip

ARGUMENTS = {"x": (2, 3), "w": (3,), "b": (), "v": (2, 1)}


def formulas(*, reductions: bool) -> st.SearchStrategy[str]:
    """Formulas over the arguments x, w, b, v."""
    leaves = st.one_of(
        st.sampled_from(sorted(ARGUMENTS)),
        st.sampled_from(("2", "0.5", "1.25", "pi", "3/7")),
    )

    def grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        options = [
            st.builds(lambda f, e: f"{f}({e})", st.sampled_from(SMOOTH), inner),
            st.builds(lambda f, e: SAFE[f].format(e), st.sampled_from(sorted(SAFE)), inner),
            st.builds(lambda f, a, b: f.format(a, b), st.sampled_from(PAIRS), inner, inner),
            st.builds(lambda e, n: f"({e})**{n}", inner, st.integers(0, 3)),
            st.builds(lambda e: f"-({e})", inner),
        ]
        if reductions:
            options.append(
                st.builds(lambda f, e: f.format(e), st.sampled_from(REDUCE + REDUCE_LAST), inner)
            )
        return st.one_of(options)

    # Every formula reads x, so that it has an argument and dims to reduce.
    return st.recursive(leaves, grow, max_leaves=6).map(lambda text: f"x*w + ({text})*tanh(x + b)")


def _keep(name: str) -> Any:
    def reduce(e: Any, dim: int | None = None) -> Any:
        e = torch.as_tensor(e, dtype=torch.float64)
        if dim is None:
            return getattr(torch, name)(e)
        return getattr(torch, name)(e, dim, keepdim=True)

    return reduce


def _tensors(function: Any) -> Any:
    def call(*values: Any) -> Any:
        return function(*(torch.as_tensor(v, dtype=torch.float64) for v in values))

    return call


def _norm(e: Any, dim: int | None = None) -> Any:
    e = torch.as_tensor(e, dtype=torch.float64)
    return torch.linalg.vector_norm(e, dim=dim, keepdim=dim is not None)


def _logsumexp(e: Any, dim: int | None = None) -> Any:
    e = torch.as_tensor(e, dtype=torch.float64)
    dims = tuple(range(e.dim())) if dim is None else dim
    return torch.logsumexp(e, dims, keepdim=dim is not None) if e.dim() else e * 1


NAMESPACE: dict[str, Any] = {
    **{name: _tensors(getattr(torch, name)) for name in (
        "exp", "sin", "cos", "tanh", "atan", "sigmoid", "erf", "asinh", "expm1", "log", "sqrt",
        "log1p", "maximum", "atan2", "hypot")},
    "softplus": _tensors(lambda u: torch.logaddexp(u, torch.zeros_like(u))),
    "where": lambda c, a, b: torch.where(
        torch.as_tensor(c), torch.as_tensor(a, dtype=torch.float64),
        torch.as_tensor(b, dtype=torch.float64)),
    **{name: _keep(name) for name in ("sum", "mean", "amax", "prod")},
    "norm": _norm,
    "logsumexp": _logsumexp,
    "softmax": lambda e, dim: torch.softmax(torch.as_tensor(e, dtype=torch.float64), dim),
    "log_softmax": lambda e, dim: torch.log_softmax(torch.as_tensor(e, dtype=torch.float64), dim),
    "pi": torch.pi,
}  # fmt: skip


def plain(text: str, values: dict[str, Any]) -> Any:
    """The formula evaluated by Python itself on PyTorch operations; the text is our own."""
    if " if " in text:
        text = _as_where(text)
    return eval(text, {"__builtins__": {}}, {**NAMESPACE, **values})


def _as_where(text: str) -> str:
    import ast

    class Conditional(ast.NodeTransformer):
        def visit_IfExp(self, node: ast.IfExp) -> Any:
            self.generic_visit(node)
            return ast.Call(ast.Name("where", ast.Load()), [node.test, node.body, node.orelse], [])

    return ast.unparse(ast.fix_missing_locations(Conditional().visit(ast.parse(text, mode="eval"))))
