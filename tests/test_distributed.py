"""Ops across processes: DTensor, FSDP2 and tensor parallelism, in real groups of 2 and 4.

The checks stand in `distributed_checks.py`; a group is started once and runs all of them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import torch.distributed as dist

from tests.distributed_checks import CHECKS

LIMIT = 240
ROOT = Path(__file__).parent.parent

pytestmark = pytest.mark.skipif(
    not dist.is_available() or not dist.is_gloo_available(), reason="this torch has no gloo"
)


def results(world: int) -> list[dict[str, str]]:
    """For every process: check -> what went wrong, empty if it held."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        # The processes meet in a file of their own, so that two runs at once do not collide.
        command = [sys.executable, "-m", "tests.distributed_checks"]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "TORCH_CPP_LOG_LEVEL": "ERROR"}
        logs = [(folder / f"log{rank}").open("w") for rank in range(world)]
        processes = [
            subprocess.Popen(
                [*command, str(rank), str(world), str(folder / "store"), str(folder / f"{rank}")],
                cwd=ROOT, env=environment, stdout=logs[rank], stderr=subprocess.STDOUT,
            )
            for rank in range(world)
        ]  # fmt: skip
        end = time.monotonic() + LIMIT
        try:
            for process in processes:
                process.wait(max(0.1, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            pass
        finally:
            for process, log in zip(processes, logs, strict=True):
                process.kill()
                process.wait()
                log.close()
        found = []
        for rank in range(world):
            path = folder / f"{rank}"
            lines = path.read_text().splitlines() if path.exists() else []
            log_text = (folder / f"log{rank}").read_text()[-2000:]
            records = {r["check"]: r["problem"] for r in map(json.loads, lines)}
            missing = f"not reached, or not finished in time; the log ends:\n{log_text}"
            found.append({c.__name__: records.get(c.__name__, missing) for c in CHECKS[world]})
        return found


@pytest.mark.parametrize(
    "world", [pytest.param(n, marks=[pytest.mark.slow] if n > 2 else []) for n in CHECKS]
)
def test_every_check_holds_in_a_group(world: int) -> None:
    # One test a group: parallel test runners would otherwise start each group more than once.
    problems = [
        f"{check}, process {rank} of {world}: {problem}"
        for rank, found in enumerate(results(world))
        for check, problem in found.items()
        if problem
    ]
    assert not problems, "\n".join(problems)
