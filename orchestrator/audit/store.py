"""The logs of others as columns: what each event says, and what is known of the machines.

Never judges, and never guesses who sent what to whom: `pairing` does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final, Literal, TypeAlias

import numpy as np

from orchestrator.trace.store import NULL, Column, Mask

ClockKind: TypeAlias = Literal["scalar", "fractional", "vector", "none"]

INTERNAL: Final = 0
SEND: Final = 1
RECEIVE: Final = 2
OTHER: Final = 3
"""What the column `kind` holds; OTHER is an event of which the log does not say what it was."""

ONE: Final = -1
ALL: Final = -2
MANY: Final = -3
"""What the column `to` holds for a send to one machine that it does not name, to all, or to those in `recipients`."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ForeignTrace:
    """One execution. A row is an event, in the order of reading; NULL stands where the log says nothing.

    `node`, `sender` (of a receive) and `to` (of a send) are positions in `nodes`; `sender` is -1 where it is not named.
    `clock` and `stamp` are in units of 1 / `clock_scale`. `message` is the number of an id that both ends name, or -1.
    `vector` has a column for each of `nodes`. `time_ns` is by the machine's own clock, `unit_ns` the unit of its last
    digit. The last `absent` of `nodes` are named by others and have no log. `unread_line` are the lines, each in
    `unread_file`, that match nothing or cannot be read: they may have been events.
    """

    name: str
    format_name: str
    nodes: tuple[str, ...]
    absent: int
    clock_kind: ClockKind
    clock_scale: int
    is_fifo: bool
    is_declared_complete: bool
    node: Column
    kind: Column
    clock: Column
    stamp: Column
    queue: Column
    time_ns: Column
    unit_ns: int
    index: Column
    sender: Column
    to: Column
    recipients: Mapping[int, tuple[int, ...]]
    message: Column
    vector: Column | None
    file: Column
    line: Column
    files: tuple[str, ...]
    unread_file: Column
    unread_line: Column
    may_be_some: bool = False
    """Whether a send to ALL may have gone to some of them alone: the log does not say to how many."""
    understood: str = ""
    remarks: tuple[str, ...] = ()
    """What reading found odd, a line each."""
    doubts: tuple[str, ...] = ()
    """What reading found that nobody can trust: lines that could not be read as what they should be."""
    cuts: tuple[tuple[int, ...], ...] = ()
    """Cuts that a story names: by node, how many of its events are inside."""

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.node)

    @cached_property
    def is_receive(self) -> Mask:
        """Which rows are receives."""
        return np.equal(self.kind, RECEIVE)

    @cached_property
    def is_send(self) -> Mask:
        """Which rows are sends."""
        return np.equal(self.kind, SEND)

    @cached_property
    def programs(self) -> tuple[Column, ...]:
        """The rows of each of `nodes` in program order: by its own entry or index where there is one, else as read."""
        order = np.arange(len(self))
        if self.vector is not None:
            own = self.vector[order, self.node]
            order = np.lexsort((order, own, self.node))
        elif len(self) and (self.index != NULL).all():
            order = np.lexsort((order, self.index, self.node))
        else:
            order = np.argsort(self.node, kind="stable")
        starts = np.searchsorted(self.node[order], np.arange(len(self.nodes) + 1))
        return tuple(order[first:last] for first, last in pairwise(starts))

    @cached_property
    def before(self) -> Column:
        """The row of the machine's previous event, or -1."""
        before = np.full(len(self), -1, np.int64)
        for rows in self.programs:
            before[rows[1:]] = rows[:-1]
        return before

    @cached_property
    def position(self) -> Column:
        """The position of each event in its machine's program, from 1: what it is called by."""
        position = np.zeros(len(self), np.int64)
        for rows in self.programs:
            position[rows] = np.arange(1, len(rows) + 1)
        return position

    @property
    def has_clock(self) -> bool:
        """Whether events have a scalar clock."""
        return self.clock_kind in ("scalar", "fractional")

    @cached_property
    def has_times(self) -> bool:
        """Whether every event has a time."""
        return bool(len(self)) and bool((self.time_ns != NULL).all())

    def name_of(self, row: int) -> str:
        """Return an event's name, such as `b:41`: the 41st event of machine b."""
        return f"{self.nodes[self.node[row]]}:{self.position[row]}"

    def place_of(self, row: int) -> str:
        """Return where an event stands, such as `b.log:43`."""
        return f"{self.files[self.file[row]]}:{self.line[row]}"

    def shown_clock(self, value: int) -> str:
        """Return a clock as it was written."""
        if self.clock_scale == 1:
            return str(value)
        whole, part = divmod(abs(value), self.clock_scale)
        return f"{'-' if value < 0 else ''}{whole}.{part:0{len(str(self.clock_scale)) - 1}d}"

    def possible_recipients(self, row: int) -> tuple[int, ...]:
        """Return the machines that a send may have gone to; to all of them unless `to` is ONE."""
        to = int(self.to[row])
        if to >= 0:
            return (to,)
        if to == MANY:
            return self.recipients[row]
        return tuple(node for node in range(len(self.nodes)) if node != self.node[row])
