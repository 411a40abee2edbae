"""Whether an op is right: gradient checks of both orders, and accuracy in ULP against mpmath.

The oracle evaluates the formula in high precision by the references of the function table,
and differentiates it by differences: neither symop's derivatives nor its stable forms enter.
"""

from __future__ import annotations

import ast
import math
import random
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mpmath as mp
import numpy as np
import torch

from symop.compiler import Formula
from symop.compiler import formula as read_formula
from symop.errors import CallError, FileError, SymopError
from symop.evaluation import Array, evaluate
from symop.functions import table
from symop.loading import load
from symop.names import spelled
from symop.program import COMPARISONS, Output, Program, needed

if TYPE_CHECKING:
    from symop.operators import Op

Arrays = dict[str, Array]
Tensors = dict[str, torch.Tensor]

# Differences of this step lose 80 of the bits; what is left is far below an ULP.
_BITS = 320
_STEP = mp.mpf(2) ** -80
# Slopes that differ by less belong to a smooth function; slopes below are those of a constant.
_SMOOTH, _FLAT = mp.mpf(2) ** -60, mp.mpf(2) ** -120
# Slopes that grow as the step shrinks: a jump, or a vertical tangent.
_STEEP = mp.mpf(2) ** 40
_SHIFT = mp.mpf(2) ** -30
_SMALL, _LARGE = mp.mpf(2) ** -90, mp.mpf(2) ** 90

_RANGES = ((-3.0, 3.0), (0.2, 3.0), (-0.9, 0.9), (0.1, 0.9), (1.2, 4.0), (3.0, 20.0))
_WORK = 20_000
_MAX_POINTS, _MIN_POINTS = 40, 6
_MAX_ELEMENTS, _MAX_DIFFERENCES, _MAX_SLOW_MODE = 2000, 72, 40
# Above so many arguments, conditions are estimated by moving all of them at once.
_MAX_SINGLE, _SIGNS = 6, 3
_NO_VALUE = (ArithmeticError, ValueError, TypeError, NotImplementedError)

# The accuracy that symop aims at, in ULP, and in roundings of the inputs.
_BOUND = 4
_HALF_THE_DIGITS = 2.0**26


@dataclass(frozen=True)
class GradientCheck:
    """The gradient checks at one example: empty texts, or what torch found wrong.

    example: the shapes of the arguments.
    first: gradcheck.
    second: gradgradcheck, forward over reverse included.
    forward: gradcheck of forward mode.
    """

    example: str
    first: str
    second: str
    forward: str

    def __bool__(self) -> bool:
        return not (self.first or self.second or self.forward)


@dataclass(frozen=True)
class Accuracy:
    """The errors of a value or derivative, in units in the last place.

    quantity: an output, or a derivative of it.
    points: how many numbers were compared.
    share: the largest error as a share of what is allowed: 4 ULP, or 4 times the error that
        rounding the inputs causes where that is more.
    lost: how many are not finite although the true value is.
    """

    dtype: str
    quantity: str
    points: int
    median: float
    high: float
    worst: float
    share: float
    lost: int

    @property
    def is_wrong(self) -> bool:
        """Whether half of the digits are wrong at half of the points: no rounding does that.

        Gradcheck passes a coefficient that is off by 0.01 %, and a wrong sign of what is small.
        """
        return self.dtype == "float64" and self.share > 1 and self.median > _HALF_THE_DIGITS


@dataclass(frozen=True)
class Report:
    """What was checked of an op.

    True when its gradients hold, no finite value is lost, and none is wrong beyond rounding.
    """

    name: str
    checks: tuple[GradientCheck, ...]
    accuracies: tuple[Accuracy, ...]
    notes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return all(self.checks) and not any(a.lost or a.is_wrong for a in self.accuracies)

    @property
    def is_accurate(self) -> bool:
        """Whether every error is within what is allowed."""
        return bool(self) and all(a.share <= 1 for a in self.accuracies)

    def __str__(self) -> str:
        return "\n".join(_report_lines(self)) + "\n"


def check(op: Op, *examples: Any) -> Report:
    """Check the gradients and the accuracy of an op.

    Args:
        op: what `symop.compile` returned.
        examples: tuples of values, one a call; without any they are made from the domains of
            the functions in the formula.

    Raises:
        CallError: an example cannot be a call of the op.
    """
    return _checked(op.name, op, op.program, examples)


