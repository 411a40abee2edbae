"""Rewrites of logarithms."""

from __future__ import annotations

from fractions import Fraction

from symop.near_places import gaps, simpler
from symop.rules import Rewrite, Stage, Values, over, varies
from symop.terms import Term, Terms


def quotient_of_sums(terms: Terms, values: Values) -> Values | None:
    """Holds for a quotient u of a and b whose difference, called d, is shorter than both."""
    term = terms.term(values["u"])
    above = tuple((base, power) for base, power in term.factors if power > 0)
    below = tuple((base, -power) for base, power in term.factors if power < 0)
    if not above or not below:
        return None
    a = terms.product(Term(term.coefficient, above))
    b = terms.product(Term(Fraction(1), below))
    return simpler("a", "b")(terms, {**values, "a": a, "b": b})


LOGARITHMS = (
    Rewrite(
        "log1p of a square",
        "log(1 + x**2)",
        "log1p_square(x)",
        "everywhere",
        "overflows, and vanishes near 0",
        domain=over(-20, 20),
    ),
    Rewrite(
        "asinh",
        "log(x + sqrt(x**2 + 1))",
        "asinh(x)",
        "everywhere",
        "cancels for negative x",
        domain=over(-20, 20),
    ),
    Rewrite(
        "asinh through hypot",
        "log(x + hypot(x, 1))",
        "asinh(x)",
        "everywhere",
        "cancels for negative x",
        domain=over(-20, 20),
    ),
    Rewrite(
        "acosh",
        "log(x + sqrt(x**2 - 1))",
        "acosh(x)",
        "x >= 1; NaN below on both sides",
        "overflows, and loses digits near 1",
        domain=over(1, 20),
    ),
    Rewrite(
        "atanh",
        "log((1 + u)/(1 - u))",
        "2*atanh(u)",
        "abs(u) < 1; NaN elsewhere",
        "vanishes near 0",
        domain=over(-0.99, 0.99, "u"),
    ),
    Rewrite(
        "logit",
        "log(u/(1 - u))",
        "logit(u)",
        "0 < u < 1; NaN elsewhere",
        "loses digits near 1/2 and near 0",
        domain=over(0.001, 0.999, "u"),
    ),
    Rewrite(
        "atanh from logarithms",
        "log1p(u) - log1p(-u)",
        "2*atanh(u)",
        "abs(u) < 1; NaN elsewhere",
        "cancels near 0",
        domain=over(-0.99, 0.99, "u"),
    ),
    Rewrite(
        "logit from logarithms",
        "log(u) - log1p(-u)",
        "logit(u)",
        "0 < u < 1; NaN elsewhere",
        "cancels near 1/2",
        domain=over(0.001, 0.999, "u"),
    ),
    Rewrite(
        "log1p",
        "log(1 + u)",
        "log1p(u)",
        "u > -1; NaN below on both sides",
        "the 1 swallows a small u",
        where=varies,
        domain=over(-0.9, 20, "u"),
    ),
    Rewrite(
        "log1p over u",
        "log1p(u)/u",
        "log1prel(u)",
        "u > -1; 1 at 0",
        "0/0, and a gradient that cancels near 0",
        domain=over(-0.9, 20, "u"),
    ),
    *gaps(
        "difference of u*log(u)",
        "a*log(a) - b*log(b)",
        "b*log_gap(b, d) + d*log(a)",
        "a, b > 0; NaN elsewhere",
        "cancels for a near b",
        (("b", 0.01, 100), ("a", 0.01, 100)),
    ),
    Rewrite(
        "difference of u*log(u), after log1p",
        "(1 + u)*log1p(u) - u*log(u)",
        "u*log_gap(u, 1) + log1p(u)",
        "u > 0; NaN below",
        "cancels for large u",
        domain=over(0.01, 100, "u"),
    ),
    Rewrite(
        "log of a quotient of sums",
        "log(u)",
        "log_quotient(a, b, d)",
        "a/b > 0; NaN elsewhere",
        "the roundings of the sums cost digits for a near b",
        where=quotient_of_sums,
        domain=(("a", 0.01, 10), ("b", 0.01, 10)),
        stage=Stage.LATE,
    ),
    Rewrite(
        "log of a quotient",
        "log(a/b)",
        "log_ratio(a, b)",
        "a/b > 0; NaN elsewhere",
        "the rounding of the quotient costs digits for a near b",
        where=varies,
        domain=over(0.1, 10, "a", "b"),
        stage=Stage.LATE,
    ),
    *gaps(
        "difference of logarithms",
        "log(a) - log(b)",
        "log_gap(b, d)",
        "a, b > 0; NaN elsewhere",
        "cancels for a near b",
        (("b", 0.01, 100), ("a", 0.01, 100)),
    ),
    Rewrite(
        "difference of logarithms, after log1p",
        "log1p(u) - log(u)",
        "log_gap(u, 1)",
        "u > 0; NaN below",
        "cancels for large u",
        domain=over(0.01, 100, "u"),
    ),
    Rewrite(
        "x*log(x)",
        "x*log(x)",
        "xlogx(x)",
        "x >= 0; 0 at 0, NaN below",
        "0*inf at 0",
        where=varies,
        domain=over(0.01, 20),
        stage=Stage.LATE,
    ),
)
