"""Files of ops: what they may say, and that everything else is refused with its key."""

from __future__ import annotations

import re

import pytest

from symop.errors import FileError
from symop.ops_file import read_ops

OPS = '[ops]\ncube = "x**3"\n'


def written(folder, text, name="ops.toml"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def refused(folder, text, name="ops.toml"):
    with pytest.raises(FileError) as caught:
        read_ops(written(folder, text, name))
    return str(caught.value)


def test_shared_values_hold_for_every_op_that_says_nothing_else(tmp_path):
    ops = read_ops(written(tmp_path, """
        out = "src/ops"
        tests = "tests"
        backend = "auto"
        [ops]
        cube = "x**3"
        [ops.affine]
        formula = "y = w*x + b"
        args = ["x", "w", "b"]
        outputs = ["y"]
        backend = ["torch", "cpu"]
        precision = "high"
        out = "other"
        tests = false
    """))  # fmt: skip
    cube, affine = ops.entries.values()
    assert (cube.name, cube.formula, cube.args) == ("cube", "x**3", None)
    assert (cube.backends, cube.precision) == (("auto",), "standard")
    assert cube.folder == tmp_path / "src" / "ops"
    assert cube.tests_folder == tmp_path / "tests"
    assert affine.args == ("x", "w", "b")
    assert affine.outputs == ("y",)
    assert (affine.backends, affine.precision) == (("torch", "cpu"), "high")
    assert (affine.folder, affine.tests_folder) == (tmp_path / "other", None)


@pytest.mark.parametrize(("tests", "folder"), [("", "ops"), ("tests = true", "ops"),
                                               ('tests = "t"', "t")])  # fmt: skip
def test_tests_stand_beside_the_module_unless_a_folder_is_named(tmp_path, tests, folder):
    ops = read_ops(written(tmp_path, f'out = "ops"\n{tests}\n{OPS}'))
    assert ops.entries["cube"].tests_folder == tmp_path / folder


def test_pyproject_holds_the_same_under_tool_symop(tmp_path):
    text = '[project]\nname = "p"\n[tool.symop]\nout = "ops"\n[tool.symop.ops]\ncube = "x**3"\n'
    ops = read_ops(written(tmp_path, text, "pyproject.toml"))
    assert ops.entries["cube"].folder == tmp_path / "ops"


def test_ops_call_each_other_in_any_order(tmp_path):
    text = '[ops]\nthird = "second(x) + first(x)"\nfirst = "x*x"\nsecond = "first(x)*exp(x)"\n'
    ops = read_ops(written(tmp_path, text))
    assert [e.name for e in ops.needed_by("third")] == ["first", "second"]
    assert ops.needed_by("first") == []


def test_an_op_may_be_made_of_the_function_of_its_name(tmp_path):
    ops = read_ops(written(tmp_path, '[ops]\nmish = "mish(x)"\n'))
    assert ops.entries["mish"].calls == ()


@pytest.mark.parametrize(
    ("text", "key", "found", "accepted"),
    [
        ("ops = 3", "ops", "3", "a table of ops"),
        ("[ops]", "ops", "{}", "a table of ops"),
        ("[ops]\ncube = 3", "ops.cube", "3", "a formula such as"),
        ("[ops.cube]\nargs = ['x']", "ops.cube.formula", "None", "a formula such as"),
        ("[ops.cube]\nformula = ''", "ops.cube.formula", "''", "a formula such as"),
        ("[ops.cube]\nformula = 'x'\nargs = 'x'", "ops.cube.args", "'x'", "a list of names"),
        ("[ops.cube]\nformula = 'x'\nargs = [1]", "ops.cube.args", "[1]", "a list of names"),
        ("[ops.cube]\nformula = 'x'\noutputs = []", "ops.cube.outputs", "[]", "a list of names"),
        (f"backend = 'fortran'\n{OPS}", "backend", "'fortran'", '"torch,cpu,triton" or "auto"'),
        (f"backend = 7\n{OPS}", "backend", "7", '"torch,cpu,triton" or "auto"'),
        (f"precision = true\n{OPS}", "precision", "True", '"standard" or "high"'),
        (f"out = 3\n{OPS}", "out", "3", "a folder inside that of the file"),
        (f"out = ''\n{OPS}", "out", "''", "a folder inside that of the file"),
        (f"out = '../../x.py'\n{OPS}", "out", "'../../x.py'", "a folder inside that of the file"),
        (f"out = '/tmp'\n{OPS}", "out", "'/tmp'", "a folder inside that of the file"),
        (f"tests = 'a/../../b'\n{OPS}", "tests", "'a/../../b'", "a folder inside"),
        (f'out = "a\\u0000b"\n{OPS}', "out", r"'a\x00b'", "a folder inside that of the file"),
        (f"out = 2020-01-01\n{OPS}", "out", "datetime.date(2020, 1, 1)", "a folder inside"),
        (f"tests = 0\n{OPS}", "tests", "0", "a folder inside"),
    ],
)  # fmt: skip
def test_what_is_refused_is_named(tmp_path, text, key, found, accepted):
    message = refused(tmp_path, text)
    assert message.startswith(f"{tmp_path / 'ops.toml'}: {key}: {found} was found; ")
    assert accepted in message
    assert message.endswith(" is accepted")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"ouput = 'x'\n{OPS}", "ouput is not known; out, tests, backend, precision and ops are"),
        ("[ops.cube]\nformula = 'x'\nname = 'y'", "ops.cube.name is not known; formula, "),
        ("[ops]\nCube = 'x'", "ops.Cube: 'Cube' cannot name an op"),
        ("[ops]\n'../x' = 'x'", "cannot name an op"),
        ("[ops]\ntorch = 'x'", "hide the module torch"),
        ("[ops]\ncube = 'x'\ncube = 'y'", "is no TOML: Cannot overwrite a value"),
        ("[ops]\na = 'b(x)'\nb = 'c(x)'\nc = 'a(x)'", "a -> b -> c -> a is a circle"),
        ("[ops]\ncube = 'x**3'\ntest_cube = 'x'", "both write"),
        ("x = ", "is no TOML"),
        ("", "ops: {} was found"),
        ("a = " + "[" * 100_000, "is no TOML"),
        (b"[ops]\ncube = '\xff'", "line 2 is no UTF-8"),
    ],
)
def test_other_faults_are_named(tmp_path, text, said):
    assert said in refused(tmp_path, text)


