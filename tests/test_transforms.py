"""Ops under every transform of PyTorch, and the matrix in the documentation."""

import pytest

from tests.transforms import DOCUMENT, OPS, REFUSED, TRANSFORMS, document, line, row

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
MATRIX = DOCUMENT.read_text(encoding="utf-8").splitlines()


# What takes long: one or two ops, and all of them among the slow tests.
LONG = {
    "autograd.functional hvp, jacobian": ("multiply_add", "polar"),
    "compile of grad": ("fit_loss",),
    "compile of hessian": ("polar",),
    "compile of jvp": ("polar",),
    "compile of jvp over vjp": ("polar",),
    "compile of vmap": ("multiply_add",),
    "compile of vmap of grad": ("polar",),
    "compile, backward": ("polar", "rms_norm"),
    "compile, dynamic shapes, one graph": ("multiply_add", "rms_norm"),
    "compiled autograd": ("multiply_add", "fit_loss"),
    "deterministic algorithms": ("rms_norm",),
    "jacfwd of hessian": ("multiply_add", "polar"),
    "make_fx": ("fit_loss",),
    "triple backward": ("rms_norm",),
}


@pytest.mark.parametrize("name", LONG)
def test_some_ops_under(name, host):
    cells = row(name, [case for case in OPS if case.name in LONG[name]])
    assert cells == ["pass"] * len(LONG[name])


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.slow] if n in LONG else []) for n in TRANSFORMS]
)
def test_ops_under(name, host):
    cells = row(name)
    print(line(name, cells))
    assert set(cells) == ({"refused"} if name in REFUSED else {"pass"})
    assert line(name, cells) in MATRIX


def test_the_page_holds_all_rows():
    rows = {name: ["refused" if name in REFUSED else "pass"] * len(OPS) for name in TRANSFORMS}
    assert document(rows).splitlines() == MATRIX
