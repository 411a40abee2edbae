"""Rewrites of quotients of what vanishes together, and of their guards."""

from __future__ import annotations

from symop.rules import Rewrite, Stage, multiple, over, proportional, share, shares, squares

# The value that a user writes at a removable singularity is the value there anyway; without
# the condition the gradient there is right as well.
_GUARDED = (
    ("exprel", "1"),
    ("inverse_exprel", "1"),
    ("log1prel", "1"),
    ("spherical_bessel_j0", "1"),
    ("tanhrel", "1"), ("atanrel", "1"), ("asinhrel", "1"), ("sinhrel", "1"), ("asinrel", "1"),
    ("atanhrel", "1"), ("tanrel", "1"), ("xcoth", "1"), ("xcsch", "1"), ("xcsc", "1"),
    ("xcot", "1"), ("exprel2", "1/2"), ("langevin", "0"), ("cotgap", "0"),
)  # fmt: skip

GUARDS = tuple(
    Rewrite(
        f"guarded {name}, {'equal' if op == '==' else 'unequal'}",
        f"where(x {op} 0, {value}, {name}(u))"
        if op == "=="
        else f"where(x {op} 0, {name}(u), {value})",
        f"{name}(u)",
        "everywhere",
        "the gradient at 0 would be that of the number",
        where=multiple,
        domain=(("x", -3, 3),),
    )
    for name, value in _GUARDED
    for op in ("==", "!=")
)

# Quotients of functions that vanish together.
_VANISHING = (
    ("expm1", "exprel"), ("log1p", "log1prel"), ("sin", "spherical_bessel_j0"),
)  # fmt: skip

QUOTIENTS = tuple(
    Rewrite(
        f"{f} over {g}", f"{f}(u)/{g}(v)", f"d*{relative_f}(u)/{relative_g}(v)",
        "everywhere; the limit at 0", "0/0, and a gradient that cancels near 0",
        where=proportional, domain=over(0.01, 0.9),
    )
    for f, relative_f in _VANISHING
    for g, relative_g in _VANISHING
)  # fmt: skip

LATE = (
    Rewrite(
        "share of two exponents",
        "x*(coth(u) + coth(v))",
        "xcoth(u)*d + xcoth(v)*w",
        "u, v != 0",
        "a gradient that cancels near 0",
        where=shares,
        domain=over(0.01, 20),
        stage=Stage.LATE,
    ),
    Rewrite(
        "shares of an exponent",
        "x*y*bose(u)",
        "inverse_exprel(u)*d",
        "u != 0",
        "a gradient that cancels near 0",
        where=share("x", "y"),
        domain=over(0.01, 20, "x", "y"),
        stage=Stage.LATE,
    ),
    Rewrite(
        "share of an exponent",
        "x*bose(u)",
        "inverse_exprel(u)*d",
        "u != 0",
        "a gradient that cancels near 0",
        where=share("x"),
        domain=over(0.01, 20),
        stage=Stage.LATE,
    ),
    Rewrite(
        "difference of squares",
        "v - w",
        "squares_gap(a, b)",
        "everywhere",
        "cancels for v near w",
        where=squares,
        domain=over(-20, 20, "a", "b"),
        stage=Stage.LATE,
    ),
)
