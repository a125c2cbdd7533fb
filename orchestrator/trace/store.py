"""The trace: every event of a run as columns, with the messages between them and what is known of each machine.

Never judges: what is odd in the record is kept, so that the checks find it.
Source: design section 4; every time is in ns since the run's common epoch, the smallest of its machines' epochs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from node.event import EventId, Kind, MessageId
from node.model import Model, Pace
from node.record import EndLine, StartLine, StopLine

Column: TypeAlias = npt.NDArray[np.int64]
Mask: TypeAlias = npt.NDArray[np.bool_]

NULL: Final = int(np.iinfo(np.int64).min)
"""What stands in a column where the record has nothing."""

KINDS: Final[tuple[Kind, ...]] = ("internal", "send-one", "send-next", "send-all", "receive")
"""The column `kind` holds positions in this list."""

INTERNAL: Final = KINDS.index("internal")
RECEIVE: Final = KINDS.index("receive")


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What is known of one machine besides its events.

    `shift_ns` is how much later than the common epoch its own is; add it to a time in `stop`.
    `has_holes` says that lines of its log could not be read, so that what is absent may have been there.
    `is_in_memory` says that a lab handed over its events: all of them, and there is no log.
    """

    model: Model | None
    start: StartLine | None = None
    end: EndLine | None = None
    stop: StopLine | None = None
    path: Path | None = None
    shift_ns: int = 0
    has_holes: bool = False
    is_in_memory: bool = False

    @property
    def is_finished(self) -> bool:
        """Whether the machine had finished: it wrote its stop record, or all of it was handed over."""
        return self.is_in_memory or self.stop is not None

    @property
    def is_closed(self) -> bool:
        """Whether every event that the machine ever had is known, were it not for lines deleted without a trace."""
        return not self.has_holes and (self.is_finished or self.end is not None)

    @property
    def pace(self) -> Pace | None:
        """The pace of its start line; None if simulated, handed over, or not known."""
        return self.start["pace"] if self.start else None

    @property
    def end_ns(self) -> int | None:
        """When its run is over, in ns since the common epoch."""
        return None if self.model is None else self.shift_ns + self.model.duration_ns


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Messages:
    """Every copy of every message, in the order of their sends; lost ones have no number and no arrival.

    `receive_row` is the first event that received it, or -1.
    """

    send_row: Column
    recipient: Column
    number: Column
    arrival_ns: Column
    copy: Column
    receive_row: Column

    def __len__(self) -> int:
        """Return the number of copies."""
        return len(self.send_row)


