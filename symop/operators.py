"""What `symop.compile` returns: an operator, and the operators that are its derivatives."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any
from weakref import WeakValueDictionary

from torch import Tensor
from torch.compiler import is_dynamo_compiling
from torch.fx import Proxy
from torch.nn import Parameter

from symop.compiler import Formula
from symop.differentiation import vjp
from symop.dispatch import Dispatch
from symop.errors import CallError, DerivativeError
from symop.formulas import formula_lines
from symop.loading import load
from symop.modules import OpModule
from symop.names import class_name
from symop.orders import extend
from symop.plain import plain
from symop.program import Program
from symop.tangents import elementwise_derivative, jvp
from symop.tidying import tidy

_TENSORS = frozenset({Tensor, Parameter})


class Op:
    """A formula as a differentiable PyTorch operator.

    Call it with tensors or numbers, by position or by name; the arguments broadcast, and
    their dtypes promote, as in torch. Made by `symop.compile`. An op never changes; it may be
    copied, pickled and shared by threads.

    Example:
        >>> import symop, torch
        >>> P3 = symop.compile("0.5*(5*x**3-3*x)")
        >>> x = torch.tensor(2.0, requires_grad=True)
        >>> P3(x).backward()
        >>> x.grad
        tensor(28.5000)
    """

    _vjp: Op
    _jvp: Op

    def __init__(self, formula: Formula) -> None:
        self._formula = formula
        self.__name__ = formula.name
        module = load(formula.name, formula.module_text, lambda new: _continued(new, formula))
        self._call = getattr(module, formula.name)
        self._run: Callable[..., Any] = self._plain
        if formula.backend != "torch":
            self._run = Dispatch(formula, module, self._plain, self._take, Op)
        self._arity = len(formula.program.arguments)
        self._key = id(self)
        _OPS[self._key] = self
        self._function = getattr(module, class_name(formula.name))

    @property
    def name(self) -> str:
        """The name of the op.

        Example:
            >>> import symop
            >>> symop.compile("w*x + b", name="affine").name
            'affine'
        """
        return self._formula.name

    @property
    def args(self) -> tuple[str, ...]:
        """The names of the arguments, in the order of a call.

        Example:
            >>> import symop
            >>> symop.compile("w*x + b").args
            ('w', 'x', 'b')
        """
        return tuple(a.name for a in self.program.arguments)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the outputs; a call returns a tuple where there are several.

        Example:
            >>> import symop
            >>> symop.compile("u = x**2; y = sin(u); z = cos(u)").outputs
            ('y', 'z')
        """
        return tuple(o.name for o in self.program.outputs)

    @property
    def saved(self) -> tuple[str, ...]:
        """The arguments and outputs kept for backward, when every gradient is needed.

        Example:
            >>> import symop
            >>> symop.compile("w*x + b").saved, symop.compile("tanh(x + w)*b").saved
            (('w', 'x'), ('x', 'w', 'b'))
        """
        return self._formula.plan.saved

    @property
    def text(self) -> tuple[str, ...]:
        """The formula as it was written, as lines `name = expression`.

        Example:
            >>> import symop
            >>> symop.compile("h = w*x; tanh(h)").text
            ('h = w*x', 'out = tanh(h)')
        """
        return self._formula.text

    @property
    def precision(self) -> str:
        """What the op is evaluated in, `standard`, or `high` for float64 rounded once.

        Example:
            >>> import symop
            >>> symop.compile("x**2", precision="high").precision
            'high'
        """
        return self._formula.precision

    @property
    def program(self) -> Program:
        """The formula as the stages of symop pass it on, with its rewrites.

        Example:
            >>> import symop
            >>> symop.compile("exp(x) - 1").program.nodes[-1].op
            'expm1'
        """
        return self._formula.program

    @property
    def written(self) -> Program:
        """The formula as it was written, before any rewrite.

        Example:
            >>> import symop
            >>> symop.compile("exp(x) - 1").written.nodes[-1].op
            'sub'
        """
        return self._formula.written

    @property
    def source(self) -> str:
        """The text of the generated module that runs, which needs torch alone.

        Example:
            >>> import symop
            >>> print(symop.compile("w*x + b", name="affine").source.splitlines()[0])
            \"\"\"affine: out = w*x + b, a PyTorch operator generated by symop.
        """
        return self._formula.module_text

    @property
    def function(self) -> Any:
        """The `torch.autograd.Function` subclass, for `op.function.apply(...)`.

        `apply` takes tensors of one real dtype, by position.

        Example:
            >>> import symop, torch
            >>> symop.compile("w*x + b").function.apply(*torch.tensor([2.0, 3.0, 1.0]))
            tensor(7.)
        """
        return self._function

    def __call__(self, /, *values: Any, **named: Any) -> Any:
        """The value for the given tensors and numbers.

        Args:
            values: tensors of real dtypes, or numbers, whose shapes broadcast, in the order of
                `args`; masks are tensors of truth values.
            named: the same by name.

        Returns:
            A tensor of the broadcast shape and the promoted dtype, or that a reduction leaves; a
            tuple where there are several outputs. float16 and bfloat16 are computed in float32
            and rounded once.

        Raises:
            CallError: the values are too few or too many, or cannot be combined.

        Example:
            >>> import symop, torch
            >>> affine = symop.compile("w*x + b")
            >>> affine(2.0, torch.tensor([1.0, 2.0]), b=torch.zeros(3, 1)).shape
            torch.Size([3, 2])
        """
        if not (named or is_dynamo_compiling()):
            return self._run(*values)
        if is_dynamo_compiling() or any(isinstance(v, Proxy) for v in (*values, *named.values())):
            return self._plain(*values, **named)
        return self._run(*self._bound(values, named))

    def _take(self, run: Callable[..., Any]) -> None:
        self._run = run

    def _plain(self, /, *values: Any, **named: Any) -> Any:
        """A call by plain operations, with whatever values; says what is wrong with them."""
        if named or len(values) != self._arity or not _TENSORS.issuperset(map(type, values)):
            traced = [v for v in (*values, *named.values()) if isinstance(v, Proxy)]
            if traced:
                # Inside a function that is being traced, the call stays one node of its graph.
                return traced[0].tracer.create_proxy("call_function", self, values, named)
            values = self._bound(values, named)
        try:
            return self._call(*values)
        except (TypeError, ValueError, RuntimeError, AttributeError) as error:
            problem = self._diagnosis(values)
            if problem is None:
                raise
            raise CallError(f"{self.name}: {problem}") from error

    def _bound(self, values: tuple[Any, ...], named: Mapping[str, Any]) -> tuple[Any, ...]:
        names = self.args
        unknown = [n for n in named if n not in names]
        if unknown:
            raise CallError(f"{self.name} has no argument {unknown[0]}; it takes {_listed(names)}")
        if len(values) > len(names):
            raise CallError(f"{self.name} takes {_listed(names)}; {len(values)} values were given")
        bound = dict(zip(names, values, strict=False))
        twice = [n for n in named if n in bound]
        if twice:
            raise CallError(f"{self.name}: {twice[0]} was given by position and by name")
        bound.update(named)
        missing = [n for n in names if n not in bound]
        if missing:
            raise CallError(f"{self.name} takes {_listed(names)}; {_listed(missing)} was not given")
        return tuple(bound[n] for n in names)

    def _diagnosis(self, values: tuple[Any, ...]) -> str | None:
        """What is wrong with the values of a call, None when that is not known."""
        from symop.diagnosis import problem_of

        return problem_of(self.program, values)

    def module(self, /, **constants: Any) -> OpModule:
        """An `nn.Module` in which some arguments are constants of its own.

        Args:
            constants: by the names of arguments. A number, a floating tensor (which is copied)
                or an `nn.Parameter` (which is shared) becomes a Parameter, that is, trainable;
                a `torch.nn.Buffer` a buffer. Numbers become 0-d tensors of the default dtype.

        Returns:
            A module that is called with the other arguments, in the order of the op or by name.

        Raises:
            CallError: a name is no argument or is taken by nn.Module, or a value cannot be what
                it would have to be.

        Example:
            >>> import symop, torch
            >>> wave = symop.compile("a*sin(k*x)").module(a=2.0, k=torch.nn.Buffer(torch.ones(3)))
            >>> wave
            OpModule(
              out = a*sin(k*x)
              trainable: a ()
              buffer: k (3,)
              arguments: x
            )
            >>> sorted(wave.state_dict())
            ['a', 'k']
            >>> wave(torch.zeros(3)).shape
            torch.Size([3])
        """
        return OpModule(self, constants)

    # Derivatives

    def d(self, argument: str, order: int = 1) -> Op:
        """The elementwise derivative by one argument, in the broadcast shape, not summed.

        Args:
            argument: the name of the argument.
            order: how often to differentiate, at least 1.

        Returns:
            An op of the same arguments and outputs.

        Raises:
            DerivativeError: the formula has reductions (its gradients are those of `vjp`), the
                argument does not exist or is a mask, or the order is no positive integer.

        Example:
            >>> import symop, torch
            >>> wave = symop.compile("a*sin(k*x)")
            >>> wave.d("x", 2)(2.0, 3.0, torch.tensor([0.0, 0.5]))
            tensor([ -0.0000, -17.9549])
        """
        name = f"_d_{argument}_{order}"
        _derive(self._key, name, "d", argument, order)
        derivative: Op = getattr(self, name)
        return derivative

    def _elementwise(self, argument: str, order: int) -> Op:
        if argument not in self.args or self.program.argument(argument).is_mask:
            real = [a.name for a in self.program.arguments if not a.is_mask]
            raise DerivativeError(
                f"{self.name} has no derivative by {argument!r}; it has by {_listed(real)}"
            )
        if type(order) is not int or order < 1:
            raise DerivativeError(f"the order of a derivative is a positive integer, not {order!r}")
        if not self.program.is_elementwise:
            raise DerivativeError(
                f"{self.name} has reductions and no elementwise derivative; "
                f"its gradients are {self.name}.vjp, its tangents {self.name}.jvp"
            )
        program = self.program
        for _ in range(order):
            program = tidy(elementwise_derivative(program, argument))
        suffix = f"_{order}" if order > 1 else ""
        return _derived(f"{self.name}_d_{argument}{suffix}", program, self._formula)

    @property
    def vjp(self) -> Op:
        """The op of the gradients, from the arguments and `grad_<output>` to `grad_<argument>`.

        Each gradient has the shape of its argument; masks have none.

        Example:
            >>> import symop, torch
            >>> affine = symop.compile("w*x + b")
            >>> affine.vjp.args, affine.vjp.outputs
            (('w', 'x', 'b', 'grad_out'), ('grad_w', 'grad_x', 'grad_b'))
            >>> affine.vjp(2.0, torch.tensor([1.0, 3.0]), 0.0, torch.ones(2))
            (tensor(4.), tensor([2., 2.]), tensor(2.))
        """
        _derive(self._key, "_vjp", "vjp")
        return self._vjp

    @property
    def jvp(self) -> Op:
        """The op of the tangents, from the arguments and `d_<argument>` to `d_<output>`.

        Each tangent has the shape of what it belongs to.

        Example:
            >>> import symop, torch
            >>> square = symop.compile("x**2")
            >>> square.jvp.args
            ('x', 'd_x')
            >>> square.jvp(torch.tensor(3.0), 1.0)
            tensor(6.)
        """
        _derive(self._key, "_jvp", "jvp")
        return self._jvp

    # Symbolic views

    @cached_property
    def expressions(self) -> dict[str, Any]:
        """The outputs as sympy expressions, by name, as the formula was written.

        Example:
            >>> import symop
            >>> symop.compile("exp(x) - 1").expressions
            {'out': exp(x) - 1}
        """
        from symop.symbolic import expressions

        return expressions(self.written)

    @cached_property
    def gradients(self) -> dict[tuple[str, str], Any]:
        """The derivatives as sympy expressions, by (output, argument).

        The partial derivative where the output is elementwise in the argument, else the vjp
        with the symbol `grad_<output>`.

        Example:
            >>> import symop
            >>> symop.compile("a*x**2").gradients
            {('out', 'a'): x**2, ('out', 'x'): 2*a*x}
        """
        from symop.symbolic import gradients

        return gradients(self.written)

    def check(self, *examples: tuple[Any, ...]) -> Any:
        """Prove the op: gradcheck to second order, forward mode, and accuracy against mpmath.

        Args:
            examples: tuples of values to call the op with; without any, examples are made
                from the domains of the functions in the formula.

        Returns:
            A report that prints as a table and is true when everything holds. Errors are in
            ULP, units in the last place of the dtype.

        Raises:
            CallError: an example cannot be a call of the op.

        Example:
            >>> import symop
            >>> report = symop.compile("x**2").check()
            >>> bool(report), report.accuracies[0].dtype
            (True, 'float64')
        """
        from symop.checking import check

        return check(self, *examples)

    def plot(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        at: Mapping[str, float] | None = None,
        over: Mapping[str, tuple[float, float]] | None = None,
    ) -> Any:
        """Draw values, derivatives to the second order, and errors in ULP, with matplotlib.

        Along one argument as curves, over two as maps. Derivatives are drawn in float64; errors
        are those of value and gradients against mpmath, in float64, float32 and bfloat16 along
        one argument, in float32 over two.

        Args:
            path: a file to write, .png, .svg or .pdf; without, nothing is written.
            at: the values of the arguments that do not move, by name; masks as 0 or 1.
            over: where the others begin and end, by name; without, from -5 to 5, or as far as
                the domains of the functions in the formula go.

        Returns:
            The figure, a `matplotlib.figure.Figure`.

        Raises:
            CallError: the op has reductions, none or more than two arguments are left to move,
                or matplotlib is not installed.
            FileError: the file cannot be written.

        Example:
            >>> import symop
            >>> swish = symop.compile("x*sigmoid(beta*x)")
            >>> figure = swish.plot(at={"beta": 1.5}, over={"x": (-4, 4)})
            >>> [axes.get_title() for axes in figure.axes]
            ['value and derivatives', 'error in ULP (dotted: 4)']
        """
        from symop.plotting import plot, region_of

        target = None if path is None else Path(path)
        return plot(self, target, region_of(self, at or {}, over))

    def __reduce__(self) -> tuple[Any, ...]:
        return Op, (self._formula,)

    def __deepcopy__(self, memo: Any) -> Op:
        # An op never changes; the copy of a model shares it, as it shares functions.
        return self

    def __copy__(self) -> Op:
        return self

    def __repr__(self) -> str:
        return f"<op {self.name}({', '.join(self.args)}): {'; '.join(self._formula.text)}>"

    def _repr_latex_(self) -> str:
        from symop.mathematics import aligned, formula_equations

        return f"$${aligned(formula_equations(self.written))}$$"

    def _repr_html_(self) -> str:
        from symop.notebook import op_html

        return op_html(self)


