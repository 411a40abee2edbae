"""An op for the reader: its formula, its gradients, what is saved and why, what it costs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from symop.backends.torch import lowered
from symop.derivative_names import cotangent_names, gradient_names
from symop.differentiation import vjp
from symop.formulas import formula_lines
from symop.lowering import operation_count
from symop.names import unused
from symop.plain import plain
from symop.program import (
    ARITHMETIC,
    LEAVES,
    Argument,
    Builder,
    Node,
    Output,
    Program,
    needed,
    with_operands,
    without_dead_nodes,
)
from symop.slopes import active_nodes
from symop.tidying import tidy

if TYPE_CHECKING:
    from symop.operators import Op

_INDENT = "    "
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_SIGNS = {
    "**": "**", "*": "·", "<=": "≤", ">=": "≥", "!=": "≠", "pi": "π", "sum(": "Σ(", "sqrt(": "√(",
}  # fmt: skip
_TEMPORARY = re.compile(r"t(_\d+)?")
_SPELLED = re.compile(
    r"\*\*(?:\((?P<signed>-\d+)\)|(?P<power>\d+)(?![\w.(]))"
    r"|\*\*|\*|<=|>=|!=|\bpi\b(?!\()|(?<![\w.])(?:sum|sqrt)\("
)


def show_text(op: Op, *, latex: bool = False, steps: bool = False, unicode: bool = False) -> str:
    """The description of an op, as text.

    Args:
        op: what `symop.compile` returned.
        latex: formula and derivatives as LaTeX instead.
        steps: the chain rule statement by statement instead.
        unicode: whether powers, products and sums may be shown by their signs.
    """
    if latex:
        return _latex(op)
    text = _steps(op) if steps else _description(op)
    return _with_signs(text) if unicode else text


def _with_signs(text: str) -> str:
    def sign(match: re.Match[str]) -> str:
        power = match["signed"] or match["power"]
        return power.translate(_SUPERSCRIPTS) if power else _SIGNS[match[0]]

    return _SPELLED.sub(sign, text)


# The description


def _description(op: Op) -> str:
    program, gradient = op.written, plain(_gradient(op.written))
    cotangents = ", ".join(cotangent_names(program).values())
    sections = [
        ("formula", formula_text(op)),
        (f"gradients, from {cotangents}", formula_lines(gradient)),
        ("saved for the gradients", _saved(op)),
        ("not saved", _not_saved(op)),
        ("operations", _costs(op)),
    ]
    lines = [f"{op.name}({', '.join(op.args)})"]
    for title, content in sections:
        if content:
            lines += ["", title, *(f"{_INDENT}{line}" for line in content)]
    if _sums_to_shapes(gradient):
        note = "the sum of a gradient is over the axes along which its argument was broadcast"
        lines += ["", f"({note})"]
    return "\n".join(lines) + "\n"


@lru_cache(maxsize=8)
def _gradient(program: Program) -> Program:
    """The gradients as a program of the arguments alone."""
    return tidy(vjp(program))


def formula_text(op: Op) -> list[str]:
    """The formula as it was written, one line a statement."""
    return list(op._formula.text)


def _sums_to_shapes(gradient: Program) -> bool:
    return any(_is_sum_to_argument(gradient, o) for o in gradient.outputs)


def _is_sum_to_argument(program: Program, output: Output) -> bool:
    """Whether an output is summed to a shape that is known at run time only."""
    node = program.nodes[output.node]
    plain = bool(output.frame) and all(isinstance(atom, str) for atom in output.frame)
    return node.op == "sum" and node.dims is None and node.frame == output.frame and plain


def _saved(op: Op) -> list[str]:
    plan, names = op._formula.plan, gradient_names(op.program)
    if not plan.saved:
        return ["nothing"]
    pairs = []
    for name, uses in zip(plan.saved, plan.uses, strict=True):
        kind = "" if name in op.args else ", the output"
        pairs.append(
            (f"{name}{kind}", f"for {_listed(names[plan.wanted[k]] for k in sorted(uses))}")
        )
    return _table(pairs)


def _not_saved(op: Op) -> list[str]:
    program, plan = op.program, op._formula.plan
    read = _names_read(_gradient(program))
    opened = {str(n.value) for n in plan.gradient.nodes if n.op in ("argument", "mask")}
    pairs = []
    for argument in program.arguments:
        if argument.name in plan.saved:
            continue
        if argument.name not in read:
            reason = "no gradient needs its values"
        else:
            outputs = [o.name for o in program.outputs if o.name in opened]
            reason = f"the gradients are computed from {_listed(outputs)} instead"
        pairs.append((argument.name, reason))
    again = {name for _, name in plan.gradient.names}
    for name in dict.fromkeys([*(n for _, n in program.names), *op.outputs]):
        if name in plan.saved:
            continue
        if name in again:
            start = _names_below(plan.gradient, name)
            reason = f"computed again from {_listed(start)}"
        elif name in op.outputs and plan.saved:
            reason = f"not needed beside {_listed(plan.saved)}"
        else:
            reason = "no gradient needs it"
        pairs.append((name, reason))
    return _table(pairs)


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


def _costs(op: Op) -> list[str]:
    plan, low = op._formula.plan, lowered(op.program)
    backward = operation_count(lowered(_without_sums_to_shapes(plan.gradient)))
    gradient, kept = _operation_by_operation(lowered(op.written))
    tensors = "tensor" if len(plan.saved) == 1 else "tensors"
    return _table([
        ("forward", str(operation_count(low))),
        ("backward", f"{backward} for all gradients; operation by operation, as autograd does "
                     f"it, {gradient}"),
        ("saved", f"{len(plan.saved)} {tensors}; operation by operation {kept}"),
    ])  # fmt: skip


def _without_sums_to_shapes(gradient: Program) -> Program:
    """The gradient when nothing was broadcast."""
    outputs = tuple(
        replace(o, node=gradient.nodes[o.node].operands[0]) if _is_sum_to_argument(gradient, o)
        else o
        for o in gradient.outputs
    )  # fmt: skip
    return without_dead_nodes(replace(gradient, outputs=outputs))


def _operation_by_operation(program: Program) -> tuple[int, int]:
    """The operations of a gradient that knows one operation at a time, and the values it keeps."""
    active = active_nodes(program, {a.name for a in program.arguments if not a.is_mask})
    total, kept, flows = 0, set(), 0
    receivers = set()
    for index, node in enumerate(program.nodes):
        if not active[index] or node.op in LEAVES:
            continue
        which = tuple(active[o] for o in node.operands)
        fixed = tuple(program.nodes[o].op in ("constant", "pi") for o in node.operands)
        if node.source is not None:
            operations, read = _REDUCTION_GRADIENTS.get(node.op, (2, (0, -1)))
        else:
            operations, read = _single_gradient(node.op, node.value, which)
        total += operations
        kept |= {index if k < 0 else node.operands[k] for k in read if k < 0 or not fixed[k]}
        flows += sum(which)
        receivers |= {o for o, moved in zip(node.operands, which, strict=True) if moved}
    # Where several gradients reach one value, they are added.
    return total + flows - len(receivers), len(kept)


# Operations of the gradient of a reduction, and what it reads: operands, or -1 for the result.
_REDUCTION_GRADIENTS: dict[str, tuple[int, tuple[int, ...]]] = {
    "sum": (0, ()),
    "amax": (4, (0, -1)),
    "amin": (4, (0, -1)),
    "prod": (2, (0, -1)),
}


@cache
def _single_gradient(op: str, value: Any, active: tuple[bool, ...]) -> tuple[int, tuple[int, ...]]:
    """The operations of the gradients of one operation, and which operands they read."""
    build = Builder()
    names = [f"x{k}" for k in range(len(active))]
    arguments = tuple(
        Argument(n, (n,), is_mask=op == "where" and k == 0) for k, n in enumerate(names)
    )
    operands = tuple(build.argument(argument) for argument in arguments)
    root = build.put(Node(op, operands, tuple(names), value))
    single = Program(arguments, tuple(build.nodes), (Output("result", root, tuple(names)),))
    wanted = [n for n, moved in zip(names, active, strict=True) if moved]
    derived = _without_sums_to_shapes(tidy(vjp(single, wanted)))
    again = {n for n in derived.nodes if n.op == op and n.op not in ARITHMETIC}
    read = _names_read(derived) & set(names)
    if again:
        # The result is kept instead of being computed again.
        read = _names_read_without(derived, op)
    count = operation_count(lowered(derived)) - (1 if again else 0)
    places = tuple(k for k, n in enumerate(names) if n in read)
    return count, (*places, -1) if again else places


def _names_read_without(program: Program, op: str) -> set[str]:
    """The arguments that the nodes of other operations read."""
    return {
        str(program.nodes[o].value)
        for node in program.nodes
        if node.op != op
        for o in node.operands
        if program.nodes[o].op in ("argument", "mask")
    }


# The chain rule


@dataclass(frozen=True)
class _Statement:
    """One named line of a program, with what it reads as arguments."""

    name: str
    program: Program


def _steps(op: Op) -> str:
    program = op.written
    statements = _statements(program)
    taken = {a.name for a in program.arguments} | {s.name for s in statements}
    gradients: dict[str, str] = {}
    for name in [*(a.name for a in program.arguments), *(s.name for s in statements)]:
        gradients.setdefault(name, unused(f"grad_{name}", taken))
        taken.add(gradients[name])
    given = [gradients[name] for name in op.outputs]
    lines = ["forward", *(f"{_INDENT}{line}" for line in formula_text(op))]
    lines += ["", f"backward, from {_listed(given)}"]
    written = {line.partition(" = ")[0]: line for line in formula_text(op)}
    started = set(op.outputs)
    sums = False
    for statement in reversed(statements):
        if statement.name not in started:
            continue
        lines.append(f"{_INDENT}through {written.get(statement.name) or _text_of(statement)}")
        parts, summed = _adjoint(statement, gradients, started)
        lines += [f"{2 * _INDENT}{line}" for line in parts]
        sums = sums or summed
    constant = [a.name for a in program.arguments if not a.is_mask and a.name not in started]
    if constant:
        lines += ["", f"the gradient is 0 for {_listed(constant)}"]
    if sums:
        lines += [
            "",
            "(each gradient is then summed over the axes along which its argument was broadcast)",
        ]
    return "\n".join(lines) + "\n"


def _text_of(statement: _Statement) -> str:
    return "; ".join(formula_lines(plain(statement.program)))


def _statements(program: Program) -> list[_Statement]:
    """The named values of a program in the order of evaluation."""
    label: dict[int, str] = {}
    for index, name in (*program.names, *((o.node, o.name) for o in program.outputs)):
        if program.nodes[index].op not in LEAVES:
            label.setdefault(index, name)
    statements = [_statement(program, label, i, n) for i, n in sorted(label.items())]
    for output in program.outputs:
        if label.get(output.node) != output.name:
            statements.append(_statement(program, label, output.node, output.name, alias=True))
    return statements


def _statement(
    program: Program, label: dict[int, str], root: int, name: str, *, alias: bool = False
) -> _Statement:
    """The program of one statement, in which the other named values are arguments."""
    inner, pending = set(), [root]
    while pending:
        index = pending.pop()
        if index not in inner:
            inner.add(index)
            if index not in label or (index == root and not alias):
                pending += program.nodes[index].operands
    build = Builder()
    place: dict[int, int] = {}
    named = []
    for index in sorted(inner):
        node = program.nodes[index]
        if index in label and (index != root or alias):
            named.append(Argument(label[index], node.frame))
            place[index] = build.argument(named[-1])
        else:
            place[index] = build.put(with_operands(node, tuple(place[o] for o in node.operands)))
    output = Output(name, place[root], program.nodes[root].frame)
    read = {str(node.value) for node in build.nodes if node.op in ("argument", "mask")}
    given = [a for a in program.arguments if a.name in read]
    return _Statement(name, Program((*given, *named), tuple(build.nodes), (output,)))


def _adjoint(
    statement: _Statement, gradients: dict[str, str], started: set[str]
) -> tuple[list[str], bool]:
    """The lines that pass the gradient of a statement on, and whether shapes are summed to."""
    program = statement.program
    derived = tidy(vjp(program))
    incoming = cotangent_names(program)[statement.name]
    outputs, nodes, summed = [], list(derived.nodes), False
    active = active_nodes(program, {a.name for a in program.arguments})
    reached = {
        str(node.value)
        for node, alive in zip(program.nodes, active, strict=True)
        if alive and node.op == "argument"
    }
    for output in derived.outputs:
        if output.of not in reached:
            continue
        root = output.node
        if _is_sum_to_argument(derived, output):
            root, summed = derived.nodes[root].operands[0], True
        outputs.append(replace(output, name=f"grad_{output.of}", node=root))
    arguments = []
    for argument in derived.arguments:
        if argument.name == incoming:
            argument = replace(argument, name=gradients[statement.name])
        arguments.append(argument)
    for index, node in enumerate(nodes):
        if node.op == "argument" and node.value == incoming:
            nodes[index] = replace(node, value=gradients[statement.name])
    outputs = [replace(o, name=gradients[o.of]) for o in outputs]
    # Temporaries take no name that stands for something in another statement.
    own = {a.name for a in arguments} | {o.name for o in outputs}
    others = {n for n in (*gradients, *gradients.values()) if _TEMPORARY.fullmatch(n)} - own
    arguments += [Argument(name, ()) for name in sorted(others)]
    again = {gradients[o.of] for o in outputs if o.of in started}
    outputs = [replace(o, name=f"{o.name}+") if o.name in again else o for o in outputs]
    shown = without_dead_nodes(
        replace(derived, arguments=tuple(arguments), nodes=tuple(nodes), outputs=tuple(outputs))
    )
    started |= {o.of for o in outputs}
    return _added(formula_lines(plain(shown)), again), summed


def _added(lines: list[str], again: set[str]) -> list[str]:
    """The lines with `grad += value` for a second contribution, which has no name of its own."""
    for name in again:
        mine = next(k for k, line in enumerate(lines) if line.startswith(f"{name}+ = "))
        value = lines[mine].partition(" = ")[2]
        readers = [k for k, line in enumerate(lines) if k != mine and f"{name}+" in line]
        if not readers:
            lines[mine] = f"{name} += {value}"
            continue
        part = f"{name}_part"
        lines = [line.replace(f"{name}+", part) for line in lines]
        lines.insert(mine + 1, f"{name} += {part}")
    return lines


# LaTeX


def _latex(op: Op) -> str:
    import sympy

    outputs, arguments = list(op.expressions), op.args
    lines = [f"{_symbol(name)} &= {sympy.latex(value)}" for name, value in op.expressions.items()]
    cotangents = cotangent_names(op.program)
    for (output, argument), value in op.gradients.items():
        assert output in outputs
        assert argument in arguments
        down = rf"\partial {_symbol(argument)}"
        is_partial = cotangents[output] not in {str(s) for s in _symbols(value)}
        up = rf"\partial {_symbol(output)}" if is_partial else r"\partial L"
        lines.append(rf"\frac{{{up}}}{{{down}}} &= {sympy.latex(value)}")
    return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}\n"


def _symbol(name: str) -> str:
    import sympy

    return str(sympy.latex(sympy.Symbol(name)))


def _symbols(value: Any) -> Iterable[Any]:
    return getattr(value, "free_symbols", ())


# Layout


def _table(pairs: Iterable[tuple[str, str]]) -> list[str]:
    rows = list(pairs)
    width = max((len(left) for left, _ in rows), default=0)
    return [f"{left:<{width}}  {right}" for left, right in rows]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
