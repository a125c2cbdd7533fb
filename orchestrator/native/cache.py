"""Where compiled code is kept: in .venv, under a name made from the sources, so that it always belongs to them.

Never imports numba: whether it is worth importing depends on what is kept.
"""

import hashlib
import sys
from functools import cache
from pathlib import Path
from typing import Final

_SOURCES: Final = ("native", "labs/kernel", "trace/compiled", "trace/proof")
"""The packages that hold compiled functions: one may be made a part of another."""


@cache
def directory() -> Path:
    """Return the directory of what was compiled from exactly these sources; it need not exist."""
    here = Path(__file__).parents[1]
    sources = [source for package in _SOURCES for source in sorted((here / package).glob("*.py"))]
    key = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:16]
    return Path(sys.prefix, "numba", key)


def holds(function: str) -> bool:
    """Return whether a function, named with its module, was compiled before."""
    return any(directory().glob(f"*/{function}-*.nbi"))
