"""Blocks that are timed: which runs, what is remembered, and what happens when that fails."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

import symop
from symop import cache, tiling, tuning
from symop.errors import BuildError
from symop.tuning import Key, fastest, size_class, tuned

KEY = Key("def kernel(): ...", "a device", "3.9.0", "8")
NAMES = ("1024, 4 warps", "2048, 4 warps", "512, 4 warps")
TIMES = dict(zip(NAMES, (3.0, 1.0, 2.0), strict=True))
LARGE = 70_000


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    monkeypatch.setenv("SYMOP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(tuning, "_known", {})
    return tmp_path / "cache"


@pytest.fixture
def timed(gpu, monkeypatch):
    """The blocks that were timed, on a device where blocks of 2,048 are the fastest."""
    found = []

    def milliseconds(run):
        run()
        found.append(gpu.launches[-1][-1])
        return abs(found[-1] - 2048) + 1.0

    monkeypatch.setenv("SYMOP_AUTOTUNE", "1")
    monkeypatch.setattr(tuning, "milliseconds", milliseconds)
    monkeypatch.setattr(tuning, "device_name", lambda device: "a device")
    return found


def half_square():
    return symop.compile("x*x*0.5", name="half_square", backend="triton")


def test_the_fastest_runs_and_is_timed_once(gpu, timed):
    op, x = half_square(), torch.ones(LARGE)
    op(x)
    assert timed == [1024, 2048, 512, 2048, 4096, 512]
    assert gpu.launches[-1][-1] == 2048
    gpu.launches.clear()
    op(x)
    assert len(timed) == 6
    assert [launch[-1] for launch in gpu.launches] == [2048]
    # As many programs as blocks of that size.
    assert gpu.launches[0][0] == -(-LARGE // 2048)


def test_another_process_remembers(gpu, timed):
    half_square()(torch.ones(LARGE))
    timed.clear()
    tuning._known.clear()
    half_square()(torch.ones(LARGE + 1000))
    assert not timed
    assert gpu.launches[-1][-1] == 2048
    half_square()(torch.ones(LARGE * 8))
    assert timed


def test_nothing_is_timed_unless_that_is_asked(gpu, timed, monkeypatch):
    monkeypatch.delenv("SYMOP_AUTOTUNE")
    half_square()(torch.ones(LARGE))
    assert not timed
    assert [launch[-1] for launch in gpu.launches] == [1024]


def test_what_takes_as_long_as_a_launch_is_not_timed(gpu, timed):
    half_square()(torch.ones(3000))
    assert not timed


def test_gradients_with_sums_are_timed_too(gpu, timed):
    op = symop.compile("w*x", name="scaled", backend="triton")
    w, x = torch.tensor(2.0, requires_grad=True), torch.ones(LARGE, requires_grad=True)
    result = op(w, x)
    timed.clear()
    result.sum().backward()
    assert len(timed) == 6


def test_the_first_candidate_is_what_runs_untimed(gpu, monkeypatch):
    seen = []
    made = tiling.candidates

    def candidates(*given, **named):
        found = made(*given, **named)
        seen.append((tiling.tiling(*given, **named), found))
        return found

    monkeypatch.setenv("SYMOP_AUTOTUNE", "1")
    monkeypatch.setattr("symop.triton_kernels.candidates", candidates)
    monkeypatch.setattr(tuning, "milliseconds", lambda run: 1.0)
    monkeypatch.setattr(tuning, "device_name", lambda device: "a device")
    op = symop.compile("w*x + b", name="affine", backend="triton")
    op(torch.ones(300), torch.ones(400, 300), torch.ones(400, 1))
    op(*(torch.ones(LARGE) for _ in range(3)))
    assert len(seen) == 2
    for untimed, found in seen:
        assert found[0] == untimed
        assert len({cut.block for cut in found}) == len(found) > 3


@pytest.mark.parametrize("change", [{"kernel": "k"}, {"device": "d"}, {"triton": "3.6.0"},
                                    {"sizes": "9"}], ids=str)  # fmt: skip
def test_what_a_choice_belongs_to(change):
    assert fastest(KEY, NAMES, TIMES.__getitem__) == NAMES[1]
    tuning._known.clear()
    assert fastest(KEY, NAMES, lambda name: pytest.fail("timed")) == NAMES[1]
    assert fastest(replace(KEY, **change), NAMES, lambda name: -TIMES[name]) == NAMES[0]
    tuning._known.clear()
    assert fastest(KEY, NAMES, lambda name: pytest.fail("timed")) == NAMES[1]


@pytest.mark.parametrize(
    "text", ["", "[]", '{"best": 3}', '{"best": {"8": 5}}', '{"best": {"8": "gone"}}', "\udcff"]
)
def test_a_file_that_says_nothing_is_written_anew(text):
    path = cache.prepared() / KEY.file
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert fastest(KEY, NAMES, TIMES.__getitem__) == NAMES[1]
    tuning._known.clear()
    assert fastest(KEY, NAMES, lambda name: pytest.fail("timed")) == NAMES[1]


def test_while_another_process_times_the_first_runs(monkeypatch):
    monkeypatch.setattr(tuning, "_PATIENCE", 0.0)
    with cache.lock(cache.prepared() / "tuned.lock"):
        assert fastest(KEY, NAMES, lambda name: pytest.fail("timed")) == NAMES[0]
    assert not (cache.folder() / KEY.file).exists()


def test_without_a_folder_a_choice_lives_as_long_as_the_process(folder):
    folder.write_text("no folder")
    assert fastest(KEY, NAMES, TIMES.__getitem__) == NAMES[1]
    assert fastest(KEY, NAMES, lambda name: pytest.fail("timed")) == NAMES[1]


def test_files_are_those_of_the_cache():
    fastest(KEY, NAMES, TIMES.__getitem__)
    assert {p.name for p in cache.files()} == {KEY.file, "tuned.lock"}


def ran(monkeypatch, broken=(), busy=()):
    """What three calls run, where some kernels are refused, or a graph is captured."""
    monkeypatch.setattr(tuning, "milliseconds", lambda run: run() or 1.0)
    done = []

    def step(name, *, is_trial):
        def run(values):
            if is_trial and name in broken:
                raise BuildError("refused")
            done.append(name if not is_trial else f"try {name}")

        return run

    states = iter(busy)
    trials = {name: step(name, is_trial=True) for name in "abc"}
    steps = {name: step(name, is_trial=False) for name in "abc"}
    run = tuned(KEY, trials, steps, lambda: next(states, False))
    for _ in range(3):
        run([])
    return done


def test_a_kernel_that_is_refused_is_not_chosen(monkeypatch):
    assert ran(monkeypatch, broken="ab") == ["try c", "c", "c", "c"]


def test_where_all_are_refused_the_first_says_so(monkeypatch):
    assert ran(monkeypatch, broken="abc") == ["a"] * 3


def test_nothing_is_timed_while_a_graph_is_captured(monkeypatch):
    assert ran(monkeypatch, busy=[True]) == ["a", "try a", "try b", "try c", "a", "a"]


def test_sizes_of_one_class():
    assert size_class((1 << 20,)) == size_class(((1 << 21) - 1,)) == "10"
    assert size_class((1 << 20,)) != size_class((1 << 22,))
    assert size_class((70, 40)) == "3x3"
