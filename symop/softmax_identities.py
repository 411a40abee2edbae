"""Rewrites of sums of exponentials: their logarithms, and the shares of the terms."""

from __future__ import annotations

from collections.abc import Sequence

from symop import reductions
from symop.parsing import expand
from symop.program import Node
from symop.rules import Rewrite, Values, over
from symop.terms import ONE, Term, Terms

# Longer sums would nest their logarithms too deep.
_MOST = 8

_LOG_MEAN = (
    "a = stop(amax(e{d})); m = where(a - a == 0, a, 0); z = e - m; q = mean(exp(z){d}); "
    "m + where(q > 1/2, log1p(mean(expm1(z){d})), log(q))"
)
_SHIFTED_SHARE = "a = stop(amax(e{d})); m = where(a - a == 0, a, 0); exp(u - m)/sum(exp(e - m){d})"


def _filled(text: str, node: Node) -> str:
    return text.replace("{d}", "" if node.dims is None else f", {node.dims!r}")


def _exponent(terms: Terms, term: Term) -> int | None:
    """The logarithm of a positive number times exponentials, None for anything else."""
    build = terms.build
    nodes = [build.nodes[base] for base, _ in term.factors]
    if term.coefficient <= 0 or any(node.op != "exp" for node in nodes):
        return None
    parts = [
        terms.product(Term(ONE.coefficient * power), node.operands[0])
        for node, (_, power) in zip(nodes, term.factors, strict=True)
    ]
    if term.coefficient != 1:
        parts.append(build.apply("log", build.constant(term.coefficient)))
    return terms.total(parts) if parts else build.constant(0)


def _is_shifted(nodes: Sequence[Node], index: int) -> bool:
    """Whether an extremum has been taken from the exponents already."""
    node = nodes[index]
    if node.op != "sub":
        return False
    part = nodes[node.operands[1]]
    inner = [nodes[o].op for o in part.operands] if part.op == "where" else [part.op]
    return bool({"stop", "amax"} & {*inner})


def _summed(terms: Terms, index: int) -> int | None:
    """The exponents of a sum of exponentials over dims."""
    node = terms.build.nodes[index]
    if node.op != "sum" or terms.build.frame(node.operands[0]) != node.source:
        return None
    term = terms.term(node.operands[0])
    exponents = _exponent(terms, term) if term.factors else None
    is_whole = exponents is not None and terms.build.frame(exponents) == node.source
    return exponents if is_whole else None


def _log_sum(terms: Terms, index: int) -> int | None:
    """The logarithm of a sum of exponentials over dims."""
    exponents = _summed(terms, index)
    if exponents is None or _is_shifted(terms.build.nodes, exponents):
        return None
    text = reductions.text("logsumexp", terms.build.nodes[index].dims)
    return expand(terms.build, text, {"e": exponents})


def _log_mean(terms: Terms, term: Term) -> int | None:
    """The logarithm of a mean of exponentials, up to a positive number."""
    build = terms.build
    by_power = {power: base for base, power in term.factors}
    if sorted(by_power) != [-1, 1] or len(term.factors) != 2 or term.coefficient != 1:
        return None
    total, count = build.nodes[by_power[1]], build.nodes[by_power[-1]]
    exponents = _summed(terms, by_power[1])
    if count.op != "count" or (total.source, total.frame) != (count.source, count.target):
        return None
    if exponents is None or _is_shifted(build.nodes, exponents):
        return None
    return expand(build, _filled(_LOG_MEAN, total), {"e": exponents})


def _logarithms(terms: Terms, index: int) -> list[int] | None:
    """The logarithms of the terms of a sum that are all positive by their form."""
    found = []
    for term in terms.summands(index):
        log = _exponent(terms, term)
        if log is None and len(term.factors) == 1 and term.coefficient > 0:
            ((base, power),) = term.factors
            log = _log_sum(terms, base) if power == 1 else None
            if log is not None and term.coefficient != 1:
                number = terms.build.constant(term.coefficient)
                log = terms.build.apply("add", log, terms.build.apply("log", number))
        if log is None:
            return None
        found.append(log)
    return found if len(found) <= _MOST else None


def _together(terms: Terms, logs: Sequence[int]) -> int:
    """The logarithm of the sum of the numbers with these logarithms."""
    result, *rest = sorted(logs, key=lambda i: terms.constant(i) is not None)
    for other in rest:
        if terms.constant(other) == 0:
            result = terms.build.apply("softplus1", result)
        else:
            result = terms.build.apply("logaddexp", result, other)
    return result


def _has_sum(terms: Terms, index: int) -> bool:
    return any(terms.build.nodes[base].op == "sum" for base, _ in terms.term(index).factors)


