"""A run as narrow columns, 21 bytes an event and 21 a message: what the compiled checks read.

Never holds what follows from the rest: when a tick is due, and the name of a cause.
"""

from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from orchestrator.trace.store import RECEIVE

Words: TypeAlias = npt.NDArray[np.uint32]
Times: TypeAlias = npt.NDArray[np.int64]
Bytes: TypeAlias = npt.NDArray[np.uint8]

WORD_MAX = 2**32 - 1


def not_kept() -> Words:
    """Return the column of what is not kept."""
    return np.empty(0, np.uint32)


@dataclass(frozen=True, kw_only=True, eq=False)
class Columns:
    """The events of each machine in its order, and all messages in the order of their sends.

    Machines and messages are counted from 0. `message` is what a receive took, of other events it means nothing. A
    lost message has the number 0, and its arrival means nothing.
    `incarnation` and `index` are not kept where every event is of the first and its index is one more than its tick,
    and `stamp_behind`, by how much the stamp that a receive took is less than the clock of its send, where none is.
    """

    machine: Words
    tick: Words
    kind: Bytes
    clock: Words
    queue: Words
    message: Words
    send_row: Words
    recipient: Words
    number: Words
    arrival_ns: Times
    copy: Bytes
    incarnation: Words = field(default_factory=not_kept)
    index: Words = field(default_factory=not_kept)
    stamp_behind: Words = field(default_factory=not_kept)

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.machine)

    @cached_property
    def has_lives(self) -> bool:
        """Whether incarnations and indexes are kept."""
        return len(self.index) > 0

    @property
    def receives(self) -> int:
        """The number of receives."""
        return int(np.count_nonzero(self.kind == RECEIVE))

    @property
    def bytes_kept(self) -> int:
        """The size of all columns."""
        return sum(int(getattr(self, one.name).nbytes) for one in fields(self))
