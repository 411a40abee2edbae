"""How the documentation is built: Sphinx, because it is maintained by many, with MyST and furo.

`make site` builds it without a network: pages load nothing from elsewhere, and formulas are MathML.
"""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import symop
from symop.mathematics import Equation, mathml, spaced

project = "symop"
author = "symop contributors"
copyright = author
version = release = symop.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
default_role = "literal"
nitpicky = True
# Types of neighbours, and of symop's own stages, which have no pages here.
nitpick_ignore_regex = [
    ("py:class", r"(torch|sympy|matplotlib|collections|os|pathlib|typing|types)\..*"),
    ("py:class", r"symop\.[a-z]\w*\.\w+|Inspection"),
]

# ```math stands for a formula on GitHub too.
myst_fence_as_directive = ["math"]
myst_heading_anchors = 3
suppress_warnings = ["myst.header"]

autodoc_typehints = "signature"
autodoc_member_order = "bysource"
napoleon_numpy_docstring = False
napoleon_include_special_with_doc = False

html_theme = "furo"
html_title = "symop"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_math_renderer = "mathml"
html_show_sphinx = False
html_copy_source = False
html_show_sourcelink = False
html_last_updated_fmt = None


def _aligned(text: str) -> list[Equation] | None:
    match = re.fullmatch(r"\\begin\{aligned\}\n(.*)\n\\end\{aligned\}", text.strip(), re.DOTALL)
    if match is None:
        return None
    return [Equation(*line.split(" &= ", 1)) for line in match[1].split(" \\\\\n")]


def _block(self: Any, node: Any) -> None:
    text = node.astext()
    equations = _aligned(text)
    element = mathml(equations) if equations else tex2mathml(spaced(text), as_block=True)
    self.body.append(f'<div class="math">{element}</div>')
    raise nodes.SkipNode


def _inline(self: Any, node: Any) -> None:
    self.body.append(tex2mathml(spaced(node.astext())))
    raise nodes.SkipNode


class Commands(SphinxDirective):
    """The help of every command of symop, as it is now, a section each."""

    def run(self) -> list[nodes.Node]:
        """What `symop COMMAND --help` prints."""
        from click.testing import CliRunner

        from symop.cli import COMMANDS, app

        sections: list[nodes.Node] = []
        for name in COMMANDS:
            shown = CliRunner().invoke(app, [name, "--help"], prog_name="symop", terminal_width=96)
            text = shown.stdout.rstrip()
            section = nodes.section(ids=[name], names=[name])
            section += nodes.title(name, name)
            section += nodes.literal_block(text, text, language="none")
            sections.append(section)
        return sections


def _public(app: Sphinx, env: Any, node: Any, content: Any) -> Any:
    """The page of a public name that a docstring mentions without its package."""
    name = node.get("reftarget", "")
    if node.get("refdomain") != "py" or name not in symop.__all__:
        return None
    domain = env.get_domain("py")
    return domain.resolve_xref(
        env, node["refdoc"], app.builder, node["reftype"], f"symop.{name}", node, content
    )


def setup(app: Sphinx) -> dict[str, Any]:
    """What is our own: mathematics as MathML, and the help of commands."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    app.add_directive("commands", Commands)
    app.connect("missing-reference", _public)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
