"""What names mean while a formula is read: arguments, assigned values, outputs."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from symop.errors import FormulaError, Problem
from symop.frames import has_reduction, of_argument, renamed
from symop.names import argument_problem
from symop.program import Argument, Builder, Node, Output, Program, without_dead_nodes
from symop.syntax import Source

BARE = "out"


class Scope:
    """The arguments and values of a program that is being read."""

    def __init__(
        self, builder: Builder | None = None, values: dict[str, int] | None = None
    ) -> None:
        self.builder = builder if builder is not None else Builder()
        self._inner = values is not None
        self._values: dict[str, int] = dict(values or {})
        self._arguments: dict[str, Argument] = {}
        self._declared: list[str] = []
        self._assigned: list[str] = []
        self._read: set[str] = set()
        self._bare: int | None = None
        self._varying: list[bool] = []

    def declare(self, name: str) -> None:
        """Name an argument in advance, which fixes its place in the order."""
        problem = argument_problem(name)
        if problem is None and name in self._declared:
            problem = f"the argument {name} is named twice"
        if problem:
            raise FormulaError([Problem(f"args: {problem}")])
        self._declared.append(name)

    def lookup(self, name: str) -> int | None:
        """The node of a name that was met before."""
        index = self._values.get(name)
        if index is not None:
            self._read.add(name)
        return index

    def argument(self, name: str, is_mask: bool = False) -> int:
        """The node of a free name, which becomes an argument."""
        argument = Argument(name, of_argument(name), is_mask=is_mask)
        self._arguments[name] = argument
        self._values[name] = self.builder.argument(argument)
        self._read.add(name)
        return self._values[name]

    def bind(self, name: str, value: int, source: Source, node: ast.AST | None) -> None:
        """Give a value a name; a name is assigned once, and not after it was an argument."""
        if self._inner:
            self._values[name] = value
            return
        problem = argument_problem(name) or self._rebinding(name)
        if problem:
            source.report(problem, node)
            return
        self._values[name] = value
        self._assigned.append(name)

    def _rebinding(self, name: str) -> str | None:
        if name == "pi":
            return "pi is a constant and cannot be assigned"
        if name in self._arguments:
            return f"{name} was read as an argument before this line; give the result another name"
        if name in self._declared:
            return f"{name} is named in args and cannot be assigned"
        if name in self._values:
            return f"{name} is assigned twice; give the second another name"
        return None

    def bind_bare(self, value: int) -> None:
        """Set the value of the bare expression that ends a program."""
        self._bare = value

    def varies(self, index: int) -> bool:
        """Whether a node depends on an argument or a run-time size."""
        nodes = self.builder.nodes
        for node in nodes[len(self._varying) :]:
            own = node.op in ("argument", "mask", "count")
            self._varying.append(own or any(self._varying[o] for o in node.operands))
        return self._varying[index]

    def inline(self, program: Program, values: Mapping[str, int]) -> int:
        """The output of a program, its arguments standing for the given nodes."""
        frames = {name: self.builder.frame(index) for name, index in values.items()}
        place: list[int] = []
        for node in program.nodes:
            if node.op in ("argument", "mask"):
                place.append(values[str(node.value)])
                continue
            operands = tuple(place[operand] for operand in node.operands)
            if node.source is None:
                place.append(self.builder.apply_like(node, operands))
                continue
            source = renamed(node.source, frames)
            if node.op == "count":
                target = renamed(node.target or (), frames)
                place.append(self.builder.count(source, target))
                continue
            place.append(
                self.builder.put(
                    Node(node.op, operands, renamed(node.frame, frames), node.value, source,
                         dims=node.dims)
                )
            )  # fmt: skip
        return place[program.outputs[0].node]

    def program(
        self,
        source: Source,
        *,
        args: Sequence[str] | None,
        outputs: Sequence[str] | None,
        keepdims: bool = False,
    ) -> Program:
        """The program that was read.

        Raises:
            FormulaError: it has no real argument, an unused line, or no such outputs.
        """
        if not self._arguments and not self._declared:
            source.report("the formula has no argument; a free name such as x is expected")
            source.check()
        arguments = self._ordered(source, args)
        if arguments and all(a.is_mask for a in arguments):
            masks = ", ".join(a.name for a in arguments)
            source.report(
                f"conditions alone were found as arguments ({masks}), of which no dtype and no "
                "gradient follows; at least one real argument is expected, such as x and y in "
                f"where({arguments[0].name}, x, y), or one named in args that is not used"
            )
        named = self._outputs(source, outputs)
        source.check()
        nodes = self.builder.nodes
        results = tuple(
            Output(name, index, nodes[index].frame,
                   not keepdims and has_reduction(nodes[index].frame))
            for name, index in named
        )  # fmt: skip
        names: dict[int, str] = {}
        for name in self._assigned:
            if nodes[self._values[name]].op not in ("argument", "constant", "pi", "count"):
                names.setdefault(self._values[name], name)
        program = Program(tuple(arguments), tuple(nodes), results, tuple(sorted(names.items())))
        return without_dead_nodes(program)

    def _ordered(self, source: Source, args: Sequence[str] | None) -> list[Argument]:
        if args is None:
            return list(self._arguments.values())
        for name in self._arguments:
            if name not in self._declared:
                source.report(f"{name} is an argument of the formula, but not in args={list(args)}")
        return [self._arguments.get(n) or Argument(n, of_argument(n)) for n in self._declared]

    def _outputs(self, source: Source, outputs: Sequence[str] | None) -> list[tuple[str, int]]:
        available = {name: self._values[name] for name in self._assigned}
        if self._bare is not None:
            available.setdefault(BARE, self._bare)
        if outputs is not None:
            for name in outputs:
                if name not in available:
                    source.report(f"outputs: {name} is not assigned in the formula")
            if not outputs or len(set(outputs)) != len(outputs):
                source.report("outputs: one or more different names are expected")
            return [(name, available[name]) for name in outputs if name in available]
        if self._bare is None:
            return [(n, available[n]) for n in self._assigned if n not in self._read]
        for name in self._assigned:
            if name not in self._read:
                source.report(f"{name} is assigned and never used; drop the line, or name outputs")
        name = BARE if BARE not in self._arguments and BARE not in self._assigned else "result"
        return [(name, self._bare)]
