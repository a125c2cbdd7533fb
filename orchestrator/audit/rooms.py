"""Where a log may lack events: the rooms between two events, before the first, behind the last.

A claim that counts sends is a proof only if no unseen send could undo it. Nobody promises that a log is whole, so its
own regularity must show it: clocks that leave no room, indexes that count, ticks that come at equal intervals.
Never looks at who sent what to whom.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from orchestrator.audit.store import ALL, ONE, ForeignTrace
from orchestrator.trace.store import NULL, Column, Mask

FOREVER: Final = 1 << 62
EVENTS_MIN: Final = 8
"""Fewer events say nothing of a rhythm."""
REGULAR_SHARE: Final = 0.9
MISSED: Final = 1.75
"""An interval this many times the usual one may hide a tick."""

_NUMBER: Final = re.compile(r"\d+(?=\D*\Z)")


@dataclass(frozen=True, slots=True)
class Room:
    """Room for at most `events` unseen events of a machine, each with a clock above `low` and below `high`."""

    node: int
    low: int
    high: int
    events: int

    def may_hold(self, clock: int) -> bool:
        """Whether an unseen event may have this clock."""
        return self.low < clock < self.high


def find_rooms(trace: ForeignTrace) -> list[Room]:
    """Return every room of a trace with a scalar clock; a machine without a log is nothing but room."""
    if trace.is_declared_complete:
        return []
    rooms = [Room(node, 0, FOREVER, FOREVER) for node in machines_without_log(trace)]
    rhythms = {node: _Rhythm(trace, rows) for node, rows in enumerate(trace.programs) if len(rows)}
    begin_ns = min((rhythm.begin_ns for rhythm in rhythms.values() if rhythm.is_regular), default=0)
    end_ns = max((rhythm.end_ns for rhythm in rhythms.values() if rhythm.is_regular), default=0)
    for node, rhythm in rhythms.items():
        rooms += _rooms_of(trace, node, rhythm, begin_ns=begin_ns, end_ns=end_ns)
    return rooms


def machines_without_log(trace: ForeignTrace) -> list[int]:
    """Return the machines that are named and have no log; one more, len(nodes), stands for those that must be there.

    It must be there if its number is missing in a row of numbers, or if two machines tell "to one" from "to all".
    """
    absent = list(range(len(trace.nodes) - trace.absent, len(trace.nodes)))
    return absent or ([len(trace.nodes)] if _number_missing(trace.nodes) or _two_have_others(trace) else [])


def _number_missing(nodes: tuple[str, ...]) -> bool:
    found = [_NUMBER.search(name) for name in nodes]
    numbers = sorted({int(match[0]) for match in found if match})
    if len(numbers) < len(nodes) or len(numbers) < 2:
        return False
    first = numbers[0] if numbers[0] > 1 and numbers[0] >= 100 else min(numbers[0], 1)
    return len(set(range(first, numbers[-1] + 1)) - set(numbers)) == 1


def _two_have_others(trace: ForeignTrace) -> bool:
    to = trace.to[trace.is_send]
    return len(trace.nodes) == 2 and bool((to == ALL).any()) and bool((to == ONE).any())


class _Rhythm:
    """When a machine's events come: each at an interval like the others, or so many in each burst."""

    def __init__(self, trace: ForeignTrace, rows: Column) -> None:
        times = trace.time_ns[rows]
        self.is_regular = False
        self.begin_ns, self.end_ns, self.pause_ns = int(times[0]), int(times[-1]), 0
        self.may_hide = np.ones(max(0, len(rows) - 1), np.bool_)
        if len(rows) < EVENTS_MIN or (times == NULL).any():
            return
        intervals = np.diff(times)
        if not self._ticks(intervals):
            self._bursts(intervals)

    def _ticks(self, intervals: Column) -> bool:
        usual = float(np.median(intervals))
        is_usual = (intervals > usual / 2) & (intervals < usual * MISSED)
        if usual <= 0 or is_usual.mean() < REGULAR_SHARE:
            return False
        self.is_regular, self.pause_ns = True, int(usual)
        self.may_hide = intervals >= usual * MISSED
        return True

    def _bursts(self, intervals: Column) -> None:
        """Find bursts of equal size with equal pauses between them, as a clock of whole seconds shows ticks, too."""
        is_pause = intervals > np.quantile(intervals, 0.98) * 0.6
        pauses, starts = intervals[is_pause], np.flatnonzero(is_pause) + 1
        if (
            len(starts) < EVENTS_MIN
            or float(pauses.min()) <= 0
            or float(pauses.max()) >= float(np.median(pauses)) * MISSED
        ):
            return
        sizes = np.diff(starts)
        size = int(np.median(sizes))
        if (sizes == size).mean() < REGULAR_SHARE or size < 2:
            return
        self.is_regular, self.pause_ns = True, int(np.median(pauses))
        burst = np.searchsorted(starts, np.arange(len(intervals)) + 1, side="right")
        full = np.concatenate([[starts[0] >= size], sizes >= size, [len(intervals) + 1 - starts[-1] >= size]])
        # A pause belongs to the burst before it and to the one behind.
        self.may_hide = ~full[burst] | (is_pause & ~full[np.maximum(burst - 1, 0)])


def _rooms_of(trace: ForeignTrace, node: int, rhythm: _Rhythm, *, begin_ns: int, end_ns: int) -> Iterator[Room]:
    rows = trace.programs[node]
    clock, index = trace.clock[rows], trace.index[rows]
    has_index = bool((index != NULL).all())
    first_index = int(trace.index.min(initial=1)) if has_index else 1
    is_dirty = unread_between(trace, rows)
    space = np.diff(clock) - 1
    unseen = np.diff(index) - 1 if has_index else np.full(len(space), FOREVER)
    is_open = (space > 0) & (unseen > 0) & (rhythm.may_hide | is_dirty[1:-1])
    if is_dirty[0] or not rhythm.is_regular or rhythm.begin_ns - begin_ns > rhythm.pause_ns * MISSED:
        events = min(int(clock[0]) - 1, int(index[0]) - first_index if has_index else FOREVER)
        if events > 0:
            yield Room(node, 0, int(clock[0]), events)
    for place in np.flatnonzero(is_open).tolist():
        events = min(int(space[place]), int(unseen[place]))
        yield Room(node, int(clock[place]), int(clock[place + 1]), events)
    if is_dirty[-1] or not rhythm.is_regular or end_ns - rhythm.end_ns > rhythm.pause_ns * MISSED:
        yield Room(node, int(clock[-1]), FOREVER, FOREVER)


def unread_between(trace: ForeignTrace, rows: Column) -> Mask:
    """Return, for the gap before each of these rows and the one behind the last, whether unread lines lie in it."""
    if not len(trace.unread_line) or not len(rows):
        return np.zeros(len(rows) + 1, np.bool_)
    place = trace.file[rows] * FILE_LINES_MAX + trace.line[rows]
    unread = np.sort(trace.unread_file * FILE_LINES_MAX + trace.unread_line)
    files = np.unique(trace.file[rows])
    edges = np.concatenate([[files[0] * FILE_LINES_MAX], place, [(files[-1] + 1) * FILE_LINES_MAX]])
    counts = np.searchsorted(unread, edges)
    return np.not_equal(counts[1:], counts[:-1])


FILE_LINES_MAX: Final = 1 << 40
