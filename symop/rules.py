"""What a rewrite is, and the conditions on what its wildcards stand for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction
from math import isqrt

from symop.bindings import Bindings
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
    where: Callable[[Terms, Bindings], Values | None] | None = None
    domain: tuple[tuple[str, float, float], ...] = ()
    stage: Stage = Stage.FIRST
    alone: bool = False

    def __hash__(self) -> int:
        return hash(self.name)


# Conditions


def ahead(terms: Terms, values: Values) -> Values | None:
    """Holds where 1 + u - v, called d, is shorter than u and v side by side."""
    u, v = values["u"], values["v"]
    rest = dict(terms.difference(u, v))
    rest[()] = rest.get((), Fraction(0)) + 1
    rest = {f: c for f, c in rest.items() if c}
    if not rest or len(rest) >= len(terms.linear(u)) + len(terms.linear(v)):
        return None
    return {**values, "d": terms.gathered(rest)}


def square_inside(terms: Terms, values: Values) -> Values | None:
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


def square_inside_share(terms: Terms, values: Values) -> Values | None:
    """The same, where v is a factor of d; the quotient is called w."""
    found = square_inside(terms, values)
    rest = found and terms.term(found["d"]).over(terms.term(values["v"]))
    return {**found, "w": terms.product(rest)} if found and rest else None


def near_one(terms: Terms, values: Values) -> Values | None:
    """Holds for a square root of 1 + ..., whose distance from 1 is called d."""
    inside = dict(terms.linear(values["s"]))
    if inside.pop((), None) != 1 or not inside:
        return None
    return {**values, "d": terms.gathered({f: -c for f, c in inside.items()})}


def sum_of_squares(terms: Terms, values: Values) -> Values | None:
    """Holds where s is a sum of squares."""
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


def positive(name: str) -> Callable[[Terms, Values], Values | None]:
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


def varies(terms: Terms, values: Values) -> Values | None:
    """Holds where no wildcard but c stands for a number."""
    return values if all(terms.constant(v) is None for k, v in values.items() if k != "c") else None


def varying(name: str) -> Callable[[Terms, Values], Values | None]:
    """Holds where the named value is no number."""
    return lambda terms, values: values if terms.constant(values[name]) is None else None


def share(*names: str) -> Callable[[Terms, Values], Values | None]:
    """Holds where the named values are factors of u; what they lack of 1/u is called d."""

    def condition(terms: Terms, values: Values) -> Values | None:
        rest: Term | None = terms.term(values["u"])
        for name in names:
            rest = rest and rest.over(terms.term(values[name]))
        inverse = rest and rest.power(-1)
        return {**values, "d": terms.product(inverse)} if inverse else None

    return condition


def shares(terms: Terms, values: Values) -> Values | None:
    """Holds where x is a factor of u and of v; x/u is called d and x/v is called w."""
    parts = []
    for name in ("u", "v"):
        rest = terms.term(values[name]).over(terms.term(values["x"]))
        inverse = rest and rest.power(-1)
        if not inverse:
            return None
        parts.append(terms.product(inverse))
    return {**values, "d": parts[0], "w": parts[1]}


def squares(terms: Terms, values: Values) -> Values | None:
    """Holds where v and w are squares, of a and b."""
    roots = [terms.term(values[name]).root() for name in ("v", "w")]
    if None in roots or all(terms.constant(values[name]) is not None for name in ("v", "w")):
        return None
    a, b = (terms.product(root) for root in roots if root is not None)
    return {**values, "a": a, "b": b}


def over_one(terms: Terms, values: Bindings) -> Values | None:
    """Holds for p*x/s and p*s/s where s has more terms than x, and c*x - s fewer than both have.

    Over s it is called d.
    """
    v, w = values.term("q"), values.term("w")
    net, mine = _exponents(w), _exponents(v)
    ratio = {b: e - net.get(b, 0) for b, e in mine.items()}
    ratio |= {b: -e for b, e in net.items() if b not in ratio}
    parts = {e: b for b, e in ratio.items() if e}
    if sum(map(bool, ratio.values())) != 2 or set(parts) != {1, -1}:
        return None
    x, s = parts[1], parts[-1]
    if mine.get(s, 0) >= 0:
        return None
    above, below = terms.linear(x), terms.linear(s)
    d = {f: v.coefficient * c for f, c in above.items()}
    for factors, coefficient in below.items():
        d[factors] = d.get(factors, Fraction(0)) - w.coefficient * coefficient
    d = {f: c for f, c in d.items() if c}
    # Where x is no part of s, the rearrangement rounds more often than it saves digits.
    if len(above) >= len(below) or not 0 < len(d) < len(above) + len(below):
        return None
    # Divided twice by what it is divided by twice: its square may vanish.
    each = ([(b, -1)] * -e if e < 0 else [(b, e)] * bool(e) for b, e in sorted(net.items()))
    p = Term(Fraction(1), tuple(factor for factors in each for factor in factors))
    share = terms.build.apply("div", terms.gathered(d), s)
    return {**values, "d": share, "p": terms.product(p)}


def _exponents(term: Term) -> dict[int, int]:
    found: dict[int, int] = {}
    for base, exponent in term.factors:
        found[base] = found.get(base, 0) + exponent
    return found


def multiple(terms: Terms, values: Values) -> Values | None:
    """Holds where u is a number times x, so that both vanish together."""
    same = terms.term(values["u"]).factors == terms.term(values["x"]).factors
    return values if same and terms.constant(values["x"]) is None else None


def grows(terms: Terms, values: Values) -> Values | None:
    """Holds for a literal exponent above 1."""
    n = terms.constant(values["n"])
    return values if n is not None and n.denominator == 1 and n > 1 else None


def over(low: float, high: float, *names: str) -> tuple[tuple[str, float, float], ...]:
    """The same range for each of the names."""
    return tuple((name, low, high) for name in names or ("x",))


def proportional(terms: Terms, values: Values) -> Values | None:
    """Holds for u and v that are numbers times the same; u/v is called d."""
    u, v = terms.term(values["u"]), terms.term(values["v"])
    if u.factors != v.factors or not u.factors or not v.coefficient:
        return None
    ratio = u.coefficient / v.coefficient
    return {**values, "d": terms.build.constant(ratio)}
