"""Where a log may lack events: the rooms between two events, before the first, behind the last.

A claim that counts sends is a proof only if no unseen send could undo it. Nobody promises that a log is whole, so its
own regularity must show it: clocks that leave no room, indexes that count, ticks that come at equal intervals. What
came behind the last event nothing can show. The machines are those whose logs are given, or that are named, or evident.
Never looks at who sent what to whom.
"""

import re
from dataclasses import dataclass, fields
from typing import Final

import numpy as np

from orchestrator.audit.rhythm import Rhythm
from orchestrator.audit.store import ALL, ONE, OTHER, ForeignTrace
from orchestrator.trace.store import NULL, Column, Mask

FOREVER: Final = 1 << 62
FILE_LINES_MAX: Final = 1 << 40
NEAR: Final = 1000
"""Two times are the same if they differ by no more than this part of a tick."""

_NUMBER: Final = re.compile(r"\d+(?=\D*\Z)")


@dataclass(frozen=True, slots=True)
class Rooms:
    """Rooms, each for at most `events` unseen events of machine `node`, with clocks above `low` and below `high`.

    `position` is how many events of the machine are known to come before them.
    """

    node: Column
    low: Column
    high: Column
    events: Column
    position: Column

    def __len__(self) -> int:
        """Return the number of rooms."""
        return len(self.node)

    def of(self, node: int) -> "Rooms":
        """Return the rooms of one machine."""
        return self._only(self.node == node)

    def but(self, node: int) -> "Rooms":
        """Return the rooms of all machines but one."""
        return self._only(self.node != node)

    def may_hold(self, clocks: Column) -> Mask:
        """Return which of these clocks an unseen event may have."""
        order = np.argsort(self.low, kind="stable")
        highest = np.append(-FOREVER, np.maximum.accumulate(self.high[order]))
        found: Mask = highest[np.searchsorted(self.low[order], clocks)] > clocks
        return found

    def may_hold_below(self, clocks: Column) -> Mask:
        """Return below which of these clocks an unseen event may have one."""
        found: Mask = clocks > self.low.min(initial=FOREVER) + 1
        return found

    def earliest(self, count: int) -> Column:
        """Return the least clocks that so many unseen events can have, each with one of its own in its room."""
        events = np.minimum(self.events, count)
        first = np.cumsum(events) - events
        clocks = np.repeat(self.low + 1 - first, events) + np.arange(events.sum())
        return np.sort(clocks)[:count]

    def _only(self, chosen: Mask) -> "Rooms":
        return Rooms(*(getattr(self, field.name)[chosen] for field in fields(self)))


def find_rooms(trace: ForeignTrace) -> Rooms:
    """Return every room of a trace; without a scalar clock any may hold whatever clock there is."""
    logs = [_Log(trace, node) for node, rows in enumerate(trace.programs) if len(rows)]
    found = [_boundless(trace, node) for node in machines_without_log(trace)]
    if not trace.is_declared_complete or len(trace.unread_line):
        known = range(len(trace.nodes) - trace.absent)
        found += [_boundless(trace, node) for node in known if not len(trace.programs[node])]
    if trace.is_send.any():
        begun_ns = max((log.before_ns for log in logs if log.is_whole_before), default=-FOREVER)
        found += [log.rooms(begun_ns) for log in logs]
        found += [_of_unknown_kind(trace)]
    else:
        # Logs in which nobody ever sends do not lack sends: they do not say them.
        found += [_boundless(trace, log.node) for log in logs]
    return Rooms(*np.concatenate([np.empty((5, 0), np.int64), *found], axis=1))


def machines_without_log(trace: ForeignTrace) -> list[int]:
    """Return the machines that are named and have no log; one more, len(nodes), stands for those that must be there.

    It must be there if a machine alone sends or receives, if nothing of a file can be read, if its number is missing in
    a row of numbers, or if two machines tell "to one" from "to all".
    """
    absent = list(range(len(trace.nodes) - trace.absent, len(trace.nodes)))
    is_alone = len(trace.nodes) == 1 and bool((trace.is_send | trace.is_receive).any())
    is_unread = len(trace.unread_file) > 0 and not np.isin(trace.unread_file, trace.file).all()
    is_evident = not trace.is_declared_complete and (_number_missing(trace.nodes) or _two_have_others(trace))
    return [*absent, len(trace.nodes)] if is_alone or is_unread or is_evident else absent


def _number_missing(nodes: tuple[str, ...]) -> bool:
    found = [_NUMBER.search(name) for name in nodes]
    numbers = sorted({int(match[0]) for match in found if match})
    if len(numbers) < len(nodes) or len(numbers) < 2:
        return False
    first = numbers[0] if numbers[0] >= 100 else min(numbers[0], 1)
    return numbers[-1] - first == len(numbers)


