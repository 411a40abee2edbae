"""Whether an op is right: gradient checks of both orders, and accuracy in ULP against mpmath.

The oracle evaluates the formula in high precision by the references of the function table,
and differentiates it by differences: neither symop's derivatives nor its stable forms enter.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from symop.compiler import formula as read_formula
from symop.derivative_names import gradient_names
from symop.errors import CallError, FileError, FormulaError
from symop.loading import load
from symop.names import spelled
from symop.oracle import Arrays, Errors, measure
from symop.program import Program
from symop.samples import Sample, from_values, samples

if TYPE_CHECKING:
    from symop.op import Op
