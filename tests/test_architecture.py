"""The layers of symop, and what templates may ask for."""

from __future__ import annotations

import ast
import re
from dataclasses import fields
from pathlib import Path

import jinja2
import jinja2.meta
import pytest

from symop.backends import torch_text, triton_math, vector_math
from symop.backends.c_source import SourceView
from symop.backends.triton import KernelView
from symop.carried import SectionView
from symop.functions import table
from symop.lowering import BUILT_IN, NoForm, lower
from symop.parsing import parse
from symop.reference import ReferenceView
from symop.rendering import template_folder
from symop.report_page import PageView
from symop.views import ModuleView

ROOT = Path(__file__).parent.parent / "symop"

# Lower layers first; a module imports only from layers below its own.
LAYERS = (
    ("python_text",),
    ("errors", "frames", "layout", "functions", "limits", "rendering", "warned"),
    ("names", "program", "reductions", "cache", "files"),
    ("ops_file",),
    ("syntax",),
    ("elementary", "polynomials", "approximations", "second_kind", "expansion_ranges"),
    ("special", "bessel", "airy", "integrals", "logarithms"),
    ("gammas", "scaled", "spherical", "expansions"),
    (
        "activations", "relative", "moments", "proportions", "gamma_gaps", "remainders",
        "exponential_quotients", "nested_exponentials", "cancelling_logarithms",
        "cancelling_differences",
    ),
    ("powers", "near_one"),
    ("algebra", "evaluation", "formulas"),
    ("reaching", "stencils"),
    ("scope",),
    ("operations",),
    ("call_syntax",),
    ("parsing",),
    ("terms", "plain"),
    ("patterns", "bindings"),
    ("matching", "rules"),
    ("rule_index", "near_places"),
    (
        "exponential_identities", "sigmoid_identities", "error_identities",
        "logarithm_identities", "root_identities", "difference_identities",
        "quotient_identities", "relative_identities", "softmax_identities",
        "power_identities", "proportion_identities", "near_one_identities",
        "remainder_identities",
    ),
    ("gap_identities",),
    ("derived_identities",),
    ("identities",),
    ("slopes", "derivative_names", "rewriting", "lowering", "recording", "building"),
    ("differentiation", "tangents", "tidying", "loops"),
    ("planning", "summed"),
    ("summed_forms",),
    ("summing",),
    ("gpu_kernels", "assembly"),
    ("nvidia_code", "amd_code", "full_blocks"),
    ("statements", "backends", "native_host", "triton_interpreter", "gpu_code"),
    ("methods", "gradient_methods", "carried"),
    ("torch_signatures", "traced_operands", "sympy_names"),
    ("torch_calls",),
    ("views", "symbolic", "sympy_reading", "tracing"),
    ("mathematics", "notation", "chain_rule", "costs"),
    ("reading",),
    ("compiler", "loading", "orders", "diagnosis", "binding", "modules", "routines"),
    ("kernels", "layouts", "derived"),
    ("tiling", "tuning", "inspection"),
    ("triton_kernels", "loop_kernels"),
    ("launching", "triton_launching", "fused"),
    ("python_host",),
    ("triton_host",),
    ("kernel_backend",),
    ("cpu_backend", "triton_backend"),
    ("hosts",),
    ("dispatch",),
    ("exact",),
    ("printed",),
    ("agreement", "candidates"),
    ("selection",),
    ("points",),
    ("reference",),
    ("proofs",),
    ("artifact", "operators"),
    ("reals", "gradient_checks", "rereading"),
    ("oracle", "torch_names"),
    ("samples", "derivatives", "tallies", "array_oracle", "benchmarking", "peers", "jax_peer"),
    ("array_accuracy",),
    ("accuracy",),
    ("report",),
    ("checking", "showing", "plotting", "inspecting", "timings", "transform_checks"),
    ("drawing",),
    ("notebook", "report_page"),
    ("api",),
    ("batch",),
    ("__init__",),
    ("cli",),
    ("__main__",),
)  # fmt: skip
LEVEL = {module: level for level, modules in enumerate(LAYERS) for module in modules}

