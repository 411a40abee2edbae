"""Strides and broadcasts of kernels: every layout of operands and of cotangents."""

import pytest
import torch

from symop import tiling
from tests.interpreted.cases import agree, drawn
from tests.sampling import mostly_slow

BROADCASTS = {
    "rows": [(40,), (70, 40), (40,)],
    "columns": [(70, 1), (70, 40), (70, 1)],
    "both": [(40,), (70, 40), (70, 1)],
    "scalars": [(), (70, 40), ()],
    "outer": [(70, 1), (40,), ()],
    "middle": [(4, 1, 6), (4, 5, 6), (5, 1)],
    "turned": [(5, 1), (4, 5, 6), (4, 1, 6)],
    "batch": [(5, 6), (4, 5, 6), (4, 1, 1)],
    "stack": [(5, 1), (16, 5, 6), (6,)],
    "stacks": [(16, 1), (20, 3, 16, 6), (3, 1, 6)],
    "four": [(2, 1, 5, 1), (2, 3, 5, 4), (3, 1, 4)],
    "ones": [(1, 1), (1, 1), (1,)],
    "odd": [(41,), (71, 41), (71, 1)],
    "wide": [(600,), (9, 600), (9, 1)],
    "tall": [(3,), (1500, 3), (1500, 1)],
    "none": [(40,), (0, 40), (40,)],
    "empty": [(3, 0), (0,), ()],
}
FEW = ["rows", "columns", "turned", "stack", "stacks", "four", "odd"]


@pytest.mark.parametrize("shapes", BROADCASTS)
def test_broadcasts(shapes):
    agree("e2", drawn("e2", BROADCASTS[shapes], torch.float32))


@pytest.mark.parametrize("most", [1, 4])
@pytest.mark.parametrize("shapes", mostly_slow(BROADCASTS, FEW))
def test_broadcasts_with_few_programs(shapes, most, monkeypatch):
    monkeypatch.setattr(tiling, "_PROGRAMS", most)
    monkeypatch.setattr(tiling, "_block", lambda variant, live: 64)
    agree("e2", drawn("e2", BROADCASTS[shapes], torch.float32))


@pytest.mark.parametrize("shapes", mostly_slow(BROADCASTS, ["both", "batch"]))
def test_second_derivatives_of_broadcasts(shapes):
    agree("e2", drawn("e2", BROADCASTS[shapes], torch.float64), order=2)


def sliced(x):
    wide = x.new_zeros(x.shape[0], 2 * x.shape[1] + 3)
    wide[:, 3::2] = x
    return wide[:, 3::2]


def shifted(x):
    flat = x.new_zeros(x.numel() + 1)
    flat[1:] = x.flatten()
    return flat[1:].view(x.shape)


LAYOUTS = {
    "plain": lambda x: x,
    "turned": lambda x: x.t().contiguous().t(),
    "sliced": sliced,
    "shifted": shifted,
    "cut": lambda x: torch.cat([x, x], 1)[:, : x.shape[1]],
    "rows": lambda x: torch.cat([x, x])[::2],
    "expanded": lambda x: x[:1].expand(x.shape),
    "one": lambda x: x[:1, :1].expand(x.shape),
}


PAIRS = [(first, second) for first in LAYOUTS for second in LAYOUTS]
# Each layout as the first and as the second operand.
RING = list(zip(LAYOUTS, [*LAYOUTS][3:] + [*LAYOUTS][:3], strict=True))


@pytest.mark.parametrize("pair", mostly_slow(PAIRS, RING), ids="-".join)
def test_layouts_of_operands(pair):
    first, second = pair
    a, b = drawn("e6", [(37, 43), (37, 43)], torch.float32)
    agree("e6", [LAYOUTS[first](a), LAYOUTS[second](b)])


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", mostly_slow(["e1", "e2", "e6"], ["e2"]))
def test_layouts_of_cotangents(name, layout):
    shapes = {"e1": [(37, 43)], "e2": [(43,), (37, 43), ()], "e6": [(37, 43)] * 2}[name]
    agree(name, drawn(name, shapes, torch.float32), seed_like=LAYOUTS[layout])


def test_a_cotangent_of_one_number(device):
    agree("e7", drawn("e7", [(), (), (50,), (), (), (50,)], torch.float32))
    x = torch.randn(50, device=device, requires_grad=True)
    agree("e1", [x[3]])


@pytest.mark.parametrize("shapes", mostly_slow(BROADCASTS, FEW))
def test_places_beyond_32_bits(shapes, monkeypatch):
    monkeypatch.setattr(tiling, "_INT32", 100)
    agree("e2", drawn("e2", BROADCASTS[shapes], torch.float32))


def test_places_beyond_32_bits_in_sums(monkeypatch):
    monkeypatch.setattr(tiling, "_INT32", 100)
    agree("e7", drawn("e7", [(), (), (50, 60), (), (), (50, 60)], torch.float32))
