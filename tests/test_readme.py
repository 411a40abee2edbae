"""The README shows what is true: its code runs, and its excerpts stand in the generated files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import symop

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
P3 = "0.5*(5*x**3-3*x)"


def blocks(language: str) -> list[tuple[str, str]]:
    """The fenced blocks of a language: (what the comment above says it is, its text)."""
    pattern = rf"(?:<!-- (.*?) -->\n)?```{language}\n(.*?)```"
    return re.findall(pattern, README, flags=re.DOTALL)


def test_python_blocks_run_in_order_and_print_what_they_say(capsys) -> None:
    namespace: dict[str, object] = {}
    scripts = [text for label, text in blocks("python") if not label.startswith("excerpt")]
    assert scripts
    for text in scripts:
        exec(compile(text, "README.md", "exec"), namespace)
    said = re.findall(r"^print\(.*\)  # (.*)$", "".join(scripts), re.M)
    assert capsys.readouterr().out.splitlines() == said


def test_excerpts_stand_in_the_generated_file() -> None:
    excerpts = [(label, text) for label, text in blocks("python") if label.startswith("excerpt")]
    assert excerpts
    files = symop.generate(P3, name="legendre_p3").files
    for label, text in excerpts:
        generated = files[label.removeprefix("excerpt of ")]
        for piece in re.split(r"^ +# \.\.\.\n\n\n", text, flags=re.M):
            assert piece in generated


def test_commands_name_targets_of_the_makefile() -> None:
    makefile = (Path(__file__).parent.parent / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^make ([a-z-]+)", "".join(text for _, text in blocks("sh")), re.M)
    assert {"demo", "test"} <= set(targets)
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.M), target


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)#:]+)\)", README))
def test_links_lead_to_files(link: str) -> None:
    assert (Path(__file__).parent.parent / link).exists()