@dataclass(frozen=True, kw_only=True, eq=False)
class Trace:
    """A run; rows are ordered by (due, node), and what one machine did at one instant by index.

    `cause_row` is the send that a receive names, `message` that message in the table; both -1 if it cannot be found.
    `line` is the line in the machine's log, or the position among its events if there is no log.
    `damage` says in words, a line each, what is wrong with the record itself.
    """

    node: Column
    incarnation: Column
    index: Column
    tick: Column
    due_ns: Column
    wall: Column
    kind: Column
    clock: Column
    queue: Column
    cause_node: Column
    cause_incarnation: Column
    cause_index: Column
    cause_copy: Column
    number: Column
    stamp: Column
    arrival_ns: Column
    seen_ns: Column
    line: Column
    cause_row: Column
    message: Column
    messages: Messages
    machines: Mapping[int, Machine]
    epoch_ns: int = 0
    damage: tuple[str, ...] = ()
    is_timed: bool = True
    """Whether the times of different machines can be compared: every epoch is known."""

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.node)

    def name(self, row: int) -> EventId:
        """Return the name of an event."""
        return EventId(int(self.node[row]), int(self.incarnation[row]), int(self.index[row]))

    def row(self, name: EventId) -> int:
        """Return the first row of an event, or -1."""
        return self._row_of.get((name.node, name.incarnation, name.index), -1)

    def message_row(self, name: MessageId, recipient: int) -> int:
        """Return a message's row in the message table, or -1."""
        candidates = self.sent_by.get(self.row(name.send), ())
        table = self.messages
        found = (row for row in candidates if table.recipient[row] == recipient and table.copy[row] == name.copy)
        return int(next(found, -1))

    @property
    def is_whole(self) -> bool:
        """Whether every machine came to its end."""
        return all(machine.is_finished for machine in self.machines.values())

    @cached_property
    def is_receive(self) -> Mask:
        """Which rows are receives."""
        return np.equal(self.kind, RECEIVE)

    @cached_property
    def is_repeat(self) -> Mask:
        """Which rows have a name that an earlier row has already."""
        # Sorting keeps rows of one name in their order: every one but the first is like the one before it.
        order = np.lexsort((self.index, self.incarnation, self.node))
        repeats = np.zeros(len(self), np.bool_)
        repeats[order[1:]] = ~_differs_from_the_last(order, self.node, self.incarnation, self.index)
        return repeats

    @cached_property
    def programs(self) -> Mapping[tuple[int, int], Column]:
        """The rows of each (node, incarnation) in program order."""
        return _grouped(np.lexsort((self.line, self.index)), self.node, self.incarnation)

    @cached_property
    def lives(self) -> Mapping[int, list[Column]]:
        """The programs of each node, one incarnation after another."""
        lives: dict[int, list[Column]] = {node: [] for node in self.machines}
        for node, incarnation in sorted(self.programs):
            lives.setdefault(node, []).append(self.programs[node, incarnation])
        return lives

    @cached_property
    def logs(self) -> Mapping[int, Column]:
        """The rows of each node in the order of its log."""
        rows = _grouped(np.argsort(self.line, kind="stable"), self.node)
        return {node: rows.get((node,), np.empty(0, np.int64)) for node in self.machines}

    @cached_property
    def before(self) -> Column:
        """The row of the machine's previous event of the same incarnation, or -1."""
        before = np.full(len(self), -1, np.int64)
        for rows in self.programs.values():
            before[rows[1:]] = rows[:-1]
        return before

    @cached_property
    def sent_by(self) -> Mapping[int, Column]:
        """The messages of each send, by its row."""
        return {row: found for (row,), found in _grouped(np.arange(len(self.messages)), self.messages.send_row).items()}

    @cached_property
    def sent_to(self) -> Mapping[int, Column]:
        """The messages to each machine, lost ones left out."""
        arriving = np.flatnonzero(self.messages.number != NULL)
        return {node: found for (node,), found in _grouped(arriving, self.messages.recipient).items()}

    @cached_property
    def late_unreceived(self) -> Mapping[int, int]:
        """By message: from when a tick could have seen one that came late and was never received (stop records)."""
        late: dict[int, int] = {}
        for node, machine in self.machines.items():
            for sender, incarnation, index, copy, seen_ns in machine.stop["late"] if machine.stop else ():
                message = self.message_row(MessageId(sender, incarnation, index, copy), node)
                if message >= 0:
                    late[message] = seen_ns + machine.shift_ns
        return late

    @cached_property
    def absent(self) -> frozenset[int]:
        """The machines that others name, as peers, senders or causes, and of which there is no log."""
        models = [machine.model for machine in self.machines.values() if machine.model]
        named = {node for model in models for node in (*model.peers, *model.senders)}
        return frozenset((named | set(self.cause_node[self.is_receive].tolist())) - self.machines.keys())

    @cached_property
    def _row_of(self) -> dict[tuple[int, int, int], int]:
        names = zip(self.node.tolist(), self.incarnation.tolist(), self.index.tolist(), strict=True)
        row_of: dict[tuple[int, int, int], int] = {}
        for row, name in enumerate(names):
            row_of.setdefault(name, row)
        return row_of


def _grouped(rows: npt.NDArray[np.intp], *keys: Column) -> dict[tuple[Any, ...], Column]:
    """Return `rows`, in their order, by what the key columns hold there; the keys as they first come."""
    if not len(rows):
        return {}
    order = rows[np.lexsort([column[rows] for column in reversed(keys)])]
    place = np.empty(int(rows.max()) + 1, np.int64)
    place[rows] = np.arange(len(rows))
    begins = np.flatnonzero(np.append(True, _differs_from_the_last(order, *keys)))
    ends = np.append(begins[1:], len(order))
    by_first = np.argsort(place[order[begins]], kind="stable")
    names = zip(*(column[order[begins[by_first]]].tolist() for column in keys), strict=True)
    bounds = zip(begins[by_first].tolist(), ends[by_first].tolist(), strict=True)
    return {name: order[begin:end] for name, (begin, end) in zip(names, bounds, strict=True)}


def _differs_from_the_last(order: npt.NDArray[np.intp], *keys: Column) -> Mask:
    """Return, for each but the first of these rows, whether a key column differs from the row before."""
    differs = np.zeros(max(len(order) - 1, 0), np.bool_)
    for column in keys:
        differs |= np.diff(column[order]) != 0
    return differs
