"""What Triton's interpreter lacks: libdevice, fused operations, and the rounding of bfloat16.

Under TRITON_INTERPRET=1 the functions of libdevice return nothing, `tl.fma` rounds twice and a
conversion to bfloat16 cuts digits off. `install` puts functions of numpy and torch in their place,
on arrays of float64 that are rounded once for float32.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import torch


def _of_torch(function: Callable[..., Any]) -> Callable[..., Any]:
    def evaluate(*arrays: Any) -> Any:
        return function(*(torch.from_numpy(np.array(a)) for a in arrays)).numpy()

    return evaluate


def _sum(a: Any, b: Any) -> tuple[Any, Any]:
    """A sum and what it lost."""
    total = a + b
    back = total - a
    return total, (a - (total - back)) + (b - back)


def _product(a: Any, b: Any) -> tuple[Any, Any]:
    """A product and what it lost, by halves of the factors (Dekker)."""
    product = a * b
    p, q = _halves(a), _halves(b)
    return product, ((p[0] * q[0] - product) + p[0] * q[1] + p[1] * q[0]) + p[1] * q[1]


def _halves(a: Any) -> tuple[Any, Any]:
    t = a * 134217729.0
    high = t - (t - a)
    return high, a - high


_erfc, _erfcx = _of_torch(torch.erfc), _of_torch(torch.special.erfcx)


def _scaled_erfc(x: Any) -> Any:
    """exp(x**2)*erfc(x); that of torch is off by 7 ULP near 0, and by 100 where x is negative."""
    square, rest = _product(x, x)
    e = np.exp(square)
    e = np.where(np.isfinite(e), e + e * rest, e)
    return np.where(x < 0.5, e * _erfc(x), _erfcx(x))


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "acos": np.arccos, "acosh": np.arccosh, "asin": np.arcsin, "asinh": np.arcsinh,
    "atan": np.arctan, "atan2": np.arctan2, "atanh": np.arctanh,
    "copysign": np.copysign, "cos": np.cos, "cosh": np.cosh, "erf": _of_torch(torch.erf),
    "erfc": _erfc, "erfcx": _scaled_erfc,
    "erfinv": _of_torch(torch.erfinv), "exp": np.exp, "exp2": np.exp2, "expm1": np.expm1,
    "fmod": np.fmod, "hypot": np.hypot, "lgamma": _of_torch(torch.lgamma),
    "log": np.log, "log10": np.log10, "log1p": np.log1p, "log2": np.log2, "pow": np.power,
    "nearbyint": np.rint, "sin": np.sin, "sinh": np.sinh, "tan": np.tan, "tanh": np.tanh,
    "trunc": np.trunc,
}  # fmt: skip


@cache
def install() -> None:
    """Complete the interpreter, if it is on; otherwise nothing is changed.

    To be called before a kernel is run, once or often.
    """
    import triton
    from triton.language.extra import libdevice
    from triton.runtime import interpreter

    if not triton.knobs.runtime.interpret:
        return
    for name, function in _FUNCTIONS.items():
        setattr(libdevice, name, _elementwise(function))
    builder = interpreter.InterpreterBuilder
    builder.create_fma = _fma
    # Those of Triton 3.6 give NaN where one operand is.
    builder.create_maxnumf = lambda self, a, b: self.binary_op(a, b, np.fmax)
    builder.create_minnumf = lambda self, a, b: self.binary_op(a, b, np.fmin)
    builder.cast_impl = _rounding(builder.cast_impl)
    interpreter._patch_lang_tensor = _counting(interpreter._patch_lang_tensor)


def _elementwise(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of blocks of float32, or of float64, as one of arrays of float64."""
    import triton.language as tl
    from triton.runtime.interpreter import TensorHandle, interpreter_semantic

    def evaluate(*values: Any) -> Any:
        blocks = [interpreter_semantic.to_tensor(value) for value in values]
        kinds = {block.dtype for block in blocks}
        if len(kinds) != 1 or not kinds <= {tl.float32, tl.float64}:
            raise TypeError(f"libdevice takes float32 or float64, not {sorted(map(str, kinds))}")
        kind = kinds.pop()
        wide = [block.handle.data.astype(np.float64) for block in blocks]
        with np.errstate(all="ignore"):
            narrow = np.float64 if kind == tl.float64 else np.float32
            data = function(*wide).astype(narrow)
        handle = TensorHandle(data, kind)
        is_block = any(block.type.is_block() for block in blocks)
        return tl.tensor(handle, tl.block_type(kind, list(data.shape)) if is_block else kind)

    return evaluate


def _fma(builder: Any, x: Any, y: Any, z: Any) -> Any:
    """x*y + z of handles: the product is exact, and the sum is rounded with what it lost."""
    from triton.runtime.interpreter import TensorHandle

    with np.errstate(all="ignore"):
        if z.data.dtype == np.float32:
            a, b, c = (v.data.astype(np.float64) for v in (x, y, z))
            # To float32 from a sum rounded to odd, which is as if it was rounded once.
            total, low = _sum(a * b, c)
            bits = total.view(np.int64)
            is_cut = (low != 0) & (bits & 1 == 0) & np.isfinite(total)
            toward = np.where((low > 0) == (total > 0), 1, -1)
            odd = np.where(is_cut, bits + toward, bits).view(np.float64)
            return TensorHandle(odd.astype(np.float32), z.dtype.scalar)
        if z.data.dtype != np.float64:
            return TensorHandle(x.data * y.data + z.data, z.dtype.scalar)
        plain = x.data * y.data + z.data
        high, low = _product(x.data, y.data)
        total, rest = _sum(high, z.data)
        exact = total + (rest + low)
        return TensorHandle(np.where(np.isfinite(exact), exact, plain), z.dtype.scalar)


def _counting(patch: Callable[..., None]) -> Callable[..., None]:
    """Scalars that count loops: Triton 3.6 holds them in arrays that numpy 2.4 makes no int of."""

    def patched(tensor: Any, scope: Any) -> None:
        patch(tensor, scope)
        scope.set_attr(tensor, "__index__", lambda self: int(self.handle.data.item()))

    return patched


def _rounding(cast: Callable[..., Any]) -> Callable[..., Any]:
    """A conversion that rounds to the nearest bfloat16, ties to even."""
    import triton.language as tl
    from triton.runtime.interpreter import TensorHandle

    def convert(builder: Any, source: Any, kind: Any) -> Any:
        if source.dtype.scalar != tl.float32 or kind.scalar != tl.bfloat16:
            return cast(builder, source, kind)
        bits = source.data.view(np.uint32)
        rounded = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16
        # A NaN of low digits only would become an infinity.
        data = np.where(np.isnan(source.data), bits >> 16 | 0x40, rounded)
        return TensorHandle(data.astype(np.uint16), kind.scalar)

    return convert