# Op.check, Op.plot and the notebook's view hand over to the modules that do it; matplotlib is
# imported only where something is drawn.
INVERTED = {
    ("operators", "checking"), ("operators", "plotting"), ("operators", "notebook"),
    ("plotting", "drawing"),
}  # fmt: skip


def room(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("symop"):
            parts = node.module.split(".")
            found |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
            found |= {parts[1] for parts in names if parts[0] == "symop" and len(parts) > 1}
    return {name for name in found if (ROOT / f"{name}.py").exists() or (ROOT / name).is_dir()}


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_go_downward(path):
    module = room(path)
    assert module in LEVEL, f"{module} has no layer; give it one"
    for other in imports(path) - {module}:
        below = LEVEL[other] < LEVEL[module]
        assert below or (module, other) in INVERTED, f"{module} imports {other}, which is not below"


def test_every_module_has_its_place_in_the_description():
    words = set(re.findall(r"\w+", (ROOT.parent / "ARCHITECTURE.md").read_text()))
    modules = {path.stem for path in (*ROOT.glob("*.py"), *(ROOT / "backends").glob("*.py"))}
    families = {name for name in modules if name.endswith("_identities")}
    assert modules - families - words == {"__init__", "__main__"}


# Who may import what prints for a backend: what runs its kernels, and `carried`, which lists what
# modules carry. Operations of torch are what every module has, and what costs are counted in.
PRINTERS = {
    "torch": {"methods", "gradient_methods", "reference", "costs", "printed"},
    "cpu": {"carried", "cpu_backend", "kernels"},
    "triton": {
        "carried", "triton_backend", "triton_kernels", "triton_launching", "tiling",
        "loop_kernels", "inspecting",
    },
}  # fmt: skip


def printer(name: str) -> str:
    return next((k for k in ("torch", "triton") if name.startswith(k)), "cpu")


def printers(path: Path) -> set[str]:
    """The modules of symop.backends that a module imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("symop.backends"):
            inner = node.module.split(".")[2:]
            found |= set(inner[:1]) or {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            assert not any(alias.name.startswith("symop.backends") for alias in node.names)
    return found


@pytest.mark.parametrize("path", sorted(ROOT.glob("*.py")), ids=lambda p: p.name)
def test_a_backend_is_known_to_its_own_modules(path):
    module = room(path)
    for name in printers(path):
        assert module in PRINTERS[printer(name)], f"{module} knows the backend {printer(name)}"
    if {"cpu_backend", "triton_backend"} & imports(path):
        assert module == "hosts", f"{module} knows a backend that hosts lists"


def test_only_backends_name_torch_operations():
    for module in ("differentiation", "tidying", "planning", "lowering", "parsing", "program"):
        assert "torch" not in imports(ROOT / f"{module}.py")
        assert "import torch" not in (ROOT / f"{module}.py").read_text()


@pytest.mark.parametrize(
    ("template", "view"),
    [
        ("module.py.j2", ModuleView),
        ("carried.py.j2", SectionView),
        ("carried.c.j2", SourceView),
        ("kernel_triton.py.j2", KernelView),
        ("report.html.j2", PageView),
        ("reference.py.j2", ReferenceView),
    ],
)
def test_template_variables_are_the_fields_of_the_view(template, view):
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(template_folder()))
    source = environment.loader.get_source(environment, template)[0]
    variables = jinja2.meta.find_undeclared_variables(environment.parse(source))
    assert variables == {field.name for field in fields(view)}


@pytest.mark.parametrize("backend", [torch_text, vector_math, triton_math])
def test_every_function_can_be_lowered_to_what_a_backend_spells(backend):
    lacking = set()
    for name, function in table().items():
        if function.internal:
            continue
        values = ["3" if p in function.literals else p for p in function.parameters]
        try:
            program = lower(parse(f"{name}({', '.join(values)})"), backend.SPELLED)
        except NoForm:
            lacking.add(name)
        else:
            assert {node.op for node in program.nodes} <= BUILT_IN | backend.SPELLED, name
    assert not lacking
