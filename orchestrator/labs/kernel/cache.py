"""Where compiled code is kept: in .venv, under a name made from the sources, so that it always belongs to them.

Never imports numba: whether it is worth importing depends on what is kept.
"""

import hashlib
import sys
from pathlib import Path


def directory() -> Path:
    """Return the directory of what was compiled from exactly these sources; it need not exist."""
    sources = sorted(Path(__file__).parent.glob("*.py"))
    key = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:16]
    return Path(sys.prefix, "numba", key)


def holds(function: str) -> bool:
    """Return whether a function, named with its module, was compiled before."""
    return any(directory().glob(f"*/{function}-*.nbi"))
