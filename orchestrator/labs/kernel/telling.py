"""What a record says, in the words of others: as a trace, as events, as stop records.

Never judges. Each is equal to what the readable reference hands over.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np

from node.event import Delivery, Event, MessageId
from node.model import Model
from node.record import StopLine
from orchestrator.labs.kernel.record import Record
from orchestrator.trace.columns import Columns
from orchestrator.trace.store import KINDS, NULL, RECEIVE, Column, Machine, Messages, Trace

_ROWS_AT_A_TIME: Final = 1 << 16


def trace_of(record: Record, machines: Mapping[int, Model]) -> Trace:
    """Return the trace of a run, with the stop records."""
    number, index, arrival_ns, copy = record.plan.number, record.index, record.arrival_ns, record.copy
    rows = np.flatnonzero(record.kind == RECEIVE)
    taken = record.message[rows]
    cause = record.m_send[taken]
    sender = record.machine[cause]

    def of_receives(values: Any, empty: int = NULL) -> Column:
        column = np.full(len(record), empty, np.int64)
        column[rows] = values
        return column

    nothing = np.full(len(record), NULL, np.int64)
    return Trace(
        node=_wide(number[record.machine]),
        incarnation=_wide(record.incarnation),
        index=_wide(index),
        tick=_wide(record.tick),
        due_ns=record.due_ns,
        wall=nothing,
        kind=_wide(record.kind),
        clock=_wide(record.clock),
        queue=_wide(record.queue),
        cause_node=of_receives(number[sender]),
        cause_incarnation=of_receives(record.incarnation[cause]),
        cause_index=of_receives(index[cause]),
        cause_copy=of_receives(copy[taken]),
        number=of_receives(record.m_number[taken]),
        stamp=of_receives(record.clock[cause] - record.plan.less[sender]),
        arrival_ns=of_receives(arrival_ns[taken]),
        seen_ns=nothing.copy(),
        line=_lines(record),
        cause_row=of_receives(cause, -1),
        message=of_receives(taken, -1),
        messages=_messages(record, arrival_ns),
        machines={
            node: Machine(model=machines[node], stop=stop, is_in_memory=True)
            for node, stop in stops_of(record, machines).items()
        },
    )


def columns_of(record: Record) -> Columns:
    """Return the columns that are kept on disk; none of them becomes wide."""
    number, receives = record.plan.number, record.kind == RECEIVE
    stamp_behind = np.zeros(len(record), np.uint8)
    stamp_behind[receives] = record.plan.less[record.machine[record.m_send[record.message[receives]]]]
    due_ns, is_lost = record.due_ns, record.m_number == 0
    return Columns(
        node=number[record.machine],
        incarnation=record.incarnation,
        index=record.index,
        tick=record.tick,
        kind=record.kind,
        clock=record.clock,
        queue=record.queue,
        message=record.message,
        stamp_behind=stamp_behind,
        send=record.m_send,
        recipient=number[record.m_to],
        number=record.m_number,
        delay_ns=np.where(is_lost, 0, record.arrival_ns - due_ns[record.m_send]),
        copy=record.copy,
    )


def stops_of(record: Record, machines: Mapping[int, Model]) -> dict[int, StopLine]:
    """Return the stop record of each machine: what is left of its messages, and how many events it had."""
    number, last = record.plan.number.tolist(), _last(record)
    # The record works both columns out anew whenever it is asked.
    incarnation, index = record.incarnation, record.index
    durations_ns = np.array([model.duration_ns for _, model in sorted(machines.items())], np.int64)
    left = np.flatnonzero((record.receive_row < 0) & (record.m_number > 0))
    to, sender = record.m_to[left], record.machine[record.m_send[left]]
    is_in_flight = record.arrival_ns[left] >= durations_ns[to]
    keys, counts = np.unique(np.stack([to, sender, is_in_flight]).astype(np.int64), axis=1, return_counts=True)
    found = {
        (number[to], number[sender], late): count
        for (to, sender, late), count in zip(keys.T.tolist(), counts.tolist(), strict=True)
    }
    return {
        node: StopLine(
            event="stop",
            node=node,
            incarnation=int(incarnation[row]) if row >= 0 else 0,
            events=int(index[row]) if row >= 0 else 0,
            incoming=[
                (sender, found.get((node, sender, 0), 0), found.get((node, sender, 1), 0))
                for sender in machines[node].senders
            ],
            late=[],
            held_back=None,
            wall=None,
        )
        for node, row in zip(number, last.tolist(), strict=True)
    }


def events_of(record: Record) -> Iterator[Event]:
    """Yield every event, ordered by (due, node)."""
    arrival_ns, index = record.arrival_ns, record.index
    for begin in range(0, len(record), _ROWS_AT_A_TIME):
        rows = np.arange(begin, min(begin + _ROWS_AT_A_TIME, len(record)))
        yield from _some_events(record, rows, index, arrival_ns)


def _some_events(record: Record, rows: Column, index: Column, arrival_ns: Column) -> Iterator[Event]:
    number = record.plan.number
    taken = np.where(record.kind[rows] == RECEIVE, record.message[rows], 0)
    cause = record.m_send[taken] if len(record.m_send) else taken
    sender = record.machine[cause]
    causes = zip(
        *(column.tolist() for column in (number[sender], record.incarnation[cause], index[cause])),
        *(column[taken].tolist() if len(column) else taken.tolist() for column in (record.copy, record.m_number)),
        (record.clock[cause] - record.plan.less[sender]).tolist(),
        (arrival_ns[taken] if len(arrival_ns) else taken).tolist(),
        strict=True,
    )
    first, last = np.searchsorted(record.m_send, (rows[0], rows[-1] + 1))
    sent = _deliveries(record, slice(first, last), arrival_ns)
    counts = np.bincount(record.m_send[first:last] - rows[0], minlength=len(rows)).tolist()
    columns = (number[record.machine[rows]], record.incarnation[rows], index[rows], record.tick[rows])
    places = zip(*(column.tolist() for column in (*columns, record.due_ns[rows])), strict=True)
    states = zip(*(column[rows].tolist() for column in (record.kind, record.clock, record.queue)), strict=True)
    for place, (kind, clock, queue), named, count in zip(places, states, causes, counts, strict=True):
        node, incarnation, own_index, tick, due_ns = place
        rest: dict[str, Any] = {}
        if kind == RECEIVE:
            by, life, position, copy, link_number, stamp, at_ns = named
            rest = {"cause": MessageId(by, life, position, copy), "number": link_number, "stamp": stamp}
            rest["arrival_ns"] = at_ns
        elif count:
            rest = {"to": tuple(next(sent) for _ in range(count))}
        yield Event(
            node=node,
            incarnation=incarnation,
            index=own_index,
            tick=tick,
            due_ns=due_ns,
            kind=KINDS[kind],
            clock=clock,
            queue=queue,
            **rest,
        )


def _deliveries(record: Record, some: slice, arrival_ns: Column) -> Iterator[Delivery]:
    recipients = record.plan.number[record.m_to[some]]
    columns = (recipients, record.m_number[some], arrival_ns[some], record.copy[some])
    for to, number, at_ns, copy in zip(*(column.tolist() for column in columns), strict=True):
        yield Delivery(to, number, at_ns, copy) if number else Delivery(to, None, None, copy)


def _messages(record: Record, arrival_ns: Column) -> Messages:
    is_lost = record.m_number == 0
    return Messages(
        send_row=_wide(record.m_send),
        recipient=_wide(record.plan.number[record.m_to]),
        number=np.where(is_lost, NULL, _wide(record.m_number)),
        arrival_ns=np.where(is_lost, NULL, arrival_ns),
        copy=_wide(record.copy),
        receive_row=record.receive_row,
    )


def _last(record: Record) -> Column:
    """Return the last event of each machine, or -1."""
    last = np.full(len(record.plan.number), -1, np.int64)
    np.maximum.at(last, record.machine, np.arange(len(record)))
    return last


def _lines(record: Record) -> Column:
    """Return the position of each event among all of its machine, from 1."""
    order = np.argsort(record.machine, kind="stable")
    counts = np.bincount(record.machine, minlength=len(record.plan.number))
    lines = np.empty(len(record), np.int64)
    lines[order] = np.arange(len(record)) - np.repeat(np.cumsum(counts) - counts, counts) + 1
    return lines


def _wide(column: Any) -> Column:
    wide: Column = np.asarray(column).astype(np.int64)
    return wide
