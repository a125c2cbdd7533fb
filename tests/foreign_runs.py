"""Simulated runs as if others had logged them, as traces: all that a log can say, or less."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from node.event import Event
from node.model import Model
from orchestrator.audit.store import ALL, INTERNAL, MANY, ONE, RECEIVE, SEND, ForeignTrace
from orchestrator.labs.simulated import simulate
from orchestrator.trace.order import Edges
from orchestrator.trace.store import NULL
from tests.foreign_traces import foreign_trace

NOTHING = Edges(np.empty(0, np.int64), np.empty(0, np.int64))


def foreign_run(machines: Mapping[int, Model]) -> tuple[ForeignTrace, Edges]:
    """Return a simulated run of machines a, b, c, ... by the best log that there can be, and its messages."""
    return as_foreign(simulate(machines), nodes=len(machines))


def as_foreign(events: Iterable[Event], *, nodes: int) -> tuple[ForeignTrace, Edges]:
    """Return these events as the best log of others would have them, and their messages."""
    events = list(events)
    row = {event.name: place for place, event in enumerate(events)}
    receives = [place for place, event in enumerate(events) if event.cause]
    sends = [row[event.cause.send] for event in events if event.cause]
    plain = foreign_trace(
        [event.node - 1 for event in events], nodes=nodes, times_ns=[event.due_ns for event in events]
    )
    ends = [_recipients(event, nodes) for event in events]
    message = np.where([event.kind.startswith("send") for event in events], np.arange(len(events)), -1)
    message[receives] = sends
    trace = replace(
        plain,
        clock_kind="scalar",
        kind=np.array([_kind(event) for event in events], np.int64),
        clock=np.array([event.clock for event in events], np.int64),
        stamp=np.array([NULL if event.stamp is None else event.stamp for event in events], np.int64),
        queue=np.array([event.queue for event in events], np.int64),
        index=np.array([event.index for event in events], np.int64),
        sender=np.array([event.cause.send.node - 1 if event.cause else -1 for event in events], np.int64),
        to=np.array([to for to, _ in ends], np.int64),
        recipients={place: several for place, (to, several) in enumerate(ends) if to == MANY},
        message=message,
    )
    return trace, Edges(np.array(sends, np.int64), np.array(receives, np.int64))


def less(trace: ForeignTrace, *fields: str) -> ForeignTrace:
    """Return a trace whose log does not say these things."""
    nothing = {"kind": 3, "sender": -1, "to": ONE, "message": -1}
    columns = {field: np.full(len(trace), nothing.get(field, NULL), np.int64) for field in fields}
    return replace(trace, **columns, **({"clock_kind": "none"} if "clock" in fields else {}))


def kept(trace: ForeignTrace, rows: Sequence[int] | np.ndarray) -> ForeignTrace:
    """Return a trace of these rows only; the lines stay where they were."""
    place = {int(row): new for new, row in enumerate(rows)}
    columns = {
        name: getattr(trace, name)[rows]
        for name in (
            *("node", "kind", "clock", "stamp", "queue", "time_ns", "index", "sender", "to", "message", "file", "line"),
        )
    }
    recipients = {place[row]: several for row, several in trace.recipients.items() if row in place}
    return replace(trace, **columns, recipients=recipients)


def _kind(event: Event) -> int:
    return {"internal": INTERNAL, "receive": RECEIVE}.get(event.kind, SEND)


def _recipients(event: Event, nodes: int) -> tuple[int, tuple[int, ...]]:
    names = tuple(delivery.recipient - 1 for delivery in event.to)
    if len(names) < 2:
        return (names[0] if names else ONE), ()
    return (ALL, ()) if len(names) == nodes - 1 else (MANY, names)
