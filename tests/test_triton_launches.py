"""What a call launches, on a GPU that is not there."""

import pytest
import torch

import symop
from symop import triton_host

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


@pytest.fixture
def checks(monkeypatch):
    """How often what tells tensors of one kind from others was made."""
    made = []
    check = triton_host.check

    def counted(values):
        made.append(len(values))
        return check(values)

    monkeypatch.setattr(triton_host, "check", counted)
    triton_host._caller.cache_clear()
    yield made
    triton_host._caller.cache_clear()


def test_tensors_of_several_kinds_in_turns(gpu, compiled, checks):
    op = symop.compile("x*x*7", name="seven_squares", backend="triton")
    kinds = [torch.randn(3000), torch.randn(2000), torch.randn(2000, dtype=torch.float64)]
    for _ in range(3):
        for x in kinds:
            assert op(x).dtype == x.dtype
    assert [launch[9].shape[0] for launch in gpu.launches] == [3000, 2000, 2000] * 3
    assert len(compiled) == len(checks) == 3


def test_gradients_are_recorded_after_calls_without(gpu):
    op = symop.compile("x*x*9", name="nine_squares", backend="triton")
    x = torch.randn(3000, requires_grad=True)
    with torch.no_grad():
        assert not any(op(x).requires_grad for _ in range(3))
    assert op(x).requires_grad
    assert not op(x.detach()).requires_grad
    assert op(x).requires_grad


def test_what_kernels_do_not_take_is_seen_after_calls_that_they_take(gpu):
    op = symop.compile("x*2", name="twice", backend="triton")
    plain, turned = torch.randn(8, dtype=torch.complex64).imag, torch.randn(8).to(torch.complex64)
    turned = (turned * 1j).conj().imag
    assert turned.is_neg()
    assert turned.stride() == plain.stride()
    for _ in range(2):
        op(plain)
    count = len(gpu.launches)
    assert torch.equal(op(turned), turned * 2)
    assert torch.equal(torch.func.vmap(op)(plain.unsqueeze(0)), plain.unsqueeze(0) * 2)
    with torch.autograd.forward_ad.dual_level():
        assert torch.equal(op(plain), plain * 2)
    assert len(gpu.launches) == count
    op(plain)
    assert len(gpu.launches) == count + 1


def test_in_a_mode_of_the_thread_the_check_is_made_once_more(gpu, checks):
    op = symop.compile("x*x*11", name="eleven_squares", backend="triton")
    x = torch.randn(3000)
    for _ in range(3):
        op(x)
    with torch.inference_mode():
        for _ in range(3):
            op(x)
    assert len(gpu.launches) == 6
    assert len(checks) == 2


def test_without_a_check_the_look_up_serves(gpu, compiled, monkeypatch):
    monkeypatch.setattr(triton_host, "_GUARDS", None)
    op = symop.compile("x*x*13", name="thirteen_squares", backend="triton")
    x = torch.randn(3000)
    for _ in range(3):
        op(x)
    assert len(compiled) == 1
    assert len(gpu.launches) == 3
