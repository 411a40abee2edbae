"""What a kernel of Triton is called with: names, parameters, and how operands are read."""

from __future__ import annotations

from symop.backends.triton_body import TAKEN, TritonBody
from symop.backends.triton_variant import ANY, Variant
from symop.loops import Loop, Routine
from symop.names import unused

Parameter = tuple[str | int, ...]

# What programs share comes after the numbers, in the order in which it is prepared.
_SHARED = ("partials", "arrived")

_NUMBERED = ("index", "size", "over", "group", "part", "parts", "span")

# Names that kernels use themselves.
_LOCAL = frozenset(
    {
        "program", "programs", "rest", "row", "column", "rows", "columns", "n", "start", "offset",
        "row_program", "column_program", "row_programs", "column_programs", "row_start",
        "column_start", "is_row", "is_column", "is_inside", "total", "value", "later", "first",
        "row_index", "column_index", "partials_ptr", "arrived_ptr", "group", "part", "parts",
        "span",
    }
)  # fmt: skip


class Operands:
    """The operands of a kernel, and the parameters that were asked for so far.

    body: what is computed for a block.
    inputs: the positions of the inputs that are read.
    results: the results that are computed.
    values: for each input that is read, the name of its elements.
    pointers: likewise, of its address.
    outs: for each result, the name of its elements.
    out_pointers: likewise, of its address.
    strides: by operand and dim, the names of those that are known at run time.
    real: the type that is computed in.

    Args:
        routine: what the loop belongs to.
        loop: the loop.
        variant: what the kernel is made for.
    """

    def __init__(self, routine: Routine, loop: Loop, variant: Variant) -> None:
        self.loop = loop
        self.variant = variant
        self.real = "tl.float64" if variant.is_double else "tl.float32"
        self.is_tile = variant.dims > 1
        self._temporaries = {name for name, _ in routine.temporaries} | routine.numbers
        self.results = [loop.results[k] for k in variant.wanted]
        self.body = TritonBody(loop, self.results, variant.is_double, is_half=variant.is_half)
        self.lines = [*self.body.before, *self.body.body()]
        self.returned = self.body.returned()
        self.counts = [self.body.count_name(k) for k in self.body.counts()]
        self._taken = set(TAKEN) | _LOCAL | set(self.counts)
        self._taken |= {f"{n}{k}" for n in _NUMBERED for k in range(64)}
        read = self.body.read()
        self.inputs = [k for k, a in enumerate(loop.inputs) if a.name in read]
        self.values = {k: self.own(self.body.names[loop.inputs[k].name]) for k in self.inputs}
        self.outs = [self.own(result.slot) for result in self.results]
        self.pointers = {k: self.own(f"{self.values[k]}_ptr") for k in self.inputs}
        self.out_pointers = [self.own(f"{out}_ptr") for out in self.outs]
        self.strides: dict[tuple[int, int], str] = {}
        self._parameters: dict[str, Parameter] = {}

    def own(self, name: str) -> str:
        """A name like this that nothing else has."""
        name = unused(name, self._taken)
        self._taken.add(name)
        return name

    def parameter(self, name: str, *what: str | int) -> str:
        """The name of a parameter, which is one from now on.

        Args:
            name: as it stands in the text.
            what: what is passed, as in `Kernel.parameters`.
        """
        self._parameters[name] = what
        return name

    def declared(self) -> list[tuple[str, Parameter]]:
        """The parameters that were asked for, in the order of a call."""
        return sorted(
            self._parameters.items(),
            key=lambda pair: _SHARED.index(str(pair[1][0])) + 1 if pair[1][0] in _SHARED else 0,
        )

    def size(self, dim: int) -> str:
        """The size of a dim before those of tiles."""
        return self.parameter(f"size{dim}", "size", dim)

    def leading(self) -> None:
        """Ask for the parameters that every kernel begins with: addresses and counts."""
        for k in self.inputs:
            self.parameter(self.pointers[k], "input", k)
        for k, pointer in enumerate(self.out_pointers):
            self.parameter(pointer, "result", k)
        for name, count in zip(self.counts, self.body.counts(), strict=True):
            self.parameter(name, "count", count)

    def stride_parameters(self) -> None:
        """Ask for the strides that are known at run time."""
        first = len(self.loop.inputs)
        for operand, _ in self.addressed():
            for dim, step in enumerate(self.variant.steps[operand]):
                if step == ANY:
                    value = self.values[operand] if operand < first else self.outs[operand - first]
                    axis = {1: "column", 2: "row"}.get(self.variant.dims - dim, f"index{dim}")
                    name = self.own(f"{value}_{axis if self.is_tile else 'step'}")
                    self.strides[operand, dim] = self.parameter(name, "stride", operand, dim)

    def addressed(self) -> list[tuple[int, str]]:
        """The operands, inputs and then results, each with the name of its address."""
        first = len(self.loop.inputs)
        return [(k, self.pointers[k]) for k in self.inputs] + [
            (first + k, pointer) for k, pointer in enumerate(self.out_pointers)
        ]

    def load(self, k: int, place: str, mask: str) -> str:
        """The elements of an input, in the type that is computed in."""
        argument = self.loop.inputs[k]
        text = f"tl.load({place}{mask})"
        is_real = argument.is_mask or argument.name in self._temporaries
        element = f"tl.{self.variant.dtype}"
        return text if is_real or element == self.real else f"{text}.to({self.real})"

    def uniform_loads(self) -> list[str]:
        """The lines that read what is the same for all elements."""
        return [
            f"{self.values[k]} = {self.load(k, self.pointers[k], '')}"
            for k in self.inputs
            if not any(self.variant.steps[k])
        ] + [f"{name} = tl.cast({name}, {self.real})" for name in self.counts]

    def element_names(self) -> list[str]:
        """The names of what one element is computed from, inside the function that does it."""
        return [self.body.names[self.loop.inputs[k].name] for k in self.inputs] + self.counts

    def element_values(self) -> list[str]:
        """The names of the same in the kernel."""
        return [self.values[k] for k in self.inputs] + self.counts
