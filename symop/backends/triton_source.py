"""The kernels of Triton that a generated module carries: one a pass, for every dtype.

What may differ from call to call is a constant of a kernel: the type that is computed in, which
operands are one element, and what becomes of each result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symop.backends import triton_math
from symop.backends.triton_any import AnyTypeBody
from symop.backends.triton_body import TAKEN
from symop.frames import SCALAR
from symop.layout import WIDTH, laid_out
from symop.loops import Loop
from symop.lowering import BUILT_IN
from symop.names import unused
from symop.program import LEAVES

Lines = tuple[str, ...]

# Bytes of an operand that a program of 128 threads reads: 16 a thread, twice where the values of
# that many elements stay in registers.
_BYTES = 2048
_LIVE = 12

_LOCAL = frozenset(
    {
        "program", "programs", "start", "lane", "is_inside", "n", "partials_ptr", "arrived_ptr",
        "real", "BLOCK",
    }
)  # fmt: skip


@dataclass(frozen=True)
class CarriedKernel:
    """The kernel of one pass.

    name: what it is called in the module.
    is_summing: whether results may be summed, which takes more arguments.
    is_mean: whether one of them is a mean.
    bytes: how many bytes of an operand a program reads.
    functions: what of the mathematics it calls.
    lines: its text.
    """

    name: str
    is_summing: bool
    is_mean: bool
    bytes: int
    functions: frozenset[str]
    lines: Lines


def carried_kernel(what: str, comment: str, loop: Loop, order: Sequence[str]) -> CarriedKernel:
    """The kernel of a loop.

    Args:
        what: "forward" or "gradient".
        comment: what it computes.
        loop: the loop.
        order: the names of its inputs, as they are passed.
    """
    return _Printer(what, comment, loop, order).kernel()


def lines(kernels: Sequence[CarriedKernel]) -> Lines:
    """Kernels, after the mathematics that they call."""
    wanted = frozenset[str]().union(*(kernel.functions for kernel in kernels))
    texts = [text.replace("@triton.jit", "@_jit") for text in triton_math.definitions(wanted)]
    texts += ["\n".join(kernel.lines) for kernel in kernels]
    return tuple(line for text in texts for line in ("", "", *text.split("\n")))


def imports(kernels: Sequence[CarriedKernel]) -> Lines:
    """The import of Triton, which need not be there."""
    wanted = frozenset[str]().union(*(kernel.functions for kernel in kernels))
    return (
        "try:",
        "    import triton",
        "    import triton.language as tl",
        *(f"    {line}" for line in triton_math.imports(wanted)),
        "except ImportError:",
        "    triton = None  # type: ignore[assignment]",
    )


class _Printer:
    def __init__(self, what: str, comment: str, loop: Loop, order: Sequence[str]) -> None:
        self.what, self.comment = what, comment
        self.loop, self.results = loop, loop.results
        self.body = AnyTypeBody(loop)
        self.lines = [*self.body.before, *self.body.body()]
        self.returned = self.body.returned()
        by_name = {a.name: a for a in loop.inputs}
        self.inputs = [by_name[name] for name in order]
        self.is_summing = any(r.frame != loop.frame for r in self.results)
        self.counts = {self.body.count_name(k): loop.counts[k] for k in self.body.counts()}
        self.taken = {*TAKEN, *_LOCAL, *self.counts}
        self.values = [self._own(self.body.names[a.name]) for a in self.inputs]
        self.outs = [self._own(result.slot) for result in self.results]
        self.pointers = [self._own(f"{name}_ptr") for name in self.values]
        self.out_pointers = [self._own(f"{name}_ptr") for name in self.outs]
        self.steps = [self._own(f"{name}_step") for name in self.values]
        self.hows = [self._own(f"{name}_how") for name in self.outs]
        self.sums = [self._own(f"sum_{name.removeprefix('grad_')}") for name in self.outs]

    def _own(self, name: str) -> str:
        name = unused(name, self.taken)
        self.taken.add(name)
        return name

    def kernel(self) -> CarriedKernel:
        name = f"_{self.what}_kernel"
        parameters = [*self.pointers, *self.out_pointers, "n"]
        parameters += ["partials_ptr", "arrived_ptr"] if self.is_summing else []
        constants = [*self.steps, *(self.hows if self.is_summing else []), "real", "BLOCK"]
        parameters += [f"{constant}: tl.constexpr" for constant in constants]
        body = self._summing() if self.is_summing else self._plain()
        lines = [*self._values(), "", "", *_function(name, parameters, self.comment, body)]
        is_mean = any(result.over is not None for result in self.results)
        functions = frozenset(self.body.functions) | ({"quotient"} if is_mean else set())
        return CarriedKernel(name, self.is_summing, is_mean, self._bytes(), functions, tuple(lines))

    def _bytes(self) -> int:
        nodes = [n for n in self.loop.nodes if n.op not in LEAVES]
        calls = sum(n.op not in BUILT_IN for n in nodes)
        live = len(self.inputs) + min(len(nodes), 8) + 4 * max(calls - 1, 0)
        live += 2 * len(self.results) if self.is_summing else 0
        return _BYTES * (2 if live <= _LIVE else 1)

    def _values(self) -> list[str]:
        """The function of elements."""
        names = [self.body.names[a.name] for a in self.inputs]
        comment = f"{', '.join(self.outs)} for a block of elements."
        body = [*self.lines, f"return {', '.join(self.returned)}"]
        return _function(f"_{self.what}_values", [*names, *self.counts], comment, body)

    def _plain(self) -> list[str]:
        return [
            "start = tl.program_id(0).to(tl.int64) * BLOCK",
            "lane = tl.arange(0, BLOCK)",
            *self._count_lines(),
            *self._visits(""),
        ]

    def _visits(self, pad: str) -> list[str]:
        """What is done with a block: without a mask where all of it is inside."""
        lines = [f"{pad}if start + BLOCK <= n:"]
        lines += [f"{pad}    {line}" for line in self._visit("None")]
        lines += [f"{pad}else:", f"{pad}    is_inside = start + lane < n"]
        return lines + [f"{pad}    {line}" for line in self._visit("is_inside")]

    def _visit(self, mask: str) -> list[str]:
        lines = [
            f"{value} = _load({pointer}, start, lane, {mask}, {step}, "
            f"{'tl.int1' if argument.is_mask else 'real'})"
            for argument, value, pointer, step in zip(
                self.inputs, self.values, self.pointers, self.steps, strict=True
            )
        ]
        call = f"_{self.what}_values({', '.join([*self.values, *self.counts])})"
        lines.append(f"{', '.join(self.outs)} = {call}")
        for out, pointer, total, how in zip(
            self.outs, self.out_pointers, self.sums, self.hows, strict=True
        ):
            if self.is_summing:
                given = f"{out}, {pointer}, {total}, start, lane, {mask}, {how}"
                lines.append(f"{total} = _give({given})")
            else:
                last = "" if mask == "None" else f", {mask}"
                lines.append(f"tl.store({pointer} + start + lane, {out}{last})")
        return lines

    def _count_lines(self) -> list[str]:
        """How many elements of the loop fall on one of what is reduced."""
        lines = []
        for name, (_, target) in self.counts.items():
            value = "n"
            if target != SCALAR:
                place = next(k for k, r in enumerate(self.results) if r.frame == target)
                value = f'n if {self.hows[place]} == "sum" else 1'
            lines.append(f"{name} = tl.cast({value}, real)")
        return lines

    def _summing(self) -> list[str]:
        lines = [
            "program = tl.program_id(0).to(tl.int64)",
            "programs = tl.num_programs(0).to(tl.int64)",
            "lane = tl.arange(0, BLOCK)",
            *self._count_lines(),
            *(f"{total} = tl.zeros([BLOCK], real)" for total in self.sums),
            "for start in range(program * BLOCK, n, programs * BLOCK):",
            *self._visits("    "),
            "if partials_ptr is not None:",
        ]
        parts = ["partials_ptr"]
        parts += [
            f"partials_ptr + {f'{k} * ' if k > 1 else ''}programs" for k in range(1, len(self.sums))
        ]
        for total, part, how in zip(self.sums, parts, self.hows, strict=True):
            lines.append(f"    _leave({total}, {part} + program, {how})")
        lines += [
            "    # A program counts itself when its parts are there; the last one adds up all.",
            "    tl.debug_barrier()",
            "    if tl.atomic_add(arrived_ptr, 1) == programs - 1:",
        ]
        for result, part, pointer, how in zip(
            self.results, parts, self.out_pointers, self.hows, strict=True
        ):
            over = "" if result.over is None else ", n"
            lines.append(f"        _finish({pointer}, {part}, programs, {how}{over})")
        return [*lines, "        tl.store(arrived_ptr, 0)"]


def _function(name: str, parameters: Sequence[str], comment: str, body: Sequence[str]) -> list[str]:
    """A function for Triton, laid out."""
    lines = ["@_jit", *laid_out(f"def {name}({', '.join(parameters)}):")]
    if len(comment) <= WIDTH - 10:
        lines.append(f'    """{comment}"""')
    return lines + [part for line in body for part in laid_out(f"    {line}")]
