"""What a record hands to whoever checks it: narrow columns, whole or piece by piece, without a trace between them.

Never judges. What follows from the rest is left out, as in the record itself.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from orchestrator.labs.kernel.record import Record
from orchestrator.trace.proof.columns import Columns, not_kept
from orchestrator.trace.store import RECEIVE


def columns_of(record: Record) -> Columns:
    """Return the columns of a whole run."""
    return _piece(record, slice(0, len(record)))


def pieces_of(record: Record, events: int) -> Iterator[Columns]:
    """Yield the columns of a run, at most so many events at a time, each piece with the messages that they sent."""
    for begin in range(0, len(record), events):
        yield _piece(record, slice(begin, min(begin + events, len(record))))


def _piece(record: Record, rows: slice) -> Columns:
    first, last = np.searchsorted(record.m_send, (rows.start, rows.stop)).tolist()
    sent, has_lives = slice(first, last), record.own_index is not None
    number = _word(record.m_number[sent])
    return Columns(
        machine=_word(record.machine[rows]),
        tick=_word(record.tick[rows]),
        kind=np.ascontiguousarray(record.kind[rows], np.uint8),
        clock=_word(record.clock[rows]),
        queue=_word(record.queue[rows]),
        message=_word(record.message[rows]),
        send_row=_word(record.m_send[sent]),
        recipient=_word(record.m_to[sent]),
        number=number,
        arrival_ns=np.where(number == 0, 0, record.arrivals_ns(sent)),
        copy=np.ascontiguousarray(record.copy[sent], np.uint8),
        incarnation=_word(record.incarnation[rows]) if has_lives else not_kept(),
        index=_word(record.index[rows]) if has_lives else not_kept(),
        stamp_behind=_stamp_behind(record, rows) if record.plan.less.any() else not_kept(),
    )


def _stamp_behind(record: Record, rows: slice) -> Any:
    behind, receives = np.zeros(len(record.kind[rows]), np.uint32), record.kind[rows] == RECEIVE
    behind[receives] = record.plan.less[record.machine[record.m_send[record.message[rows][receives]]]]
    return behind


def _word(column: Any) -> Any:
    return np.ascontiguousarray(column, np.uint32)
