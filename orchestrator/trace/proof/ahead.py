"""The columns of the next block, asked for while this one is judged: nobody waits for memory who could be judging.

Never reads a value. A loop takes the slots of its kind in turn, and asks each time for the next two lines of a column.
"""

from typing import Any, Final

import numpy as np

from orchestrator.native.compiled import Times, uncounted
from orchestrator.trace.proof.share import BLOCK, SLOTS, Piece

_HALF: Final = SLOTS // 2


@uncounted
def look_ahead(row: int, message: int, piece: Piece, twin: Piece, ahead: Times) -> None:
    """Let the loops over events and messages ask for what comes from this row and this message on."""
    for first, one in ((0, piece), (_HALF, twin)):
        ahead[first] = _address(one.machine, row)
        ahead[first + 1] = _address(one.tick, row)
        ahead[first + 2] = _address(one.kind, row)
        ahead[first + 3] = _address(one.clock, row)
        ahead[first + 4] = _address(one.queue, row)
        ahead[first + 5] = _address(one.message, row)
        ahead[first + 6] = _address(one.incarnation, row)
        ahead[first + 7] = _address(one.index, row)
        sent = SLOTS + first
        ahead[sent] = _address(one.send_row, message)
        ahead[sent + 1] = _address(one.recipient, message)
        ahead[sent + 2] = _address(one.number, message)
        ahead[sent + 3] = _address(one.copy, message)
        # Twice as wide as the others; the rest is asked for once more.
        ahead[sent + 4] = ahead[sent + 6] = _address(one.arrival_ns, message)
        ahead[sent + 5] = ahead[sent + 7] = _address(one.arrival_ns, message + BLOCK // 2)


@uncounted
def _address(column: Any, row: int) -> Any:
    return np.int64(column.ctypes.data) + min(row, len(column)) * column.itemsize
