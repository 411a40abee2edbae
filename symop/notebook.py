"""An op in a notebook: formula, gradients and a small plot."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from symop.errors import SymopError
from symop.mathematics import aligned, formula_equations, gradient_equations
from symop.plotting import derivatives_over, region_of

if TYPE_CHECKING:
    from symop.operators import Op

# Arguments beyond the first stand at 1, where most parameters do something.
_FIXED = 1.0
# Gradients beyond fill a screen.
_MAX_GRADIENTS = 8


def op_html(op: Op) -> str:
    """Formula and gradients, typeset by the notebook, and a plot where one can be drawn."""
    gradients = gradient_equations(op.written)
    equations = [*formula_equations(op.written), *gradients[:_MAX_GRADIENTS]]
    head = html.escape(f"{op.name}({', '.join(op.args)})")
    saved = html.escape(", ".join(op.saved) or "nothing")
    parts = [
        f"<p><code>{head}</code>, saves {saved}</p>",
        f"<div>$${html.escape(aligned(equations))}$$</div>",
    ]
    if len(gradients) > _MAX_GRADIENTS:
        parts.append(f"<p>and {len(gradients) - _MAX_GRADIENTS} gradients more</p>")
    return "\n".join([*parts, _plot(op)])


def _plot(op: Op) -> str:
    """A small plot along the first argument that has numbers, empty where none can be drawn."""
    real = [a.name for a in op.written.arguments if not a.is_mask]
    try:
        from symop.drawing import small, svg

        region = region_of(op, {n: _FIXED for n in op.args if n not in real[:1]})
        return svg(small(op, region, derivatives_over(op, region)))
    except (ImportError, SymopError):
        return ""