def test_everything_that_is_refused_is_said_at_once(tmp_path):
    message = refused(tmp_path, "out = 3\nbackend = 4\n[ops]\na = 5\nb = 'x'\n")
    assert [line.split(": ")[1] for line in message.splitlines()] == ["ops.a", "out", "backend"]


def test_a_pyproject_without_the_table_is_refused(tmp_path):
    assert "no table [tool.symop]" in refused(tmp_path, "[tool.other]", "pyproject.toml")
    message = refused(tmp_path, "tool = {symop = 3}", "pyproject.toml")
    assert re.search(r"3 was found; a table is accepted", message)


def test_links_do_not_lead_out_of_the_project(tmp_path):
    project = tmp_path / "project"
    project.mkdir()
    (project / "ops").symlink_to(tmp_path)
    assert "a folder inside" in refused(project, f'out = "ops"\n{OPS}')


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileError, match="symop init"):
        read_ops(tmp_path / "none.toml")


def test_long_values_are_cut_and_steer_no_terminal(tmp_path):
    message = refused(tmp_path, f'out = "\\u001b[31m{"a" * 500}"\nbackend = "{"b" * 500}"\n{OPS}')
    assert "\x1b" not in message
    assert max(len(line) for line in message.replace(str(tmp_path), "").splitlines()) < 250
