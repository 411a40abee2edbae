"""An op for the reader: its formula, its gradients, what is saved and why, what it costs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from symop import chain_rule
from symop.costs import Costs, fused_costs, separate_costs
from symop.derivative_names import cotangent_names, gradient_names
from symop.differentiation import vjp
from symop.formulas import SHOWN, formula_lines
from symop.functions import table
from symop.mathematics import Equation, aligned, formula_equations, gradient_equations, mathml
from symop.notation import derivative_lines, pretty_lines, with_signs
from symop.plain import plain
from symop.program import Program, is_sum_to_argument, needed
from symop.rewriting import rules_used
from symop.rules import Rewrite
from symop.tidying import tidy

if TYPE_CHECKING:
    from symop.operators import Op

_CALL = re.compile(r"[A-Za-z_]\w*(?=\()")
_INDENT = "    "
_WIDTH = 96
_FOR_SUMS = "the sum of a gradient is over the axes along which its argument was broadcast"
_FOR_BYTES = "bytes an element in float32, where all arguments are of one shape"


@dataclass(frozen=True)
class Kept:
    """A value that is kept for the gradients, and those that need it."""

    name: str
    is_output: bool
    needed_for: tuple[str, ...]


@dataclass(frozen=True)
class NotKept:
    """A value that is not kept for the gradients, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Used:
    """A rewrite that changed the formula.

    pattern, replacement: in symop's language; empty where one of them is written with functions
        that no formula can call.
    why: what was lost without it.
    """

    name: str
    pattern: str
    replacement: str
    why: str


@dataclass(frozen=True)
class Description:
    """What `symop show` says of an op, which `symop show --json` prints.

    formula: as it was written, one line a statement.
    cotangents: what the gradients begin with, by output.
    gradients: statements that compute them, in symop's language.
    fused: the costs of the op.
    separate: the costs of the formula as autograd takes it, one operation at a time.
    computes: the formula after its rewrites, where there were any and it can be written with
        functions that a formula can call.
    """

    name: str
    arguments: tuple[str, ...]
    outputs: tuple[str, ...]
    formula: tuple[str, ...]
    cotangents: tuple[str, ...]
    gradients: tuple[str, ...]
    saved: tuple[Kept, ...]
    not_saved: tuple[NotKept, ...]
    fused: Costs
    separate: Costs
    rewrites: tuple[Used, ...]
    computes: tuple[str, ...]


def describe(op: Op) -> Description:
    """What there is to say of an op."""
    formula, program = op._formula, op.written
    used = rules_used(program)
    return Description(
        name=op.name,
        arguments=op.args,
        outputs=op.outputs,
        formula=formula.text,
        cotangents=tuple(cotangent_names(program).values()),
        gradients=tuple(formula_lines(plain(_gradient(program)))),
        saved=tuple(_saved(op)),
        not_saved=tuple(_not_saved(op)),
        fused=fused_costs(formula.plan),
        separate=separate_costs(program),
        rewrites=tuple(map(_used, used)),
        computes=_public(formula_lines(op.program)) if op.program != program else (),
    )


def as_json(op: Op) -> dict[str, Any]:
    """The description of an op as plain values."""
    return asdict(describe(op))


def show_text(op: Op, *, unicode: bool = False, width: int = _WIDTH) -> str:
    """The description of an op, as text.

    Args:
        op: what `symop.compile` returned.
        unicode: whether mathematics may be set in blocks, with signs; else it is symop's language.
        width: the columns that a block of mathematics may take.
    """
    found, gradient = describe(op), _gradient(op.written)
    if unicode:
        formula = list(pretty_lines(op.written, formula_lines(plain(op.written)), width))
        derivatives = derivative_lines(op.written, width)
    else:
        formula, derivatives = list(found.formula), []
    sign = with_signs if unicode else str
    sections = [
        ("formula", formula),
        ("derivatives", derivatives),
        (f"gradients, from {', '.join(found.cotangents)}", [sign(g) for g in found.gradients]),
        ("saved for the gradients", _saved_lines(found)),
        ("not saved", _table((n.name, n.reason) for n in found.not_saved)),
        (f"costs ({_FOR_BYTES})", _cost_lines(found.fused, found.separate)),
        ("rewritten, because what was written loses digits", list(_rewrite_lines(found, sign))),
    ]
    lines = [f"{op.name}({', '.join(op.args)})"]
    for title, content in sections:
        if content:
            lines += ["", title, *(f"{_INDENT}{line}".rstrip() for line in content)]
    if any(is_sum_to_argument(gradient, o) for o in gradient.outputs):
        lines += ["", f"({_FOR_SUMS})"]
    return "\n".join(lines) + "\n"


