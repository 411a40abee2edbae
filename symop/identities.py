"""The table of rewrites: forms that lose digits, and those that do not.

Patterns and replacements are formulas in symop's language; the names in them are wildcards,
c a number and n a literal exponent. Names of internal functions, which do not cancel, stand on
the right; they stay opaque until after differentiation. Sums and products match in any order and
up to a common factor. Order matters: the first rule that applies is taken.
"""

from __future__ import annotations

from symop.derived_identities import OPPOSITES
from symop.difference_identities import DIFFERENCES
from symop.error_identities import ERRORS, GAMMA
from symop.exponential_identities import EXPONENTIALS
from symop.gap_identities import GAPS
from symop.logarithm_identities import LOGARITHMS
from symop.near_one_identities import NEAR_ONE
from symop.power_identities import POWER_RULES
from symop.proportion_identities import PROPORTIONS, SERIES, TIMES
from symop.proportion_identities import ROOTS as BESIDE
from symop.quotient_identities import GUARDS, LATE, QUOTIENTS
from symop.relative_identities import RELATIVES
from symop.remainder_identities import REMAINDERS
from symop.root_identities import ROOTS
from symop.sigmoid_identities import SIGMOIDS
from symop.softmax_identities import SOFTMAX

REWRITES = (
    TIMES
    + GAPS
    + EXPONENTIALS
    + SIGMOIDS
    + SOFTMAX
    + OPPOSITES
    + ERRORS
    + GAMMA
    + POWER_RULES
    + LOGARITHMS
    + BESIDE
    + ROOTS
    + SERIES
    + DIFFERENCES
    + QUOTIENTS
    + RELATIVES
    + PROPORTIONS
    + REMAINDERS
    + NEAR_ONE
    + GUARDS
    + LATE
)
