"""What a record hands to whoever checks it: narrow columns, without a trace between them.

Never judges. What follows from the rest is left out, as in the record itself.
"""

from typing import Any

import numpy as np

from orchestrator.labs.kernel.record import Record
from orchestrator.trace.proof.columns import Columns, not_kept


def columns_of(record: Record) -> Columns:
    """Return the columns of a run; they are the record's own where it keeps them in this form."""
    is_lost = record.m_number == 0
    has_lives = record.own_index is not None
    return Columns(
        machine=_word(record.machine),
        tick=_word(record.tick),
        kind=np.ascontiguousarray(record.kind, np.uint8),
        clock=_word(record.clock),
        queue=_word(record.queue),
        message=_word(record.message),
        send_row=_word(record.m_send),
        recipient=_word(record.m_to),
        number=_word(record.m_number),
        arrival_ns=np.where(is_lost, 0, record.arrival_ns),
        copy=np.ascontiguousarray(record.copy, np.uint8),
        incarnation=_word(record.incarnation) if has_lives else not_kept(),
        index=_word(record.index) if has_lives else not_kept(),
    )


def _word(column: Any) -> Any:
    return np.ascontiguousarray(column, np.uint32)
