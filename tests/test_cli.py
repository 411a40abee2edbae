"""The command line: exit codes, what goes to which stream, and what it does not believe."""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

import symop
from symop.cli import COMMANDS, app
from symop.cli.output import say_json
from tests.work import calls

ROOT = Path(__file__).parent.parent
HOSTILE = json.loads((ROOT / "tests" / "data" / "hostile_inputs.json").read_text())["entries"]
P3 = "0.5*(5*x**3-3*x)"


def invoke(*arguments, given=None):
    return CliRunner().invoke(app, list(arguments), input=given)


def process(*arguments, folder=ROOT, given="", **variables):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100", **variables}
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "symop", *arguments],
        cwd=folder, env=environment, input=given, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip


def text_of(entry):
    if isinstance(entry["input"], dict):
        return "".join(piece * count for piece, count in entry["input"]["repeat"])
    return entry["input"]


# Help and versions

# What takes long to import.
LARGE = ("torch", "sympy", "numpy", "jinja2", "rich")


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)])
def test_help_documents_the_exit_codes(command):
    result = invoke(*command, "--help")
    assert result.exit_code == 0
    words = " ".join(result.output.split())
    assert "Exit codes: 0 all is well 1 a file is not what would be written" in words
    assert "2 a formula, a name, a file or an option is refused" in words
    assert "130 interrupted" in words


def test_help_waits_neither_for_torch_nor_for_sympy():
    result = process("--help")
    assert result.returncode == 0
    assert "generate" in result.stdout
    assert result.stderr == ""
    listed = subprocess.run([sys.executable, "-X", "importtime", "-m", "symop", "--help"], cwd=ROOT,
                            capture_output=True, text=True, check=True)  # fmt: skip
    imported = {line.rpartition("|")[2].strip() for line in listed.stderr.splitlines()}
    assert "click" in imported
    assert not imported & set(LARGE)


def test_the_command_imports_nothing_large():
    script = f"import symop.cli, sys; print([m for m in {LARGE} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True,
                           text=True, check=True)  # fmt: skip
    assert found.stdout.strip() == "[]"


def test_version_names_symop_torch_and_python():
    result = invoke("--version")
    assert result.exit_code == 0
    python = ".".join(map(str, sys.version_info[:3]))
    expected = rf"symop {re.escape(symop.__version__)}, torch \d+\.\d+\S*, Python {python}"
    first, triton, compiler = result.stdout.splitlines()
    assert re.fullmatch(expected, first)
    assert re.fullmatch(r"triton: (\d+\.\d+\S*|not installed)", triton)
    assert compiler.startswith("compiler: ")


# Colours, streams, completion


def on_a_terminal(*arguments, folder=ROOT, **variables):
    """What a command writes to a terminal."""
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", **variables}
    done = subprocess.Popen([sys.executable, "-m", "symop", *arguments], cwd=folder, stdin=theirs,
                            stdout=theirs, stderr=theirs, env=environment)  # fmt: skip
    os.close(theirs)
    pieces = []
    # Linux says EIO, others nothing, when the other end is closed.
    with contextlib.suppress(OSError):
        while piece := os.read(ours, 10_000):
            pieces.append(piece)
    os.close(ours)
    return done.wait(60), b"".join(pieces).decode()


def test_a_terminal_shows_the_caret_in_colour_unless_it_must_not():
    code, shown = on_a_terminal("show", "sine(x)", NO_COLOR="")
    assert code == 2
    assert "\x1b[1;31m    ^^^^^^^" in shown
    code, shown = on_a_terminal("show", "sine(x)", NO_COLOR="1")
    assert code == 2
    assert "31m" not in shown
    assert "    ^^^^^^^" in shown


@pytest.mark.slow
def test_a_terminal_shows_a_difference_in_colour(tmp_path):
    command = ["generate", "x*y", "--name", "product", "--out", str(tmp_path), "--check"]
    assert "\x1b[32m+def product(" in on_a_terminal(*command, NO_COLOR="")[1]
    assert "\x1b[3" not in on_a_terminal(*command, NO_COLOR="1")[1]
    assert "\x1b" not in process(*command).stdout


