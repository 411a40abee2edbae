"""Polynomials of the error functions and the normal distribution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from mpmath import mp, mpf

from benchmarks.minimax import Fit, Real, divisor, rounded


def log_erfc(x: mpf) -> mpf:
    """The logarithm of erfc, the exponent of 1 - erf."""
    return mp.log(mp.erfc(x))


def log_erfc_over_x(x: mpf) -> mpf:
    """log(erfc(x))/x."""
    x = x or mpf("1e-60")
    with mp.workprec(600):
        return mp.log1p(-mp.erf(x)) / x


def erfcx(a: mpf) -> mpf:
    """exp(a*a)*erfc(a); far out by its asymptotic series, which then is good to 200 bits."""
    if a < 12:
        with mp.workprec(900):
            return mp.exp(a * a) * mp.erfc(a)
    total = term = mpf(1)
    for n in range(1, 140):
        term *= -(2 * n - 1) / (2 * a * a)
        total += term
        if abs(term) < mpf(2) ** -220:
            break
    return total / (a * mp.sqrt(mp.pi))


def erfcx_1(a: mpf) -> mpf:
    """1/sqrt(pi) - a*exp(a*a)*erfc(a), half of what erfcx falls by."""
    with mp.workprec(900):
        return 1 / mp.sqrt(mp.pi) - a * erfcx(a)


def far_erfinv(t: mpf) -> mpf:
    """erfinv(a)/a as a function of t = (sqrt(w) - 4.2)/2, w = -log(1 - a*a)."""
    a = mp.sqrt(1 - mp.exp(-((2 * t + mpf("4.2")) ** 2)))
    return mp.erfinv(a) / a


def mills(a: mpf) -> mpf:
    """exp(a*a/2)*ndtr(-a)."""
    return erfcx(a / mp.sqrt(2)) / 2


@dataclass(frozen=True)
class Inverse:
    """What 1/f(a) is beside its asymptote, a quotient of polynomials p/q.

    function: f.
    asymptote: what grows in 1/f(a) far out.
    middle: half of the points lie below it.
    start: p(0), so chosen that the roundings of q and of q/f are small beside a number below f(0),
        and that p(0)*f(0), which is q(0), is nearly a float and a double.
    degrees: of p and q, by format.
    """

    function: Real
    asymptote: Real
    middle: str
    start: str
    degrees: Mapping[str, tuple[int, int]]

    def excess(self, a: mpf) -> mpf:
        """1/f(a) less its asymptote, which does not grow."""
        return 1 / self.function(a) - self.asymptote(a)


_LINEAR = {"float": (4, 5), "double": (9, 10)}
_INVERSES = {
    "erfcx": Inverse(erfcx, lambda a: mp.sqrt(mp.pi) * a, "3", "1.75", _LINEAR),
    "erfcx_1": Inverse(
        erfcx_1, lambda a: 2 * mp.sqrt(mp.pi) * a * a, "3", "1.7421875",
        {"float": (5, 5), "double": (10, 10)},
    ),
    "mills": Inverse(mills, lambda a: mp.sqrt(2 * mp.pi) * a, "4", "3.5", _LINEAR),
}  # fmt: skip
# Where p/q is nothing beside the asymptote.
_FAR = {"float": "8192", "double": "3e8"}


@cache
def below(name: str, kind: str) -> tuple[str, ...]:
    """The coefficients of q."""
    inverse = _INVERSES[name]
    found = divisor(
        inverse.excess, inverse.function, ("0", _FAR[kind]), inverse.degrees[kind], inverse.middle
    )
    start = mpf(inverse.start) * inverse.function(mpf(0))
    return tuple(rounded(c * start, kind).hex() for c in found)


def quotient(name: str, kind: str) -> tuple[Fit, Fit]:
    """p/q: of p the coefficients but the first, which is q(0)/f(0), and all of q."""
    inverse, interval = _INVERSES[name], ("0", _FAR[kind])
    suffix = "f" if kind == "float" else ""
    p, q = inverse.degrees[kind]

    def divided(a: mpf) -> mpf:
        return mp.polyval([mpf(float.fromhex(c)) for c in below(name, kind)[::-1]], a)

    def rest(a: mpf) -> mpf:
        with mp.workprec(600):
            a = a or mpf("1e-40")
            return (inverse.excess(a) * divided(a) - divided(mpf(0)) * inverse.excess(mpf(0))) / a

    return (
        Fit(f"symop_fit_{name}_over{suffix}", rest, interval, p - 1,
            lambda a: (a + mpf("1e-6")) * inverse.function(a) / divided(a),
            kind=kind, exact=p, middle=inverse.middle),
        Fit(f"symop_fit_{name}_below{suffix}", divided, interval, q,
            fixed=lambda: below(name, kind), kind=kind, middle=inverse.middle),
    )  # fmt: skip


ERROR_FITS = (
    Fit("symop_fit_log_erfcf", lambda t: log_erfc(1 + t), (0, 3), 8,
        lambda t: mp.erfc(1 + t), kind="float"),
    Fit("symop_fit_log_erfc", lambda t: log_erfc(1 + t), ("-0.05", "4.95"), 17,
        lambda t: mp.erfc(1 + t)),
    Fit("symop_fit_log_erfc_nearf", log_erfc_over_x, ("-0.5", "0.5"), 9,
        lambda x: 1 / log_erfc_over_x(x), kind="float", exact=2),
    Fit("symop_fit_log_erfc_near", log_erfc_over_x, ("-0.5", "0.5"), 19,
        lambda x: 1 / log_erfc_over_x(x), exact=2),
    *(
        fit
        for name in _INVERSES
        for kind in _FAR
        for fit in quotient(name, kind)
    ),
    Fit("symop_fit_erfinv_far", far_erfinv, (-1, 1), 11, lambda t: 1 / far_erfinv(t)),
)  # fmt: skip
