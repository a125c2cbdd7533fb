"""A history: what `explain` and `order` ask of a recorded run, ours or anybody's.

Never judges. A row is an event, -1 is none; what the record does not say is None or empty.
"""

from collections.abc import Sequence
from typing import Protocol

from orchestrator.trace.verdict import Evidence


class History(Protocol):
    """A recorded run, to be walked from event to event.

    A machine is what remembers: an incarnation that has forgotten everything is a machine of its own, such as `2.1`.
    An event is called by its machine and its number on it, such as `2:41`, and stands at `file:line`.
    """

    @property
    def name(self) -> str:
        """What the run is called."""

    @property
    def understood(self) -> str:
        """How the logs of others were understood, in a line; nothing for a run of ours."""

    @property
    def remarks(self) -> Sequence[str]:
        """What is wrong with the record itself, a line each."""

    @property
    def evidence(self) -> Evidence | None:
        """How it is known which send a receive received."""

    @property
    def clock_rule(self) -> str:
        """The name of the clock that the machines were given (`lamport`, …); nothing if it is not known."""

    @property
    def step(self) -> int | None:
        """What one event adds to a clock by Lamport's rule; None where clocks do not count events."""

    @property
    def machines(self) -> Sequence[str]:
        """The machines, also those without an event."""

    @property
    def files(self) -> Sequence[str]:
        """The files of the record."""

    def __len__(self) -> int:
        """Return the number of events."""

    def events_of(self, machine: str) -> Sequence[int]:
        """Return the events of a machine in its order; their numbers never fall."""

    def events_in(self, file: str) -> Sequence[int]:
        """Return the events in a file in the order of their lines."""

    def machine(self, row: int) -> str:
        """Return the machine of an event."""

    def number(self, row: int) -> int:
        """Return an event's number on its machine, from 1."""

    def event(self, row: int) -> str:
        """Return what an event is called, such as `2:41`."""

    def line(self, row: int) -> int:
        """Return the line of an event in its file."""

    def place(self, row: int) -> str:
        """Return where an event stands, such as `events-2.jsonl:43`; nothing if there is no file."""

    def kind(self, row: int) -> str:
        """Return what an event is in a word, such as `receive`."""

    def previous(self, row: int) -> int:
        """Return the event just before on the same machine, or -1."""

    def lost_before(self, row: int) -> int:
        """Return how many events of its machine are known to be missing just before an event."""

    def causes(self, row: int) -> Sequence[int]:
        """Return the sends, mostly on other machines, that an event is known to have received."""

    def received(self, row: int) -> str:
        """Return what an event with a cause received, such as `1:5`, or `the second copy of 1:5`."""

    def unnamed(self, row: int) -> str:
        """Return as a clause why it is not known what an event received; nothing if it is, or it received nothing."""

    def is_open(self, row: int) -> bool:
        """Whether more may have happened just before an event than the record tells."""

    def clock(self, row: int) -> int | None:
        """Return the scalar clock of an event, in units of which `step` make one event."""

    def clock_text(self, row: int) -> str | None:
        """Return the clock of an event as it was written, a vector too."""

    def shown_clock(self, value: int) -> str:
        """Return a scalar clock as the record would write it."""

    def stamp(self, row: int) -> int | None:
        """Return the clock that the message of a receive carried, if the receive recorded it."""

    def time_ns(self, row: int) -> int | None:
        """Return when an event happened, in ns since the record's beginning."""

    def arrival_ns(self, row: int) -> int | None:
        """Return when the message of a receive had come into the queue, in ns since the record's beginning."""

    def faults(self, row: int) -> Sequence[str]:
        """Return the faults that the record knows of for which the message of a receive came or was taken late."""
