"""Ops for the tests of the host, made of plain C kernels that go from element to element.

The kernels hold the host to what the variant they were asked for promises, and give the code 3
where that is broken.
"""

from __future__ import annotations

import ctypes
import itertools
import subprocess
from pathlib import Path
from typing import Any

import torch

from symop import native_host

TYPES = {0: "float", 1: "double", 2: "_Float16"}

SOURCE = """
#include <math.h>
#include <stdbool.h>
#include <stdint.h>

int64_t kernel(int64_t ndim, const int64_t *sizes, void *const *data, const int64_t *strides,
               const double *numbers) {{
    enum {{ INPUTS = {n_inputs}, RESULTS = {n_results} }};
    int64_t total = 1, first = -1;
    for (int64_t k = 0; k < ndim; k++) total *= sizes[k];
    for (int i = 0; i < INPUTS; i++)
        for (int64_t k = 0; k < ndim; k++)
            if ({uniform}ull >> i & 1 && strides[i * ndim + k]) return 3;
    for (int r = 0; r < RESULTS; r++) {{
        const int64_t *own = strides + (INPUTS + r) * ndim;
        int64_t zeros = 0, count = 1;
        for (int64_t k = 0; k < ndim; k++) {{
            if (!own[k] && sizes[k] != 1) zeros |= 1ll << k;
            if (own[k]) count *= sizes[k];
        }}
        if (({reduced}u >> r & 1) != (zeros != 0)) return 3;
        if (zeros && first >= 0 && zeros != first) return 2;
        if (zeros) first = zeros;
        for (int64_t n = 0; n < count; n++) {{
            int64_t rest = n, at = 0;
            for (int64_t k = ndim; k-- > 0;) {{
                if (!own[k]) continue;
                at += rest % sizes[k] * own[k];
                rest /= sizes[k];
            }}
            {clear}
        }}
    }}
    for (int64_t n = 0; n < total; n++) {{
        int64_t at[INPUTS + RESULTS] = {{0}}, rest = n;
        for (int64_t k = ndim; k-- > 0;) {{
            for (int i = 0; i < INPUTS + RESULTS; i++)
                at[i] += rest % sizes[k] * strides[i * ndim + k];
            rest /= sizes[k];
        }}
        {body}
    }}
    return {code};
}}
"""


# A library is known by its path for as long as the process lives, so no path is used twice.
_numbers = itertools.count()


class Kernels:
    """Compiles the variants that a host asks for.

    Args:
        folder: where shared libraries go.
        loops: for each loop id the C types of inputs and results and the C formulas of the
            results, in v0, v1, ...; "T" is the type of the elements, "C" that which is computed in.
        code: what the kernels return when all went well.
    """

    def __init__(self, folder: Path, loops: dict[int, Any], code: int = 0) -> None:
        self.folder, self.loops, self.code = folder, loops, code
        self.asked: list[tuple[int, ...]] = []
        self.libraries: list[Any] = []
        self.missing: set[int] = set()  # loops for which no kernel can be made

    def __call__(self, loop: int, dtype: int, *bits: int) -> int | None:
        uniform, reduced, wanted = bits
        self.asked.append((loop, dtype, *bits))
        if dtype not in TYPES or loop in self.missing:
            return None
        inputs, results, formulas = self.loops[loop]
        names = {"T": TYPES[dtype], "C": "double" if dtype == 1 else "float", "bool": "bool"}
        some = [k for k in range(len(results)) if wanted >> k & 1]
        n = len(inputs)
        body = [f"const {names['bool' if t == 'bool' else 'C']} v{i} = "
                f"(({names[t]} *)data[{i}])[at[{i}]];" for i, t in enumerate(inputs)]  # fmt: skip
        body += [f"(({names[results[k]]} *)data[{n + p}])[at[{n + p}]] += {formulas[k]};"
                 for p, k in enumerate(some)]  # fmt: skip
        clear = [f"if (r == {p}) (({names[results[k]]} *)data[{n + p}])[at] = 0;"
                 for p, k in enumerate(some)]  # fmt: skip
        shifted = sum((reduced >> k & 1) << p for p, k in enumerate(some))
        text = SOURCE.format(
            n_inputs=n, n_results=len(some), uniform=uniform, reduced=shifted,
            clear=" ".join(clear), body=" ".join(body), code=self.code,
        )  # fmt: skip
        name = self.folder / f"kernel_{next(_numbers)}"
        name.with_suffix(".c").write_text(text)
        command = ["cc", "-O1", "-fPIC", "-shared", f"{name}.c", "-o", f"{name}.so", "-lm"]
        subprocess.run(command, check=True)
        self.libraries.append(ctypes.CDLL(f"{name}.so"))
        return ctypes.cast(self.libraries[-1].kernel, ctypes.c_void_p).value


