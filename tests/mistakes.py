"""The exercise's well-known mistakes, each planted in the shipped code, where a student would make it.

`python -m tests.mistakes NAME …` is `python -m node …` with the mistake in it: for clusters that run.
"""

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import pytest

from node.__main__ import main
from node.clock import CLOCKS, Lamport, LamportLiteral
from node.event import Message
from node.process import Process, Step


class Mistake(NamedTuple):
    """How to make it, and the check that must name it."""

    plant: Callable[[pytest.MonkeyPatch], None]
    named_by: str


class MaximumOnly(Lamport):
    """The rule without its + 1."""

    def receive(self, time: int, stamp: int) -> int:
        """Return a time that may equal the stamp."""
        return max(time, stamp)


def stamp_before_the_increment(patch: pytest.MonkeyPatch) -> None:
    """Send the clock, then increment it, as the exercise says."""
    patch.setitem(CLOCKS, "lamport", LamportLiteral())


def maximum_without_the_increment(patch: pytest.MonkeyPatch) -> None:
    """Take the maximum, and forget that a receive comes after its send."""
    patch.setitem(CLOCKS, "lamport", MaximumOnly())


def broadcast_counted_for_each_recipient(patch: pytest.MonkeyPatch) -> None:
    """Tick the clock once per recipient of a broadcast."""
    act = Process._act

    def planted(self: Process, tick: int, due_ns: int) -> Step:
        step = act(self, tick, due_ns)
        self.time += max(0, len(step.event.to) - 1)
        sent = tuple((recipient, replace(message, stamp=self.time)) for recipient, message in step.sent)
        return Step(replace(step.event, clock=self.time), sent)

    patch.setattr(Process, "_act", planted)


def merge_on_arrival(patch: pytest.MonkeyPatch) -> None:
    """Merge a stamp into the clock when its message comes, not when it is received."""
    deliver = Process.deliver

    def planted(self: Process, message: Message, *, was_here: bool = False) -> None:
        deliver(self, message, was_here=was_here)
        self.time = max(self.time, message.stamp)

    patch.setattr(Process, "deliver", planted)


def two_messages_in_one_tick(patch: pytest.MonkeyPatch) -> None:
    """Receive a second message at the same tick if one waits."""
    tick = Process.tick

    def planted(self: Process) -> Step:
        number, is_second = self.next_tick, self.next_due_ns == self._due_ns_last
        step = tick(self)
        if step.event.kind == "receive" and self._queue and not is_second:
            self.next_tick = number
        return step

    patch.setattr(Process, "tick", planted)


def queue_counted_before_the_take(patch: pytest.MonkeyPatch) -> None:
    """Record the length of the queue with the message that is just being received."""
    receive = Process._receive

    def planted(self: Process, tick: int, due_ns: int) -> Step:
        step = receive(self, tick, due_ns)
        return Step(replace(step.event, queue=step.event.queue + 1), step.sent)

    patch.setattr(Process, "_receive", planted)


def die_keyed_by_the_event(patch: pytest.MonkeyPatch) -> None:
    """Roll the die for the event, not for the tick."""
    kind = Process._kind
    patch.setattr(Process, "_kind", lambda self, tick: kind(self, self.index))


MISTAKES = {
    mistake.plant.__name__: mistake
    for mistake in (
        Mistake(stamp_before_the_increment, "clock-condition"),
        Mistake(maximum_without_the_increment, "clock-condition"),
        Mistake(broadcast_counted_for_each_recipient, "clock-rises"),
        Mistake(merge_on_arrival, "clock-rises"),
        Mistake(two_messages_in_one_tick, "one-event-per-tick"),
        Mistake(queue_counted_before_the_take, "queue-length"),
        Mistake(die_keyed_by_the_event, "equals-simulated"),
    )
}

if __name__ == "__main__":
    MISTAKES[sys.argv.pop(1)].plant(pytest.MonkeyPatch())
    sys.exit(main())
