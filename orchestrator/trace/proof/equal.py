"""Whether two runs are equal, row by row, in machine code.

Never says where they differ. Source: model section 4, "Agreement".
"""

from typing import Any, Final

import numpy as np

from orchestrator.native.compiled import uncounted
from orchestrator.trace.proof.share import Piece

RECEIVE: Final = np.uint8(4)


@uncounted
def events_differ(begin: int, end: int, a: Piece, b: Piece) -> Any:
    """Return whether the events of [begin, end) differ anywhere."""
    found = np.uint32(0)
    for each in range(begin, end):
        row = np.uint64(each)  # an index that could be negative is looked at first, each time
        found |= (a.machine[row] ^ b.machine[row]) | (a.tick[row] ^ b.tick[row])
        found |= (a.clock[row] ^ b.clock[row]) | (a.queue[row] ^ b.queue[row])
        found |= np.uint32(a.kind[row] ^ b.kind[row])
        found |= (a.message[row] ^ b.message[row]) if a.kind[row] == RECEIVE else np.uint32(0)
    if len(a.index) > 0 and found == 0:
        for each in range(begin, end):
            row = np.uint64(each)
            found |= (a.incarnation[row] ^ b.incarnation[row]) | (a.index[row] ^ b.index[row])
    return found != 0


@uncounted
def messages_differ(begin: int, end: int, a: Piece, b: Piece) -> Any:
    """Return whether the messages of [begin, end) differ in sender, recipient, copy, loss or arrival."""
    found, late = np.uint32(0), np.int64(0)
    for each in range(begin, end):
        row = np.uint64(each)
        found |= (a.send_row[row] ^ b.send_row[row]) | (a.recipient[row] ^ b.recipient[row])
        found |= np.uint32(a.copy[row] ^ b.copy[row])
        found |= np.uint32((a.number[row] == 0) != (b.number[row] == 0))
        late |= (a.arrival_ns[row] ^ b.arrival_ns[row]) if a.number[row] != 0 else np.int64(0)
    return found != 0 or late != 0
