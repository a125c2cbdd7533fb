"""The vocabulary that everyone shares: events, messages, and the names of both.

Never looks at a clock to say what happened before what.
Source: Lamport, Time, Clocks, and the Ordering of Events in a Distributed System (1978), "The Partial Ordering".
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

Kind: TypeAlias = Literal["internal", "send-one", "send-next", "send-all", "receive"]


@dataclass(frozen=True, slots=True, order=True)
class EventId:
    """An event's name: the `index`-th event (from 1) of one incarnation of a node."""

    node: int
    incarnation: int
    index: int

    def __str__(self) -> str:
        incarnation = f".{self.incarnation}" if self.incarnation else ""
        return f"{self.node}{incarnation}:{self.index}"


@dataclass(frozen=True, slots=True, order=True)
class MessageId:
    """A message's name: its send event, and which copy of it."""

    node: int
    incarnation: int
    index: int
    copy: int = 0

    @property
    def send(self) -> EventId:
        """The event that sent the message."""
        return EventId(self.node, self.incarnation, self.index)


class Delivery(NamedTuple):
    """What the network does with one copy of a message for one recipient; `None` twice: it is lost."""

    recipient: int
    number: int | None
    arrival_ns: int | None
    copy: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message on a link.

    `tick` is the sender's, `stamp` the timestamp carried, `number` the position on the link (from 1).
    """

    arrival_ns: int
    sender: int
    tick: int
    copy: int
    incarnation: int
    index: int
    stamp: int
    number: int

    @property
    def place(self) -> tuple[int, int, int, int]:
        """What a queue orders its messages by."""
        return self.arrival_ns, self.sender, self.tick, self.copy

    @property
    def name(self) -> MessageId:
        """The name by which a receive refers to this message."""
        return MessageId(self.sender, self.incarnation, self.index, self.copy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One tick of one machine.

    `queue` is the number of messages that had arrived and still wait after this event.
    `to` belongs to sends; `cause`, `number`, `stamp`, `arrival_ns` and `seen_ns` (only if late) to receives.
    Times are nanoseconds since the node's epoch.
    """

    node: int
    incarnation: int
    index: int
    tick: int
    due_ns: int
    kind: Kind
    clock: int
    queue: int
    to: tuple[Delivery, ...] = ()
    cause: MessageId | None = None
    number: int | None = None
    stamp: int | None = None
    arrival_ns: int | None = None
    seen_ns: int | None = None

    @property
    def name(self) -> EventId:
        """The event's name."""
        return EventId(self.node, self.incarnation, self.index)