def _continued(module: ModuleType, formula: Formula) -> None:
    """Give a module that was just loaded its third and higher orders."""
    if formula.plan.second:
        gradient = getattr(module, f"{class_name(formula.name)}Backward")
        name = f"{formula.name}_backward"
        extend(gradient, formula.plan, lambda program: _vjp_op(name, program, formula))


# Ops by their keys; an op that nobody holds any more is in no call either.
_OPS: WeakValueDictionary[int, Op] = WeakValueDictionary()
_deriving = threading.RLock()


def _derive(key: int, name: str, kind: str, *details: Any) -> None:
    """Give the op of a key an op derived from it as an attribute, unless it has it."""
    op = _OPS[key]
    with _deriving:
        if name not in vars(op):
            setattr(op, name, _MAKERS[kind](op, *details))


# A compiled function may ask for a derivative. torch.compile runs this function while it traces,
# with arguments that must be constants, and then reads the attribute like any other.
_derive._dynamo_marked_constant = True  # type: ignore[attr-defined]

_MAKERS: dict[str, Callable[..., Op]] = {
    "d": Op._elementwise,
    "vjp": lambda op: _vjp_op(op.name, op.program, op._formula),
    "jvp": lambda op: _derived(f"{op.name}_jvp", tidy(jvp(op.program)), op._formula),
}


def _derived(name: str, program: Program, of: Formula) -> Op:
    text = tuple(formula_lines(plain(program)))
    return Op(Formula(name, program, text, of.precision, backend=of.backend))


def _vjp_op(name: str, program: Program, of: Formula) -> Op:
    return _derived(f"{name}_vjp", tidy(vjp(program)), of)


def _listed(names: Any) -> str:
    return ", ".join(names)