def test_a_reader_that_leaves_early_is_no_fault():
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "symop", "show", "--source", P3]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as shown:
        shown.stdout.close()
        assert shown.stderr.read() == b""
    assert shown.returncode == 0


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(shell):
    result = invoke("completion", shell)
    assert result.exit_code == 0
    assert f"_SYMOP_COMPLETE={shell}_complete" in result.stdout


@pytest.mark.parametrize(
    ("words", "expected"), [("symop ge", "generate"), ("symop show --la", "--latex")]
)
def test_completion_completes(words, expected):
    found = process(_SYMOP_COMPLETE="bash_complete", COMP_WORDS=words,
                    COMP_CWORD=str(len(words.split()) - 1))  # fmt: skip
    assert found.returncode == 0
    assert found.stdout.split() == [f"plain,{expected}"]


def test_a_fault_of_symop_itself_is_told_from_a_refusal(monkeypatch):
    import symop.showing

    monkeypatch.setattr(symop.showing, "show_text", lambda *_, **__: 1 / 0)
    result = invoke("show", "x")
    assert result.exit_code == 3
    assert "ZeroDivisionError" in result.stderr
    assert "please report it" in result.stderr


# generate


def test_generate_writes_a_module_and_its_test(tmp_path):
    result = invoke("generate", P3, "--name", "legendre_p3", "--out", str(tmp_path / "new"))
    assert result.exit_code == 0, result.output
    written = tmp_path / "new" / "legendre_p3.py", tmp_path / "new" / "test_legendre_p3.py"
    assert result.stdout.split() == [str(p) for p in written]
    files = symop.generate(P3, name="legendre_p3").files
    assert [p.read_text() for p in written] == list(files.values())


