"""Templates filled with views. The templates are constants; user text enters only as data."""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import jinja2


def template_folder() -> Path:
    """Where the templates lie: inside the package, or beside it in a source checkout."""
    inside = Path(__file__).parent / "templates"
    return inside if inside.is_dir() else Path(__file__).parent.parent / "templates"


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(template_folder()),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=jinja2.select_autoescape(("html.j2",)),
    )


def render(template: str, view: Any) -> str:
    """The text of a template, its variables being the fields of the view."""
    values = {field.name: getattr(view, field.name) for field in fields(view)}
    return _environment().get_template(template).render(values)
