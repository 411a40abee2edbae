"""Rewrites of powers that cancel, and of quotients of logarithms."""

from __future__ import annotations

from symop.near_places import gaps, simpler
from symop.rules import Rewrite, Stage, Values, grows, over, varies, varying
from symop.terms import Term, Terms


def long_power(terms: Terms, values: Values) -> Values | None:
    """Holds for an exponent in which the rounding of 1 + u would grow."""
    p = terms.constant(values["p"])
    return values if (p is None or abs(p) > 8) and varies(terms, {"u": values["u"]}) else None


def limit(terms: Terms, values: Values) -> Values | None:
    """Holds where u*p, called x, is shorter than u and p: what grows in p shrinks in u."""
    u, p = terms.term(values["u"]), terms.term(values["p"])
    powers = dict(u.factors)
    shared = {base for base, power in p.factors if powers.get(base, 0) * power < 0}
    if not shared:
        return None
    for base, power in p.factors:
        powers[base] = powers.get(base, 0) + power
    factors = tuple(sorted((base, power) for base, power in powers.items() if power))
    return {**values, "x": terms.product(Term(u.coefficient * p.coefficient, factors))}


def ratio(terms: Terms, values: Values) -> Values | None:
    """Holds where u is a number times x; the number is called d."""
    u, x = terms.term(values["u"]), terms.term(values["x"])
    if u.factors != x.factors or not u.factors:
        return None
    return {**values, "d": terms.build.constant(u.coefficient / x.coefficient)}


_NEAR_1 = "the 1 swallows a small u, which the exponent makes large"
_BASE = (("u", -0.5, 4.0), ("p", 0.5, 4.0))

POWERS = (
    Rewrite(
        "growth to a limit, less 1", "pow(1 + u, p) - 1", "growth_limitm1(x, p)", "u > -1",
        _NEAR_1, where=limit, domain=(("x", -0.4, 4), ("k", 0.5, 8)),
    ),
    Rewrite(
        "power of a quotient less 1", "pow(a/b, p) - 1", "growthm1(d/b, p)", "a/b > 0",
        "cancels for a near b", where=simpler("a", "b"),
        domain=(("a", 0.1, 4), ("b", 0.1, 4), ("p", 0.5, 4)),
    ),
    Rewrite(
        "growth less 1", "pow(1 + u, p) - 1", "growthm1(u, p)", "u > -1; NaN below",
        _NEAR_1, where=varying("u"), domain=_BASE,
    ),
    Rewrite(
        "integer growth less 1", "pow(1 + u, n) - 1", "growthm1(u, n)", "u > -1", _NEAR_1,
        where=grows, domain=_BASE,
    ),
    Rewrite(
        "inverse integer growth less 1", "1/pow(1 + u, n) - 1", "growthm1(u, -n)", "u > -1",
        _NEAR_1, where=grows, domain=_BASE,
    ),
    Rewrite(
        "growth over growth less 1", "pow(1 + u, p)/growthm1(u, p)", "-1/growthm1(u, -p)",
        "u > -1", "inf/inf", domain=_BASE,
    ),
    Rewrite(
        "integer growth over growth less 1", "pow(1 + u, n)/growthm1(u, n)",
        "-1/growthm1(u, -n)", "u > -1", "inf/inf", where=grows, domain=_BASE,
    ),
    Rewrite(
        "log of 1 less growth", "log(-growthm1(u, p))", "log1mexp(-p*log1p(u))",
        "-1 < u < 0 < p", "cancels where the growth vanishes",
        domain=(("u", -0.9, -0.1), ("p", 0.5, 4)),
    ),
    Rewrite(
        "growth less 1 over its rate", "growthm1(u, p)/u", "growthrel(u, p)",
        "u > -1; p at 0", "0/0, and a gradient that cancels near 0", domain=_BASE,
    ),
    Rewrite(
        "growth less 1 over a rate", "growthm1(u, p)/x", "d*growthrel(u, p)",
        "u > -1", "0/0, and a gradient that cancels near 0", where=ratio,
        domain=(("x", 0.01, 0.5), ("p", 0.5, 4)),
    ),
    Rewrite(
        "rate over growth less 1", "u/growthm1(u, p)", "1/growthrel(u, p)",
        "u > -1; 1/p at 0", "0/0, and a gradient that cancels near 0", domain=_BASE,
    ),
    Rewrite(
        "rate over growth less 1, by a number", "x/growthm1(u, p)", "1/(d*growthrel(u, p))",
        "u > -1", "0/0, and a gradient that cancels near 0", where=ratio,
        domain=(("x", 0.01, 0.5), ("p", 0.5, 4)),
    ),
    Rewrite(
        "growth less 1 over its exponent", "growthm1(u, p)/p",
        "expm1_over(p, log1p(u))", "u > -1; log1p(u) at p = 0",
        "0/0, and a gradient that cancels near 0", where=varies, domain=_BASE,
    ),
    Rewrite(
        "box-cox", "(pow(x, p) - 1)/p", "boxcox(x, p)", "x > 0; log(x) at p = 0",
        "0/0, and a gradient that cancels near 0", where=varies,
        domain=(("x", 0.01, 20), ("p", -3, 3)),
    ),
    Rewrite(
        "box-cox of the reciprocal", "(1/pow(x, p) - 1)/p", "-boxcox(x, -p)",
        "x > 0; log(x) at p = 0", "0/0, and a gradient that cancels near 0", where=varies,
        domain=(("x", 0.01, 20), ("p", -3, 3)),
    ),
    *gaps(
        "difference of powers 1/3", "pow(a, 1/3) - pow(b, 1/3)",
        "where(a >= 0 and b >= 0, cbrt_gap(b, d), sqrt(a) - sqrt(b))", "a, b >= 0; NaN elsewhere",
        "cancels for a near b, and 1/3 is rounded", (("a", 0.01, 100), ("b", 0.01, 100)),
    ),
    *gaps(
        "difference of powers", "pow(a, p) - pow(b, p)", "power_gap(b, d, p)", "everywhere",
        "cancels for a near b", (("a", 0.01, 100), ("b", 0.01, 100), ("p", -2, 2)),
    ),
    *gaps(
        "difference of cube roots", "cbrt(a) - cbrt(b)", "cbrt_gap(b, d)", "everywhere",
        "cancels for a near b", (("a", 0.01, 100), ("b", 0.01, 100)),
    ),
    Rewrite(
        "growth to a limit", "pow(1 + u, p)", "growth_limit(x, p)", "u > -1", _NEAR_1,
        where=limit, domain=(("x", -0.4, 4), ("k", 0.5, 8)), stage=Stage.LATE,
    ),
    Rewrite(
        "growth", "pow(1 + u, p)", "growth(u, p)", "u > -1", _NEAR_1, where=long_power,
        domain=_BASE, stage=Stage.LATE,
    ),
)  # fmt: skip

