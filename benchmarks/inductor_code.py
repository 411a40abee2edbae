"""The kernels that torch.compile (Inductor) writes for a GPU that is not there, as texts.

PyTorch traces functions on tensors without memory, and Inductor asks the device for its properties:
here those of an H100 stand in for it. Nothing is launched.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any
from unittest import mock

import torch
import triton
from torch._inductor import config
from torch._inductor.debug import DebugContext
from torch._inductor.decomposition import select_decomp_table
from torch._inductor.graph import GraphLowering
from torch._inductor.runtime import triton_heuristics
from torch._inductor.runtime.hints import DeviceProperties
from torch._inductor.virtualized import V
from torch._subclasses import FakeTensorMode
from torch.fx.experimental.proxy_tensor import make_fx
from triton.backends.compiler import GPUTarget

from symop.gpu_kernels import KernelText

_PROPERTIES = DeviceProperties(
    type="cuda", index=0, multi_processor_count=132, cc=90, major=9,
    regs_per_multiprocessor=65536, max_threads_per_multi_processor=2048, warp_size=32,
)  # fmt: skip


@dataclass(frozen=True)
class Launch:
    """A kernel that is launched.

    text: the kernel in its first configuration, which is what runs without autotuning.
    elements: how many elements it goes through.
    """

    text: KernelText
    elements: int


class _Device:
    """What Inductor asks the properties of a device for."""

    name = "NVIDIA H100"
    major, minor = 9, 0
    multi_processor_count = 132
    regs_per_multiprocessor = 65536
    max_threads_per_multi_processor = 2048
    total_memory = 80 << 30
    warp_size = 32
    L2_cache_size = 50 << 20
    shared_memory_per_block_optin = 232448
    gcnArchName = ""


class _Driver:
    """A driver of Triton without a device."""

    def get_current_target(self) -> GPUTarget:
        return GPUTarget("cuda", 90, 32)

    def get_active_torch_device(self) -> torch.device:
        return torch.device("cuda", 0)

    def get_current_device(self) -> int:
        return 0

    def get_device_interface(self) -> Any:
        return torch.cuda


@contextlib.contextmanager
def _pretended() -> Iterator[None]:
    """An H100 in the place of no GPU, as far as code is generated for it."""
    instead = {
        "torch.cuda.is_available": lambda: True,
        "torch.cuda.device_count": lambda: 1,
        "torch.cuda.current_device": lambda: 0,
        "torch.cuda.get_device_properties": lambda device=None: _Device,
        "torch.cuda.get_device_capability": lambda device=None: (9, 0),
        "torch.cuda._lazy_init": lambda: None,
        "torch.cuda.synchronize": lambda *device: None,
        "torch._inductor.runtime.hints.DeviceProperties.create": lambda device: _PROPERTIES,
    }
    triton.runtime.driver.set_active(_Driver())
    with contextlib.ExitStack() as stack:
        for name, value in instead.items():
            stack.enter_context(mock.patch(name, value))
        stack.enter_context(config.patch(force_disable_caches=True, compile_threads=1))
        yield


def launches(
    function: Callable[..., Any], shapes: Sequence[Sequence[int]], dtype: torch.dtype
) -> list[Launch]:
    """What Inductor launches for a function of contiguous tensors of some shapes."""
    with _pretended():
        code = _code(function, shapes, dtype)
        texts = dict(
            re.findall(r"^(\w+) = async_compile\.triton\('\w+', '''(.*?)'''", code, re.M | re.S)
        )
        calls = re.findall(r"^ +(\w+)\.run\((.*), stream=", code, re.M)
        return [_launch(name, texts[name], given) for name, given in calls]


def _code(function: Callable[..., Any], shapes: Sequence[Sequence[int]], dtype: torch.dtype) -> str:
    table = select_decomp_table()
    mode = FakeTensorMode()
    with mode:
        # Autograd does not run on a device that is not there: it is traced on the CPU first.
        inputs = [torch.empty(tuple(shape), dtype=dtype) for shape in shapes]
        traced = make_fx(function, decomposition_table=table)(*inputs)
        for node in traced.graph.nodes:
            if "device" in node.kwargs:
                node.kwargs = {**node.kwargs, "device": torch.device("cuda:0")}
        traced.recompile()
        there = [torch.empty(tuple(s), dtype=dtype, device="cuda:0") for s in shapes]
        graph = GraphLowering(make_fx(traced, decomposition_table=table)(*there), graph_id=0)
    debug = V.set_debug_handler(DebugContext())
    with V.set_graph_handler(graph), V.set_fake_mode(mode), debug:
        graph.run(*there)
        made = graph.codegen()[0]
    return str(getattr(made, "value", made))


def _launch(name: str, source: str, given: str) -> Launch:
    found: dict[str, Any] = {}

    def keep(size_hints: Any, configs: Any, triton_meta: Any, **rest: Any) -> Any:
        found.update(configs=configs, meta=triton_meta)
        return lambda function: function

    space: dict[str, Any] = {"__name__": name, "__file__": f"{name}.py"}
    with mock.patch.object(triton_heuristics, "cached_autotune", keep):
        # The decorator before triton.jit chooses the sizes of blocks.
        head = source.replace("@triton.jit\n", "")
        head = head.replace("triton_helpers.set_driver_to_gpu()\n", "")
        exec(compile(head, f"{name}.py", "exec"), space)
    first = found["configs"][0]
    signature = dict(found["meta"]["signature"])
    constants = {**found["meta"]["constants"], **first.kwargs}
    constants = {key: value for key, value in constants.items() if key in signature}
    names = list(signature)
    aligned = [names[place] for (place,) in found["meta"]["configs"][0]]
    numbers = [int(part) for part in given.split(", ") if part.isdecimal()]
    blocks = dict(first.kwargs)
    blocks |= {k: int(v) for k, v in re.findall(r"(\w+BLOCK): tl\.constexpr = (\d+)", source)}
    blocks.pop("RBLOCK", None)
    is_reduction = any(key.startswith("R0_") for key in blocks)
    imports = (
        "import triton\nimport triton.language as tl\n"
        "from torch._inductor.runtime import triton_helpers\n"
        "from torch._inductor.runtime.triton_helpers import libdevice, math as tl_math\n\n"
    )
    body = source[source.index("@triton.jit\n") :]
    one = set(re.findall(r"tl\.load\((\w+) \+ \(0\)\)", body))
    whole = [
        key for key, kind in signature.items()
        if kind.startswith("*") and key not in one and not (is_reduction and "out" in key)
    ]  # fmt: skip
    text = KernelText(
        imports + body, name, tuple(signature.items()), tuple(constants.items()),
        tuple(aligned), prod(blocks.values()), tuple(whole), first.num_warps,
        (("enable_fp_fusion", bool(found["meta"].get("enable_fp_fusion", True))),),
    )  # fmt: skip
    return Launch(text, prod(numbers))
