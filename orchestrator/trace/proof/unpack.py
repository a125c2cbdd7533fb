"""From two tables on disk to the narrow columns of a run, in one compiled pass over what was just read.

Never says what is wrong with a table: whoever gets nothing of it reads it in the plain way, which does.
Source: `docs/run-directory.md`, "A trace in columns".
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from node.limits import SECOND_NS
from orchestrator.native.compiled import Bytes, Times, Words, compiled, inlined
from orchestrator.trace import parquet
from orchestrator.trace.columns import Rhythm
from orchestrator.trace.proof.columns import WORD_MAX, Columns
from orchestrator.trace.store import RECEIVE, Column

EVENTS: Final = {
    "node": "machine",
    "second": "tick",
    "lag": "message",
    "skipped": "index",
    **{name: name for name in ("kind", "clock", "queue", "incarnation", "stamp_behind")},
}
MESSAGES: Final = {
    "gap": "send_row",
    "delay_ns": "arrival_ns",
    **{name: name for name in ("recipient", "number", "copy")},
}
"""Into which column each of those on disk is read, to be made into it there."""
RARE: Final = (("incarnation", "skipped"), ("stamp_behind",))
"""What is only kept where it is not 0 everywhere."""
BLOCK: Final = 1 << 14
DELAY_NS_MAX: Final = 1 << 61
VARIES: Final = -1
"""The delay of messages, if they have not all the same; then it is read where they will arrive."""


def unpacked(events: Path, messages: Path, number: Column, rhythm: Rhythm) -> Columns | None:
    """Return the columns of a run of machines with these numbers, ascending; None if the tables are odd.

    Raises NoInputError, NoLogError for files of another kind, LogError for damaged ones.
    """
    rows, same = parquet.constants(events)
    copies, same_of_messages = parquet.constants(messages)
    if max(rows, copies) > WORD_MAX:
        return None
    columns = _empty(rows, copies, kept=[names for names in RARE if any(same.get(name) != 0 for name in names)])
    if _read_messages(messages, columns, same_of_messages) != copies:
        return None
    into = {name: column for name, place in EVENTS.items() if len(column := getattr(columns, place)) == rows}
    slot, begin = np.empty(parquet.ROWS_AT_ONCE, np.uint16), 0
    delay_ns = same_of_messages.get("delay_ns", VARIES)
    places, far = _places(number), np.zeros(3, np.int64)
    for end in parquet.fill(events, into, passing={"slot": slot}):
        of_events = (columns.machine, columns.tick, columns.message, columns.index, slot, columns.kind)
        of_messages = (columns.send_row, columns.recipient, columns.arrival_ns, delay_ns, columns.copy)
        if not unpack(begin, end, *of_events, *of_messages, places, rhythm.rate_hz, rhythm.phase_ns, far):
            return None
        begin = end
    if columns.number.min(initial=1) == 0 and not columns.number[columns.message[columns.kind == RECEIVE]].all():
        return None
    return columns if begin == rows and far[SENT] == copies else None


def _empty(rows: int, copies: int, *, kept: Sequence[Sequence[str]]) -> Columns:
    names = ["machine", "tick", "clock", "queue", "message", *(EVENTS[name] for names in kept for name in names)]
    return Columns(
        **{name: np.empty(rows, np.uint32) for name in names},
        **{name: np.empty(copies, np.uint32) for name in ("send_row", "recipient", "number")},
        kind=np.empty(rows, np.uint8),
        arrival_ns=np.empty(copies, np.int64),
        copy=np.empty(copies, np.uint8),
    )


def _read_messages(path: Path, columns: Columns, same: Mapping[str, int]) -> int:
    """Read all messages, their delays where they will arrive, and return how many there are."""
    into = {name: getattr(columns, place) for name, place in MESSAGES.items() if name == "gap" or name not in same}
    end = max(parquet.fill(path, into, passing={}), default=0)
    # What is the same everywhere takes no room before it is known that there are so many.
    if end == len(columns.number):
        for name in MESSAGES.keys() - into.keys() - {"delay_ns"}:
            getattr(columns, MESSAGES[name])[:] = same[name]
    return end


def _places(number: Column) -> Words:
    """Return the place of each number among those of machines, WORD_MAX where there is none."""
    places = np.full(int(number.max(initial=0)) + 1, WORD_MAX, np.uint32)
    places[number] = np.arange(len(number))
    return places


SENT, DUE_NS, SEND_ROW = range(3)
"""How far the tables are unpacked: how many messages were sent, when the last event was due, and the last send."""


@compiled
def unpack(
    begin: int,
    end: int,
    machine: Words,
    tick: Words,
    message: Words,
    index: Words,
    slot: Any,
    kind: Bytes,
    send_row: Words,
    recipient: Words,
    arrival_ns: Times,
    delay_ns: int,
    copy: Bytes,
    place: Words,
    rate_hz: Times,
    phase_ns: Times,
    far: Times,
) -> bool:
    """Make columns of what was read into them, of these events, with their slots, and of the messages that they sent.

    False if they cannot have been written so.
    """
    instants_ns, ends = np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int64)
    of_machines, is_sound = (place, rate_hz, phase_ns), True
    for first in range(begin, end, BLOCK):
        last = min(first + BLOCK, end)
        sent = far[SENT]
        behind = _unpack_sends(first, last, sent, send_row, ends, far)
        of_events = (machine, tick, message, index, slot[first - begin :], kind)
        is_sound &= _unpack_events(first, last, sent, len(send_row), of_events, of_machines, ends, instants_ns, far)
        if not is_sound:
            return False
        of_messages = (send_row, recipient, arrival_ns, delay_ns, copy)
        is_sound &= _unpack_messages(first, sent, behind, of_messages, place, instants_ns)
        far[SENT] = behind
    return is_sound


@inlined
def _unpack_sends(first: Any, last: Any, sent: Any, send_row: Any, ends: Any, far: Any) -> Any:
    """Make rows of the gaps between the messages that a block sent, say where those of each event end, and the last."""
    ends[:] = 0
    row = far[SEND_ROW]
    while sent < len(send_row):
        next_row = row + np.int64(send_row[np.uint64(sent)])
        if next_row >= last:
            break
        row = next_row
        send_row[np.uint64(sent)] = row
        sent += 1
        ends[np.uint64(row - first)] = sent
    far[SEND_ROW] = row
    return sent


@inlined
def _unpack_events(
    first: Any,
    last: Any,
    sent: Any,
    copies: Any,
    of_events: Any,
    of_machines: Any,
    ends: Any,
    instants_ns: Any,
    far: Any,
) -> Any:
    machine, tick, message, index, slot, kind = of_events
    place, rate_hz, phase_ns = of_machines
    has_index, is_odd, last_ns, numbers = len(index) > 0, False, far[DUE_NS], min(len(place), len(rate_hz))
    for row in range(first, last):
        at, here = np.uint64(row), np.uint64(row - first)
        number = np.uint64(machine[at])
        if number >= numbers or place[number] == WORD_MAX:
            return False
        rate, in_second = rate_hz[number], np.int64(slot[here])
        if in_second >= rate:
            return False
        second, lag = np.int64(tick[at]), np.int64(message[at])
        now = second * rate + in_second
        # Such a quotient of whole numbers is never rounded up to the next, and found sooner so.
        due_ns = second * SECOND_NS + phase_ns[number] + np.int64(in_second * SECOND_NS / rate)
        is_odd |= (now > WORD_MAX) | (lag > sent) | (due_ns < last_ns) | (kind[at] > RECEIVE)
        is_odd |= (kind[at] == RECEIVE) & (sent - lag >= copies)
        machine[at], tick[at], message[at] = place[number], now, sent - lag
        if has_index:
            skipped = np.int64(index[at])
            is_odd |= skipped > now
            index[at] = now + 1 - skipped
        instants_ns[here] = last_ns = due_ns
        sent += (ends[here] - sent) * (ends[here] > 0)
    far[DUE_NS] = last_ns
    return not is_odd


@inlined
def _unpack_messages(first: Any, sent: Any, behind: Any, of_messages: Any, place: Any, instants_ns: Any) -> Any:
    send_row, recipient, arrival_ns, delay_ns, copy = of_messages
    is_odd = False
    for each in range(sent, behind):
        at = np.uint64(each)
        if recipient[at] >= len(place):
            return False
        recipient[at] = to = place[np.uint64(recipient[at])]
        takes_ns = arrival_ns[at] if delay_ns == VARIES else delay_ns
        is_odd |= (takes_ns < 0) | (takes_ns > DELAY_NS_MAX) | (copy[at] > 1) | (to == WORD_MAX)
        arrival_ns[at] = takes_ns + instants_ns[np.uint64(np.int64(send_row[at]) - first)]
    return not is_odd