def log_of_sum(terms: Terms, values: Values) -> Values | None:
    """Holds where s is a sum or a mean of exponentials; its logarithm is called d."""
    index = values["s"]
    if terms.build.nodes[index].op in ("add", "sub") or terms.term(index).coefficient != 1:
        logs = _logarithms(terms, index)
        if logs and len(logs) == 1 and terms.build.nodes[index].op != "exp":
            return {**values, "d": logs[0]} if _has_sum(terms, index) else None
        varying = logs and any(terms.constant(log) is None for log in logs)
        found = _together(terms, logs) if logs and varying and len(logs) > 1 else None
    else:
        found = _log_sum(terms, index)
        found = _log_mean(terms, terms.term(index)) if found is None else found
    return None if found is None else {**values, "d": found}


def shifted(terms: Terms, values: Values) -> Values | None:
    """Holds for a sum over dims of exponentials that do not overflow."""
    exponents = _summed(terms, values["s"])
    is_safe = exponents is not None and _is_shifted(terms.build.nodes, exponents)
    return values if is_safe else None


def summed_share(terms: Terms, values: Values) -> Values | None:
    """Holds where s is a sum of exponentials over dims; the share of exp(u) is called d."""
    build = terms.build
    exponents = _summed(terms, values["s"])
    if exponents is None or _is_shifted(build.nodes, exponents):
        return None
    node = build.nodes[values["s"]]
    if terms.equal(exponents, values["u"]):
        text = reductions.text("softmax", node.dims)
    else:
        text = _filled(_SHIFTED_SHARE, node)
    return {**values, "d": expand(build, text, {"e": exponents, "u": values["u"]})}


def _share(terms: Terms, own: int, others: Sequence[int]) -> int:
    first, *rest = others
    if not rest:
        return terms.build.apply("share", own, first)
    return terms.build.apply("share_of_three", own, first, _together(terms, rest))


def share_of_sum(terms: Terms, values: Values) -> Values | None:
    """Holds where exp(u) is one of the exponentials that s is the sum of; its share is d."""
    index = values["s"]
    if terms.build.nodes[index].op not in ("add", "sub"):
        return None
    logs = _logarithms(terms, index)
    if logs is None or len(logs) < 2:
        return None
    for place, term in enumerate(terms.summands(index)):
        exponents = _exponent(terms, Term(ONE.coefficient, term.factors))
        wanted = values.get("u")
        if wanted is None:
            own = not term.factors
        else:
            own = bool(term.factors) and exponents is not None and terms.equal(exponents, wanted)
        if own:
            share = _share(terms, logs[place], [*logs[:place], *logs[place + 1 :]])
            return {**values, "d": terms.build.scaled(share, 1 / term.coefficient)}
    if "u" not in values:
        return None
    return {
        **values,
        "d": expand(terms.build, "exp(u - v)", {**values, "v": _together(terms, logs)}),
    }


SOFTMAX = (
    Rewrite(
        "log of a sum of exponentials",
        "log(s)",
        "d",
        "everywhere",
        "overflows, and log(0) in the tail",
        where=log_of_sum,
        domain=over(-15, 15, "u", "v"),
    ),
    Rewrite(
        "log of a share of a sum",
        "log(exp(u)/s)",
        "u - log(s)",
        "everywhere",
        "log(0) in the tail",
        where=shifted,
        domain=over(-15, 15, "u"),
    ),
    Rewrite(
        "share of a sum over dims",
        "exp(u)/s",
        "d",
        "everywhere",
        "inf/inf",
        where=summed_share,
        domain=over(-15, 15, "u"),
    ),
    Rewrite(
        "share of a sum of exponentials",
        "exp(u)/s",
        "d",
        "everywhere",
        "inf/inf",
        where=share_of_sum,
        domain=over(-15, 15, "u", "v"),
    ),
    Rewrite(
        "share of 1 beside exponentials",
        "1/s",
        "d",
        "everywhere",
        "the derivative is inf/inf",
        where=share_of_sum,
        domain=over(-15, 15, "u", "v"),
    ),
    Rewrite(
        "log of a share of two exponentials",
        "log(share(a, b))",
        "logsigmoid(gap(a, b))",
        "everywhere",
        "log(0) in the tail",
        domain=over(-15, 15, "a", "b"),
    ),
    Rewrite(
        "log of a share of three exponentials",
        "log(share_of_three(a, b, v))",
        "logsigmoid(gap(a, logaddexp(b, v)))",
        "everywhere",
        "log(0) in the tail",
        domain=over(-15, 15, "a", "b", "v"),
    ),
)
