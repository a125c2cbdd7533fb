"""The formulas behind the measures, on plain columns: drift, jumps, means, rates. `docs/measures.md` has each.

Never knows whose log the columns come from.
"""

from collections.abc import Iterable, Sequence
from functools import reduce
from operator import add, mul
from typing import Final, NamedTuple

import numpy as np

from node.model import SECOND_NS
from orchestrator.trace.spread import Changes, spread
from orchestrator.trace.store import Column, Mask

_HALF: Final = 31


class History(NamedTuple):
    """A machine's clocks: what each was set to and when, at times that do not fall."""

    times_ns: Column
    clocks: Column


def drift(histories: Sequence[History], start_ns: int, end_ns: int, *, scale: int = 1) -> dict[str, float | int | None]:
    """Return how far apart the clocks, in units of 1 / `scale`, are in [start, end).

    Each state is weighed by how long it lasted; what lasted no time did not happen.
    """
    if end_ns <= start_ns:
        return {"drift_mean": None, "drift_max": None, "drift_pair_mean": None}
    instants = _instants(histories, start_ns, end_ns)
    lasted_ns = np.diff(np.append(instants, end_ns))
    count = len(histories)
    changes = [Changes(np.searchsorted(instants, times_ns), clocks) for times_ns, clocks in histories]
    _, apart, pairs = spread(changes, len(instants))
    length, pair_count = (end_ns - start_ns) * scale, count * (count - 1) // 2
    return {
        "drift_mean": _weighted(apart, lasted_ns) / length,
        "drift_max": in_steps(int(apart.max()), scale),
        "drift_pair_mean": _weighted(pairs, lasted_ns) / length / pair_count if pair_count else None,
    }


def jumps(jump: Column, *, scale: int = 1) -> dict[str, float | int | None]:
    """Return what is told of jumps, in units of 1 / `scale`, and of the gaps in them."""
    if not len(jump):
        return dict.fromkeys(("jump_mean", "jump_max", "gap_mean", "gap_max"))
    mean_jump, largest = float(jump.mean()) / scale, int(jump.max())
    return {
        "jump_mean": mean_jump,
        "jump_max": in_steps(largest, scale),
        "gap_mean": mean_jump - 1,
        "gap_max": in_steps(largest - scale, scale),
    }


def in_steps(clock: int, scale: int) -> float | int:
    """Return a clock in units of 1 / `scale` as the number that it is."""
    return clock if scale == 1 else clock / scale


def share(which: Mask) -> float | None:
    """Return what share of them it is."""
    return float(which.mean()) if len(which) else None


def mean(values: Iterable[float | None]) -> float | None:
    """Return the mean of those that are known, added one after the other: `sum` differs from Python to Python."""
    known = [value for value in values if value is not None]
    return reduce(add, known) / len(known) if known else None


def total(times_ns: Column) -> int:
    """Return the sum of times that are not negative, however large it is."""
    # Of as many as memory holds, neither half comes to 64 bits.
    return (int((times_ns >> _HALF).sum()) << _HALF) + int((times_ns & ((1 << _HALF) - 1)).sum())


def per_second(count: float | None, length_ns: int) -> float | None:
    """Return a rate."""
    return None if count is None or length_ns <= 0 else count * SECOND_NS / length_ns


def distinct(values: Column) -> Column:
    """Return the values in their order, each once; sorting is faster here than numpy's own way, which hashes."""
    rising = np.sort(values)
    return rising[np.append(True, rising[1:] != rising[:-1])] if len(rising) else rising


def _weighted(values: Column, lasted_ns: Column) -> int:
    """Return the sum of the products, which may be larger than 64 bits hold."""
    return sum(map(mul, values.tolist(), lasted_ns.tolist()))


def _instants(histories: Sequence[History], start_ns: int, end_ns: int) -> Column:
    times = np.concatenate([np.array([start_ns], np.int64), *(history.times_ns for history in histories)])
    return distinct(times[(times >= start_ns) & (times < end_ns)])
