"""What a call launches, on a GPU that is not there."""

import pytest
import torch

import symop

pytest.importorskip("triton")


@pytest.fixture
def compiled(monkeypatch):
    """The calls that go through Triton, which compiles what it does not know."""
    from triton.runtime.jit import JITFunction

    calls = []
    run = JITFunction.run

    def counted(self, *arguments, **named):
        calls.append(self.fn.__name__)
        return run(self, *arguments, **named)

    monkeypatch.setattr(JITFunction, "run", counted)
    return calls


def test_a_call_like_an_earlier_one_launches_what_was_compiled(gpu, compiled):
    op = symop.compile("x*x*0.5", name="half_square", backend="triton")
    x = torch.randn(3000)
    for _ in range(3):
        result = op(x)
    assert compiled == ["half_square_out"]
    assert [launch[:3] for launch in gpu.launches] == [(3, 1, 1)] * 3
    assert gpu.launches[-1][9] is x
    assert gpu.launches[-1][10] is result
    assert gpu.launches[0][11:] == gpu.launches[2][11:] == (3000, 1024)


def test_launches_go_to_the_current_stream(gpu):
    op = symop.compile("x*x*0.25", name="quarter_square", backend="triton")
    x = torch.randn(3000)
    for stream in (7, 7, 8):
        gpu.stream = stream
        op(x)
    assert [launch[3] for launch in gpu.launches] == [7, 7, 8]


def test_tensors_that_begin_elsewhere_have_a_kernel_of_their_own(gpu, compiled):
    op = symop.compile("x*x*3", name="three_squares", backend="triton")
    whole = torch.randn(3001)
    for x in (whole[:3000], whole[1:], whole[:3000], whole[1:]):
        op(x)
    assert compiled == ["three_squares_out"] * 2
    functions = [launch[4] for launch in gpu.launches]
    assert len(functions) == 4


def test_whoever_watches_launches_is_told(gpu, compiled):
    from triton import knobs

    op = symop.compile("x*x*5", name="five_squares", backend="triton")
    x = torch.randn(3000)
    op(x)
    seen = []
    knobs.runtime.launch_enter_hook.add(seen.append)
    try:
        op(x)
    finally:
        knobs.runtime.launch_enter_hook.remove(seen.append)
    op(x)
    assert compiled == ["five_squares_out"] * 2
    # The driver is to tell them; it is given the hooks.
    assert gpu.launches[1][7] is knobs.runtime.launch_enter_hook
    assert gpu.launches[2][7] is None


def test_backward_launches_what_was_compiled(gpu, compiled):
    op = symop.compile("w*x", name="scaled_x", backend="triton")
    w, x = torch.tensor(2.0, requires_grad=True), torch.randn(9000, requires_grad=True)
    for _ in range(3):
        op(w, x).sum().backward()
    assert len(compiled) == 2
    assert len(gpu.launches) == 6
    counters = gpu.launches[-1][-3]
    assert counters.dtype == torch.int32
    assert not counters.any()


def test_a_kernel_that_does_not_compile_is_shown(gpu, monkeypatch):
    monkeypatch.setattr(
        "symop.backends.triton_math.call", lambda name, values, is_double: f"tl.no_{name}(x)"
    )
    x = torch.randn(9)
    with pytest.raises(symop.SymopError) as error:
        symop.compile("exp(x)", name="broken_exp", backend="triton")(x)
    for part in ("broken_exp_out", "out = exp(x)", "tl.no_exp(x)", "@triton.jit"):
        assert part in str(error.value)
