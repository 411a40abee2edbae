"""Rewrites of f(w*x)/x, x*f(w/x) and c**2*f((x/c)**2), and of quotients by powers."""

from __future__ import annotations

from collections.abc import Callable

from symop.rules import Rewrite, Stage, Values, over, proportional
from symop.terms import Term, Terms


def within(terms: Terms, values: Values) -> Values | None:
    """Holds where x is a factor of u; the quotient is called w and is no number."""
    rest = terms.term(values["u"]).over(terms.term(values["x"]))
    if rest is None or not rest.factors or terms.constant(values["x"]) is not None:
        return None
    own = {base for base, _ in terms.term(values["x"]).factors}
    if own & {base for base, _ in rest.factors}:
        return None
    return {**values, "w": terms.product(rest)}


def part(terms: Terms, values: Values) -> Values | None:
    """Holds where x is a factor of u, and of the quotient, which is called w."""
    rest = terms.term(values["u"]).over(terms.term(values["x"]))
    own = {base for base, _ in terms.term(values["x"]).factors}
    if rest is None or not own & {base for base, _ in rest.factors}:
        return None
    return {**values, "w": terms.product(rest)}


def slope(terms: Terms, values: Values) -> Values | None:
    """Holds where x divides u - v; the quotient is called w."""
    rest, by = terms.difference(values["u"], values["v"]), terms.linear(values["x"])
    if not rest or len(rest) != len(by) or set(by) <= {()}:
        return None
    (first, number), *_ = by.items()
    for factors, coefficient in rest.items():
        share = Term(coefficient, factors).over(Term(number, first))
        if share is None:
            continue
        whole = [Term(c, f).times(share) for f, c in by.items()]
        if {t.factors: t.coefficient for t in whole} == dict(rest):
            return {**values, "w": terms.product(share)}
    return None


def divisor(power: int) -> Callable[[Terms, Values], Values | None]:
    """Holds where u is divided by a power of x; the quotient taken back is called w."""

    def condition(terms: Terms, values: Values) -> Values | None:
        inverse = terms.term(values["x"]).power(-power)
        if inverse is None or terms.constant(values["x"]) is not None:
            return None
        rest = terms.term(values["u"]).over(inverse)
        return {**values, "w": terms.product(rest)} if rest else None

    return condition


def root_beside(terms: Terms, values: Values) -> Values | None:
    """Holds where s is x**2 and one term more; that over x is called w."""
    x = terms.term(values["x"])
    square = x.power(2)
    rest = dict(terms.linear(values["s"]))
    if square is None or not x.factors or rest.pop(square.factors, 0) != square.coefficient:
        return None
    share = None
    if len(rest) == 1:
        ((factors, coefficient),) = rest.items()
        share = Term(coefficient, factors).over(x)
    return {**values, "w": terms.product(share)} if share else None


_VANISHES = "0/0, and a gradient that cancels near 0"
_BOTH = "by the chain rule one of the two gradients cancels"

OVER = tuple(
    Rewrite(
        f"{f} of a multiple", f"{f}(u)/x", f"{f}_over(x, w)", "everywhere; w at x = 0",
        f"0/0, and {_BOTH}", where=within, domain=(("x", 0.1, reach), ("y", 0.1, reach)),
    )
    for f, reach in (
        ("tanh", 3), ("sin", 3), ("atan", 3), ("asinh", 3), ("sinh", 3), ("expm1", 3),
        ("log1p", 3), ("erf", 2),
    )
)  # fmt: skip