def check_file(path: Path) -> Report:
    """Check a module that symop wrote against the formula in its docstring.

    Raises:
        FileError: the file cannot be read, or symop did not write it.
    """
    try:
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
    except (OSError, UnicodeDecodeError, SyntaxError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise FileError(f"{path} cannot be read ({reason}); a module that symop generated is "
                        "expected") from error  # fmt: skip
    documentation = ast.get_docstring(tree) or ""
    functions = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef)}
    public = [n for n in _public(tree) if n in functions]
    if "generated by symop" not in documentation.partition("\n")[0] or not public:
        raise FileError(f"{path} was not written by symop: its first line does not say so; a "
                        "module that symop generated is expected")  # fmt: skip
    name = public[0]
    try:
        function = getattr(load(name, text), name)
    except Exception as error:
        raise FileError(f"{path} cannot be imported: {type(error).__name__}: {error}") from error
    arguments = [a.arg for a in functions[name].args.args]
    formula = _documented(name, documentation, arguments, text)
    if formula is None:
        notes = ("the docstring holds no formula that could be read again: accuracy was not "
                 "measured, and gradients were checked between 0.2 and 0.9",)  # fmt: skip
        generator = random.Random(0)
        values = [torch.tensor([generator.uniform(0.2, 0.9) for _ in range(3)]).double()
                  for _ in arguments]  # fmt: skip
        return Report(name, (_gradient_check(function, arguments, values),), (), notes)
    same = formula.module_text == text
    note = (
        "the file is what symop writes for its formula"
        if same
        else "the file differs from what symop writes; its code was checked against the formula "
        "in its docstring"
    )
    return _checked(name, function, formula.program, (), (note,))


def _public(tree: ast.Module) -> list[str]:
    """The names of `__all__`."""
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id="__all__")], value=ast.List(elts=parts)):
                return [str(p.value) for p in parts if isinstance(p, ast.Constant)]
    return []


def _documented(
    name: str, documentation: str, arguments: Sequence[str], text: str
) -> Formula | None:
    """The formula of a docstring: the one that would be documented in the same way.

    When there are several, it is the one that gives the very text of the module.
    """
    title, _, rest = documentation.partition("\n")
    first = title.partition(": ")[2].removesuffix(", a PyTorch operator generated by symop.")
    lines = [] if " = " not in first else [first]
    for line in rest.strip("\n").split("\n"):
        if line.startswith("    ") and lines:
            lines[-1] += f" {line.strip()}"
        else:
            lines.append(line)
    found = None
    for source in _candidates(lines):
        try:
            free = read_formula(source, name=name)
            known = {spelled(a.name): a.name for a in free.program.arguments}
            order = [known.get(a, a.removesuffix("_")) for a in arguments]
            read = read_formula(source, name=name, args=order)
            written = read.module_text
        except SymopError:
            continue
        if written == text:
            return read
        if found is None and ast.get_docstring(ast.parse(written)) == documentation:
            found = read
    return found


def _candidates(lines: Sequence[str]) -> Iterator[str]:
    """The first lines of a docstring as formulas, the last line also as a bare expression."""
    for count in range(1, len(lines) + 1):
        yield "\n".join(lines[:count])
        name, equals, value = lines[count - 1].partition(" = ")
        if name == "out" and equals:
            yield "\n".join([*lines[: count - 1], value])


Function = Callable[..., Any]


def _checked(
    name: str,
    function: Function,
    program: Program,
    examples: Sequence[Any],
    notes: tuple[str, ...] = (),
) -> Report:
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
        chosen = _Samples(program)
        shaped = given or list(chosen.examples())
        if not shaped:
            found.append(
                "gradients were not checked: no point was found where differences in float64 "
                "see them; give examples"
            )
        checks = tuple(_gradient_check(function, names, list(values.values())) for values in shaped)
        settings = given or list(chosen.points())
        accuracies = _accuracies(function, program, settings, found)
    finally:
        torch.random.set_rng_state(random_state)
    return Report(name, checks, accuracies, tuple(found))


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


# Gradient checks


def _gradient_check(
    function: Function, names: Sequence[str], values: Sequence[torch.Tensor]
) -> GradientCheck:
    def prepared() -> tuple[torch.Tensor, ...]:
        return tuple(
            v.detach().clone().requires_grad_() if v.is_floating_point() else v for v in values
        )

    shapes = ", ".join(
        f"{n} {tuple(v.shape)}".replace(" ()", " 0-d") for n, v in zip(names, values, strict=True)
    )
    if not any(v.is_floating_point() and v.numel() for v in values):
        return GradientCheck(shapes, "", "", "")
    fast: dict[str, Any] = {"fast_mode": sum(v.numel() for v in values) > _MAX_SLOW_MODE}
    forward = {"check_forward_ad": True, "check_backward_ad": False}
    gradcheck, gradgradcheck = torch.autograd.gradcheck, torch.autograd.gradgradcheck
    return GradientCheck(
        shapes,
        _failure(lambda: gradcheck(function, prepared(), **fast)),
        _failure(lambda: gradgradcheck(function, prepared(), check_fwd_over_rev=True, **fast)),
        _failure(
            lambda: gradcheck(function, prepared(), check_undefined_grad=False, **forward, **fast)
        ),
    )


