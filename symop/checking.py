"""Whether an op is right: gradient checks of both orders, and accuracy in ULP against mpmath."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from symop.accuracy import DTYPES, accuracies
from symop.compiler import Formula
from symop.errors import CallError
from symop.gradient_checks import MAX_ARGUMENTS, gradient_check, moved
from symop.program import Program
from symop.reals import Tensors
from symop.report import Report
from symop.rereading import reread
from symop.samples import Samples
from symop.torch_names import torch_function

if TYPE_CHECKING:
    from symop.operators import Op

Function = Callable[..., Any]

_MAX_ELEMENTS = 2000


# Takes the name of what is done next, and "" when that is done.
Told = Callable[[str], Any]
STEPS = 2 + len(DTYPES)


def _silent(name: str) -> None:
    """Tell nobody."""


def check(op: Op, *examples: Any, told: Told = _silent) -> Report:
    """Check the gradients and the accuracy of an op.

    Args:
        op: what `symop.compile` returned.
        examples: tuples of values, one a call; without any they are made from the domains of
            the functions in the formula.
        told: hears of each of the `STEPS` of the check, which of large programs take minutes.

    Raises:
        CallError: an example cannot be a call of the op.
    """
    return _checked(op.name, op, op._formula, examples, told=told)


def check_file(path: Path, *, told: Told = _silent) -> Report:
    """Check a module that symop wrote against the formula in its docstring.

    Args:
        path: the file.
        told: hears of each of the `STEPS` of the check.

    Raises:
        FileError: the file cannot be read, or symop did not write it.
    """
    written = reread(path)
    if written.formula is None:
        notes = ("the docstring holds no formula that could be read again: accuracy was not "
                 "measured, and gradients were checked between 0.2 and 0.9",)  # fmt: skip
        generator = random.Random(0)
        values = [torch.tensor([generator.uniform(0.2, 0.9) for _ in range(3)]).double()
                  for _ in written.arguments]  # fmt: skip
        check = gradient_check(written.function, written.arguments, values)
        return Report(written.name, (check,), (), notes)
    note = (
        "the file is what symop writes for its formula"
        if written.is_current
        else "the file differs from what symop writes; its code was checked against the formula "
        "in its docstring"
    )
    return _checked(written.name, written.function, written.formula, (), (note,), told=told)


def _checked(
    name: str,
    function: Function,
    formula: Formula,
    examples: Sequence[Any],
    notes: tuple[str, ...] = (),
    *,
    told: Told,
) -> Report:
    program = formula.written
    names = [a.name for a in program.arguments]
    found = list(notes)
    given = [_example(name, program, values) for values in examples]
    for values in given:
        # A call that cannot be says so before anything is measured.
        with torch.no_grad():
            function(*values.values())
    random_state = torch.random.get_rng_state()
    torch.manual_seed(0)
    try:
        told("points")
        chosen = Samples(program, formula.program)
        shaped = given or list(chosen.examples())
        found += _missing(program, chosen, shaped)
        told("")
        told("gradients")
        checks = tuple(gradient_check(function, names, list(values.values())) for values in shaped)
        told("")
        known = torch_function(formula.program, formula.text)
        measured = accuracies(function, program, given, chosen, known, found, told)
    finally:
        torch.random.set_rng_state(random_state)
    return Report(name, checks, measured, tuple(found))


def _missing(program: Program, chosen: Samples, shaped: Sequence[Tensors]) -> list[str]:
    """What is checked of less than usual, or not at all."""
    found = []
    real = len(chosen.real)
    if not shaped:
        found.append(
            "gradients were not checked: no point was found where differences in float64 "
            "see them; give examples"
        )
    elif real > MAX_ARGUMENTS:
        found.append(f"gradients were checked by {len(moved(real))} of {real} arguments")
    if chosen.is_large:
        found.append("the formula is large: accuracy was measured at fewer points than usual")
    return found


def _example(name: str, program: Program, values: Any) -> Tensors:
    """The values of one call as tensors of float64, masks as tensors of truth values."""
    values = values if isinstance(values, tuple | list) else (values,)
    names = [a.name for a in program.arguments]
    if len(values) != len(names):
        raise CallError(f"{name} takes {', '.join(names)}; an example has {len(values)} values, "
                        "and one for each is expected")  # fmt: skip
    tensors: Tensors = {}
    for argument, value in zip(program.arguments, values, strict=True):
        if not isinstance(value, torch.Tensor | int | float):
            raise CallError(f"{name}: {argument.name} is a {type(value).__name__} in an example; "
                            "a tensor or a number is expected")  # fmt: skip
        tensor = torch.as_tensor(value).detach()
        if tensor.is_complex():
            raise CallError(f"{name}: {argument.name} is complex in an example; formulas are real")
        tensors[argument.name] = tensor.bool() if argument.is_mask else tensor.double()
    elements = sum(t.numel() for t in tensors.values())
    if elements > _MAX_ELEMENTS:
        raise CallError(f"{name}: an example of {elements} elements; at most {_MAX_ELEMENTS} are "
                        "accepted, as every one is differentiated by differences")  # fmt: skip
    return tensors