TIMES = (
    *(
        Rewrite(
            f"{f} of a share, scaled by {text}", f"{text}*{f}(u)", f"{f}_times({text}, w)",
            "x != 0", _BOTH, where=divisor(power), domain=(("x", 0.1, 3), ("y", 0.1, 3)),
        )
        for f in ("log1p", "expm1", "softplus1")
        for text, power in (("x**2", 2), ("x", 1))
    ),
    *(
        Rewrite(
            f"{f} of a share, over it", f"{f}_times(x, u)/v", f"d*{relative}(u/x)", "x != 0",
            "after the rule before, what is left of 1 cancels", where=proportional,
            domain=(("x", 0.1, 3), ("u", 0.1, 3)),
        )
        for f, relative in (("log1p", "log1prel"), ("expm1", "exprel"))
    ),
    Rewrite(
        "softplus of a multiple", "softplus1(u)/x", "softplus1_times(1/x, w)", "x != 0", _BOTH,
        where=within, domain=(("x", 0.1, 3), ("y", 0.1, 3)),
    ),
    Rewrite(
        "log1p of a square, scaled", "x**2*log1p_square(u)", "log1p_square_times(x, w)",
        "x != 0", _BOTH, where=divisor(1), domain=(("x", 0.1, 3), ("y", 0.1, 3)),
    ),
    Rewrite(
        "hypot less 1, scaled", "x**2*hypotm1(u)", "hypotm1_times(x, w)",
        "x != 0", _BOTH, where=divisor(1), domain=(("x", 0.1, 3), ("y", 0.1, 3)),
    ),
)  # fmt: skip

SERIES = (
    Rewrite(
        "erf over u", "erf(u)/u", "2/sqrt(pi)*boys(0, u)", "everywhere; 2/sqrt(pi) at 0",
        _VANISHES, domain=over(-6, 6, "u"),
    ),
    Rewrite(
        "sin less u*cos", "sin(u) - u*cos(u)", "sincos_gap(u)", "everywhere", "cancels near 0",
        domain=over(-4, 4, "u"),
    ),
    Rewrite(
        "form factor of a sphere", "sincos_gap(u)/u**3", "spherical_k1(u)",
        "everywhere; 1/3 at 0", _VANISHES, domain=over(-4, 4, "u"),
    ),
    Rewrite(
        "spherical Bessel function of order 1", "sincos_gap(u)/u**2", "u*spherical_k1(u)",
        "everywhere; 0 at 0", _VANISHES, domain=over(-4, 4, "u"),
    ),
    Rewrite(
        "spherical Bessel function less cos", "spherical_bessel_j0(u) - cos(u)",
        "u**2*spherical_k1(u)", "everywhere", "cancels near 0", domain=over(-4, 4, "u"),
    ),
    Rewrite(
        "spherical Bessel function of order 1, less a factor", "u**2*spherical_k1(u)/u",
        "u*spherical_k1(u)", "everywhere; 0 at 0", "after the rule before, 0/0",
        domain=over(-4, 4, "u"),
    ),
    Rewrite(
        "u less sin over its cube", "sinshrink(u)/u**3", "sinshrink3(u)",
        "everywhere; 1/6 at 0", _VANISHES, domain=over(-10, 10, "u"),
    ),
    Rewrite(
        "u less sin over its square", "sinshrink(u)/u**2", "u*sinshrink3(u)",
        "everywhere; 0 at 0", _VANISHES, domain=over(-10, 10, "u"),
    ),
    Rewrite(
        "u less tan over its cube", "tanshrink(u)/u**3", "-tanshrink3(u)",
        "everywhere; -1/3 at 0", _VANISHES, domain=over(-1.4, 1.4, "u"),
    ),
    Rewrite(
        "u less sin over u less tan", "sinshrink(u)/tanshrink(u)",
        "-sinshrink3(u)/tanshrink3(u)", "everywhere; -1/2 at 0", _VANISHES,
        domain=over(-1.4, 1.4, "u"),
    ),
    Rewrite(
        "cos less its first two terms", "u**2/2 + cos(u) - 1", "cosshrink(u)", "everywhere",
        "cancels near 0", domain=over(-10, 10, "u"),
    ),
    Rewrite(
        "cos less its first two terms over u**4", "cosshrink(u)/u**4", "stumpff(4, u)",
        "everywhere; 1/24 at 0", _VANISHES, domain=over(-10, 10, "u"),
    ),
    Rewrite(
        "csc gap", "1/u - 1/sin(u)", "-u*sinshrink3(u)/spherical_bessel_j0(u)",
        "everywhere; 0 at 0", "inf - inf, and cancels near 0", domain=over(-3, 3, "u"),
    ),
    Rewrite(
        "csc gap, by name", "1/u - csc(u)", "-u*sinshrink3(u)/spherical_bessel_j0(u)",
        "everywhere; 0 at 0", "inf - inf, and cancels near 0", domain=over(-3, 3, "u"),
    ),
)  # fmt: skip

