"""A machine's whole behaviour: messages go in, a tick comes out as one event and the messages it sent.

Never waits, never reads a clock of the world, never performs I/O. Source: model section 2.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from node.channel import Channel
from node.clock import CLOCKS
from node.dice import CERTAIN, KIND, PEER, Dice, below, threshold
from node.event import Event, EventId, Kind, Message, MessageId
from node.model import Model
from node.queue import Queue

SEND_KINDS: Final[tuple[Kind, ...]] = ("send-one", "send-next", "send-all")


class Step(NamedTuple):
    """What one tick did: its event, and each message sent with its recipient."""

    event: Event
    sent: tuple[tuple[int, Message], ...]


class Process:
    """The logic of one machine; a tick is one event."""

    def __init__(self, model: Model, incarnation: int = 0) -> None:
        self.model = model
        self.incarnation = incarnation
        self.time = 0
        self.index = 0
        self.next_tick = model.next_tick(-1)
        self._due_ns_last: int | None = None
        self._seen_ns: dict[MessageId, int] = {}
        self._clock = CLOCKS[model.clock]
        self._dice = Dice(model.seed, model.node)
        self._internal_below = threshold(model.internal_probability)
        self._channel = Channel(model)
        self._queue = Queue()

    @property
    def next_due_ns(self) -> int | None:
        """When the next tick is due, in ns since the epoch; None after the last."""
        return None if self.next_tick is None else self.model.due_ns(self.next_tick)

    @property
    def waiting(self) -> int:
        """How many messages had arrived before the last tick, and wait."""
        return len(self._queue)

    def deliver(self, message: Message, *, was_here: bool = False) -> None:
        """Take in a message; one that a tick has already missed is late, and seen first by the next tick.

        One that was here before a restart is as late as it was then.
        """
        if not was_here and self._due_ns_last is not None and message.arrival_ns < self._due_ns_last:
            self._seen_ns[message.name] = self.model.duration_ns if self.next_due_ns is None else self.next_due_ns
        self._queue.put(message)

    def tick(self) -> Step:
        """Execute the next tick, which must exist, and return what it did."""
        tick, due_ns = self.next_tick, self.next_due_ns
        assert tick is not None and due_ns is not None, "no tick is left"
        self._begin(due_ns)
        self._queue.advance(due_ns)
        step = self._receive(tick, due_ns) if self._queue else self._act(tick, due_ns)
        self._finish(tick, due_ns)
        return step

    def replay(self, event: Event) -> Step:
        """Do again what a tick did before a restart; the queue is left alone, for the senders fill it again.

        Raises ValueError if this is not the next event of this machine.
        """
        due_ns = self.next_due_ns
        if due_ns is None or (event.tick, event.due_ns) != (self.next_tick, due_ns):
            expected = "no tick is left" if due_ns is None else f"tick {self.next_tick}, due at {due_ns}, is next"
            raise ValueError(f"tick {event.tick}, due at {event.due_ns}, comes where {expected}")
        self._begin(due_ns)
        if event.name != (name := EventId(self.model.node, self.incarnation, self.index)):
            raise ValueError(f"event {event.name} comes where {name} is next")
        clock, stamp = self._clock_of(event)
        if event.clock != clock:
            raise ValueError(f"clock {event.clock} comes where {clock} is next")
        self.time = clock
        if event.cause is not None:
            self._seen_ns.pop(event.cause, None)
        for delivery in event.to:
            self._channel.replay(delivery)
        self._finish(event.tick, due_ns)
        return Step(event, tuple(_messages(event, stamp)))

    def remember_late(self, message: MessageId, seen_ns: int) -> None:
        """Note that a message came late before a restart; it is delivered again."""
        self._seen_ns[message] = seen_ns

    def unreceived(self) -> list[tuple[Message, int | None]]:
        """Return every message not yet received, and from when a tick could see it if it came late."""
        return [(message, self._seen_ns.get(message.name)) for message in self._queue]

    def _begin(self, due_ns: int) -> None:
        if self.model.crashes and (incarnation := self.model.incarnation(due_ns)) > self.incarnation:
            self._forget(incarnation)
        self.index += 1

    def _finish(self, tick: int, due_ns: int) -> None:
        self._due_ns_last = due_ns
        self.next_tick = self.model.next_tick(tick)

    def _clock_of(self, event: Event) -> tuple[int, int]:
        """Return the time after an event, and the stamp that its messages carry."""
        if event.kind == "internal":
            return self._clock.internal(self.time), 0
        if event.kind == "receive":
            assert event.stamp is not None, "a receive has the stamp of its message"
            return self._clock.receive(self.time, event.stamp), 0
        return self._clock.send(self.time)

    def _forget(self, incarnation: int) -> None:
        """Come back from a crash with amnesia: the queue alone is kept, for its senders never forgot it."""
        self.incarnation = incarnation
        self.time = 0
        self.index = 0
        self._channel = Channel(self.model)

    def _receive(self, tick: int, due_ns: int) -> Step:
        message = self._queue.take()
        self.time = self._clock.receive(self.time, message.stamp)
        event = self._event(
            tick,
            due_ns,
            "receive",
            cause=message.name,
            number=message.number,
            stamp=message.stamp,
            arrival_ns=message.arrival_ns,
            seen_ns=self._seen_ns.pop(message.name, None),
        )
        return Step(event, ())

    def _act(self, tick: int, due_ns: int) -> Step:
        kind = self._kind(tick)
        if kind == "internal":
            self.time = self._clock.internal(self.time)
            return Step(self._event(tick, due_ns, kind), ())
        self.time, stamp = self._clock.send(self.time)
        recipients = self._recipients(tick, kind)
        to = tuple(copy for recipient in recipients for copy in self._channel.carry(tick, due_ns, recipient))
        event = self._event(tick, due_ns, kind, to=to)
        return Step(event, tuple(_messages(event, stamp)))

    def _kind(self, tick: int) -> Kind:
        x = self._dice.roll(tick, KIND) >> 11
        if x < self._internal_below or not self.model.peers:
            return "internal"
        # What is not internal splits evenly between the three sends.
        return SEND_KINDS[(x - self._internal_below) * 3 // (CERTAIN - self._internal_below)]

    def _recipients(self, tick: int, kind: Kind) -> tuple[int, ...]:
        peers = self.model.peers
        if kind == "send-all":
            return peers
        if kind == "send-one":
            return (peers[below(self._dice.roll(tick, PEER), len(peers))],)
        return (min((peer for peer in peers if peer > self.model.node), default=min(peers)),)

    def _event(self, tick: int, due_ns: int, kind: Kind, **rest: Any) -> Event:
        return Event(
            node=self.model.node,
            incarnation=self.incarnation,
            index=self.index,
            tick=tick,
            due_ns=due_ns,
            kind=kind,
            clock=self.time,
            queue=len(self._queue),
            **rest,
        )


def _messages(send: Event, stamp: int) -> Iterator[tuple[int, Message]]:
    for delivery in send.to:
        if delivery.number is None or delivery.arrival_ns is None:
            continue
        yield (
            delivery.recipient,
            Message(
                arrival_ns=delivery.arrival_ns,
                sender=send.node,
                tick=send.tick,
                copy=delivery.copy,
                incarnation=send.incarnation,
                index=send.index,
                stamp=stamp,
                number=delivery.number,
            ),
        )
