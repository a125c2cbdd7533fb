"""Happened-before, from structure alone: program order and the sends that receives name.

Never looks at a clock, so that a wrong clock can be caught. An incarnation is a process of its own: what it forgot
did not happen before it. Source: Lamport (1978), "The Partial Ordering"; vectors after Fidge and Mattern (1988).
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from orchestrator.trace.sequence import Causes, sequence
from orchestrator.trace.store import Column, Trace


class Edges(NamedTuple):
    """Causes that lie on other machines: the event in row `cause` happened before the one in row `effect`."""

    cause: Column
    effect: Column


CELLS_MAX: Final = 1 << 30
"""The past of all events is a table of 4 bytes by event and process; what needs a larger one is not counted."""


class Order:
    """The partial order of events: `programs` are the rows of each process in its order, `edges` lead between them.

    `circular` are the events that happened before their own causes: no order holds them, those causes are left out.
    """

    def __init__(self, programs: Sequence[Column], edges: Edges, count: int) -> None:
        self._before = np.full(count, -1, np.int64)
        self._chain = np.zeros(count, np.int64)
        self._position = np.zeros(count, np.int64)
        for chain, rows in enumerate(programs):
            self._before[rows[1:]] = rows[:-1]
            self._chain[rows] = chain
            self._position[rows] = np.arange(1, len(rows) + 1)
        self._chains = len(programs)
        self._causes = _Causes(edges, count)
        self._sequence, self.circular = sequence(programs, self._causes.of, count)

    @classmethod
    def of(cls, trace: Trace) -> "Order":
        """Return the order of a trace of ours."""
        effect = np.flatnonzero(trace.cause_row >= 0)
        return cls(list(trace.programs.values()), Edges(trace.cause_row[effect], effect), len(trace))

    def happened_before(self, a: int, b: int) -> bool:
        """Whether the event in row `a` happened before the one in row `b`."""
        return a != b and bool(self._past[b, self._chain[a]] >= self._position[a])

    @cached_property
    def ordered_pairs(self) -> int | None:
        """The number of pairs of which one event happened before the other; None if there are too many."""
        if self._is_too_wide:
            return None
        return int(self._past.sum(dtype=np.int64)) - len(self._sequence)

    @property
    def concurrent_pairs(self) -> int | None:
        """The number of pairs of which neither happened before the other; None if there are too many."""
        events, ordered = len(self._sequence), self.ordered_pairs
        return None if ordered is None else events * (events - 1) // 2 - ordered

    @cached_property
    def edges(self) -> int | None:
        """The number of pairs of events on different machines with nothing between them; None if there are too many.

        A cause is such a pair unless it also happened before the event just before, or before another cause.
        """
        if self._is_too_wide:
            return None
        cause, effect = self._causes.edges()
        previous = self._before[effect]
        is_direct = ~((previous >= 0) & self._is_past(cause, np.maximum(previous, 0)))
        for place in np.flatnonzero(self._causes.is_one_of_several(effect)).tolist():
            others = [other for other in self._causes.of[int(effect[place])] if other != cause[place]]
            is_direct[place] &= not any(self.happened_before(int(cause[place]), other) for other in others)
        return int(np.count_nonzero(is_direct))

    @cached_property
    def longest_chain(self) -> int:
        """The number of events of the longest chain in which each happened before the next."""
        before, causes = self._before.tolist(), self._causes.of
        length = [0] * (len(before) + 1)  # the last stands for "none", which is -1
        for row in self._sequence:
            longest = length[before[row]]
            for cause in causes.get(row, ()):
                longest = max(longest, length[cause])
            length[row] = 1 + longest
        return max(length)

    @property
    def _is_too_wide(self) -> bool:
        return len(self._sequence) * self._chains > CELLS_MAX

    def _is_past(self, cause: Column, row: Column) -> npt.NDArray[np.bool_]:
        return np.greater_equal(self._past[row, self._chain[cause]], self._position[cause])

    @cached_property
    def _past(self) -> npt.NDArray[np.int32]:
        """By row and chain: how many events of the chain happened before the row's, or are it."""
        past = np.zeros((len(self._sequence), self._chains), np.int32)
        before, causes = self._before.tolist(), self._causes.of
        chain, position = self._chain.tolist(), self._position.tolist()
        for row in self._sequence:
            mine = past[row]
            if before[row] >= 0:
                mine[:] = past[before[row]]
            for cause in causes.get(row, ()):
                np.maximum(mine, past[cause], out=mine)
            mine[chain[row]] = position[row]
        return past


class _Causes:
    """The causes of each event that has any, without those that would close a circle."""

    def __init__(self, edges: Edges, count: int) -> None:
        self.of: Causes = {}
        for cause, effect in zip(edges.cause.tolist(), edges.effect.tolist(), strict=True):
            self.of.setdefault(effect, []).append(cause)
        self._several = np.zeros(count, np.bool_)
        self._several[[effect for effect, causes in self.of.items() if len(causes) > 1]] = True

    def edges(self) -> Edges:
        """Return what is left of the edges."""
        pairs = [(cause, effect) for effect, causes in self.of.items() for cause in causes]
        columns = np.array(pairs, np.int64).reshape(-1, 2)
        return Edges(columns[:, 0], columns[:, 1])

    def is_one_of_several(self, effect: Column) -> npt.NDArray[np.bool_]:
        """Return which of these events have several causes."""
        return self._several[effect]
