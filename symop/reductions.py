"""The reductions that are written with other reductions, as formulas over their operand `e`.

`{d}` stands for the dims of the call ("" over all dims), `stop(m)` for the value of m taken
as a constant: these functions do not depend on the shift m, to every order.
"""

from __future__ import annotations

BASIC = frozenset({"sum", "mean", "prod", "amax", "amin"})

WRITTEN = {
    "softmax": "u = exp(e - stop(amax(e{d}))); u/sum(u{d})",
    "log_softmax": "z = e - stop(amax(e{d})); z - log(sum(exp(z){d}))",
    # Where the maximum is infinite, e - m would be NaN; the sum then needs no shift.
    "logsumexp": "a = stop(amax(e{d})); m = where(a - a == 0, a, 0); m + log(sum(exp(e - m){d}))",
    "norm": "root(sum(e**2{d}))",
    "var": "c = e - mean(e{d}); sum(c**2{d})/(count(e{d}) - {correction})",
    "std": "c = e - mean(e{d}); root(sum(c**2{d})/(count(e{d}) - {correction}))",
}

WITH_CORRECTION = frozenset({"var", "std"})

NAMES = BASIC | frozenset(WRITTEN)


def text(name: str, dims: tuple[int, ...] | None, correction: int = 1) -> str:
    """The formula of a written reduction for the given dims."""
    d = "" if dims is None else f", {dims!r}"
    return WRITTEN[name].format(d=d, correction=correction)
