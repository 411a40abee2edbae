"""Ops under every transform of PyTorch, and the matrix in the documentation."""

import pytest

from tests.transforms import DOCUMENT, OPS, REFUSED, TRANSFORMS, document, line, row

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
MATRIX = DOCUMENT.read_text(encoding="utf-8").splitlines()


# What the compiler takes long for: two ops, and all of them among the slow tests.
LONG = {
    "compile of hessian",
    "compile of jvp over vjp",
    "compile of vmap",
    "compile of vmap of grad",
}


@pytest.mark.parametrize("name", sorted(LONG))
def test_some_ops_under(name, host):
    assert set(row(name, OPS[1:3])) == {"pass"}


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
