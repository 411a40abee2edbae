"""Rewrites that are applied once more, to what derivation has made.

Few rules are of use there: most derivatives come from records that do not cancel. Those
below are sums that only derivation writes, or that appear when branches of it meet.
"""

from __future__ import annotations

from symop.error_identities import GAMMA
from symop.relative_identities import RELATIVES
from symop.rules import Rewrite, over, over_one
from symop.sigmoid_identities import SIGMOIDS

_DERIVED = (
    Rewrite(
        "difference of opposite sigmoids",
        "sigmoid(u) - sigmoid(-u)",
        "tanh(u/2)",
        "everywhere",
        "the second derivative of sigmoid cancels near 0",
        domain=over(-30, 30, "u"),
    ),
    Rewrite(
        "difference of opposite logsigmoids",
        "logsigmoid(u) - logsigmoid(-u)",
        "u",
        "everywhere",
        "the gradient of a cross-entropy by its target cancels near 0",
        domain=over(-30, 30, "u"),
    ),
)

_QUOTIENTS = (
    Rewrite(
        "derivative of a quotient",
        "q - w",
        "p*d",
        "s != 0",
        "x'/s - x*s'/s**2 cancels",
        where=over_one,
        domain=(("q", 0.1, 4), ("w", 0.1, 4)),
    ),
)

_AGAIN = frozenset(
    {"difference of softplus", "softplus less u", "1 less sigmoid", "difference of digamma"}
)

DERIVED = (
    _DERIVED + _QUOTIENTS + tuple(r for r in (*SIGMOIDS, *RELATIVES, *GAMMA) if r.name in _AGAIN)
)
OPPOSITES = _DERIVED
