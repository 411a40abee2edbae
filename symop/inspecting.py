"""The kernels of an op on a GPU that need not be there: what they move, hold and compute."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from symop.backends.triton import Kernel, kernel, lack
from symop.backends.triton import routine as triton_routine
from symop.errors import InspectionError
from symop.fused import Fused
from symop.gpu_code import compiled
from symop.gpu_kernels import Target, parsed_target
from symop.inspection import Inspection, Row, as_json, table
from symop.layouts import Layout, LoopLayout, Refused, layout
from symop.loop_kernels import POINTERS, kernel_text, least_bytes
from symop.loops import Loop, Routine
from symop.program import Program
from symop.routines import Prepared, Routines
from symop.tiling import Tiling, tiling

if TYPE_CHECKING:
    from symop.operators import Op

# What arguments without a shape have: a size that nothing divides, as most sizes are.
_SIZE = 2**24 + 43


def inspected(
    op: Op,
    target: str,
    *,
    shapes: Mapping[str, Sequence[int]] | None = None,
    dtype: torch.dtype = torch.float32,
    wanted: Iterable[str] | None = None,
) -> Inspection:
    """The kernels of an op, compiled for a GPU that need not be there.

    Args:
        op: what `symop.compile` returned.
        target: cuda:80, cuda:90, cuda:100, hip:gfx942 ...
        shapes: of the arguments, by name; one not named has one dim of many elements.
        dtype: of the arguments: float16, bfloat16, float32 or float64.
        wanted: the arguments whose gradients are computed; all of them by default.

    Returns:
        The kernels, with bytes and instructions per element, registers and machine code of each.

    Raises:
        InspectionError: the target or an argument is none, Triton is missing, or kernels cannot
            do the formula.

    Example:
        >>> import symop
        >>> from symop.inspecting import inspected
        >>> found = inspected(symop.compile("x*w"), "cuda:90", wanted=["x"])  # doctest: +SKIP
        >>> found.rows[0].code.narrowest  # doctest: +SKIP
        16
    """
    return _Inspector(op, parsed_target(target), dict(shapes or {}), dtype, wanted).run()


def kernel_texts(
    op: Op,
    *,
    shapes: Mapping[str, Sequence[int]] | None = None,
    dtype: torch.dtype = torch.float32,
) -> tuple[tuple[str, str], ...]:
    """The kernels of an op in Triton, which need not be installed; nothing is compiled.

    Args:
        op: what `symop.compile` returned.
        shapes: of the arguments, by name; one not named has one dim of many elements.
        dtype: of the arguments: float16, bfloat16, float32 or float64.

    Returns:
        For each kernel, in the order of launches, the pass that it is of (forward, backward, or
        "value and gradients" of a loss) and its text.

    Raises:
        InspectionError: an argument is none, or kernels cannot do the formula.

    Example:
        >>> import symop
        >>> from symop.inspecting import kernel_texts
        >>> [pass_ for pass_, text in kernel_texts(symop.compile("x*w"))]
        ['forward', 'backward']
    """
    # A text is the same for every target.
    any_target = Target("cuda", 90)
    return tuple(_Inspector(op, any_target, dict(shapes or {}), dtype, None).texts())


class _Inspector:
    def __init__(
        self, op: Op, target: Target, shapes: dict[str, Sequence[int]], dtype: torch.dtype,
        wanted: Iterable[str] | None,
    ) -> None:  # fmt: skip
        formula = op._formula
        _known(shapes, op.args, "argument")
        if dtype not in POINTERS or dtype == torch.bool:
            raise InspectionError(f"kernels compute in float16 to float64, not in {dtype}")
        self.op = op
        self.target = target
        self.dtype = dtype
        self.is_precise = formula.precision == "high"
        self.kernels = _Routines(op.name, op.args, triton_routine, is_precise=self.is_precise)
        self.fused = Fused(formula, op._generated, self.kernels, "cuda")
        self.values = [
            torch.empty(
                tuple(shapes.get(a.name, (_SIZE,))),
                dtype=torch.bool if a.is_mask else dtype,
                device="meta",
            )
            for a in op.program.arguments
        ]
        self.shapes = [value.shape for value in self.values]
        gradients = self.fused.plan.wanted
        chosen = tuple(gradients if wanted is None else wanted)
        _known(chosen, gradients, "argument with a gradient")
        self.needs = sum(1 << k for k, name in enumerate(gradients) if name in chosen)

    def run(self) -> Inspection:
        rows = tuple(self._row(*found) for found in self._launches())
        return Inspection(self.op.name, self.target, str(self.dtype).removeprefix("torch."), rows)

    def texts(self) -> Iterable[tuple[str, str]]:
        """For each kernel the pass that it is of, and its text."""
        for pass_, _, loop, wanted in self._launches():
            yield pass_, self._printed(loop, wanted)[2].text

    def _launches(self) -> Iterable[tuple[str, Layout, LoopLayout, list[int]]]:
        scalars = sum(
            1 << k for k, place in enumerate(self.fused.places) if not self.values[place].dim()
        )
        both = self.fused.loss(self.needs) if self.needs and self.needs & ~scalars == 0 else None
        if both is not None:
            yield from self._loops("value and gradients", both, self.values, first_number=1)
            return
        yield from self._loops("forward", self.fused.forward, self.values)
        if self.needs:
            yield from self._loops("backward", self.fused.gradient(self.needs), self._saved())

    def _saved(self) -> list[Tensor]:
        """What backward has: what was saved, then the cotangents, which are like the outputs."""
        forward = self._prepared(self.fused.forward, self.op.program)
        made = self._layout(forward, self.values)
        outputs = [
            torch.empty_strided(r.shape, r.strides, dtype=r.dtype, device="meta")
            for r in made.results[: made.outputs]
        ]
        sources = (self.values, outputs)
        return [sources[kind][place] for kind, place in self.fused.saved] + outputs

    def _prepared(self, prepared: Prepared | None, program: Program) -> Prepared:
        if prepared is None:
            raise InspectionError(
                f"{self.op.name} has no kernels: {lack(program)}; plain PyTorch operations run"
            )
        return prepared

    def _layout(
        self, prepared: Prepared, values: Sequence[Tensor], first_number: int | None = None
    ) -> Layout:
        given = [values[k] for k in prepared.inputs]
        try:
            return layout(prepared.data, given, self.shapes, first_number)
        except Refused as error:
            shapes = zip(self.op.args, self.shapes, strict=True)
            raise InspectionError(
                f"{self.op.name} cannot take {', '.join(f'{n} {tuple(s)}' for n, s in shapes)}; "
                "give each argument a shape that broadcasts with the others and has the dims that "
                "are reduced"
            ) from error

    def _loops(
        self, pass_: str, prepared: Prepared | None, values: Sequence[Tensor], *,
        first_number: int | None = None,
    ) -> Iterable[tuple[str, Layout, LoopLayout, list[int]]]:  # fmt: skip
        program = self.fused.plan.gradient if pass_ == "backward" else self.op.program
        serving = self._prepared(prepared, program)
        if all(values[k].dtype == torch.bool for k in serving.inputs):
            return  # operations serve gradients that read no number
        made = self._layout(serving, values, first_number)
        for loop in made.loops:
            wanted = made.wanted(loop)
            if wanted and 0 not in loop.shape:
                yield pass_, made, loop, wanted

    def _printed(self, loop: LoopLayout, wanted: list[int]) -> tuple[Loop, Tiling, Kernel]:
        routine, body = self.kernels.loop(loop.code)
        dtype = str(self.dtype).removeprefix("torch.")
        cut = tiling(body, loop, wanted, dtype, is_precise=self.is_precise)
        return body, cut, kernel(self.op.name, routine, body, cut.variant)

    def _row(self, pass_: str, made: Layout, loop: LoopLayout, wanted: list[int]) -> Row:
        body, cut, printed = self._printed(loop, wanted)
        text = kernel_text(printed, body, cut, made, loop, self.target)
        least = least_bytes(printed, body, cut, made, loop)
        name = ", ".join(body.results[k].slot for k in wanted)
        return Row(pass_, name, least["input"], least["result"], text, compiled(text, self.target))


class _Routines(Routines):
    def loop(self, code: int) -> tuple[Routine, Loop]:
        """A loop, and the routine that it is of."""
        return self._loops[code]


def _known(names: Iterable[str], known: Sequence[str], what: str) -> None:
    for name in names:
        if name not in known:
            raise InspectionError(f"no {what} {name}; there are {', '.join(known) or 'none'}")


def report(
    op: Op,
    target: str,
    *,
    shapes: Iterable[str] = (),
    dtype: str = "float32",
    wanted: str | None = None,
    is_asm: bool = False,
    is_json: bool = False,
) -> str:
    """What `symop inspect` prints.

    Args:
        op: the op.
        target: see `inspected`.
        shapes: texts `NAME=4096x1024`; `NAME=` is a 0-d tensor.
        dtype: the name of the dtype.
        wanted: names of arguments, with commas between them.
        is_asm: whether the machine code follows the table.
        is_json: whether the table is for machines.

    Raises:
        InspectionError: see `inspected`; or a shape or dtype is none.
    """
    kind = getattr(torch, dtype, None)
    if not isinstance(kind, torch.dtype):
        raise InspectionError(f"no dtype {dtype!r}; there are float16, bfloat16, float32, float64")
    found = inspected(
        op,
        target,
        shapes=dict(map(_shape, shapes)),
        dtype=kind,
        wanted=None if wanted is None else [name for name in wanted.split(",") if name],
    )
    text = as_json(found) if is_json else table(found)
    if not is_asm:
        return text
    codes = [f"{row.pass_}: {row.name}\n{row.kernel.source}\n{row.code.text}" for row in found.rows]
    return "\n\n".join([text, *codes])


def _shape(text: str) -> tuple[str, tuple[int, ...]]:
    name, sign, sizes = text.partition("=")
    parts = sizes.split("x") if sizes else []
    if not sign or not name or not all(part.isdecimal() for part in parts):
        raise InspectionError(f"no shape: {text!r}; write NAME=4096x1024, or NAME= for one number")
    return name, tuple(map(int, parts))
