"""Recording the calls of a Python function of torch operations, with the places they stand at."""

from __future__ import annotations

import inspect
import sys
import traceback
import types
from collections.abc import Callable, Iterator, Mapping
from numbers import Real
from pathlib import Path
from typing import Any, NoReturn

import torch
from torch import fx

from symop.errors import FormulaError, Problem
from symop.names import argument_problem
from symop.program import Program
from symop.syntax import MAX_NODES

_SKIPPED = (str(Path(torch.__file__).parent), str(Path(__file__).parent))


class _Callee:
    """A program that can be called while a function is traced."""

    def __init__(self, name: str, program: Program, tracer: Tracer) -> None:
        self.__name__ = name
        self.program = program
        self.tracer = tracer

    def __call__(self, *values: Any, **named: Any) -> fx.Proxy:
        return self.tracer.create_proxy("call_function", self, values, named)


def with_globals(
    function: Callable[..., Any], functions: Mapping[str, Program], tracer: Tracer
) -> Callable[..., Any]:
    """The function, with the programs in its namespace."""
    if not isinstance(function, types.FunctionType) or not functions:
        return function
    stubs = {name: _Callee(name, program, tracer) for name, program in functions.items()}
    known = {**function.__globals__, **stubs}
    code, closure = function.__code__, function.__closure__
    return types.FunctionType(code, known, function.__name__, function.__defaults__, closure)


class Tracer(fx.proxy.GraphAppendingTracer):
    """Records the calls of one function, with the places where they stand."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(fx.Graph())
        self.function = function
        self.who = getattr(function, "__name__", type(function).__name__)
        self.places: dict[fx.Node, str] = {}
        self.has_gradients = torch.is_grad_enabled()

    def refuse(self, message: str, place: str | None = None) -> NoReturn:
        """Stop with a problem at a place, that of the running line when none is given."""
        where = _place(traceback.walk_stack(sys._getframe())) if place is None else place
        raise FormulaError([Problem(f"{self.who}{where}: {message}")])

    def parameters(self) -> list[str]:
        """The names of the parameters of the function."""
        try:
            found = inspect.signature(self.function).parameters.values()
        except (TypeError, ValueError):
            self.refuse(f"its parameters are not known; write lambda x: {self.who}(x)", "")
        for parameter in found:
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                self.refuse(f"takes {parameter}; each argument must have a name", "")
            problem = argument_problem(parameter.name)
            if problem or parameter.name == "pi":
                self.refuse(problem or "pi is a constant and cannot be an argument", "")
        return [parameter.name for parameter in found]

    def run(self, function: Callable[..., Any]) -> Any:
        """Record the function; what it returns."""
        given: list[Any] = []
        named: dict[str, Any] = {}
        for name, parameter in inspect.signature(self.function).parameters.items():
            proxy = self.create_proxy("placeholder", name, (), {})
            if parameter.kind is parameter.KEYWORD_ONLY:
                named[name] = proxy
            else:
                given.append(proxy)
        try:
            return function(*given, **named)
        except FormulaError:
            raise
        except Exception as error:
            place = _place((f, n) for f, n in reversed([*traceback.walk_tb(error.__traceback__)]))
            detail = ascii(str(error).split("\n")[0])[1:-1][:200]
            hint = "; only torch's functions take arguments" if "Proxy" in detail else ""
            message = f"it cannot be traced: {type(error).__name__}: {detail}{hint}"
            raise FormulaError([Problem(f"{self.who}{place}: {message}")]) from error

    def create_node(self, *args: Any, **kwargs: Any) -> fx.Node:
        """Add a call, and keep where it stands."""
        if torch.is_grad_enabled() != self.has_gradients:
            self.refuse("switching gradients on and off is not traced; write x.detach()")
        if len(self.places) >= MAX_NODES:
            self.refuse(f"more than {MAX_NODES} operations")
        node = super().create_node(*args, **kwargs)
        self.places[node] = _place(traceback.walk_stack(sys._getframe()))
        return node

    def create_arg(self, a: Any) -> Any:
        """An operand: a traced value, a number, or an option."""
        match a:
            case fx.Proxy():
                return a.node
            case tuple() | list():
                return tuple(self.create_arg(part) for part in a)
            case dict():
                return {key: self.create_arg(value) for key, value in a.items()}
            case torch.Tensor():
                self.refuse("a tensor of the surroundings cannot be traced; make it an argument")
            case None | str() | Real() | torch.dtype() | types.EllipsisType() | slice():
                return a
            case complex():
                self.refuse("every formula is real; a complex number was found")
        return self.refuse(f"a {type(a).__name__} cannot stand in a formula; numbers can")

    def to_bool(self, obj: fx.Proxy) -> bool:
        """Refuse `if`, `while`, `and`, `or`, `not`, `assert` on a traced value."""
        return self.refuse("it branches on an argument; write torch.where(condition, a, b)")

    def iter(self, obj: fx.Proxy) -> Iterator[Any]:
        """Refuse `for` over a traced value."""
        return self.refuse("it loops over an argument; formulas are elementwise")

    def keys(self, obj: fx.Proxy) -> Any:
        """Refuse ** on a traced value."""
        return self.refuse("an argument is no mapping")


def _place(frames: Any) -> str:
    """Where the user's own code stands, among frames with the innermost first."""
    for frame, line in frames:
        file = frame.f_code.co_filename
        if not file.startswith(_SKIPPED):
            return f", line {line} of {ascii(file)[1:-1]}"
    return ""