def test_generate_takes_orders_outputs_and_folders(tmp_path):
    result = invoke(
        "generate", "h = w*x; y = h + b", "--name", "two", "--out", str(tmp_path / "src"),
        "--tests", str(tmp_path / "tests"), "--args", "x, w,b", "--outputs", "y,h",
        "--backend", "torch",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    text = (tmp_path / "src" / "two.py").read_text()
    assert re.search(r"def two\(\s*x: Tensor", text)
    assert (tmp_path / "tests" / "test_two.py").exists()
    assert not (tmp_path / "src" / "test_two.py").exists()


def test_generate_without_tests_writes_the_module_only(tmp_path):
    assert invoke("generate", "x*y", "--name", "product", "--out", str(tmp_path),
                  "--no-tests").exit_code == 0  # fmt: skip
    assert [p.name for p in tmp_path.iterdir()] == ["product.py"]


def test_generate_with_loops_in_c(tmp_path):
    command = ["generate", P3, "--name", "p3", "--out", str(tmp_path)]
    assert invoke(*command, "--backend", "torch,cpu").exit_code == 0
    files = symop.generate(P3, name="p3", backends=("torch", "cpu")).files
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == files
    same = invoke(*command, "--backend", "torch, cpu", "--check")
    assert (same.exit_code, same.output) == (0, "")
    assert invoke(*command, "--check").exit_code == 1
    assert invoke(*command, "--backend", "auto", "--check").exit_code == 1
    assert invoke(*command, "--backend", "auto").exit_code == 0
    assert invoke(*command, "--backend", "torch,cpu,triton", "--check").exit_code == 0


def test_generate_says_why_a_module_has_no_loops(tmp_path):
    command = ["generate", "softmax(x, -1)", "--name", "soft", "--out", str(tmp_path)]
    result = invoke(*command, "--backend", "auto", "--no-tests")
    assert result.exit_code == 0
    assert result.stdout.split() == [str(tmp_path / "soft.py")]
    assert result.stderr.startswith("symop: soft: ")
    assert result.stderr.count("\n") == 1
    assert invoke(*command, "--no-tests", "--check").exit_code == 0


def test_check_writes_nothing_and_tells_the_difference(tmp_path):
    command = ["generate", "x*y", "--name", "product", "--out", str(tmp_path), "--no-tests"]
    missing = invoke(*command, "--check")
    assert missing.exit_code == 1
    assert list(tmp_path.iterdir()) == []
    assert "+def product(" in missing.stdout
    assert invoke(*command).exit_code == 0
    same = invoke(*command, "--check")
    assert (same.exit_code, same.output) == (0, "")
    path = tmp_path / "product.py"
    changed = path.read_text().replace("x * y", "y * x")
    path.write_text(changed)
    other = invoke(*command, "--check")
    assert other.exit_code == 1
    lines = other.stdout.splitlines()
    assert lines[0] == f"--- {path}"
    assert any(line.startswith("-") and "y * x" in line for line in lines)
    assert any(line.startswith("+") and "x * y" in line for line in lines)
    assert path.read_text() == changed


def test_a_file_of_someone_else_is_kept(tmp_path):
    path = tmp_path / "product.py"
    path.write_text("mine = 1\n")
    command = ["generate", "x*y", "--name", "product", "--out", str(tmp_path), "--no-tests"]
    result = invoke(*command)
    assert result.exit_code == 2
    assert "not written by symop" in result.stderr
    assert result.stdout == ""
    assert path.read_text() == "mine = 1\n"
    assert invoke(*command, "--force").exit_code == 0
    assert "class Product" in path.read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["x*y", "--name", "Product"], "product"),
        (["x*y", "--name", "torch"], "torch_op"),
        (["x*y", "--name", "../up"], "lower snake case"),
        (["x*y", "--name", "f", "--backend", "fortran"], "fortran"),
        (["x*y", "--name", "f", "--backend", "cpu"], "torch,cpu"),
        (["zeta(0.5, x)", "--name", "f", "--backend", "torch,cpu"], "zeta has no form in C"),
        (["softmax(x)", "--name", "f", "--backend", "torch,cpu"], "amax is no sum"),
        (["x*y", "--name", "f", "--tests", "t", "--no-tests"], "one of the two"),
        (["x*y", "--name", "f", "--args", "x"], "y"),
        (["x*y", "--name", "f", "--out", "/dev/null/below"], "below"),
    ],
)
def test_generate_refuses_in_one_message(tmp_path, arguments, said):
    if "--out" not in arguments:
        arguments = [*arguments, "--out", str(tmp_path)]
    result = invoke("generate", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.output
    assert result.stdout == ""
    assert list(tmp_path.iterdir()) == []


# show


def test_show_prints_gradients_and_costs():
    result = invoke("show", "w*x + b")
    assert result.exit_code == 0
    assert result.stderr == ""
    for piece in ("grad_w = ", "saved for the gradients", "not saved", "operations"):
        assert piece in result.stdout


@pytest.mark.parametrize("formula", ["-x", "-exp(x)", "-x*y - 1", "-(x)", "-x; ", "-o"])
@pytest.mark.parametrize("dashes", [[], ["--"]])
def test_formulas_may_begin_with_a_minus_sign(formula, dashes):
    result = invoke("show", *dashes, formula)
    assert result.exit_code == 0, result.output
    assert "formula" in result.stdout


@pytest.mark.parametrize(
    "formula", ["h = 2*x\ny = h*h", "h = 2*x; y = h*h", "h = 2*x\r\ny = h*h\r\n"]
)
def test_programs_are_read_from_the_argument_and_from_standard_input(formula):
    direct = invoke("show", "--steps", formula)
    piped = invoke("show", "--steps", "-", given=formula)
    assert direct.exit_code == piped.exit_code == 0, direct.output
    assert direct.stdout == piped.stdout
    assert "through y = h" in direct.stdout


def test_show_source_is_the_module():
    assert invoke("show", P3, "--source").stdout == symop.compile(P3).source


def test_show_steps_answers_the_two_layers():
    stdout = invoke("show", "--steps", "h = w1*x + b1; y = w2*h + b2").stdout
    assert "grad_h = grad_y·w2" in stdout
    assert "grad_w1 = grad_h·x" in stdout


def test_show_latex():
    pytest.importorskip("symop.symbolic")
    assert r"\frac{\partial \mathrm{out}}{\partial x}" in invoke("show", "x**2", "--latex").stdout


def test_show_refuses_two_kinds_of_output():
    result = invoke("show", "x", "--source", "--steps")
    assert result.exit_code == 2
    assert "one of them" in result.stderr


def test_output_without_unicode_and_terminal_is_plain_ascii():
    plain = process("show", "sum(x**2)", PYTHONIOENCODING="ascii").stdout
    assert plain.isascii()
    assert "x**2" in plain
    rich = process("show", "sum(x**2)", PYTHONIOENCODING="utf-8", FORCE_COLOR="").stdout
    assert "Σ(x²)" not in plain
    assert "sum⎝x ⎠" in rich
    assert "\x1b" not in plain + rich


def test_show_as_json():
    found = json.loads(invoke("show", "w*x + b", "--json").stdout)
    assert found["arguments"] == ["w", "x", "b"]
    assert found["gradients"][0] == "grad_w = sum(grad_out*x)"
    assert [entry["name"] for entry in found["saved"]] == ["w", "x"]
    assert found["fused"]["forward_bytes"] == 16
    assert found["rewrites"] == []


def test_show_mathml_is_xml():
    pytest.importorskip("docutils")
    text = invoke("show", "x**2", "--mathml").stdout
    assert ElementTree.fromstring(text).tag == "{http://www.w3.org/1998/Math/MathML}math"


# Refusals


def test_a_fault_is_shown_with_its_caret_and_no_markup():
    result = process("show", "y[/red] + [bold]foo(x")
    assert result.returncode == 2
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert "\x1b" not in result.stderr
    lines = result.stderr.splitlines()
    assert lines[0].startswith("symop: ")
    assert lines[1] == "    y[/red] + [bold]foo(x"
    assert lines[2].strip(" ^") == ""
    assert "^" in lines[2]


def test_several_faults_are_reported_together():
    result = invoke("show", "sine(x) + logg(y)")
    assert result.exit_code == 2
    assert result.stderr.count("^") >= 2
    assert "sin" in result.stderr


def test_long_messages_are_not_wrapped_by_the_terminal_width():
    result = process("show", "x + " * 12 + "foo(y)", COLUMNS="40")
    assert result.stderr.splitlines()[1] == "    " + "x + " * 12 + "foo(y)"


@pytest.mark.parametrize(
    "entry", [e for e in HOSTILE if e["target"] == "expr"], ids=lambda e: e["id"]
)
def test_hostile_formulas_end_in_a_message(entry):
    text = text_of(entry)
    # The first formula of a process reads the tables too.
    invoke("show", "x")
    result = None

    def show():
        nonlocal result
        result = invoke("show", "--", text) if text != "-" else invoke("show", "-", given=text)

    assert calls(show) < 2_000_000 + 100 * len(text)
    assert isinstance(result.exception, SystemExit | None)
    if entry["verdict"] == "reject":
        assert result.exit_code == 2
        assert result.stdout == ""
    assert result.exit_code in (0, 2)
    if result.exit_code:
        assert result.stderr.startswith("symop: ")


def test_bytes_that_are_no_text_are_refused():
    result = CliRunner().invoke(app, ["show", "-"], input=b"x + \xff\xfe")
    assert result.exit_code == 2
    assert "cannot stand in a formula" in result.stderr


def test_endless_input_is_read_to_a_bound():
    result = invoke("show", "-", given="x + " * 1_000_000)
    assert result.exit_code == 2
    assert "characters" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", "x", "--latx"], "--latex"),
        (["show", "x", "y"], "unexpected extra argument"),
        (["generate", "x", "--out", "o"], "--name"),
        (["shew", "x"], "Did you mean 'show'?"),
        (["shew", "x"], "`symop --help` says what is accepted"),
        (["show", "x", "--latx"], "`symop show --help` says what is accepted"),
        (["generate"], "`symop init` writes a file of ops"),
        (["generate", "x", "--from", "ops.toml"], "FORMULA cannot be given with --from"),
        (["generate", "--from", "o", "--out", "p"], "--out cannot be given with --from"),
        (["generate", "x", "--name", "f"], "--out"),
        (["generate", "x", "--name", "f", "--out", "o", "--json"], "goes with --check"),
        (["inspect", "x"], "--target"),
        (["inspect", "x", "--target", "cuda:9x"], "Targets are cuda:80"),
        (["inspect", "x", "--target", "cuda:90", "--shape", "x"], "write NAME=4096x1024"),
        (["inspect", "x", "--target", "cuda:90", "--asm", "--json"], "one of them"),
        (["completion", "csh"], "'bash', 'zsh', 'fish'"),
        (["bench", "x", "--sizes", "ten"], "no whole number"),
        (["bench", "x", "--sizes", "1e30"], "no whole number"),
        (["bench", "x", "--sizes", ","], "one number or more"),
        (
            ["bench", "x", "--peers", "numpy"],
            "of eager, function, compile, autotune, jax any are accepted",
        ),
        (["bench", "x", "--scalars", "y"], "y was found; of x any are accepted"),
        (["bench", "x", "--dtypes", ""], "--dtypes: no name was found"),
        (["bench", "x", "--modes", ","], "--modes: no name was found"),
        (["bench", "x", "--peers", ""], "--peers: no name was found"),
        (["bench", "x**2", "--fixed", "x"], "leave one out of --fixed"),
        (["plot", "x", "-o", "x.bmp"], ".png, .svg, .pdf are accepted"),
        (["plot", "x", "-o", "x"], ".png, .svg, .pdf are accepted"),
        (["plot", "x", "-o", "."], ".png, .svg, .pdf are accepted"),
        (["report", "x", "-o", "."], ".html or .htm is expected"),
        (["report", "x", "-o", "x.txt"], ".html or .htm is expected"),
        (["show"], "FORMULA"),
    ],
)
def test_wrong_usage_is_explained(arguments, said):
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stdout == ""


