"""Happened-before, from structure alone: program order and the sends that receives name.

Never looks at a clock, so that a wrong clock can be caught. An incarnation is a process of its own: what it forgot
did not happen before it. Source: Lamport (1978), "The Partial Ordering"; vectors after Fidge and Mattern (1988).
"""

from functools import cached_property

import numpy as np
import numpy.typing as npt

from orchestrator.trace.store import Trace

_NEW, _OPEN, _DONE = 0, 1, 2


class Order:
    """The partial order of a trace's events.

    `circular` are the receives that happened before their own sends: no order holds them, their causes are left out.
    """

    def __init__(self, trace: Trace) -> None:
        self._before = trace.before
        self._cause = trace.cause_row.copy()
        self._sequence, self.circular = _sequence(self._before.tolist(), self._cause.tolist())
        self._cause[self.circular] = -1
        self._chain = np.zeros(len(trace), np.int64)
        self._position = np.zeros(len(trace), np.int64)
        for chain, rows in enumerate(trace.programs.values()):
            self._chain[rows] = chain
            self._position[rows] = np.arange(1, len(rows) + 1)
        self._chains = len(trace.programs)

    def happened_before(self, a: int, b: int) -> bool:
        """Whether the event in row `a` happened before the one in row `b`."""
        return a != b and bool(self._past[b, self._chain[a]] >= self._position[a])

    @cached_property
    def ordered_pairs(self) -> int:
        """The number of pairs of which one event happened before the other."""
        return int(self._past.sum(dtype=np.int64)) - len(self._sequence)

    @property
    def concurrent_pairs(self) -> int:
        """The number of pairs of which neither happened before the other."""
        events = len(self._sequence)
        return events * (events - 1) // 2 - self.ordered_pairs

    @cached_property
    def edges(self) -> int:
        """The number of pairs of events on different machines with nothing between them.

        A cause is such a pair unless its send also happened before the event just before the receive.
        """
        receives = np.flatnonzero(self._cause >= 0)
        sends, previous = self._cause[receives], self._before[receives]
        between = (previous >= 0) & (self._past[previous, self._chain[sends]] >= self._position[sends])
        return int(np.count_nonzero(~between))

    @cached_property
    def longest_chain(self) -> int:
        """The number of events of the longest chain in which each happened before the next."""
        before, cause = self._before.tolist(), self._cause.tolist()
        length = [0] * (len(before) + 1)  # the last stands for "none", which is -1
        for row in self._sequence:
            length[row] = 1 + max(length[before[row]], length[cause[row]])
        return max(length)

    @cached_property
    def _past(self) -> npt.NDArray[np.int32]:
        """By row and chain: how many events of the chain happened before the row's, or are it."""
        past = np.zeros((len(self._sequence), self._chains), np.int32)
        before, cause = self._before.tolist(), self._cause.tolist()
        for row in self._sequence:
            mine = past[row]
            if before[row] >= 0:
                mine[:] = past[before[row]]
            if cause[row] >= 0:
                np.maximum(mine, past[cause[row]], out=mine)
            mine[self._chain[row]] = self._position[row]
        return past


def _sequence(before: list[int], cause: list[int]) -> tuple[list[int], list[int]]:
    """Return all rows, each after what it depends on, and the receives whose cause had to be left out for that."""
    state = [_NEW] * len(before)
    sequence: list[int] = []
    circular: list[int] = []

    def finish(row: int) -> None:
        state[row] = _DONE
        sequence.append(row)

    for root in range(len(before)):
        path = [root]
        while path:
            row = path[-1]
            is_early = _is_missing(before[row], state)
            needed = before[row] if is_early else cause[row]
            if state[row] == _DONE:
                path.pop()
            elif not _is_missing(needed, state):
                finish(row)
            elif state[needed] == _OPEN:
                circular.append(needed)
                finish(needed)
            else:
                # An open row waits for its cause alone, so a circle through it goes through its cause.
                state[row] = _NEW if is_early else _OPEN
                path.append(needed)
    return sequence, circular


def _is_missing(row: int, state: list[int]) -> bool:
    return row >= 0 and state[row] != _DONE
