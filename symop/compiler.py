"""From a formula to an op, stage by stage.

read (text | sympy | function) -> Program       symop.parsing, symop.sympy_reading, symop.tracing
rewrite                        -> Program       symop.rewriting
differentiate                  -> Programs      symop.differentiation
tidy                           -> Programs      symop.tidying
plan                           -> Plan          symop.planning
lower and print                -> text          symop.lowering, symop.backends, symop.methods
render                         -> a module      symop.views, symop.rendering
load                           -> Op            symop.loading, symop.operators

Every stage takes frozen records and gives frozen records; the imports go downward only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from symop.errors import CallError
from symop.names import check_op_name
from symop.planning import Plan, plan
from symop.program import Program
from symop.reading import read
from symop.rendering import render
from symop.rewriting import rewrite
from symop.views import module_view

PRECISIONS = ("standard", "high")


@dataclass(frozen=True)
class Formula:
    """A formula that was read.

    program: what is differentiated and printed: the formula with its rewrites.
    text: the formula as it was written, as lines `name = expression`.
    precision: "standard" evaluates in the dtype of the arguments, half precision in float32;
        "high" evaluates everything in float64. Either rounds once.
    source: the formula without rewrites, None where there were none to make.
    backend: what may run it: "torch", or "auto" and "cpu" for fused kernels where they serve.
    has_kernels: whether the text of its module carries fused kernels.
    """

    name: str
    program: Program
    text: tuple[str, ...]
    precision: str = "standard"
    source: Program | None = None
    backend: str = "torch"
    has_kernels: bool = False

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            known = " and ".join(f'"{p}"' for p in PRECISIONS)
            raise CallError(f'precision "{self.precision}" is not known; {known} are')

    @property
    def written(self) -> Program:
        """The formula as it was written: what the op is shown as, and held against."""
        return self.source or self.program

    @property
    def plan(self) -> Plan:
        """What the op computes and keeps."""
        return _plan(self.program)

    @property
    def module_text(self) -> str:
        """The text of the generated module."""
        return _module_text(self)


@lru_cache(maxsize=512)
def _plan(program: Program) -> Plan:
    return plan(program)


@lru_cache(maxsize=512)
def _module_text(formula: Formula) -> str:
    is_precise = formula.precision == "high"
    view = module_view(
        formula.name, formula.plan, formula.text, is_precise=is_precise,
        has_kernels=formula.has_kernels,
    )  # fmt: skip
    return render("module.py.j2", view)


def formula(
    source: Any,
    *,
    args: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
    name: str | None = None,
    functions: Mapping[str, Program] | None = None,
    precision: str = "standard",
    backend: str = "torch",
) -> Formula:
    """Read a formula in any of the forms that `symop.compile` takes."""
    written, text = read(source, args=args, outputs=outputs, functions=functions or {})
    default = getattr(source, "__name__", "op") if callable(source) else "op"
    chosen = name if name is not None else default if default.isidentifier() else "op"
    return Formula(check_op_name(chosen), rewrite(written), text, precision, written, backend)