def test_without_a_command_the_help_stands_alone():
    result = invoke()
    assert result.exit_code == 2
    assert result.stderr.startswith("Usage: symop ")
    assert result.stdout == ""


def test_messages_do_not_steer_the_terminal(tmp_path):
    result = invoke("check", f"{tmp_path}/\x1b[31m.py")
    assert result.exit_code == 2
    assert "\x1b" not in result.stderr
    assert "\\x1b" in result.stderr


# check


def test_check_prints_a_table():
    result = invoke("check", "w*x + b")
    assert result.exit_code == 0, result.output
    assert "gradgradcheck" in result.stdout
    assert "median" in result.stdout


def test_check_reads_a_generated_file_and_exits_1_when_it_is_wrong(tmp_path):
    invoke("generate", P3, "--name", "legendre_p3", "--out", str(tmp_path), "--no-tests")
    path = tmp_path / "legendre_p3.py"
    assert invoke("check", str(path)).exit_code == 0
    path.write_text(path.read_text().replace("7.5 * x**2 - 1.5", "7.5 * x**2 + 1.5"))
    wrong = process("check", str(path))
    assert wrong.returncode == 1
    assert wrong.stderr == ""
    assert "DOES NOT HOLD" in wrong.stdout


def test_check_refuses_other_files(tmp_path):
    path = tmp_path / "other.py"
    path.write_text("raise SystemExit(0)\n")
    result = invoke("check", str(path))
    assert result.exit_code == 2
    assert "generated" in result.stderr


