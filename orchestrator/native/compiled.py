"""How a function is compiled: numba, its cache, and the columns that compiled functions read and write.

Never decides anything about a run. The cache lies in .venv, and what cannot be cached is compiled each time.
"""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Final, TypeAlias, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

from orchestrator.native.cache import directory

Function = TypeVar("Function", bound=Callable[..., Any])
Words: TypeAlias = npt.NDArray[np.uint32]
Rolls: TypeAlias = npt.NDArray[np.uint64]
Times: TypeAlias = npt.NDArray[np.int64]
Bytes: TypeAlias = npt.NDArray[np.uint8]


def _cache() -> Path | None:
    """Return the directory of what was compiled; None if it cannot be written."""
    path = directory()
    with suppress(OSError):
        path.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=path) as file:
            file.write(bytes(1 << 20))  # a full disk does not cache either
        return path
    return None


_CACHE: Final = _cache()
if _CACHE is not None:
    numba.config.CACHE_DIR = str(_CACHE)  # type: ignore[attr-defined]  # numba sets its settings when it is imported


def compiled(function: Function) -> Function:
    """Return the function compiled; others may run while it does."""
    made: Any = numba.njit(cache=_CACHE is not None, nogil=True, error_model="numpy")(function)
    return cast(Function, made)


def inlined(function: Function) -> Function:
    """Return the function compiled as a part of those that call it, and cached with them."""
    made: Any = numba.njit(error_model="numpy")(function)
    return cast(Function, made)


def pasted(function: Function) -> Function:
    """Return the function so that its text becomes a part of those that call it, before they are compiled.

    A column that is handed over in a loop is counted each time, but not if it never leaves the function.
    """
    made: Any = numba.njit(inline="always", error_model="numpy")(function)
    return cast(Function, made)