def bits(number: int) -> list[int]:
    return [k for k in range(number.bit_length()) if number >> k & 1]


class Op:
    """A host and the parts that it was made of, with a count of the calls of its callables."""

    def __init__(self, folder: Path, **parts: Any) -> None:
        self.kernels = Kernels(folder, parts.pop("loops"), parts.pop("code", 0))
        self.plain = parts.pop("plain")
        self.falls: list[tuple[Any, ...]] = []
        self.orders: list[tuple[Any, ...]] = []
        self.gradients: list[int] = []
        order, gradient = parts.pop("next_order"), parts.pop("gradient")

        def fallback(*args: Any, **kwargs: Any) -> Any:
            self.falls.append(args)
            return self.plain(*args, **kwargs)

        def next_order(*args: Any) -> Any:
            self.orders.append(args)
            return order(*args)

        def asked(needs: int) -> Any:
            self.gradients.append(needs)
            found = gradient(needs)
            return found and (no_copies(found[0]), *found[1:])

        if parts.get("scalar_loss"):
            loss = parts["scalar_loss"]
            parts["scalar_loss"] = lambda scalars, needs: no_copies(loss(scalars, needs))
        parts["forward"] = no_copies(parts["forward"])

        module = native_host.load()
        assert module is not None
        self.host = module.Host(
            kernels=self.kernels, fallback=fallback, next_order=next_order, gradient=asked, **parts
        )

    def __call__(self, *args: Any) -> Any:
        return self.host(*args)


def no_copies(routine: Any) -> Any:
    """A routine none of whose outputs is a tensor that was passed in."""
    if not isinstance(routine, tuple) or len(routine) != 7:
        return routine
    outputs = tuple((*output, 0)[:3] for output in routine[3])
    return (*routine[:3], outputs, *routine[4:])


A = (0, False, False)  # a tensor of the first frame


def legendre(folder: Path, **changes: Any) -> Op:
    """0.5*(5*x**3 - 3*x), whose gradient reads x."""
    gradient = (1, ((0,),), (A, A), ((0, False),), (), ((1, 0, (0, 1), (2,), ()),), False)
    parts = {
        "name": "Legendre",
        "n_args": 1,
        "loops": {
            0: ("T", "T", ["0.5f*(5*v0*v0*v0 - 3*v0)"]),
            1: ("TT", "T", ["v1*(7.5f*v0*v0 - 1.5f)"]),
        },
        "forward": (1, ((0,),), (A,), ((0, False),), (), ((0, 0, (0,), (1,), ()),), False),
        "saved": ((False, 0),),
        "wanted": (0,),
        "gradient": lambda needs: (gradient, (0, 1), (0,)),
        "plain": lambda x: 0.5 * (5 * x**3 - 3 * x),
        "next_order": lambda needs, shapes, x, g: (g * (7.5 * x**2 - 1.5),),
    }
    return Op(folder, **(parts | changes))


