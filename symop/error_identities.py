"""Rewrites of error functions, the normal distribution and gamma functions."""

from __future__ import annotations

from symop.near_places import gaps
from symop.rules import Rewrite, over, varies

ERRORS = (
    Rewrite(
        "erfc",
        "1 - erf(u)",
        "erfc(u)",
        "everywhere",
        "cancels in the tail",
        domain=over(-3, 8, "u"),
    ),
    Rewrite(
        "1 plus erf",
        "1 + erf(u)",
        "erfc(-u)",
        "everywhere",
        "cancels in the tail",
        domain=over(-8, 3, "u"),
    ),
    Rewrite(
        "erf back",
        "1 - erfc(u)",
        "erf(u)",
        "everywhere",
        "cancels near 0",
        domain=over(-3, 3, "u"),
    ),
    *(
        Rewrite(name, pattern, replacement, "everywhere", why, domain=over(-3, 3, "u"))
        for name, pattern, replacement, why in (
            ("2 less erfc", "2 - erfc(u)", "erfc(-u)", "cancels in the tail"),
            ("1 less ndtr", "1 - ndtr(u)", "ndtr(-u)", "cancels in the tail"),
            ("ndtr less half", "ndtr(u) - 1/2", "erf(u/sqrt(2))/2", "cancels near 0"),
        )
    ),
    Rewrite(
        "normal distribution",
        "erfc(u/sqrt(2))",
        "2*ndtr(-u)",
        "everywhere",
        "the rounding of u/sqrt(2) costs 700 ULP in the tail",
        domain=over(-3, 10, "u"),
    ),
    Rewrite(
        "gelu",
        "x*ndtr(x)",
        "gelu(x)",
        "everywhere",
        "NaN at -inf",
        where=varies,
        domain=over(-8, 8),
    ),
    Rewrite(
        "log of erfc",
        "log(erfc(u))",
        "log_erfc(u)",
        "everywhere",
        "log(0) in the tail",
        domain=over(-3, 20, "u"),
    ),
    Rewrite(
        "log of ndtr",
        "log(ndtr(u))",
        "log_ndtr(u)",
        "everywhere",
        "log(0) in the tail",
        domain=over(-20, 5, "u"),
    ),
)

GAMMA = (
    *gaps(
        "difference of lgamma",
        "lgamma(a) - lgamma(b)",
        "lgamma_gap(b, d)",
        "everywhere",
        "cancels for large a and b",
        (("a", 0.1, 100), ("b", 0.1, 100)),
    ),
    *gaps(
        "difference of digamma",
        "digamma(a) - digamma(b)",
        "digamma_gap(b, d)",
        "everywhere",
        "cancels for large a and b",
        (("a", 0.1, 100), ("b", 0.1, 100)),
    ),
)
