"""A diagram: the events of one execution lane by lane, the messages between them, and what is marked.

Never knows where it came from, and never says how it is drawn.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from orchestrator.trace.store import NULL, Column

STEP: Final = "step"
SECOND: Final = "ns"
"""The unit of `time`: without clocks of the world an event has a place in an order, which is counted in steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """What remembers: a machine, or one life of a machine that forgot; `events` is how many rows are its."""

    name: str
    lane: int
    events: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Something to look at: a violation of a check, at the event in `row`."""

    check: str
    row: int
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stripe:
    """A fault from `from_time` until before `to_time`: of one lane, or if -1 between lanes."""

    kind: str
    words: str
    from_time: int
    to_time: int
    lane: int = -1


@dataclass(frozen=True, kw_only=True, eq=False)
class Messages:
    """Every copy of every message, those of one send together and sends in the order of rows.

    `receive` is -1 and `arrival`, `seen` and `stamp` NULL where there is none. `seen` is when the recipient could first
    have seen a late message, `stamp` what a receive says that it carried.
    """

    send: Column
    lane: Column
    receive: Column
    arrival: Column
    seen: Column
    stamp: Column
    copy: Column
    is_lost: Column

    def __len__(self) -> int:
        """Return the number of copies."""
        return len(self.send)


@dataclass(frozen=True, kw_only=True, eq=False)
class Diagram:
    """One execution; rows are ordered by process and stand in each in program order.

    `clock`, `queue` and `line` are NULL where the record says nothing. A clock is in units of 1 / `clock_scale`.
    `cuts` are named by a story: by process, how many of its events are inside.
    """

    name: str
    lanes: tuple[str, ...]
    notes: tuple[str, ...]
    processes: tuple[Process, ...]
    kinds: tuple[str, ...]
    unit: str
    time: Column
    number: Column
    kind: Column
    clock: Column
    clock_scale: int
    queue: Column
    file: Column
    line: Column
    files: tuple[str, ...]
    messages: Messages
    stripes: tuple[Stripe, ...] = ()
    marks: tuple[Mark, ...] = ()
    cuts: tuple[tuple[int, ...], ...] = ()
    is_whole: bool = True
    """Whether the record tells all that happened before anything: then what is not ordered is concurrent."""
    end_time: int = NULL

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.time)

    @property
    def has_clock(self) -> bool:
        """Whether events have a scalar clock."""
        return bool(len(self)) and bool((self.clock != NULL).all())

    @property
    def process_of(self) -> Column:
        """The process of each event."""
        return np.repeat(np.arange(len(self.processes)), np.diff(self._bounds))

    @property
    def lane_of(self) -> Column:
        """The lane of each event."""
        return np.array([one.lane for one in self.processes], np.int64)[self.process_of]

    @property
    def before(self) -> Column:
        """The previous event of the same process, or -1."""
        rows = np.arange(len(self))
        ends = self._bounds[:-1]
        before = rows - 1
        before[ends[ends < len(rows)]] = -1
        return before

    def event(self, row: int) -> str:
        """Return an event's name, such as `2:41`."""
        process = int(np.searchsorted(self._bounds, row, side="right")) - 1
        return f"{self.processes[process].name}:{self.number[row]}"

    def row_of(self, name: str) -> int:
        """Return the row of an event's name, or -1."""
        process, _, digits = name.rpartition(":")
        start = 0
        for one in self.processes:
            if one.name == process and digits.isascii() and digits.isdecimal() and len(digits) < 18:
                found = np.flatnonzero(self.number[start : start + one.events] == int(digits))
                return start + int(found[0]) if len(found) else -1
            start += one.events
        return -1

    @cached_property
    def _bounds(self) -> Column:
        """The first row of each process, and the end of the last."""
        return np.cumsum([0, *(one.events for one in self.processes)])