def test_check_as_json_and_quiet(tmp_path):
    found = json.loads(invoke("check", "x*y", "--json").stdout)
    assert found["holds"] is True
    assert {a["quantity"] for a in found["accuracies"]} >= {"out", "d out / d x"}
    quiet = invoke("check", "x*y", "--quiet")
    assert (quiet.exit_code, quiet.output) == (0, "")
    invoke("generate", P3, "--name", "legendre_p3", "--out", str(tmp_path), "--no-tests")
    path = tmp_path / "legendre_p3.py"
    path.write_text(path.read_text().replace("7.5 * x**2 - 1.5", "7.5 * x**2 + 1.5"))
    wrong = invoke("check", str(path), "--json")
    assert wrong.exit_code == 1
    assert json.loads(wrong.stdout)["holds"] is False


def test_what_is_no_number_in_json_is_null(capsys):
    say_json({"a": [math.inf, (math.nan, 1.5)], "b": {"c": -math.inf}})
    found = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert found == {"a": [None, [None, 1.5]], "b": {"c": None}}


# init


def test_init_writes_files_that_generate_accepts(tmp_path):
    result = process("init", folder=tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stdout == (
        "ops.toml\nops/gated.py\ntests/test_gated.py\n\nNext: edit ops.toml, then\n"
        "  symop generate --from ops.toml\n  python -m pytest tests\n"
    )
    text = (tmp_path / "ops.toml").read_text()
    assert process("generate", "--from", "ops.toml", "--check", folder=tmp_path).returncode == 0
    # What stands in comments is accepted too.
    more = re.sub(r"^# (\[ops\.affine\]|[a-z]+ = )", r"\1", text, flags=re.M)
    assert more.count("# ") < text.count("# ") - 4
    (tmp_path / "ops.toml").write_text(more.replace('name = "formula"; ', "# "))
    done = process("generate", "--from", "ops.toml", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "ops/affine.py" in done.stdout
    (tmp_path / "ops.toml").write_text("mine")
    again = process("init", folder=tmp_path)
    assert again.returncode == 2
    assert "is there already" in again.stderr
    assert (tmp_path / "ops.toml").read_text() == "mine"
    assert process("init", "--force", "--quiet", folder=tmp_path).stdout == ""
    assert (tmp_path / "ops.toml").read_text() == text


def test_init_leaves_nothing_behind_when_it_is_refused(tmp_path):
    (tmp_path / "ops").mkdir()
    (tmp_path / "ops" / "gated.py").write_text("mine = 1\n")
    result = invoke("init", str(tmp_path))
    assert result.exit_code == 2
    assert "not written by symop" in result.stderr
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["gated.py", "ops"]


# bench


def test_bench_prints_ratios(monkeypatch):
    monkeypatch.setenv("SYMOP_HOST", "python")
    result = invoke(
        "bench", "x*y", "--sizes", "1,1e3", "--peers", "eager,function", "--rounds", "3"
    )
    assert result.exit_code == 0, result.output
    head, *rows = result.stdout.splitlines()
    assert head.split() == ["mode", "dtype", "elements", "threads", "op,", "us", "eager",
                            "function"]  # fmt: skip
    assert [row.split()[:4] for row in rows] == [
        [mode, "float32", size, "1"] for size in ("1", "1,000") for mode in ("forward", "both")
    ]
    assert all(float(cell) > 0 for row in rows for cell in row.split()[4:])


def test_bench_as_json_has_the_cells_of_the_benchmarks(monkeypatch):
    monkeypatch.setenv("SYMOP_HOST", "python")
    result = invoke(
        "bench", "a*x", "--sizes", "10", "--peers", "eager,jax", "--rounds", "3", "--modes", "both",
        "--dtypes", "float64,bfloat16", "--scalars", "a", "--fixed", "x", "--json",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    cells = found["cells"]
    assert list(cells) == ["out = a*x|float64|10|1|both", "out = a*x|bfloat16|10|1|both"]
    assert all({"symop", "eager"} <= set(cell) for cell in cells.values())
    assert found["spreads"].keys() == cells.keys()
    assert isinstance(found["noisy"], list)
    if "jax" not in cells["out = a*x|float64|10|1|both"]:
        assert "jax is left out: CallError: JAX is not installed" in found["notes"][0]


# inspect


def test_inspect_prints_a_table_and_json():
    pytest.importorskip("triton")
    command = ["inspect", "x*w", "--target", "cuda:90", "--wanted", "x", "--shape", "w="]
    table = invoke(*command)
    assert table.exit_code == 0, table.output
    assert table.stdout.startswith("op on cuda:90, float32: bytes and instructions per element")
    assert [line.split()[:2] for line in table.stdout.splitlines()[2:]] == [
        ["forward", "out"], ["backward", "grad_x"]
    ]  # fmt: skip
    found = json.loads(invoke(*command, "--json").stdout)
    assert [kernel["pass"] for kernel in found["kernels"]] == ["forward", "backward"]


# The folder that the user stands in


@pytest.mark.slow
def test_files_of_the_current_folder_are_not_imported(tmp_path):
    for module in ("torch", "sympy", "click", "rich", "jinja2", "mpmath"):
        (tmp_path / f"{module}.py").write_text("raise SystemError('imported')\n")
    result = process("check", "x*y", folder=tmp_path)
    assert result.returncode == 0, result.stderr
    script = (
        f"import sys; sys.path.insert(0, ''); sys.path.insert(1, {str(ROOT)!r})\n"
        "sys.argv = ['symop', '--version']\n"
        "from symop.__main__ import main\n"
        "main()\n"
    )
    entry = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert entry.returncode == 0, entry.stderr


# The cache


def test_cache_shows_and_clears_what_symop_keeps(tmp_path, monkeypatch):
    monkeypatch.setenv("SYMOP_CACHE", str(tmp_path / "kernels"))
    monkeypatch.setenv("SYMOP_HOST", "python")
    assert "kernels:   0" in invoke("cache").stdout
    op = symop.compile("7.25*x + 1", backend="cpu")
    import torch

    op(torch.ones(3))
    other = tmp_path / "kernels" / "mine.txt"
    other.write_text("not a kernel")
    shown = invoke("cache").stdout
    assert str(tmp_path / "kernels") in shown
    # The kernel, and what runs the loops of all kernels if no other test has loaded it.
    assert re.search(r"kernels:   [12]\n", shown)
    assert "files removed" in invoke("cache", "--clear").stdout
    assert "kernels:   0" in invoke("cache").stdout
    assert other.exists()


def test_cache_as_json(tmp_path, monkeypatch):
    monkeypatch.setenv("SYMOP_CACHE", str(tmp_path))
    found = json.loads(invoke("cache", "--json").stdout)
    assert found["folder"] == str(tmp_path)
    assert found["kernels"] == found["loops"] == found["generated"] == found["size"] == 0
    assert json.loads(invoke("cache", "--clear", "--json").stdout) == {"removed": 0}


def test_cache_shows_and_clears_the_loops_of_generated_modules(tmp_path, monkeypatch):
    cache = tmp_path / "cache"
    monkeypatch.setenv("SYMOP_CACHE", str(cache))
    symop.generate("8.5*x + 1", name="line", backends=("torch", "cpu"), tests=False).write(tmp_path)
    script = "import line, torch; line.line(torch.ones(3)); assert not line._faults, line._faults"
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True)
    made = sorted(p.name.partition("-")[0] + p.suffix for p in cache.iterdir())
    assert made == ["loop.so", "loop.sum"]
    # What a process that was killed while it compiled leaves behind.
    left = cache / ".build-left"
    left.mkdir()
    (left / "loop.c").write_text("int x;")
    other = cache / ".build-other" / "folder"
    other.mkdir(parents=True)
    found = json.loads(invoke("cache", "--json").stdout)
    assert (found["kernels"], found["loops"]) == (0, 1)
    sizes = (p.stat().st_size for p in [*cache.glob("loop-*"), left / "loop.c"])
    assert found["size"] == sum(sizes)
    assert json.loads(invoke("cache", "--clear", "--json").stdout) == {"removed": 3}
    assert [p for p in cache.rglob("*") if p.is_file()] == []
    assert not left.exists()
    assert other.exists()


def test_cache_says_that_there_is_no_compiler(tmp_path, monkeypatch):
    monkeypatch.setenv("SYMOP_CACHE", str(tmp_path))
    monkeypatch.setenv("CC", "/nowhere/cc")
    result = invoke("cache")
    assert result.exit_code == 0
    assert "/nowhere/cc" in result.stdout


def test_a_cache_that_others_can_write_to_is_refused(tmp_path, monkeypatch):
    folder = tmp_path / "open"
    folder.mkdir()
    (folder / "kernel-0.so").write_bytes(b"")
    folder.chmod(0o777)
    monkeypatch.setenv("SYMOP_CACHE", str(folder))
    result = invoke("cache", "--clear")
    assert result.exit_code == 2
    assert "written to by others" in result.stderr
