"""The ops of the gallery: formulas, what they are for, and where they are drawn."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Shown:
    """An op of the gallery.

    title, formula, text: the heading of its page, what it computes, and what that is for.
    moving: the argument that the plot moves, from low to high.
    fixed: the values of the others.
    """

    title: str
    formula: str
    text: str
    low: float = -5.0
    high: float = 5.0
    moving: str = "x"
    fixed: tuple[tuple[str, float], ...] = ()


def _fixed(**values: float) -> tuple[tuple[str, float], ...]:
    return tuple(values.items())


ACTIVATIONS = {
    "swish": Shown(
        "Swish", "x*sigmoid(beta*x)", "SiLU with a slope that can be learned.",
        fixed=_fixed(beta=1.5),
    ),
    "mish": Shown("Mish", "x*tanh(log(1 + exp(x)))", "Smooth, not monotonic, unbounded above."),
    "gelu_tanh": Shown(
        "GELU, by tanh", "0.5*x*(1 + tanh(sqrt(2/pi)*(x + 0.044715*x**3)))",
        "The approximation of GELU in many transformers.",
    ),
    "elu": Shown(
        "ELU", "where(x > 0, x, alpha*(exp(x) - 1))", "Exponential linear unit; `exp(x) - 1` "
        "keeps its digits near 0.", fixed=_fixed(alpha=1.0),
    ),
    "celu": Shown(
        "CELU", "maximum(x, 0) + minimum(alpha*(exp(x/alpha) - 1), 0)",
        "An ELU whose slope is continuous for every alpha.", fixed=_fixed(alpha=1.5),
    ),
    "softplus_beta": Shown(
        "Softplus", "log(1 + exp(beta*x))/beta", "A smooth ReLU that comes closer with beta.",
        fixed=_fixed(beta=2.0),
    ),
    "squareplus": Shown(
        "Squareplus", "(x + sqrt(x**2 + b))/2", "A smooth ReLU without exponentials; on the "
        "left the sum cancels as it stands.", fixed=_fixed(b=4.0),
    ),
    "snake": Shown(
        "Snake", "x + sin(a*x)**2/a", "For periodic signals; grows like x.", fixed=_fixed(a=2.0),
    ),
    "squared_relu": Shown("Squared ReLU", "maximum(x, 0)**2", "The activation of Primer.",
                          -3.0, 3.0),
    "softsign": Shown("Softsign", "x/(1 + abs(x))", "Saturates like 1/x."),
}  # fmt: skip

LOSSES = {
    "huber": Shown(
        "Huber loss", "where(abs(r) <= d, r**2/2, d*(abs(r) - d/2))",
        "Quadratic near 0, linear far out.", -4.0, 4.0, "r", _fixed(d=1.0),
    ),
    "pseudo_huber": Shown(
        "Pseudo-Huber loss", "d**2*(sqrt(1 + (r/d)**2) - 1)", "A smooth Huber loss; the root "
        "minus 1 cancels as it stands.", -4.0, 4.0, "r", _fixed(d=1.0),
    ),
    "log_cosh": Shown("Log-cosh loss", "log(cosh(r))", "Quadratic near 0, abs(r) - log(2) far "
                      "out; cosh overflows as it stands.", -8.0, 8.0, "r"),
    "bce_logits": Shown(
        "Binary cross entropy of logits", "log(1 + exp(x)) - x*y", "For a target y in 0..1.",
        -8.0, 8.0, fixed=_fixed(y=1.0),
    ),
    "focal": Shown(
        "Focal loss", "-(1 - sigmoid(x))**gamma*log(sigmoid(x))",
        "Cross entropy that counts easy examples less.", fixed=_fixed(gamma=2.0),
    ),
    "pinball": Shown(
        "Pinball loss", "maximum(q*r, (q - 1)*r)", "Its minimum is the quantile q.", -3.0, 3.0,
        "r", _fixed(q=0.9),
    ),
    "poisson_nll": Shown(
        "Poisson loss", "exp(x) - y*x + lgamma(y + 1)",
        "The negative log likelihood of a count y, of which x is the log rate.", -2.0, 3.0,
        fixed=_fixed(y=3.0),
    ),
    "gaussian_nll": Shown(
        "Gaussian loss", "(r**2*exp(-s) + s)/2",
        "The negative log likelihood of a residual r; s is the log variance.", -4.0, 6.0, "s",
        _fixed(r=1.5),
    ),
}  # fmt: skip

GATES = {
    "swiglu": Shown("SwiGLU", "a*sigmoid(a)*b", "The gate of many feed-forward layers.",
                    moving="a", fixed=_fixed(b=2.0)),
    "geglu": Shown("GEGLU", "0.5*a*(1 + erf(a/sqrt(2)))*b", "A linear unit gated by GELU.",
                   moving="a", fixed=_fixed(b=2.0)),
    "tanh_gate": Shown("Tanh gate", "tanh(a)*sigmoid(b)", "The gated unit of WaveNet.",
                       moving="a", fixed=_fixed(b=0.5)),
    "highway": Shown(
        "Highway gate", "s = sigmoid(g); y = s*h + (1 - s)*x", "Lets x pass as far as the gate "
        "g is closed.", moving="g", fixed=_fixed(h=2.0, x=-1.0),
    ),
}  # fmt: skip

PHYSICS = {
    "lennard_jones": Shown(
        "Lennard-Jones potential", "4*e*((s/r)**12 - (s/r)**6)", "Two neutral atoms; its "
        "derivative by r is minus the force.", 0.95, 2.5, "r", _fixed(e=1.0, s=1.0),
    ),
    "morse": Shown(
        "Morse potential", "d*(1 - exp(-a*(r - b)))**2", "A diatomic molecule.", 0.5, 5.0, "r",
        _fixed(d=1.0, a=1.5, b=1.2),
    ),
    "planck": Shown(
        "Planck's law", "x**3/(exp(x) - 1)", "The spectrum of a black body by the reduced "
        "frequency x.", 0.01, 12.0,
    ),
    "kinetic_energy": Shown(
        "Relativistic kinetic energy", "m*c**2*(1/sqrt(1 - (v/c)**2) - 1)", "Half m v squared "
        "for slow bodies, where the difference cancels as it stands.", 0.0, 0.9, "v",
        _fixed(m=1.0, c=1.0),
    ),
    "langevin": Shown(
        "Langevin function", "1/tanh(x) - 1/x", "The magnetisation of a paramagnet; both terms "
        "have a pole at 0, their difference has none.",
    ),
    "fermi_dirac": Shown(
        "Fermi-Dirac statistics", "1/(exp((e - mu)/t) + 1)", "The occupation of a state of "
        "energy e.", -3.0, 3.0, "e", _fixed(mu=0.0, t=0.4),
    ),
    "michaelis_menten": Shown(
        "Michaelis-Menten kinetics", "v*s/(k + s)", "The rate of a reaction with an enzyme.",
        0.0, 10.0, "s", _fixed(v=1.0, k=2.0),
    ),
    "damped_oscillation": Shown(
        "Damped oscillation", "a*exp(-k*t)*cos(w*t + p)", "A mode that decays.", 0.0, 10.0, "t",
        _fixed(a=1.0, k=0.3, w=2.0, p=0.0),
    ),
    "yukawa": Shown("Yukawa potential", "-g**2*exp(-m*r)/r", "A force of finite range.", 0.2,
                    4.0, "r", _fixed(g=1.0, m=1.0)),
}  # fmt: skip

SPECIAL = {
    "legendre_p3": Shown("Legendre polynomial", "0.5*(5*x**3 - 3*x)", "Of order 3; "
                         "`legendre(n, x)` is any order.", -1.0, 1.0),
    "bessel_j1": Shown("Bessel function", "besselj(1, x)", "Of the first kind and order 1.",
                       -15.0, 15.0),
    "airy": Shown("Airy function", "airyai(x)", "Decays on the right, oscillates on the left.",
                  -10.0, 4.0),
    "lambert": Shown("Lambert's function", "lambertw(x)", "The inverse of x*exp(x).", -0.36, 4.0),
    "mills_ratio": Shown(
        "Scaled complementary error function", "exp(x**2)*erfc(x)", "As it stands, infinity "
        "times zero from x = 27 on.", -2.0, 6.0,
    ),
    "binary_entropy": Shown("Binary entropy", "-p*log(p) - (1 - p)*log(1 - p)", "In nats.",
                            0.001, 0.999, "p"),
    "log_gamma": Shown("Log-gamma", "lgamma(x)", "Its derivatives are digamma and polygamma.",
                       0.1, 6.0),
}  # fmt: skip

ROBUST = {
    "cauchy": Shown("Cauchy loss", "c**2/2*log(1 + (r/c)**2)", "Grows as the logarithm.", -6.0,
                    6.0, "r", _fixed(c=1.5)),
    "welsch": Shown("Welsch loss", "c**2/2*(1 - exp(-(r/c)**2))", "Bounded: an outlier has no "
                    "pull.", -6.0, 6.0, "r", _fixed(c=1.5)),
    "geman_mcclure": Shown("Geman-McClure loss", "r**2/2/(c**2 + r**2)", "Bounded, rational.",
                           -6.0, 6.0, "r", _fixed(c=1.5)),
    "tukey": Shown(
        "Tukey's biweight", "where(abs(r) <= c, c**2/6*(1 - (1 - (r/c)**2)**3), c**2/6)",
        "Constant beyond c.", -6.0, 6.0, "r", _fixed(c=4.0),
    ),
    "fair": Shown("Fair loss", "c**2*(abs(r)/c - log(1 + abs(r)/c))", "Between squares and "
                  "absolute values; near 0 the difference cancels as it stands.", -6.0, 6.0, "r",
                  _fixed(c=1.4)),
    "student_t": Shown(
        "Student-t loss", "(nu + 1)/2*log(1 + r**2/nu)", "The negative log likelihood of a "
        "residual with heavy tails, up to a constant.", -6.0, 6.0, "r", _fixed(nu=3.0),
    ),
    "charbonnier": Shown("Charbonnier loss", "sqrt(r**2 + e**2)", "A smooth absolute value.",
                         -3.0, 3.0, "r", _fixed(e=0.3)),
}  # fmt: skip

GROUPS = {
    "Activations": ACTIVATIONS,
    "Losses": LOSSES,
    "Gates": GATES,
    "Physics": PHYSICS,
    "Special functions": SPECIAL,
    "Robust statistics": ROBUST,
}
OPS = {name: shown for group in GROUPS.values() for name, shown in group.items()}
