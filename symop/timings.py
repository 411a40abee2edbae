"""Times of an op beside the same operations under autograd, in turns."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from symop.samples import Samples

if TYPE_CHECKING:
    from symop.operators import Op

SIZES = (1_000, 100_000, 1_000_000)
_ROUNDS, _SECONDS = 7, 0.002


@dataclass(frozen=True)
class Timing:
    """One way to compute forward and backward at one size.

    seconds: the median of one call and its gradients.
    ratio: the median of its time over that of the op, of runs that took turns.
    spread: the upper quartile of these ratios over the lower one.
    """

    way: str
    elements: int
    seconds: float
    ratio: float
    spread: float


def timings(op: Op) -> list[Timing]:
    """Forward and backward in float32 on the CPU, by the op, its Function, and autograd.

    Only elementwise ops are timed: what the dims of others mean is not known.
    """
    example = next(iter(Samples(op.written, op.program).examples()), None)
    if example is None or not op.written.is_elementwise:
        return []
    result = []
    for elements in SIZES:
        values = [_filled(example[n], elements) for n in op.args]
        leaves = [v for v in values if v.requires_grad]
        ways: dict[str, Callable[..., Any]] = {
            "symop": op,
            "generated Function": op.function.apply,
            "autograd of operations": op.function.forward,
        }
        runs = {way: _run(function, values, leaves) for way, function in ways.items()}
        result += _in_turns(runs, elements)
    return result


def _filled(sample: torch.Tensor, elements: int) -> torch.Tensor:
    """The numbers of an example again and again."""
    flat = sample.flatten()
    full = flat.repeat(elements // len(flat) + 1)[:elements]
    return full if full.dtype == torch.bool else full.float().requires_grad_()


def _run(
    function: Callable[..., Any], values: list[torch.Tensor], leaves: list[torch.Tensor]
) -> Callable[[], Any]:
    def once() -> Any:
        result = function(*values)
        outputs = [o for o in (result if isinstance(result, tuple) else (result,))
                   if o.requires_grad]  # fmt: skip
        if not outputs:
            return None
        ones = [torch.ones_like(o) for o in outputs]
        return torch.autograd.grad(outputs, leaves, ones, allow_unused=True)

    return once


def _in_turns(runs: dict[str, Callable[[], Any]], elements: int) -> list[Timing]:
    counts = {}
    for way, run in runs.items():
        # The first call may compile; the second says how often fits into a round.
        run()
        counts[way] = max(1, round(_SECONDS / max(_seconds(run, 1), 1e-7)))
    rounds = [{way: _seconds(run, counts[way]) for way, run in runs.items()}
              for _ in range(_ROUNDS)]  # fmt: skip
    first = next(iter(runs))
    result = []
    for way in runs:
        ratios = [r[way] / r[first] for r in rounds]
        low, middle, high = statistics.quantiles(ratios, n=4)
        seconds = statistics.median(r[way] for r in rounds)
        result.append(Timing(way, elements, seconds, middle, high / low))
    return result


def _seconds(run: Callable[[], Any], count: int) -> float:
    start = time.perf_counter()
    for _ in range(count):
        run()
    return (time.perf_counter() - start) / count
