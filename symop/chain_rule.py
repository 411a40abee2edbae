"""The chain rule on the screen: the gradients of a program, statement by statement."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from symop.derivative_names import cotangent_names
from symop.differentiation import vjp
from symop.formulas import formula_lines
from symop.names import unused
from symop.plain import plain
from symop.program import (
    LEAVES,
    Argument,
    Builder,
    Output,
    Program,
    is_sum_to_argument,
    with_operands,
    without_dead_nodes,
)
from symop.slopes import active_nodes
from symop.tidying import tidy

_INDENT = "    "
_RULE = (
    "(each statement multiplies the gradient of its result by its own derivatives,",
    "and passes the products on to what it reads)",
)
_TEMPORARY = re.compile(r"t(_\d+)?")


@dataclass(frozen=True)
class _Statement:
    """One named line of a program, with what it reads as arguments."""

    name: str
    program: Program


def steps(program: Program, text: tuple[str, ...]) -> str:
    """The forward statements, and what each passes on from the gradient that it receives.

    Args:
        program: the formula as it was written.
        text: its statements, as lines `name = expression`.
    """
    statements = _statements(program)
    taken = {a.name for a in program.arguments} | {s.name for s in statements}
    gradients: dict[str, str] = {}
    for name in [*(a.name for a in program.arguments), *(s.name for s in statements)]:
        gradients.setdefault(name, unused(f"grad_{name}", taken))
        taken.add(gradients[name])
    given = [gradients[o.name] for o in program.outputs]
    lines = ["forward", *(f"{_INDENT}{line}" for line in text)]
    lines += ["", f"backward, from {', '.join(given)}", *_RULE]
    written = {line.partition(" = ")[0]: line for line in text}
    started = {o.name for o in program.outputs}
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
        lines += ["", f"the gradient is 0 for {', '.join(constant)}"]
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
        if is_sum_to_argument(derived, output):
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
