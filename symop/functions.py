"""The function table: what a formula may call, one record a function.

A record holds all that symop knows of a function: its derivatives, a stable form, a
reference for the oracle, its special points. Texts in records are formulas in symop's own
language over the parameters.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib import import_module
from typing import Any

# The parameters of most functions.
X = ("x",)


@dataclass(frozen=True)
class Function:
    """One function of real numbers.

    name: what a formula calls.
    parameters: the names that the texts below use, in order.
    derivatives: for each parameter the partial derivative, as a formula over the parameters
        and `result`, the value of the call; "0" where it is zero by convention. Without them
        the function is its definition.
    definition: a formula that the call stands for; it is put in place of the call, so that
        its derivatives follow from those of what it calls.
    form: a formula in simpler functions that loses no digits, used when a backend has no
        spelling of its own. Without it every backend must spell the function.
    form_of: builds the form for given literal values, where it depends on them.
    reference: the value for mpmath numbers, the oracle of the tests; a function with a
        definition needs none.
    defaults: formulas for trailing parameters that a call may leave out.
    literals: parameters that must be literal integers or numbers, such as an order.
    expand: builds the definition for given literal values (orthogonal polynomials).
    special: points of the first parameter where the function has a joint, a kink, an edge
        of its domain, or a series of its own.
    domain: the range of the first parameter that tests sample.
    aliases: other names of the same function.
    internal: exists for the texts of other records; a formula cannot call it.
    """

    name: str
    parameters: tuple[str, ...]
    derivatives: tuple[str, ...] | None = None
    definition: str | None = None
    form: str | None = None
    form_of: Callable[..., str | None] | None = None
    reference: Callable[..., Any] | None = None
    defaults: tuple[str, ...] = ()
    literals: tuple[str, ...] = ()
    expand: Callable[..., str] | None = None
    special: tuple[float, ...] = ()
    domain: tuple[float, float] = (-3.0, 3.0)
    aliases: tuple[str, ...] = ()
    internal: bool = False

    def __post_init__(self) -> None:
        if self.derivatives is None:
            assert self.definition or self.expand, f"{self.name}: no derivatives, no definition"
        else:
            assert self.reference is not None, f"{self.name}: no reference"
            assert len(self.derivatives) == len(self.parameters), self.name
        assert len(self.defaults) <= len(self.parameters), self.name

    def form_at(self, literals: Sequence[Fraction | None]) -> str | None:
        """The form for the values of the literal parameters, None when there is none.

        A value that is not known is left out, as in a pattern that stands for any.
        """
        if self.form_of is None:
            return self.form
        known = [v for v in literals if v is not None]
        return self.form_of(*(int(v) if v.denominator == 1 else v for v in known))

    @property
    def is_inlined(self) -> bool:
        """Whether a call is replaced by a definition when it is read."""
        return self.derivatives is None


# The modules of records.
FAMILIES = (
    "elementary", "special", "gammas", "bessel", "spherical", "scaled", "airy", "integrals",
    "logarithms", "activations", "polynomials", "gamma_gaps",
    "exponential_quotients", "near_one", "nested_exponentials", "cancelling_logarithms",
    "cancelling_differences", "relative", "powers", "moments", "proportions", "remainders",
)  # fmt: skip


@cache
def table() -> dict[str, Function]:
    """Every function, by name and alias."""
    functions: dict[str, Function] = {}
    for family in FAMILIES:
        module = import_module(f"symop.{family}")
        for function in module.FUNCTIONS:
            for name in (function.name, *function.aliases):
                assert name not in functions, f"function {name} stands twice in the table"
                functions[name] = function
    return functions


def nearest(name: str, others: tuple[str, ...] = ()) -> list[str]:
    """Names of callable functions that look like the given one, best first."""
    known = [n for n, function in table().items() if not function.internal]
    return difflib.get_close_matches(name, [*known, *others], n=3, cutoff=0.6)
