"""The page of what kernels reach on a GPU, from the cells that were measured."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.cpu import CASES, geometric

PEERS = ("eager", "compile", "autotune", "library", "by hand", "one op")
# What is asked of the kernels: of the bandwidth of a copy, from so many elements; beside
# torch.compile; and at the smallest size beside one operation, and beside the plain expression.
SHARE, LARGE = 0.92, 16_000_000
SMALL, ONE_OP = 1_000, 1.5


@dataclass(frozen=True)
class Setting:
    """What figures belong to.

    device: its name.
    driver: the versions of the driver and of its library.
    versions: of torch, triton and Python.
    """

    device: str
    driver: str
    versions: str


@dataclass
class Cells:
    """What was measured.

    bandwidth: of a copy, in bytes per second, read and written.
    found: by "case|dtype|elements|mode": seconds of a call by peer, and "bytes".
    """

    setting: Setting
    bandwidth: float = 0.0
    found: dict[str, dict[str, float]] = field(default_factory=dict)

    def data(self) -> dict[str, Any]:
        """The same for a file."""
        return asdict(self)

    @classmethod
    def of(cls, data: dict[str, Any]) -> Cells:
        """What `data` gave."""
        return cls(Setting(**data["setting"]), data["bandwidth"], data["found"])

    def rows(self) -> Iterator[tuple[str, str, int, str, dict[str, float]]]:
        """Case, dtype, elements, mode and seconds, in order."""
        for key, cell in self.found.items():
            name, dtype, n, mode = key.split("|")
            yield name, dtype, int(n), mode, cell

    def share(self, cell: dict[str, float]) -> float:
        """What the op reaches of the bandwidth of a copy."""
        return cell["bytes"] / cell["symop"] / self.bandwidth


def missed(cells: Cells) -> list[str]:
    """What was asked and is not reached, a line each."""
    lines = []
    for name, dtype, n, mode, cell in cells.rows():
        own = cell["symop"]
        at = f"{name}, {mode}, {dtype}, {n:,} elements"
        share = cells.share(cell)
        if n >= LARGE and share < SHARE:
            lines.append(f"{at}: {share:.2f} of the bandwidth of a copy, {SHARE} asked")
        for peer in ("compile", "autotune"):
            if peer in cell and own > cell[peer]:
                lines.append(f"{at}: {own / cell[peer]:.2f} times as long as {peer}")
        if n == SMALL and mode == "forward" and "one op" in cell and own > ONE_OP * cell["one op"]:
            ratio = own / cell["one op"]
            lines.append(f"{at}: {ratio:.2f} times one operation, {ONE_OP} asked")
        if n == SMALL and mode == "both" and "eager" in cell and own > cell["eager"]:
            lines.append(f"{at}: {own / cell['eager']:.2f} times as long as eager")
    return lines


def page(cells: Cells) -> str:
    """The page."""
    where = cells.setting
    lines = [
        "# Kernels on a GPU",
        "",
        "Written by `python -m benchmarks.gpu` (`make gpu`), which runs tests/interpreted on the "
        "device first. Times are medians of CUDA events around calls of all peers in turns, over "
        "arguments that rotate so that the L2 cache does not hold them, as far as 1,024 sets of "
        "them fill it. `both` is forward and backward by `torch.autograd.grad`. Copy is the share "
        "of the bandwidth of a copy that the op reaches with the bytes that it must read and write "
        "once in each direction. The other columns are the time of the peer over that of the op: "
        "above 1 the op is faster. `autotune` is torch.compile with max-autotune, without CUDA "
        "graphs; `library` is torch's own function; `by hand` a kernel written the way of Liger "
        "(benchmarks/swiglu_kernels.py); `one op` is a negation.",
        "",
        f"{where.device}; driver {where.driver}; {where.versions}. A copy: "
        f"{cells.bandwidth / 1e9:,.0f} GB/s, read and written.",
        "",
        "## What was asked and is not reached",
        "",
        f"Asked: {SHARE} of a copy from {LARGE:,} elements; no cell slower than torch.compile; at "
        f"{SMALL:,} elements {ONE_OP} times one operation forward, and no slower than eager with "
        "backward.",
        "",
        *(f"- {line}" for line in missed(cells) or ["nothing"]),
        "",
        "## Over all formulas",
        "",
        "Copy is the median; ratios are geometric means, with the least in brackets.",
        "",
        *_summary(cells),
        "",
        "## Formula by formula",
        "",
    ]
    for name in dict.fromkeys(row[0] for row in cells.rows()):
        lines += [f"### {name}", "", f"`{CASES[name].formula}`", "", *_table(cells, name), ""]
    return "\n".join(lines).rstrip() + "\n"


def _summary(cells: Cells) -> list[str]:
    lines = ["| mode | dtype | elements | copy | " + " | ".join(PEERS) + " |"]
    lines.append("|---" * (4 + len(PEERS)) + "|")
    rows = list(cells.rows())
    for mode, dtype, n in sorted({(row[3], row[1], row[2]) for row in rows}):
        alike = [row[4] for row in rows if (row[3], row[1], row[2]) == (mode, dtype, n)]
        shares = statistics.median(map(cells.share, alike))
        texts = []
        for peer in PEERS:
            found = [cell[peer] / cell["symop"] for cell in alike if peer in cell]
            texts.append(f"{geometric(found):.2f} [{min(found):.2f}]" if found else "")
        lines.append(f"| {mode} | {dtype} | {n:,} | {shares:.2f} | " + " | ".join(texts) + " |")
    return lines


def _table(cells: Cells, name: str) -> list[str]:
    lines = ["| mode | dtype | elements | op, us | copy | " + " | ".join(PEERS) + " |"]
    lines.append("|---" * (5 + len(PEERS)) + "|")
    own = [row for row in cells.rows() if row[0] == name]
    for _, dtype, n, mode, cell in sorted(own, key=lambda row: (row[3], row[1], row[2])):
        ratios = [f"{cell[p] / cell['symop']:.2f}" if p in cell else "" for p in PEERS]
        lines.append(
            f"| {mode} | {dtype} | {n:,} | {cell['symop'] * 1e6:.1f} | {cells.share(cell):.2f} | "
            + " | ".join(ratios) + " |"
        )  # fmt: skip
    return lines
