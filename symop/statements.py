"""Logical lines that the generated methods are put together from."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from symop.layout import WIDTH, laid_out
from symop.names import spelled, unused
from symop.program import Program
from symop.python_text import syntax_tree

Lines = tuple[str, ...]

# Names that the methods use beside those of the user.
TAKEN = frozenset({"half", "needs", "shape", "values", "part", "ctx", "inputs", "output"})

_METHOD = 8
ROOM = WIDTH - _METHOD


@dataclass
class Shapes:
    """Whose shapes the gradient asks for, and which helper functions the module needs."""

    names: set[str] = field(default_factory=set)
    helpers: set[str] = field(default_factory=set)


def map_spelled(names: Sequence[str]) -> list[str]:
    """The names as code spells them."""
    return [spelled(n) for n in names]


def local_names(names: Sequence[str], taken: Sequence[str]) -> list[str]:
    """Names for results, other than those of the values that they are computed from."""
    used = set(taken)
    result = []
    for name in names:
        result.append(unused(spelled(name), used))
        used.add(result[-1])
    return result


def ordered(names: Sequence[str], chosen: set[str]) -> list[str]:
    """The chosen names, in order."""
    return [n for n in names if n in chosen]


def read_by(program: Program, names: Sequence[str]) -> list[str]:
    """The names that a program reads, in order."""
    read = {node.value for node in program.nodes if node.op in ("argument", "mask")}
    return [n for n in names if n in read]


def return_type(program: Program) -> str:
    """The annotation of what an operator returns."""
    if len(program.outputs) == 1:
        return "Tensor"
    if len(program.outputs) > 4:
        return "tuple[Tensor, ...]"
    return f"tuple[{', '.join(['Tensor'] * len(program.outputs))}]"


def function_lines(
    name: str, parameters: Sequence[str], returns: str, lines: Sequence[str], indent: int = 0
) -> Lines:
    """A function from its logical lines, laid out."""
    pad = " " * indent
    head = laid_out(f"{pad}def {name}({', '.join(parameters)}) -> {returns}:")
    body = [physical for line in lines for physical in laid_out(f"{pad}    {line}")]
    return (*head, *body)


def method_lines(name: str, parameters: Sequence[str], returns: str, lines: Sequence[str]) -> Lines:
    """A method from its logical lines, laid out."""
    return function_lines(name, parameters, returns, lines, indent=4)


def body_lines(lines: Sequence[str]) -> Lines:
    """The body of a method whose signature stands in the template."""
    return tuple(physical for line in lines for physical in laid_out(" " * _METHOD + line))


def unpacked(names: Sequence[str], value: str, after: Sequence[str] | None = None) -> list[str]:
    """An assignment of several names; those that the lines after it never use become `_`."""
    if after is not None:
        words = {word for line in after for word in re.findall(r"\w+", line)}
        names = [n if n in words or n.startswith("*") else "_" for n in names]
    if not names or set(names) <= {"_", "*_"}:
        return []
    return [f"({names[0]},) = {value}" if len(names) == 1 else f"{', '.join(names)} = {value}"]


def return_lines(items: Sequence[str]) -> list[str]:
    """A return of one or several values."""
    return [f"return {', '.join(items)}"]


def none_lines(names: Sequence[str]) -> list[str]:
    """Names that begin as None."""
    line = f"{' = '.join(names)} = None"
    return [line] if len(line) <= ROOM else [f"{name} = None" for name in names]


def widening_lines(names: Sequence[str], values: Sequence[str], after: Sequence[str]) -> list[str]:
    """The line that takes half precision to float32."""
    half = "half" if any("half" in line for line in after) else "_"
    targets = f"({names[0]},)" if len(names) == 1 else f"({', '.join(names)})"
    line = f"{targets}, {half} = _widened({', '.join(values)})"
    if len(line) <= ROOM:
        return [line]
    return [f"values, {half} = _widened({', '.join(values)})", f"{', '.join(names)} = values"]


def rounded_return(names: Sequence[str], results: Sequence[str]) -> list[str]:
    """Return the results, in the half precision that the operands had."""
    if len(results) == 1:
        text = results[0] if _takes_method(results[0]) else f"({results[0]})"
        if len(text) + len("return .to(dtype=half)") <= ROOM:
            return [f"return {text}.to(dtype=half)"]
    pairs = zip(names, results, strict=True)
    lines = [f"{name} = {text}" for name, text in pairs if name != text]
    return [*lines, *return_lines([f"{name}.to(dtype=half)" for name in names])]


def _takes_method(text: str) -> bool:
    """Whether a method call can follow an expression without parentheses around it."""
    return isinstance(syntax_tree(text, mode="eval").body, ast.Name | ast.Call)


def optional_lines(name: str, text: str, flag: str) -> list[str]:
    """A value under the flag that says whether it is wanted."""
    line = f"{name} = {text} if {flag} else None"
    if len(line) <= ROOM:
        return [line]
    return [f"{name} = None", f"if {flag}:", f"    {name} = {text}"]


def fits_as_item(text: str) -> bool:
    """Whether a text fits on a line of its own inside the brackets of a return."""
    return len(text) + 5 <= ROOM
