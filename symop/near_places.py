"""Rules for a function at two near places: what is asked of the places, and how they are made."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from symop.rules import Rewrite, Values
from symop.terms import Terms


def simpler(first: str, second: str) -> Callable[[Terms, Values], Values | None]:
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


def beyond(first: str, second: str) -> Callable[[Terms, Values], Values | None]:
    """As `simpler`, where a is b and more, or larger by a number: b + d is a, rounded once.

    Where b is a and more, the two are to be exchanged: b + d would be what is left of a small a
    beside a large d, p as (p + q) - q.
    """
    is_simpler = simpler(first, second)

    def condition(terms: Terms, values: Values) -> Values | None:
        found = is_simpler(terms, values)
        is_apart = found and _are_apart(terms, found, first, second)
        a, b = terms.linear(values[first]), terms.linear(values[second])
        return None if is_apart or (len(a) < len(b) and a.items() <= b.items()) else found

    return condition


def apart(first: str, second: str) -> Callable[[Terms, Values], Values | None]:
    """As `simpler`, where neither is the other and more: p + q and p + r.

    Only the one that is larger may be computed as the sum of the other and their difference.
    """
    is_simpler = simpler(first, second)

    def condition(terms: Terms, values: Values) -> Values | None:
        found = is_simpler(terms, values)
        return found if found and _are_apart(terms, found, first, second) else None

    return condition


def _are_apart(terms: Terms, values: Values, first: str, second: str) -> bool:
    a, b = terms.linear(values[first]), terms.linear(values[second])
    step = terms.constant(values["d"])
    if step is not None:
        return step < 0
    return not (a.items() <= b.items() or b.items() <= a.items())


def gaps(
    name: str,
    pattern: str,
    gap: str,
    valid: str,
    why: str,
    domain: Sequence[tuple[str, float, float]],
) -> tuple[Rewrite, Rewrite]:
    """The rules for a difference f(a) - f(b) as a function of one of the places and their distance.

    gap: the difference in terms of a, b and d, which is a - b.
    """
    # What gap says of b and d, said of the place that is smaller in magnitude.
    less = "abs(a) < abs(b)"
    names = f"m = where({less}, a, b)\nw = where({less}, b, a)\nh = where({less}, -d, d)\n"
    words = {"a": "w", "b": "m", "d": "h"}
    other = re.sub(r"\b[abd]\b", lambda word: words[word[0]], gap)
    return (
        Rewrite(name, pattern, gap, valid, why, where=beyond("a", "b"), domain=tuple(domain)),
        Rewrite(
            f"{name}, apart", pattern, f"{names}where({less}, -1, 1)*({other})", valid, why,
            where=apart("a", "b"), domain=tuple(domain),
        ),
    )  # fmt: skip
