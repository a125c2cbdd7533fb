"""Whether two runs are equal, row by row, in machine code.

Never says where they differ. Source: model section 4, "Agreement".
"""

from typing import Any, Final

import numpy as np

from orchestrator.native.compiled import Bytes, Times, Words, compiled

RECEIVE: Final = np.uint8(4)


@compiled
def events_differ(
    begin: int,
    end: int,
    machine_a: Words,
    machine_b: Words,
    tick_a: Words,
    tick_b: Words,
    kind_a: Bytes,
    kind_b: Bytes,
    clock_a: Words,
    clock_b: Words,
    queue_a: Words,
    queue_b: Words,
    message_a: Words,
    message_b: Words,
    incarnation_a: Words,
    incarnation_b: Words,
    index_a: Words,
    index_b: Words,
) -> Any:
    """Return whether the events of [begin, end) differ anywhere; what is only kept of one of the runs does."""
    found = np.uint32(len(index_a) != len(index_b))
    for each in range(begin, end):
        row = np.uint64(each)  # an index that could be negative is looked at first, each time
        found |= (machine_a[row] ^ machine_b[row]) | (tick_a[row] ^ tick_b[row])
        found |= (clock_a[row] ^ clock_b[row]) | (queue_a[row] ^ queue_b[row])
        found |= np.uint32(kind_a[row] ^ kind_b[row])
        found |= (message_a[row] ^ message_b[row]) if kind_a[row] == RECEIVE else np.uint32(0)
    if len(index_a) > 0 and found == 0:
        for each in range(begin, end):
            row = np.uint64(each)
            found |= (incarnation_a[row] ^ incarnation_b[row]) | (index_a[row] ^ index_b[row])
    return found != 0


@compiled
def messages_differ(
    begin: int,
    end: int,
    send_row_a: Words,
    send_row_b: Words,
    recipient_a: Words,
    recipient_b: Words,
    number_a: Words,
    number_b: Words,
    arrival_ns_a: Times,
    arrival_ns_b: Times,
    copy_a: Bytes,
    copy_b: Bytes,
) -> Any:
    """Return whether the messages of [begin, end) differ in sender, recipient, copy, loss or arrival."""
    found, late = np.uint32(0), np.int64(0)
    for each in range(begin, end):
        row = np.uint64(each)
        found |= (send_row_a[row] ^ send_row_b[row]) | (recipient_a[row] ^ recipient_b[row])
        found |= np.uint32(copy_a[row] ^ copy_b[row])
        found |= np.uint32((number_a[row] == 0) != (number_b[row] == 0))
        late |= (arrival_ns_a[row] ^ arrival_ns_b[row]) if number_a[row] != 0 else np.int64(0)
    return found != 0 or late != 0
