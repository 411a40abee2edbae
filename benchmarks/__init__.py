"""Measurements; run them from the root of the repository."""

import os

# What is measured is the text that is generated; tables about kernels ask for them by name.
os.environ.setdefault("SYMOP_BACKEND", "torch")
