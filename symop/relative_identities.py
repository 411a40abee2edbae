"""Rewrites of quotients f(x)/x, of differences x - f(x), and of what cancels like them."""

from __future__ import annotations

from symop.rules import Rewrite, Stage, ahead, near_one, over, share, varies, varying

_ODD = (
    # f, the sign of f(x) - x, the name of the difference, and a range.
    ("sinh", 1, "sinhshrink", 10),
    ("atan", -1, "atanshrink", 10),
    ("atanh", 1, "atanhshrink", 0.99),
    ("asin", 1, "asinshrink", 0.99),
    ("asinh", -1, "asinhshrink", 10),
)

SHRINKING = tuple(
    Rewrite(
        f"{f} less u",
        f"{f}(u) - u",
        f"{shrink}(u)" if sign > 0 else f"-{shrink}(u)",
        "everywhere",
        "cancels near 0",
        domain=over(-reach, reach, "u"),
    )
    for f, sign, shrink, reach in _ODD
)

RELATIVE = tuple(
    Rewrite(
        f"{f} over u",
        f"{f}(u)/u",
        f"{f}rel(u)",
        "everywhere; 1 at 0",
        "0/0, and a gradient that cancels near 0",
        domain=over(-reach, reach, "u"),
    )
    for f, reach in (
        ("tanh", 10), ("atan", 10), ("asinh", 10), ("sinh", 10), ("asin", 0.99),
        ("atanh", 0.99), ("tan", 1.5),
    )
) + tuple(
    Rewrite(
        f"u over {f}",
        f"u/{f}(u)",
        f"{name}(u)",
        "everywhere; 1 at 0",
        "0/0, and a gradient that cancels near 0",
        domain=over(-reach, reach, "u"),
    )
    for f, name, reach in (("tanh", "xcoth", 10), ("sin", "xcsc", 3), ("tan", "xcot", 1.5))
)  # fmt: skip

EXPONENTIALS = (
    Rewrite(
        "expm1 less u", "expm1(u) - u", "expgap(u)", "everywhere", "cancels near 0",
        domain=over(-10, 10, "u"),
    ),
    Rewrite(
        "expm1 less u over its square", "expgap(u)/u**2", "exprel2(u)", "everywhere; 1/2 at 0",
        "0/0, and a gradient that cancels near 0", domain=over(-10, 10, "u"),
    ),
    Rewrite(
        "inverse less bose", "1/u - bose(u)", "exprel_mean(-u)", "everywhere; 1/2 at 0",
        "inf - inf, and cancels near 0", domain=over(-10, 10, "u"),
    ),
    Rewrite(
        "product of opposite bose", "bose(u)*bose(-u)", "-csch(u/2)**2/4", "everywhere",
        "the gradient cancels near 0", domain=over(0.01, 20, "u"),
    ),
    Rewrite(
        "1 less x*coth", "1 - xcoth(u)", "-u*langevin(u)", "everywhere", "cancels near 0",
        domain=over(-10, 10, "u"),
    ),
    Rewrite(
        "x*cosh less sinh", "u*cosh(u) - sinh(u)", "u*sinh(u)*langevin(u)", "everywhere",
        "cancels near 0", domain=over(-10, 10, "u"),
    ),
    Rewrite(
        "exp times the sigmoid of twice", "exp(u)*sigmoid(-2*u)", "sech(u)/2", "everywhere",
        "inf*0", domain=over(-20, 20, "u"),
    ),
    Rewrite(
        "share of csch", "x*csch(u)", "xcsch(u)*d", "u != 0", "a gradient that cancels near 0",
        where=share("x"), domain=over(0.01, 20), stage=Stage.LATE,
    ),
    Rewrite(
        "1 less sech", "1 - sech(u)", "tanh(u)*tanh(u/2)", "everywhere", "cancels near 0",
        domain=over(-10, 10, "u"),
    ),
    Rewrite(
        "1 plus cosh", "1 + cosh(u)", "2*cosh(u/2)**2", "everywhere",
        "its reciprocal has a derivative that is inf/inf", domain=over(-10, 10, "u"),
    ),
    Rewrite(
        "log of tanh", "log(tanh(u))", "log_tanh(u)", "u > 0; NaN below", "vanishes in the tail",
        domain=over(0.01, 20, "u"),
    ),
    Rewrite(
        "log of sinh", "log(sinh(u))", "log_sinh(u)", "u > 0; NaN below", "overflows",
        domain=over(0.01, 20, "u"),
    ),
    Rewrite(
        "log of sech", "log(sech(u))", "-log_cosh(u)", "everywhere", "log(0), cancels near 0",
        domain=over(-20, 20, "u"),
    ),
    Rewrite(
        "log of sech squared", "log(sech(u)**2)", "-2*log_cosh(u)", "everywhere",
        "log(0), and cancels near 0", domain=over(-20, 20, "u"),
    ),
    Rewrite(
        "log of the slope of tanh", "log(sech2(u))", "-2*log_cosh(u)", "everywhere",
        "log(0), and cancels near 0", domain=over(-20, 20, "u"),
    ),
    Rewrite(
        "root of the slope of tanh", "sqrt(sech2(u))", "sech(u)", "everywhere",
        "vanishes early in the tail", domain=over(-20, 20, "u"),
    ),
    Rewrite(
        "softplus less u", "softplus1(u) - u", "softplus1(-u)", "everywhere",
        "cancels for u > 0", domain=over(-30, 30, "u"),
    ),
    Rewrite(
        "log cosh of softplus", "u + softplus1(-2*u) - log(2)", "log_cosh(u)", "everywhere",
        "cancels near 0", domain=over(-20, 20, "u"),
    ),
    Rewrite(
        "softplus less log 2", "softplus1(u) - log(2)", "softplus_gap(u)", "everywhere",
        "cancels near 0", domain=over(-20, 20, "u"),
    ),
    Rewrite(
        "log of the mean of 1 and exp", "log((1 + exp(u))/2)", "softplus_gap(u)", "everywhere",
        "overflows, and cancels near 0", domain=over(-20, 20, "u"),
    ),
)  # fmt: skip

