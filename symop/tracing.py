"""From a Python function of torch operations to a program, traced with torch.fx.

The function runs once on proxies, which record the calls as a graph; the graph is then read
like any formula. What cannot be read is refused with the line of the call.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import torch
from torch import fx
from torch.nn import functional

from symop import reductions
from symop.formulas import formula_lines
from symop.frames import SCALAR, has_reduction
from symop.functions import nearest, table
from symop.names import unused
from symop.plain import plain
from symop.program import REDUCTIONS, Program, without_dead_nodes
from symop.recording import Tracer, with_globals
from symop.scope import Scope
from symop.syntax import Source
from symop.torch_calls import HANDLERS, Calls
from symop.torch_signatures import CASTS, COMPARISONS, OPTIONS, SHAPES, SPELLED, SYNONYMS, declared
from symop.traced_operands import KEEP, Traced


def trace(
    function: Callable[..., Any],
    *,
    args: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
    functions: Mapping[str, Program],
) -> tuple[Program, tuple[str, ...]]:
    """The program of a Python function, and its text.

    Args:
        function: a function of tensors; all its parameters, in order, are the arguments.
        args: another order of the arguments.
        outputs: names of the outputs, for a function that returns no dict of them.
        functions: programs that the function may call by name; ops are met as themselves.

    Raises:
        FormulaError: the function branches on an argument, or calls what no formula may.
    """
    tracer = Tracer(function)
    parameters = tracer.parameters()
    returned = tracer.run(with_globals(function, functions, tracer))
    scope = Scope()
    for name in args if args is not None else parameters:
        scope.declare(name)
    reader = _GraphReader(scope, Source(""), tracer)
    for node in tracer.graph.nodes:
        if node.op != "placeholder":
            reader.read(node)
    reader.place = tracer.who
    items = reader.outputs(returned, outputs, parameters)
    for name, value in items.items():
        scope.bind(name, value.node, reader.source, None)
    reader.source.check()
    order = list(args) if args is not None else parameters
    program = scope.program(reader.source, args=order, outputs=list(items), keepdims=True)
    kept = tuple(replace(o, dropped=items[o.name].dropped) for o in program.outputs)
    program = replace(program, outputs=kept)
    return program, tuple(formula_lines(plain(program)))


@cache
def _targets() -> dict[int, str]:
    """The name of each function that can be read, by identity: names can be anyone's."""
    known = {n for n, f in table().items() if not f.internal} | reductions.NAMES | set(SYNONYMS)
    known |= set(SYNONYMS.values()) | COMPARISONS | CASTS | SHAPES | set(HANDLERS)
    # Both Python's abs and operator.abs are met.
    found = {id(abs): "abs", id(round): "round"}
    for module in (operator, functional, torch.special, torch):
        for name in known:
            function = getattr(module, name, None)
            if callable(function) and not isinstance(function, type):
                found[id(function)] = SYNONYMS.get(name, name)
    found[id(torch.linalg.vector_norm)] = "vector_norm"
    found[id(torch.linalg.norm)] = "linalg_norm"
    return found


