"""A program as somebody would write it in torch, whose gradients are those of autograd."""

from __future__ import annotations

from dataclasses import dataclass

from symop.backends.torch import Body
from symop.backends.torch_text import SPELLED, Text
from symop.lowering import lower
from symop.names import spelled
from symop.program import Node, Program
from symop.rendering import render
from symop.statements import function_lines

Lines = tuple[str, ...]

# What torch itself has for functions of the table: the reference of joints and broadcasting.
_TORCH = {
    "exp2": "torch.exp2", "log2": "torch.log2", "log10": "torch.log10", "rsqrt": "torch.rsqrt",
    "sigmoid": "torch.sigmoid", "logaddexp": "torch.logaddexp", "logaddexp2": "torch.logaddexp2",
    "xlogy": "torch.xlogy", "logit": "torch.logit", "sinc": "torch.sinc", "root": "torch.sqrt",
    "xlog1py": "torch.special.xlog1py", "entr": "torch.special.entr", "ndtr": "torch.special.ndtr",
    "log_ndtr": "torch.special.log_ndtr", "ndtri": "torch.special.ndtri",
    "maximum": "torch.maximum", "minimum": "torch.minimum", "softplus1": "functional.softplus",
    "logsigmoid": "functional.logsigmoid", "softsign": "functional.softsign",
    "tanhshrink": "functional.tanhshrink", "silu": "functional.silu", "mish": "functional.mish",
    "gelu": "functional.gelu", "relu": "torch.relu", "hardsigmoid": "functional.hardsigmoid",
    "clamp": "torch.clamp", "clamp_min": "torch.clamp", "clamp_max": "torch.clamp",
    "hardtanh": "functional.hardtanh", "hardshrink": "functional.hardshrink",
    "softshrink": "functional.softshrink", "gelu_tanh": "functional.gelu",
}  # fmt: skip

# Their further parameters are numbers in torch.
_NUMBERS_AFTER_FIRST = frozenset({"hardtanh", "hardshrink", "softshrink"})


@dataclass(frozen=True)
class ReferenceView:
    """The variables of templates/reference.py.j2: lines of text, and names of helpers."""

    reference: Lines
    helpers: Lines


def reference_text(program: Program) -> str:
    """A module whose function `reference` takes the arguments, and gives a list of the outputs."""
    helpers: set[str] = set()
    lines = reference_lines(program, helpers)
    return render("reference.py.j2", ReferenceView(lines, tuple(sorted(helpers))))


def reference_lines(program: Program, helpers: set[str]) -> Lines:
    """The function `reference` of a program.

    Args:
        program: any program.
        helpers: gathers the names of the helper functions that the text calls.
    """
    body = _Plain(
        lower(program, SPELLED | frozenset(_TORCH)),
        lambda n: f"{spelled(n)}.shape",
        is_forward=True,
        taken=frozenset({"reference"}),
        helpers=helpers,
    )
    lines, results = body.print()
    parameters = [f"{spelled(a.name)}: Tensor" for a in program.arguments]
    head, *rest = function_lines(
        "reference", parameters, "list[Tensor]", [*lines, f"return [{', '.join(results)}]"]
    )
    return (head, *rest)


class _Plain(Body):
    """Prints a program in the functions that torch has, whose gradients are torch's."""

    def _call(self, node: Node) -> Text:
        name = _TORCH.get(node.op)
        if name is None:
            return super()._call(node)
        operands = [self._value(o) for o in node.operands]
        first = self._tensor(operands[0]).text
        if name.startswith("functional."):
            name = f"torch.nn.{name}"
        clamped = node.op.startswith("clamp") and all(o.is_number for o in operands[1:])
        if node.op in _NUMBERS_AFTER_FIRST or clamped:
            texts = [o.text for o in operands[1:]]
        else:
            texts = [self._tensor(o).text for o in operands[1:]]
        if node.op == "clamp" and not clamped:
            return Text(f"torch.clamp(*torch.broadcast_tensors({', '.join([first, *texts])}))")
        if node.op in ("clamp_min", "clamp_max"):
            texts = [f"{node.op[-3:]}={texts[0]}"]
        if node.op == "gelu_tanh":
            texts = ['approximate="tanh"']
        return Text(f"{name}({', '.join([first, *texts])})")
