"""What all tests run under."""

import os

# Most tests are about what is written; those about kernels ask for them by name.
os.environ.setdefault("SYMOP_BACKEND", "torch")