def steps_text(op: Op, *, unicode: bool = False) -> str:
    """The chain rule through an op, statement by statement.

    Args:
        op: what `symop.compile` returned.
        unicode: whether powers, products and sums may be shown by their signs.
    """
    text = chain_rule.steps(op.written, op._formula.text)
    return with_signs(text) if unicode else text


def latex_text(op: Op) -> str:
    """Formula and derivatives of an op as LaTeX."""
    return aligned(_equations(op)) + "\n"


def mathml_text(op: Op) -> str:
    """Formula and derivatives of an op as an element of MathML.

    Raises:
        CallError: docutils, which writes MathML, is not installed.
    """
    return mathml(_equations(op)) + "\n"


def _equations(op: Op) -> list[Equation]:
    return [*formula_equations(op.written), *gradient_equations(op.written)]


@lru_cache(maxsize=8)
def _gradient(program: Program) -> Program:
    """The gradients as a program of the arguments alone."""
    return tidy(vjp(program))


def _used(rule: Rewrite) -> Used:
    sides = _public([rule.pattern, rule.replacement.replace("\n", "; ")])
    pattern, replacement = sides or ("", "")
    return Used(rule.name, pattern, replacement, rule.why)


def _public(texts: Sequence[str]) -> tuple[str, ...]:
    """Formulas with the names that users know; none where a function has no such name."""
    shown = [_CALL.sub(lambda call: SHOWN.get(call[0], call[0]), text) for text in texts]
    known = table()
    called = {name for text in shown for name in _CALL.findall(text)}
    if any(name in known and known[name].internal for name in called):
        return ()
    return tuple(shown)


def _saved(op: Op) -> Iterator[Kept]:
    plan, names = op._formula.plan, gradient_names(op.program)
    for name, uses in zip(plan.saved, plan.uses, strict=True):
        needing = tuple(names[plan.wanted[k]] for k in sorted(uses))
        yield Kept(name, name not in op.args, needing)


def _not_saved(op: Op) -> Iterator[NotKept]:
    program, plan = op.program, op._formula.plan
    read = _names_read(_gradient(program))
    opened = _names_read(plan.gradient)
    for argument in program.arguments:
        if argument.name in plan.saved:
            continue
        if argument.name not in read:
            reason = "no gradient needs its values"
        else:
            outputs = [o.name for o in program.outputs if o.name in opened]
            reason = f"the gradients are computed from {', '.join(outputs)} instead"
        yield NotKept(argument.name, reason)
    again = {name for _, name in plan.gradient.names}
    for name in dict.fromkeys([*(n for _, n in program.names), *op.outputs]):
        if name in plan.saved:
            continue
        if name in again:
            reason = f"computed again from {', '.join(_names_below(plan.gradient, name))}"
        elif name in op.outputs and plan.saved:
            reason = f"not needed beside {', '.join(plan.saved)}"
        else:
            reason = "no gradient needs it"
        yield NotKept(name, reason)


def _names_read(program: Program) -> set[str]:
    return {str(node.value) for node in program.nodes if node.op in ("argument", "mask")}


def _names_below(program: Program, name: str) -> list[str]:
    """The arguments that a named value depends on."""
    root = next(index for index, given in program.names if given == name)
    mark = needed(program.nodes, [root])
    found = {
        str(node.value)
        for node, alive in zip(program.nodes, mark, strict=True)
        if alive and node.op in ("argument", "mask")
    }
    return [a.name for a in program.arguments if a.name in found]


# Layout


def _saved_lines(found: Description) -> list[str]:
    if not found.saved:
        return ["nothing"]
    return _table(
        (f"{k.name}{', the output' if k.is_output else ''}", f"for {', '.join(k.needed_for)}")
        for k in found.saved
    )


def _cost_lines(fused: Costs, separate: Costs) -> list[str]:
    rows = [
        (title, getattr(fused, name), getattr(separate, name)) for title, name in _COSTS.items()
    ]
    return [f"{'':<20}  {'symop':>6}  {'autograd, operation by operation':>33}"] + [
        f"{title:<20}  {mine:>6}  {theirs:>33}" for title, mine, theirs in rows
    ]


_COSTS = {
    "forward operations": "forward", "forward bytes": "forward_bytes",
    "backward operations": "backward", "backward bytes": "backward_bytes",
    "saved tensors": "saved",
}  # fmt: skip


def _rewrite_lines(found: Description, sign: Any) -> Iterator[str]:
    for rule in found.rewrites:
        yield f"{rule.name}: {rule.why}"
        if rule.pattern:
            yield f"{_INDENT}{sign(rule.pattern)}  becomes  {sign(rule.replacement)}"
    if found.computes:
        yield "what is computed:"
        yield from (f"{_INDENT}{sign(line)}" for line in found.computes)


def _table(pairs: Iterable[tuple[str, str]]) -> list[str]:
    rows = list(pairs)
    width = max((len(left) for left, _ in rows), default=0)
    return [f"{left:<{width}}  {right}" for left, right in rows]
