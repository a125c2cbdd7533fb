"""From events to columns: shifts the times, sorts, and finds what each receive names.

Never drops an event, and never mends one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from node.event import Event
from node.model import Model
from node.record import StopLine
from orchestrator.trace.store import KINDS, NULL, Column, Machine, Messages, Trace

_EVENT_COLUMNS: Final = (
    *("node", "incarnation", "index", "tick", "due_ns", "wall", "kind", "clock", "queue"),
    *("cause_node", "cause_incarnation", "cause_index", "cause_copy", "number", "stamp", "arrival_ns", "seen_ns"),
    "line",
)
_MESSAGE_COLUMNS: Final = ("send_row", "recipient", "number", "arrival_ns", "copy")


class Recorded(NamedTuple):
    """An event as its machine recorded it: when by the world's clock, and on which line of the log."""

    event: Event
    wall: int | None
    line: int


class _Links(NamedTuple):
    """Which send and which message each event names, by row; which receive took each message, by message."""

    cause_row: Column
    message: Column
    receive_row: Column


def trace_of(
    machines: Mapping[int, Model], events: Iterable[Event], stops: Mapping[int, StopLine] | None = None
) -> Trace:
    """Return the trace of a run that a lab hands over in memory, complete, each machine's events in their order.

    `stops` are the machines' stop records, if the lab counted what is left.
    """
    positions = dict.fromkeys(machines, 0)
    recorded = []
    for event in events:
        positions[event.node] += 1
        recorded.append(Recorded(event, None, positions[event.node]))
    stops = stops or {}
    known = {
        node: Machine(model=model, stop=stops.get(node), is_in_memory=True) for node, model in sorted(machines.items())
    }
    return build(known, recorded)


def build(
    machines: Mapping[int, Machine],
    recorded: Iterable[Recorded],
    *,
    epoch_ns: int = 0,
    damage: Sequence[str] = (),
    is_timed: bool = True,
) -> Trace:
    """Return the trace of these events, whose times are still in their machines' epochs."""
    ordered = sorted(recorded, key=lambda one: _place(one, machines[one.event.node].shift_ns))
    row_of: dict[tuple[int, int, int], int] = {}
    for row, (event, _, _) in enumerate(ordered):
        row_of.setdefault((event.node, event.incarnation, event.index), row)
    messages = _table(
        _MESSAGE_COLUMNS,
        (
            message
            for row, (event, _, _) in enumerate(ordered)
            # A second event of one name says nothing that can be trusted of messages.
            if row_of[event.node, event.incarnation, event.index] == row
            for message in _sent(row, event, machines[event.node].shift_ns)
        ),
    )
    links = _link([one.event for one in ordered], row_of, messages)
    return Trace(
        **_table(_EVENT_COLUMNS, (_values(one, machines[one.event.node].shift_ns) for one in ordered)),
        cause_row=links.cause_row,
        message=links.message,
        messages=Messages(**messages, receive_row=links.receive_row),
        machines=machines,
        epoch_ns=epoch_ns,
        damage=tuple(damage),
        is_timed=is_timed,
    )


def _place(one: Recorded, shift_ns: int) -> tuple[int, int, int, int, int]:
    event = one.event
    return event.due_ns + shift_ns, event.node, event.incarnation, event.index, one.line


def _values(one: Recorded, shift_ns: int) -> tuple[int, ...]:
    event, cause = one.event, one.event.cause
    return (
        *(event.node, event.incarnation, event.index, event.tick, event.due_ns + shift_ns),
        *(_or_null(one.wall), KINDS.index(event.kind), event.clock, event.queue),
        *((cause.node, cause.incarnation, cause.index, cause.copy) if cause else (NULL,) * 4),
        *(_or_null(event.number), _or_null(event.stamp)),
        *(_or_null(event.arrival_ns, shift_ns), _or_null(event.seen_ns, shift_ns), one.line),
    )


def _sent(row: int, event: Event, shift_ns: int) -> Iterator[tuple[int, ...]]:
    for recipient, number, arrival_ns, copy in event.to:
        if number is None or arrival_ns is None:
            yield row, recipient, NULL, NULL, copy
        else:
            yield row, recipient, number, arrival_ns + shift_ns, copy


def _link(
    events: Sequence[Event], row_of: Mapping[tuple[int, int, int], int], messages: Mapping[str, Column]
) -> _Links:
    named = zip(*(messages[column].tolist() for column in ("send_row", "recipient", "copy")), strict=True)
    message_of: dict[tuple[int, int, int], int] = {}
    for message, name in enumerate(named):
        message_of.setdefault(name, message)
    cause_row, message_row, receive_row = [-1] * len(events), [-1] * len(events), [-1] * len(messages["copy"])
    for row, event in enumerate(events):
        if (cause := event.cause) is None:
            continue
        send = row_of.get((cause.node, cause.incarnation, cause.index), -1)
        if send < 0 or not events[send].kind.startswith("send"):
            continue
        cause_row[row] = send
        message_row[row] = message = message_of.get((send, event.node, cause.copy), -1)
        if message >= 0 and receive_row[message] < 0:
            receive_row[message] = row
    return _Links(*(np.array(column, np.int64) for column in (cause_row, message_row, receive_row)))


def _table(names: Sequence[str], rows: Iterable[tuple[int, ...]]) -> dict[str, Column]:
    values = np.array(list(rows), np.int64).reshape(-1, len(names))
    return {name: np.ascontiguousarray(values[:, position]) for position, name in enumerate(names)}


def _or_null(value: int | None, shift_ns: int = 0) -> int:
    return NULL if value is None else value + shift_ns
