"""How far apart many clocks are at each instant: the furthest two, and all pairs.

Never looks at a table of every clock at every instant where few changes tell the same.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from orchestrator.trace.store import Column

_CELLS_MAX: Final = 1 << 20  # of a table of clocks, at a time
_CROSSINGS_MAX: Final = 1 << 22  # at a time
_CELLS_OF_A_CROSSING: Final = 8
"""So many clocks are sorted in the time that a crossing takes."""


class Spread(NamedTuple):
    """At each instant: the largest clock, by how much the least is less, and the sum of |Li - Lj| over all pairs."""

    highest: Column
    apart: Column
    pairs: Column


class Changes(NamedTuple):
    """What one clock was set to, and the places of the first instants that see it, which do not fall."""

    seen: Column
    clocks: Column


def spread(changes: Sequence[Changes], instants: int) -> Spread:
    """Return how far apart clocks are that are 0 before their first change; what no instant sees is left out."""
    crossings = _Crossings(changes, instants)
    if crossings.count * _CELLS_OF_A_CROSSING < len(changes) * instants:
        return crossings.spread()
    return _of_table(changes, instants)


def _of_table(changes: Sequence[Changes], instants: int) -> Spread:
    """Sort all clocks at every instant."""
    count = len(changes)
    weights = 2 * np.arange(count) - count + 1  # of the sorted clocks in the sum of all |Li - Lj|
    highest, apart, pairs = (np.zeros(instants, np.int64) for _ in range(3))
    step = max(1, _CELLS_MAX // count)
    for first in range(0, instants, step):
        some = slice(first, first + step)
        clocks = np.sort(_clocks(changes, range(*some.indices(instants))), axis=1)
        highest[some], apart[some] = clocks[:, -1], clocks[:, -1] - clocks[:, 0]
        pairs[some] = clocks @ weights
    return Spread(highest, apart, pairs)


def _clocks(changes: Sequence[Changes], places: range) -> Column:
    """Return the clocks, a machine a column, after everything at each of these instants."""
    table = np.empty((len(places), len(changes)), np.int64)
    for column, (seen, clocks) in enumerate(changes):
        first, last = np.searchsorted(seen, (places.start, places.stop - 1), side="right")
        states = np.append(clocks[first - 1] if first else 0, clocks[first:last])
        bounds = np.concatenate([[places.start], seen[first:last], [places.stop]])
        table[:, column] = np.repeat(states, np.diff(bounds))
    return table


class _Crossings:
    """The distinct values that clocks have, and each change as the steps between them that it crosses.

    Of n clocks, c are at a value or below it: then c * (n - c) pairs lie on both sides of the step above it; no clock
    is as low while c is 0, and one is higher while c is less than n.
    """

    def __init__(self, changes: Sequence[Changes], instants: int) -> None:
        self._machines, self._instants = len(changes), instants
        seen, clocks = (np.concatenate(columns) for columns in zip(*changes, strict=True))
        self._values = np.unique(np.append(clocks, 0))
        self._zero = int(np.searchsorted(self._values, 0))
        after = np.searchsorted(self._values, clocks)
        before = np.append(self._zero, after[:-1])
        begins = np.cumsum([0, *(len(one.clocks) for one in changes)])[:-1]
        before[begins[begins < len(before)]] = self._zero
        is_seen = seen < instants
        self._seen, self._before, self._after = seen[is_seen], before[is_seen], after[is_seen]
        self.count = int(np.abs(self._after - self._before).sum())

    def spread(self) -> Spread:
        """Add up what each crossing changes, from the state in which every clock is 0."""
        lowest, highest, pairs = (np.zeros(self._instants, np.int64) for _ in range(3))
        steps = len(self._values) - 1
        bounds = np.linspace(0, steps, min(steps, self.count // _CROSSINGS_MAX + 1) + 1).astype(np.int64).tolist()
        for first, until in pairwise(bounds):
            step, seen, was, now = self._between(first, until)
            gap, count = np.diff(self._values)[step], self._machines
            np.add.at(pairs, seen, gap * (now * (count - now) - was * (count - was)))
            np.add.at(lowest, seen, np.equal(now, 0).astype(np.int64) - np.equal(was, 0))
            np.add.at(highest, seen, np.less(now, count).astype(np.int64) - np.less(was, count))
        high, low = self._values[self._zero + highest.cumsum()], self._values[self._zero + lowest.cumsum()]
        return Spread(high, high - low, pairs.cumsum())

    def _between(self, first: int, until: int) -> tuple[Column, Column, Column, Column]:
        """Return each crossing of some steps: of which, seen where, and how many clocks were and are below it."""
        before, after = np.clip(self._before, first, until), np.clip(self._after, first, until)
        width = np.abs(after - before)
        change = np.repeat(np.arange(len(width)), width)
        step = np.minimum(before, after)[change] + np.arange(len(change)) - np.repeat(width.cumsum() - width, width)
        order = np.lexsort((self._seen[change], step))
        step, change = step[order], change[order]
        sign = np.where(after > before, -1, 1)[change]
        begins = np.flatnonzero(np.append(True, np.diff(step) != 0)) if len(step) else np.empty(0, np.int64)
        below = np.where(step[begins] >= self._zero, self._machines, 0)
        total = sign.cumsum()
        lengths = np.diff(np.append(begins, len(step)))
        now = total + np.repeat(below - (total - sign)[begins], lengths)
        return step, self._seen[change], now - sign, now