class _GraphReader(Calls):
    """Builds a program from the nodes of a graph."""

    def outputs(
        self, returned: Any, names: Sequence[str] | None, parameters: list[str]
    ) -> dict[str, Traced]:
        """The values that the function returned, by name."""
        if isinstance(returned, dict):
            if not all(isinstance(name, str) for name in returned):
                self.refuse("the keys of the dict that it returns are the names of its outputs")
            items = {str(name): value for name, value in returned.items()}
            unknown = [name for name in names or () if name not in items]
            if unknown:
                self.refuse(f"outputs: {unknown[0]} is not in the dict that it returns")
                return {}
            items = {name: items[name] for name in names or items}
        else:
            several = list(returned) if isinstance(returned, tuple | list) else [returned]
            default = [f"out{k}" for k in range(len(several))] if len(several) != 1 else ["out"]
            chosen = list(names) if names else [unused(n, set(parameters)) for n in default]
            if len(chosen) != len(several):
                self.refuse(f"outputs: {len(several)} values are returned, not {len(chosen)}")
            items = dict(zip(chosen, several, strict=False))
        if not items:
            self.refuse("it returns nothing; a tensor, a tuple or a dict of them is expected")
        return {name: self._output(value) for name, value in items.items()}

    def _output(self, value: Any) -> Traced:
        if not isinstance(value, fx.Proxy):
            return self.refused(f"it returns a {type(value).__name__}; a tensor is expected")
        found = self.number(value.node)
        has_axes = has_reduction(self.builder.frame(found.node))
        return replace(found, dropped=found.dropped and has_axes)

    def read(self, node: fx.Node) -> None:
        """Read a call."""
        self.place = f"{self.tracer.who}{self.tracer.places[node]}"
        program = getattr(node.target, "program", None)
        if isinstance(program, Program):
            self.values[node] = self._op(node, program)
            return
        outputs = self.values.get(node.all_input_nodes[0]) if node.all_input_nodes else None
        if node.target is operator.getitem and isinstance(outputs, list):
            self.values[node] = self._item(outputs, node.args[1])
        else:
            self.values[node] = self._call(node)

    def _item(self, values: list[Traced], place: Any) -> Traced:
        if type(place) is int and -len(values) <= place < len(values):
            return values[int(place)]
        return self.refused(f"the op has {len(values)} outputs; there is no {ascii(place)[:20]}")

    def _op(self, node: fx.Node, program: Program) -> Traced | list[Traced]:
        """The outputs of an op, put in place of the call."""
        names = [a.name for a in program.arguments]
        given = dict(zip(names, node.args, strict=False)) | node.kwargs
        if set(given) != set(names) or len(node.args) + len(node.kwargs) != len(names):
            called = getattr(node.target, "__name__", "the op")
            return self.refused(f"{called} takes {len(names)} arguments ({', '.join(names)})")
        if any(a.dropped for a in program.arguments):
            return self.refused("an op of gradients of a reduction cannot be called here")
        operands = [
            self.condition(given[a.name]) if a.is_mask else self.number(given[a.name])
            for a in program.arguments
        ]
        lacking = self.together(operands)
        reduces = any(n.op in REDUCTIONS and n.frame != SCALAR for n in program.nodes)
        if lacking and reduces:
            self.refuse(f"an op that reduces meets a value whose axis was dropped; {KEEP}")
        values = {a.name: v.node for a, v in zip(program.arguments, operands, strict=True)}
        kept = any(has_reduction(self.builder.frame(v.node)) for v in operands) and not lacking
        results = []
        for output in program.outputs:
            if output.dropped and kept:
                self.refuse("an op that drops axes is called with a value that keeps others as 1")
            single = without_dead_nodes(replace(program, outputs=(output,)))
            inlined = self.scope.inline(single, values)
            results.append(Traced(inlined, lacking or output.dropped))
        return results if len(results) > 1 else results[0]

    def _call(self, node: fx.Node) -> Traced:
        if node.op == "call_method":
            method = str(node.target)
            name = SYNONYMS.get(method, method) if hasattr(torch.Tensor, method) else None
        else:
            name = _targets().get(id(node.target))
        written = node.target if isinstance(node.target, str) else _written(node.target)
        if node.target is getattr:
            return self.refused(f".{node.args[1]} cannot be read; formulas know no shapes")
        if name in CASTS:
            return self.refused(
                f"{written} changes the dtype or device; an op computes in the dtype of its "
                f"arguments, so leave it out (for a condition, torch.where(condition, 1.0, 0.0))"
            )
        if name in SHAPES:
            return self.refused(f"{written}: formulas are elementwise, with reductions")
        if node.op == "call_method" and written.endswith("_") and not written.endswith("__"):
            return self.refused(f"{written} works in place; write y = y + 1, not y.add_(1)")
        if name is None or not (name in HANDLERS or self._in_table(name)):
            return self._unknown(written)
        arguments = node.args
        if name in ("polygamma", "where") and node.op == "call_method":
            # x.polygamma(n) is polygamma(n, x), and x.where(c, y) is where(c, x, y).
            arguments = (*arguments[1:2], arguments[0], *arguments[2:])
        named = {SPELLED.get(key, key): value for key, value in node.kwargs.items()}
        if named.get("out", node) is None:
            del named["out"]
        return self._bound(name, arguments, named)

    @staticmethod
    def _in_table(name: str) -> bool:
        return name in table() and not table()[name].internal

    def _bound(self, name: str, arguments: Sequence[Any], named: Mapping[str, Any]) -> Traced:
        """Match the operands to the parameters that torch declares, and read the call."""
        handler = HANDLERS.get(name)
        parameters = handler or declared(name)
        signature = inspect.signature(parameters)
        before: tuple[Any, ...] = (self, name) if handler else ()
        try:
            bound = signature.bind(*before, *arguments, **named)
        except TypeError as error:
            return self.refused(f"{name}: {error}; that is not known to formulas")
        if handler:
            return handler(*bound.args, **bound.kwargs)
        bound.apply_defaults()
        given = dict(bound.arguments)
        fixed = {**OPTIONS, "threshold": 20} if name == "softplus" else OPTIONS
        for option in [key for key in given if key in fixed]:
            if given.pop(option) != fixed[option]:
                return self.refused(f"{name}: {option} can only be {fixed[option]} in a formula")
        operands = [self.number(value) for value in given.values()]
        return self.combined(self.call_table(name, [v.node for v in operands], None), *operands)

    def _unknown(self, name: str) -> Traced:
        close = nearest(name, tuple(reductions.NAMES))
        hint = f"; did you mean {', '.join(close)}?" if close else ""
        return self.refused(f"{name} is not known to formulas{hint}")


def _written(target: Any) -> str:
    """The name of a function as the user knows it."""
    return ascii(getattr(target, "__name__", type(target).__name__))[1:-1][:80]