def multiply_add(folder: Path, **changes: Any) -> Op:
    """w*x + b with broadcasting; each set of gradients is a routine of its own."""
    frames = ((0,), (1,), (2,), (0, 1, 2))
    tensors = ((0, False, False), (1, False, False), (3, False, False))
    formulas = ["v2*v1", "v2*v0", "v2"]

    def gradient(needs: int) -> Any:
        some = bits(needs)
        # Only what these gradients read: w needs x, x needs w, b nothing.
        read = sorted({{0: 1, 1: 0}[k] for k in some if k < 2})
        inputs = [*read, 2]
        loop = (needs, 3, tuple(range(len(inputs))),
                tuple(range(len(inputs), len(inputs) + len(some))), ())  # fmt: skip
        routine = (3, frames, tuple(tensors[k] for k in inputs),
                   tuple((k, False) for k in some), (), (loop,), False)  # fmt: skip
        return routine, tuple(inputs), tuple(read)

    def loops() -> dict[int, Any]:
        found: dict[int, Any] = {0: ("TTT", "T", ["v0*v1 + v2"])}
        for needs in range(1, 8):
            read = [*sorted({{0: 1, 1: 0}[k] for k in bits(needs) if k < 2}), 2]
            names = {f"v{slot}": f"v{place}" for place, slot in enumerate(read)}
            texts = []
            for k in bits(needs):
                texts.append("*".join(names[v] for v in formulas[k].split("*")))
            found[needs] = ("T" * len(read), "T" * len(texts), texts)
        return found

    def order(needs: int, shapes: Any, w: Any, x: Any, g: Any) -> Any:
        every = [lambda: g * x, lambda: g * w, lambda: g]
        return tuple(every[k]().sum_to_size(shapes[k]) for k in bits(needs))

    forward_tensors = ((0, False, False), (1, False, False), (2, False, False))
    parts = {
        "name": "MultiplyAdd",
        "n_args": 3,
        "loops": loops(),
        "forward": (3, frames, forward_tensors, ((3, False),), (),
                    ((0, 3, (0, 1, 2), (3,), ()),), False),
        "saved": ((False, 0), (False, 1)),
        "wanted": (0, 1, 2),
        "gradient": gradient,
        "plain": lambda w, x, b: w * x + b,
        "next_order": order,
    }  # fmt: skip
    return Op(folder, **(parts | changes))


def product_and_sum(folder: Path) -> Op:
    """Two outputs, x*y and x + y, of one shape; mask m chooses y in the product where it holds."""
    frames = ((0,), (1,), (2,), (0, 1, 2), (0, 1))
    tensors = tuple((k, False, k == 2) for k in range(5))
    every = (0, 1, 2, 3, 4)

    def gradient(needs: int) -> Any:
        some = bits(needs)
        outputs = tuple(((0, 1)[k], False) for k in some)
        # The product and the sum may have different shapes: each gradient in two loops over temps.
        temps = tuple(f for k in some for f in (k, k))
        loops = []
        for p, k in enumerate(some):
            first = 5 + len(some) + 2 * p
            loops.append((10 + k, 3, (0, 1, 2, 3), (first,), ()))
            loops.append((20, 4, (4,), (first + 1,), ()))
            loops.append((21, k, (first, first + 1), (5 + p,), ()))
        return (3, frames, tensors, outputs, temps, tuple(loops), False), every, (0, 1, 2)

    def order(needs: int, shapes: Any, x: Any, y: Any, m: Any, g: Any, h: Any) -> Any:
        zero = torch.zeros((), dtype=g.dtype)
        gradients = (
            lambda: (g * torch.where(m, y, zero)).sum_to_size(shapes[0]) + h.sum_to_size(shapes[0]),
            lambda: (g * torch.where(m, x, zero)).sum_to_size(shapes[1]) + h.sum_to_size(shapes[1]),
        )
        return tuple(gradients[k]() for k in bits(needs))

    return Op(
        folder,
        name="ProductAndSum",
        n_args=3,
        loops={
            0: (["T", "T", "bool"], "T", ["v2 ? v0*v1 : 0"]),
            1: ("TT", "T", ["v0 + v1"]),
            10: (["T", "T", "bool", "T"], "C", ["v2 ? v3*v1 : 0"]),
            11: (["T", "T", "bool", "T"], "C", ["v2 ? v3*v0 : 0"]),
            20: ("T", "C", ["v0"]),
            21: ("CC", "T", ["v0 + v1"]),
        },
        forward=(3, frames, tensors[:3], ((3, False), (4, False)), (),
                 ((0, 3, (0, 1, 2), (3,), ()), (1, 4, (0, 1), (4,), ())), False),
        saved=((False, 0), (False, 1), (False, 2)),
        wanted=(0, 1),
        masks=(2,),
        gradient=gradient,
        plain=lambda x, y, m: (torch.where(m, x * y, torch.zeros((), dtype=x.dtype)), x + y),
        next_order=order,
    )  # fmt: skip


