"""The view of a generated test: tables of exact numbers, and a reference in plain torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from symop.backends.torch import SPELLED, Body, Text
from symop.evaluation import Array
from symop.exact import Arrays
from symop.frames import Frame
from symop.layout import WIDTH, docstring_lines
from symop.lowering import lower
from symop.names import spelled
from symop.planning import Plan
from symop.points import Points, choose
from symop.program import Node
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

# Names that the test itself uses.
_OWN = frozenset(
    {
        "Tensor", "torch", "pytest", "forward_ad", "grad", "gradcheck", "gradgradcheck", "math",
        "reference", "tensors", "evaluate", "close", "wanted", "gradients", "moderate", "layout",
    }
)  # fmt: skip


@dataclass(frozen=True)
class TestView:
    """A generated test; every field is text, lines of text as they stand in the file, or a flag."""

    __test__ = False

    title: str
    formulas: Lines
    path: Lines
    imported: str
    call: str
    needs_math: bool
    tables: Lines
    joints: Lines
    saved: str
    rtol: str
    atol: str
    moderate: str
    float32: str
    tensor_lines: Lines
    reference: Lines
    helpers: Lines
    is_tuple: bool
    is_elementwise: bool
    has_masks: bool
    has_several: bool
    has_second: bool
    shifts: str
    cuts: Lines
    accepts_empty: bool


def test_view(name: str, plan: Plan, text: Sequence[str], path: str | None) -> TestView:
    """The view of the test of an op.

    Args:
        name: the name of the op.
        plan: what it computes and keeps.
        text: its formula, as lines `name = expression`.
        path: the folder of the module, relative to that of the test; None when they are one.
    """
    program = plan.program
    points = choose(plan)
    setting, numbers = points.setting, points.numbers
    masks = {a.name for a in program.arguments if a.is_mask}
    helpers: set[str] = set()
    reference = _reference(plan, helpers)
    tables = [
        "# The arguments; the direction in which each is varied; what flows into each output.",
        *_table("ARGUMENTS", setting.arguments),
        *_table("DIRECTIONS", setting.directions),
        *_table("COTANGENTS", setting.cotangents),
        "",
        "# The outputs, the gradients, and how both change along the directions.",
        *_table("OUTPUTS", numbers.outputs),
        *_table("TANGENTS", numbers.tangents),
        *_table("GRADIENTS", numbers.gradients),
        *_table("SECOND", numbers.second),
    ]
    joints = _joint_tables(points)
    call = f"{name}_op" if name in _OWN or name.startswith("test") else name
    return TestView(
        title=_title(name, text),
        formulas=tuple(docstring_lines(list(text))),
        path=_path_lines(path),
        imported=f"from {name} import {name}" + (f" as {call}" if call != name else ""),
        call=call,
        needs_math=any("math." in line for line in (*tables, *joints)),
        tables=tuple(tables),
        joints=joints,
        saved=_tuple(plan.saved),
        rtol="1e-7" if _is_rough(plan) else "1e-9",
        atol=points.atol,
        moderate=str(points.moderate),
        float32=str(points.float32),
        tensor_lines=_tensor_lines(masks),
        reference=reference,
        helpers=tuple(sorted(helpers)),
        is_tuple=len(program.outputs) > 1,
        is_elementwise=program.is_elementwise,
        has_masks=bool(masks),
        has_several=len(program.arguments) > 1,
        has_second=bool(plan.wanted),
        shifts=str(min(len(program.arguments), 4)),
        cuts=_cuts(program.is_elementwise),
        accepts_empty=_accepts_empty(plan, len(next(iter(setting.arguments.values())).shape)),
    )


def _title(name: str, text: Sequence[str]) -> str:
    return f"Tests of {name}, generated by symop."


def _path_lines(path: str | None) -> Lines:
    if path is None:
        return ()
    parts = "".join(f" / {_quoted(part)}" for part in path.split("/"))
    line = f"sys.path.insert(0, str(Path(__file__).parent{parts}))"
    if len(line) <= WIDTH:
        return (line,)
    return ("sys.path.insert(", f"    0, str(Path(__file__).parent{parts})", ")")


def _quoted(text: str) -> str:
    return '"' + ascii(text)[1:-1].replace('"', '\\"') + '"'


def _tuple(names: Sequence[str]) -> str:
    return "(" + ", ".join(_quoted(n) for n in names) + ("," if len(names) == 1 else "") + ")"


# Functions whose versions in torch are good for fewer digits.
_ROUGH = frozenset({"polygamma", "zeta", "digamma", "lgamma", "gamma", "ndtri", "erfinv", "i1", "i1e"})


def _is_rough(plan: Plan) -> bool:
    return any(node.op in _ROUGH for node in plan.program.nodes)


# Tables


def _table(name: str, arrays: Arrays) -> list[str]:
    items = [(f"{_quoted(n)}: ", _nested(a)) for n, a in arrays.items()]
    return _literal(f"{name} = ", dict(items), 0)


def _nested(array: Array) -> Any:
    """The numbers of an array as nested lists of their texts."""
    if array.ndim == 0:
        return _number(array.item())
    return [_nested(part) if part.ndim else _number(part.item()) for part in
            (array[k : k + 1].reshape(array.shape[1:]) for k in range(len(array)))]  # fmt: skip


def _number(value: Any) -> str:
    if isinstance(value, bool):
        return str(value)
    number = float(value)
    if number != number:
        return "math.nan"
    if number in (float("inf"), float("-inf")):
        return "math.inf" if number > 0 else "-math.inf"
    return repr(number).replace("e+", "e")


def _literal(head: str, value: Any, indent: int, tail: str = "") -> list[str]:
    """A nested list or dict as the formatter lays it out."""
    pad = " " * indent
    whole = f"{pad}{head}{_joined(value)}{tail}"
    if isinstance(value, str) or len(whole) <= WIDTH:
        return [whole]
    items = value.items() if isinstance(value, dict) else (("", item) for item in value)
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    lines = [f"{pad}{head}{opening}"]
    for key, item in items:
        lines += _literal(key, item, indent + 4, ",")
    return [*lines, f"{pad}{closing}{tail}"]


def _joined(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}{_joined(v)}" for k, v in value.items()) + "}"
    return "[" + ", ".join(_joined(v) for v in value) + "]"


def _joint_tables(points: Points) -> Lines:
    if not points.joints:
        return ()
    names = ("JOINTS", "COTANGENTS_AT_JOINTS", "OUTPUTS_AT_JOINTS", "GRADIENTS_AT_JOINTS")
    columns = [
        (setting.arguments, setting.cotangents, numbers.outputs, numbers.gradients)
        for setting, numbers in points.joints
    ]
    lines: list[str] = []
    for name, column in zip(names, zip(*columns, strict=True), strict=True):
        joined = {f"{_quoted(n)}: ": [_nested(arrays[n]) for arrays in column] for n in column[0]}
        lines += _literal(f"{name} = ", joined, 0)
    return tuple(lines)


def _tensor_lines(masks: set[str]) -> Lines:
    if not masks:
        return ("    return [torch.tensor(v, dtype=dtype) for v in numbers.values()]",)
    return (
        "    dtypes = [dtype if n not in MASKS else torch.bool for n in numbers]",
        "    pairs = zip(numbers.values(), dtypes, strict=True)",
        "    return [torch.tensor(v, dtype=d) for v, d in pairs]",
    )


# The reference


def _reference(plan: Plan, helpers: set[str]) -> Lines:
    program = plan.program
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
        if node.op in _NUMBERS_AFTER_FIRST or all(o.is_number for o in operands[1:]) and (
            node.op.startswith("clamp")
        ):
            texts = [o.text for o in operands[1:]]
        else:
            texts = [self._tensor(o).text for o in operands[1:]]
        if node.op in ("clamp_min", "clamp_max"):
            texts = [f"{node.op[-3:]}={texts[0]}"]
        if node.op == "gelu_tanh":
            texts = ['approximate="tanh"']
        return Text(f"{name}({', '.join([first, *texts])})")


# What the op takes


def _cuts(elementwise: bool) -> Lines:
    cuts = ["lambda x: x", "lambda x: x[..., :1]", "lambda x: x[:1]"]
    return tuple([*cuts, "lambda x: x.flatten()[0]"] if elementwise else cuts)


def _accepts_empty(plan: Plan, rank: int) -> bool:
    """Whether no dim that may be empty is reduced to its largest or smallest element."""

    def is_first(dims: tuple[int, ...] | None) -> bool:
        return dims is None or any(dim % rank == 0 for dim in dims)

    return not any(
        node.op in ("amax", "amin") and is_first(node.dims) for node in plan.program.nodes
    )


_FRAME: Frame = ()
