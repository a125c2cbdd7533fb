"""What a record says, in the words of others: as a trace, as events, as stop records.

Never judges. Each is equal to what the readable reference hands over.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np

from node.event import Delivery, Event, MessageId
from node.model import Model
from node.record import StopLine
from orchestrator.labs.kernel import handing
from orchestrator.labs.kernel.record import Record
from orchestrator.trace.columns import Columns
from orchestrator.trace.store import KINDS, RECEIVE, Column, Machine, Trace
from orchestrator.trace.unfolded import Unfolded

_ROWS_AT_A_TIME: Final = 1 << 16


def trace_of(record: Record, machines: Mapping[int, Model]) -> Trace:
    """Return the trace of a run, with the stop records; its columns become wide when they are asked for."""
    known = {
        node: Machine(model=machines[node], stop=stop, is_in_memory=True)
        for node, stop in stops_of(record, machines).items()
    }
    return Unfolded.of(handing.columns_of(record), known)


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
    # As one number, which is sorted a dozen times as fast as three.
    keys, counts = np.unique((to * np.int64(len(number)) + sender) * 2 + is_in_flight, return_counts=True)
    links, is_late = np.divmod(keys, 2)
    ends = (column.tolist() for column in (*np.divmod(links, len(number)), is_late, counts))
    found = {(number[to], number[sender], late): count for to, sender, late, count in zip(*ends, strict=True)}
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


def _last(record: Record) -> Column:
    """Return the last event of each machine, or -1."""
    last = np.full(len(record.plan.number), -1, np.int64)
    np.maximum.at(last, record.machine, np.arange(len(record)))
    return last