def centred(folder: Path, dims: tuple[int, ...] = (-1,)) -> Op:
    """The rest x - mean(x, dims), and exp of that mean without the axes, which is saved.

    It has a temp, a number and a dropped axis.
    """
    frames = ((0,), ((0, dims),))
    row, full = 1, 0

    def gradient(needs: int) -> Any:
        # d/dx = g - mean(g) + h*e/n
        tensors = ((row, True, False), (full, False, False), (row, True, False))
        loops = (
            (10, full, (1,), (4,), ()),
            (11, full, (4, 0, 2, 1), (3,), ((full, row),)),
        )
        return (1, frames, tensors, ((full, False),), (row,), loops, False), (0, 1, 2), (0,)

    def order(needs: int, shapes: Any, e: Any, g: Any, h: Any) -> Any:
        mean = g.mean(dims, keepdim=True)
        return (g - mean + (h * e).view(mean.shape) * mean.numel() / g.numel(),)

    return Op(
        folder,
        name="Centred",
        n_args=1,
        loops={
            0: ("T", "C", ["v0"]),
            1: ("TC", "T", ["v0 - v1/numbers[0]"]),
            2: ("C", "T", ["exp(v0/numbers[0])"]),
            10: ("T", "C", ["v0"]),
            11: ("CTTT", "T", ["v3 + (v2*v1 - v0)/numbers[0]"]),
        },
        forward=(1, frames, (A,), ((full, False), (row, True)), (row,),
                 ((0, full, (0,), (3,), ()), (1, full, (0, 3), (1,), ((full, row),)),
                  (2, row, (3,), (2,), ((full, row),))), False),
        saved=((True, 1),),
        wanted=(0,),
        gradient=gradient,
        plain=lambda x: (x - x.mean(dims, keepdim=True), x.mean(dims).exp()),
        next_order=order,
    )  # fmt: skip


def squared_error(folder: Path, **changes: Any) -> Op:
    """sum((w*x - y)**2): one pass for the loss and the gradients of a 0-d w and y."""
    frames = ((0,), (1,), (2,), (0, 1, 2), ())
    three = tuple((k, False, False) for k in range(3))
    formulas = ["2*v3*(v0*v1 - v2)*v1", "2*v3*(v0*v1 - v2)*v0", "-2*v3*(v0*v1 - v2)"]

    def gradient(needs: int) -> Any:
        some = bits(needs)
        loop = (needs, 3, (0, 1, 2, 3), tuple(range(4, 4 + len(some))), ())
        routine = (3, frames, (*three, (4, False, False)), tuple((k, False) for k in some), (),
                   (loop,), False)  # fmt: skip
        return routine, (0, 1, 2, 3), (0, 1, 2)

    def loss(scalars: int, needs: int) -> Any:
        if scalars & 2:
            return None
        n = 1 + len(bits(scalars))
        loop = (100 + scalars, 3, (0, 1, 2), tuple(range(3, 3 + n)), ())
        return (3, frames, three, ((4, False),) * n, (), (loop,), False)

    def order(needs: int, shapes: Any, w: Any, x: Any, y: Any, g: Any) -> Any:
        r = 2 * g * (w * x - y)
        every = [lambda: r * x, lambda: r * w, lambda: -r]
        return tuple(every[k]().sum_to_size(shapes[k]) for k in bits(needs))

    parts = {
        "name": "SquaredError",
        "n_args": 3,
        "loops": {
            0: ("TTT", "T", ["(v0*v1 - v2)*(v0*v1 - v2)"]),
            **{n: ("TTTT", "T" * len(bits(n)), [formulas[k] for k in bits(n)])
               for n in range(1, 8)},
            **{100 + n: ("TTT", "T" + "C" * len(bits(n)),
                         ["(v0*v1 - v2)*(v0*v1 - v2)",
                          *(formulas[k].replace("v3", "1") for k in bits(n))])
               for n in (1, 4, 5)},
        },
        "forward": (3, frames, three, ((4, False),), (),
                    ((0, 3, (0, 1, 2), (3,), ()),), False),
        "saved": ((False, 0), (False, 1), (False, 2)),
        "wanted": (0, 1, 2),
        "gradient": gradient,
        "scalar_loss": loss,
        "plain": lambda w, x, y: ((w * x - y) ** 2).sum(),
        "next_order": order,
    }  # fmt: skip
    return Op(folder, **(parts | changes))
