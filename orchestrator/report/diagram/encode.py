"""A diagram as JSON that a page can hold: columns as differences, 7 bits a byte, in base64.

Never loses anything: `decode` in diagram.js returns the same numbers.
"""

import json
from base64 import b64encode
from typing import Any, Final

import numpy as np

from orchestrator.report.diagram.store import Diagram
from orchestrator.trace.store import NULL, Column

VERSION: Final = 1
_BYTES_MAX: Final = 10
_ESCAPED: Final = str.maketrans({letter: f"\\u{ord(letter):04x}" for letter in "<>&"})


def as_json(diagram: Diagram) -> str:
    """Return the JSON of a diagram, which may stand inside a script element whatever its names are."""
    text = json.dumps(_fields(diagram), separators=(",", ":"), allow_nan=False)
    return text.translate(_ESCAPED)


def _fields(diagram: Diagram) -> dict[str, Any]:
    return {
        "version": VERSION,
        "name": diagram.name,
        "unit": diagram.unit,
        "end": None if diagram.end_time == NULL else diagram.end_time,
        "whole": diagram.is_whole,
        "lanes": diagram.lanes,
        "notes": diagram.notes,
        "processes": [[one.name, one.lane, one.events] for one in diagram.processes],
        "kinds": diagram.kinds,
        "files": diagram.files,
        "scale": diagram.clock_scale,
        "events": _events(diagram),
        "messages": _messages(diagram),
        "stripes": [[one.kind, one.words, one.from_time, one.to_time, one.lane] for one in diagram.stripes],
        "marks": _marks(diagram),
        "cuts": diagram.cuts,
    }


def _events(diagram: Diagram) -> dict[str, str | None]:
    """Return the columns: each differs little from what one expects of the rows before, or of its place."""
    ends = np.cumsum([0, *(one.events for one in diagram.processes)])
    place = np.arange(len(diagram)) - np.repeat(ends[:-1], np.diff(ends)) + 1
    return {
        "time": packed(_steps(_steps(diagram.time))),  # ticks are regular: they differ by the same again
        "kind": packed(diagram.kind),
        "number": packed(diagram.number - place),
        "clock": _or_none(diagram.clock),
        "queue": _or_none(diagram.queue),
        "file": packed(_steps(diagram.file)),
        "line": _or_none(diagram.line),
    }


def _messages(diagram: Diagram) -> dict[str, Any]:
    table = diagram.messages
    sent, clock = diagram.time[table.send], diagram.clock[table.send]
    has_seen = np.flatnonzero(table.seen != NULL)
    return {
        "count": len(table),
        "send": packed(_steps(table.send)),
        "lane": packed(table.lane),
        "receive": packed(_received(table.receive, table.lane)),
        "transit": packed(np.where(table.arrival == NULL, 0, table.arrival - sent + 1)),
        "stamp": packed(np.where(table.stamp == NULL, 0, table.stamp - clock)),
        "copy": np.flatnonzero(table.copy).tolist(),
        "lost": np.flatnonzero(table.is_lost).tolist(),
        "late": [[message, int(table.seen[message])] for message in has_seen.tolist()],
    }


def _marks(diagram: Diagram) -> list[list[Any]]:
    """Return a column of rows for all that is said in the same words: a broken clock breaks the law everywhere."""
    rows: dict[tuple[str, str], list[int]] = {}
    for mark in diagram.marks:
        rows.setdefault((mark.check, mark.words), []).append(mark.row)
    return [[*said, len(found), packed(_steps(np.array(found)))] for said, found in rows.items()]


def _received(receive: Column, lane: Column) -> Column:
    """Return 0 for what was not received, else 1 + how far behind the lane's last one, folded to be at least 0."""
    found = np.zeros(len(receive), np.int64)
    order = np.argsort(lane, kind="stable")
    places = order[receive[order] >= 0]
    begins = np.flatnonzero(np.diff(lane[places], prepend=-1) != 0)
    steps = _steps(receive[places])
    steps[begins] = receive[places[begins]]
    found[places] = np.where(steps >= 0, 2 * steps, -2 * steps - 1) + 1
    return found


def _or_none(column: Column) -> str | None:
    """Return a column that may say nothing; 0 stands for nothing, of single events too."""
    is_known = column != NULL
    if not is_known.any():
        return None
    filled = np.where(is_known, column, 0)
    if is_known.all():
        return "+" + packed(_steps(filled))
    return "?" + packed(np.where(is_known, np.where(filled >= 0, filled + 1, filled), 0))


def _steps(column: Column) -> Column:
    return np.diff(column, prepend=0)


def packed(values: Column) -> str:
    """Return numbers in base64: the sign in the lowest bit, 7 bits a byte, the lowest first; nothing if all are 0."""
    if not values.any():
        return ""
    folded = ((values << 1) ^ (values >> 63)).astype(np.uint64)
    digits = folded[:, None] >> np.arange(0, 7 * _BYTES_MAX, 7, dtype=np.uint64)
    is_used = digits > 0
    is_used[:, 0] = True
    has_more = np.zeros_like(is_used)
    has_more[:, :-1] = is_used[:, 1:]
    octets = (digits & 127).astype(np.uint8) | (has_more.astype(np.uint8) << 7)
    return b64encode(octets[is_used].tobytes()).decode("ascii")
