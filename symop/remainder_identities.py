"""Rewrites of a function less the first terms of its Taylor series, and of such rests over powers.

What is left of a function from a term on is one function of the order of that term, so that a rule
that takes off one term more, and one that divides once more, serve for every order.
"""

from __future__ import annotations

from collections.abc import Callable

from symop.expansions import EXPANSIONS, Expansion
from symop.rules import Rewrite, Values, over
from symop.terms import Term, Terms

_SERIES = {of.name: of for of in EXPANSIONS}
# Longer series are no formulas that someone wrote.
_MOST = 16

# By function: what takes the first terms off already, up to a sign, the order of the first that
# is left, and a range.
STARTS = (
    ("exp", "expgap(u)", 1, 2, 10),
    ("sinh", "sinhshrink(u)", 1, 3, 10), ("cosh", "coshm1(u)", 1, 2, 10),
    ("sin", "sinshrink(u)", -1, 3, 10), ("cos", "cosshrink(u)", 1, 4, 10),
    ("tan", "tanshrink(u)", -1, 3, 1.4), ("tanh", "tanhshrink(u)", -1, 3, 10),
    ("log1p", "log1pshrink(u)", -1, 2, 10), ("atan", "atanshrink(u)", -1, 3, 10),
    ("atanh", "atanhshrink(u)", 1, 3, 0.99), ("asin", "asinshrink(u)", 1, 3, 0.99),
    ("asinh", "asinhshrink(u)", -1, 3, 10),
)  # fmt: skip
# Those that have no functions of their own for their quotients by powers of u.
DIVIDED = ("sinh", "cosh", "tanh", "atan", "atanh", "asin", "asinh", "tan", "sin", "cos")
# f(u)/u, which is 1 at 0.
QUOTIENTS = ("sinh", "tanh", "atan", "atanh", "asin", "asinh", "tan")


def following(of: Expansion, order: int) -> int:
    """The order of the term after that of an order."""
    order += 1
    while not of.coefficient(order):
        order += 1
    return order


def _is_term(of: Expansion, order: int, less: int, sign: int, terms: Terms, values: Values) -> bool:
    """Whether v is the term of an order, over u**less, with the other sign."""
    power = terms.term(values["u"]).power(order - less)
    number = -sign * of.coefficient(order)
    if power is None:
        return False
    return terms.term(values["v"]) == Term(power.coefficient * number, power.factors)


def first_term(name: str, order: int, sign: int) -> Callable[[Terms, Values], Values | None]:
    """Holds where v takes off the term of that order; the next order is called d."""
    of = _SERIES[name]

    def condition(terms: Terms, values: Values) -> Values | None:
        if not _is_term(of, order, 0, sign, terms, values):
            return None
        return {**values, "d": terms.build.constant(following(of, order))}

    return condition


def next_term(name: str) -> Callable[[Terms, Values], Values | None]:
    """Holds where v takes off the term of order n, over u**c; the next order is called d."""
    of = _SERIES[name]

    def condition(terms: Terms, values: Values) -> Values | None:
        order, less = _whole(terms, values["n"]), _whole(terms, values["c"])
        if order > _MOST or order <= less or not _is_term(of, order, less, 1, terms, values):
            return None
        return {**values, "d": terms.build.constant(following(of, order))}

    return condition


def _whole(terms: Terms, index: int) -> int:
    return int(terms.constant(index) or 0)


def divides(terms: Terms, values: Values) -> Values | None:
    """Holds where x is a factor of u; u/x is called w."""
    share = terms.term(values["u"]).over(terms.term(values["x"]))
    return {**values, "w": terms.product(share)} if share else None


def divides_again(terms: Terms, values: Values) -> Values | None:
    """The same for the quotient by u**c of a rest from order n; c + 1, at most n, is called d."""
    less = _whole(terms, values["c"])
    if less >= _whole(terms, values["n"]):
        return None
    found = divides(terms, values)
    return found and {**found, "d": terms.build.constant(less + 1)}


_CANCELS = "cancels near 0"
_VANISHES = "0/0, and cancels near 0"


def _sign(sign: int) -> str:
    return "-" if sign < 0 else ""


def _range(name: str, reach: float) -> tuple[tuple[str, float, float], ...]:
    return over(-0.9 if name == "log1p" else -reach, reach, "u")


def _factors(reach: float) -> tuple[tuple[str, float, float], ...]:
    """Of the factors x and y of u."""
    most = 3 if reach > 2 else min(reach, 1.1)
    return over(0.1, most, "x", "y")


STARTING = tuple(
    Rewrite(
        f"{text} less a term", f"{text} + v", f"{_sign(sign)}{name}_rest(d, 0, 0, u)",
        "everywhere", _CANCELS, where=first_term(name, order, sign),
        domain=_range(name, reach),
    )
    for name, text, sign, order, reach in STARTS
)  # fmt: skip

DIVIDING = tuple(
    Rewrite(
        f"{text} over a factor", f"{text}/x", f"{_sign(sign)}w*{name}_rest({order}, 1, 0, u)",
        "everywhere; 0 at 0", _VANISHES, where=divides, domain=_factors(reach),
    )
    for name, text, sign, order, reach in STARTS if name in DIVIDED
)  # fmt: skip

GOING_ON = tuple(
    rule
    for name, _, _, _, reach in {s[0]: s for s in STARTS}.values()
    for rule in (
        Rewrite(
            f"rest of {name} less a term", f"{name}_rest(n, c, 0, u) + v",
            f"{name}_rest(d, c, 0, u)", "everywhere", _CANCELS, where=next_term(name),
            domain=_range(name, reach),
        ),
        Rewrite(
            f"rest of {name} over a factor", f"{name}_rest(n, c, 0, u)/x",
            f"w*{name}_rest(n, d, 0, u)", "everywhere; a limit at 0", _VANISHES,
            where=divides_again, domain=_factors(reach),
        ),
    )
)  # fmt: skip

LESS_ONE = tuple(
    Rewrite(
        f"{name} over u, less 1", f"{text} - 1", f"{name}_rest(3, 1, 0, u)", "everywhere",
        _CANCELS, domain=over(-reach, reach, "u"),
    )
    for name, text, reach in (
        *((name, f"{name}rel(u)", 1.4 if name == "tan" else 10)
          for name in ("sinh", "tanh", "atan", "asinh", "tan")),
        *((name, f"{name}rel(u)", 0.99) for name in ("atanh", "asin")),
        ("sin", "spherical_bessel_j0(u)", 10),
    )
)  # fmt: skip

REMAINDERS = STARTING + DIVIDING + GOING_ON + LESS_ONE
