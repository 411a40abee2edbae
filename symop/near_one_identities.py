"""Rewrites of what quotients that are 1 at zero lack of 1, and of their logarithms."""

from __future__ import annotations

from symop.rules import Rewrite, Stage, over, varying

_CANCELS = "cancels near 0, and its gradient"

_GAPS = tuple(
    Rewrite(name, pattern, replacement, where, _CANCELS, domain=over(low, high, "u"))
    for name, pattern, replacement, where, low, high in (
        ("1 less log1p over u", "1 - log1prel(u)", "log1prel_gap(u)", "u > -1", -0.9, 10),
        ("u less log1p, over u", "log1pshrink(u)/u", "log1prel_gap(u)", "u > -1; 0 at 0", -0.9, 10),
        ("exprel less 1", "exprel(u) - 1", "exprel_gap(u)", "everywhere", -10, 10),
        ("expm1 less u, over u", "expgap(u)/u", "exprel_gap(u)", "everywhere; 0 at 0", -10, 10),
        ("exp less exprel", "exp(u) - exprel(u)", "u*exprel_1(u)", "everywhere", -10, 10),
        ("log of sinh over u", "log(sinhrel(u))", "log_sinhrel(u)", "everywhere", -10, 10),
        ("log of u over sinh", "log(xcsch(u))", "-log_sinhrel(u)", "everywhere", -10, 10),
        ("log of sin over u", "log(spherical_bessel_j0(u))", "log_sinc(u)",
         "where sin(u)/u > 0", -3, 3),
        ("log of u over sin", "log(xcsc(u))", "-log_sinc(u)", "where sin(u)/u > 0", -3, 3),
        ("log of exprel less u/2", "log_exprel(u) - u/2", "log_sinhrel(u/2)", "everywhere",
         -10, 10),
        ("atan less lorentz", "atan(u) - lorentz(u)", "atan_gap(u)", "everywhere", -10, 10),
        ("inverse square less csch squared", "1/u**2 - 1/sinh(u)**2", "langevin_1(u)",
         "everywhere; 1/3 at 0", -10, 10),
        ("inverse square less csch squared, by name", "1/u**2 - csch(u)**2", "langevin_1(u)",
         "everywhere; 1/3 at 0", -10, 10),
        ("tanh over u less its slope", "tanhrel(u) - sech2(u)", "-u*tanhrel_1(u)", "everywhere",
         -10, 10),
        ("tanh over u less sech squared", "tanhrel(u) - sech(u)**2", "-u*tanhrel_1(u)",
         "everywhere", -10, 10),
        ("tanh over u less 1/cosh squared", "tanhrel(u) - 1/cosh(u)**2", "-u*tanhrel_1(u)",
         "everywhere", -10, 10),
        ("langevin over u", "langevin(u)/u", "langevinrel(u)", "everywhere; 1/3 at 0", -10, 10),
        ("inverse exprel less 1, plus u/2", "inverse_exprel(u) - 1 + u/2", "u/2*langevin(u/2)",
         "everywhere", -10, 10),
        ("growth by cbrt less 1", "cbrt(1 + u) - 1", "cbrt_gap(1, u)", "everywhere", -0.5, 10),
    )
)  # fmt: skip

NEAR_ONE = (
    *_GAPS,
    Rewrite(
        "log cosh less u",
        "log_cosh(u) - u + log(2)",
        "softplus1(-2*u)",
        "everywhere",
        "vanishes in the tail",
        domain=over(-20, 20, "u"),
    ),
    Rewrite(
        "1 less x over hypot",
        "1 - hypot_slope(x, y)",
        "h = hypot(x, y)\nwhere(x > 0, y/h*(y/(h + x)), 1 - hypot_slope(x, y))",
        "everywhere",
        "cancels for large x",
        where=varying("x"),
        domain=over(-20, 20, "x", "y"),
        stage=Stage.LAST,
    ),
)