ANGLES = (
    Rewrite(
        "cot gap", "1/u - 1/tan(u)", "cotgap(u)", "everywhere; 0 at 0",
        "inf - inf, and cancels near 0", domain=over(-3, 3, "u"),
    ),
    Rewrite(
        "sec less 1", "1/cos(u) - 1", "tan(u)*tan(u/2)", "everywhere", "cancels near 0",
        domain=over(-1.4, 1.4, "u"),
    ),
    Rewrite(
        "sec less 1, by name", "sec(u) - 1", "tan(u)*tan(u/2)", "everywhere", "cancels near 0",
        domain=over(-1.4, 1.4, "u"),
    ),
    Rewrite(
        "tan less sin", "tan(u) - sin(u)", "2*tan(u)*sin(u/2)**2", "everywhere",
        "cancels near 0", domain=over(-1.4, 1.4, "u"),
    ),
    Rewrite(
        "1 less cos squared", "1 - cos(u)**2", "sin(u)**2", "everywhere", "cancels near 0",
        domain=over(-3, 3, "u"),
    ),
    Rewrite(
        "acosh near 1", "acosh(1 + u)", "2*asinh(sqrt(u/2))", "everywhere",
        "the 1 swallows a small u", where=varies, domain=over(0.001, 20, "u"),
    ),
    Rewrite(
        "acos near 1", "acos(1 - u)", "where(u < 1, 2*asin(sqrt(u/2)), acos(1 - u))",
        "0 <= u <= 2; NaN elsewhere", "the 1 swallows a small u", where=varies,
        domain=over(0.001, 2, "u"), stage=Stage.LAST,
    ),
    *(
        Rewrite(
            name, pattern, replacement, "everywhere", "cancels far out", domain=over(-50, 50, "u")
        )
        for name, pattern, replacement in (
            ("right angle plus atan", "pi/2 + atan(u)", "atan2(1, -u)"),
            ("right angle less atan", "pi/2 - atan(u)", "atan2(1, u)"),
            ("half plus atan over pi", "1/2 + atan(u)/pi", "atan2(1, -u)/pi"),
            ("half less atan over pi", "1/2 - atan(u)/pi", "atan2(1, u)/pi"),
        )
    ),
    *(
        Rewrite(
            f"{outer} of {inner} and an angle", f"{outer}({inner}(x) + u)", replacement,
            "abs(x) <= 1", "the sum of angles is rounded, and its sine amplifies that",
            domain=(("x", -0.99, 0.99), ("u", -3, 3)),
        )
        for outer, inner, replacement in (
            ("cos", "acos", "x*cos(u) - cos_asin(x)*sin(u)"),
            ("sin", "acos", "cos_asin(x)*cos(u) + x*sin(u)"),
            ("cos", "asin", "cos_asin(x)*cos(u) - x*sin(u)"),
            ("sin", "asin", "x*cos(u) + cos_asin(x)*sin(u)"),
        )
    ),
)  # fmt: skip

ALGEBRAIC = (
    Rewrite(
        "softsign", "x/(1 + abs(x))", "softsign(x)", "everywhere", "the gradient cancels",
        where=varies, domain=over(-20, 20),
    ),
    Rewrite(
        "lorentz squared", "x**2/(1 + x**2)", "lorentz2(x)", "everywhere", "inf/inf",
        where=varies, domain=over(-20, 20),
    ),
    Rewrite(
        "lorentz", "x/(1 + x**2)", "lorentz(x)", "everywhere", "x**2 overflows",
        where=varies, domain=over(-20, 20),
    ),
    Rewrite(
        "1 less root", "1 - sqrt(s)", "d/(1 + sqrt(s))", "s >= 0", "cancels for s near 1",
        where=near_one, domain=over(0.001, 0.9, "y"),
    ),
    Rewrite(
        "hypot less x", "hypot(x, y) - x",
        "q = hypot(x, y) + where(x > 0, x, -x)\nwhere(x > 0, y/q*y, q)",
        "everywhere", "cancels for positive x", where=varying("x"),
        domain=over(-20, 20, "x", "y"), stage=Stage.LATE,
    ),
    Rewrite(
        "x less the root of a difference of squares", "x - cathetus(y, x)",
        "cathetus_gap(y, x)", "abs(x) >= abs(y)", "cancels for positive x",
        where=varying("x"), domain=(("x", 5, 20), ("y", 0.1, 5)), stage=Stage.LATE,
    ),
    Rewrite(
        "root of 1 less a square", "sqrt(squares_gap(1, x))", "cos_asin(x)",
        "abs(x) <= 1", "loses digits near 1", domain=over(-0.999, 0.999), stage=Stage.LATE,
    ),
    Rewrite(
        "root of a difference of squares", "sqrt(squares_gap(x, y))", "cathetus(y, x)",
        "abs(x) >= abs(y)", "overflows, and vanishes", domain=(("x", 5, 20), ("y", 0.1, 5)),
        stage=Stage.LATE,
    ),
    Rewrite(
        "difference of log1p and log", "log1p(u) - log(v)",
        "log_gap(v, d)", "v > 0; NaN below", "cancels for v near 1 + u",
        where=ahead, domain=(("u", 1.1, 100),),
    ),
)  # fmt: skip

RELATIVES = SHRINKING + RELATIVE + EXPONENTIALS + ANGLES + ALGEBRAIC
