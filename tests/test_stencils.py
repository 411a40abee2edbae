"""Programs around a point: the numbers of a plain evaluation, and how many are computed."""

from __future__ import annotations

import mpmath as mp
import pytest

from symop import stencils
from symop.parsing import parse
from symop.reals import array_of, values_of
from symop.stencils import values_around, work

FORMULAS = [
    ("x*sin(y) + z", (0.5, -1.25, 3.0)),
    ("u = exp(x*y); v = u + 2*pi*x; w = where(m, v/z, u)", (0.5, 2.0, -3.0, True)),
    ("log(x) + y**2", (-1.0, 2.0)),
]
LONG = " + ".join(f"x{i}*sin(y{i})" for i in range(60))


def offsets(count):
    single = [((i, n),) for i in range(count) for n in (-2, -1, 1, 2)]
    return [(), *single, ((0, 1), (1, -1))]


@pytest.mark.parametrize(("formula", "values"), FORMULAS)
def test_values_are_those_of_a_plain_evaluation(formula, values):
    program = parse(formula)
    point = [v if isinstance(v, bool) else mp.mpf(v) for v in values]
    real = [k for k, v in enumerate(values) if not isinstance(v, bool)]
    steps = {k: mp.mpf(2) ** -20 for k in real}
    found = values_around(program, point, steps, offsets(len(real)))
    for offset in offsets(len(real)):
        at = {
            a.name: array_of([point[k] + dict(offset).get(k, 0) * steps.get(k, 0)], ())
            if k in steps
            else array_of([point[k]], ())
            for k, a in enumerate(program.arguments)
        }
        for mine, plain in zip(found, values_of(program, at), strict=True):
            want = plain.item()
            assert mine[offset] == want or (mp.isnan(mine[offset]) and mp.isnan(want))


def test_a_node_is_computed_only_for_what_it_depends_on(monkeypatch):
    program = parse(LONG)
    count = len(program.arguments)
    calls = []
    real = stencils.operation
    monkeypatch.setattr(
        stencils, "operation", lambda node: lambda *v: calls.append(node) or real(node)(*v)
    )
    point = [mp.mpf(k) / 7 for k in range(count)]
    values_around(program, point, dict.fromkeys(range(count), mp.mpf(2) ** -9), offsets(count)[:-1])
    assert len(calls) <= work(program, 1) < len(program.nodes) * (1 + 4 * count) / 2
    assert sum(node.op == "sin" for node in calls) == 60 * 5
