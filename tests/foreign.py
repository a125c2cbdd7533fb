"""Our own simulated runs as others would have logged them: at each grade of evidence, whole or with holes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from node.event import Event, EventId
from orchestrator.audit.store import ALL, INTERNAL, MANY, ONE, RECEIVE, SEND, ForeignTrace
from orchestrator.trace.store import NULL, Column
from orchestrator.trace.verdict import Evidence

_COLUMNS = ("node", "kind", "clock", "stamp", "queue", "time_ns", "index", "sender", "to", "message", "line")
_FILE_LINES_MAX = 1 << 40


def foreign(
    events: Iterable[Event],
    *,
    grade: Evidence,
    names_recipients: bool = True,
    has_stamps: bool = False,
    has_times: bool = True,
    has_index: bool = True,
    is_complete: bool = False,
    unit_ns: int = 1,
) -> ForeignTrace:
    """Return the trace of a run as logs would show it that say no more than this: a file a machine, a line an event.

    By id a receive names its send, by order the sender, by stamp the timestamp, by counting nothing; `has_stamps` lets
    it name the timestamp, too. A send that does not name its recipients says that it goes to one, or to all. Times are
    in whole `unit_ns`.
    """
    rows = sorted(events, key=lambda event: (event.node, event.incarnation, event.index))
    known = sorted({event.node for event in rows})
    named = {event.cause.node for event in rows if event.cause and grade == "by-order"}
    if names_recipients:
        named |= {delivery.recipient for event in rows for delivery in event.to}
    machines = [*known, *sorted(named - set(known))]
    place = {node: position for position, node in enumerate(machines)}
    sends = {event.name: number for number, event in enumerate(rows) if event.to}
    recipients = {
        row: tuple(sorted({place[delivery.recipient] for delivery in event.to}))
        for row, event in enumerate(rows)
        if names_recipients and len(event.to) > 1
    }
    says_stamp = grade == "by-stamp" or has_stamps
    named_by_sends = place if names_recipients else {}
    table = [
        (
            *(place[event.node], _kind(event), event.clock),
            event.stamp if event.stamp is not None and says_stamp else NULL,
            event.queue,
            event.due_ns // unit_ns * unit_ns if has_times else NULL,
            event.index if has_index else NULL,
            place[event.cause.node] if event.cause and grade == "by-order" else -1,
            _to(event, named_by_sends),
            _message(event, sends) if grade == "by-id" else -1,
            event.index,
        )
        for event in rows
    ]
    columns = dict(zip(_COLUMNS, np.array(table, np.int64).reshape(-1, len(_COLUMNS)).T.copy(), strict=True))
    return ForeignTrace(
        name="test",
        format_name="test",
        nodes=tuple(map(str, machines)),
        absent=len(machines) - len(known),
        clock_kind="scalar",
        clock_scale=1,
        is_fifo=True,
        is_declared_complete=is_complete,
        **columns,
        unit_ns=unit_ns,
        recipients=recipients,
        vector=None,
        file=columns["node"],
        files=tuple(f"{node}.log" for node in known),
        unread_file=_column(()),
        unread_line=_column(()),
    )


def without(trace: ForeignTrace, rows: Iterable[int]) -> ForeignTrace:
    """Return a trace as it is read if the lines of these events were missing: nobody sees that they were there."""
    kept = np.ones(len(trace), np.bool_)
    kept[list(rows)] = False
    numbers = np.cumsum(kept) - 1
    line = trace.line - _before(trace, trace.file, trace.line, np.flatnonzero(~kept))
    columns = {name: column[kept] for name, column in _columns(trace, line=line).items()}
    recipients = {int(numbers[row]): names for row, names in trace.recipients.items() if kept[row]}
    return _named_anew(replace(trace, **columns, recipients=recipients))  # type: ignore[arg-type]


def unreadable(trace: ForeignTrace, rows: Iterable[int]) -> ForeignTrace:
    """Return a trace as it is read if the lines of these events were there, but matched nothing."""
    lost = np.array(sorted(rows), np.int64)
    kept = without(trace, lost.tolist())
    line = np.delete(trace.line, lost)
    return replace(kept, line=line, unread_file=trace.file[lost], unread_line=trace.line[lost])


def without_machine(trace: ForeignTrace, node: int) -> ForeignTrace:
    """Return a trace as it is read if the log of the machine at this position was not given."""
    return without(trace, np.flatnonzero(trace.node == node).tolist())


def too_early(events: Sequence[Event]) -> int:
    """Return how many receives are not later than their send: the truth, which a log may not show."""
    clocks = {event.name: event.clock for event in events}
    causes = [(event, clocks.get(event.cause.send)) for event in events if event.cause]
    return sum(sent is not None and event.clock <= sent for event, sent in causes)


def _kind(event: Event) -> int:
    return {"internal": INTERNAL, "receive": RECEIVE}.get(event.kind, SEND)


def _to(event: Event, place: Mapping[int, int]) -> int:
    """Return what a log says of a send's recipients; `place` is empty where it names none."""
    if not place or not event.to:
        return ALL if event.kind == "send-all" else ONE
    names = {place[delivery.recipient] for delivery in event.to}
    return names.pop() if len(names) == 1 else MANY


def _message(event: Event, sends: Mapping[EventId, int]) -> int:
    """Return the number of the id that a send and its receives name; a receive of what nobody sent has its own."""
    name = event.cause.send if event.cause else event.name if event.to else None
    return -1 if name is None else sends.get(name, len(sends) + name.index)


def _before(trace: ForeignTrace, file: Column, line: Column, lost: Column) -> Column:
    """Return how many of the lost lines stand before each line, in its file."""
    first = file * _FILE_LINES_MAX
    places = np.sort(trace.file[lost] * _FILE_LINES_MAX + trace.line[lost])
    return np.searchsorted(places, first + line) - np.searchsorted(places, first)


def _columns(trace: ForeignTrace, *, line: Column) -> dict[str, Column]:
    return {name: getattr(trace, name) for name in (*_COLUMNS, "file")} | {"line": line}


def _named_anew(trace: ForeignTrace) -> ForeignTrace:
    """Return a trace with those machines that have events, and behind them those that are only named."""
    known = np.unique(trace.node).tolist()
    named = {
        *trace.sender.tolist(),
        *trace.to.tolist(),
        *(node for names in trace.recipients.values() for node in names),
    }
    machines = [*known, *sorted(node for node in named - set(known) if node >= 0)]
    if machines == list(range(len(trace.nodes))):
        return replace(trace, absent=len(machines) - len(known))
    place = {node: position for position, node in enumerate(machines)} | {code: code for code in (ONE, ALL, MANY)}
    return replace(
        trace,
        nodes=tuple(trace.nodes[node] for node in machines),
        absent=len(machines) - len(known),
        node=_column(place[node] for node in trace.node.tolist()),
        sender=_column(place[node] for node in trace.sender.tolist()),
        to=_column(place[node] for node in trace.to.tolist()),
        recipients={row: tuple(sorted(place[node] for node in names)) for row, names in trace.recipients.items()},
    )


def _column(values: Iterable[int]) -> Column:
    return np.fromiter(values, np.int64)
