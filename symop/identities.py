"""The table of rewrites: forms that lose digits, and those that do not.

Patterns and replacements are formulas in symop's language; the names in them are wildcards,
c a number and n a literal exponent. Sums and products match in any order and up to a common
factor. Order matters: the first rule that applies is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction
from math import isqrt

from symop.program import Node
from symop.terms import Term, Terms

Values = Mapping[str, int]


class Stage(IntEnum):
    """FIRST and LATE rules are repeated until none applies; LAST ones are taken once.

    LATE rules would hide what others look for; the replacement of a LAST one repeats its
    pattern.
    """

    FIRST = 0
    LATE = 1
    LAST = 2


@dataclass(frozen=True)
class Rewrite:
    """One rewrite.

    name: what reports call it.
    pattern: what is looked for.
    replacement: what takes its place.
    valid: where the two sides agree; for tests the ranges of the wildcards are in `domain`.
    why: what is gained.
    where: a condition on what the wildcards stand for, which may add values for further names
        of the replacement; None where the rule does not apply.
    domain: for each wildcard of the pattern, and of what `where` adds, texts to put in its
        place, over x and y, and the range of x and y; what tests instantiate.
    stage: when its turn comes.
    alone: no further factors may stand beside the pattern.
    """

    name: str
    pattern: str
    replacement: str
    valid: str
    why: str
    where: Callable[[Terms, Values], Values | None] | None = None
    domain: tuple[tuple[str, float, float], ...] = ()
    stage: Stage = Stage.FIRST
    alone: bool = False


# Conditions


def _simpler(first: str, second: str) -> Callable[[Terms, Values], Values | None]:
    """Holds where a - b, called d, is shorter than a and b side by side."""

    def condition(terms: Terms, values: Values) -> Values | None:
        a, b = values[first], values[second]
        difference = terms.difference(a, b)
        if not difference or len(difference) >= len(terms.linear(a)) + len(terms.linear(b)):
            return None
        if len(terms.linear(a)) == len(terms.linear(b)) == 1:
            return None
        return {**values, "d": terms.gathered(difference)}

    return condition


def _square_inside(terms: Terms, values: Values) -> Values | None:
    """Holds for a + sqrt(s) where s - a**2, called d, is shorter than s."""
    square = terms.term(values["a"]).power(2)
    if square is None or len(terms.linear(values["a"])) != 1:
        return None
    inside = terms.linear(values["s"])
    rest = dict(inside)
    rest[square.factors] = rest.get(square.factors, Fraction(0)) - square.coefficient
    rest = {f: c for f, c in rest.items() if c}
    mine = {base for base, _ in square.factors}
    again = len(rest) > 1 and any(b in mine for f in rest for b, _ in f)
    if not rest or len(rest) >= len(inside) or again:
        return None
    return {**values, "d": terms.gathered(rest)}


def _square_inside_share(terms: Terms, values: Values) -> Values | None:
    """The same, where v is a factor of d; the quotient is called w."""
    found = _square_inside(terms, values)
    rest = found and terms.term(found["d"]).over(terms.term(values["v"]))
    return {**found, "w": terms.product(rest)} if found and rest else None


def _near_one(terms: Terms, values: Values) -> Values | None:
    """Holds for a square root of 1 + ..., whose distance from 1 is called d."""
    inside = dict(terms.linear(values["s"]))
    if inside.pop((), None) != 1 or not inside:
        return None
    return {**values, "d": terms.gathered({f: -c for f, c in inside.items()})}


def _sum_of_squares(terms: Terms, values: Values) -> Values | None:
    return values if _is_sum_of_squares(terms.build.nodes, values["s"]) else None


def _is_square(nodes: Sequence[Node], index: int) -> bool:
    node = nodes[index]
    if node.op == "ipow":
        return int(node.value or 0) > 0 and int(node.value or 0) % 2 == 0
    return node.op == "mul" and node.operands[0] == node.operands[1]


def _is_sum_of_squares(nodes: Sequence[Node], index: int) -> bool:
    node = nodes[index]
    if node.op == "add":
        return all(_is_sum_of_squares(nodes, operand) for operand in node.operands)
    if node.op == "sum":
        return _is_sum_of_squares(nodes, node.operands[0])
    if node.op == "div" and nodes[node.operands[1]].op in ("count", "constant"):
        return _is_sum_of_squares(nodes, node.operands[0])
    return _is_square(nodes, index)


def _positive(name: str) -> Callable[[Terms, Values], Values | None]:
    """Holds for a positive number; its square root, where exact, is called r."""

    def condition(terms: Terms, values: Values) -> Values | None:
        value = terms.constant(values[name])
        if value is None or value <= 0:
            return None
        root = Fraction(isqrt(value.numerator), isqrt(value.denominator))
        exact = terms.build.constant(root) if root * root == value else None
        return {**values, "r": exact if exact is not None else _root(terms, values[name])}

    return condition


def _root(terms: Terms, index: int) -> int:
    return terms.build.apply("sqrt", index)


def _varies(terms: Terms, values: Values) -> Values | None:
    return values if all(terms.constant(v) is None for k, v in values.items() if k != "c") else None


def _varying(name: str) -> Callable[[Terms, Values], Values | None]:
    return lambda terms, values: values if terms.constant(values[name]) is None else None


def _share(*names: str) -> Callable[[Terms, Values], Values | None]:
    """Holds where the named values are factors of u; what they lack of 1/u is called d."""

    def condition(terms: Terms, values: Values) -> Values | None:
        rest: Term | None = terms.term(values["u"])
        for name in names:
            rest = rest and rest.over(terms.term(values[name]))
        inverse = rest and rest.power(-1)
        return {**values, "d": terms.product(inverse)} if inverse else None

    return condition


def _shares(terms: Terms, values: Values) -> Values | None:
    """Holds where x is a factor of u and of v; x/u is called d and x/v is called w."""
    parts = []
    for name in ("u", "v"):
        rest = terms.term(values[name]).over(terms.term(values["x"]))
        inverse = rest and rest.power(-1)
        if not inverse:
            return None
        parts.append(terms.product(inverse))
    return {**values, "d": parts[0], "w": parts[1]}


def _squares(terms: Terms, values: Values) -> Values | None:
    """Holds where v and w are squares, of a and b."""
    roots = [terms.term(values[name]).root() for name in ("v", "w")]
    if None in roots or all(terms.constant(values[name]) is not None for name in ("v", "w")):
        return None
    a, b = (terms.product(root) for root in roots if root is not None)
    return {**values, "a": a, "b": b}


def _multiple(terms: Terms, values: Values) -> Values | None:
    """Holds where u is a number times x, so that both vanish together."""
    same = terms.term(values["u"]).factors == terms.term(values["x"]).factors
    return values if same and terms.constant(values["x"]) is None else None


def _grows(terms: Terms, values: Values) -> Values | None:
    n = terms.constant(values["n"])
    return values if n is not None and n.denominator == 1 and n > 1 else None


def _over(low: float, high: float, *names: str) -> tuple[tuple[str, float, float], ...]:
    return tuple((name, low, high) for name in names or ("x",))


# Exponentials and what is made of them. Names of the special functions of symop.cancelling
# and of other records stand on the right; they stay opaque until after differentiation.

EXPONENTIALS = (
    Rewrite(
        "log of exp",
        "log(exp(u))",
        "u",
        "everywhere",
        "exp overflows or vanishes",
        domain=_over(-30, 30, "u"),
    ),
    Rewrite(
        "expm1",
        "exp(u) - 1",
        "expm1(u)",
        "everywhere",
        "the 1 swallows a small difference",
        domain=_over(-40, 40, "u"),
    ),
    Rewrite(
        "expm1 of another base",
        "pow(c, u) - 1",
        "expm1(u*log(c))",
        "c > 0",
        "the 1 swallows a small difference",
        where=_positive("c"),
        domain=(("u", -10, 10), ("c", 0.5, 4)),
    ),
    Rewrite(
        "expm1 of base 2",
        "exp2(u) - 1",
        "expm1(u*log(2))",
        "everywhere",
        "the 1 swallows a small difference",
        domain=_over(-10, 10, "u"),
    ),
    Rewrite(
        "expm1 back",
        "expm1(u) + 1",
        "exp(u)",
        "everywhere",
        "-1 + 1 of a tail leaves nothing",
        domain=_over(-40, 40, "u"),
    ),
    Rewrite(
        "square of expm1 less 1",
        "expm1(u)**2 - 1",
        "morse(u)",
        "everywhere",
        "cancels in the tail",
        domain=_over(-40, 5, "u"),
    ),
    Rewrite(
        "exp of minus a square",
        "exp(-u**2)",
        "gaussian(u)",
        "everywhere",
        "the rounding of the square costs 400 ULP",
        domain=_over(-8, 8, "u"),
        stage=Stage.LATE,
    ),
    Rewrite(
        "exp of minus half a square",
        "exp(-u**2/2)",
        "gaussian_half(u)",
        "everywhere",
        "the rounding of the square costs 500 ULP",
        domain=_over(-9, 9, "u"),
        stage=Stage.LATE,
    ),
    Rewrite(
        "exp of minus exp",
        "exp(-exp(u))",
        "exp_neg_exp(u)",
        "everywhere",
        "the derivative is inf*0",
        domain=_over(-30, 4, "u"),
    ),
    Rewrite(
        "second difference of exp",
        "exp(u) + exp(-u) - 2",
        "4*sinh(u/2)**2",
        "everywhere",
        "cancels near 0",
        domain=_over(-40, 40, "u"),
    ),
    Rewrite(
        "tanh from exponentials",
        "(exp(u) - exp(-u))/(exp(u) + exp(-u))",
        "tanh(u)",
        "everywhere",
        "inf/inf",
        domain=_over(-15, 15, "u"),
    ),
    Rewrite(
        "tanh from one exponential",
        "expm1(2*u)/(exp(2*u) + 1)",
        "tanh(u)",
        "everywhere",
        "inf/inf",
        domain=_over(-15, 15, "u"),
    ),
    Rewrite(
        "sinh from exponentials",
        "exp(u) - exp(-u)",
        "2*sinh(u)",
        "everywhere",
        "cancels near 0",
        domain=_over(-20, 20, "u"),
    ),
    Rewrite(
        "cosh from exponentials",
        "exp(u) + exp(-u)",
        "2*cosh(u)",
        "everywhere",
        "its reciprocal has a derivative that is inf/inf",
        domain=_over(-20, 20, "u"),
    ),
    Rewrite(
        "tanh of sinh and cosh",
        "sinh(u)/cosh(u)",
        "tanh(u)",
        "everywhere",
        "inf/inf",
        domain=_over(-15, 15, "u"),
    ),
    Rewrite(
        "exp over expm1",
        "exp(u)/expm1(u)",
        "-bose(-u)",
        "everywhere",
        "inf/inf",
        domain=_over(-30, 30, "u"),
    ),
    Rewrite(
        "quotient of expm1",
        "expm1(a + b)/(expm1(a)*expm1(b))",
        "(coth(a/2) + coth(b/2))/2",
        "everywhere",
        "inf/inf, and a gradient that cancels",
        domain=_over(0.1, 20, "a", "b"),
    ),
    Rewrite(
        "ratio of expm1",
        "expm1(2*u)/expm1(u)",
        "exp(u) + 1",
        "everywhere; 2 at 0",
        "0/0 and inf/inf",
        domain=_over(-15, 15, "u"),
    ),
    Rewrite(
        "power over expm1",
        "x**n/expm1(x)",
        "y = clamp_max(x, 1000)\nh = exp(-y/2)\n"
        "where(x > 80, y**n*h*h, y**(n - 1)*inverse_exprel(y))",
        "everywhere; 0 at 0",
        "0/0, inf/inf, and a gradient that cancels near 0",
        where=_grows,
        domain=_over(-20, 20),
    ),
    Rewrite(
        "u over expm1",
        "u/expm1(u)",
        "inverse_exprel(u)",
        "everywhere; 1 at 0",
        "0/0, inf/inf, and a gradient that cancels near 0",
        domain=_over(-20, 20, "u"),
    ),
    Rewrite(
        "expm1 over u",
        "expm1(u)/u",
        "exprel(u)",
        "everywhere; 1 at 0",
        "0/0, and a gradient that cancels near 0",
        domain=_over(-20, 20, "u"),
    ),
    Rewrite(
        "reciprocal of expm1",
        "1/expm1(u)",
        "bose(u)",
        "everywhere",
        "the derivative is inf/inf",
        domain=_over(0.001, 30, "u"),
    ),
    Rewrite(
        "reciprocal of cosh",
        "1/cosh(u)",
        "sech(u)",
        "everywhere",
        "the derivative is inf/inf",
        domain=_over(-15, 15, "u"),
    ),
    Rewrite(
        "reciprocal of sinh",
        "1/sinh(u)",
        "csch(u)",
        "everywhere",
        "the derivative is inf/inf",
        domain=_over(0.1, 15, "u"),
    ),
    Rewrite(
        "cosh less 1",
        "cosh(u) - 1",
        "2*sinh(u/2)**2",
        "everywhere",
        "cancels near 0",
        domain=_over(-20, 20, "u"),
    ),
    Rewrite(
        "cosh less sinh",
        "cosh(u) - sinh(u)",
        "exp(-u)",
        "everywhere",
        "cancels for u > 0",
        domain=_over(-20, 20, "u"),
    ),
    Rewrite(
        "cosh plus sinh",
        "cosh(u) + sinh(u)",
        "exp(u)",
        "everywhere",
        "cancels for u < 0",
        domain=_over(-20, 20, "u"),
    ),
    Rewrite(
        "log of cosh",
        "log(cosh(u))",
        "log_cosh(u)",
        "everywhere",
        "overflows, and cancels near 0",
        domain=_over(-20, 20, "u"),
    ),
)

SIGMOIDS = (
    Rewrite(
        "sigmoid",
        "1/(1 + exp(u))",
        "sigmoid(-u)",
        "everywhere",
        "the derivative is inf/inf",
        domain=_over(-30, 30, "u"),
    ),
    Rewrite(
        "exp times sigmoid",
        "exp(u)*sigmoid(-u)",
        "sigmoid(u)",
        "everywhere",
        "inf*0",
        domain=_over(-30, 30, "u"),
    ),
    Rewrite(
        "share of two exponentials",
        "exp(a)/(exp(a) + exp(b))",
        "share(a, b)",
        "everywhere",
        "inf/inf",
        domain=_over(-15, 15, "a", "b"),
    ),
    Rewrite(
        "1 less sigmoid",
        "1 - sigmoid(u)",
        "sigmoid(-u)",
        "everywhere",
        "cancels in the tail",
        domain=_over(-30, 30, "u"),
    ),
    Rewrite(
        "2*sigmoid less 1",
        "2*sigmoid(u) - 1",
        "tanh(u/2)",
        "everywhere",
        "cancels near 0",
        domain=_over(-30, 30, "u"),
    ),
    Rewrite(
        "odds of a sigmoid",
        "sigmoid(u)/sigmoid(-u)",
        "exp(u)",
        "everywhere",
        "inf/0",
        domain=_over(-20, 20, "u"),
    ),
    Rewrite(
        "1 plus tanh",
        "1 + tanh(u)",
        "2*sigmoid(2*u)",
        "everywhere",
        "cancels in the tail",
        domain=_over(-15, 15, "u"),
    ),
    Rewrite(
        "1 less tanh",
        "1 - tanh(u)",
        "2*sigmoid(-2*u)",
        "everywhere",
        "cancels in the tail",
        domain=_over(-15, 15, "u"),
    ),
    Rewrite(
        "1 less tanh squared",
        "1 - tanh(u)**2",
        "sech2(u)",
        "everywhere",
        "cancels in the tail",
        domain=_over(-15, 15, "u"),
    ),
    Rewrite(
        "softplus",
        "log(1 + exp(u))",
        "softplus1(u)",
        "everywhere",
        "overflows, and vanishes in the tail",
        domain=_over(-30, 30, "u"),
    ),
    Rewrite(
        "softplus from log1p",
        "log1p(exp(u))",
        "softplus1(u)",
        "everywhere",
        "overflows",
        domain=_over(-30, 30, "u"),
    ),
    Rewrite(
        "log of sigmoid",
        "log(sigmoid(u))",
        "logsigmoid(u)",
        "everywhere",
        "log(0) in the tail, and vanishes in the other",
        domain=_over(-30, 30, "u"),
    ),
    Rewrite(
        "product of opposite sigmoids",
        "sigmoid(u)*sigmoid(-u)",
        "sech2(u/2)/4",
        "everywhere",
        "the gradient cancels near 0",
        domain=_over(-30, 30, "u"),
    ),
    Rewrite(
        "difference of softplus",
        "softplus1(u) - softplus1(-u)",
        "u",
        "everywhere",
        "cancels near 0",
        domain=_over(-30, 30, "u"),
    ),
    Rewrite(
        "log of expm1",
        "log(expm1(u))",
        "u + log1mexp(u)",
        "u > 0; NaN below",
        "overflows",
        domain=_over(0.001, 30, "u"),
    ),
    Rewrite(
        "logaddexp",
        "log(exp(a) + exp(b))",
        "logaddexp(a, b)",
        "everywhere",
        "overflows",
        domain=_over(-15, 15, "a", "b"),
    ),
    Rewrite(
        "logaddexp of three",
        "log(exp(a) + exp(b) + exp(v))",
        "logaddexp(logaddexp(a, b), v)",
        "everywhere",
        "overflows",
        domain=_over(-15, 15, "a", "b", "v"),
    ),
    Rewrite(
        "softplus of two",
        "log(1 + exp(a) + exp(b))",
        "logaddexp(softplus1(a), b)",
        "everywhere",
        "overflows",
        domain=_over(-15, 15, "a", "b"),
    ),
    Rewrite(
        "log1mexp",
        "log(-expm1(u))",
        "log1mexp(-u)",
        "u < 0",
        "cancels, and vanishes in the tail",
        domain=_over(-30, -0.001, "u"),
    ),
    Rewrite(
        "logsubexp",
        "log(exp(a) - exp(b))",
        "a + log1mexp(a - b)",
        "a > b",
        "overflows",
        domain=(("a", 5, 15), ("b", -15, 4)),
    ),
    Rewrite(
        "silu",
        "x*sigmoid(x)",
        "silu(x)",
        "everywhere",
        "underflows early in the tail",
        where=_varies,
        domain=_over(-30, 30),
    ),
    Rewrite(
        "gate of mish",
        "tanh(softplus1(u))",
        "mish_gate(u)",
        "everywhere",
        "its derivative loses the tail",
        domain=_over(-30, 30, "u"),
    ),
    Rewrite(
        "mish",
        "x*mish_gate(x)",
        "mish(x)",
        "everywhere",
        "underflows early in the tail",
        where=_varies,
        domain=_over(-30, 30),
    ),
    Rewrite(
        "gelu by tanh",
        "x*sigmoid(sqrt(2/pi)*(x + 0.044715*x**3)*2)",
        "gelu_tanh(x)",
        "everywhere",
        "NaN at -inf",
        domain=_over(-5, 5),
    ),
)

ERRORS = (
    Rewrite(
        "erfc",
        "1 - erf(u)",
        "erfc(u)",
        "everywhere",
        "cancels in the tail",
        domain=_over(-3, 8, "u"),
    ),
    Rewrite(
        "1 plus erf",
        "1 + erf(u)",
        "erfc(-u)",
        "everywhere",
        "cancels in the tail",
        domain=_over(-8, 3, "u"),
    ),
    Rewrite(
        "erf back",
        "1 - erfc(u)",
        "erf(u)",
        "everywhere",
        "cancels near 0",
        domain=_over(-3, 3, "u"),
    ),
    Rewrite(
        "normal distribution",
        "erfc(u/sqrt(2))",
        "2*ndtr(-u)",
        "everywhere",
        "the rounding of u/sqrt(2) costs 700 ULP in the tail",
        domain=_over(-3, 10, "u"),
    ),
    Rewrite(
        "gelu",
        "x*ndtr(x)",
        "gelu(x)",
        "everywhere",
        "NaN at -inf",
        where=_varies,
        domain=_over(-8, 8),
    ),
    Rewrite(
        "log of erfc",
        "log(erfc(u))",
        "log_erfc(u)",
        "everywhere",
        "log(0) in the tail",
        domain=_over(-3, 20, "u"),
    ),
    Rewrite(
        "log of ndtr",
        "log(ndtr(u))",
        "log_ndtr(u)",
        "everywhere",
        "log(0) in the tail",
        domain=_over(-20, 5, "u"),
    ),
)

GAMMA = (
    Rewrite(
        "difference of lgamma",
        "lgamma(a) - lgamma(b)",
        "lgamma_gap(b, d)",
        "everywhere",
        "cancels for large a and b",
        where=_simpler("a", "b"),
        domain=(("a", 0.1, 100), ("b", 0.1, 100)),
    ),
    Rewrite(
        "difference of digamma",
        "digamma(a) - digamma(b)",
        "digamma_gap(b, d)",
        "everywhere",
        "cancels for large a and b",
        where=_simpler("a", "b"),
        domain=(("a", 0.1, 100), ("b", 0.1, 100)),
    ),
)

LOGARITHMS = (
    Rewrite(
        "log1p of a square",
        "log(1 + x**2)",
        "log1p_square(x)",
        "everywhere",
        "overflows, and vanishes near 0",
        domain=_over(-20, 20),
    ),
    Rewrite(
        "asinh",
        "log(x + sqrt(x**2 + 1))",
        "asinh(x)",
        "everywhere",
        "cancels for negative x",
        domain=_over(-20, 20),
    ),
    Rewrite(
        "asinh through hypot",
        "log(x + hypot(x, 1))",
        "asinh(x)",
        "everywhere",
        "cancels for negative x",
        domain=_over(-20, 20),
    ),
    Rewrite(
        "acosh",
        "log(x + sqrt(x**2 - 1))",
        "acosh(x)",
        "x >= 1; NaN below on both sides",
        "overflows, and loses digits near 1",
        domain=_over(1, 20),
    ),
    Rewrite(
        "atanh",
        "log((1 + u)/(1 - u))",
        "2*atanh(u)",
        "abs(u) < 1; NaN elsewhere",
        "vanishes near 0",
        domain=_over(-0.99, 0.99, "u"),
    ),
    Rewrite(
        "logit",
        "log(u/(1 - u))",
        "logit(u)",
        "0 < u < 1; NaN elsewhere",
        "loses digits near 1/2 and near 0",
        domain=_over(0.001, 0.999, "u"),
    ),
    Rewrite(
        "atanh from logarithms",
        "log1p(u) - log1p(-u)",
        "2*atanh(u)",
        "abs(u) < 1; NaN elsewhere",
        "cancels near 0",
        domain=_over(-0.99, 0.99, "u"),
    ),
    Rewrite(
        "logit from logarithms",
        "log(u) - log1p(-u)",
        "logit(u)",
        "0 < u < 1; NaN elsewhere",
        "cancels near 1/2",
        domain=_over(0.001, 0.999, "u"),
    ),
    Rewrite(
        "log1p",
        "log(1 + u)",
        "log1p(u)",
        "u > -1; NaN below on both sides",
        "the 1 swallows a small u",
        where=_varies,
        domain=_over(-0.9, 20, "u"),
    ),
    Rewrite(
        "log1p over u",
        "log1p(u)/u",
        "log1prel(u)",
        "u > -1; 1 at 0",
        "0/0, and a gradient that cancels near 0",
        domain=_over(-0.9, 20, "u"),
    ),
    Rewrite(
        "difference of u*log(u)",
        "a*log(a) - b*log(b)",
        "b*where(b >= 0, log1p(d/b), log(b)) + d*log(a)",
        "a, b > 0; NaN elsewhere",
        "cancels for a near b",
        where=_simpler("a", "b"),
        domain=(("b", 0.01, 100), ("a", 0.01, 100)),
    ),
    Rewrite(
        "difference of u*log(u), after log1p",
        "(1 + u)*log1p(u) - u*log(u)",
        "u*where(u >= 0, log1p(1/u), log(u)) + log1p(u)",
        "u > 0; NaN below",
        "cancels for large u",
        domain=_over(0.01, 100, "u"),
    ),
    Rewrite(
        "log of a quotient",
        "log(a/b)",
        "log_ratio(a, b)",
        "a/b > 0; NaN elsewhere",
        "the rounding of the quotient costs digits for a near b",
        where=_varies,
        domain=_over(0.1, 10, "a", "b"),
        stage=Stage.LATE,
    ),
    Rewrite(
        "difference of logarithms",
        "log(a) - log(b)",
        "where(b >= 0, log1p(d/b), log(b))",
        "a, b > 0; NaN elsewhere",
        "cancels for a near b",
        where=_simpler("a", "b"),
        domain=(("b", 0.01, 100), ("a", 0.01, 100)),
    ),
    Rewrite(
        "difference of logarithms, after log1p",
        "log1p(u) - log(u)",
        "where(u >= 0, log1p(1/u), log(u))",
        "u > 0; NaN below",
        "cancels for large u",
        domain=_over(0.01, 100, "u"),
    ),
    Rewrite(
        "x*log(x)",
        "x*log(x)",
        "xlogx(x)",
        "x >= 0; 0 at 0, NaN below",
        "0*inf at 0",
        where=_varies,
        domain=_over(0.01, 20),
        stage=Stage.LATE,
    ),
)

ROOTS = (
    Rewrite(
        "root of a square",
        "sqrt(x**2)",
        "hypot(x, 0)",
        "everywhere",
        "overflows, and the gradient at 0 is 0 as torch has it for a norm",
        domain=_over(-20, 20),
    ),
    Rewrite(
        "hypot",
        "sqrt(x**2 + y**2)",
        "hypot(x, y)",
        "everywhere",
        "overflows, vanishes, and has a NaN gradient at 0",
        domain=_over(-20, 20, "x", "y"),
    ),
    Rewrite(
        "hypot with a number",
        "sqrt(x**2 + c)",
        "hypot(x, r)",
        "c > 0",
        "overflows",
        where=_positive("c"),
        domain=(("x", -20, 20), ("c", 0.5, 4)),
    ),
    Rewrite(
        "root of a sum of squares",
        "sqrt(s)",
        "root(s)",
        "everywhere",
        "the gradient at zero is 0, as torch has it for a norm, where that of sqrt is NaN",
        where=_sum_of_squares,
        domain=(("x", -20, 20), ("y", -20, 20), ("v", -20, 20)),
    ),
    Rewrite(
        "hypot less 1",
        "hypot(x, 1) - 1",
        "hypotm1(x)",
        "everywhere",
        "cancels near 0",
        domain=_over(-20, 20),
    ),
    Rewrite(
        "x plus hypot",
        "x + hypot(x, y)",
        "q = hypot(x, y) + where(x < 0, -x, x)\nwhere(x < 0, y/q*y, q)",
        "everywhere",
        "cancels for negative x",
        where=_varying("x"),
        domain=_over(-20, 20, "x", "y"),
        stage=Stage.LATE,
    ),
    Rewrite(
        "quotient of a plus sqrt(a**2 + d)",
        "(a + sqrt(s))/v",
        "q = sqrt(s) + where(a < 0, -a, a)\nwhere(a < 0, w/q, q/v)",
        "everywhere",
        "cancels for negative a: roots of quadratic equations",
        where=_square_inside_share,
        domain=(("a", -20, 20), ("y", 0.1, 5)),
        stage=Stage.LATE,
    ),
    Rewrite(
        "a plus sqrt(a**2 + d)",
        "a + sqrt(s)",
        "q = sqrt(s) + where(a < 0, -a, a)\nwhere(a < 0, d/q, q)",
        "everywhere",
        "cancels for negative a",
        where=_square_inside,
        domain=(("a", -20, 20), ("y", 0.1, 5)),
        stage=Stage.LAST,
    ),
    Rewrite(
        "inverse hypot less 1",
        "1/hypot(x, 1) - 1",
        "inverse_hypotm1(x)",
        "everywhere",
        "cancels near 0",
        domain=_over(-20, 20),
    ),
    Rewrite(
        "x over hypot",
        "x/hypot(x, c)",
        "hypot_slope(x, c)",
        "c != 0",
        "the gradient cancels for large x",
        where=_varying("x"),
        domain=(("x", -20, 20), ("c", 0.5, 4)),
    ),
    Rewrite(
        "difference of roots",
        "sqrt(a) - sqrt(b)",
        "d/(sqrt(a) + sqrt(b))",
        "a, b >= 0",
        "cancels for a near b",
        where=_simpler("a", "b"),
        domain=(("a", 0.01, 100), ("b", 0.01, 100)),
    ),
    Rewrite(
        "difference of inverse roots",
        "1/sqrt(a) - 1/sqrt(b)",
        "-d/(sqrt(a)*sqrt(b)*(sqrt(a) + sqrt(b)))",
        "a, b > 0",
        "cancels for a near b",
        where=_simpler("a", "b"),
        domain=(("a", 0.01, 100), ("b", 0.01, 100)),
    ),
    Rewrite(
        "inverse root less 1",
        "1/sqrt(s) - 1",
        "d/(sqrt(s)*(1 + sqrt(s)))",
        "s > 0",
        "cancels for s near 1",
        where=_near_one,
        domain=_over(0.001, 0.9, "y"),
    ),
    Rewrite(
        "square over itself",
        "x**2/(x**2*sqrt(s)*(1 + sqrt(s)))",
        "1/(sqrt(s)*(1 + sqrt(s)))",
        "x != 0; the limit at 0",
        "after the rule before, the gradient by x cancels",
        where=_varying("x"),
        domain=(("x", 0.1, 4), ("s", 0.1, 4)),
    ),
)

DIFFERENCES = (
    Rewrite(
        "1 less cos",
        "1 - cos(u)",
        "2*sin(u/2)**2",
        "everywhere",
        "cancels near 0",
        domain=_over(-3, 3, "u"),
    ),
    Rewrite(
        "half angle",
        "sin(u/2)**2/sin(u)",
        "tan(u/2)/2",
        "everywhere; 0 at 0",
        "0/0",
        domain=_over(-3, 3, "u"),
    ),
    Rewrite(
        "sin over u",
        "sin(u)/u",
        "spherical_bessel_j0(u)",
        "everywhere; 1 at 0",
        "0/0, and a gradient that cancels near 0",
        domain=_over(-10, 10, "u"),
    ),
    Rewrite(
        "u less sin",
        "u - sin(u)",
        "sinshrink(u)",
        "everywhere",
        "cancels near 0",
        domain=_over(-10, 10, "u"),
    ),
    Rewrite(
        "u less tan",
        "u - tan(u)",
        "tanshrink(u)",
        "everywhere",
        "cancels near 0",
        domain=_over(-1.4, 1.4, "u"),
    ),
    Rewrite(
        "u less tanh",
        "u - tanh(u)",
        "tanhshrink(u)",
        "everywhere",
        "cancels near 0",
        domain=_over(-10, 10, "u"),
    ),
    Rewrite(
        "langevin",
        "coth(u) - 1/u",
        "langevin(u)",
        "everywhere; 0 at 0",
        "inf - inf, and cancels near 0",
        domain=_over(-10, 10, "u"),
    ),
    Rewrite(
        "langevin of tanh",
        "1/tanh(u) - 1/u",
        "langevin(u)",
        "everywhere; 0 at 0",
        "inf - inf, and cancels near 0",
        domain=_over(-10, 10, "u"),
    ),
    Rewrite(
        "difference of sines",
        "sin(a) - sin(b)",
        "2*cos(b + d/2)*sin(d/2)",
        "everywhere",
        "cancels for a near b",
        where=_simpler("a", "b"),
        domain=_over(-3, 3, "a", "b"),
    ),
    Rewrite(
        "difference of cosines",
        "cos(a) - cos(b)",
        "-2*sin(b + d/2)*sin(d/2)",
        "everywhere",
        "cancels for a near b",
        where=_simpler("a", "b"),
        domain=_over(-3, 3, "a", "b"),
    ),
    Rewrite(
        "difference of tangents",
        "tan(a) - tan(b)",
        "sin(d)/(cos(a)*cos(b))",
        "everywhere",
        "cancels for a near b",
        where=_simpler("a", "b"),
        domain=_over(-1, 1, "a", "b"),
    ),
    Rewrite(
        "difference of angles",
        "atan(a) - atan(b)",
        "atan2(d, 1 + a*b)",
        "everywhere",
        "cancels for a near b",
        where=_simpler("a", "b"),
        domain=_over(0.01, 100, "a", "b"),
    ),
    Rewrite(
        "second difference of reciprocals",
        "1/(u + c) - 2/u + 1/(u - c)",
        "2*c**2/(u*(u - c)*(u + c))",
        "everywhere",
        "cancels for large u",
        domain=(("u", 3, 100), ("c", 1, 2)),
    ),
    Rewrite(
        "difference of reciprocals",
        "1/a - 1/b",
        "-d/(a*b)",
        "everywhere",
        "cancels for a near b",
        where=_simpler("a", "b"),
        domain=(("a", 0.01, 100), ("b", 0.01, 100)),
    ),
    Rewrite(
        "difference of powers",
        "pow(a, p) - pow(b, p)",
        "where(b > 0, pow(b, p)*expm1(p*log1p(d/b)), pow(a, p) - pow(b, p))",
        "everywhere",
        "cancels for a near b",
        where=_simpler("a", "b"),
        domain=(("a", 0.01, 100), ("b", 0.01, 100), ("p", -2, 2)),
        stage=Stage.LAST,
    ),
    Rewrite(
        "share of a power",
        "x**n/(1 + x**n)",
        "where(abs(x) <= 1, x**n/(1 + x**n), 1/(1 + x**(-n)))",
        "everywhere",
        "inf/inf",
        where=_grows,
        domain=_over(0.1, 20),
        stage=Stage.LAST,
        alone=True,
    ),
    Rewrite(
        "share of two powers",
        "x**n/(y**n + x**n)",
        "where(abs(x) <= abs(y), (x/y)**n/(1 + (x/y)**n), 1/(1 + (y/x)**n))",
        "everywhere",
        "inf/inf",
        where=_grows,
        domain=_over(0.1, 20, "x", "y"),
        stage=Stage.LAST,
        alone=True,
    ),
)

# The value that a user writes at a removable singularity is the value there anyway; without
# the condition the gradient there is right as well.
_GUARDED = (
    ("exprel", "1"),
    ("inverse_exprel", "1"),
    ("log1prel", "1"),
    ("spherical_bessel_j0", "1"),
)

GUARDS = tuple(
    Rewrite(
        f"guarded {name}, {'equal' if op == '==' else 'unequal'}",
        f"where(x {op} 0, {value}, {name}(u))"
        if op == "=="
        else f"where(x {op} 0, {name}(u), {value})",
        f"{name}(u)",
        "everywhere",
        "the gradient at 0 would be that of the number",
        where=_multiple,
        domain=(("x", -3, 3),),
    )
    for name, value in _GUARDED
    for op in ("==", "!=")
)

# Quotients of functions that vanish together.
_VANISHING = (
    ("expm1", "exprel"), ("log1p", "log1prel"), ("sin", "spherical_bessel_j0"),
)  # fmt: skip


def _proportional(terms: Terms, values: Values) -> Values | None:
    """Holds for u and v that are numbers times the same; u/v is called d."""
    u, v = terms.term(values["u"]), terms.term(values["v"])
    if u.factors != v.factors or not u.factors or not v.coefficient:
        return None
    ratio = u.coefficient / v.coefficient
    return {**values, "d": terms.build.constant(ratio)}


QUOTIENTS = tuple(
    Rewrite(
        f"{f} over {g}", f"{f}(u)/{g}(v)", f"d*{relative_f}(u)/{relative_g}(v)",
        "everywhere; the limit at 0", "0/0, and a gradient that cancels near 0",
        where=_proportional, domain=_over(0.01, 0.9),
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
        where=_shares,
        domain=_over(0.01, 20),
        stage=Stage.LATE,
    ),
    Rewrite(
        "shares of an exponent",
        "x*y*bose(u)",
        "inverse_exprel(u)*d",
        "u != 0",
        "a gradient that cancels near 0",
        where=_share("x", "y"),
        domain=_over(0.01, 20, "x", "y"),
        stage=Stage.LATE,
    ),
    Rewrite(
        "share of an exponent",
        "x*bose(u)",
        "inverse_exprel(u)*d",
        "u != 0",
        "a gradient that cancels near 0",
        where=_share("x"),
        domain=_over(0.01, 20),
        stage=Stage.LATE,
    ),
    Rewrite(
        "difference of squares",
        "v - w",
        "squares_gap(a, b)",
        "everywhere",
        "cancels for v near w",
        where=_squares,
        domain=_over(-20, 20, "a", "b"),
        stage=Stage.LATE,
    ),
)

REWRITES = (
    EXPONENTIALS
    + SIGMOIDS
    + ERRORS
    + GAMMA
    + LOGARITHMS
    + ROOTS
    + DIFFERENCES
    + QUOTIENTS
    + GUARDS
    + LATE
)