SCALED = (
    Rewrite(
        "difference of exp over a difference", "(exp(u) - exp(v))/x", "w*exp_slope(u, v)",
        "u != v; exp(u) where equal", "0/0, and a gradient that cancels for u near v",
        where=slope, domain=(("a", -3, 3), ("b", -3, 3)),
    ),
    Rewrite(
        "log1p of a square over it", "log1p_square(u)/u**2", "log1p_square_rel(u)",
        "everywhere; 1 at 0", _VANISHES, domain=over(-6, 6, "u"),
    ),
    Rewrite(
        "hypot less 1 over its square", "hypotm1(u)/u**2", "1/(1 + hypot(u, 1))",
        "everywhere; 1/2 at 0", _VANISHES, domain=over(-6, 6, "u"),
    ),
    Rewrite(
        "hypot less 1 over u", "hypotm1(u)/u", "hypotm1rel(u)", "everywhere; 0 at 0",
        _VANISHES, domain=over(-6, 6, "u"),
    ),
    Rewrite(
        "expm1 less u*exp", "expm1(u) - u*exp(u)", "expm1_gap(u)", "everywhere",
        "cancels near 0", domain=over(-20, 3, "u"),
    ),
    Rewrite(
        "1 less (1 + u)*exp", "1 - (1 + u)*exp(-u)", "-expm1_gap(-u)", "everywhere",
        "cancels near 0", domain=over(-3, 20, "u"),
    ),
    Rewrite(
        "expm1 less u*exp over u**2", "expm1_gap(u)/u**2", "-exprel(u)*exprel_mean(u)",
        "everywhere; -1/2 at 0", _VANISHES, domain=over(-20, 3, "u"),
    ),
    Rewrite(
        "expm1 of a power over it", "expm1(u)/x",
        "where(abs(u) < 1, w*exprel(u), expm1(u)/x)", "everywhere; 0 at x = 0",
        "0/0, and vanishes early", where=part, domain=over(-3, 3), stage=Stage.LAST,
    ),
    Rewrite(
        "u less log1p", "u - log1p(u)", "log1pshrink(u)", "u > -1; NaN below",
        "cancels near 0", domain=over(-0.9, 20, "u"),
    ),
    Rewrite(
        "u less log1p over its square", "log1pshrink(u)/u**2", "log1pshrink2(u)",
        "u > -1; 1/2 at 0", _VANISHES, domain=over(-0.9, 20, "u"),
    ),
    Rewrite(
        "hyperbolic u less sinh", "sinh(u/2)**2/u**2", "sinhrel(u/2)**2/4",
        "everywhere; 1/4 at 0", _VANISHES, domain=over(-6, 6, "u"),
    ),
    Rewrite(
        "scaled erfc of a root", "erfc(sqrt(u))*exp(u)", "erfcx(sqrt(u))", "u >= 0; NaN below",
        "inf*0", domain=over(0.01, 80, "u"),
    ),
    Rewrite(
        "scaled erfc", "erfc(u)*exp(u**2)", "erfcx(u)", "everywhere", "inf*0",
        domain=over(-3, 8, "u"),
    ),
    Rewrite(
        "scaled normal distribution", "ndtr(u)*exp(u**2/2)", "erfcx(-u/sqrt(2))/2",
        "everywhere", "inf*0", domain=over(-10, 3, "u"),
    ),
    Rewrite(
        "inverse of scaled erfc", "1/erfc(u)*exp(-u**2)", "inverse_erfcx(u)", "everywhere",
        "0/0 in the tail", domain=over(-3, 8, "u"),
    ),
    Rewrite(
        "inverse Mills ratio", "1/ndtr(u)*exp(-u**2/2)", "sqrt(2*pi)*inverse_mills(u)",
        "everywhere", "0/0 in the tail", domain=over(-10, 3, "u"),
    ),
)  # fmt: skip

ROOTS = (
    Rewrite(
        "root of a product less its factor",
        "sqrt(s) - x",
        "where(x > 0, sqrt1pm1_times(x, w), sqrt(s) - x)",
        "everywhere",
        "cancels and overflows for large x",
        where=root_beside,
        domain=(("x", 0.1, 50),),
        stage=Stage.LAST,
    ),
)

PROPORTIONS = SCALED + OVER
