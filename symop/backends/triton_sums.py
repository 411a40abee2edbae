"""How kernels of Triton reduce: in a program, and between programs in a fixed order."""

from __future__ import annotations

from dataclasses import dataclass

from symop.backends.c_text import Text
from symop.backends.triton_body import TritonBody
from symop.backends.triton_operands import Operands
from symop.backends.triton_places import Places
from symop.backends.triton_variant import ONE


@dataclass(frozen=True)
class Combining:
    """One way of reducing.

    total: the beginning of the name of what is gathered.
    identity: what changes nothing.
    step: how a block joins what was gathered, with {total} and {value}.
    function: what brings two numbers together, for `tl.reduce`; None for a sum.
    formula: what that function gives of a and b.
    """

    total: str
    identity: str
    step: str
    function: str | None = None
    formula: str = ""


def _extreme(total: str, identity: str, function: str, name: str) -> Combining:
    nan = "propagate_nan=tl.PropagateNan.ALL"
    return Combining(
        total, identity, f"{{total}} = tl.{function}({{total}}, {{value}}, {nan})", name,
        f"tl.{function}(a, b, {nan})",
    )  # fmt: skip


_COMBINING = {
    "sum": Combining("sum", "0.0", "{total} += {value}"),
    "prod": Combining("product", "1.0", "{total} *= {value}", "_multiplied", "a * b"),
    "amax": _extreme("largest", 'float("-inf")', "maximum", "_larger"),
    "amin": _extreme("smallest", 'float("inf")', "minimum", "_smaller"),
}