def _two_have_others(trace: ForeignTrace) -> bool:
    to = trace.to[trace.is_send]
    return len(trace.nodes) == 2 and not trace.may_be_some and bool((to == ALL).any()) and bool((to == ONE).any())


def _boundless(trace: ForeignTrace, node: int) -> Column:
    low = min(0, int(trace.clock.min(initial=1)) - 1) if trace.has_clock else -FOREVER
    return np.array([[node], [low], [FOREVER], [FOREVER], [0]], np.int64)


def _of_unknown_kind(trace: ForeignTrace) -> Column:
    """Return a room for each event of which the log does not say what it was: it may have been a send."""
    rows = np.flatnonzero(trace.kind == OTHER)
    if not len(rows):
        return np.empty((5, 0), np.int64)
    low, high = (np.full(len(rows), end, np.int64) for end in (-FOREVER, FOREVER))
    if trace.has_clock:
        low, high = trace.clock[rows] - 1, trace.clock[rows] + 1
    return np.stack([trace.node[rows], low, high, np.ones_like(rows), trace.position[rows] - 1])


class _Log:
    """The gaps of one machine's log: one before each event, and one behind the last.

    `before_ns` is when the tick before its first event would have come. A machine that lacks nothing there had not
    begun by then, and all are taken to begin within a tick: whose own tick would have come no later lacks nothing.
    """

    def __init__(self, trace: ForeignTrace, node: int) -> None:
        rows = trace.programs[node]
        self.node = node
        self._low, self._high, space = _space(trace, rows)
        self._events = np.minimum(space, _unnumbered(trace, rows))
        self._events[-1] = FOREVER
        self._is_unread = unread_between(trace, rows)
        self._is_declared = trace.is_declared_complete
        self._rhythm = Rhythm(trace, rows)
        self._ticks = self._rhythm.is_regular and self._rhythm.burst == 1
        self._cut_off_ns = 4 * (trace.unit_ns - 1)
        self.before_ns = self._rhythm.begin_ns - self._rhythm.period_ns

    @property
    def is_whole_before(self) -> bool:
        """Whether it is known by its clock or its index that it lacks nothing before its first event, and it ticks."""
        return bool(self._events[0] <= 0) and not self._is_unread[0] and self._ticks

    def rooms(self, begun_ns: int) -> Column:
        """Return the rooms as columns; nobody had begun by `begun_ns`."""
        is_open = self._is_unread.copy()
        if not self._is_declared:
            near_ns = self._rhythm.period_ns // NEAR - self._cut_off_ns
            begins = self._ticks and self.before_ns <= begun_ns + near_ns
            is_open |= np.concatenate([[not begins], self._rhythm.has_room, [True]])
        columns = (np.full_like(self._low, self.node), self._low, self._high, self._events, np.arange(len(self._low)))
        return np.stack(columns)[:, is_open & (self._events > 0)]


def _space(trace: ForeignTrace, rows: Column) -> tuple[Column, Column, Column]:
    """Return between which clocks each gap lies, and for how many events there is room between these."""
    if not trace.has_clock:
        high = np.full(len(rows) + 1, FOREVER, np.int64)
        return -high, high, high
    clock, step = trace.clock[rows], 1
    if trace.clock_scale > 1 and len(np.unique(clock % trace.clock_scale)) == 1:
        step = trace.clock_scale  # The fraction is but a name.
    least = min(1, int(trace.clock.min()) // step)
    bounds = np.concatenate([clock[:1] % step + (least - 1) * step, clock, [FOREVER]])
    return bounds[:-1], bounds[1:], (np.diff(bounds) - 1) // step


def _unnumbered(trace: ForeignTrace, rows: Column) -> Column:
    """Return how many numbers are missing in each gap, if events are numbered: by an index, or by a vector."""
    numbers = trace.index if trace.vector is None else trace.vector[np.arange(len(trace)), trace.node]
    mine = numbers[rows]
    if (mine == NULL).any() or (np.diff(mine) < 1).any():
        return np.full(len(rows) + 1, FOREVER, np.int64)
    least = int(numbers[numbers != NULL].min(initial=1))
    return np.diff(np.concatenate([[least - 1], mine, [FOREVER]])) - 1


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


def is_after_a_hole(trace: ForeignTrace) -> Mask:
    """Return before which rows their machine is known to lack lines: some could not be read, or its index leaps."""
    found = np.zeros(len(trace), np.bool_)
    if len(trace.unread_line):
        for rows in trace.programs:
            found[rows] = unread_between(trace, rows)[:-1]
    before = np.maximum(trace.before, 0)
    has_index = (trace.before >= 0) & (trace.index != NULL)
    if has_index.any():
        found |= has_index & (trace.index[before] != NULL) & (trace.index - trace.index[before] > 1)
    return found
