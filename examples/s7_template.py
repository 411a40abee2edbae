"""Walks through a generated file: the template of an autograd Function, filled in by symop."""

from __future__ import annotations

import ast
import textwrap

import torch

import symop

FORMULA = "0.5*(5*x**3-3*x)"

SLOTS = {
    "forward": "the formula in plain torch operations; without ctx, as torch.func wants it",
    "setup_context": "what is kept for the gradient: the tensors it needs and no others",
    "backward": "grad_output times the derivative; None where nobody asked for a gradient",
    "jvp": "the directional derivative, for forward mode",
}


def title_of(node: ast.stmt) -> str:
    """What a piece of a generated module is."""
    match node:
        case ast.Expr(value=ast.Constant()):
            return "The docstring: the formula and its gradients"
        case ast.Import() | ast.ImportFrom():
            return "Imports: the standard library and torch, never symop"
        case ast.Assign():
            return "What the module offers"
        case ast.ClassDef(name=name) if name.endswith("Backward"):
            return f"{name}: the gradient, a Function too, so that it can be differentiated again"
        case ast.ClassDef(name=name) if name.startswith("_"):
            return f"{name}: the Function, as torch.compile takes it (without jvp)"
        case ast.ClassDef(name=name):
            return f"{name}: the Function, complete"
        case ast.FunctionDef(name=name) if name.startswith("_"):
            return f"{name}: a helper of the functions above"
        case ast.FunctionDef(name=name):
            return f"{name}: what a model calls"
    raise AssertionError(f"a generated module has no {type(node).__name__} at its top")


def walk(text: str) -> list[str]:
    """Prints a module piece by piece, with what each is; returns the titles."""
    lines = text.splitlines()
    titles = []
    for node in ast.parse(text).body:
        title = title_of(node)
        # Imports follow each other; one heading serves them all.
        if title not in titles[-1:]:
            print(f"\n## {title}")
        titles.append(title)
        if isinstance(node, ast.ClassDef):
            for slot in (n.name for n in node.body if isinstance(n, ast.FunctionDef)):
                print(f"##    {slot}: {SLOTS[slot]}")
        first = min(n.lineno for n in (node, *getattr(node, "decorator_list", ())))
        print(textwrap.indent("\n".join(lines[first - 1 : node.end_lineno]), "    "))
    return titles


class LegendrePolynomial3(torch.autograd.Function):
    """The same operator, filled in by hand as the tutorial does."""

    @staticmethod
    def forward(ctx, input):
        """The value."""
        ctx.save_for_backward(input)
        return 0.5 * (5 * input**3 - 3 * input)

    @staticmethod
    def backward(ctx, grad_output):
        """The gradient, derived on paper."""
        (input,) = ctx.saved_tensors
        return grad_output * 1.5 * (5 * input**2 - 1)


def main() -> list[str]:
    """Prints the file that symop writes for P3 and compares it with the hand-written Function."""
    generated = symop.generate(FORMULA, name="legendre_p3")
    print("files:", ", ".join(generated.files))
    titles = walk(generated.files["legendre_p3.py"])

    module: dict[str, object] = {}
    exec(generated.files["legendre_p3.py"], module)
    x = torch.linspace(-2, 2, 9, dtype=torch.float64, requires_grad=True)
    (by_symop,) = torch.autograd.grad(module["LegendreP3"].apply(x).sum(), x)
    (by_hand,) = torch.autograd.grad(LegendrePolynomial3.apply(x).sum(), x)
    print("\ngradient of the generated class:", [round(v, 6) for v in by_symop.tolist()])
    print("gradient written by hand:       ", [round(v, 6) for v in by_hand.tolist()])
    # Both are a few roundings of numbers up to 15*x**2/2 + 3/2 = 31.5 at |x| = 2.
    assert torch.allclose(by_symop, by_hand, rtol=0, atol=4 * 31.5 * 2.3e-16)
    return titles


if __name__ == "__main__":
    main()