class Sums:
    """What a kernel reduces.

    names: by the position of a result that is reduced, the name of what a program gathers.

    Args:
        operands: the operands, whose parameters it adds to.
        places: where a program stands.
    """

    def __init__(self, operands: Operands, places: Places) -> None:
        self.operands = operands
        self.places = places
        self.variant = operands.variant
        self.is_tile = operands.is_tile
        self.by = [_COMBINING[result.combine] for result in operands.results]
        self.names = {
            k: operands.own(f"{way.total}_{operands.outs[k]}")
            for k, way in enumerate(self.by)
            if not all(self.variant.kept[k])
        }

    def count_parameters(self) -> None:
        """Ask for the numbers that results are divided by."""
        for k in self.names:
            over = self.operands.results[k].over
            if over is not None:
                place = self.operands.loop.counts.index(over)
                self.operands.parameter(f"over{k}", "count", place)

    def part_sizes(self) -> list[str]:
        """For each way of reducing, how many parts the last program reads at once."""
        if not (self.names and self.variant.is_split):
            return []
        return [f"PARTS{number or ''}" for number in range(len(self.variant.patterns))]

    def definitions(self) -> list[str]:
        """The functions that bring two numbers together, for what is no sum."""
        used = {self.operands.results[k].combine: self.by[k] for k in self.names}
        return [
            f"@triton.jit\ndef {way.function}(a, b):\n    return {way.formula}"
            for _, way in sorted(used.items())
            if way.function
        ]

    def accumulators(self) -> list[str]:
        """The lines that begin to gather."""
        shape = "[ROWS, COLUMNS]" if self.is_tile else "[BLOCK]"
        return [
            f"{name} = tl.full({shape}, {self.by[k].identity}, {self.operands.real})"
            for k, name in self.names.items()
        ]

    def accumulate(self, k: int, *, is_full: bool) -> str:
        """The line that gathers a block of a result."""
        value, way = self.operands.outs[k], self.by[k]
        if not is_full:
            value = f"tl.where(is_inside, {value}, {way.identity})"
        return way.step.format(total=self.names[k], value=value)

    def closing(self) -> list[str]:
        """The lines after the last block: what was gathered is reduced and stored."""
        if not self.names:
            return []
        if not self.variant.is_split:
            return [line for k in self.names for line in self._finished(k, self._part(k), "")]
        partials = self.operands.parameter("partials_ptr", "partials")
        counters = self.operands.parameter("arrived_ptr", "arrived")
        lines: list[str] = []
        for number, pattern in enumerate(self.variant.patterns):
            suffix = str(number) if number else ""
            group, part, parts, span = (f"{n}{suffix}" for n in ("group", "part", "parts", "span"))
            lanes, lane = self.places.lanes(pattern)
            place, groups = self.places.mixed(pattern, is_kept=True)
            own, others = self.places.mixed(pattern, is_kept=False)
            lines += [f"{part} = {own}", f"{parts} = {others}"]
            before = ""
            if groups != "1":
                lines.append(f"{group} = {place}")
                before = f"{group} * {parts} + "
            members = [k for k in self.names if self.variant.kept[k] == pattern]
            factors = [n for n in (groups, parts, lanes) if n not in ("", "1")]
            if len(factors) == 1:
                span = parts
            elif len(members) > 1 or number + 1 < len(self.variant.patterns):
                lines.append(f"{span} = {' * '.join(factors)}")
            finals = []
            for order, k in enumerate(members):
                at = f"({before}{part}) * {lanes} + {lane}" if lanes else f"{before}{part}"
                times = f"{order} * {span}" if order > 1 else span
                origin = f"{partials} + {times}" if order else partials
                lines.append(f"tl.store({origin} + {at}, {self._part(k)})")
                finals += [f"# {self.operands.outs[k]}"] if len(self.names) > 1 else []
                finals += self._total(k, origin, before, parts, lanes)
            counter = f"{counters} + {group}" if before else counters
            lines += [
                "# The program that arrives last adds up the parts, always in the same order.",
                "tl.debug_barrier()",
                f"if tl.atomic_add({counter}, 1) == {parts} - 1:",
                *(f"    {line}" for line in finals),
                f"    tl.store({counter}, 0)",
            ]
            if number + 1 < len(self.variant.patterns):
                times = f"{len(members)} * {span}" if len(members) > 1 else span
                lines += [f"{partials} += {times}", f"{counters} += {groups}"]
        return lines

    def _part(self, k: int) -> str:
        """What a program contributes, reduced over its block."""
        total = self.names[k]
        if not self.is_tile:
            return self._reduced(k, total, "0")
        row, column = self.variant.kept[k][-2:]
        if row and column:
            return total
        if row or column:
            return self._reduced(k, total, "1" if row else "0")
        return self._reduced(k, self._reduced(k, total, "1"), "0")

    def _reduced(self, k: int, value: str, axis: str) -> str:
        function = self.by[k].function
        if function is None:
            return f"tl.sum({value}, {axis})"
        return f"tl.reduce({value}, {axis}, {function})"

    def _total(self, k: int, origin: str, before: str, parts: str, lanes: str) -> list[str]:
        """The lines that bring the parts of a result together."""
        way = self.by[k]
        size = parts.upper()
        shape = f"[{size}, {lanes}]" if lanes else f"[{size}]"
        arange = f"tl.arange(0, {size})" + ("[:, None]" if lanes else "")
        at = f"{before}later"
        if lanes:
            at = f"({at}) * {lanes} + tl.arange(0, {lanes})[None, :]"
        load = f"tl.load({origin} + {at}, mask=later < {parts}, other={way.identity}"
        return [
            f"total = tl.full({shape}, {way.identity}, {self.operands.real})",
            f"for first in range(0, {parts}, {size}):",
            f"    later = first + {arange}",
            f'    value = {load}, cache_modifier=".cg")',
            f"    {way.step.format(total='total', value='value')}",
            *self._finished(k, self._reduced(k, "total", "0"), lanes),
        ]

    def _finished(self, k: int, value: str, lanes: str) -> list[str]:
        """The lines that store a result."""
        own = self.operands
        pointer = own.out_pointers[k]
        if own.results[k].over is not None:
            value = TritonBody.quotient(
                own.body, Text(value), Text(f"tl.cast(over{k}, {own.real})")
            ).text
        row, column = self.variant.kept[k][-2:] if self.is_tile else (False, False)
        if not (row or column):
            return [f"tl.store({pointer}, {value})"]
        operand = len(own.loop.inputs) + k
        lines, parts, masks = [], [], []
        for axis, dim, is_kept in (("row", -2, row), ("column", -1, column)):
            if not is_kept:
                continue
            index = f"tl.arange(0, {axis.upper()}S)"
            if row and column:
                lane = f"tl.arange(0, {lanes})"
                index = f"{lane} {'//' if axis == 'row' else '%'} COLUMNS"
            lines.append(f"{axis}_index = {axis}_start + {index}")
            step = self.variant.steps[operand][dim]
            stride = own.strides.get((operand, self.variant.dims + dim))
            parts.append(f"{axis}_index" if step == ONE else f"{axis}_index * {stride}")
            masks.append(
                f"({axis}_index < {axis}s)" if row and column else f"{axis}_index < {axis}s"
            )
        place = " + ".join([pointer, *parts])
        inside = f"({masks[0]}) & ({masks[1]})" if masks[1:] else masks[0]
        return [*lines, f"tl.store({place}, {value}, mask={inside})"]
