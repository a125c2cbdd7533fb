"""`chrome`: Trace Event Format, which Perfetto and chrome://tracing open.

Never uses the wall clock as time: a tick acts when it is due, and an arrow must not lead backwards.
Source: Trace Event Format, Duncan and others, 2016: complete ("X"), flow ("s", "f"), counter ("C") and metadata ("M").
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import numpy as np

from node.model import SECOND_NS
from orchestrator.export.exported import Exported, machine, nameless, not_drawn
from orchestrator.trace import words
from orchestrator.trace.store import KINDS, NULL, Column, Machine, Trace

Record = Mapping[str, Any]

VISIBLE: Final = 4, 5
"""How much of the time to the next event a slice fills, so that two never touch."""


class _Picture(NamedTuple):
    """Where each event is drawn, by row, and the rows of the receives that each send has an arrow to."""

    start_ns: Column
    duration_ns: Column
    arrows: Mapping[int, list[int]]


def chrome(trace: Trace) -> Exported:
    """Return the trace as one JSON object, a record a line."""
    start_ns, duration_ns = _slices(trace)
    receives = np.flatnonzero(trace.cause_row >= 0)
    is_forwards = start_ns[trace.cause_row[receives]] < start_ns[receives]
    arrows: dict[int, list[int]] = {}
    for receive in receives[is_forwards].tolist():
        arrows.setdefault(int(trace.cause_row[receive]), []).append(receive)
    backwards = not_drawn("receives due no later than their send", int(np.count_nonzero(~is_forwards)))
    pieces = _pieces(trace, _Picture(start_ns, duration_ns, arrows))
    return Exported({"": pieces}, (*nameless(trace), *backwards))


def _pieces(trace: Trace, picture: _Picture) -> Iterator[str]:
    about = {"program": "Scale Model", "time": "model time, since the epoch", "epoch_unix_ns": str(trace.epoch_ns)}
    yield f'{{"displayTimeUnit":"ms","otherData":{_json(about)},"traceEvents":[\n'
    separator = ""
    for record in _records(trace, picture):
        yield f"{separator}{_json(record)}"
        separator = ",\n"
    yield "\n]}\n"


def _records(trace: Trace, picture: _Picture) -> Iterator[Record]:
    for node, known in trace.machines.items():
        yield from _names(node, known)
    arrived = {receive for receives in picture.arrows.values() for receive in receives}
    for row in range(len(trace)):
        node, kind = int(trace.node[row]), KINDS[trace.kind[row]]
        place = {"pid": node, "tid": node, "ts": int(picture.start_ns[row]) / 1000}
        duration = {"dur": int(picture.duration_ns[row]) / 1000}
        category = kind.partition("-")[0]
        yield {"ph": "X", "name": kind, "cat": category, **place, **duration, "args": _arguments(trace, row)}
        flow = {"name": "message", "cat": "message", **place}
        # A message is named by its receive: a broadcast is one send with several of them.
        yield from ({"ph": "s", "id": receive + 1, **flow} for receive in picture.arrows.get(row, ()))
        if row in arrived:
            yield {"ph": "f", "bp": "e", "id": row + 1, **flow}
        yield {"ph": "C", "name": "queue", **place, "args": {"messages": int(trace.queue[row])}}


def _names(node: int, known: Machine) -> Iterator[Record]:
    rate = f" ({known.model.rate_hz} Hz)" if known.model else ""
    place = {"ph": "M", "pid": node, "tid": node}
    yield {"name": "process_name", **place, "args": {"name": f"{machine(node)}{rate}"}}
    yield {"name": "process_sort_index", **place, "args": {"sort_index": node}}
    yield {"name": "thread_name", **place, "args": {"name": "events"}}


def _arguments(trace: Trace, row: int) -> Record:
    known = trace.machines[int(trace.node[row])]
    said: dict[str, Any] = {"event": str(trace.name(row)), "clock": int(trace.clock[row])}
    said |= {"tick": int(trace.tick[row]), "queue": int(trace.queue[row])}
    if trace.is_receive[row]:
        waited_ns = int(trace.due_ns[row]) - int(trace.arrival_ns[row])
        said |= {"from": words.cause(trace, row), "stamp": int(trace.stamp[row]), "waited_ms": waited_ns / 1e6}
    elif (sent := trace.sent_by.get(row)) is not None:
        lost = sent[trace.messages.number[sent] == NULL]
        said["to"] = " ".join(map(str, trace.messages.recipient[sent].tolist()))
        said |= {"lost": " ".join(map(str, trace.messages.recipient[lost].tolist()))} if len(lost) else {}
    if known.pace in ("exact", "free") and (wall := int(trace.wall[row])) != NULL:
        said["late_ms"] = (wall - trace.epoch_ns - int(trace.due_ns[row])) / 1e6
    return said


def _slices(trace: Trace) -> tuple[Column, Column]:
    """Return when each row's slice begins and how long it lasts, so that no two of one machine overlap.

    It begins when the event was due; where a machine claims several events of one instant, they share their time.
    """
    start_ns, duration_ns = trace.due_ns.copy(), np.zeros(len(trace), np.int64)
    for node, known in trace.machines.items():
        rows = np.flatnonzero(trace.node == node)
        if len(rows) == 0:
            continue
        period_ns = SECOND_NS // known.model.rate_hz if known.model else SECOND_NS
        due_ns, first, counts = np.unique(trace.due_ns[rows], return_index=True, return_counts=True)
        room_ns = np.minimum(np.diff(due_ns, append=due_ns[-1] + period_ns), period_ns) // counts
        start_ns[rows] += (np.arange(len(rows)) - np.repeat(first, counts)) * np.repeat(room_ns, counts)
        duration_ns[rows] = np.repeat(room_ns, counts) * VISIBLE[0] // VISIBLE[1]
    return start_ns, duration_ns


def _json(value: Record) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)
