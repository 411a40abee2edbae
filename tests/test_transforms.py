"""Ops under every transform of PyTorch, and the matrix in the documentation."""

import pytest

from tests.transforms import DOCUMENT, OPS, REFUSED, TRANSFORMS, document, line, row

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
MATRIX = DOCUMENT.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("name", TRANSFORMS)
def test_ops_under(name, host):
    cells = row(name)
    print(line(name, cells))
    assert set(cells) == ({"refused"} if name in REFUSED else {"pass"})
    assert line(name, cells) in MATRIX


def test_the_page_holds_all_rows():
    rows = {name: ["refused" if name in REFUSED else "pass"] * len(OPS) for name in TRANSFORMS}
    assert document(rows).splitlines() == MATRIX
