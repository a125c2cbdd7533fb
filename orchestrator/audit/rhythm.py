"""The rhythm of a machine: whether its events come as ticks do, at equal intervals, or so many at once.

Never looks at what the events are.
"""

from typing import Final

import numpy as np

from orchestrator.audit.store import ForeignTrace
from orchestrator.trace.store import NULL, Column

EVENTS_MIN: Final = 8
"""Fewer events say nothing of a rhythm."""
REGULAR_SHARE: Final = 0.9
MISSED: Final = 1.75
"""An interval this many times the usual one may hide a tick."""
DENSE: Final = 4
"""A pause between bursts is this many times an interval within one, or an event may be missing in it."""
SHORTEST_SHARE: Final = 0.02
"""So many intervals may be shorter than what counts as the shortest: somebody caught up."""


class Rhythm:
    """Looks at the times of one machine's events, `rows` in its order.

    `is_regular` says that it ticks: `burst` events, usually one, every `period_ns`. `may_hide` says of each gap between
    two events whether it is longer than usual, `has_room` whether one more event may have been in it: where it is no
    shorter than two of the shortest together. `begin_ns` and `end_ns` are the first time and the last.
    """

    def __init__(self, trace: ForeignTrace, rows: Column) -> None:
        times = trace.time_ns[rows]
        self.is_regular = False
        self.begin_ns, self.end_ns, self.period_ns, self.burst = int(times[0]), int(times[-1]), 0, 1
        self.may_hide = np.ones(max(0, len(rows) - 1), np.bool_)
        self.has_room = self.may_hide
        if len(rows) < EVENTS_MIN or (times == NULL).any():
            return
        intervals = np.diff(times)
        if not self._ticks(intervals):
            self._bursts(intervals)

    def _ticks(self, intervals: Column) -> bool:
        ordered = np.sort(intervals)
        last = len(ordered) - 1
        usual = (float(ordered[last // 2]) + float(ordered[-1 - last // 2])) / 2  # the median
        shortest = ordered[int(last * SHORTEST_SHARE)]
        is_usual = (intervals > usual / 2) & (intervals < usual * MISSED)
        if usual <= 0 or is_usual.mean() < REGULAR_SHARE:
            return False
        self.is_regular, self.period_ns = True, int(usual)
        self.may_hide = intervals >= usual * MISSED
        self.has_room = intervals >= shortest * MISSED
        return True

    def _bursts(self, intervals: Column) -> None:
        """Find bursts of equal size with equal pauses between them, as a clock of whole seconds shows ticks, too."""
        is_pause = intervals > np.quantile(intervals, 0.98) * 0.6
        pauses, starts = intervals[is_pause], np.flatnonzero(is_pause) + 1
        if (
            len(starts) < EVENTS_MIN
            or float(pauses.min()) <= 0
            or float(pauses.max()) >= float(np.median(pauses)) * MISSED
            or float(pauses.min()) < float(intervals[~is_pause].max(initial=0)) * DENSE
        ):
            return
        sizes = np.diff(starts)
        size = int(np.median(sizes))
        if (sizes == size).mean() < REGULAR_SHARE or size < 2:
            return
        self.is_regular, self.period_ns, self.burst = True, int(np.median(pauses)), size
        burst = np.searchsorted(starts, np.arange(len(intervals)) + 1, side="right")
        full = np.concatenate([[starts[0] >= size], sizes >= size, [len(intervals) + 1 - starts[-1] >= size]])
        # A pause belongs to the burst before it and to the one behind.
        self.may_hide = ~full[burst] | (is_pause & ~full[np.maximum(burst - 1, 0)])
        self.has_room = self.may_hide | (sizes.max() > size)