def _failure(run: Callable[[], bool]) -> str:
    """What a check found wrong, in one line; empty when it holds."""
    try:
        # torch's own forward mode warns of what torch itself uses.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            run()
    except Exception as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        kind = "" if isinstance(error, RuntimeError) else f"{type(error).__name__}: "
        return f"{kind}{' '.join(lines)[:160]}" or type(error).__name__
    return ""


# Where an op is tried


class _Samples:
    """Points and examples from the domains of the functions in a formula."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.names = [a.name for a in program.arguments]
        self.masks = {a.name for a in program.arguments if a.is_mask}
        self.real = [n for n in self.names if n not in self.masks]
        self.generator = random.Random(0)
        dims = [d for node in program.nodes for d in node.dims or ()]
        self.rank = max((-d if d < 0 else d + 1 for d in dims), default=0)
        self.ranges = self._ranges()
        # Where an intermediate value is not finite, the formula itself has no value in torch.
        nodes = program.nodes
        steps = [k for k, node in enumerate(nodes) if not node.is_condition]
        outputs = tuple(Output(f"_{k}", k, nodes[k].frame) for k in steps)
        self.steps = replace(program, outputs=outputs)

    def points(self) -> Iterator[Tensors]:
        """Arguments to measure the accuracy at."""
        if not self.program.is_elementwise:
            yield from list(self._arrays())[:1]
            return
        base = self._drawn(self._count())
        # Of many joints, some of every argument.
        joints = list(self._special(base[:1]))
        every = math.ceil(len(joints) / max(_MIN_POINTS, 2 * self._count()))
        special = [p for p in joints[:: max(every, 1)] if self._is_finite(p)]
        points = [*base, *special]
        if points:
            yield self._stacked(points, (len(points),))

    def examples(self) -> Iterator[Tensors]:
        """Arguments to differentiate at: of one shape, of shapes that broadcast, and 0-d."""
        if not self.program.is_elementwise:
            yield from self._arrays()
            return
        tries = 3 * _MIN_POINTS if len(self.names) <= 16 else _MIN_POINTS
        points = [p for p in self._drawn(tries) if self._is_tame(p)]
        if not points:
            return
        size = min(len(points), 5 if len(self.names) < 8 else 2)
        yield self._stacked(points[:size], (size,))
        if 1 < len(self.names) <= 16:
            shapes = [((2, 1), (3,), (), (2, 3))[k % 4] for k in range(len(self.names))]
            yield from self._broadcast(points, shapes)
        elif len(self.names) == 1:
            picked = [points[k % len(points)] for k in range(6)]
            yield self._stacked(picked, (2, 3))
        yield self._stacked(points[-1:], ())

    def _count(self) -> int:
        slow = sum(20 for node in self.program.nodes if node.op in _slow())
        moved = len(self.real) if len(self.real) <= _MAX_SINGLE else _SIGNS
        rounds = 1 + 2 * len(self.real) * (1 + moved)
        affordable = _WORK // ((len(self.program.nodes) + slow) * rounds)
        return max(_MIN_POINTS, min(_MAX_POINTS, affordable))

    def _ranges(self) -> list[tuple[float, float]]:
        """The domain of each argument, by the functions that it stands in."""
        ranges = []
        for name in self.names:
            low, high = -3.0, 3.0
            for record in self._functions_of(name):
                low, high = max(low, record.domain[0]), min(high, record.domain[1])
            ranges.append((low, high) if low < high else (-3.0, 3.0))
        return ranges

    def _functions_of(self, name: str) -> list[Any]:
        nodes, known = self.program.nodes, table()
        return [
            known[node.op]
            for node in nodes
            if node.op in known and node.operands and nodes[node.operands[0]].value == name
        ]

    def _choices(self) -> Iterator[list[tuple[float, float]]]:
        count = len(self.names)
        yield self.ranges
        for common in _RANGES:
            yield [common] * count
        for shift in range(len(_RANGES) if count > 1 else 0):
            yield [_RANGES[(shift + 2 * k) % len(_RANGES)] for k in range(count)]

    def _point(self, ranges: Sequence[tuple[float, float]]) -> tuple[Any, ...]:
        uniform = self.generator.uniform
        return tuple(
            uniform(0, 1) < 0.5 if name in self.masks else uniform(*limits)
            for name, limits in zip(self.names, ranges, strict=True)
        )

    def _drawn(self, count: int) -> list[tuple[Any, ...]]:
        """Points where the formula is finite, from the first ranges where most are."""
        best: list[tuple[Any, ...]] = []
        for ranges in self._choices():
            tried = [self._point(ranges) for _ in range(count)]
            found = [p for p in tried if self._is_finite(p)]
            if len(found) > 0.8 * count:
                return found
            best = max(best, found, key=len)
        return best

    def _special(self, base: Sequence[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
        """The joints of the functions at their first argument, and points beside them."""
        nodes = self.program.nodes
        for axis, name in enumerate(self.names):
            values: list[float] = [v for f in self._functions_of(name) for v in f.special]
            for node in nodes:
                if node.op in COMPARISONS and nodes[node.operands[0]].value == name:
                    other = nodes[node.operands[1]]
                    values += [float(other.value or 0)] if other.op == "constant" else []
            if name not in self.masks:
                values += [0.0, 1.0]
            for value in dict.fromkeys(values):
                for moved in (value, value - 2.0**-12, value + 2.0**-12):
                    for point in base:
                        yield (*point[:axis], moved, *point[axis + 1 :])

    def _at(self, point: Sequence[Any]) -> Arrays:
        return {n: _array([_exact(v)], ()) for n, v in zip(self.names, point, strict=True)}

    def _is_finite(self, point: Sequence[Any]) -> bool:
        with mp.workprec(64):
            return _is_moderate(_values(self.steps, self._at(point)))

    def _is_tame(self, point: Sequence[Any]) -> bool:
        """Whether differences in float64 see the derivatives: no joint or pole is near."""
        with mp.workprec(64):
            here = _values(self.program, self._at(point))
            for axis, name in enumerate(self.names):
                if name in self.masks:
                    continue
                x = point[axis]
                beside = [
                    (*point[:axis], x + d, *point[axis + 1 :]) for d in (-0.01, -0.005, 0.005, 0.01)
                ]
                moved = [_values(self.program, self._at(p)) for p in beside]
                for f, *sides in zip(here, *moved, strict=True):
                    a, b, c, d = (s.item() for s in sides)
                    near, far = (c - b) / 0.01, (d - a) / 0.02
                    bend = abs(b + c - 2 * f.item()) / 0.005
                    size = 1 + abs(near)
                    is_calm = abs(near - far) < 0.05 * size and bend < 0.2 * size
                    if not (is_calm and abs(f.item()) < 1e4 and abs(near) < 1e4):
                        return False
        return True

    def _stacked(self, points: Sequence[Sequence[Any]], shape: tuple[int, ...]) -> Tensors:
        columns = zip(*points, strict=True)
        return {n: self._tensor(n, c, shape) for n, c in zip(self.names, columns, strict=True)}

    def _tensor(self, name: str, values: Sequence[Any], shape: tuple[int, ...]) -> torch.Tensor:
        dtype = torch.bool if name in self.masks else torch.float64
        return torch.tensor(values, dtype=dtype).reshape(shape)

    def _broadcast(
        self, points: Sequence[Sequence[Any]], shapes: Sequence[tuple[int, ...]]
    ) -> Iterator[Tensors]:
        """Arguments of shapes that broadcast, when the formula is tame wherever they meet."""
        for offset in range(len(points)):
            tensors = {}
            for axis, (name, shape) in enumerate(zip(self.names, shapes, strict=True)):
                column = [points[(offset + k) % len(points)][axis] for k in range(math.prod(shape))]
                tensors[name] = self._tensor(name, column, shape)
            flat = [t.flatten().tolist() for t in _broadcast(*tensors.values())]
            if all(self._is_tame(point) for point in zip(*flat, strict=True)):
                yield tensors
                return

    def _arrays(self) -> Iterator[Tensors]:
        """Arguments of a formula with reductions: of one shape, broadcast, and 0-d."""
        full = (2, 3, *(2,) * (self.rank - 2))[: max(self.rank, 2)]
        several = len(self.names) > 1
        shapes = [[full] * len(self.names)]
        if several:
            # Axes of size 1, so that named dims mean the same for every argument.
            ones = [tuple(1 if a == k % 3 else n for a, n in enumerate(full)) for k in range(3)]
            shapes.append([ones[(k + 2) % 3] for k in range(len(self.names))])
        if not self.rank:
            shapes.append([()] * len(self.names))
        for chosen in shapes:
            found = self._finite_arrays(chosen)
            if found is not None:
                yield found

    def _finite_arrays(self, shapes: Sequence[tuple[int, ...]]) -> Tensors | None:
        for ranges in self._choices():
            tensors: Tensors = {}
            for name, shape, limits in zip(self.names, shapes, ranges, strict=True):
                drawn = [self.generator.uniform(*limits) for _ in range(math.prod(shape))]
                tensor = torch.tensor(drawn, dtype=torch.float64).reshape(shape)
                tensors[name] = tensor > 0 if name in self.masks else tensor
            with mp.workprec(64):
                if _is_moderate(_values(self.steps, _arrays_of(tensors))):
                    return tensors
        return None


def _broadcast(*tensors: torch.Tensor) -> list[torch.Tensor]:
    return list(torch.broadcast_tensors(*tensors))  # type: ignore[no-untyped-call]


def _is_moderate(values: Sequence[Array]) -> bool:
    """Whether numbers are finite, and neither overflow nor vanish in float32."""
    numbers = [v for a in values for v in a.flat]
    return bool(numbers) and all(
        mp.isfinite(v) and (v == 0 or _SMALL < abs(v) < _LARGE) for v in numbers
    )


@cache
def _slow() -> frozenset[str]:
    """Functions whose reference takes long."""
    from symop import special

    return frozenset(function.name for function in special.FUNCTIONS)


# The oracle


def _array(flat: Sequence[Any], shape: tuple[int, ...]) -> Array:
    result: Array = np.empty(len(flat), dtype=object)
    result[:] = flat
    return result.reshape(shape)


def _exact(value: Any) -> Any:
    return value if isinstance(value, bool) else mp.mpf(value)


def _arrays_of(tensors: Mapping[str, torch.Tensor]) -> Arrays:
    """The very numbers that the tensors hold."""
    return {
        n: _array([_exact(v) for v in t.detach().cpu().flatten().tolist()], tuple(t.shape))
        for n, t in tensors.items()
    }


def _values(program: Program, arrays: Arrays) -> list[Array]:
    """The outputs, NaN where they are not real; empty where a reduction has no value."""
    try:
        return [np.asarray(_reals(v), dtype=object) for v in evaluate(program, arrays)]
    except _NO_VALUE:
        shapes = {array.shape for array in arrays.values()}
        if not program.is_elementwise or len(shapes) != 1:
            return []
        (shape,) = shapes
        if not shape:
            return [_array([mp.nan], ()) for _ in program.outputs]
        points = zip(*(a.flat for a in arrays.values()), strict=True)
        single = [
            _values(program, {n: _array([v], ()) for n, v in zip(arrays, point, strict=True)})
            for point in points
        ]
        return [_array([p[k].item() for p in single], shape) for k in range(len(program.outputs))]


def _reals(values: Array) -> Array:
    flat = [mp.nan if isinstance(v, mp.mpc) else v for v in values.flat]
    return _array(flat, values.shape)


@dataclass(frozen=True)
class _Slope:
    """A derivative by differences from the left and from the right.

    spread: how much rounding the inputs, the incoming gradient among them, moves it.
    scale: the size of what it is the derivative of.
    """

    left: Any
    right: Any
    spread: Any
    scale: Any


class _Oracle:
    """A formula and its derivatives in high precision.

    An elementwise formula is differentiated everywhere at once, its arguments being of one
    shape; another element by element, its outputs weighed by cotangents.
    """

    def __init__(self, program: Program, arrays: Arrays, cotangents: Sequence[Array]) -> None:
        self.program = program
        self.arrays = arrays
        self.cotangents = cotangents
        self.elementwise = program.is_elementwise
        self.here = _values(program, arrays)
        self.real = [a.name for a in program.arguments if not a.is_mask]
        self.one_by_one = self.elementwise and len(self.real) <= _MAX_SINGLE
        elements = sum(arrays[name].size for name in self.real)
        self.inputs = len(self.real) if self.elementwise else elements

    def slopes(self) -> dict[tuple[int, str], list[_Slope]]:
        """The derivatives, by output and argument."""
        sides = {name: self._sides(self.arrays, self.here, name) for name in self.real}
        moved = self._moved()
        result = {}
        for name, by_output in sides.items():
            for k, (left, right, weight) in enumerate(by_output):
                central = (left + right) / 2
                spreads = [abs(m[name][k] - central) / _SHIFT for m in moved]
                base = abs(central) if self.elementwise else weight
                if self.one_by_one:
                    spread = sum(spreads, start=base)
                else:
                    # The sum of the sizes, estimated from sums of random sign.
                    square = sum((s**2 for s in spreads), start=0 * central)
                    roots = [mp.sqrt(v * self.inputs / len(moved)) for v in square]
                    spread = base + _array(roots, base.shape)
                scale = abs(self.here[k]).ravel() if self.elementwise else weight
                result[k, name] = [
                    _Slope(*parts) for parts in zip(left, right, spread, scale, strict=True)
                ]
        return result

    def spreads(self, slopes: Mapping[tuple[int, str], Sequence[_Slope]]) -> list[list[Any]]:
        """How much rounding the inputs moves each output."""
        if self.elementwise:
            result = []
            for k in range(len(self.here)):
                columns = [
                    [max(abs(s.left), abs(s.right)) * abs(x)
                     for s, x in zip(slopes[k, n], self.arrays[n].flat, strict=True)]
                    for n in self.real
                ]  # fmt: skip
                result.append([sum(parts) for parts in zip(*columns, strict=True)])
            return result
        totals = [np.zeros(value.size, dtype=object) for value in self.here]
        for name in self.real:
            for change, size in self._changes(self.arrays, self.here, name):
                for k, (behind, ahead) in enumerate(change):
                    totals[k] = totals[k] + abs((ahead - behind) / 2).ravel() * size
        return [list(total) for total in totals]

    def _moved(self) -> list[dict[str, list[Array]]]:
        """The derivatives after relative changes of the inputs."""
        changes: list[Arrays] = []
        if self.one_by_one:
            for name in self.real:
                x = self.arrays[name]
                changes.append({name: np.asarray(x + abs(x) * _SHIFT, dtype=object)})
        else:
            generator = random.Random(1)
            for _ in range(_SIGNS):
                changes.append({})
                for name in self.real:
                    x = self.arrays[name]
                    signs = _array([generator.choice((-1, 1)) for _ in range(x.size)], x.shape)
                    changes[-1][name] = np.asarray(x + abs(x) * signs * _SHIFT, dtype=object)
        result = []
        for change in changes:
            arrays = self.arrays | change
            here = _values(self.program, arrays)
            sides = {name: self._sides(arrays, here, name) for name in self.real}
            result.append({n: [(a + b) / 2 for a, b, _ in s] for n, s in sides.items()})
        return result

    def _sides(
        self, arrays: Arrays, here: list[Array], name: str
    ) -> list[tuple[Array, Array, Array]]:
        """For each output the slopes from both sides, flat, and the sizes of their terms."""
        if self.elementwise:
            ((change, _),) = self._changes(arrays, here, name)
            return [(left, right, abs(right)) for left, right in change]
        columns: list[list[tuple[Any, Any, Any]]] = [[] for _ in here]
        for change, _ in self._changes(arrays, here, name):
            for k, (left, right) in enumerate(change):
                c = self.cotangents[k].ravel()
                columns[k].append((sum(c * left), sum(c * right), sum(abs(c * right))))
        sides = []
        for column in columns:
            a, b, c = (_array([row[side] for row in column], (len(column),)) for side in range(3))
            sides.append((a, b, c))
        return sides

    def _changes(
        self, arrays: Arrays, here: list[Array], name: str
    ) -> Iterator[tuple[list[tuple[Array, Array]], Any]]:
        """Slopes of the outputs from the left and right, and the size of what was moved."""
        x = arrays[name]
        step = _array([_STEP * max(mp.mpf(1), abs(v)) for v in x.ravel().tolist()], x.shape)
        if self.elementwise:
            yield self._slopes_along(arrays, here, name, step, step.ravel()), None
            return
        for index in np.ndindex(*x.shape):
            single = np.zeros(x.shape, dtype=object)
            single[index] = step[index]
            yield self._slopes_along(arrays, here, name, single, step[index]), abs(x[index])

    def _slopes_along(
        self, arrays: Arrays, here: list[Array], name: str, step: Array, size: Any
    ) -> list[tuple[Array, Array]]:
        x = arrays[name]
        ahead = _values(self.program, arrays | {name: np.asarray(x + step, dtype=object)})
        behind = _values(self.program, arrays | {name: np.asarray(x - step, dtype=object)})
        if not ahead or not behind:
            unknown = [np.full(f.size, mp.nan, dtype=object) for f in here]
            return list(zip(unknown, unknown, strict=True))
        return [
            ((f.ravel() - b.ravel()) / size, (a.ravel() - f.ravel()) / size)
            for f, a, b in zip(here, ahead, behind, strict=True)
        ]


# Accuracy


class _Tally:
    """The errors of one quantity."""

    def __init__(self, dtype: torch.dtype) -> None:
        info = torch.finfo(dtype)
        self.eps, self.max = mp.mpf(info.eps), mp.mpf(info.max)
        self.digits = round(-math.log2(info.eps)) + 1
        self.lowest = round(math.log2(info.smallest_normal))
        self.errors: list[float] = []
        self.share = 0.0
        self.lost = 0

    def unit(self, value: Any) -> Any:
        """The unit in the last place of a value."""
        exponent = mp.frexp(value)[1] - 1 if value else self.lowest
        return mp.ldexp(1, max(exponent, self.lowest) - self.digits + 1)

    def add(self, computed: float, low: Any, high: Any, spread: Any, size: Any) -> None:
        """Add a number that should lie between two.

        spread: the error that inputs rounded to eps would cause, over eps.
        size: what the error is measured by where the number is 0.
        """
        if not (mp.isfinite(low) and mp.isfinite(high)) or max(abs(low), abs(high)) > self.max:
            return
        if not math.isfinite(computed):
            self.lost += 1
            return
        given = mp.mpf(computed)
        aim = min(max(given, low), high)
        unit = self.unit(aim if aim else size)
        error = abs(given - aim)
        allowed = _BOUND * max(unit, self.eps * spread) if mp.isfinite(spread) else mp.inf
        self.errors.append(float(error / unit))
        self.share = max(self.share, float(error / allowed))

    def accuracy(self, dtype: torch.dtype, quantity: str) -> Accuracy:
        """The errors, summed up."""
        ordered = sorted(self.errors) or [0.0]
        last = len(ordered) - 1
        return Accuracy(
            str(dtype).removeprefix("torch."), quantity, len(self.errors) + self.lost,
            ordered[last // 2], ordered[math.ceil(0.99 * last)], ordered[last], self.share,
            self.lost,
        )  # fmt: skip


def _accuracies(
    function: Function, program: Program, settings: Sequence[Tensors], notes: list[str]
) -> tuple[Accuracy, ...]:
    result = []
    for dtype in (torch.float64, torch.float32):
        tallies: dict[str, _Tally] = {}
        for setting in settings:
            _measure(function, program, setting, dtype, tallies, notes)
        result += [tally.accuracy(dtype, quantity) for quantity, tally in tallies.items()]
    return tuple(result)


def _measure(
    function: Function,
    program: Program,
    setting: Tensors,
    dtype: torch.dtype,
    tallies: dict[str, _Tally],
    notes: list[str],
) -> None:
    """Add the errors of the values and first derivatives at one setting."""
    if program.is_elementwise:
        flat = _broadcast(*setting.values())
        setting = {n: t.flatten() for n, t in zip(setting, flat, strict=True)}
    inputs = {n: t if t.dtype is torch.bool else t.to(dtype) for n, t in setting.items()}
    if not sum(t.numel() for t in inputs.values()):
        return
    leaves = {n: t.clone().requires_grad_() for n, t in inputs.items() if t.dtype is not torch.bool}
    results = function(*(inputs | leaves).values())
    values = results if isinstance(results, tuple) else (results,)
    weights = [_weights(value, program.is_elementwise) for value in values]
    with mp.workprec(_BITS):
        cotangents = [_arrays_of({"": w})[""] for w in weights]
        oracle = _Oracle(program, _arrays_of(inputs), cotangents)
        if not oracle.here:
            _note(notes, "the oracle has no value at an example; its accuracy was not measured")
            return
        _require_shapes(values, oracle.here)
        count = sum(t.numel() for t in leaves.values())
        differentiated = program.is_elementwise or count <= _MAX_DIFFERENCES
        if not differentiated:
            _note(
                notes,
                f"of {count} elements only the values were measured; derivatives of a formula "
                f"with reductions are measured up to {_MAX_DIFFERENCES}",
            )
        slopes = oracle.slopes() if differentiated else {}
        unknown = [[mp.inf] * v.size for v in oracle.here]
        spreads = oracle.spreads(slopes) if differentiated else unknown
        for k, output in enumerate(program.outputs):
            tally = tallies.setdefault(output.name, _Tally(dtype))
            rows = zip(_numbers(values[k]), oracle.here[k].flat, spreads[k], strict=True)
            for computed, exact, spread in rows:
                tally.add(computed, exact, exact, spread, mp.mpf(1))
        for k, output in enumerate(program.outputs):
            gradients = _gradients(values[k], list(leaves.values()), weights[k])
            for name, gradient in zip(leaves, gradients, strict=True):
                if (k, name) not in slopes or not _depends(program, k, name):
                    continue
                tally = tallies.setdefault(f"d {output.name} / d {name}", _Tally(dtype))
                for computed, slope in zip(_numbers(gradient), slopes[k, name], strict=True):
                    _add_slope(tally, computed, slope)


def _add_slope(tally: _Tally, computed: float, slope: _Slope) -> None:
    left, right, size = slope.left, slope.right, max(slope.scale, mp.mpf(1))
    if not (mp.isfinite(left) and mp.isfinite(right)):
        # One side of an edge of the domain: the convention is not the oracle's to know.
        return
    if max(abs(left), abs(right)) > _STEEP * size:
        return
    if abs(left - right) <= _SMOOTH * max(abs(left), abs(right), size):
        left = right = (left + right) / 2
        if abs(left) < _FLAT * size:
            left = right = mp.mpf(0)
    # At a joint every number between the slopes of its sides is a convention.
    tally.add(computed, min(left, right), max(left, right), slope.spread, size)


def _weights(value: torch.Tensor, plain: bool) -> torch.Tensor:
    """The incoming gradient of an output: ones, or for reductions numbers that are not alike."""
    if plain:
        return torch.ones_like(value)
    numbers = [((7 * k) % 11 - 4.75) / 4 for k in range(value.numel())]
    return torch.tensor(numbers, dtype=value.dtype, device=value.device).reshape(value.shape)


def _gradients(
    value: torch.Tensor, leaves: list[torch.Tensor], weight: torch.Tensor
) -> list[torch.Tensor]:
    if not value.requires_grad or not leaves:
        return [torch.zeros_like(leaf) for leaf in leaves]
    found = torch.autograd.grad(value, leaves, weight, retain_graph=True, allow_unused=True)
    return [torch.zeros_like(v) if g is None else g for g, v in zip(found, leaves, strict=True)]


def _numbers(tensor: torch.Tensor) -> list[float]:
    numbers: list[float] = tensor.detach().cpu().double().flatten().tolist()
    return numbers


@cache
def _depends(program: Program, output: int, name: str) -> bool:
    """Whether an output reads an argument."""
    mark = needed(program.nodes, [program.outputs[output].node])
    return any(
        alive and node.op == "argument" and node.value == name
        for alive, node in zip(mark, program.nodes, strict=True)
    )


def _require_shapes(values: Sequence[torch.Tensor], exact: Sequence[Array]) -> None:
    for value, right in zip(values, exact, strict=True):
        if tuple(value.shape) != right.shape:
            raise CallError(f"an output has the shape {tuple(value.shape)}; the formula gives "
                            f"{right.shape}")  # fmt: skip


def _note(notes: list[str], text: str) -> None:
    if text not in notes:
        notes.append(text)


# The table


def _report_lines(report: Report) -> Iterator[str]:
    held = sum(map(bool, report.checks))
    numbers = sum(a.points for a in report.accuracies)
    lost = sum(a.lost for a in report.accuracies)
    verdict = "holds" if report else "DOES NOT HOLD"
    yield f"{report.name} {verdict}"
    yield ""
    if report.checks:
        yield f"gradient checks in float64 ({held} of {len(report.checks)} examples hold)"
        rows = [["example", "gradcheck", "gradgradcheck", "forward mode"]]
        for check in report.checks:
            marks = ["fails" if f else "ok" for f in (check.first, check.second, check.forward)]
            rows.append([check.example, *marks])
        yield from _rows(rows, "<<<<")
        for check in report.checks:
            for failure in dict.fromkeys((check.first, check.second, check.forward)):
                if failure:
                    yield f"    {check.example}: {failure}"
        yield ""
    if report.accuracies:
        yield f"accuracy against mpmath in ULP ({numbers} numbers, {lost} not finite)"
        rows = [["dtype", "of", "points", "median", "99 %", "max", "of bound", "not finite"]]
        for a in report.accuracies:
            errors = [_figure(e) for e in (a.median, a.high, a.worst)]
            row = [a.dtype, a.quantity, str(a.points), *errors, _figure(a.share), str(a.lost)]
            rows.append(row)
        yield from _rows(rows, "<<>>>>>>")
        yield "    of bound: the largest error over what is allowed, 4 ULP or 4 times the error"
        yield "    that rounding the inputs causes; above 1 digits are lost"
    wrong = [a.quantity for a in report.accuracies if a.is_wrong]
    if wrong:
        yield f"wrong beyond rounding: {', '.join(wrong)}"
    for note in report.notes:
        yield f"note: {note}"


def _rows(rows: Sequence[Sequence[str]], sides: str) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = zip(row, sides, widths, strict=True)
        yield ("    " + "  ".join(f"{text:{side}{width}}" for text, side, width in cells)).rstrip()


def _figure(value: float) -> str:
    return f"{value:.2f}" if value < 1000 else f"{value:.1e}"
