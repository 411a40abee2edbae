"""Programs in the functions that a formula can call, for docstrings and for people.

Rewriting and derivatives bring in functions of our own, opaque so that nothing cancels in them.
Here each stands as the plain formula that it is equal to, digits aside: what is shown is to be
read, and can be typed again.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from fractions import Fraction
from math import factorial

from symop.expansions import EXPANSIONS
from symop.functions import table
from symop.parsing import expand
from symop.program import Builder, Program, with_operands, without_dead_nodes
from symop.remainders import plain as rest

# What each internal function is; those under another public name are renamed when they print.
FORMULAS = {
    "bose": "1/(exp(x) - 1)",
    "bose_1": "-exp(x)/(exp(x) - 1)**2",
    "gap": "a - b",
    "hypot_slope": "x/hypot(x, y)",
    "sech2": "1 - tanh(x)**2",
    "gaussian": "exp(-x**2)",
    "gaussian_half": "exp(-x**2/2)",
    "normal_density": "exp(-x**2/2)/sqrt(2*pi)",
    "gelu_slope": "ndtr(x) + x*exp(-x**2/2)/sqrt(2*pi)",
    "erfcx_1": "1/sqrt(pi) - x*erfcx(x)",
    "erfcx_2": "((2*x**2 + 1)*erfcx(x) - 2*x/sqrt(pi))/4",
    "inverse_mills": "exp(-x**2/2)/(sqrt(2*pi)*ndtr(x))",
    "spherical_k1": "(sin(x) - x*cos(x))/x**3",
    "spherical_k2": "((3 - x**2)*sin(x) - 3*x*cos(x))/x**5",
    "spherical_k3": "((15 - 6*x**2)*sin(x) - (15*x - x**3)*cos(x))/x**7",
    "i1_ratio1": "i1(x)/x",
    "i1_ratio2": "(x*i0(x) - 2*i1(x))/x**3",
    "i1_ratio3": "((x**2 + 8)*i1(x) - 4*x*i0(x))/x**5",
    "i1e_ratio1": "i1e(x)/x",
    "i1e_ratio2": "(x*i0e(x) - 2*i1e(x))/x**3",
    "mish_gate": "tanh(softplus(x))",
    "mish_slope": "t = tanh(softplus(x))\nt + x*((1 - t)*(1 + t)*sigmoid(x))",
    "mish_cogate": "1 - tanh(softplus(x))",
    "lgamma_gap": "lgamma(b + d) - lgamma(b)",
    "digamma_gap": "digamma(b + d) - digamma(b)",
    "exprel": "(exp(x) - 1)/x",
    "exprel_1": "(1 + (x - 1)*exp(x))/x**2",
    "inverse_exprel": "x/(exp(x) - 1)",
    "inverse_exprel_1": "(x*exp(x)/(exp(x) - 1) - 1)/(exp(x) - 1)",
    "exprel_mean": "1/(1 - exp(-x)) - 1/x",
    "planck": "x**n/(exp(x) - 1)",
    "planck_1": "x**(n - 1)/(exp(x) - 1)*(n - x/(1 - exp(-x)))",
    "xcoth_1": "coth(x) - x*csch(x)**2",
    "inverse_exprel_times": "k*x/(exp(x) - 1)",
    "inverse_exprel_slope": "k*x/(exp(x) - 1)*(n - x/(1 - exp(-x)))",
    "xcoth": "x*coth(x)",
    "langevin": "coth(x) - 1/x",
    "langevin_1": "1/x**2 - csch(x)**2",
    "langevin_2": "2*csch(x)**2*coth(x) - 2/x**3",
    "share": "sigmoid(a - b)",
    "log1prel_gap": "1 - log(1 + x)/x",
    "exprel_gap": "(exp(x) - 1)/x - 1",
    "log_sinhrel": "log(sinh(x)/x)",
    "log_exprel": "log((exp(x) - 1)/x)",
    "hypot_gap": "sqrt((b + d)**2 + y**2) - sqrt(b**2 + y**2)",
    "hypot_slope_gap": "(b + d)/sqrt((b + d)**2 + y**2) - b/sqrt(b**2 + y**2)",
    "log_sinc": "log(sin(x)/x)",
    "atan_gap": "atan(x) - x/(1 + x**2)",
    "langevinrel": "coth(x)/x - 1/x**2",
    "langevinrel_1": "2/x**3 - csch(x)**2/x - coth(x)/x**2",
    "share_1": "sigmoid(a - b)*sigmoid(b - a)",
    "share_of_three": "exp(a)/(exp(a) + exp(b) + exp(c))",
    "coshm1": "cosh(x) - 1",
    "morse": "(exp(x) - 1)**2 - 1",
    "exp_neg_exp": "exp(-exp(x))",
    "gompertz": "1 - exp(-exp(x))",
    "log_gompertz": "log(1 - exp(-exp(x)))",
    "cbrt_gap": "cbrt(b + d) - cbrt(b)",
    "cos_asin": "sqrt(1 - x**2)",
    "inverse_cos_asinm1": "1/sqrt(1 - x**2) - 1",
    "cathetus": "sqrt(x**2 - y**2)",
    "cathetus_gap": "x - sqrt(x**2 - y**2)",
    "inverse_log1p_gap": "1/log(1 + x) - 1/x",
    "log1pshrink": "x - log(1 + x)",
    "log1pshrink2": "(x - log(1 + x))/x**2",
    "log1pshrink2_1": "(2*x - x**2/(1 + x) - 2*log(1 + x))/x**3",
    "exp_slope": "(exp(a) - exp(b))/(a - b)",
    "log1p_square_rel": "log(1 + x**2)/x**2",
    "hypotm1rel": "(sqrt(1 + x**2) - 1)/x",
    "tanh_exp": "tanh(exp(x))",
    "tanh_exp_1": "exp(x)*(1 - tanh(exp(x))**2)",
    "gudermannian": "atan(sinh(x))",
    "exp_minus_exp": "exp(x - exp(x))",
    "log1prel": "log1p(x)/x",
    "log1prel_1": "(log1p(x) - x/(1 + x))/x**2",
    "log1prel_2": "(log1p(x) - x/(1 + x) - x**2/(2*(1 + x)**2))/x**3",
    "log_ratio": "log(a/b)",
    "log_quotient": "log(a/b)",
    "log_gap": "log(b + d) - log(b)",
    "xlogx": "x*log(x)",
    "log1p_square": "log(1 + x**2)",
    "sinhshrink": "sinh(x) - x",
    "atanshrink": "x - atan(x)",
    "atanhshrink": "atanh(x) - x",
    "asinshrink": "asin(x) - x",
    "asinhshrink": "x - asinh(x)",
    "expgap": "exp(x) - 1 - x",
    "exprel2": "(exp(x) - 1 - x)/x**2",
    "cotgap": "1/x - cot(x)",
    "cotgap_1": "1/sin(x)**2 - 1/x**2",
    "tanhrel": "tanh(x)/x",
    "tanhrel_1": "(1 - tanh(x)**2 - tanh(x)/x)/x",
    "atanrel": "atan(x)/x",
    "atanrel_1": "(1/(1 + x**2) - atan(x)/x)/x",
    "asinhrel": "asinh(x)/x",
    "asinhrel_1": "(1/sqrt(1 + x**2) - asinh(x)/x)/x",
    "asinrel": "asin(x)/x",
    "asinrel_1": "(1/sqrt(1 - x**2) - asin(x)/x)/x",
    "atanhrel": "atanh(x)/x",
    "atanhrel_1": "(1/(1 - x**2) - atanh(x)/x)/x",
    "tanrel": "tan(x)/x",
    "tanrel_1": "(1 + tan(x)**2 - tan(x)/x)/x",
    "sinhrel": "sinh(x)/x",
    "xcsch": "x*csch(x)",
    "xcsc": "x*csc(x)",
    "xcot": "x*cot(x)",
    "lorentz": "x/(1 + x**2)",
    "lorentz_1": "(1 - x**2)/(1 + x**2)**2",
    "lorentz2": "x**2/(1 + x**2)",
    "log_tanh": "log(tanh(x))",
    "log_sinh": "log(sinh(x))",
    "softplus_gap": "softplus(x) - log(2)",
    "log_cosh": "log(cosh(x))",
    "log_erfc": "log(erfc(x))",
    "inverse_erfcx": "1/erfcx(x)",
    "squares_gap": "a**2 - b**2",
    "hypotm1": "hypot(x, 1) - 1",
    "inverse_hypotm1": "1/hypot(x, 1) - 1",
    "growth": "(1 + u)**p",
    "growthm1": "(1 + u)**p - 1",
    "growthrel": "((1 + u)**p - 1)/u",
    "growth_limit": "(1 + x/k)**k",
    "growth_limitm1": "(1 + x/k)**k - 1",
    "boxcox": "(x**a - 1)/a",
    "boxcox_1": "(x**a*log(x) - (x**a - 1)/a)/a",
    "power_gap": "(b + d)**p - b**p",
    "logrel": "log(x)/(x - 1)",
    "log_mean": "(a - b)/log(a/b)",
    "log_mean_1": "(q - 1 - log(q))/log(q)**2",
    "log1p_gap": "log(1 + x) - x/(1 + x)",
    "tanh_over": "tanh(w*x)/x",
    "sin_over": "sin(w*x)/x",
    "atan_over": "atan(w*x)/x",
    "asinh_over": "asinh(w*x)/x",
    "sinh_over": "sinh(w*x)/x",
    "expm1_over": "(exp(w*x) - 1)/x",
    "log1p_over": "log(1 + w*x)/x",
    "erf_over": "erf(w*x)/x",
    "expm1_gap": "exp(x) - 1 - x*exp(x)",
    "softplus1_gap": "log(1 + exp(x)) - x/(1 + exp(-x))",
    "log1p_square_gap": "log(1 + x**2) - x**2/(1 + x**2)",
    "log1p_times": "x*log(1 + w/x)",
    "expm1_times": "x*(exp(w/x) - 1)",
    "sqrt1pm1_times": "x*(sqrt(1 + w/x) - 1)",
    "softplus1_times": "x*log(1 + exp(w/x))",
    "log1p_square_times": "c**2*log(1 + (x/c)**2)",
    "hypotm1_times": "c**2*(sqrt(1 + (x/c)**2) - 1)",
    "sincos_gap": "sin(x) - x*cos(x)",
    "cosshrink": "x**2/2 - 1 + cos(x)",
    "sinshrink": "x - sin(x)",
    "tanshrink3_1": "(x*tan(x)**2 - 3*(tan(x) - x))/x**4",
    "sinshrink3": "(x - sin(x))/x**3",
    "sinshrink3_1": "(x*(1 - cos(x)) - 3*(x - sin(x)))/x**4",
    "tanshrink3": "(tan(x) - x)/x**3",
    "tanshrink": "x - tan(x)",
}

RESTS = {f"{of.name}_rest": of for of in EXPANSIONS}


def plain(program: Program) -> Program:
    """The program with every function that no formula can call written out."""
    build = Builder()
    place: list[int] = []
    for node in program.nodes:
        operands = tuple(place[o] for o in node.operands)
        text = _formula(program, node.op, node.operands)
        if text is None:
            place.append(build.put(with_operands(node, operands)))
        else:
            names = table()[node.op].parameters
            place.append(expand(build, text, dict(zip(names, operands, strict=True))))
    outputs = tuple(replace(o, node=place[o.node]) for o in program.outputs)
    given = tuple(sorted({place[i]: n for i, n in program.names}.items()))
    return without_dead_nodes(Program(program.arguments, tuple(build.nodes), outputs, given))


def _formula(program: Program, op: str, operands: tuple[int, ...]) -> str | None:
    if op.endswith("_rest"):
        n, k, d = (int(program.nodes[o].value or 0) for o in operands[:3])
        return rest(RESTS[op], n, k, d)
    if op in ("erlang", "erlang_density"):
        order = int(program.nodes[operands[0]].value or 0)
        return erlang(order) if op == "erlang" else erlang_density(order)
    if op in ("boys", "stumpff"):
        order = int(program.nodes[operands[0]].value or 0)
        return moment(order) if op == "boys" else stumpff(order)
    if op not in ("scaled_i_slope", "scaled_k_slope"):
        return FORMULAS.get(op)
    times, order = (int(program.nodes[o].value or 0) for o in operands[:2])
    return scaled_slope(op == "scaled_i_slope", times, order)


def erlang(order: int) -> str:
    """What exp(-x) times the first terms of the series of exp lacks of 1."""
    terms = " + ".join(f"{Fraction(1, factorial(j))}*x**{j}" for j in range(order))
    return f"1 - exp(-x)*({terms})"


def erlang_density(order: int) -> str:
    """The derivative of that."""
    return f"exp(-x)*x**{order - 1}/{factorial(order - 1)}" if order else "0*x"


def moment(order: int) -> str:
    """The integral of t**(2*n)*exp(-(x*t)**2) over t in 0..1."""
    lines = ["m0 = sqrt(pi)/2*erf(x)/x"]
    lines += [f"m{k + 1} = ({2 * k + 1}*m{k} - exp(-x**2))/(2*x**2)" for k in range(order)]
    return "\n".join([*lines, f"m{order}"])


def stumpff(order: int) -> str:
    """What is left of the series of cos or sin from its term of that order on, over x**n."""
    function, first = ("sin", "x") if order % 2 else ("cos", "1")
    head = [
        first if j < 2 else f"{Fraction(1, factorial(j))}*x**{j}"
        for j in range(order % 2, order, 2)
    ]
    signs = ["-" if k % 2 else "+" for k in range(len(head))]
    text = "".join(f" {s} {h}" for s, h in zip(signs, head, strict=True))
    sign = "-" if order // 2 % 2 else ""
    return f"{sign}({function}(x) - (0{text}))/x**{order}"


def scaled_slope(is_i: bool, times: int, order: int) -> str:
    """A derivative of exp(-x)*besseli(n, x) or of exp(x)*besselk(n, x)."""
    weights = {order: Fraction(1)}
    sign = 1 if is_i else -1
    for _ in range(times):
        after: dict[int, Fraction] = defaultdict(Fraction)
        for n, w in weights.items():
            for beside in (abs(n - 1), n + 1):
                after[beside] += sign * w / 2
            after[n] -= sign * w
        weights = after
    function = "besseli" if is_i else "besselk"
    terms = [f"{w}*{function}({n}, x)" for n, w in sorted(weights.items()) if w]
    return f"exp({'-' if is_i else ''}x)*({' + '.join(terms)})"
