"""The largest jump of a run, in words: which receive, which send, both clocks, which rule.

Never judges; it tells what the record holds.
"""

from dataclasses import dataclass

import numpy as np

from node.event import EventId
from orchestrator.trace import Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Jump:
    """A receive that raised its machine's clock, and the send that caused it; times since the epoch."""

    receive: EventId
    receive_due_ns: int
    before: int
    after: int
    send: EventId
    send_due_ns: int
    stamp: int

    @property
    def size(self) -> int:
        """By how much the clock rose; 1 is no jump."""
        return self.after - self.before


def largest_jump(trace: Trace) -> Jump | None:
    """Return the first of the largest jumps; None if no message was received."""
    receives = np.flatnonzero(trace.is_receive & (trace.cause_row >= 0))
    if not len(receives):
        return None
    before = np.where(trace.before >= 0, trace.clock[trace.before], 0)
    row = int(receives[np.argmax((trace.clock - before)[receives])])
    send = int(trace.cause_row[row])
    return Jump(
        receive=trace.name(row),
        receive_due_ns=int(trace.due_ns[row]),
        before=int(before[row]),
        after=int(trace.clock[row]),
        send=trace.name(send),
        send_due_ns=int(trace.due_ns[send]),
        stamp=int(trace.stamp[row]),
    )
