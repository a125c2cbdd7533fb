"""What a compiled run leaves: narrow columns, from which every event and every message can be told.

Never rolls dice again: what is not kept follows from what is. Machines are counted from 0 here, as in the plan.
"""

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from node.limits import SECOND_NS
from orchestrator.labs.kernel.plan import Plan
from orchestrator.trace.store import RECEIVE, Column

Narrow: TypeAlias = npt.NDArray[Any]
_ZERO: Final = np.zeros(1, np.uint8)


@dataclass(frozen=True, kw_only=True, eq=False)
class Record:
    """A run as columns: the events in the order of (due, node), then the messages in the order of their sends.

    `message` of a receive is the message taken; of every other event the first of those that it sent, or would have.
    `life` is the incarnation; without it there was only one. Without `own_machine` and `own_tick` every tick was an
    event, so that both follow from its position: every second has the same ticks in the same order.
    """

    plan: Plan
    kind: Narrow
    clock: Narrow
    queue: Narrow
    message: Narrow
    m_send: Narrow
    m_to: Narrow
    m_number: Narrow
    own_machine: Narrow | None = None
    own_tick: Narrow | None = None
    life: Narrow | None = None
    own_index: Narrow | None = None
    own_arrival_ns: Narrow | None = None
    own_copy: Narrow | None = None

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.kind)

    @property
    def bytes_kept(self) -> int:
        """The size of all columns that are not made from others."""
        columns = (getattr(self, field.name) for field in fields(self))
        return sum(column.nbytes for column in columns if isinstance(column, np.ndarray))

    @cached_property
    def machine(self) -> Narrow:
        """The machine of each event."""
        if self.own_machine is not None:
            return self.own_machine
        return np.resize(self.plan.slots["slot_machine"], len(self))

    @cached_property
    def tick(self) -> Narrow:
        """The tick of each event."""
        if self.own_tick is not None:
            return self.own_tick
        slots = self.plan.slots
        second = np.arange(self.plan.seconds, dtype=np.uint32)[:, np.newaxis]
        first, rate_hz = slots["slot_tick"].astype(np.uint32), self.plan.rate_hz[slots["slot_machine"]]
        return (first + second * rate_hz).reshape(-1)[: len(self)]

    @cached_property
    def due_ns(self) -> Column:
        """When each event was due."""
        return self._due_ns(np.arange(len(self)))

    @cached_property
    def receive_row(self) -> Column:
        """The event that received each message, or -1."""
        rows = np.flatnonzero(self.kind == RECEIVE)
        found = np.full(len(self.m_send), -1, np.int64)
        found[self.message[rows]] = rows
        return found

    @property
    def index(self) -> Column:
        """The position of each event among those of its machine's incarnation, from 1."""
        return self.tick + np.int64(1) if self.own_index is None else self.own_index.astype(np.int64)

    @property
    def arrival_ns(self) -> Column:
        """When each message arrives; of a lost one it means nothing."""
        return self.arrivals_ns(slice(None))

    def arrivals_ns(self, some: slice) -> Column:
        """Return when some of the messages arrive."""
        if self.own_arrival_ns is not None:
            return self.own_arrival_ns[some]
        assert self.plan.delay_ns is not None, "a plain run has one delay"
        return self._due_ns(self.m_send[some]) + self.plan.delay_ns

    @property
    def copy(self) -> Narrow:
        """Which copy each message is."""
        return np.broadcast_to(_ZERO, len(self.m_send)) if self.own_copy is None else self.own_copy

    @property
    def incarnation(self) -> Narrow:
        """The incarnation of each event."""
        return np.broadcast_to(_ZERO, len(self)) if self.life is None else self.life

    def _due_ns(self, rows: Narrow) -> Column:
        if self.own_tick is None:
            in_second_ns: Column = self.plan.slots["slot_due_ns"].astype(np.int64)
            second, slot = np.divmod(rows, len(in_second_ns))
            return in_second_ns[slot] + np.int64(SECOND_NS) * second.astype(np.int64)
        machine, tick = self.machine[rows], self.tick[rows].astype(np.int64)
        rate_hz = self.plan.rate_hz[machine].astype(np.int64)
        second, rest = np.divmod(tick, rate_hz)
        due_ns: Column = self.plan.phase_ns[machine] + second * SECOND_NS + rest * SECOND_NS // rate_hz
        return due_ns
