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
from llvmlite import ir  # type: ignore[import-untyped]  # numba's own
from numba.core import types
from numba.extending import intrinsic

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


_PREFETCH: Final = "llvm.prefetch.p0"
_CACHE: Final = _cache()
if _CACHE is not None:
    numba.config.CACHE_DIR = str(_CACHE)  # type: ignore[attr-defined]  # numba sets its settings when it is imported


def compiled(function: Function) -> Function:
    """Return the function compiled; others may run while it does."""
    made: Any = numba.njit(cache=_CACHE is not None, nogil=True, error_model="numpy")(function)
    return cast(Function, made)


def uncounted(function: Function) -> Function:
    """Return the function compiled, and counting no references to columns: it must make none itself.

    Each count is a word that all cores write.
    """
    lean: Any = numba.njit  # its types do not tell of this setting
    made: Any = lean(cache=_CACHE is not None, nogil=True, error_model="numpy", _nrt=False)(function)
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


def _prefetch(_typing: Any, address: Any) -> Any:
    """Ask for the line of memory at an address, and do not wait for it; whether there is one does not matter."""

    def made(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        byte, number = ir.PointerType(ir.IntType(8)), ir.IntType(32)
        takes = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        function = builder.module.globals.get(_PREFETCH) or ir.Function(builder.module, takes, _PREFETCH)
        # To read it, and soon, and it is no code.
        builder.call(function, [builder.inttoptr(*arguments, byte), number(0), number(3), number(1)])

    return types.void(address), made


prefetch: Any = intrinsic(_prefetch)
