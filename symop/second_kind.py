"""References for Bessel functions of the second kind, of integer order."""

from __future__ import annotations

from typing import Any

import mpmath as mp


def _second_kind(n: int, x: Any, sign: int) -> Any:
    """Y (sign -1) or K (sign 1) of integer order: the series with the logarithm, DLMF 10.8, 10.31.

    mpmath's own go to nearby orders that are not whole, which takes ten times as long.
    """
    # The series cancels to the size of the result, exp(-x) against exp(x) for K.
    with mp.extraprec(60 + int(3 * x)):
        quarter, term, harmonic, k = sign * x * x / 4, mp.mpf(1), mp.mpf(0), 0
        first, slope, logs = mp.mpf(1), mp.mpf(0), mp.mpf(0)
        least = mp.ldexp(1, -mp.mp.prec)
        while k < x or abs(term) * (1 + harmonic) > least * abs(first):
            k += 1
            term *= quarter / (k * k)
            harmonic += mp.mpf(1) / k
            first, slope, logs = first + term, slope + k * term, logs + harmonic * term
        slope *= 2 / x
        if sign > 0:
            here = logs - (mp.log(x / 2) + mp.euler) * first
            following = (1 / x - slope * here) / first
        else:
            here = 2 / mp.pi * ((mp.log(x / 2) + mp.euler) * first - logs)
            following = (-slope * here - 2 / (mp.pi * x)) / first
        for k in range(1, n + 1):
            here, following = following, 2 * k / x * following + sign * here
        return +here


def bessely(n: int, x: Any) -> Any:
    """Y of integer order: the reference of bessel_y."""
    if x <= 0:
        return -mp.inf if x == 0 else mp.nan
    return mp.bessely(n, x) if x > mp.mp.prec else _second_kind(n, x, -1)


def besselk(n: int, x: Any) -> Any:
    """K of integer order: the reference of bessel_k."""
    if x <= 0:
        return mp.inf if x == 0 else mp.nan
    return mp.besselk(n, x) if x > mp.mp.prec else _second_kind(n, x, 1)
