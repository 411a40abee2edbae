"""Kernels of Triton under its interpreter, which is switched on before triton is imported.

`tests/test_triton.py` runs these files in processes of their own; by hand it is
`TRITON_INTERPRET=1 python -m pytest tests/interpreted`.
"""

from __future__ import annotations

import os

collect_ignore_glob = [] if os.environ.get("TRITON_INTERPRET") == "1" else ["test_*.py"]