LOGARITHMS = (
    Rewrite(
        "log over a distance from 1", "log(u)/(u - 1)", "logrel(u)", "u > 0; 1 at 1",
        "0/0, and a gradient that cancels near 1", domain=over(0.01, 20, "u"),
    ),
    Rewrite(
        "distance from 1 over log", "(u - 1)/log(u)", "log_mean(u, 1)", "u > 0; 1 at 1",
        "0/0, and a gradient that cancels near 1", domain=over(0.01, 20, "u"),
    ),
    Rewrite(
        "log over a distance below 1", "log(u)/(1 - u)", "-logrel(u)", "u > 0; -1 at 1",
        "0/0, and a gradient that cancels near 1", domain=over(0.01, 20, "u"),
    ),
    Rewrite(
        "distance below 1 over log", "(1 - u)/log(u)", "-log_mean(u, 1)", "u > 0; -1 at 1",
        "0/0, and a gradient that cancels near 1", domain=over(0.01, 20, "u"),
    ),
    Rewrite(
        "inverse of log1p less that of u", "1/log1p(u) - 1/u", "inverse_log1p_gap(u)",
        "u > -1; 1/2 at 0", "inf - inf, and cancels near 0", domain=over(-0.9, 20, "u"),
    ),
    *(
        Rewrite(
            f"logarithmic mean{', inverse' if over_log else ''}, of {name}",
            f"{logs}/(a - b)" if over_log else f"(a - b)/{logs}",
            "1/log_mean(a, b)" if over_log else "log_mean(a, b)",
            "a, b > 0; a at a = b", "0/0, and a gradient that cancels for a near b",
            where=varies, domain=over(0.01, 20, "a", "b"),
        )
        for name, logs in (("logarithms", "(log(a) - log(b))"), ("a quotient", "log(a/b)"))
        for over_log in (False, True)
    ),
)  # fmt: skip

POWER_RULES = POWERS + LOGARITHMS
