"""A finished compiled run, told event by event as the readable reference tells its own.

Never rolls dice: whoever writes logs cannot tell which of the two ran.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from node.event import Event, Message
from node.model import Model
from orchestrator.labs.kernel.record import Record
from orchestrator.labs.kernel.telling import events_of


@dataclass(slots=True, eq=False)
class Actor:
    """One machine of the run, as far as it has been told."""

    model: Model
    dues_ns: deque[int] = field(default_factory=deque)
    incarnation: int = 0
    index: int = 0
    coming: list[Message] = field(default_factory=list)

    @property
    def next_tick(self) -> int | None:
        """Some number while events of this machine are still to be told, else None."""
        return self.index if self.dues_ns else None

    @property
    def next_due_ns(self) -> int | None:
        """When the next event of this machine is due; None after the last."""
        return self.dues_ns[0] if self.dues_ns else None

    def unreceived(self) -> list[tuple[Message, int | None]]:
        """Return every message that was not received by the end of the run; none came late."""
        return [(message, None) for message in self.coming]


class Replay:
    """The machines of a cluster and its events, each told once and in their order."""

    def __init__(self, record: Record, machines: Mapping[int, Model]) -> None:
        self.processes = {node: Actor(model) for node, model in sorted(machines.items())}
        for node, due_ns in zip(record.plan.number[record.machine].tolist(), record.due_ns.tolist(), strict=True):
            self.processes[node].dues_ns.append(due_ns)
        for recipient, message in _unreceived(record):
            self.processes[recipient].coming.append(message)
        self._events = events_of(record)
        self._next = next(self._events, None)

    @property
    def next_due_ns(self) -> int | None:
        """When the next event is due; None after the last."""
        return None if self._next is None else self._next.due_ns

    def tick(self) -> Event:
        """Tell the next event, and return it."""
        event = self._next
        assert event is not None, "no event is left"
        actor = self.processes[event.node]
        actor.dues_ns.popleft()
        actor.incarnation, actor.index = event.incarnation, event.index
        self._next = next(self._events, None)
        return event


def _unreceived(record: Record) -> list[tuple[int, Message]]:
    left = np.flatnonzero((record.receive_row < 0) & (record.m_number > 0))
    sends = record.m_send[left]
    senders, number = record.machine[sends], record.plan.number
    columns: dict[str, Any] = {
        "arrival_ns": record.arrival_ns[left],
        "sender": number[senders],
        "tick": record.tick[sends],
        "copy": record.copy[left],
        "incarnation": record.incarnation[sends],
        "index": record.index[sends],
        "stamp": record.clock[sends] - record.plan.less[senders],
        "number": record.m_number[left],
    }
    messages = zip(*(column.tolist() for column in columns.values()), strict=True)
    recipients = number[record.m_to[left]].tolist()
    return [(to, Message(**dict(zip(columns, one, strict=True)))) for to, one in zip(recipients, messages, strict=True)]
