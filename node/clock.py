"""Logical clocks: Lamport's rule, and its two well-known mistakes, which the checker must find.

A rule keeps no state: the process holds the time and asks what comes next.
Source: Lamport (1978), implementation rules IR1 and IR2.
"""

from typing import NamedTuple, Protocol

from node.model import ClockName


class Sent(NamedTuple):
    """What a send does: the time that its event records, and the stamp that its message carries."""

    recorded: int
    carried: int


class Clock(Protocol):
    """A rule for logical time; each method takes the time before an event."""

    def internal(self, time: int) -> int:
        """Return the time of an internal event."""

    def send(self, time: int) -> Sent:
        """Return the time of a send event and the stamp of its message."""

    def receive(self, time: int, stamp: int) -> int:
        """Return the time of the receive of a message with this stamp."""


class Lamport:
    """The rule."""

    def internal(self, time: int) -> int:
        """IR1: increment between any two successive events."""
        return time + 1

    def send(self, time: int) -> Sent:
        """IR2(a): the message carries the time of its own send event, after the increment."""
        return Sent(recorded=time + 1, carried=time + 1)

    def receive(self, time: int, stamp: int) -> int:
        """IR2(b): later than anything before it, and later than the stamp received."""
        return max(time, stamp) + 1


class LamportLiteral(Lamport):
    """A mistake, by the exercise's literal wording: send the time, then increment it."""

    def send(self, time: int) -> Sent:
        """Stamp the message with the time before the increment."""
        return Sent(recorded=time + 1, carried=time)


class LamportNoIncrement(Lamport):
    """A mistake: increment, then take the maximum, and forget that a receive comes after its send."""

    def receive(self, time: int, stamp: int) -> int:
        """Return a time that may equal the stamp."""
        return max(time + 1, stamp)


CLOCKS: dict[ClockName, Clock] = {
    "lamport": Lamport(),
    "lamport-literal": LamportLiteral(),
    "lamport-no-increment": LamportNoIncrement(),
}
