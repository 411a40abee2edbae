"""Rewrites of differences at near places and of their quotients, and of what is near 1 at 0."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import factorial

from symop.near_places import simpler
from symop.proportion_identities import within
from symop.rules import Rewrite, Stage, Values, over, varying
from symop.terms import Terms


def exponential_series(terms: Terms, values: Values) -> Values | None:
    """Holds where w is the first terms of the series of exp(-u); their number is called d."""
    inside = terms.linear(values["w"])
    expected: dict[object, Fraction] = {(): Fraction(1)}
    for order in range(1, len(inside)):
        power = terms.term(values["u"]).power(order)
        if power is None:
            return None
        expected[power.factors] = power.coefficient * Fraction((-1) ** order, factorial(order))
    if len(inside) < _LEAST or expected != dict(inside):
        return None
    return {**values, "d": terms.build.constant(len(inside))}


def opposite(terms: Terms, values: Values) -> Values | None:
    """Holds where v is -p."""
    negative = {f: -c for f, c in terms.linear(values["p"]).items()}
    same = negative == dict(terms.linear(values["v"]))
    return values if same and terms.constant(values["p"]) is None else None


def one_less(sign: int) -> Callable[[Terms, Values], Values | None]:
    """Holds where v is p - 1, or 1 - p for sign -1."""

    def condition(terms: Terms, values: Values) -> Values | None:
        rest = dict(terms.linear(values["p"]))
        rest[()] = rest.get((), Fraction(0)) - 1
        wanted = {f: sign * c for f, c in rest.items() if c}
        same = wanted == dict(terms.linear(values["v"]))
        return values if same and terms.constant(values["p"]) is None else None

    return condition


# Two terms have functions of their own.
_LEAST = 3
_NEAR = "cancels for a near b"
_ZERO = "cancels near 0"
_BETWEEN = "0/0, and cancels for a near b"


def beside_squares(terms: Terms, values: Values) -> Values | None:
    """Holds where s - a**2 - b**2, called d, is shorter than s."""
    inside = terms.linear(values["s"])
    rest = dict(inside)
    for name in ("a", "b"):
        square = terms.term(values[name]).power(2)
        if square is None:
            return None
        left = rest.get(square.factors, Fraction(0)) - square.coefficient
        rest[square.factors] = left
    rest = {f: c for f, c in rest.items() if c}
    if not rest or len(rest) >= len(inside):
        return None
    return {**values, "d": terms.gathered(rest)}


# Where the difference of the places is shorter than both side by side; they are called a and b.
PLACES = tuple(
    Rewrite(name, pattern, replacement, valid, _NEAR, where=simpler("a", "b"),
            domain=(*over(-reach, reach, "a", "b"), ("y", -3, 3)), stage=stage)
    for name, pattern, replacement, valid, reach, stage in (
        ("difference of squares at near places", "a**2 - b**2", "d*(a + b)", "everywhere", 10,
         Stage.FIRST),
        ("difference of cubes", "a**3 - b**3", "d*(a*a + a*b + b*b)", "everywhere", 10,
         Stage.FIRST),
        ("difference of fourth powers", "a**4 - b**4", "d*(a + b)*(a*a + b*b)", "everywhere", 10,
         Stage.FIRST),
        ("difference of exponentials", "exp(a) - exp(b)",
         "exp(where(d > 0, a, b))*where(d > 0, -expm1(-d), expm1(d))", "everywhere", 10,
         Stage.FIRST),
        ("difference of tanh", "tanh(a) - tanh(b)",
         "where(abs(d) < 40 and a*b > 0, sinh(d)*sech(a)*sech(b), tanh(a) - tanh(b))",
         "everywhere", 3, Stage.LAST),
        ("difference of sigmoids", "sigmoid(a) - sigmoid(b)",
         "where(abs(d) < 80, sinh(d/2)*sech(a/2)*sech(b/2)/2, sigmoid(a) - sigmoid(b))",
         "everywhere", 3, Stage.LAST),
        ("difference of hypots", "hypot(a, y) - hypot(b, y)", "hypot_gap(b, d, y)", "everywhere",
         10, Stage.FIRST),
        ("difference of inverse hypots", "1/hypot(a, y) - 1/hypot(b, y)",
         "-hypot_gap(b, d, y)/(hypot(a, y)*hypot(b, y))", "everywhere", 10, Stage.FIRST),
    )
)  # fmt: skip

QUOTIENTS = tuple(
    Rewrite(name, f"({pattern})/(a - b)", replacement, "a != b; the derivative where equal",
            _BETWEEN, domain=over(low, high, "a", "b"))
    for name, pattern, replacement, low, high in (
        ("difference quotient of squares", "a**2 - b**2", "a + b", -10, 10),
        ("difference quotient of squares, by name", "squares_gap(a, b)", "a + b", -10, 10),
        ("difference quotient of cubes", "a**3 - b**3", "a*a + a*b + b*b", 0.1, 10),
        ("difference quotient of fourth powers", "a**4 - b**4", "(a + b)*(a*a + b*b)", 0.1, 10),
        ("difference quotient of roots", "sqrt(a) - sqrt(b)", "1/(sqrt(a) + sqrt(b))", 0.01, 10),
        ("difference quotient of reciprocals", "1/a - 1/b", "-1/(a*b)", 0.01, 10),
        ("difference quotient of sin", "sin(a) - sin(b)",
         "cos((a + b)/2)*spherical_bessel_j0((a - b)/2)", -3, 3),
        ("difference quotient of cos", "cos(a) - cos(b)",
         "-sin((a + b)/2)*spherical_bessel_j0((a - b)/2)", -3, 3),
    )
)  # fmt: skip

# At 1, at the limits, and of several functions of one argument.
POINTS = tuple(
    Rewrite(name, pattern, replacement, valid, _ZERO, domain=over(low, high, "u"), stage=stage)
    for name, pattern, replacement, valid, low, high, stage in (
        ("inverse exprel plus u/2", "inverse_exprel(u) + u/2", "xcoth(u/2)", "everywhere",
         -20, 20, Stage.FIRST),
        ("inverse exprel less 1", "inverse_exprel(u) - 1",
         "where(abs(u) < 1, -exprel_gap(u)*inverse_exprel(u), inverse_exprel(u) - 1)",
         "everywhere", -20, 20, Stage.LAST),
        ("csch gap", "1/u - csch(u)",
         "where(abs(u) < 2, langevin(u) - langevin(u/2), 1/u - csch(u))", "everywhere; 0 at 0",
         -20, 20, Stage.LAST),
        ("u over sin, less 1", "xcsc(u) - 1", "u*u*sinshrink3(u)*xcsc(u)", "everywhere",
         -3, 3, Stage.FIRST),
        ("u over sinh, less 1", "xcsch(u) - 1",
         "where(abs(u) < 1, -u*u*sinh_rest(3, 3, 0, u)*xcsch(u), xcsch(u) - 1)", "everywhere",
         -10, 10, Stage.LAST),
        ("u over tan, less 1", "xcot(u) - 1", "-u*cotgap(u)", "everywhere", -3, 3, Stage.FIRST),
        ("inverse square less csc squared", "1/u**2 - 1/sin(u)**2", "-cotgap_1(u)",
         "everywhere; -1/3 at 0", -3, 3, Stage.FIRST),
        ("hypot less its first two terms", "hypotm1(u) - u**2/2", "-hypotm1(u)**2/2",
         "everywhere", -10, 10, Stage.FIRST),
        ("roots on both sides of 1", "sqrt(1 + u) + sqrt(1 - u) - 2",
         "a = sqrt(1 + u)\nb = sqrt(1 - u)\n-2*u/(a + b)*(u/((1 + a)*(1 + b)))",
         "-1 <= u <= 1; NaN elsewhere", -0.99, 0.99, Stage.FIRST),
        ("u less sin*cos", "u - sin(u)*cos(u)", "sinshrink(2*u)/2", "everywhere", -3, 3,
         Stage.FIRST),
        ("sinh*cosh less u", "sinh(u)*cosh(u) - u", "sinhshrink(2*u)/2", "everywhere", -10, 10,
         Stage.FIRST),
        ("sin of twice less twice sin", "sin(2*u) - 2*sin(u)", "-4*sin(u)*sin(u/2)**2",
         "everywhere", -3, 3, Stage.FIRST),
        ("log of sin less log", "log(sin(u)) - log(u)", "where(u >= 0, log_sinc(u), log(u))",
         "where sin(u)/u > 0", 0.01, 3, Stage.FIRST),
        ("log of sinh less log", "log_sinh(u) - log(u)", "where(u >= 0, log_sinhrel(u), log(u))",
         "u > 0; NaN below", 0.01, 20, Stage.FIRST),
        ("log of exprel", "log(exprel(u))", "log_exprel(u)", "everywhere", -20, 20, Stage.FIRST),
        ("log of inverse exprel", "log(inverse_exprel(u))", "-log_exprel(u)", "everywhere",
         -20, 20, Stage.FIRST),
    )
)  # fmt: skip

LOGARITHMS = tuple(
    Rewrite(
        f"log of {name} over u", f"log({name}rel(u))",
        f"where(abs(u) < 1, log1p({name}_rest(3, 1, 0, u)), log({name}rel(u)))", "everywhere",
        _ZERO, domain=over(-reach, reach, "u"), stage=Stage.LAST,
    )
    for name, reach in (
        ("tanh", 10), ("atan", 10), ("asinh", 10), ("tan", 1.4), ("asin", 0.99), ("atanh", 0.99),
    )
)  # fmt: skip

# Squares of quotients that are 1 at 0; further out a product would have a gradient that cancels.
SQUARES = tuple(
    Rewrite(
        f"square of {name}, less 1", f"{name}(u)**2 - 1",
        f"where(abs(u) < 1, {less_one}*({name}(u) + 1), squares_gap({name}(u), 1))",
        "everywhere", _ZERO, domain=over(-reach, reach, "u"),
    )
    for name, less_one, reach in (
        ("sinhrel", "sinh_rest(3, 1, 0, u)", 10), ("tanhrel", "tanh_rest(3, 1, 0, u)", 10),
        ("atanrel", "atan_rest(3, 1, 0, u)", 10), ("tanrel", "tan_rest(3, 1, 0, u)", 1.4),
        ("spherical_bessel_j0", "sin_rest(3, 1, 0, u)", 10),
        ("xcsch", "-u*u*sinh_rest(3, 3, 0, u)*xcsch(u)", 10),
        ("xcsc", "u*u*sinshrink3(u)*xcsc(u)", 3),
    )
)  # fmt: skip

OTHERS = (
    Rewrite(
        "root of more squares less hypot", "root(s) - hypot(a, b)",
        "q = root(s) + hypot(a, b)\nd/where(q == 0, 1, q)", "everywhere",
        "cancels where the further squares are small", where=beside_squares,
        domain=(("a", -10, 10), ("b", -10, 10), ("x", -3, 3)),
    ),
    Rewrite(
        "1 less x over hypot of both", "1 - x/hypot(x, y)",
        "h = hypot(x, y)\nwhere(x > 0, y/h*(y/(h + x)), 1 - x/h)", "not both 0",
        "cancels for large x", where=varying("x"), domain=over(-10, 10, "x", "y"),
        stage=Stage.LAST,
    ),
    Rewrite(
        "x less x over hypot", "x - hypot_slope(x, 1)", "-x*inverse_hypotm1(x)", "everywhere",
        _ZERO, where=varying("x"), domain=over(-10, 10),
    ),
    Rewrite(
        "log1p of a share, scaled, less its limit", "log1p_times(x, w) - w",
        "where(abs(x) < abs(w), log1p_times(x, w) - w, -x*log1pshrink(w/x))",
        "where 1 + w/x > 0", "cancels for large x", where=varying("x"),
        domain=(("x", 0.1, 1000), ("w", 0.1, 3)), stage=Stage.LAST,
    ),
    Rewrite(
        "log gap less its first term", "log_gap(b, d) - d/b",
        "where(b >= 0, -log1pshrink(d/b), log(b))", "b > 0; NaN below", "cancels for large b",
        domain=(("b", 0.1, 1000), ("d", 0.1, 3)),
    ),
    Rewrite(
        "expm1 less u over a factor", "expgap(u)/x", "w*exp_rest(2, 1, 0, u)",
        "everywhere; 0 at x = 0", "0/0, and a gradient that cancels near 0", where=within,
        domain=over(0.1, 3, "x", "y"),
    ),
)  # fmt: skip

POWERS = (
    Rewrite(
        "box-cox, the other way round", "(pow(x, p) - 1)/v", "-boxcox(x, p)",
        "x > 0; -log(x) at p = 0", "0/0, and cancels near p = 0", where=opposite,
        domain=(("x", 0.1, 10), ("y", -3, 3)),
    ),
    Rewrite(
        "x less a power, over the difference of the exponents", "(x - pow(x, p))/v",
        "-x*boxcox(x, v)", "x > 0; -x*log(x) at p = 1", "0/0, and cancels near p = 1",
        where=one_less(1), domain=(("x", 0.1, 10), ("y", -3, 3)),
    ),
    Rewrite(
        "x less a power, the other way round", "(x - pow(x, p))/v", "x*boxcox(x, -v)",
        "x > 0; x*log(x) at p = 1", "0/0, and cancels near p = 1", where=one_less(-1),
        domain=(("x", 0.1, 10), ("y", -3, 3)),
    ),
    Rewrite(
        "1 less exp by its series", "1 - w*exp(u)", "erlang(d, -u)", "everywhere", _ZERO,
        where=exponential_series, domain=(("x", -3, 20),),
    ),
    Rewrite(
        "expm1 less u*exp over u", "expm1_gap(u)/u", "-u*exprel(u)*exprel_mean(u)",
        "everywhere; 0 at 0", "0/0, and cancels near 0", domain=over(-20, 3, "u"), stage=Stage.LATE,
    ),
    Rewrite(
        "expm1 less u*exp, by its factor", "1 + exp(u)*(u - 1)", "-expm1_gap(u)", "everywhere",
        _ZERO, domain=over(-20, 3, "u"),
    ),
)  # fmt: skip

GAPS = POWERS + PLACES + QUOTIENTS + POINTS + LOGARITHMS + SQUARES + OTHERS
