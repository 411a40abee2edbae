"""What only a GPU has: graphs, streams, several devices."""

import pytest
import torch

from tests.interpreted import cases
from tests.interpreted.cases import CASES, compare, drawn, op

SHAPES = {
    "e6": [(5000,), (5000,)],
    "e7": [(), (), (5000,), (), (), (5000,)],
}


@pytest.fixture(autouse=True)
def _on_a_gpu(device):
    if device == "cpu":
        pytest.skip("there is no GPU here")


def gradients(function, values):
    result = function(*values)
    return [result, *torch.autograd.grad(result, values, torch.ones_like(result))]


def check(name, values, found):
    wide = [v.detach().double().requires_grad_() for v in values]
    for a, b in zip(found, gradients(CASES[name][1], wide), strict=True):
        compare(a, b, torch.float32)


@pytest.mark.parametrize("name", SHAPES)
def test_a_graph_captures_value_and_gradients(name):
    values = [v.requires_grad_() for v in drawn(name, SHAPES[name], torch.float32)]
    made, side = op(name), torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            gradients(made, values)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        found = gradients(made, values)
    for seed in (1, 2):
        with torch.no_grad():
            for value, other in zip(
                values, drawn(name, SHAPES[name], torch.float32, seed), strict=True
            ):
                value.copy_(other)
        graph.replay()
        check(name, values, found)


@pytest.mark.parametrize("name", SHAPES)
def test_streams_beside_each_other(name):
    streams = [torch.cuda.Stream() for _ in range(4)]
    given = [
        [v.requires_grad_() for v in drawn(name, SHAPES[name], torch.float32, seed)]
        for seed in range(len(streams))
    ]
    made = op(name)
    torch.cuda.synchronize()
    found = []
    for stream, values in zip(streams, given, strict=True):
        with torch.cuda.stream(stream):
            found.append(gradients(made, values))
    torch.cuda.synchronize()
    for values, results in zip(given, found, strict=True):
        check(name, values, results)


@pytest.mark.parametrize("name", SHAPES)
def test_a_device_that_is_not_the_current_one(name, monkeypatch):
    if torch.cuda.device_count() < 2:
        pytest.skip("there is one GPU here")
    monkeypatch.setattr(cases, "DEVICE", "cuda:1")
    values = [v.requires_grad_() for v in drawn(name, SHAPES[name], torch.float32)]
    found = gradients(op(name), values)
    assert {v.device for v in found} == {torch.device("cuda:1")}
    check(name, values, found)
