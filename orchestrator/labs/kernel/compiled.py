"""What makes a function compiled: numba, its cache, and what the compiled parts share.

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

from node.dice import KIND, PEER
from orchestrator.labs.kernel.cache import directory

Function = TypeVar("Function", bound=Callable[..., Any])
Words: TypeAlias = npt.NDArray[np.uint32]
Rolls: TypeAlias = npt.NDArray[np.uint64]
Times: TypeAlias = npt.NDArray[np.int64]
Bytes: TypeAlias = npt.NDArray[np.uint8]

# Mixed int64 and uint64 silently become float64: every operand of the dice is uint64, and everything else int64.
_Word = np.uint64
_KIND: Final = _Word(KIND)
_PEER: Final = _Word(PEER)
_HALF: Final = _Word(32)
_LOW: Final = _Word(0xFFFFFFFF)


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


@inlined
def mix(value: Any) -> Any:
    """Return one whole step of SplitMix64."""
    value = value + _Word(0x9E3779B97F4A7C15)
    value = (value ^ (value >> _Word(30))) * _Word(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> _Word(27))) * _Word(0x94D049BB133111EB)
    return value ^ (value >> _Word(31))


@inlined
def roll(start: Any, tick: Any, purpose: Any, other: Any) -> Any:
    """Return 64 uniform bits for one place; `start` has seed and node already mixed."""
    return mix(mix(mix(start ^ _Word(tick)) ^ _Word(purpose)) ^ _Word(other))


@inlined
def die_at(place: Any) -> Any:
    """Return the 53 bits by which the kind of a tick is chosen; `place` has seed, node and tick mixed."""
    return mix(mix(place ^ _KIND)) >> _Word(11)


@inlined
def few_at(place: Any, count: Any) -> Any:
    """Return which of so many peers, fewer than 2^32, a send-one is for."""
    bits = mix(mix(place ^ _PEER))
    return ((bits >> _HALF) * count + ((bits & _LOW) * count >> _HALF)) >> _HALF


@inlined
def kind_of(start: Any, tick: Any, chances: Any, machine: Any, first: Any) -> Any:
    """Return what the die says of a tick with an empty queue: 0 internal, 1 to 3 the sends.

    The chances of a machine stand in its row from `first` on.
    """
    x = die_at(mix(start ^ _Word(tick)))
    kind = np.int64(x >= chances[machine, first]) + np.int64(x >= chances[machine, first + 1])
    return kind + np.int64(x >= chances[machine, first + 2])


@inlined
def peer_of(start: Any, tick: Any, count: Any) -> Any:
    """Return which of so many peers a send-one is for."""
    return np.int64(few_at(mix(start ^ _Word(tick)), _Word(count)))


@inlined
def high(a: Any, b: Any) -> Any:
    """Return the upper 64 of the 128 bits of a product."""
    a_high, a_low, b_high, b_low = a >> _HALF, a & _LOW, b >> _HALF, b & _LOW
    middle = a_high * b_low + (a_low * b_low >> _HALF)
    rest = a_low * b_high + (middle & _LOW)
    return a_high * b_high + (middle >> _HALF) + (rest >> _HALF)
