"""What a formula may say: meaning, arguments, outputs, and every refusal."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
import torch

import symop

HOSTILE = json.loads((Path(__file__).parent / "data" / "hostile_inputs.json").read_text())
D = torch.float64


def value(formula, **values):
    op = symop.compile(formula)
    return op(**{n: torch.tensor(v, dtype=D) for n, v in values.items()}).item()


@pytest.mark.parametrize(
    ("formula", "values", "expected"),
    [
        ("0.1 + 0.2 + x", {"x": 0.0}, 0.3),
        ("2**3**2*x", {"x": 1.0}, 512.0),
        ("-x**2", {"x": 3.0}, -9.0),
        ("x % 3", {"x": -1.0}, 2.0),
        ("x // 2", {"x": -3.0}, -2.0),
        ("x if x > 0 else -x", {"x": -2.0}, 2.0),
        ("where(0 < x < 1 or x == 2, 1, -1)*x", {"x": 2.0}, 2.0),
        ("where(not x > 1, 5, x)", {"x": float("nan")}, 5.0),
        ("Piecewise((x, x > 0), (x**2, x > -1), (7, True))", {"x": -0.5}, 0.25),
        ("Max(x, 1, 3) + Min(x, 1)", {"x": 2.0}, 4.0),
        ("E*I + S + N + Q + O", {"E": 2.0, "I": 3, "S": 1, "N": 1, "Q": 1, "O": 1}, 10.0),
        ("beta + gamma + lam", {"beta": 1.0, "gamma": 2.0, "lam": 3.0}, 6.0),
        ("x**0", {"x": 0.0}, 1.0),
        ("0x10*x + 0b11 + 1_000", {"x": 1.0}, 1019.0),
        ("x # a comment", {"x": 4.0}, 4.0),
        ("torch*math", {"torch": 2.0, "math": 3.0}, 6.0),
        ("ctx + shape*needs", {"ctx": 1.0, "shape": 2.0, "needs": 3.0}, 7.0),
        ("grad_out*x + grad_x", {"grad_out": 2.0, "x": 3.0, "grad_x": 1.0}, 7.0),
    ],
)
def test_meaning(formula, values, expected):
    assert value(formula, **values) == expected


def test_argument_order_is_that_of_first_appearance():
    assert symop.compile("w*x + b").args == ("w", "x", "b")
    assert symop.compile("w*x + b", args=("b", "x", "w")).args == ("b", "x", "w")


def test_names_may_collide_with_those_of_derivatives():
    x = torch.tensor(1.5, dtype=D, requires_grad=True)
    g = torch.tensor(0.5, dtype=D, requires_grad=True)
    y = symop.compile("grad_out*x**2", args=("x", "grad_out"))(x, g)
    y.backward()
    assert (x.grad.item(), g.grad.item()) == (1.5, 2.25)


def test_an_argument_that_is_never_used_has_gradient_none():
    op = symop.compile("x**2", args=("x", "unused"))
    x, unused = (torch.tensor(3.0, requires_grad=True) for _ in range(2))
    op(x, unused).backward()
    assert x.grad == 6
    assert unused.grad is None


def test_a_constant_has_an_argument_where_args_names_one():
    op = symop.compile("0.3333333333333333333", args=("x",))
    x = torch.ones(3, dtype=D, requires_grad=True)
    assert op(x).item() == 1 / 3
    op(x).backward()
    assert torch.equal(x.grad, torch.zeros(3, dtype=D))


def test_a_cancelled_argument_broadcasts_and_has_gradient_zero():
    op = symop.compile("0*x + y")
    x, y = torch.ones(2, 3, requires_grad=True), torch.ones(3, requires_grad=True)
    out = op(x, y)
    assert out.shape == (2, 3)
    out.sum().backward()
    assert torch.equal(x.grad, torch.zeros(2, 3))
    assert torch.equal(y.grad, torch.full((3,), 2.0))


def test_outputs():
    assert symop.compile("h = tanh(x)\ny = h*w").outputs == ("y",)
    assert symop.compile("h = tanh(x); y = h*w", outputs=("h", "y")).outputs == ("h", "y")
    assert symop.compile("p = x + 1; q = x*w").outputs == ("p", "q")
    assert symop.compile("x*w").outputs == ("out",)
    assert symop.compile(["x*w", "x + w"]).outputs == ("out0", "out1")
    op = symop.compile({"h": "tanh(x)", "y": "h*w"})
    assert (op.outputs, op.args) == (("h", "y"), ("x", "w"))
    assert isinstance(op(torch.ones(2), torch.ones(2)), tuple)


@pytest.mark.parametrize(
    ("source", "masks"),
    [
        ("where(m, 1, 2)", "m"),
        ("sum(where(m, 1, where(n, 2, 3)), -1)", "m, n"),
        ("h = 1 if m and not n else 2; h**2", "m, n"),
        ({"a": "where(m, 1, 2)", "b": "where(n, a, 0)"}, "m, n"),
        (lambda m: torch.where(m, 1.0, 2.0), "m"),
    ],
)
def test_masks_alone_are_refused(source, masks):
    with pytest.raises(
        symop.FormulaError, match=rf"conditions alone .*\({masks}\).*where\(m, x, y"
    ):
        symop.compile(source)


def test_masks_beside_an_argument_that_is_not_used():
    op = symop.compile("where(m, 1, 2)", args=("m", "x"))
    x = torch.ones(2, dtype=torch.float64, requires_grad=True)
    out = op(torch.tensor([True, False]), x)
    assert out.tolist() == [1, 2]
    assert out.dtype is torch.float64
    assert torch.autograd.grad(out.sum(), x)[0].tolist() == [0, 0]


def test_masks():
    op = symop.compile("where(mask and x > 0, x*w, -x)")
    x = torch.tensor([1.0, -2.0, 3.0], requires_grad=True)
    mask = torch.tensor([True, True, False])
    out = op(mask, x, 2.0)
    assert torch.equal(out, torch.tensor([2.0, 2.0, -3.0]))
    out.sum().backward()
    assert torch.equal(x.grad, torch.tensor([2.0, -1.0, -1.0]))


def test_an_op_called_inside_a_formula():
    P3 = symop.compile("0.5*(5*x**3-3*x)")
    model = symop.compile("a + b*P3(c + d*x)", functions={"P3": P3})
    assert model.args == ("a", "b", "c", "d", "x")
    x = torch.linspace(-1, 1, 5, dtype=D)
    inner = 0.1 + 0.3 * x
    expected = 1 - 2 * 0.5 * (5 * inner**3 - 3 * inner)
    assert torch.allclose(model(1.0, -2.0, 0.1, 0.3, x), expected, rtol=1e-14)


def test_numbers_and_dtypes_promote_as_in_torch():
    op = symop.compile("w*x + b")
    half, single, double = (torch.ones(2, dtype=t) for t in (torch.bfloat16, torch.float32, D))
    whole = torch.ones(2, dtype=torch.int64)
    assert op(2, 3, 4) == 10
    assert op(2, 3, 4).shape == ()
    assert op(single, double, 1).dtype == D
    assert op(single, torch.tensor(1.0, dtype=D), 1).dtype == torch.float32
    assert op(whole, whole, 1).dtype == torch.float32
    assert op(whole, half, 1.5).dtype == torch.bfloat16
    assert op(whole, torch.tensor(1.0, dtype=D), 1).dtype == D
    # Integers count as in true division: not even an intermediate one is truncated.
    divided = symop.compile("i/j*x")(torch.tensor([1]), torch.tensor([3]), double[:1])
    assert divided.item() == 1 / 3


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_rounded_once(dtype):
    op = symop.compile("exp(x) - 1 + x*x - sin(x)")
    x = torch.linspace(-2, 2, 400).to(dtype)
    assert torch.equal(op(x), op(x.float()).to(dtype))
    a, b = x.clone().requires_grad_(), x.float().requires_grad_()
    op(a).sum().backward()
    op(b).sum().backward()
    assert torch.equal(a.grad, b.grad.to(dtype))


def entries(target):
    return [e for e in HOSTILE["entries"] if e["target"] == target]


def text_of(entry):
    if isinstance(entry["input"], dict):
        return "".join(piece * count for piece, count in entry["input"]["repeat"])
    return entry["input"]


# A literal without an argument is refused like every formula without one (design, section 2).
NO_ARGUMENT = {"dos-10"}


@pytest.mark.parametrize("entry", entries("expr"), ids=lambda e: e["id"])
def test_hostile_formulas(entry):
    text = text_of(entry)
    start = time.perf_counter()
    op = refusal = None
    try:
        op = symop.compile(text)
    except symop.SymopError as error:
        refusal = str(error)
    assert time.perf_counter() - start < 0.5
    if entry["verdict"] == "reject" or entry["id"] in NO_ARGUMENT:
        assert refusal is not None, op
    elif entry["verdict"] == "accept":
        assert refusal is None
        assert "vars" not in entry or sorted(op.args) == sorted(entry["vars"])


@pytest.mark.parametrize("entry", entries("op_name"), ids=lambda e: e["id"])
def test_hostile_names(entry):
    if entry["verdict"] == "reject":
        with pytest.raises(symop.NamingError):
            symop.generate("x + 1", name=entry["input"])
    else:
        with pytest.raises(symop.SymopError):
            symop.generate("x + 1", name=entry["input"])


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("sgimoid(x)", "did you mean sigmoid"),
        ("sin(x, y)", r"sin takes 1 argument \(x\), 2 were given"),
        ("x > 0", r"where\(condition, 1, 0\)"),
        ("lambda*x", "keyword"),
        ("x^2", "powers are written"),
        ("x +", "line|expression"),
        ("x = 1", "no argument"),
        ("y = x; y = x*2", "assigned twice"),
        ("y = x*h; h = 2*x", "read as an argument"),
        ("a = x + 1; x*2", "never used"),
        ("where(m, x, m)", "condition and as a number"),
        ("sum(x, d)", "integer"),
        ("legendre(n, x)", "number written out"),
        ("x**10**400", "4096 bits|too large"),
        ("softmax(x, dim=-1, k=2)", "no keyword k"),
        ("x.T", "attribute access cannot stand in a formula; numbers, names"),
        ("where(x > 0, x)", "two values, 2 arguments were given"),
        ("qqqq(x)", r"docs/functions\.md lists"),
        ("1j*x", "real"),
    ],
)
def test_refusals_say_what_would_be_accepted(formula, message):
    with pytest.raises(symop.FormulaError, match=message) as caught:
        symop.compile(formula)
    assert isinstance(caught.value, ValueError)


def test_several_problems_are_reported_together_with_carets():
    with pytest.raises(symop.FormulaError) as caught:
        symop.compile("foo(x) + sin(x, y)\n")
    text = str(caught.value)
    assert len(caught.value.problems) == 2
    assert "foo" in text
    assert "sin takes" in text
    assert text.count("^") >= 2


def test_the_caret_stands_under_the_fault():
    with pytest.raises(symop.FormulaError) as caught:
        symop.compile("y = x + 1\n   z = y + foo(x)")
    lines = str(caught.value).split("\n")
    assert "line 2" in lines[0]
    assert lines[2].index("^") == lines[1].index("foo")


def test_deep_and_long_formulas_are_refused_or_read():
    assert symop.compile("+".join(["x"] * 500)).args == ("x",)
    for text in ("(" * 5000 + "x" + ")" * 5000, "-" * 20_000 + "x", "x" + "**x" * 200):
        with pytest.raises(symop.FormulaError):
            symop.compile(text)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((torch.ones(2), torch.ones(3), 1.0), "do not broadcast"),
        ((torch.ones(2, dtype=torch.complex64), 1.0, 1.0), "complex"),
        ((torch.ones(2).to_sparse(), 1.0, 1.0), "layout"),
        (("text", 1.0, 1.0), "w is a str"),
        ((1.0, 2.0), "b was not given"),
        ((1.0, 2.0, 3.0, 4.0), "4 values"),
    ],
)
def test_bad_calls_name_the_op_and_the_argument(values, message):
    op = symop.compile("w*x + b", name="affine")
    with pytest.raises(symop.CallError, match=message) as caught:
        op(*values)
    assert "affine" in str(caught.value)


@pytest.mark.filterwarnings("ignore:.*(quantized tensor creation|nested tensors is in prototype)")
def test_quantized_and_nested_tensors_are_refused_by_name():
    op = symop.compile("w*x + b", name="affine")
    quantized = torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8)
    with pytest.raises(symop.CallError, match=r"affine: x is quantized .*x\.dequantize\(\)"):
        op(torch.ones(2), quantized, 1.0)
    nested = torch.nested.nested_tensor([torch.ones(2), torch.ones(1)])
    with pytest.raises(symop.CallError, match="affine: w is a nested tensor"):
        op(nested, torch.ones(2), 1.0)


def test_arguments_by_name():
    op = symop.compile("w*x + b", name="affine")
    assert op(2.0, b=1.0, x=3.0) == 7
    with pytest.raises(symop.CallError, match="no argument z"):
        op(1.0, 2.0, 3.0, z=1)
    with pytest.raises(symop.CallError, match="by position and by name"):
        op(1.0, 2.0, 3.0, w=1)
