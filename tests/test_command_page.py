"""What the documentation says of the command line is so: its commands run, its tables are those."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

import symop
from symop.cli import app
from symop.cli.completion import SHELLS
from symop.cli.program import EXIT_CODES
from symop.ops_file import read_ops

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "how_to" / "command_line.md").read_text(encoding="utf-8")
CI = (ROOT / "docs" / "how_to" / "ci.md").read_text(encoding="utf-8")
HOOKS = (ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def commands(page):
    """The words of each command in the blocks of shell."""
    blocks = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if line.startswith("symop ")]
    return [shlex.split(line, comments=True) for line in lines]


@pytest.mark.parametrize("page", [PAGE, CI, README], ids=["page", "ci", "README"])
def test_commands_run_in_their_order(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SYMOP_HOST", "python")
    found = commands(page)
    assert len(found) > 1
    for program, *arguments in found:
        assert program == "symop"
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, (arguments, result.output)


def test_the_files_of_the_readme_are_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for _, *arguments in commands(README):
        CliRunner().invoke(app, arguments)
    found = sorted(p.name for p in (tmp_path / "ops").iterdir())
    assert found == ["legendre_p3.py", "test_legendre_p3.py"]


def test_the_file_of_ops_is_accepted_and_generated(tmp_path, monkeypatch):
    (text,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "ops.toml").write_text(text)
    ops = read_ops(tmp_path / "ops.toml")
    assert list(ops.entries) == ["swish", "gate", "affine"]
    assert ops.entries["gate"].calls == ("swish",)
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["generate", "--from", "ops.toml"])
    assert result.exit_code == 0, result.output


def test_exit_codes_are_those_of_the_help():
    table = dict(re.findall(r"^\| (\d+) \| (.*) \|$", PAGE, re.MULTILINE))
    helped = re.findall(r"^ +(\d+)  (.*(?:\n {7,}\S.*)*)", EXIT_CODES, re.MULTILINE)
    words = {code: " ".join(text.split()) for code, text in helped}
    assert {code: text.replace("`", "") for code, text in table.items()} == words


def test_every_shell_is_named():
    assert set(re.findall(r"symop completion (\w+) >", PAGE)) == set(SHELLS)


def keys(text):
    """The keys of one mapping of a file of YAML that nests nothing."""
    return dict(re.findall(r"^[ -]+(\w+): (.*)$", text, re.MULTILINE))


def test_the_hook_of_the_page_is_that_of_the_repository():
    hooks = {h["id"]: h for h in map(keys, re.split(r"^(?=- )", HOOKS, flags=re.MULTILINE)[1:])}
    (config,) = re.findall(r"```yaml\nrepos:\n  - repo: local\n    hooks:\n(.*?)```", CI, re.DOTALL)
    told = keys(config)
    assert hooks[told["id"]].items() >= told.items()
    assert f"`{hooks['symop-generate']['entry']}`" in CI


def test_the_hooks_tell_what_changed_and_write_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(app, ["init"]).exit_code == 0
    check, write = (shlex.split(e)[1:] for e in re.findall(r"^  entry: (.*)$", HOOKS, re.MULTILINE))
    assert CliRunner().invoke(app, check).exit_code == 0
    ops = tmp_path / "ops.toml"
    ops.write_text(ops.read_text().replace("x*sigmoid(k*x)", "x*sigmoid(2*k*x)"))
    result = CliRunner().invoke(app, check)
    assert result.exit_code == 1
    assert "+++ ops/gated.py" in result.stdout
    assert CliRunner().invoke(app, write).exit_code == 0
    assert CliRunner().invoke(app, check).exit_code == 0


def test_the_wheel_of_the_workflow_is_of_this_version():
    (name,) = re.findall(r"vendor/(\S+)-py3-none-any\.whl", CI)
    assert name == f"symop_torch-{symop.__version__}"
    steps = re.findall(r"- run: (symop .*)$", CI, re.MULTILINE)
    assert all(step in HOOKS for step in steps)
