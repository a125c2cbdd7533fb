"""A way through a run, told in hops: the consecutive events of one machine, and the message that leads to the next.

Never looks for a way: it is given one, each event just before the next.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from orchestrator.explain.history import History


@dataclass(frozen=True, slots=True, kw_only=True)
class Transit:
    """A message from hop to hop: when it was sent, was in the queue, was received; in ns since the beginning.

    `faults` are those of the model that delayed it.
    """

    sent_ns: int | None
    arrival_ns: int | None
    received_ns: int | None
    faults: Sequence[str] = ()

    @property
    def network_ns(self) -> int | None:
        """How long it was on its way."""
        return _difference(self.arrival_ns, self.sent_ns)

    @property
    def queue_ns(self) -> int | None:
        """How long it waited in the queue."""
        return _difference(self.received_ns, self.arrival_ns)

    @property
    def total_ns(self) -> int | None:
        """How long after its send it was received, by the clocks of both machines."""
        return _difference(self.received_ns, self.sent_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """Consecutive events of one machine, rows `first` to `last`; `message` leads from the last to the next hop."""

    first: int
    last: int
    events: int
    message: Transit | None


def hops_of(history: History, way: Sequence[int]) -> list[Hop]:
    """Return the hops of a way, oldest first."""
    hops = []
    for rows, successor in _stretches(history, way):
        message = None if successor < 0 else _transit(history, rows[-1], successor)
        hops.append(Hop(first=rows[0], last=rows[-1], events=len(rows), message=message))
    return hops


def events_as_json(history: History, way: Sequence[int], hops: Sequence[Hop]) -> list[Mapping[str, Any]]:
    """Return each event of a way, with the position of its hop."""
    numbers = (number for number, hop in enumerate(hops) for _ in range(hop.events))
    return [{**event_as_json(history, row), "hop": number} for row, number in zip(way, numbers, strict=True)]


def event_as_json(history: History, row: int) -> dict[str, Any]:
    """Return an event; what the record does not say is null."""
    return {
        "event": history.event(row),
        "clock": clock_as_json(history, row),
        "kind": history.kind(row),
        "machine": history.machine(row),
        "place": history.place(row) or None,
        "time_ns": history.time_ns(row),
    }


def clock_as_json(history: History, row: int) -> int | str | None:
    """Return the clock of an event as a number; as it is written if it is a vector or has decimals."""
    return history.clock(row) if history.step == 1 else history.clock_text(row)


def hops_as_json(history: History, hops: Sequence[Hop]) -> list[Mapping[str, Any]]:
    """Return the hops of a way."""
    return [
        {
            "machine": history.machine(hop.first),
            "first": history.event(hop.first),
            "last": history.event(hop.last),
            "events": hop.events,
            "clock_first": clock_as_json(history, hop.first),
            "clock_last": clock_as_json(history, hop.last),
            "message": _message_as_json(hop.message),
        }
        for hop in hops
    ]


def _stretches(history: History, way: Sequence[int]) -> Iterator[tuple[list[int], int]]:
    rows = list(way[:1])
    for earlier, later in pairwise(way):
        if history.previous(later) == earlier:
            rows.append(later)
        else:
            yield rows, later
            rows = [later]
    yield rows, -1


def _transit(history: History, send: int, receive: int) -> Transit:
    return Transit(
        sent_ns=history.time_ns(send),
        arrival_ns=history.arrival_ns(receive),
        received_ns=history.time_ns(receive),
        faults=history.faults(receive),
    )


def _message_as_json(message: Transit | None) -> Mapping[str, Any] | None:
    if message is None:
        return None
    return {
        "sent_ns": message.sent_ns,
        "arrival_ns": message.arrival_ns,
        "received_ns": message.received_ns,
        "network_ns": message.network_ns,
        "queue_ns": message.queue_ns,
        "faults": list(message.faults),
    }


def _difference(later: int | None, earlier: int | None) -> int | None:
    return None if later is None or earlier is None else later - earlier
